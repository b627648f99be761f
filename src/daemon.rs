//! Locks the data directory, opens the log, reads the journal, starts the movers, and stops them in
//! the order in which nothing is lost.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::admission::Admission;
use crate::clock::Clock;
use crate::config::Config;
use crate::fleet::Fleet;
use crate::http::{self, App, Door, make_app};
use crate::modem::Event;
use crate::modem::port::Tty;
use crate::modem::status::Roster;
use crate::scheduler::Wiring;
use crate::store::{self, DirLock, Store};
use crate::{housekeeper, outcomes, scheduler};

/// Events and ends that may wait; a mover that is held back holds its modem back, and nothing is lost.
const MAILBOX: usize = 1024;
/// Requests under way get this long to end.
const LAST_REQUESTS: Duration = Duration::from_secs(5);

/// The socket of the command line in a data directory.
pub fn socket(data_dir: &Path) -> PathBuf {
    data_dir.join("simpost.sock")
}

/// A running gateway.
pub struct Daemon {
    /// Where the API listens.
    pub address: SocketAddr,
    socket: PathBuf,
    fleet: Fleet,
    events: mpsc::Sender<Event>,
    stops: Stops,
    servers: Vec<JoinHandle<()>>,
    movers: JoinSet<()>,
    // Last: the directory is free when the store behind all others has written what it had.
    _lock: DirLock,
}

#[derive(Default)]
struct Stops {
    http: CancellationToken,
    scheduler: CancellationToken,
    housekeeper: CancellationToken,
}

impl Daemon {
    /// Starts everything that `config` asks for. Errors: the first thing that cannot be had, and what to
    /// do about it; modems are not among these, they may come later.
    pub async fn start(config: &Config, clock: Clock) -> Result<Self> {
        let lock = store::lock(&config.data_dir)?;
        let store = Store::open(&config.data_dir)?;
        recover(&store, clock).await?;
        let listener = bind(config.listen).await?;
        let address = listener.local_addr()?;
        let socket = socket(&config.data_dir);
        let local = bind_socket(&socket)?;

        let stops = Stops::default();
        let roster = Roster::default();
        let (fleet, events, movers) = start_movers(&store, clock, config, &roster, &stops);
        let admission = Admission::new(store.clone(), clock, config.admission);
        let app = App {
            store,
            clock,
            admission,
            roster,
            following: http::Following::new(stops.http.clone()),
        };
        let doors = (
            make_app(app.clone(), Door::Network),
            make_app(app, Door::Socket),
        );
        let limits = http::Limits::default();
        let servers = vec![
            tokio::spawn(http::serve(listener, doors.0, limits, stops.http.clone())),
            tokio::spawn(http::serve(local, doors.1, limits, stops.http.clone())),
        ];
        let daemon = Self {
            address,
            socket,
            fleet,
            events,
            stops,
            servers,
            movers,
            _lock: lock,
        };
        for port in &config.ports {
            daemon.employ(port, config);
        }
        Ok(daemon)
    }

    fn employ(&self, port: &Path, config: &Config) {
        let tty = Box::new(Tty::new(port));
        let manners = config.manners(port);
        self.fleet
            .employ(tty, manners, config.modem, self.events.clone());
    }

    /// Waits for something that must not happen: a mover that ends while the daemon runs.
    pub async fn broken(&mut self) {
        let ended = self.movers.join_next().await;
        tracing::error!(?ended, "a mover of the daemon has ended by itself");
    }

    /// Stops in order: no new requests, no new claims, the parts in the air, the ends of them written.
    pub async fn stop(self) {
        let Self {
            socket,
            fleet,
            events,
            stops,
            servers,
            mut movers,
            _lock,
            ..
        } = self;
        stops.http.cancel();
        for mut server in servers {
            if timeout(LAST_REQUESTS, &mut server).await.is_err() {
                tracing::warn!("a request did not end in time and is cut");
                server.abort();
            }
        }
        stops.scheduler.cancel();
        stops.housekeeper.cancel();
        fleet.stop().await;
        // The last sender: outcomes end with it, and after them the scheduler.
        drop(events);
        while let Some(ended) = movers.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a mover ended badly");
            }
        }
        // Whoever asks now is told that nobody is here, instead of waiting for an answer.
        if let Err(error) = std::fs::remove_file(&socket) {
            tracing::debug!(%error, "the socket is gone already");
        }
    }
}

async fn recover(store: &Store, clock: Clock) -> Result<()> {
    let recovered = store
        .recover(clock.now())
        .await
        .context("the journal of the last run cannot be settled")?;
    if recovered != store::Recovered::default() {
        let store::Recovered { waiting, uncertain } = recovered;
        tracing::warn!(
            waiting,
            uncertain,
            "the last run stopped in the middle of its work; the journal knows how far it was"
        );
    }
    Ok(())
}

/// Wires the movers to each other: down by calls, back by the channels made here.
fn start_movers(
    store: &Store,
    clock: Clock,
    config: &Config,
    roster: &Roster,
    stops: &Stops,
) -> (Fleet, mpsc::Sender<Event>, JoinSet<()>) {
    let (sims_out, sims) = mpsc::channel(MAILBOX);
    let (ended_out, ended) = mpsc::channel(MAILBOX);
    let (events, inbox) = mpsc::channel(MAILBOX);
    let fleet = Fleet::new(store.clone(), clock, roster.clone(), sims_out);
    let wiring = Wiring {
        store: store.clone(),
        clock,
        hand_over: Arc::new(fleet.hand_over()),
        sims,
        ended,
        stop: stops.scheduler.clone(),
    };
    let mut movers = JoinSet::new();
    movers.spawn(outcomes::run(
        store.clone(),
        clock,
        config.outcomes,
        inbox,
        ended_out,
    ));
    movers.spawn(scheduler::run(wiring));
    movers.spawn(housekeeper::run(
        store.clone(),
        clock,
        config.housekeeper,
        stops.housekeeper.clone(),
    ));
    (fleet, events, movers)
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "the API listens beyond this machine and without TLS: keys and texts can be read on the way");
    }
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("cannot listen on {address}; another program may hold the port, choose one with --listen"))
}

/// The directory is ours, so a socket that is there already is a dead daemon's.
fn bind_socket(path: &Path) -> Result<UnixListener> {
    let failed = || format!("cannot make the socket `{}`", path.display());
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(failed),
    }
    let listener = UnixListener::bind(path).with_context(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660)).with_context(failed)?;
    Ok(listener)
}

//! Modems and a small network on pseudo-terminals: the other side of the wire.
//!
//! Any program opens `DIR/modem0`, `DIR/modem1`, … as it would open the tty of a USB stick, and
//! finds a modem in PDU mode with a SIM in a network that takes its parts, sends status reports
//! and keeps a ledger of what really went over the air. How a part ends depends on its recipient:
//! the table is in `network/`. What is to go wrong, a plan says
//! ([`Plan`]), or an order on the control socket.
//!
//! ```text
//! client ── pty ── modem (AT, storage) ── network ── ledger
//!             └───── stick: one task for each ──────┘
//! ```
//!
//! It knows `sms` and nothing of the gateway: what is tested against it must not lean on it.
#![deny(clippy::indexing_slicing)]

mod control;
mod faults;
mod identity;
mod ledger;
mod links;
mod modem;
mod network;
mod outbox;
mod pty;
mod settings;
mod stick;
mod watch;
mod wire;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use control::Control;
pub use faults::{BadPlan, Plan, PlanError};
use faults::{Faults, Noise};
use identity::Identity;
use ledger::Ledger;
use links::Links;
pub use modem::MannersError;
use modem::{Manners, Modem, Nature};
use network::Subscription;
pub use network::{Inbound, Network, Quota, ReportOrder};
pub use settings::Settings;
use stick::{Parts, Stick};
use watch::Watch;
pub use wire::Pipes;
use wire::Socket;

use crate::sms::fields::BadAddress;
use crate::sms::parts::SplitError;

/// Messages from outside that wait for one modem; who sends more waits.
const MAILBOX: usize = 64;

/// Why the emulator cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Called outside a runtime.
    #[error("the emulator needs a running tokio runtime")]
    NoRuntime,
    /// The directory of the links cannot be made.
    #[error("cannot make the directory `{}`", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another emulator has its links there.
    #[error("another emulator has its modems in `{}`", .0.display())]
    Occupied(PathBuf),
    /// The plan names a modem that there is not.
    #[error("the plan is wrong")]
    Plan(#[from] BadPlan),
    /// No pseudo-terminal is to be had.
    #[error("cannot make a pseudo-terminal for modem {modem}")]
    Terminal {
        /// Counted from 0.
        modem: u16,
        /// Why.
        source: io::Error,
    },
    /// The link cannot be placed; something else may lie there.
    #[error("cannot place the link `{}`", path.display())]
    Link {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The ledger cannot be opened.
    #[error("cannot open the ledger `{}`", path.display())]
    Ledger {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The control socket cannot be made.
    #[error("cannot make the control socket `{}`", path.display())]
    Control {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A modem keeps no more rules.
    #[error("modem {0} has no room for another rule")]
    TooManyRules(u16),
    /// The service centre keeps no more for a SIM that takes nothing.
    #[error("the service centre has no room for {refused} of {all} parts for modem {modem}")]
    NoRoom {
        /// Counted from 0.
        modem: u16,
        /// How many parts it did not take.
        refused: usize,
        /// How many there were.
        all: usize,
    },
    /// A text has no such part.
    #[error("there is no part {no}: the text has {all}")]
    NoPart {
        /// Counted from 1.
        no: u8,
        /// How many there are.
        all: u8,
    },
    /// No clock has such a zone.
    #[error("there is no zone {0}: quarters of an hour from -63 to 63")]
    Zone(i8),
    /// The manners of a family cannot be had.
    #[error("cannot make a modem of this family")]
    Manners(#[from] MannersError),
    /// There is no such modem, or it has stopped.
    #[error("there is no modem {0}")]
    NoModem(u16),
    /// The sender of a message is neither a number nor a short name.
    #[error("this is no sender: {0}")]
    Sender(#[from] BadAddress),
    /// The text of a message is empty or too long.
    #[error("this is no text: {0}")]
    Text(#[from] SplitError),
}

/// Running modems. Dropping it stops them and takes the links away.
#[derive(Debug)]
pub struct Emulator {
    links: Option<Arc<Links>>,
    network: Network,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Emulator {
    /// Makes the modems and serves them on the current tokio runtime.
    ///
    /// Errors: no runtime, a file or a terminal that cannot be made, a directory in which another
    /// emulator has its links.
    pub fn start(settings: &Settings) -> Result<Self, Error> {
        let runtime = Handle::try_current().map_err(|_| Error::NoRuntime)?;
        let ledger = open_ledger(settings)?;
        let dir = || settings.dir.clone();
        let links = std::fs::create_dir_all(&settings.dir)
            .and_then(|()| Links::claim(&settings.dir))
            .map_err(|source| Error::Directory {
                path: dir(),
                source,
            })?;
        let links = links.ok_or_else(|| Error::Occupied(dir()))?;
        let control = settings.control.as_deref().map(|path| {
            Control::bind(path).map_err(|source| Error::Control {
                path: path.to_owned(),
                source,
            })
        });
        let control = control.transpose()?;
        let watch = Watch::new().map(Arc::new);
        let watch = watch.inspect_err(|error| {
            tracing::warn!(%error, "a client that is killed may leave its port locked");
        });
        let watch = watch.ok();
        let socket = Socket::Tty(Arc::clone(&links), watch.clone());
        let mut emulator = Self::serve(settings, &socket, &ledger, &runtime)?;
        emulator.links = Some(links);
        let stop = emulator.stop.clone();
        emulator
            .tasks
            .extend(watch.map(|watch| runtime.spawn(watched(watch, stop.clone()))));
        let network = emulator.network();
        emulator
            .tasks
            .extend(control.map(|control| runtime.spawn(control.run(network, stop.clone()))));
        Ok(emulator)
    }

    /// The same modems on pipes in memory, to be opened by name (`modem0`, …) with [`Pipes::open`]:
    /// they follow the runtime's clock, also when that one is paused. Nothing is placed in
    /// [`Settings::dir`], and there is no control socket.
    ///
    /// Errors: no runtime, a ledger that cannot be opened.
    pub fn in_memory(settings: &Settings) -> Result<(Self, Pipes), Error> {
        let runtime = Handle::try_current().map_err(|_| Error::NoRuntime)?;
        let ledger = open_ledger(settings)?;
        let pipes = Pipes::default();
        let socket = Socket::Pipe(pipes.clone());
        let emulator = Self::serve(settings, &socket, &ledger, &runtime)?;
        Ok((emulator, pipes))
    }

    fn serve(
        settings: &Settings,
        socket: &Socket,
        ledger: &Arc<Ledger>,
        runtime: &Handle,
    ) -> Result<Self, Error> {
        settings.plan.check(settings.modems)?;
        let stop = CancellationToken::new();
        let (mut sticks, mut senders) = (Vec::new(), Vec::new());
        let families = families(settings)?;
        let families = families.iter().cycle();
        for (modem, manners) in (0..settings.modems).zip(families) {
            let (sender, mailbox) = mpsc::channel(MAILBOX);
            senders.push(sender);
            let manners = Arc::clone(manners);
            let parts = parts(modem, settings, manners, socket.clone(), mailbox, ledger);
            sticks.push(Stick::plug_in(parts)?);
        }
        let served = |stick| runtime.spawn(served(stick, stop.clone()));
        Ok(Self {
            links: None,
            network: Network::new(senders, settings.zone, settings.clock),
            tasks: sticks.into_iter().map(served).collect(),
            stop,
        })
    }

    /// The links to the ports as they were placed at the start, modem 0 first; none in memory.
    pub fn ports(&self) -> Vec<PathBuf> {
        let name = |modem| Some(self.links.as_ref()?.path(&format!("modem{modem}")));
        (0..self.network.modems()).filter_map(name).collect()
    }

    /// The network behind the modems.
    pub fn network(&self) -> Network {
        self.network.clone()
    }

    /// Stops the modems, takes the links away and waits until the ports are closed.
    pub async fn stop(mut self) {
        self.stop.cancel();
        for task in std::mem::take(&mut self.tasks) {
            // A task that panicked has been reported by the runtime.
            let _ = task.await;
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(links) = &self.links {
            links.clear();
        }
    }
}

fn open_ledger(settings: &Settings) -> Result<Arc<Ledger>, Error> {
    let path = settings.ledger.clone();
    Ledger::open(path.as_deref())
        .map(Arc::new)
        .map_err(|source| Error::Ledger {
            path: path.unwrap_or_default(),
            source,
        })
}

/// The manners to be taken in turn; never empty.
fn families(settings: &Settings) -> Result<Vec<Arc<Manners>>, MannersError> {
    let dir = settings.profiles_dir.as_deref();
    if settings.profiles.is_empty() {
        return Ok(vec![Manners::of("generic", dir)?]);
    }
    let names = settings.profiles.iter();
    names.map(|name| Manners::of(name, dir)).collect()
}

fn parts(
    index: u16,
    settings: &Settings,
    manners: Arc<Manners>,
    socket: Socket,
    mailbox: mpsc::Receiver<stick::News>,
    ledger: &Arc<Ledger>,
) -> Parts {
    let identity = Identity::of(index);
    let nature = Nature {
        radio: settings.radio,
        silence: settings.silence,
        capacity: settings.sim_capacity,
    };
    let subscription = Subscription::new(index, &identity, settings, Arc::clone(ledger));
    let mut modem = Modem::new(identity, nature, manners, stick::now());
    *modem.faults() = Faults::new(index, Noise::of(settings.seed, index));
    modem.faults().follow(&settings.plan);
    Parts {
        index,
        modem,
        subscription,
        socket,
        mailbox,
        clock: settings.clock,
        baud: settings.baud,
        noise: Noise::of(settings.seed, index),
    }
}

async fn served(stick: Stick, stop: CancellationToken) {
    if let Err(error) = stick.run(stop).await {
        tracing::error!(%error, "an emulated modem has lost its port");
    }
}

async fn watched(watch: Arc<Watch>, stop: CancellationToken) {
    if let Some(Err(error)) = stop.run_until_cancelled(watch.run()).await {
        tracing::warn!(%error, "a client that is killed may leave its port locked");
    }
}

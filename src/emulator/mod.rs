//! Modems and a small network on pseudo-terminals: the other side of the wire.
//!
//! Any program opens `DIR/modem0`, `DIR/modem1`, … as it would open the tty of a USB stick, and
//! finds a modem in PDU mode with a SIM in a network that takes its parts, sends status reports
//! and keeps a ledger of what really went over the air. How a part ends depends on its recipient:
//! the table is in `network.rs`.
//!
//! ```text
//! client ── pty ── modem (AT, storage) ── network ── ledger
//!             └───── stick: one task for each ──────┘
//! ```
//!
//! It knows `sms` and nothing of the gateway: what is tested against it must not lean on it.
#![deny(clippy::indexing_slicing)]

mod identity;
mod ledger;
mod modem;
mod network;
mod pty;
mod stick;
mod watch;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use identity::Identity;
use ledger::Ledger;
use modem::{Modem, Nature};
pub use network::Network;
use network::Subscription;
use pty::{Link, Pty};
use stick::Stick;
use watch::Watch;

use crate::sms::fields::BadAddress;
use crate::sms::parts::SplitError;

/// Messages from outside that wait for one modem; who sends more waits.
const MAILBOX: usize = 64;

/// What the emulator is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How many modems.
    pub modems: u16,
    /// Where the links `modem0`, `modem1`, … are placed; made when it is missing.
    pub dir: PathBuf,
    /// The file that gets one JSON object a line for all that goes over the air; appended to.
    pub ledger: Option<PathBuf>,
    /// Time of one part on the air. While `AT+CMMS` keeps the link open, half of it.
    pub radio: Duration,
    /// From the acceptance of a part to its status report.
    pub report_delay: Duration,
    /// When the result of a part to the silent number comes after all; `None` = never.
    pub silence: Option<Duration>,
    /// Zone of the service centre's clock in quarters of an hour east of Greenwich, -63 to 63.
    pub zone: i8,
    /// Slots of each SIM.
    pub sim_capacity: u16,
}

impl Settings {
    /// `modems` modems with links in `dir`: 3 s on the air, reports after 2 s, clock two hours
    /// east, SIMs of 20 slots, no ledger.
    pub fn new(modems: u16, dir: impl Into<PathBuf>) -> Self {
        Self {
            modems,
            dir: dir.into(),
            ledger: None,
            radio: Duration::from_secs(3),
            report_delay: Duration::from_secs(2),
            silence: None,
            zone: 8,
            sim_capacity: 20,
        }
    }
}

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
    links: Vec<Link>,
    network: Network,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Emulator {
    /// Makes the modems and serves them on the current tokio runtime.
    pub fn start(settings: &Settings) -> Result<Self, Error> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| Error::NoRuntime)?;
        let ledger = open_ledger(settings)?;
        std::fs::create_dir_all(&settings.dir).map_err(|source| Error::Directory {
            path: settings.dir.clone(),
            source,
        })?;
        let stop = CancellationToken::new();
        let (mut links, mut sticks, mut senders) = (Vec::new(), Vec::new(), Vec::new());
        for modem in 0..settings.modems {
            let pty = Pty::open().map_err(|source| Error::Terminal { modem, source })?;
            let path = settings.dir.join(format!("modem{modem}"));
            let link = Link::place(path.clone(), pty.slave().path())
                .map_err(|source| Error::Link { path, source })?;
            links.push(link);
            let (sender, mailbox) = mpsc::channel(MAILBOX);
            senders.push(sender);
            sticks.push(make_stick(modem, settings, pty, mailbox, &ledger));
        }
        let mut tasks = Vec::new();
        match Watch::over(sticks.iter().map(|stick| stick.pty.slave())) {
            Ok(watch) => tasks.push(runtime.spawn(watched(watch, stop.clone()))),
            Err(error) => {
                tracing::warn!(%error, "a client that is killed may leave its port locked");
            }
        }
        tasks.extend(
            sticks
                .into_iter()
                .map(|stick| runtime.spawn(served(stick, stop.clone()))),
        );
        Ok(Self {
            links,
            network: Network::new(senders, settings.zone),
            stop,
            tasks,
        })
    }

    /// The links to the ports, modem 0 first.
    pub fn ports(&self) -> Vec<PathBuf> {
        self.links.iter().map(|l| l.path().to_path_buf()).collect()
    }

    /// The network behind the modems.
    pub fn network(&self) -> Network {
        self.network.clone()
    }

    /// Stops the modems, takes the links away and waits until the ports are closed.
    pub async fn stop(mut self) {
        self.stop.cancel();
        self.links.clear();
        for task in std::mem::take(&mut self.tasks) {
            // A task that panicked has been reported by the runtime.
            let _ = task.await;
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.stop.cancel();
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

fn make_stick(
    modem: u16,
    settings: &Settings,
    pty: Pty,
    mailbox: mpsc::Receiver<stick::News>,
    ledger: &Arc<Ledger>,
) -> Stick {
    let identity = Identity::of(modem);
    let nature = Nature {
        radio: settings.radio,
        silence: settings.silence,
        capacity: settings.sim_capacity,
    };
    Stick {
        subscription: Subscription::new(modem, &identity, settings, Arc::clone(ledger)),
        modem: Modem::new(identity, nature),
        pty,
        mailbox,
    }
}

async fn served(stick: Stick, stop: CancellationToken) {
    if let Err(error) = stick.run(stop).await {
        tracing::error!(%error, "an emulated modem has lost its port");
    }
}

async fn watched(watch: Watch, stop: CancellationToken) {
    if let Some(Err(error)) = stop.run_until_cancelled(watch.run()).await {
        tracing::warn!(%error, "a client that is killed may leave its port locked");
    }
}

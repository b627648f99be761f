//! The driver: one actor per port, the only owner of its wire.
//!
//! `port` opens the tty, `link` runs the dialogue of `at` over it, `setup` brings the modem up,
//! `service` keeps it at work, `intake` takes what comes in, and `actor` comes back after every loss. What must be on disk before the driver
//! goes on, it asks of its [`Host`]; all that happens goes out as [`Event`]s on one channel.

pub mod actor;
pub mod at;
mod commands;
mod link;
pub mod port;
pub mod profile;
mod service;
pub mod setup;
mod speed;
pub mod status;
mod storage;

use std::future::Future;

use tokio::sync::oneshot;

use crate::sms::causes::{Cause, Family};
use crate::sms::deliver::Deliver;
use crate::sms::ids::{Mr, SimId, Token};
use crate::sms::report::StatusReport;
use at::messaging::HexPdu;
use setup::Found;

/// What the driver must have on disk before it goes on.
pub trait Host: Send + Sync + 'static {
    /// A SIM can send from now on. None: it could not be written down, so it must not.
    fn attach(&self, port: &str, found: &Found) -> impl Future<Output = Option<SimId>> + Send;

    /// The SIM cannot send any more.
    fn detach(&self, port: &str, sim: SimId) -> impl Future<Output = ()> + Send;

    /// Ctrl-Z is about to go. `false`: it must not.
    fn arm(&self, token: Token) -> impl Future<Output = bool> + Send;
}

/// One part to be sent.
#[derive(Debug, Clone)]
pub struct Job {
    /// The attempt it belongs to.
    pub token: Token,
    /// The SIM that claimed it.
    pub sim: SimId,
    /// Octets of the TPDU without the SMSC prefix.
    pub tpdu_length: usize,
    /// Prefix and TPDU.
    pub pdu: HexPdu,
    /// Whether another part waits for this SIM: the radio link is worth keeping open.
    pub more: bool,
}

/// How a part's handing over ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The network took it.
    Accepted(Option<Mr>),
    /// The modem answered with this code after Ctrl-Z.
    Refused(Cause),
    /// Ctrl-Z never went.
    NotSubmitted {
        /// The modem's code, where it gave one.
        cause: Option<Cause>,
        /// Why, in words.
        reason: String,
    },
    /// The modem never saw it: it was away when the work came.
    GivenBack {
        /// Why, in words.
        reason: String,
    },
    /// Ctrl-Z went, no answer came.
    Unanswered {
        /// Why, in words.
        reason: String,
    },
}

impl Outcome {
    /// The same, its code read as the modem's family means it.
    fn said_by(self, family: Option<Family>) -> Self {
        let read = |cause: Cause| family.map_or(cause, |family| cause.said_by(family));
        match self {
            Self::Refused(cause) => Self::Refused(read(cause)),
            Self::NotSubmitted { cause, reason } => Self::NotSubmitted {
                cause: cause.map(read),
                reason,
            },
            other => other,
        }
    }
}

/// What comes back from the driver.
#[derive(Debug)]
pub enum Event {
    /// A part's handing over has ended.
    Finished {
        /// The SIM, free again if it is still there.
        sim: SimId,
        /// The attempt.
        token: Token,
        /// How it ended.
        outcome: Outcome,
    },
    /// The answer to an attempt that was given up came after all.
    Late {
        /// The SIM it came to.
        sim: SimId,
        /// The attempt; none where it was another run of the program that gave it up.
        token: Option<Token>,
        /// The reference it tells.
        mr: Option<Mr>,
    },
    /// The refusal of an attempt that was given up came after all.
    LateRefusal {
        /// The attempt.
        token: Token,
        /// What the modem said, as its family means it.
        cause: Cause,
    },
    /// A status report came.
    Report {
        /// The SIM it came to.
        sim: SimId,
        /// The report.
        report: Box<StatusReport>,
        /// The PDU in hex, with an empty service centre where the modem left it out.
        pdu: String,
        /// Told once it is on disk: only then is the modem told, or emptied.
        kept: oneshot::Sender<()>,
    },
    /// A text, or a part of one, came in.
    Inbound {
        /// The SIM it came to.
        sim: SimId,
        /// What it says; none where the PDU cannot be read.
        deliver: Option<Box<Deliver>>,
        /// The PDU in hex, with an empty service centre where the modem left it out.
        pdu: String,
        /// Told once it is on disk: only then is the modem told, or emptied.
        kept: oneshot::Sender<()>,
    },
}

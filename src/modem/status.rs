//! What there is to know about a modem right now, for people and programs.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::at::messaging::ReportRouting;
use super::at::network::Dbm;
use super::setup::Found;
use crate::sms::ids::SimId;

/// Where a modem stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its port cannot be opened; it is tried again.
    Closed,
    /// The port is open, the modem is being brought up.
    SettingUp,
    /// It waits for work.
    Ready,
    /// A text is on its way.
    Sending,
    /// It owes the answer of a text and says nothing; it is listened to.
    Waiting,
    /// Bring-up failed; it is tried again.
    Faulty,
    /// The daemon stops.
    Stopped,
}

impl State {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::SettingUp => "setting_up",
            Self::Ready => "ready",
            Self::Sending => "sending",
            Self::Waiting => "waiting",
            Self::Faulty => "faulty",
            Self::Stopped => "stopped",
        }
    }
}

/// Why a modem cannot be used, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// A stable word.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: &'static str,
}

/// A modem's page in the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The port it is looked for at.
    pub port: String,
    /// Where it stands.
    pub state: State,
    /// What keeps it from working.
    pub trouble: Option<Trouble>,
    /// What bring-up found; stays while the modem is away.
    pub found: Found,
    /// Signal at the last look.
    pub signal: Option<Dbm>,
    /// The SIM in it, while it can send.
    pub sim: Option<SimId>,
    /// Parts that the network took since the daemon started.
    pub accepted: u64,
}

impl Status {
    /// A modem of which only the port is known.
    pub fn new(port: String) -> Self {
        Self {
            port,
            state: State::Closed,
            trouble: None,
            found: Found::default(),
            signal: None,
            sim: None,
            accepted: 0,
        }
    }

    /// Whether it takes work now.
    pub fn can_send(&self) -> bool {
        matches!(self.state, State::Ready | State::Sending)
    }
}

impl ReportRouting {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Direct => "direct",
            Self::Stored => "stored",
        }
    }
}

/// All modems by their port, written by their actors, read by whoever asks.
#[derive(Debug, Clone, Default)]
pub struct Roster(Arc<RwLock<BTreeMap<String, Status>>>);

impl Roster {
    /// Every modem as it stands, ordered by port.
    pub fn all(&self) -> Vec<Status> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    /// Changes one modem's page; one that is missing is made.
    pub fn update(&self, port: &str, change: impl FnOnce(&mut Status)) {
        let mut pages = self.0.write().unwrap_or_else(PoisonError::into_inner);
        change(
            pages
                .entry(port.to_owned())
                .or_insert_with(|| Status::new(port.to_owned())),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roster_shows_what_actors_write() {
        let roster = Roster::default();
        roster.update("/dev/ttyUSB1", |status| status.state = State::Ready);
        roster.update("/dev/ttyUSB0", |_| {});
        roster
            .clone()
            .update("/dev/ttyUSB1", |status| status.accepted += 1);
        let all = roster.all();
        assert_eq!(
            all.iter()
                .map(|status| status.port.as_str())
                .collect::<Vec<_>>(),
            ["/dev/ttyUSB0", "/dev/ttyUSB1"]
        );
        assert_eq!(
            all.iter()
                .map(|status| (status.can_send(), status.accepted))
                .collect::<Vec<_>>(),
            [(false, 0), (true, 1)]
        );
    }
}

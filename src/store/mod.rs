//! The log that loses nothing: messages, parts, attempts, reports and events in SQLite.
//!
//! Its interface speaks in intents (`enqueue`, `settle_and_claim`, `arm`, `settle`, `match_report`, …): each is
//! one step of a message's way, all or nothing, and says what must already be true. What is answered
//! with success is on disk. Pure rules (which step is allowed, the fold over parts) come from
//! [`crate::sms::state`]; the store keeps them, it does not know modems.

mod engine;
mod events;
mod inbound;
mod keys;
mod open;
mod outbound;
mod sims;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

use engine::Engine;

pub use events::{Event, EventFilter, Events};
pub use inbound::{Inbound, InboundFilter, InboundPage, InboundPart, NewInbound, Received};
pub use keys::{KeyRow, NewKey};
pub use outbound::{
    Canceled, Claim, Enqueued, Erased, Failure, Filter, Grace, Matched, Message, NewMessage,
    NewReport, Once, Page, Part, Recovered, Resolution, Resolved, Retry, Settled, Settlement,
    Verdict, WorkEnd,
};
pub use sims::{ModemIdentity, SimIdentity};

/// What can go wrong with the log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data directory or a file in it cannot be made or opened.
    #[error("cannot use `{}`", dir.display())]
    Directory {
        /// The place.
        dir: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Another process works on the data directory.
    #[error("`{}` is in use by another simpost", dir.display())]
    Locked {
        /// The place.
        dir: PathBuf,
    },
    /// A later release wrote the database.
    #[error("the database has schema {found}, this release knows schemas up to {known}")]
    Newer {
        /// The schema found.
        found: u32,
        /// The newest one known here.
        known: u32,
    },
    /// The database refused one intent.
    #[error("the database refused a step")]
    Sqlite(#[from] rusqlite::Error),
    /// The whole transaction could not begin or commit; nothing of it was done.
    #[error("the database could not commit")]
    Commit(#[source] Arc<rusqlite::Error>),
    /// A row holds what no release ever wrote.
    #[error("the database holds an unreadable value: {0}")]
    Unreadable(#[from] crate::sms::ids::BadId),
    /// The store is shut down.
    #[error("the store is closed")]
    Closed,
}

impl Error {
    /// Whether the disk, not the request, is to blame: the same may work later.
    pub fn is_passing(&self) -> bool {
        use rusqlite::ErrorCode as Code;
        let code = match self {
            Self::Commit(_) | Self::Closed => return true,
            Self::Sqlite(error) => error.sqlite_error_code(),
            _ => None,
        };
        matches!(
            code,
            Some(
                Code::DiskFull
                    | Code::SystemIoFailure
                    | Code::ReadOnly
                    | Code::CannotOpen
                    | Code::OutOfMemory
                    | Code::DatabaseBusy
                    | Code::DatabaseLocked
            )
        )
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Directory { .. } => {
                Some("choose another place with --data, or give this user the right to write there")
            }
            Self::Locked { .. } => {
                Some("stop the other daemon, or give this one its own --data directory")
            }
            Self::Newer { .. } => Some("install the newer release again; it made this database"),
            Self::Sqlite(error) if is_damaged(error) => Some(
                "the database file is damaged: put a backup in its place, or move it away to begin anew",
            ),
            Self::Commit(_) | Self::Sqlite(_) => {
                Some("look at the disk's free space and at the log")
            }
            Self::Unreadable(_) | Self::Closed => None,
        }
    }
}

fn is_damaged(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode as Code;
    matches!(
        error.sqlite_error_code(),
        Some(Code::DatabaseCorrupt | Code::NotADatabase)
    )
}

/// A handle on the log; clones share it.
#[derive(Clone)]
pub struct Store {
    engine: Arc<Engine>,
}

impl Store {
    /// Opens the log of a data directory whose [`lock`] the caller holds.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        Ok(Self {
            engine: Engine::start(&open::database(dir))?,
        })
    }

    /// A log in memory that runs in the calling task: for tests in virtual time.
    pub fn in_task() -> Result<Self, Error> {
        Ok(Self {
            engine: Engine::in_task()?,
        })
    }

    /// Changes whenever a commit has written events: the newest one's place in the order of all.
    pub fn newest_event(&self) -> watch::Receiver<i64> {
        self.engine.newest_event()
    }

    /// Changes whenever a commit gave something a date: a deferred part, a silence to wait out.
    pub fn dated(&self) -> watch::Receiver<u64> {
        self.engine.dated()
    }
}

pub use open::{DirLock, lock};

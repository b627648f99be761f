//! How the program ends: one list of codes, one way to tell an error.

use std::fmt;
use std::process::{ExitCode, Termination};

use super::output;
use crate::config::Mistakes;
use crate::store;

/// What the shell gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// It failed.
    Failed = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The port is not there or may not be opened.
    NoPort = 3,
    /// The modem or the network refused.
    Refused = 4,
    /// It took too long.
    TimedOut = 5,
    /// No daemon answers.
    NoDaemon = 6,
    /// Ctrl-C.
    Interrupted = 130,
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NoPort => 3,
            Self::Refused => 4,
            Self::TimedOut => 5,
            Self::NoDaemon => 6,
            Self::Interrupted => 130,
        })
    }
}

/// Why a command failed.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    error: anyhow::Error,
    hint: Option<String>,
}

impl Failure {
    /// `error` ends the command with `exit`.
    pub fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self {
            exit,
            error: error.into(),
            hint: None,
        }
    }

    /// It simply failed.
    pub fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self::new(Exit::Failed, error)
    }

    /// What it ends the command with.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    /// The error with all that led to it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

impl From<Mistakes> for Failure {
    fn from(mistakes: Mistakes) -> Self {
        Self::new(
            Exit::Usage,
            anyhow::Error::new(mistakes).context("the configuration is not valid"),
        )
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let hint = error
            .chain()
            .find_map(|cause| cause.downcast_ref::<store::Error>()?.hint());
        Self {
            exit: Exit::Failed,
            hint: hint.map(Into::into),
            error,
        }
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        anyhow::Error::new(error).into()
    }
}

/// Tells a failure on stderr and gives its code.
pub fn tell(failure: &Failure) -> Exit {
    output::note(&format!("error: {failure}"));
    if let Some(hint) = &failure.hint {
        output::note(&format!("hint: {hint}"));
    }
    failure.exit()
}

/// Shows help, version or a wrong use, as clap has it.
pub fn usage(error: &clap::Error) -> Exit {
    // A closed pipe behind `--help | head` is no error.
    let _ = error.print();
    if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Done
    }
}

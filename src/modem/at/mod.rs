//! The AT dialogue without I/O (V.250, TS 27.005, TS 27.007): typed commands, framing, and the engine
//! that turns bytes and time into results and news.
#![deny(clippy::indexing_slicing)]

pub mod codes;
pub mod dialog;
pub mod fields;
pub mod general;
pub mod lines;
pub mod messaging;

use std::time::Duration;

use crate::sms::causes::Cause;

/// One command: everything about it in one place.
pub trait Command {
    /// What the modem tells in answer.
    type Reply;
    /// The longest time the manuals allow.
    const TIMEOUT: Duration;
    /// What the answer's lines begin with; none for commands whose answer is a bare line or only `OK`.
    const PREFIX: Option<&'static str>;

    /// The line without `AT` and without CR.
    fn line(&self) -> String;

    /// Reads the lines between the command and its final result.
    fn reply(&self, lines: &[String]) -> Result<Self::Reply, ParseError>;
}

/// An answer that this program does not understand. It does not say the answer itself: numbers and
/// texts must not reach a log this way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the answer to `AT{command}` makes no sense ({lines} lines, {octets} octets)")]
pub struct ParseError {
    /// The command, without `AT`.
    pub command: String,
    /// How many lines came.
    pub lines: usize,
    /// How long they are in all.
    pub octets: usize,
}

impl ParseError {
    /// The answer `lines` to `command` makes no sense.
    pub fn new(command: &str, lines: &[String]) -> Self {
        Self {
            command: command.to_owned(),
            lines: lines.len(),
            octets: lines.iter().map(String::len).sum(),
        }
    }
}

/// How a command can end without its answer. Each has its own rule for what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The modem refused the command.
    #[error("`AT{command}` was refused with `{cause}`")]
    Refused {
        /// The command, without `AT`.
        command: String,
        /// The code it gave.
        cause: Cause,
    },
    /// Nothing came in the time that the command is allowed.
    #[error("`AT{command}` was not answered within {} s", after.as_secs())]
    TimedOut {
        /// The command, without `AT`.
        command: String,
        /// How long was waited.
        after: Duration,
    },
    /// The answer makes no sense.
    #[error(transparent)]
    NotUnderstood(#[from] ParseError),
    /// Another command is running: one line, one command.
    #[error("another command is running")]
    Busy,
}

/// The lines of an answer, for the tables of tests.
#[cfg(test)]
fn answer_lines(text: &str) -> Vec<String> {
    text.split('\n')
        .filter(|line| !line.is_empty())
        .map(Into::into)
        .collect()
}

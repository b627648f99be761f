//! The AT dialogue without I/O (V.250, TS 27.005, TS 27.007): typed commands, framing, and the engine
//! that turns bytes and time into results and news.
#![deny(clippy::indexing_slicing)]

pub mod codes;
pub mod dialog;
pub mod fields;
pub mod glued;
pub mod identity;
pub mod lines;
pub mod messaging;
pub mod network;
pub mod pin;
pub mod reading;
pub mod sim;
pub mod storage;
pub mod ussd;

use std::fmt;
use std::time::Duration;

use crate::sms::causes::Cause;

/// What lies between a command and its final result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: every other line is news.
    Nothing,
    /// Lines that begin with the command's own name: `+CSQ: 14,99`.
    Named,
    /// The same, with a PDU in the line behind each.
    WithPdus,
    /// A line without a name: `huawei`.
    Bare,
}

/// What ends an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// A final result code, as the standard has it.
    Final,
    /// The answer's first line: some terminals say nothing behind it.
    FirstLine,
}

/// One command: everything about it in one place.
pub trait Command {
    /// What the modem tells in answer.
    type Reply;
    /// The longest time the manuals allow.
    const TIMEOUT: Duration;
    /// How the answer's lines look.
    const ANSWER: Answer;

    /// The line without `AT` and without CR.
    fn line(&self) -> String;

    /// Reads the lines between the command and its final result.
    fn reply(&self, lines: &[String]) -> Result<Self::Reply, ParseError>;

    /// What ends the answer.
    fn ending(&self) -> Ending {
        Ending::Final
    }

    /// The line as logs and errors may show it: a code that opens a card is left out.
    fn shown(&self) -> String {
        self.line()
    }

    /// What goes out after the prompt, for a command that is answered with one.
    fn payload(&self) -> Option<Payload> {
        None
    }
}

/// What goes after a prompt, and how long the network may then take.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    /// The text after the prompt, without Ctrl-Z.
    pub text: String,
    /// Time from Ctrl-Z to the final result.
    pub patience: Duration,
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} octets)", self.text.len())
    }
}

/// What touches the SIM is slow.
const SLOW: Duration = Duration::from_secs(20);

/// Most answers come at once; a busy firmware takes some seconds.
const SHORT: Duration = Duration::from_secs(5);

/// A command that is answered with `OK` alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain(pub &'static str);

impl Command for Plain {
    type Reply = ();
    // Storage on a SIM is slow, and so is a radio that is being switched.
    const TIMEOUT: Duration = Duration::from_secs(20);
    const ANSWER: Answer = Answer::Nothing;

    fn line(&self) -> String {
        self.0.to_owned()
    }

    fn reply(&self, _: &[String]) -> Result<(), ParseError> {
        Ok(())
    }
}

/// `AT` → `OK`: is anybody there? (V.250, 5.2.1)
pub const ATTENTION: Plain = Plain("");
/// `ATE0` → `OK`: do not repeat commands (V.250, 6.2.4); this one still comes back.
pub const ECHO_OFF: Plain = Plain("E0");
/// `AT+CMEE=1` → `OK`: errors as numbers (TS 27.007, 9.1); `ERROR` where there are no others.
pub const NUMERIC_ERRORS: Plain = Plain("+CMEE=1");
/// `AT+CSCS="GSM"` → `OK`: texts in the default alphabet, not as the hex of UCS-2 units (TS 27.007, 5.5).
pub const GSM_CHARACTERS: Plain = Plain("+CSCS=\"GSM\"");

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
    /// The answer, or what came unasked beside it, has no end: nothing that is known is so long.
    #[error("`AT{command}` was answered without end ({lines} lines)")]
    Flooded {
        /// The command, without `AT`.
        command: String,
        /// Lines of the answer up to there.
        lines: usize,
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

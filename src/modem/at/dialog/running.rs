//! The command that runs: how far it has come, and the lines that have answered it.

use std::time::Instant;

use super::exchange::Exchange;
use crate::modem::at::Answer;
use crate::modem::at::codes::PduLength;

/// An answer longer than this, in octets, never ends: the fullest storage that is known holds 500 messages
/// of 400 octets each.
pub(super) const MOST: usize = 512 * 1024;
/// What a line weighs besides its text.
const EACH: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Lines and a final result are due.
    Answer,
    /// A prompt is due.
    Prompt,
    /// The prompt has come; the caller decides.
    Held,
}

#[derive(Debug)]
pub(super) struct Running {
    pub(super) exchange: Exchange,
    pub(super) phase: Phase,
    lines: Vec<String>,
    /// What the lines weigh, in octets.
    weight: usize,
    pub(super) since: Instant,
    pub(super) deadline: Instant,
    /// A line of the answer that has a PDU behind it has come, the PDU has not.
    pub(super) wants_pdu: Option<PduLength>,
    /// The last line is a PDU of this length, and may be that of a header that came later than the line
    /// before it: a second one of its length decides.
    undecided: Option<PduLength>,
    /// The command has come back: this modem repeats what it hears.
    pub(super) echoed: bool,
    /// An earlier prompt may still come, and this modem repeats commands: only a prompt behind the echo
    /// is this one's.
    pub(super) awaits_echo: bool,
    /// A line that looks unsolicited and bears the answer's name: it counts if no better one comes.
    pub(super) crossed: Option<String>,
}

impl Running {
    pub(super) fn new(exchange: Exchange, now: Instant) -> Self {
        let phase = if exchange.payload.is_some() {
            Phase::Prompt
        } else {
            Phase::Answer
        };
        Self {
            deadline: now + exchange.patience,
            exchange,
            phase,
            lines: Vec::new(),
            weight: 0,
            since: now,
            wants_pdu: None,
            undecided: None,
            echoed: false,
            awaits_echo: false,
            crossed: None,
        }
    }

    /// Whether this is a send whose payload has not gone out.
    pub(super) fn awaits_payload(&self) -> bool {
        self.phase != Phase::Answer
    }

    /// Whether any line without a name could be its answer.
    pub(super) fn takes_bare(&self) -> bool {
        self.exchange.answer == Answer::Bare && self.phase == Phase::Answer
    }

    pub(super) fn push(&mut self, line: &str) {
        self.weight += EACH + line.len();
        self.lines.push(line.to_owned());
    }

    /// Whether `pdu` has the length of the PDU that is due; a header that waits too may prove it its own.
    pub(super) fn takes_exactly(&mut self, pdu: &str, header_waits: bool) -> bool {
        let length = self.wants_pdu.take_if(|length| length.is_of(pdu));
        if length.is_some() {
            self.undecided = length.filter(|_| header_waits);
        }
        length.is_some()
    }

    /// While a header still waits, puts a second PDU of the same length into the place of the first, which is
    /// given back.
    pub(super) fn second(&mut self, pdu: &str, header_waits: bool) -> Option<String> {
        let undecided = self.undecided.take().filter(|_| header_waits);
        undecided.filter(|length| length.is_of(pdu))?;
        let last = self.lines.last_mut()?;
        Some(std::mem::replace(last, pdu.to_owned()))
    }

    /// Whether its answer has grown past every bound.
    pub(super) fn is_endless(&self) -> bool {
        self.weight > MOST
    }

    /// How many lines have come.
    pub(super) fn count(&self) -> usize {
        self.lines.len()
    }

    /// Whether a line of an answer is due and none has come: an `OK` alone would leave it out.
    pub(super) fn lacks_lines(&self) -> bool {
        let due = matches!(self.exchange.answer, Answer::Named | Answer::Bare);
        due && self.lines.is_empty() && self.crossed.is_none()
    }

    /// The command, and the lines that have come, for one that does not end well.
    pub(super) fn into_parts(self) -> (Exchange, Vec<String>) {
        (self.exchange, self.lines)
    }

    pub(super) fn answer(self) -> Vec<String> {
        if self.lines.is_empty() {
            return self.crossed.into_iter().collect();
        }
        self.lines
    }
}

//! The command that runs: how far it has come, and the lines that have answered it.

use std::time::Instant;

use super::exchange::Exchange;
use crate::modem::at::Answer;

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
    pub(super) wants_pdu: bool,
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
            wants_pdu: false,
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

    /// Whether its answer has grown past every bound.
    pub(super) fn is_endless(&self) -> bool {
        self.weight > MOST
    }

    /// How many lines have come.
    pub(super) fn count(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn answer(self) -> Vec<String> {
        if self.lines.is_empty() {
            return self.crossed.into_iter().collect();
        }
        self.lines
    }
}

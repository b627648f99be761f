//! One command on its way: what goes out, how long it may take, and which lines answer it.

use std::fmt;
use std::time::Duration;

use crate::modem::at::codes::SIGILS;
use crate::modem::at::{Answer, Command, Ending, Payload};

/// A command to run. Its `Debug` form holds nothing that a log must not hold.
#[derive(Clone, PartialEq, Eq)]
pub struct Exchange {
    pub(super) line: String,
    shown: String,
    pub(super) answer: Answer,
    pub(super) ending: Ending,
    pub(super) patience: Duration,
    pub(super) payload: Option<Payload>,
}

impl Exchange {
    /// The exchange that carries out `command`.
    pub fn of<C: Command>(command: &C) -> Self {
        Self {
            line: format!("AT{}", command.line()),
            shown: command.shown(),
            answer: C::ANSWER,
            ending: command.ending(),
            patience: C::TIMEOUT,
            payload: command.payload(),
        }
    }

    /// A command that is answered with a prompt and takes a payload; then its own name and a value.
    pub fn with_payload(line: &str, prompt_patience: Duration, payload: Payload) -> Self {
        Self {
            line: format!("AT{line}"),
            shown: line.to_owned(),
            answer: Answer::Named,
            ending: Ending::Final,
            patience: prompt_patience,
            payload: Some(payload),
        }
    }

    /// The same, allowed less time.
    #[must_use]
    pub fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The command without `AT`, for messages: secrets are left out of it.
    pub fn name(&self) -> &str {
        &self.shown
    }

    /// What stands before the colon of its answer: `+CPMS` for `AT+CPMS?` and `ATE0+CPMS=?` (V.250,
    /// 5.4.1).
    fn own_name(&self) -> &str {
        let from = self.line.find(SIGILS).unwrap_or(self.line.len());
        let name = self.line.get(from..).unwrap_or_default();
        name.split(['?', '=']).next().unwrap_or_default()
    }

    /// Whether the line begins with the own name and its colon.
    pub(super) fn is_named(&self, line: &str) -> bool {
        let name = self.own_name();
        let rest = line.strip_prefix(name).filter(|_| !name.is_empty());
        rest.is_some_and(|rest| rest.starts_with(':'))
    }

    /// Whether a line that begins as vendors' own do answers this question all the same: with the
    /// name before the value, or, for the card's number, with the name of another vendor.
    pub(super) fn is_asked_for(&self, line: &str) -> bool {
        self.is_named(line) || (self.line.contains("CCID") && line.contains("CCID"))
    }

    /// Whether a line is our own: the command or its payload, come back.
    pub(super) fn echoes(&self, line: &str) -> bool {
        let payload = self.payload.as_ref();
        line == self.line || payload.is_some_and(|payload| line == payload.text)
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("shown", &self.shown)
            .field("answer", &self.answer)
            .field("ending", &self.ending)
            .field("patience", &self.patience)
            .field("payload", &self.payload)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::at::identity::CardIdentity;
    use crate::modem::at::storage::ReadStorage;
    use crate::modem::at::{Plain, SHORT};

    #[test]
    fn answers_are_known_by_the_command() {
        let two = Plain("E0+CPMS?");
        let card = CardIdentity("+CCID".into());
        let cases = [
            (Exchange::of(&ReadStorage), "+CPMS: 1,2", true, true),
            (Exchange::of(&ReadStorage), "+CPMSX: 1,2", false, false),
            (Exchange::of(&ReadStorage), "+CSQ: 1,2", false, false),
            (Exchange::of(&two), "+CPMS: 1,2", true, true),
            (Exchange::of(&Plain("E0")), ": 1,2", false, false),
            (Exchange::of(&card), "^ICCID: 8938", false, true),
        ];
        for (exchange, line, named, asked) in cases {
            let told = (exchange.is_named(line), exchange.is_asked_for(line));
            assert_eq!(told, (named, asked), "{exchange:?} {line}");
        }
    }

    #[test]
    fn an_echo_is_what_went_out_and_nothing_else() {
        let payload = Payload {
            text: "00A7".into(),
            patience: SHORT,
        };
        let exchange = Exchange::with_payload("+CMGS=1", SHORT, payload);
        for (line, echo) in [
            ("AT+CMGS=1", true),
            ("00A7", true),
            ("+CMGS=1", false),
            ("AT", false),
        ] {
            assert_eq!(exchange.echoes(line), echo, "{line}");
        }
        assert!(!format!("{exchange:?}").contains("00A7"));
    }
}

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

    /// The same exchange, allowed less time.
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

    /// Whether it is about short messages: only such commands are refused with `+CMS ERROR` (TS 27.005,
    /// 3.2.5).
    pub(super) fn is_about_messages(&self) -> bool {
        const NAMES: &[&str] = &[
            "+CMG", "+CMM", "+CMS", "+CNM", "+CPMS", "+CSAS", "+CRES", "+CSCA", "+CSCB", "+CSDH",
            "+CSMP", "+CSMS",
        ];
        let name = self.own_name();
        NAMES.iter().any(|beginning| name.starts_with(beginning))
    }

    /// Whether a line that begins as vendors' own do answers this question all the same: with the
    /// name before the value, or, for the card's number, with the name of another vendor.
    pub(super) fn is_asked_for(&self, line: &str) -> bool {
        self.is_named(line) || (self.line.contains("CCID") && line.contains("CCID"))
    }

    /// Whether a line is our own: the command or its payload, come back, maybe without its first octet,
    /// which a UART that has just woken loses.
    pub(super) fn echoes(&self, line: &str) -> bool {
        let payload = self.payload.as_ref().map(|payload| payload.text.as_str());
        let comes_back =
            |sent: &str| line == sent || (sent.get(1..) == Some(line) && !line.is_empty());
        comes_back(&self.line) || payload.is_some_and(comes_back)
    }
}

/// Whether a line can be nothing but a command's echo, whichever command it was: `AT`, `ATE0`, `ATZ`, `AT&F`,
/// `AT+CSQ`, `T+CSQ`.
pub(super) fn is_command(line: &str) -> bool {
    if line
        .strip_prefix('T')
        .is_some_and(|rest| rest.starts_with(SIGILS))
    {
        return true;
    }
    let Some(command) = line.strip_prefix("AT") else {
        return false;
    };
    // A letter of V.250 and its number; a name that begins so has more letters.
    let basic = command.strip_prefix('&').unwrap_or(command);
    let number = basic.strip_prefix(['D', 'E', 'F', 'H', 'I', 'O', 'Q', 'S', 'V', 'W', 'X', 'Z']);
    let digits = |number: &str| number.bytes().all(|octet| octet.is_ascii_digit());
    command.is_empty() || command.starts_with(SIGILS) || number.is_some_and(digits)
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
    use crate::modem::at::messaging::{HexPdu, SendMessage};
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
        let exchange = Exchange::of(&SendMessage {
            tpdu_length: 1,
            pdu: HexPdu::of(&[0x00, 0xA7]),
            patience: SHORT,
        });
        for (line, echo) in [
            ("AT+CMGS=1", true),
            ("00A7", true),
            ("T+CMGS=1", true),
            ("0A7", true),
            ("+CMGS=1", false),
            ("AT", false),
            ("", false),
        ] {
            assert_eq!(exchange.echoes(line), echo, "{line}");
        }
        assert!(!format!("{exchange:?}").contains("00A7"));
    }

    #[test]
    fn any_command_is_known_when_it_comes_back() {
        for line in [
            "AT",
            "ATE0",
            "ATZ",
            "AT&F",
            "ATI",
            "AT+CSQ",
            "AT^CURC=0",
            "T+CGMM",
        ] {
            assert!(is_command(line), "{line}");
        }
        for line in ["ATLAS", "AT1", "E1752", "T42", "+CSQ: 1", "ATSAM3", ""] {
            assert!(!is_command(line), "{line}");
        }
    }

    #[test]
    fn commands_about_messages() {
        let cases = [
            ("+CMGL=4", true),
            ("+CPMS?", true),
            ("E0+CMGF=0", true),
            ("+CSQ", false),
        ];
        for (line, about) in cases {
            let exchange = Exchange::of(&Plain(line));
            assert_eq!(exchange.is_about_messages(), about, "{line}");
        }
    }
}

//! Commands that carry a code of the card (TS 27.007, 7.4, 7.5, 8.3). A code leaves this file only in
//! the line for the modem: no log, no error and no `Debug` form has it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::fields::{behind, number};
use super::{Answer, Command, ParseError, SLOW};

/// A PIN: 4 to 8 digits (TS 31.101, 9.5.1).
#[derive(Clone, PartialEq, Eq)]
pub struct PinCode(Box<str>);

/// What is no PIN. It does not say what was given: a mistyped PIN is almost one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a PIN: 4 to 8 digits")]
pub struct BadPinCode;

impl FromStr for PinCode {
    type Err = BadPinCode;

    fn from_str(text: &str) -> Result<Self, BadPinCode> {
        let digits = text.bytes().all(|octet| octet.is_ascii_digit());
        if digits && (4..=8).contains(&text.len()) {
            Ok(Self(text.into()))
        } else {
            Err(BadPinCode)
        }
    }
}

impl fmt::Debug for PinCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PinCode(****)")
    }
}

/// What stands for a code in [`Command::shown`].
const HIDDEN: &str = "\"****\"";

/// `AT+CPIN="1234"` → `OK`, and `+CPIN: READY` before or behind it; `+CME ERROR: 16` for a wrong one
/// (TS 27.007, 8.3).
///
/// Each wrong one costs a try: [`ReadTries`](super::sim::ReadTries) comes first.
#[derive(Debug, Clone)]
pub struct EnterPin(pub PinCode);

impl EnterPin {
    fn with(code: &str) -> String {
        format!("+CPIN={code}")
    }
}

impl Command for EnterPin {
    type Reply = ();
    const TIMEOUT: Duration = SLOW;
    const ANSWER: Answer = Answer::Nothing;

    fn line(&self) -> String {
        Self::with(&format!("\"{}\"", self.0.0))
    }

    fn reply(&self, _: &[String]) -> Result<(), ParseError> {
        Ok(())
    }

    fn shown(&self) -> String {
        Self::with(HIDDEN)
    }
}

/// `AT+CPIN="12345678","1234"` → `OK`: a new PIN for a card whose PIN was mistyped too often; `+CME ERROR: 16`
/// for a wrong PUK (TS 27.007, 8.3).
///
/// Each wrong one costs a try, and behind the tenth the card is dead:
/// [`ReadTries`](super::sim::ReadTries) comes first.
#[derive(Debug, Clone)]
pub struct UnblockPin {
    /// The code that unblocks: 8 digits (TS 31.101, 9.5.2).
    pub puk: PinCode,
    /// The PIN as it is to be.
    pub new: PinCode,
}

impl Command for UnblockPin {
    type Reply = ();
    const TIMEOUT: Duration = SLOW;
    const ANSWER: Answer = Answer::Nothing;

    fn line(&self) -> String {
        format!("+CPIN=\"{}\",\"{}\"", self.puk.0, self.new.0)
    }

    fn reply(&self, _: &[String]) -> Result<(), ParseError> {
        Ok(())
    }

    fn shown(&self) -> String {
        format!("+CPIN={HIDDEN},{HIDDEN}")
    }
}

/// `AT+CLCK="SC",2` → `+CLCK: 1`: whether the card asks for its PIN at every start (TS 27.007, 7.4).
#[derive(Debug, Clone, Copy)]
pub struct ReadLock;

impl Command for ReadLock {
    type Reply = bool;
    const TIMEOUT: Duration = SLOW;
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        "+CLCK=\"SC\",2".into()
    }

    fn reply(&self, lines: &[String]) -> Result<bool, ParseError> {
        let status = lines
            .iter()
            .find_map(|line| number(&behind("+CLCK:", line)?, 0));
        match status {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            _ => Err(ParseError::new(&self.line(), lines)),
        }
    }
}

/// `AT+CLCK="SC",0,"1234"` → `OK`: the card no longer asks for its PIN at every start, or, with 1, does
/// (TS 27.007, 7.4). A wrong one costs a try.
#[derive(Debug, Clone)]
pub struct SetLock {
    /// Whether it is to ask.
    pub locked: bool,
    /// The PIN as it is.
    pub pin: PinCode,
}

impl SetLock {
    fn with(&self, code: &str) -> String {
        format!("+CLCK=\"SC\",{},{code}", u8::from(self.locked))
    }
}

impl Command for SetLock {
    type Reply = ();
    const TIMEOUT: Duration = SLOW;
    const ANSWER: Answer = Answer::Nothing;

    fn line(&self) -> String {
        self.with(&format!("\"{}\"", self.pin.0))
    }

    fn reply(&self, _: &[String]) -> Result<(), ParseError> {
        Ok(())
    }

    fn shown(&self) -> String {
        self.with(HIDDEN)
    }
}

/// `AT+CPWD="SC","1234","5678"` → `OK`: another PIN from now on (TS 27.007, 7.5). Only a card that asks for
/// its PIN takes it. A wrong old one costs a try.
#[derive(Debug, Clone)]
pub struct ChangePin {
    /// The PIN as it is.
    pub old: PinCode,
    /// The PIN as it is to be.
    pub new: PinCode,
}

impl Command for ChangePin {
    type Reply = ();
    const TIMEOUT: Duration = SLOW;
    const ANSWER: Answer = Answer::Nothing;

    fn line(&self) -> String {
        format!("+CPWD=\"SC\",\"{}\",\"{}\"", self.old.0, self.new.0)
    }

    fn reply(&self, _: &[String]) -> Result<(), ParseError> {
        Ok(())
    }

    fn shown(&self) -> String {
        format!("+CPWD=\"SC\",{HIDDEN},{HIDDEN}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::modem::at::answer_lines as lines;
    use crate::modem::at::dialog::{Dialog, Exchange, Step};

    fn pin(text: &str) -> PinCode {
        text.parse().unwrap()
    }

    #[test]
    fn a_pin_has_four_to_eight_digits() {
        for good in ["0000", "1234", "12345678"] {
            assert!(good.parse::<PinCode>().is_ok(), "{good}");
        }
        for bad in ["", "123", "123456789", "12a4", "12 4", "1234\"", "1234\r"] {
            assert_eq!(bad.parse::<PinCode>(), Err(BadPinCode), "{bad}");
        }
    }

    #[test]
    fn whether_the_card_asks() {
        const CASES: &[(&str, Option<bool>)] = &[
            ("+CLCK: 1", Some(true)),
            ("+CLCK:0", Some(false)),
            ("+CLCK: 1,7", Some(true)),
            ("+CLCK: 2", None),
            ("+CLCK: ", None),
            ("", None),
        ];
        for (answer, expected) in CASES {
            assert_eq!(ReadLock.reply(&lines(answer)).ok(), *expected, "{answer}");
        }
        assert_eq!(ReadLock.line(), "+CLCK=\"SC\",2");
    }

    /// Everything that is told or can be printed while `command` is refused.
    fn everything_shown<C: Command + fmt::Debug>(command: &C, now: Instant) -> (String, String) {
        let mut dialog = Dialog::default();
        let exchange = Exchange::of(command);
        let mut shown = vec![format!("{command:?} {} {exchange:?}", command.shown())];
        dialog.start(exchange, now).unwrap();
        shown.push(format!("{dialog:?}"));
        let Some(Step::Write(bytes)) = dialog.poll() else {
            panic!("it is not written");
        };
        shown.push(format!("{:?}", Step::Write(bytes.clone())));
        dialog.receive(&bytes[..bytes.len() - 1]);
        shown.push(format!("{dialog:?}"));
        dialog.receive(b"\r\r\n+CME ERROR: 16\r\n");
        while let Some(step) = dialog.poll() {
            shown.push(format!("{step:?}"));
            if let Step::Finished(Err(error)) = step {
                shown.push(error.to_string());
            }
        }
        dialog.receive(&bytes);
        shown.push(format!("{dialog:?} {:?}", dialog.poll()));
        (String::from_utf8(bytes).unwrap(), shown.concat())
    }

    #[test]
    fn codes_go_to_the_modem_and_nowhere_else() {
        let now = tokio::time::Instant::now().into_std();
        let (locked, old, new) = (false, pin("4711"), pin("90210"));
        let change = ChangePin {
            old: old.clone(),
            new,
        };
        let unblock = UnblockPin {
            puk: pin("90210555"),
            new: old.clone(),
        };
        let told = [
            everything_shown(&EnterPin(old.clone()), now),
            everything_shown(&SetLock { locked, pin: old }, now),
            everything_shown(&change, now),
            everything_shown(&unblock, now),
        ];
        let written: Vec<_> = told.iter().map(|(written, _)| written.as_str()).collect();
        let expected = [
            "AT+CPIN=\"4711\"\r",
            "AT+CLCK=\"SC\",0,\"4711\"\r",
            "AT+CPWD=\"SC\",\"4711\",\"90210\"\r",
            "AT+CPIN=\"90210555\",\"4711\"\r",
        ];
        assert_eq!(written, expected);
        for (_, shown) in told {
            assert!(
                shown.contains("****") && shown.contains("Cme(16)"),
                "{shown}"
            );
            for octets in ["4711", "90210", "52, 55, 49, 49", "57, 48, 50, 49, 48"] {
                assert!(!shown.contains(octets), "{octets} in {shown}");
            }
        }
    }
}

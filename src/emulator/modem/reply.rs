//! What a command comes to: done, a text, a prompt or a fault, and how each is worded.

use std::time::Duration;

use serde::Deserialize;

use super::command_line::Form;
use super::exchange::Part;
use super::prompt::Draft;

/// Why a command was not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(in crate::emulator) enum Fault {
    /// `ERROR`: not understood.
    Plain,
    /// There is no such command; each family has its word for that.
    Unknown,
    /// `+CME ERROR`, TS 27.007, 9.2.
    Equipment(u16),
    /// `+CMS ERROR`, TS 27.005, 3.2.5.
    Message(u16),
}

/// A word that names no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no fault: ERROR, CME and a number, or CMS and a number")]
pub(in crate::emulator) struct BadFault(String);

impl TryFrom<String> for Fault {
    type Error = BadFault;

    fn try_from(word: String) -> Result<Self, BadFault> {
        let fault = match word.split_once(' ') {
            Some(("CME", code)) => code.parse().ok().map(Self::Equipment),
            Some(("CMS", code)) => code.parse().ok().map(Self::Message),
            _ => (word == "ERROR").then_some(Self::Plain),
        };
        fault.ok_or(BadFault(word))
    }
}

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// Done, nothing to say.
    Done,
    /// Information lines, joined by CR LF.
    Text(String),
    /// Information lines, or none, that come so much later.
    After(Duration, String),
    /// Information lines after which no final result comes.
    Last(String),
    /// Waits for a payload.
    Prompt(Draft),
    /// A part from the storage for the air.
    Send(Part),
}

/// "Incorrect parameters" (TS 27.007, 9.2.1).
pub(super) const BAD_PARAMETERS: Fault = Fault::Equipment(50);
/// "Operation not allowed" (TS 27.007, 9.2.1).
pub(super) const NOT_ALLOWED: Fault = Fault::Equipment(3);
/// "Operation not supported" (TS 27.005, 3.2.5).
pub(super) const NOT_SUPPORTED: Fault = Fault::Message(303);

/// The final result code of a fault, by the detail that `+CMEE` asks for; `unknown` is the word for
/// an unknown command, where the family has one.
///
/// `+CMS ERROR` does not depend on the detail but for the words (TS 27.005, 3.2.5).
pub(super) fn fault_text(fault: Fault, detail: u8, unknown: &str) -> String {
    let (name, code, table) = match fault {
        Fault::Plain => return "ERROR".into(),
        Fault::Unknown if !unknown.is_empty() => return unknown.into(),
        Fault::Unknown | Fault::Equipment(_) if detail == 0 => return "ERROR".into(),
        // "Operation not supported".
        Fault::Unknown => ("CME", 4, EQUIPMENT_WORDS),
        Fault::Equipment(code) => ("CME", code, EQUIPMENT_WORDS),
        Fault::Message(code) => ("CMS", code, MESSAGE_WORDS),
    };
    match words(table, code).filter(|_| detail == 2) {
        Some(words) => format!("+{name} ERROR: {words}"),
        None => format!("+{name} ERROR: {code}"),
    }
}

/// Words of the `+CME ERROR` numbers used here (TS 27.007, 9.2).
const EQUIPMENT_WORDS: &[(u16, &str)] = &[
    (3, "operation not allowed"),
    (4, "operation not supported"),
    (10, "SIM not inserted"),
    (11, "SIM PIN required"),
    (12, "SIM PUK required"),
    (13, "SIM failure"),
    (14, "SIM busy"),
    (16, "incorrect password"),
    (30, "no network service"),
    (32, "network not allowed - emergency calls only"),
    (50, "Incorrect parameters"),
];

/// Words of the `+CMS ERROR` numbers used here (TS 24.011, E.2; TS 27.005, 3.2.5).
const MESSAGE_WORDS: &[(u16, &str)] = &[
    (1, "Unassigned (unallocated) number"),
    (30, "Unknown subscriber"),
    (38, "Network out of order"),
    (42, "Congestion"),
    (96, "Invalid mandatory information"),
    (195, "Invalid SME-address"),
    (196, "Destination SME barred"),
    (302, "operation not allowed"),
    (303, "operation not supported"),
    (304, "invalid PDU mode parameter"),
    (305, "invalid text mode parameter"),
    (310, "SIM not inserted"),
    (311, "SIM PIN required"),
    (313, "SIM failure"),
    (314, "SIM busy"),
    (316, "SIM PUK required"),
    (321, "invalid memory index"),
    (322, "memory full"),
    (330, "SMSC address unknown"),
    (331, "no network service"),
    (340, "no +CNMA acknowledgement expected"),
    (500, "unknown error"),
];

fn words(table: &[(u16, &'static str)], code: u16) -> Option<&'static str> {
    let (_, words) = table.iter().find(|(number, _)| *number == code)?;
    Some(words)
}

/// A text that only asking gives.
pub(super) fn fixed(form: Form, answer: &str) -> Result<Reply, Fault> {
    match form {
        Form::Execute | Form::Read => text(answer.into()),
        Form::Test => Ok(Reply::Done),
        Form::Set(_) => Err(BAD_PARAMETERS),
    }
}

/// Information lines as an answer.
#[expect(
    clippy::unnecessary_wraps,
    reason = "the answers of the tables end in it"
)]
pub(super) fn text(answer: String) -> Result<Reply, Fault> {
    Ok(Reply::Text(answer))
}

/// One setting that takes the numbers from 0 to `max`: read, test and set forms.
pub(super) fn setting(form: Form, name: &str, max: u8, place: &mut u8) -> Result<Reply, Fault> {
    match form {
        Form::Read => text(format!("{name}: {place}")),
        Form::Test => text(format!("{name}: (0-{max})")),
        Form::Set(_) | Form::Execute => {
            let value = match form.numbers().as_deref() {
                Some([]) => 0,
                Some([value]) if *value <= max => *value,
                _ => return Err(BAD_PARAMETERS),
            };
            *place = value;
            Ok(Reply::Done)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_worded_as_cmee_asks() {
        const CASES: &[(Fault, [&str; 3])] = &[
            (Fault::Plain, ["ERROR", "ERROR", "ERROR"]),
            (
                Fault::Unknown,
                [
                    "ERROR",
                    "+CME ERROR: 4",
                    "+CME ERROR: operation not supported",
                ],
            ),
            (
                Fault::Equipment(50),
                [
                    "ERROR",
                    "+CME ERROR: 50",
                    "+CME ERROR: Incorrect parameters",
                ],
            ),
            (
                Fault::Message(42),
                ["+CMS ERROR: 42", "+CMS ERROR: 42", "+CMS ERROR: Congestion"],
            ),
            (
                Fault::Message(999),
                ["+CMS ERROR: 999", "+CMS ERROR: 999", "+CMS ERROR: 999"],
            ),
        ];
        for (fault, texts) in CASES {
            for (detail, text) in (0..).zip(texts) {
                assert_eq!(fault_text(*fault, detail, ""), *text);
            }
        }
        assert_eq!(fault_text(Fault::Unknown, 1, "NO"), "NO");
    }

    #[test]
    fn faults_have_names_in_data() {
        const CASES: &[(&str, Option<Fault>)] = &[
            ("ERROR", Some(Fault::Plain)),
            ("CME 14", Some(Fault::Equipment(14))),
            ("CMS 303", Some(Fault::Message(303))),
            ("CMS", None),
            ("CME x", None),
            ("BUSY", None),
        ];
        for (word, fault) in CASES {
            assert_eq!(Fault::try_from((*word).to_owned()).ok(), *fault, "{word}");
        }
    }
}

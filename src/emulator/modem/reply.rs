//! What a command comes to: done, a text, a prompt or a fault, and how each is worded.

use super::command_line::Form;

/// Why a command was not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// `ERROR`: not understood.
    Plain,
    /// `+CME ERROR`, TS 27.007, 9.2.
    Equipment(u16),
    /// `+CMS ERROR`, TS 27.005, 3.2.5.
    Message(u16),
}

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    /// Done, nothing to say.
    Done,
    /// Information lines, joined by CR LF.
    Text(String),
    /// Waits for a payload of this many TPDU octets.
    Prompt(usize),
}

/// "Incorrect parameters" (TS 27.007, 9.2.1).
pub(super) const BAD_PARAMETERS: Fault = Fault::Equipment(50);

/// The final result code of a fault, by the detail that `+CMEE` asks for.
///
/// `+CMS ERROR` does not depend on it but for the words (TS 27.005, 3.2.5).
pub(super) fn fault_text(fault: Fault, detail: u8) -> String {
    match (fault, detail) {
        (Fault::Plain, _) | (Fault::Equipment(_), 0) => "ERROR".into(),
        (Fault::Equipment(code), 2) => match words(EQUIPMENT_WORDS, code) {
            Some(words) => format!("+CME ERROR: {words}"),
            None => format!("+CME ERROR: {code}"),
        },
        (Fault::Equipment(code), _) => format!("+CME ERROR: {code}"),
        (Fault::Message(code), 2) => match words(MESSAGE_WORDS, code) {
            Some(words) => format!("+CMS ERROR: {words}"),
            None => format!("+CMS ERROR: {code}"),
        },
        (Fault::Message(code), _) => format!("+CMS ERROR: {code}"),
    }
}

/// Words of the `+CME ERROR` numbers used here (TS 27.007, 9.2).
const EQUIPMENT_WORDS: &[(u16, &str)] = &[
    (3, "operation not allowed"),
    (4, "operation not supported"),
    (50, "Incorrect parameters"),
];

/// Words of the `+CMS ERROR` numbers used here (TS 24.011, E.2; TS 27.005, 3.2.5).
const MESSAGE_WORDS: &[(u16, &str)] = &[
    (1, "Unassigned (unallocated) number"),
    (30, "Unknown subscriber"),
    (42, "Congestion"),
    (96, "Invalid mandatory information"),
    (195, "Invalid SME-address"),
    (196, "Destination SME barred"),
    (302, "operation not allowed"),
    (303, "operation not supported"),
    (304, "invalid PDU mode parameter"),
    (321, "invalid memory index"),
    (331, "no network service"),
    (340, "no +CNMA acknowledgement expected"),
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

//! What lies in the storages: `+CPMS`, `+CMGR`, `+CMGL`, `+CMGD`.
//!
//! Source: TS 27.005, 3.2.3, 3.4.2, 3.4.3 and 3.5.4; in PDU mode 4.1 and 4.2.

use std::time::Instant;

use super::Answer;
use crate::emulator::modem::Modem;
use crate::emulator::modem::command_line::Form;
use crate::emulator::modem::reply::{Fault, NOT_SUPPORTED, Reply, text};
use crate::emulator::modem::storage::{Memory, Status, Stored};
use crate::emulator::modem::text::{Detail, fields};

pub(super) const TABLE: &[(&str, Answer)] = &[
    ("+CPMS", storages),
    ("+CMGR", read),
    ("+CMGL", list),
    ("+CMGD", delete),
];

/// "Invalid memory index" (TS 27.005, 3.2.5).
pub(super) const BAD_INDEX: Fault = Fault::Message(321);

/// In the order of `+CPMS`.
const MEMORIES: [Memory; 3] = [Memory::Reading, Memory::Writing, Memory::Receiving];

fn storages(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    let lists = modem.manners.storage_lists;
    match form {
        Form::Read => {
            let shown = MEMORIES.iter().take(lists).map(|memory| {
                let (used, all) = modem.storage.count(*memory);
                format!("\"{}\",{used},{all}", modem.storage.name(*memory))
            });
            text(format!("+CPMS: {}", shown.collect::<Vec<_>>().join(",")))
        }
        Form::Test => {
            let names: Vec<&str> = modem.storage.names().collect();
            let list = format!("(\"{}\")", names.join("\",\""));
            text(format!("+CPMS: {}", vec![list; lists].join(",")))
        }
        Form::Set(_) => {
            let values = form.values();
            let names: Vec<&str> = values.iter().map(|name| name.trim_matches('"')).collect();
            let known = names.iter().all(|name| modem.storage.has(name));
            if !known || names.len() > lists {
                return Err(NOT_SUPPORTED);
            }
            for (memory, name) in MEMORIES.iter().zip(names) {
                modem.storage.choose(*memory, name);
            }
            let counts = MEMORIES.iter().take(lists).map(|memory| {
                let (used, all) = modem.storage.count(*memory);
                format!("{used},{all}")
            });
            text(format!("+CPMS: {}", counts.collect::<Vec<_>>().join(",")))
        }
        Form::Execute => Err(NOT_SUPPORTED),
    }
}

/// `<stat>` in the mode that is set.
fn status(modem: &Modem, status: Status) -> String {
    if modem.setup.text_mode == 1 {
        format!("\"{}\"", status.words())
    } else {
        status.number().to_string()
    }
}

/// The rest of a line about a stored message, and the line below it.
fn shown(modem: &Modem, stored: &Stored, full: Detail) -> String {
    let status = status(modem, stored.status);
    let Stored { hex, length, .. } = stored;
    if modem.setup.text_mode == 0 {
        return format!("{status},,{length}\r\n{hex}");
    }
    let detail = match modem.setup.full_headers {
        0 => Detail::Brief,
        _ => full,
    };
    match fields(hex, modem.setup.charset, detail) {
        Some((fields, Some(body))) => format!("{status},{fields}\r\n{body}"),
        Some((fields, None)) => format!("{status},{fields}"),
        // Nobody can read it; its place is shown all the same.
        None => format!("{status},\"\",,\"\"\r\n"),
    }
}

fn read(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    let number = match form {
        Form::Test => return Ok(Reply::Done),
        Form::Set(number) => number.parse().map_err(|_| BAD_INDEX)?,
        Form::Read | Form::Execute => return Err(Fault::Plain),
    };
    let slot = modem.storage.slot(Memory::Reading, number);
    let slot = slot.ok_or(BAD_INDEX)?;
    let Some(stored) = slot else {
        return modem.manners.empty_slot.map_or(Ok(Reply::Done), Err);
    };
    let before = stored.clone();
    mark_read(stored);
    text(format!("+CMGR: {}", shown(modem, &before, Detail::Full)))
}

fn mark_read(stored: &mut Stored) {
    if stored.status == Status::Unread {
        stored.status = Status::Read;
    }
}

fn list(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    let in_words = modem.setup.text_mode == 1;
    let wanted = match form {
        Form::Test if in_words => {
            let words = Status::ALL.map(Status::words).join("\",\"");
            return text(format!("+CMGL: (\"{words}\",\"ALL\")"));
        }
        Form::Test => return text("+CMGL: (0-4)".into()),
        Form::Execute => Some(Status::Unread),
        Form::Set("4") if !in_words => None,
        Form::Set("\"ALL\"") if in_words => None,
        Form::Set(value) => {
            let named = |status: &Status| {
                if in_words {
                    value.trim_matches('"') == status.words()
                } else {
                    value == status.number().to_string()
                }
            };
            let status = Status::ALL.into_iter().find(named);
            Some(status.ok_or(NOT_SUPPORTED)?)
        }
        Form::Read => return Err(NOT_SUPPORTED),
    };
    let mut lines = Vec::new();
    for number in modem.storage.filled(Memory::Reading) {
        let Some(Some(stored)) = modem.storage.slot(Memory::Reading, number) else {
            continue;
        };
        if wanted.is_none_or(|wanted| stored.status == wanted) {
            let before = stored.clone();
            mark_read(stored);
            let rest = shown(modem, &before, Detail::Listed);
            lines.push(format!("+CMGL: {number},{rest}"));
        }
    }
    if lines.is_empty() {
        return Ok(Reply::Done);
    }
    text(lines.join("\r\n"))
}

fn delete(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    let filled = modem.storage.filled(Memory::Reading);
    if form == Form::Test {
        let filled: Vec<String> = filled.iter().map(usize::to_string).collect();
        return text(format!("+CMGD: ({}),(0-4)", filled.join(",")));
    }
    let values = form.values();
    let number = values.first().and_then(|number| number.parse().ok());
    let number: usize = number.ok_or(BAD_INDEX)?;
    let goes: &[Status] = match values.get(1).copied() {
        None | Some("0") => {
            // Deleting an empty slot is no error (TS 27.005, 3.5.4).
            let slot = modem.storage.slot(Memory::Reading, number);
            *slot.ok_or(BAD_INDEX)? = None;
            return Ok(Reply::Done);
        }
        Some("1") => &[Status::Read],
        Some("2") => &[Status::Read, Status::Sent],
        Some("3") => &[Status::Read, Status::Sent, Status::Unsent],
        Some("4") => &Status::ALL,
        Some(_) => return Err(NOT_SUPPORTED),
    };
    for number in filled {
        if let Some(slot) = modem.storage.slot(Memory::Reading, number) {
            slot.take_if(|stored| goes.contains(&stored.status));
        }
    }
    Ok(Reply::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::modem::{Arrival, Kind};

    const MESSAGE: &str = "0791447700099099040C9144770009406500006230414003000A0453EA130A";
    const REPORT: &str = "079144770009909906170C91447700091032623041015123006230410151730000";

    fn deliver(modem: &mut Modem, kind: Kind) {
        let hex = if kind == Kind::Message {
            MESSAGE
        } else {
            REPORT
        };
        let arrival = Arrival {
            kind,
            hex: hex.into(),
            length: 23,
        };
        modem.arrive(arrival, tokio::time::Instant::now().into_std());
        modem.poll();
    }

    fn with_messages(count: usize) -> Modem {
        let mut modem = Modem::ready("");
        for _ in 0..count {
            deliver(&mut modem, Kind::Message);
        }
        modem
    }

    #[test]
    fn each_command_has_its_answer() {
        const CASES: &[(&str, &str)] = &[
            ("+CPMS?", "+CPMS: \"SM\",0,2,\"SM\",0,2,\"SM\",0,2"),
            (
                "+CPMS=?",
                "+CPMS: (\"SM\",\"ME\",\"SR\"),(\"SM\",\"ME\",\"SR\"),(\"SM\",\"ME\",\"SR\")",
            ),
            ("+CPMS=\"SM\"", "+CPMS: 0,2,0,2,0,2"),
            ("+CPMS=\"ME\",\"SM\"", "+CPMS: 0,50,0,2,0,2"),
            ("+CPMS?", "+CPMS: \"ME\",0,50,\"SM\",0,2,\"SM\",0,2"),
            ("+CPMS=\"SM\",\"BM\"", "+CMS ERROR: 303"),
            ("+CPMS=\"SM\"", "+CPMS: 0,2,0,2,0,2"),
            ("+CMGR=0", "+CMS ERROR: 321"),
            ("+CMGR=1", "+CMS ERROR: 321"),
            ("+CMGR=3", "+CMS ERROR: 321"),
            ("+CMGD=3", "+CMS ERROR: 321"),
            ("+CMGD=1", ""),
            ("+CMGD=1,5", "+CMS ERROR: 303"),
            ("+CMGD=?", "+CMGD: (),(0-4)"),
            ("+CMGL=4", ""),
            ("+CMGL=5", "+CMS ERROR: 303"),
            ("+CMGL=\"ALL\"", "+CMS ERROR: 303"),
            (
                "+CMGF=1;+CMGL=?",
                "+CMGL: (\"REC UNREAD\",\"REC READ\",\"STO UNSENT\",\"STO SENT\",\"ALL\")",
            ),
            ("+CMGL=4", "+CMS ERROR: 303"),
        ];
        let mut modem = Modem::ready("");
        for (command, answer) in CASES {
            assert_eq!(modem.ask(command), *answer, "{command}");
        }
    }

    #[test]
    fn reading_marks_as_read() {
        let mut modem = with_messages(2);
        assert_eq!(modem.ask("+CMGR=2"), format!("+CMGR: 0,,23\r\n{MESSAGE}"));
        assert_eq!(modem.ask("+CMGR=2"), format!("+CMGR: 1,,23\r\n{MESSAGE}"));
        assert_eq!(
            modem.ask("+CMGL=4"),
            format!("+CMGL: 1,0,,23\r\n{MESSAGE}\r\n+CMGL: 2,1,,23\r\n{MESSAGE}")
        );
        assert_eq!(modem.ask("+CMGL"), "");
        assert_eq!(modem.ask("+CMGL=1").matches("+CMGL").count(), 2);
        assert_eq!(modem.ask("+CMGL=2"), "");
    }

    #[test]
    fn text_mode_shows_words() {
        let mut modem = with_messages(1);
        modem.ask("+CMGF=1;+CNMI=2,1,0,2,0");
        let brief = "\"+447700900456\",,\"26/03/14,04:30:00-20\"";
        let report =
            "6,23,\"+447700900123\",145,\"26/03/14,10:15:32+00\",\"26/03/14,10:15:37+00\",0";
        assert_eq!(
            modem.ask("+CMGL=\"REC UNREAD\""),
            format!("+CMGL: 1,\"REC UNREAD\",{brief}\r\nSTOP")
        );
        assert_eq!(
            modem.ask("+CSDH=1;+CMGR=1"),
            format!("+CMGR: \"REC READ\",{brief},145,4,0,0,\"+447700900999\",145,4\r\nSTOP")
        );
        assert_eq!(
            modem.ask("+CMGL=\"ALL\""),
            format!("+CMGL: 1,\"REC READ\",{brief},145,4\r\nSTOP")
        );
        deliver(&mut modem, Kind::Report);
        assert_eq!(
            modem.ask("+CMGR=2"),
            format!("+CMGR: \"REC UNREAD\",{report}")
        );
    }

    #[test]
    fn deletion_takes_one_the_read_ones_or_all() {
        const CASES: &[(&str, &str)] = &[
            ("+CMGD=2", "+CMGD: (1),(0-4)"),
            ("+CMGD=1,0", "+CMGD: (2),(0-4)"),
            ("+CMGD=1,1", "+CMGD: (2),(0-4)"),
            ("+CMGD=1,3", "+CMGD: (2),(0-4)"),
            ("+CMGD=1,4", "+CMGD: (),(0-4)"),
        ];
        for (command, left) in CASES {
            let mut modem = with_messages(2);
            modem.ask("+CMGR=1");
            assert_eq!(modem.ask(command), "", "{command}");
            assert_eq!(modem.ask("+CMGD=?"), *left, "{command}");
        }
    }

    #[test]
    fn families_store_differently() {
        // Family | its `+CPMS?` | reading an empty slot | where the first report goes.
        const CASES: &[(&str, &str, &str, &str)] = &[
            (
                "huawei",
                "+CPMS: \"SM\",0,2,\"SM\",0,2,\"SM\",0,2",
                "+CMS ERROR: 500",
                "+CDSI: \"SM\",0",
            ),
            (
                "wavecom",
                "+CPMS: \"SM\",0,2,\"SM\",0,2",
                "+CMS ERROR: 321",
                "+CDSI: \"SR\",1",
            ),
            (
                "quectel",
                "+CPMS: \"ME\",0,255,\"ME\",0,255,\"ME\",0,255",
                "",
                "+CDSI: \"ME\",0",
            ),
            (
                "cinterion",
                "+CPMS: \"MT\",0,27,\"MT\",0,27,\"MT\",0,27",
                "",
                "+CDSI: \"MT\",1",
            ),
        ];
        for (family, chosen, empty, report) in CASES {
            let mut modem = Modem::of_family_ready(family, "");
            assert_eq!(modem.ask("+CPMS?"), *chosen, "{family}");
            assert_eq!(modem.ask("+CMGR=1"), *empty, "{family}");
            modem.setup.routing = [2, 1, 0, 2, 0];
            let arrival = Arrival {
                kind: Kind::Report,
                hex: REPORT.into(),
                length: 25,
            };
            modem.arrive(arrival, tokio::time::Instant::now().into_std());
            assert_eq!(modem.ask(""), *report, "{family}");
        }
        let mut old = Modem::of_family_ready("wavecom", "");
        assert_eq!(old.ask("+CPMS=\"SM\",\"SM\",\"SR\""), "ERROR");
        assert_eq!(old.ask("+CPMS=\"SM\",\"SM\""), "+CPMS: 0,2,0,2");
        assert_eq!(
            old.ask("+CPMS=?"),
            "+CPMS: ((\"SM\",\"BM\",\"SR\"),(\"SM\"))"
        );
    }
}

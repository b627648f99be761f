//! The commands of TS 27.005 in PDU mode.

use std::time::{Duration, Instant};

use super::command_line::{Call, Form};
use super::reply::{Fault, Reply, setting, text};
use super::storage::{Arrival, Stored};
use super::{Modem, routes};

type Answer = fn(&mut Modem, Form) -> Result<Reply, Fault>;

/// `+CMS ERROR` numbers (TS 27.005, 3.2.5).
const NOT_SUPPORTED: Fault = Fault::Message(303);
const BAD_PDU: Fault = Fault::Message(304);
const BAD_INDEX: Fault = Fault::Message(321);
const NO_SERVICE: Fault = Fault::Message(331);
const NOTHING_TO_ACKNOWLEDGE: Fault = Fault::Message(340);

/// How long `+CMMS` keeps the link open for the next part.
const LINK_KEPT: Duration = Duration::from_secs(5);
/// Octets of a TPDU that `+CMGS` takes.
const TPDU_OCTETS: std::ops::RangeInclusive<usize> = 7..=164;

const TABLE: &[(&str, Answer)] = &[
    ("+CMGF", |_, form| match form {
        Form::Read => text("+CMGF: 0".into()),
        Form::Test => text("+CMGF: (0)".into()),
        Form::Execute | Form::Set("0") => Ok(Reply::Done),
        // Text mode is not built.
        Form::Set(_) => Err(NOT_SUPPORTED),
    }),
    ("+CSMS", service),
    ("+CPMS", storages),
    ("+CNMI", routing),
    ("+CSCA", service_centre),
    ("+CMGS", prompt),
    ("+CMGR", read),
    ("+CMGD", delete),
    ("+CMGL", list),
    ("+CNMA", acknowledge),
];

/// The answer to `call`, or `None` when it is not in this table.
pub(super) fn answer(modem: &mut Modem, call: &Call, now: Instant) -> Option<Result<Reply, Fault>> {
    if call.name == "+CMMS" {
        close_link(modem, now);
        return Some(setting(call.form, "+CMMS", 2, &mut modem.setup.keep_link));
    }
    let (_, answer) = TABLE.iter().find(|(name, _)| *name == call.name)?;
    let reply = answer(modem, call.form);
    // A command may have made room, acknowledged or opened a route.
    routes::route_waiting(modem, now);
    Some(reply)
}

fn acknowledge(modem: &mut Modem, form: Form) -> Result<Reply, Fault> {
    match form {
        Form::Test => text("+CNMA: (0-2)".into()),
        Form::Execute | Form::Set("0" | "1") => modem
            .unacknowledged
            .take()
            .map(|_| Reply::Done)
            .ok_or(NOTHING_TO_ACKNOWLEDGE),
        _ => Err(NOT_SUPPORTED),
    }
}

fn service(modem: &mut Modem, form: Form) -> Result<Reply, Fault> {
    modem.setup.service = match form {
        Form::Read => return text(format!("+CSMS: {},1,1,1", modem.setup.service)),
        Form::Test => return text("+CSMS: (0,1)".into()),
        Form::Set("0") => 0,
        Form::Set("1") => 1,
        _ => return Err(NOT_SUPPORTED),
    };
    text("+CSMS: 1,1,1".into())
}

fn storages(modem: &mut Modem, form: Form) -> Result<Reply, Fault> {
    let (used, all) = (modem.storage.used(), modem.storage.capacity());
    match form {
        Form::Read => text(format!(
            "+CPMS: \"SM\",{used},{all},\"SM\",{used},{all},\"SM\",{used},{all}"
        )),
        Form::Test => text("+CPMS: (\"SM\"),(\"SM\"),(\"SM\")".into()),
        Form::Set(_) if form.values().iter().all(|name| *name == "\"SM\"") => {
            text(format!("+CPMS: {used},{all},{used},{all},{used},{all}"))
        }
        Form::Set(_) | Form::Execute => Err(NOT_SUPPORTED),
    }
}

fn routing(modem: &mut Modem, form: Form) -> Result<Reply, Fault> {
    const HIGHEST: [u8; 5] = [2, 2, 0, 2, 1];
    match form {
        Form::Read => {
            let [mode, mt, bm, ds, bfr] = modem.setup.routing;
            text(format!("+CNMI: {mode},{mt},{bm},{ds},{bfr}"))
        }
        Form::Test => text("+CNMI: (0-2),(0-2),(0),(0-2),(0,1)".into()),
        Form::Set(_) | Form::Execute => {
            let given = form.numbers().ok_or(NOT_SUPPORTED)?;
            if given.len() > HIGHEST.len() || given.iter().zip(HIGHEST).any(|(v, max)| *v > max) {
                return Err(NOT_SUPPORTED);
            }
            // What is left out at the end becomes 0, as after power-on.
            let mut routing = [0; 5];
            for (place, value) in routing.iter_mut().zip(given) {
                *place = value;
            }
            modem.setup.routing = routing;
            let [mode, .., bfr] = routing;
            if mode > 0 && bfr == 1 {
                modem.forget_held();
            }
            Ok(Reply::Done)
        }
    }
}

fn service_centre(modem: &mut Modem, form: Form) -> Result<Reply, Fault> {
    match form {
        Form::Read => text(format!("+CSCA: \"{}\",145", modem.service_centre)),
        Form::Test => Ok(Reply::Done),
        Form::Set(_) | Form::Execute => {
            let values = form.values();
            let number = values.first().map(|quoted| quoted.trim_matches('"'));
            let number = number.filter(|number| {
                let digits = number.strip_prefix('+').unwrap_or(number);
                (3..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
            });
            modem.service_centre = number.ok_or(Fault::Message(304))?.into();
            Ok(Reply::Done)
        }
    }
}

fn prompt(modem: &mut Modem, form: Form) -> Result<Reply, Fault> {
    match form {
        Form::Test => Ok(Reply::Done),
        Form::Set(length) => {
            if !modem.registered() {
                return Err(NO_SERVICE);
            }
            match length.parse() {
                Ok(length) if TPDU_OCTETS.contains(&length) => Ok(Reply::Prompt(length)),
                _ => Err(BAD_PDU),
            }
        }
        Form::Read | Form::Execute => Err(Fault::Plain),
    }
}

/// Checks the payload of a prompt: the hex as it was sent, and the TPDU in it.
///
/// Errors: `+CMS ERROR: 304` when it is no hex, has not `length` octets behind the service
/// centre's address, or is no SMS-SUBMIT.
pub(super) fn tpdu(payload: &[u8], length: usize) -> Result<(String, Vec<u8>), Fault> {
    let hex = String::from_utf8_lossy(payload).into_owned();
    let octets = crate::sms::pdu::decode_hex(&hex).map_err(|_| BAD_PDU)?;
    let (_, tpdu) = crate::sms::pdu::split_smsc(&octets).map_err(|_| BAD_PDU)?;
    // TP-MTI 01 (TS 23.040, 9.2.3.1).
    if tpdu.len() != length || tpdu.first().is_none_or(|first| first & 0x03 != 0x01) {
        return Err(BAD_PDU);
    }
    let tpdu = tpdu.to_vec();
    Ok((hex, tpdu))
}

/// How long the next part is on the air: half as long when the link of the last one is still open.
pub(super) fn time_on_air(modem: &mut Modem, now: Instant) -> Duration {
    close_link(modem, now);
    match modem.link_until {
        Some(_) => modem.nature.radio / 2,
        None => modem.nature.radio,
    }
}

/// Keeps the link open after a part, when `+CMMS` asks for it.
pub(super) fn hold_link(modem: &mut Modem, now: Instant) {
    modem.link_until = (modem.setup.keep_link > 0).then(|| now + LINK_KEPT);
}

/// Mode 1 of `+CMMS` falls back to 0 when the link closes (TS 27.005, 3.5.6).
fn close_link(modem: &mut Modem, now: Instant) {
    if modem.link_until.take_if(|until| *until <= now).is_some() && modem.setup.keep_link == 1 {
        modem.setup.keep_link = 0;
    }
}

fn read(modem: &mut Modem, form: Form) -> Result<Reply, Fault> {
    let number = match form {
        Form::Test => return Ok(Reply::Done),
        Form::Set(number) => number.parse().map_err(|_| BAD_INDEX)?,
        Form::Read | Form::Execute => return Err(Fault::Plain),
    };
    let slot = modem.storage.slot(number).ok_or(BAD_INDEX)?;
    let stored = slot.as_mut().ok_or(BAD_INDEX)?;
    let answer = format!(
        "+CMGR: {},,{}\r\n{}",
        stored.status(),
        stored.arrival.length,
        stored.arrival.hex
    );
    stored.read = true;
    text(answer)
}

fn list(modem: &mut Modem, form: Form) -> Result<Reply, Fault> {
    let wanted: fn(&Stored) -> bool = match form {
        Form::Test => return text("+CMGL: (0-4)".into()),
        Form::Execute | Form::Set("0") => |stored| !stored.read,
        Form::Set("1") => |stored| stored.read,
        // Texts stored to be sent: there are none.
        Form::Set("2" | "3") => |_| false,
        Form::Set("4") => |_| true,
        Form::Read | Form::Set(_) => return Err(NOT_SUPPORTED),
    };
    let mut lines = Vec::new();
    for (number, stored) in modem.storage.filled() {
        if wanted(stored) {
            let Arrival { length, hex, .. } = &stored.arrival;
            lines.push(format!(
                "+CMGL: {number},{},,{length}\r\n{hex}",
                stored.status()
            ));
            stored.read = true;
        }
    }
    if lines.is_empty() {
        return Ok(Reply::Done);
    }
    text(lines.join("\r\n"))
}

fn delete(modem: &mut Modem, form: Form) -> Result<Reply, Fault> {
    if form == Form::Test {
        let filled: Vec<String> = modem.storage.filled().map(|(n, _)| n.to_string()).collect();
        return text(format!("+CMGD: ({}),(0-4)", filled.join(",")));
    }
    let values = form.values();
    let number = values.first().and_then(|number| number.parse().ok());
    let number: usize = number.ok_or(BAD_INDEX)?;
    match values.get(1).copied() {
        None | Some("0") => {
            // Deleting an empty slot is no error (TS 27.005, 3.5.4).
            *modem.storage.slot(number).ok_or(BAD_INDEX)? = None;
        }
        // All that were read; there are no sent ones that 2 and 3 would add.
        Some("1" | "2" | "3") => modem.storage.delete_where(|stored| stored.read),
        Some("4") => modem.storage.delete_where(|_| true),
        Some(_) => return Err(NOT_SUPPORTED),
    }
    Ok(Reply::Done)
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    const MESSAGE: &str = "0791447700099099040C9144770009406500006230414003000A0453EA130A";

    fn with_messages(count: usize) -> Modem {
        let mut modem = Modem::ready("");
        for _ in 0..count {
            let arrival = Arrival {
                kind: Kind::Message,
                hex: MESSAGE.into(),
                length: 23,
            };
            modem.arrive(arrival, tokio::time::Instant::now().into_std());
        }
        modem
    }

    #[test]
    fn each_command_has_its_answer() {
        const CASES: &[(&str, &str)] = &[
            ("+CMGF?", "+CMGF: 0"),
            ("+CMGF=?", "+CMGF: (0)"),
            ("+CMGF=1", "+CMS ERROR: 303"),
            ("+CSMS?", "+CSMS: 0,1,1,1"),
            ("+CSMS=1", "+CSMS: 1,1,1"),
            ("+CSMS=128", "+CMS ERROR: 303"),
            ("+CPMS?", "+CPMS: \"SM\",0,2,\"SM\",0,2,\"SM\",0,2"),
            ("+CPMS=?", "+CPMS: (\"SM\"),(\"SM\"),(\"SM\")"),
            ("+CPMS=\"SM\"", "+CPMS: 0,2,0,2,0,2"),
            ("+CPMS=\"ME\",\"SM\"", "+CMS ERROR: 303"),
            ("+CNMI=?", "+CNMI: (0-2),(0-2),(0),(0-2),(0,1)"),
            ("+CNMI=2,1;+CNMI?", "+CNMI: 2,1,0,0,0"),
            ("+CNMI=3", "+CMS ERROR: 303"),
            ("+CNMI=2,1,0,1,0,0", "+CMS ERROR: 303"),
            ("+CNMI=2,,0", "+CMS ERROR: 303"),
            ("+CSCA?", "+CSCA: \"+447700900999\",145"),
            (
                "+CSCA=\"+447700900998\",145;+CSCA?",
                "+CSCA: \"+447700900998\",145",
            ),
            ("+CSCA=\"+44 77\"", "+CMS ERROR: 304"),
            ("+CMMS=?", "+CMMS: (0-2)"),
            ("+CMGR=0", "+CMS ERROR: 321"),
            ("+CMGR=3", "+CMS ERROR: 321"),
            ("+CMGD=3", "+CMS ERROR: 321"),
            ("+CMGD=1", ""),
            ("+CMGD=1,5", "+CMS ERROR: 303"),
            ("+CMGD=?", "+CMGD: (),(0-4)"),
            ("+CMGL=4", ""),
            ("+CMGL=5", "+CMS ERROR: 303"),
            ("+CMGL=\"ALL\"", "+CMS ERROR: 303"),
            ("+CNMA=2", "+CMS ERROR: 303"),
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
    fn the_payload_may_name_a_service_centre() {
        let hex = "079144770009909911000C914477000910320000A702C834";
        let (kept, octets) = tpdu(hex.as_bytes(), 16).unwrap();
        assert_eq!((kept.as_str(), octets.len()), (hex, 16));
        assert_eq!(tpdu(hex.as_bytes(), 24), Err(BAD_PDU));
        // A report is nothing to send.
        assert_eq!(tpdu(b"00020102030405060708", 9), Err(BAD_PDU));
    }
}

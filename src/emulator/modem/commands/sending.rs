//! What goes to the network or is kept for it: `+CMGS`, `+CMGW`, `+CMSS`, and what they depend on.
//!
//! Source: TS 27.005, 3.1, 3.2.2, 3.3 and 3.5; in PDU mode 4.3 and 4.4.

use std::time::{Duration, Instant};

use super::Answer;
use super::storages::BAD_INDEX;
use crate::emulator::identity::SERVICE_CENTRE;
use crate::emulator::modem::command_line::Form;
use crate::emulator::modem::prompt::{Draft, InHand, Purpose, Shape};
use crate::emulator::modem::reply::{Fault, NOT_SUPPORTED, Reply, setting, text};
use crate::emulator::modem::storage::{Memory, Status, Stored};
use crate::emulator::modem::text::{address, compose as compose_text};
use crate::emulator::modem::{Modem, Part};
use crate::sms::pdu;
use crate::sms::submit::Submit;

pub(super) const TABLE: &[(&str, Answer)] = &[
    ("+CMGF", |modem, form, _| {
        setting(form, "+CMGF", 1, &mut modem.setup.text_mode).map_err(|_| NOT_SUPPORTED)
    }),
    ("+CSDH", |modem, form, _| {
        setting(form, "+CSDH", 1, &mut modem.setup.full_headers)
    }),
    ("+CSMP", text_fields),
    ("+CSCA", service_centre),
    ("+CMMS", |modem, form, now| {
        close_link(modem, now);
        setting(form, "+CMMS", 2, &mut modem.setup.keep_link)
    }),
    ("+CMGS", send),
    ("+CMGW", write),
    ("+CMSS", send_stored),
];

/// `+CMS ERROR` numbers (TS 27.005, 3.2.5).
const BAD_PDU: Fault = Fault::Message(304);
const BAD_TEXT: Fault = Fault::Message(305);
const FULL: Fault = Fault::Message(322);
const NO_CENTRE: Fault = Fault::Message(330);
const NO_SERVICE: Fault = Fault::Message(331);

/// How long `+CMMS` keeps the link open for the next part.
const LINK_KEPT: Duration = Duration::from_secs(5);
/// Octets of a TPDU that `+CMGS` takes.
const TPDU_OCTETS: std::ops::RangeInclusive<usize> = 7..=164;

fn text_fields(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    match form {
        Form::Read => {
            let [first, validity, pid, dcs] = modem.setup.text_fields;
            text(format!("+CSMP: {first},{validity},{pid},{dcs}"))
        }
        Form::Test => Ok(Reply::Done),
        Form::Set(_) | Form::Execute => {
            let values = form.values();
            if values.len() > 4 {
                return Err(NOT_SUPPORTED);
            }
            let mut fields = modem.setup.text_fields;
            for (place, value) in fields.iter_mut().zip(values) {
                // What is left empty stays; an absolute validity is a date, and is not built.
                if !value.is_empty() {
                    *place = value.parse().map_err(|_| NOT_SUPPORTED)?;
                }
            }
            modem.setup.text_fields = fields;
            if modem.manners.csmp_clears_centre {
                modem.service_centre.clear();
            }
            Ok(Reply::Done)
        }
    }
}

fn service_centre(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    match form {
        Form::Read => {
            let number = modem.setup.charset.encode(&modem.service_centre);
            let kind = if modem.service_centre.starts_with('+') {
                145
            } else {
                129
            };
            text(format!("+CSCA: \"{number}\",{kind}"))
        }
        Form::Test => Ok(Reply::Done),
        Form::Set(_) | Form::Execute => {
            let values = form.values();
            let quoted = values.first().copied().unwrap_or_default();
            let kind = values.get(1).copied();
            if quoted == "\"\"" {
                modem.service_centre.clear();
                return Ok(Reply::Done);
            }
            let number = address(quoted, kind, modem.setup.charset).map_err(|_| BAD_PDU)?;
            modem.service_centre = number.to_string();
            Ok(Reply::Done)
        }
    }
}

fn send(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    let Form::Set(length) = form else {
        return match form {
            Form::Test => Ok(Reply::Done),
            _ => Err(Fault::Plain),
        };
    };
    if !modem.registered() {
        return Err(NO_SERVICE);
    }
    let shape = if modem.setup.text_mode == 1 {
        text_shape(modem, form)?
    } else {
        match length.parse() {
            Ok(length) if TPDU_OCTETS.contains(&length) => Shape::Pdu(length),
            _ => return Err(BAD_PDU),
        }
    };
    modem.in_hand = InHand::new("+CMGS");
    Ok(Reply::Prompt(Draft {
        purpose: Purpose::Send,
        shape,
    }))
}

/// `<da>[,<toda>]` in front of a text.
fn text_shape(modem: &Modem, form: Form) -> Result<Shape, Fault> {
    let values = form.values();
    let quoted = values.first().copied().unwrap_or_default();
    let to = address(quoted, values.get(1).copied(), modem.setup.charset)?;
    Ok(Shape::Text(Some(to)))
}

fn write(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    let in_words = modem.setup.text_mode == 1;
    let values = form.values();
    let (shape, status) = match form {
        Form::Test => return Ok(Reply::Done),
        Form::Execute if in_words => (Shape::Text(None), None),
        Form::Set(_) if in_words => (text_shape(modem, form)?, values.get(2)),
        Form::Set(_) => {
            let length = values.first().and_then(|length| length.parse().ok());
            let length = length.filter(|length| TPDU_OCTETS.contains(length));
            (Shape::Pdu(length.ok_or(BAD_PDU)?), values.get(1))
        }
        Form::Execute | Form::Read => return Err(Fault::Plain),
    };
    let fits = |known: &Status, given: &str| {
        given == known.number().to_string() || given.trim_matches('"') == known.words()
    };
    let status = match status {
        None => Status::Unsent,
        Some(given) => {
            let known = Status::ALL.into_iter().find(|known| fits(known, given));
            known.ok_or(BAD_PDU)?
        }
    };
    Ok(Reply::Prompt(Draft {
        purpose: Purpose::Store(status),
        shape,
    }))
}

/// `+CMSS=<index>[,<da>[,<toda>]]`: a stored one goes out, to another number if one is given.
fn send_stored(modem: &mut Modem, form: Form, _: Instant) -> Result<Reply, Fault> {
    if form == Form::Test {
        return Ok(Reply::Done);
    }
    if !modem.registered() {
        return Err(NO_SERVICE);
    }
    let values = form.values();
    let number = values.first().and_then(|number| number.parse().ok());
    let number: usize = number.ok_or(BAD_INDEX)?;
    let slot = modem.storage.slot(Memory::Writing, number);
    let stored = slot.and_then(|slot| slot.clone()).ok_or(BAD_INDEX)?;
    let (mut hex, mut tpdu) = read_pdu(&stored.hex)?;
    if let Some(quoted) = values.get(1) {
        let to = address(quoted, values.get(2).copied(), modem.setup.charset)?;
        let mut submit = Submit::decode(&tpdu).map_err(|_| BAD_PDU)?;
        submit.destination = to;
        (hex, tpdu) = (pdu::for_cmgs(&submit).0, submit.encode());
    }
    let part = modem.part(hex, tpdu)?;
    modem.in_hand = InHand {
        name: "+CMSS",
        slot: Some(number),
    };
    Ok(Reply::Send(part))
}

/// The PDU of a payload: the hex as it was sent, and the TPDU in it.
///
/// Errors: `+CMS ERROR: 304` for a PDU that is no hex or has not the octets announced; 305 for a
/// text that fits into no message.
pub(in crate::emulator::modem) fn compose(
    modem: &Modem,
    shape: &Shape,
    payload: &[u8],
) -> Result<(String, Vec<u8>), Fault> {
    match shape {
        Shape::Pdu(length) => {
            let read = read_pdu(&String::from_utf8_lossy(payload))?;
            let fits = read.1.len() == *length;
            fits.then_some(read).ok_or(BAD_PDU)
        }
        Shape::Text(to) => {
            let submit = compose_text(&modem.setup, to.as_ref(), payload)?;
            Ok((pdu::for_cmgs(&submit).0, submit.encode()))
        }
    }
}

fn read_pdu(hex: &str) -> Result<(String, Vec<u8>), Fault> {
    let octets = pdu::decode_hex(hex).map_err(|_| BAD_PDU)?;
    let (_, tpdu) = pdu::split_smsc(&octets).map_err(|_| BAD_PDU)?;
    Ok((hex.to_owned(), tpdu.to_vec()))
}

/// Keeps a payload; gives its slot. Errors: the storage is full; nothing that can be kept.
pub(in crate::emulator::modem) fn store(
    modem: &mut Modem,
    status: Status,
    (hex, tpdu): (String, Vec<u8>),
) -> Result<usize, Fault> {
    let outgoing = matches!(status, Status::Unsent | Status::Sent);
    // TP-MTI (TS 23.040, 9.2.3.1): 01 goes out, the others come in.
    let submit = tpdu.first().is_some_and(|first| first & 0x03 == 0x01);
    if outgoing != submit {
        return Err(BAD_PDU);
    }
    let length = tpdu.len();
    let stored = Stored {
        hex,
        length,
        status,
    };
    let kept = modem.storage.put(Memory::Writing, "", stored);
    kept.map(|(_, slot)| slot).map_err(|_| FULL)
}

/// How long the next part is on the air: half as long when the link of the last one is still open.
pub(in crate::emulator::modem) fn time_on_air(modem: &mut Modem, now: Instant) -> Duration {
    close_link(modem, now);
    match modem.link_until {
        Some(_) => modem.nature.radio / 2,
        None => modem.nature.radio,
    }
}

/// Keeps the link open after a part, when `+CMMS` asks for it.
pub(in crate::emulator::modem) fn hold_link(modem: &mut Modem, now: Instant) {
    modem.link_until = (modem.setup.keep_link > 0).then(|| now + LINK_KEPT);
}

/// Mode 1 of `+CMMS` falls back to 0 when the link closes (TS 27.005, 3.5.6).
fn close_link(modem: &mut Modem, now: Instant) {
    if modem.link_until.take_if(|until| *until <= now).is_some() && modem.setup.keep_link == 1 {
        modem.setup.keep_link = 0;
    }
}

impl Modem {
    /// The service centre that the PDU `hex` goes to: its own, else the modem's, which may be empty.
    fn centre(&self, hex: &str) -> String {
        let octets = pdu::decode_hex(hex).unwrap_or_default();
        let own = pdu::split_smsc(&octets).ok().and_then(|(own, _)| own);
        own.map_or_else(|| self.service_centre.clone(), |own| own.to_string())
    }

    /// Does the network know the service centre that `part` goes to?
    pub(in crate::emulator::modem) fn reaches_centre(&self, part: &Part) -> bool {
        self.centre(&part.hex) == SERVICE_CENTRE
    }

    /// A part for the air under the next reference. Errors: it is no SMS-SUBMIT; neither it nor the
    /// modem names a service centre.
    pub(in crate::emulator::modem) fn part(
        &mut self,
        hex: String,
        tpdu: Vec<u8>,
    ) -> Result<Part, Fault> {
        if tpdu.first().is_none_or(|first| first & 0x03 != 0x01) {
            return Err(if self.setup.text_mode == 1 {
                BAD_TEXT
            } else {
                BAD_PDU
            });
        }
        if self.centre(&hex).is_empty() {
            return Err(NO_CENTRE);
        }
        self.last_mr = self.last_mr.wrapping_add(1);
        let mr = self.last_mr;
        Ok(Part { hex, tpdu, mr })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulator::modem::{Effect, Verdict};

    #[test]
    fn each_command_has_its_answer() {
        const CASES: &[(&str, &str)] = &[
            ("+CMGF?", "+CMGF: 0"),
            ("+CMGF=?", "+CMGF: (0-1)"),
            ("+CMGF=2", "+CMS ERROR: 303"),
            ("+CSMP?", "+CSMP: 17,167,0,0"),
            ("+CSMP=49,,0,8;+CSMP?", "+CSMP: 49,167,0,8"),
            ("+CSMP=17,\"26/03/14,09:58:01+04\"", "+CMS ERROR: 303"),
            ("+CSDH=1;+CSDH?", "+CSDH: 1"),
            ("+CSCA?", "+CSCA: \"+447700900999\",145"),
            (
                "+CSCA=\"447700900998\",145;+CSCA?",
                "+CSCA: \"+447700900998\",145",
            ),
            ("+CSCA=\"0770\",129;+CSCA?", "+CSCA: \"0770\",129"),
            ("+CSCA=\"+44 77\"", "+CMS ERROR: 304"),
            ("+CSCA=\"\";+CSCA?", "+CSCA: \"\",129"),
            (
                "+CSCS=\"UCS2\";+CSCA=\"002B0034\";+CSCA?",
                "+CSCA: \"002B0034\",145",
            ),
            ("+CSCS=\"GSM\"", ""),
            ("+CMMS=?", "+CMMS: (0-2)"),
            ("+CMGW=6", "+CMS ERROR: 304"),
            ("+CMGW", "ERROR"),
            ("+CMSS=1", "+CMS ERROR: 321"),
            ("+CMSS=?", ""),
            ("+CMGF=1;+CMGS=\"\"", "+CMS ERROR: 305"),
            ("+CMGS=\"bank\"", "+CMS ERROR: 305"),
            ("+CFUN=4;+CMSS=1", "+CMS ERROR: 331"),
        ];
        let mut modem = Modem::ready("");
        for (command, answer) in CASES {
            assert_eq!(modem.ask(command), *answer, "{command}");
        }
    }

    #[test]
    fn the_payload_may_name_a_service_centre() {
        let modem = Modem::ready("");
        let hex = "079144770009909911000C914477000910320000A702C834";
        let read = |length| compose(&modem, &Shape::Pdu(length), hex.as_bytes());
        let (kept, octets) = read(16).unwrap();
        assert_eq!((kept.as_str(), octets.len()), (hex, 16));
        assert_eq!(read(24), Err(BAD_PDU));
        assert_eq!(compose(&modem, &Shape::Pdu(7), b"00x"), Err(BAD_PDU));
    }

    /// The end of a part: the code of its failure, or nothing when it goes to the network.
    fn sent(modem: &mut Modem, pdu: &str) -> Option<String> {
        assert_eq!(modem.ask("+CMGS=31"), ">");
        let now = tokio::time::Instant::now().into_std();
        modem.receive(format!("{pdu}\x1A").as_bytes(), now);
        modem.tick(now + Duration::from_secs(1));
        match modem.poll() {
            Some(Effect::Write(said)) => Some(String::from_utf8(said).unwrap().trim().to_owned()),
            Some(Effect::Submit(_)) => {
                modem.settle(Verdict::Accepted, now);
                while modem.poll().is_some() {}
                None
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_part_needs_the_networks_service_centre() {
        const TPDU: &str = "31000C914477000910320000A7134F39B92C07C5603419283D07C9CB61721E";
        // Family, what is set, the address in front of the TPDU, the failure.
        const CASES: &[(&str, &str, &str, Option<u16>)] = &[
            ("generic", "", "00", None),
            ("generic", "+CSCA=\"\"", "00", Some(330)),
            ("generic", "+CSCA=\"\"", "0791447700099099", None),
            ("generic", "+CSCA=\"\"", "0791447700900999", Some(38)),
            ("generic", "+CSCA=\"+447700900998\"", "00", Some(38)),
            ("generic", "+CSCA=\"447700900999\",145", "00", None),
            ("generic", "+CSCA=\"447700900999\",129", "00", Some(38)),
            ("generic", "+CSMP=17,167,0,0", "00", None),
            ("zte", "+CSMP=17,167,0,0", "00", Some(330)),
        ];
        for (family, set, centre, code) in CASES {
            let mut modem = Modem::of_family_ready(family, set);
            let wanted = code.map(|code| format!("+CMS ERROR: {code}"));
            let end = sent(&mut modem, &format!("{centre}{TPDU}"));
            assert_eq!(end, wanted, "{family} {set} {centre}");
        }
    }

    #[test]
    fn only_what_goes_out_becomes_a_part() {
        let mut modem = Modem::ready("");
        let report = [0x02, 0x01, 0x02];
        assert_eq!(modem.part(String::new(), report.to_vec()), Err(BAD_PDU));
        let before = modem.last_mr;
        let part = modem.part("01".into(), vec![0x01]).unwrap();
        assert_eq!(part.mr, before.wrapping_add(1));
        modem.setup.text_mode = 1;
        assert_eq!(modem.part(String::new(), Vec::new()), Err(BAD_TEXT));
    }
}

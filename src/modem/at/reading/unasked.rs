//! Lines that nobody asked for, as named fields.

use super::values::{Fields, Value, fields};
use super::{pin, registration};
use crate::modem::at::codes::{Final, Header, News, Place, Unsolicited, final_result, unsolicited};
use crate::modem::at::fields::{behind, last_number};
use crate::modem::at::storage::is_hex;
use crate::modem::at::ussd::{AskNetwork, Coding, OpenText, Ussd};

/// What `lines` announce, empty ones before it passed over; none where what is announced is missing, and
/// for the end of an answer.
pub(super) fn urc(lines: &[String]) -> Option<Fields> {
    let from = lines.iter().position(|line| !line.trim().is_empty())?;
    let (first, rest) = lines.get(from..)?.split_first()?;
    match unsolicited(first.trim()) {
        Some(Unsolicited::News(said)) => news(said),
        Some(Unsolicited::Header(header)) => announced(first, header, rest),
        Some(Unsolicited::OpenText) => whole_text(first, rest).map(ussd),
        None => match final_result(first.trim()) {
            Some(Final::Ok | Final::Error(_)) => None,
            Some(Final::NoCarrier) | None => {
                Some(vec![("noise", Value::Text(first.trim().to_owned()))])
            }
        },
    }
}

/// The text of the network that answers the question `cmd`, in whatever lines it comes.
pub(super) fn network_text(cmd: &str, lines: &[String]) -> Option<Fields> {
    let asked = cmd.to_ascii_uppercase();
    let asked = asked
        .get(asked.find("+CUSD=")?..)
        .filter(|asked| !asked.ends_with('?'))?;
    let from = lines.iter().position(|line| line.starts_with("+CUSD:"))?;
    let (first, rest) = lines.get(from..)?.split_first()?;
    let said = if OpenText::opens(first.trim()) {
        whole_text(first, rest)?
    } else {
        Ussd::read(first.trim())?
    };
    Some(ussd(match AskNetwork::coding_of(asked) {
        Some(coding) => said.asked_in(coding),
        None => said,
    }))
}

/// A text that begins in `first`; what crosses it is none of it.
fn whole_text(first: &str, rest: &[String]) -> Option<Ussd> {
    let mut text = OpenText::new(first);
    for line in rest {
        if text.is_crossed_by(line) {
            text.crossed();
        } else if text.push(line) {
            break;
        }
    }
    Ussd::read(&text.close())
}

fn announced(first: &str, header: Header, rest: &[String]) -> Option<Fields> {
    let pdu = rest.iter().find(|line| is_hex(line.trim()))?.trim();
    let (_, values) = first.split_once(':')?;
    let length: Option<u16> = last_number(&behind("", values)?);
    let kind = match header.with(String::new()) {
        News::Report(..) => "report",
        News::Broadcast(_) => "broadcast",
        _ => "message",
    };
    Some(fields([
        ("kind", Some(Value::Text(kind.into()))),
        ("length", length.map(Value::from)),
        ("pdu", Some(Value::Text(pdu.to_owned()))),
    ]))
}

fn news(news: News) -> Option<Fields> {
    Some(match news {
        News::StoredReport(place) => stored_at("report", place),
        News::StoredMessage(place) => stored_at("message", place),
        News::Registration(domain, status) => registration(domain, status),
        News::Ring => vec![("ring", Value::Flag(true))],
        News::Ussd(said) => ussd(said),
        News::Pin(state) => vec![("code", pin(state))],
        News::LateReference(mr) => fields([("mr", mr.map(|mr| mr.0.into()))]),
        News::Report(pdu, _) | News::Message(pdu, _) | News::Broadcast(pdu) => {
            vec![("pdu", Value::Text(pdu))]
        }
        News::LateFinal(_) | News::Noise(_) => return None,
    })
}

fn stored_at(kind: &str, place: Place) -> Fields {
    fields([
        ("kind", Some(Value::Text(kind.into()))),
        ("mem", Some(Value::Text(place.storage))),
        ("index", place.index.map(Value::from)),
    ])
}

fn ussd(said: Ussd) -> Fields {
    let coding = match said.coding {
        Coding::Plain => "plain",
        Coding::Packed => "packed",
        Coding::Ucs2 => "ucs2",
        Coding::Data => "data",
    };
    let coding = said.text.as_ref().map(|_| Value::Text(coding.into()));
    fields([
        ("m", Some(said.m.into())),
        ("text", said.text.map(Value::Text)),
        ("language", said.language.map(Value::Text)),
        ("dcs", said.dcs.map(Value::from)),
        ("coding", coding),
    ])
}

//! A PDU for people: every octet with its place, its field and what it says.

use serde_json::Value;

use super::coding::{coding, waiting};
use super::decode::Read;
use super::fields::Fields;
use super::layout::{self, Span};
use crate::cli::output::harmless;
use crate::sms::command::CommandType;
use crate::sms::fields::{Dcs, Fcs, Pid};
use crate::sms::pdu::Kind;
use crate::sms::report::Status;

/// Octets in one row of the picture.
const A_ROW: usize = 12;

/// The picture, one row of octets a line; under it the error, if reading stopped.
pub(super) fn of(read: &Read, no_smsc: bool) -> String {
    let (octets, kind) = (read.octets.as_slice(), read.kind);
    let spans = if no_smsc {
        layout::of_tpdu(octets, kind, read.lengths)
    } else {
        layout::of_pdu(octets, kind, read.lengths)
    };
    let mut lines = Vec::new();
    if let Some(kind) = kind {
        let name = kind.to_string().to_uppercase().replace('_', "-");
        lines.push(format!("SMS-{name}, {} octets", octets.len()));
    }
    for span in &spans {
        let field = octets.get(span.range.clone()).unwrap_or_default();
        let says = says(kind, span, field, read.fields.as_ref().ok());
        rows(span, field, harmless(&says).trim_start(), &mut lines);
    }
    match &read.fields {
        Err(error) => {
            lines.push(format!("error: {error}"));
            lines.extend(read.hint.map(|hint| format!("hint: {hint}")));
        }
        Ok(fields) => {
            lines.extend(fields.odd().map(|odd| format!("odd: {odd}")));
            lines.extend(fields.cut().map(|cut| format!("cut off: {cut}")));
        }
    }
    lines.join("\n") + "\n"
}

fn rows(span: &Span, octets: &[u8], says: &str, lines: &mut Vec<String>) {
    let mut at = span.range.start;
    let (mut field, mut says) = (span.field, says);
    for row in octets.chunks(A_ROW) {
        let hex: Vec<String> = row.iter().map(|octet| format!("{octet:02X}")).collect();
        let hex = hex.join(" ");
        let line = format!("{at:>4}  {hex:<36} {field:<14} {says}");
        lines.push(line.trim_end().to_owned());
        at += row.len();
        (field, says) = ("", "");
    }
}

/// What a field says. `fields` are those of the whole PDU, if it could be read.
fn says(kind: Option<Kind>, span: &Span, octets: &[u8], fields: Option<&Fields>) -> String {
    let told = |name: &str| match fields.and_then(|fields| fields.get(name)) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    let octet = octets.first().copied().unwrap_or_default();
    match span.field {
        layout::SMSC if octet == 0 => "as stored on the SIM".into(),
        layout::SMSC => format!("{}{}", told("smsc"), numbering(octets)),
        layout::FIRST => kind.map(|kind| flags(kind, octet)).unwrap_or_default(),
        "TP-OA" => format!("{}{}", told("sender"), numbering(octets)),
        "TP-DA" | "TP-RA" => format!("{}{}", told("recipient"), numbering(octets)),
        "TP-MR" | "TP-MN" | "TP-CDL" | "TP-UDHL" => octet.to_string(),
        "TP-PID" => Pid(octet).meaning().into(),
        "TP-FCS" => Fcs(octet).meaning().into(),
        "TP-CT" => CommandType(octet).meaning().into(),
        "TP-PI" => indicated(octet),
        "TP-DCS" => coding(Dcs(octet)),
        "TP-SCTS" => time(&told("timestamp"), &told("timestamp_hex")),
        "TP-DT" => time(&told("discharge"), &told("discharge_hex")),
        "TP-ST" => Status(octet).meaning().into(),
        "TP-VP" => {
            validity(
                &told("validity_minutes"),
                &told("validity_seconds"),
                &told("validity_until"),
                fields,
            ) + match fields.and_then(|fields| fields.get("single_shot")) {
                Some(_) => ", one try only",
                None => "",
            }
        }
        "TP-UDL" => length(octet, &told("alphabet")),
        "TP-UDH" => element(octets),
        "TP-UD" if told("alphabet") == "8bit" => "data".into(),
        "TP-UD" => told("text"),
        _ => String::new(),
    }
}

/// The bits of the first octet, the highest first (TS 23.040, 9.2.3.1 to 9.2.3.25).
fn flags(kind: Kind, octet: u8) -> String {
    let names: &[(&str, u8)] = match kind {
        Kind::Deliver => &[("RP", 7), ("UDHI", 6), ("SRI", 5), ("LP", 3), ("MMS", 2)],
        Kind::StatusReport => &[("UDHI", 6), ("SRQ", 5), ("LP", 3), ("MMS", 2)],
        Kind::Submit => &[("RP", 7), ("UDHI", 6), ("SRR", 5), ("RD", 2)],
        Kind::Command => &[("UDHI", 6), ("SRR", 5)],
        Kind::DeliverReport | Kind::SubmitReport => &[("UDHI", 6)],
    };
    let flags = names
        .iter()
        .map(|(name, bit)| format!("TP-{name} {}", octet >> bit & 1));
    let mut flags: Vec<String> = flags.collect();
    if kind == Kind::Submit {
        flags.push(format!("TP-VPF {:02b}", octet >> 3 & 0b11));
    }
    flags.push(format!("TP-MTI {:02b}", octet & 0b11));
    flags.join(", ")
}

/// Type of number and numbering plan, from the second octet of an address (TS 23.040, 9.1.2.5).
fn numbering(address: &[u8]) -> String {
    let Some(octet) = address.get(1) else {
        return String::new();
    };
    let kind = match octet >> 4 & 0b111 {
        0 => "unknown type",
        1 => "international",
        2 => "national",
        3 => "network specific",
        4 => "subscriber",
        5 => "alphanumeric",
        6 => "abbreviated",
        _ => "reserved type",
    };
    let plan = match octet & 0xF {
        0 => "no plan",
        1 => "telephone",
        3 => "data",
        4 => "telex",
        8 => "national plan",
        9 => "private plan",
        10 => "ERMES",
        _ => "other plan",
    };
    format!(" ({kind}, {plan})")
}

/// The optional fields that follow (TS 23.040, 9.2.3.27).
fn indicated(octet: u8) -> String {
    let names = [("TP-PID", 0), ("TP-DCS", 1), ("TP-UDL", 2)];
    let set = names.iter().filter(|(_, bit)| octet >> bit & 1 == 1);
    let names: Vec<&str> = set.map(|(name, _)| *name).collect();
    if names.is_empty() {
        "nothing follows".into()
    } else {
        format!("{} follow", names.join(", "))
    }
}

/// `broken` are the octets of a time that is none, or has no zone.
fn time(told: &str, broken: &str) -> String {
    match (told, broken) {
        (told, "") => told.to_owned(),
        ("", _) => "no valid time".into(),
        (told, _) => format!("{told}, no valid zone"),
    }
}

fn validity(minutes: &str, seconds: &str, until: &str, fields: Option<&Fields>) -> String {
    match (minutes, seconds, until) {
        ("", "", "") if fields.is_none() => String::new(),
        ("", "", "") => "no valid time or length".into(),
        ("", "", until) => format!("until {until}"),
        (minutes, "", _) => format!("{minutes} minutes"),
        (_, seconds, _) => format!("{seconds} seconds"),
    }
}

fn length(udl: u8, alphabet: &str) -> String {
    let unit = match alphabet {
        "gsm7" => "septets",
        "" => "",
        _ => "octets",
    };
    format!("{udl} {unit}").trim_end().to_owned()
}

/// TS 23.040, 9.2.3.24: nobody can say where the faults of such a header begin.
fn cut_off(iei: u8) -> String {
    format!("element {iei:02X} cut off: no element of this header counts")
}

/// Where a part belongs (TS 23.040, 9.2.3.24.1).
fn place(reference: u16, total: u8, sequence: u8) -> String {
    let place = format!("part {sequence} of {total}, reference {reference}");
    if (1..=total).contains(&sequence) {
        place
    } else {
        format!("{place}: no such part, ignored")
    }
}

/// An element of the user data header: what it is for and what it says (TS 23.040, 9.2.3.24).
fn element(octets: &[u8]) -> String {
    match octets {
        [iei] => cut_off(*iei),
        [iei, length, data @ ..] if data.len() < usize::from(*length) => cut_off(*iei),
        [0x00, 3, reference, total, sequence] => place((*reference).into(), *total, *sequence),
        [0x08, 4, high, low, total, sequence] => {
            place(u16::from_be_bytes([*high, *low]), *total, *sequence)
        }
        [0x01, 2, ..] => waiting(octets),
        [0x04, 2, to, from] => format!("port {to} from {from}"),
        [0x05, 4, to_high, to_low, high, low] => {
            let to = u16::from_be_bytes([*to_high, *to_low]);
            format!("port {to} from {}", u16::from_be_bytes([*high, *low]))
        }
        [0x24, 1, language] => format!("single shift, language {language}"),
        [0x25, 1, language] => format!("locking shift, language {language}"),
        [iei, ..] => format!("element {iei:02X}"),
        [] => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_the_header() {
        const CASES: &[(&[u8], &str)] = &[
            (&[0x00, 3, 90, 2, 1], "part 1 of 2, reference 90"),
            (&[0x08, 4, 0x12, 0x34, 3, 3], "part 3 of 3, reference 4660"),
            (&[0x01, 2, 0x80, 5], "voice mail waiting: 5, store"),
            (&[0x04, 2, 240, 241], "port 240 from 241"),
            (&[0x05, 4, 0x0B, 0x84, 0x15, 0xB3], "port 2948 from 5555"),
            (&[0x24, 1, 1], "single shift, language 1"),
            (&[0x25, 1, 3], "locking shift, language 3"),
            (&[0x00, 2, 90, 2], "element 00"),
            (&[0x70, 0], "element 70"),
            (
                &[0x00, 3, 90, 2, 0],
                "part 0 of 2, reference 90: no such part, ignored",
            ),
            (
                &[0x08, 4, 0, 90, 2, 3],
                "part 3 of 2, reference 90: no such part, ignored",
            ),
            (
                &[0x00, 3, 90, 2],
                "element 00 cut off: no element of this header counts",
            ),
            (
                &[0x70],
                "element 70 cut off: no element of this header counts",
            ),
            (&[], ""),
        ];
        for (octets, expected) in CASES {
            assert_eq!(element(octets), *expected, "{octets:02X?}");
        }
    }

    #[test]
    fn types_of_numbers() {
        const CASES: &[(&[u8], &str)] = &[
            (&[0x0C, 0x91], "(international, telephone)"),
            (&[0x0B, 0xA1], "(national, telephone)"),
            (&[0x04, 0xC9], "(subscriber, private plan)"),
            (&[0x09, 0xD0], "(alphanumeric, no plan)"),
            (&[0x01, 0x81], "(unknown type, telephone)"),
            (&[0x01, 0xFF], "(reserved type, other plan)"),
            (&[0x0C], ""),
        ];
        for (octets, expected) in CASES {
            assert_eq!(numbering(octets).trim_start(), *expected, "{octets:02X?}");
        }
    }

    #[test]
    fn flags_by_kind() {
        const CASES: &[(Kind, u8, &str)] = &[
            (
                Kind::Deliver,
                0b1010_1000,
                "TP-RP 1, TP-UDHI 0, TP-SRI 1, TP-LP 1, TP-MMS 0, TP-MTI 00",
            ),
            (
                Kind::Submit,
                0b0101_1101,
                "TP-RP 0, TP-UDHI 1, TP-SRR 0, TP-RD 1, TP-VPF 11, TP-MTI 01",
            ),
            (
                Kind::StatusReport,
                0b0010_0110,
                "TP-UDHI 0, TP-SRQ 1, TP-LP 0, TP-MMS 1, TP-MTI 10",
            ),
            (Kind::Command, 0b0010_0010, "TP-UDHI 0, TP-SRR 1, TP-MTI 10"),
            (Kind::SubmitReport, 0b0100_0001, "TP-UDHI 1, TP-MTI 01"),
        ];
        for (kind, octet, expected) in CASES {
            assert_eq!(flags(*kind, *octet), *expected, "{kind} {octet:08b}");
        }
    }

    #[test]
    fn lengths_and_times() {
        let lengths = [length(4, "gsm7"), length(4, "ucs2"), length(4, "")];
        assert_eq!(lengths, ["4 septets", "4 octets", "4"]);
        let periods = [
            validity("1440", "", "", None),
            validity("1", "90", "", None),
            validity("", "", "2026-03-14T10:15:32+02:00", None),
            validity("", "", "", Some(&Fields::default())),
            validity("", "", "", None),
        ];
        assert_eq!(
            periods,
            [
                "1440 minutes",
                "90 seconds",
                "until 2026-03-14T10:15:32+02:00",
                "no valid time or length",
                ""
            ]
        );
        let times = [
            time("2026-03-14T10:15:32+02:00", ""),
            time("2026-03-14T10:15:32", "623041015123F4"),
            time("", "00000000000000"),
            time("", ""),
        ];
        let expected = [
            "2026-03-14T10:15:32+02:00",
            "2026-03-14T10:15:32, no valid zone",
            "no valid time",
            "",
        ];
        assert_eq!(times, expected);
        assert_eq!(
            [indicated(0), indicated(0b101)],
            ["nothing follows", "TP-PID, TP-UDL follow"]
        );
    }
}

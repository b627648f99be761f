//! Result codes: the lines that end an answer (V.250, 5.7.1; TS 27.005, 3.2.5; TS 27.007, 9.2), and
//! those that a modem says on its own.

use super::fields::{behind, number};
use super::network::{Domain, Status};
use super::sim::Pin;
use super::ussd::{OpenText, Ussd};
use crate::sms::causes::Cause;
use crate::sms::ids::Mr;

/// How an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Final {
    /// `OK`.
    Ok,
    /// Any error, with its code where one was given.
    Error(Cause),
    /// `NO CARRIER`: a call has ended. No command of ours makes calls, so it ends none of them.
    NoCarrier,
}

/// Reads a line as a final result; none when it is not one.
///
/// `+CMS ERROR: 38`, and `+CMS ERROR: Network out of order` where somebody left `AT+CMEE=2` behind.
pub fn final_result(line: &str) -> Option<Final> {
    let error = |cause| Some(Final::Error(cause));
    if let Some(rest) = after(line, "+CMS ERROR:") {
        return error(
            rest.parse()
                .map_or_else(|_| Cause::cms_named(rest), Cause::Cms),
        );
    }
    if let Some(rest) = after(line, "+CME ERROR:") {
        return error(
            rest.parse()
                .map_or_else(|_| Cause::cme_named(rest), Cause::Cme),
        );
    }
    match line {
        "OK" => Some(Final::Ok),
        "NO CARRIER" => Some(Final::NoCarrier),
        // The last two are what Huawei and some modules say instead of ERROR.
        "ERROR" | "COMMAND NOT SUPPORT" | "TOO MANY PARAMETERS" => error(Cause::Plain),
        // Motorola's; its numbers are its own.
        _ if after(line, "MODEM ERROR").is_some() => error(Cause::Plain),
        _ => None,
    }
}

/// A final result and the unsolicited line that stands behind it without an end between:
/// `OK+CMTI: ...`, `+CMS ERROR: 38^RSSI:9`.
pub fn glued(line: &str) -> Option<(Final, &str)> {
    let end = match line.split_once("ERROR:") {
        Some(("+CMS " | "+CME ", rest)) => {
            let code = rest.trim_start();
            let end = code
                .find(|c: char| !c.is_ascii_digit())
                .filter(|end| *end > 0)?;
            line.len() - code.len() + end
        }
        _ => ["OK", "ERROR"]
            .into_iter()
            .find(|word| line.starts_with(word))?
            .len(),
    };
    let (result, rest) = line.split_at_checked(end)?;
    let result = final_result(result).filter(|_| rest.starts_with(SIGILS))?;
    Some((result, rest))
}

fn after<'a>(line: &'a str, prefix: &str) -> Option<&'a str> {
    line.strip_prefix(prefix).map(str::trim)
}

/// What the names of extended commands and of vendors' own lines begin with.
pub const SIGILS: &[char] = &['+', '^', '*', '%', '#', '$', '_', '!'];

/// Where a message lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The storage as the modem names it. It does not tell a report from a text: only the PDU does.
    pub storage: String,
    /// Counted from 0 or 1; none means "look yourself".
    pub index: Option<u16>,
}

/// What a modem says on its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// `+CDS`: a status report, its PDU in hex (TS 27.005, 3.4.1).
    Report(String),
    /// `+CDSI: "SR",3`: a status report lies in a storage.
    StoredReport(Place),
    /// `+CMT`: an inbound text, its PDU in hex.
    Message(String),
    /// `+CMTI: "SM",3`: an inbound text lies in a storage.
    StoredMessage(Place),
    /// `+CBM`: a cell broadcast, its PDU in hex.
    Broadcast(String),
    /// `+CREG`, `+CGREG` or `+CEREG`: the registration changed (TS 27.007, 7.2, 10.1.20, 10.1.22).
    Registration(Domain, Status),
    /// `RING` or `+CRING`: somebody calls (V.250, 6.3.1).
    Ring,
    /// `+CUSD`: the network's side of a dialogue (TS 27.007, 7.15).
    Ussd(Ussd),
    /// `+CPIN`: the SIM's state changed (TS 27.007, 8.3).
    Pin(Pin),
    /// `+CMGS` after its command was given up.
    LateReference(Option<Mr>),
    /// A final result that ends nothing: its command was given up, or it is about a call.
    LateFinal(Final),
    /// Anything else: vendors' indications, what modules say while they start.
    Noise(String),
}

/// A message whose PDU comes in the line behind this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    kind: HeaderKind,
    /// Octets of the TPDU, as the header says. Some firmwares say nonsense.
    length: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HeaderKind {
    Report,
    Message,
    Broadcast,
}

/// No PDU that a modem announces is shorter, in octets: SMSC, first octet, address and times.
const SHORTEST: usize = 12;

impl Header {
    /// The news, now that the PDU has come.
    pub fn with(self, pdu: String) -> News {
        match self.kind {
            HeaderKind::Report => News::Report(pdu),
            HeaderKind::Message => News::Message(pdu),
            HeaderKind::Broadcast => News::Broadcast(pdu),
        }
    }

    /// Whether `pdu` has the length that the header tells, the SMSC prefix aside.
    pub fn fits(self, pdu: &str) -> bool {
        let octets = pdu.len() / 2;
        let prefix = pdu
            .get(..2)
            .and_then(|hex| usize::from_str_radix(hex, 16).ok());
        let without = prefix.and_then(|prefix| octets.checked_sub(prefix + 1));
        match self.length {
            Some(length) => without == Some(length) || octets == length,
            // A header of junk: whatever can be a PDU is taken, an identity or a number is not.
            None => pdu.len().is_multiple_of(2) && octets >= SHORTEST,
        }
    }
}

/// What an unsolicited line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsolicited {
    /// Complete as it stands.
    News(News),
    /// The next line belongs to it.
    Header(Header),
    /// `+CUSD` whose quotes are still open.
    OpenText,
}

/// Headers with a PDU behind, and what they announce. The length is their last field:
/// `+CDS: 25`, `+CDS: ,25`, `+CMT: "Shop",23`, `+CMT: ,23`, `+CMT: 23` all occur.
const HEADERS: &[(&str, HeaderKind)] = &[
    ("+CDS:", HeaderKind::Report),
    ("+CMT:", HeaderKind::Message),
    ("+CBM:", HeaderKind::Broadcast),
];

/// Told apart by its grammar; none when the line is no unsolicited code of the standards.
pub fn unsolicited(line: &str) -> Option<Unsolicited> {
    if !line.starts_with('+') {
        return (line == "RING").then_some(Unsolicited::News(News::Ring));
    }
    let header = HEADERS.iter().find_map(|(prefix, kind)| {
        let fields = behind(prefix, line)?;
        let length = fields.last().and_then(|last| last.parse().ok());
        Some(Unsolicited::Header(Header {
            kind: *kind,
            length,
        }))
    });
    header
        .or_else(|| news(line).map(Unsolicited::News))
        .or_else(|| {
            let text = OpenText::new(line);
            text.is_open().then_some(Unsolicited::OpenText)
        })
}

fn news(line: &str) -> Option<News> {
    if let Some(place) = place("+CDSI:", line) {
        return Some(News::StoredReport(place));
    }
    if let Some(place) = place("+CMTI:", line) {
        return Some(News::StoredMessage(place));
    }
    if let Some(fields) = behind("+CMGS:", line) {
        return Some(News::LateReference(number(&fields, 0).map(Mr)));
    }
    if line.starts_with("+CRING:") {
        return Some(News::Ring);
    }
    if let Some((domain, status)) = Status::unasked(line) {
        return Some(News::Registration(domain, status));
    }
    if let Some(pin) = Pin::read(line) {
        return Some(News::Pin(pin));
    }
    Ussd::read(line).map(News::Ussd)
}

fn place(prefix: &str, line: &str) -> Option<Place> {
    let fields = behind(prefix, line)?;
    Some(Place {
        storage: fields.first().copied().unwrap_or_default().to_owned(),
        index: number(&fields, 1),
    })
}

/// Whether a line is one that modules say by themselves and that has no sign of its own: while they
/// start, lose their supply, or hang up. It answers no question.
pub fn is_chatter(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "RDY",
        "READY",
        "Call Ready",
        "SMS Ready",
        "SMS DONE",
        "PB DONE",
        "MODEM:STARTUP",
        "NORMAL POWER DOWN",
        "POWERED DOWN",
        "BUSY",
        "NO ANSWER",
        "NO DIALTONE",
        "NO DIAL TONE",
        "CONNECT",
    ];
    // Spelled `WARNNING` and `WARNING`, with a blank, a hyphen or an underscore between.
    const BEGINNINGS: &[&str] = &[
        "UNDER-VOLTAGE",
        "OVER-VOLTAGE",
        "UNDER_VOLTAGE",
        "OVER_VOLTAGE",
        "DST:",
    ];
    WORDS.contains(&line)
        || BEGINNINGS
            .iter()
            .any(|beginning| line.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_results_are_told_from_other_lines() {
        const CASES: &[(&str, Option<Final>)] = &[
            ("OK", Some(Final::Ok)),
            ("ERROR", Some(Final::Error(Cause::Plain))),
            ("+CMS ERROR: 38", Some(Final::Error(Cause::Cms(38)))),
            ("+CMS ERROR:38", Some(Final::Error(Cause::Cms(38)))),
            (
                "+CMS ERROR: Network timeout",
                Some(Final::Error(Cause::Cms(332))),
            ),
            (
                "+CMS ERROR: SMSC address unknown",
                Some(Final::Error(Cause::Cms(330))),
            ),
            ("+CMS ERROR: 99999", Some(Final::Error(Cause::Plain))),
            ("+CMS ERROR:", Some(Final::Error(Cause::Plain))),
            ("+CME ERROR: 14", Some(Final::Error(Cause::Cme(14)))),
            ("+CME ERROR: SIM busy", Some(Final::Error(Cause::Cme(14)))),
            (
                "+CME ERROR: incorrect password",
                Some(Final::Error(Cause::Cme(16))),
            ),
            (
                "+CME ERROR: something new",
                Some(Final::Error(Cause::Plain)),
            ),
            ("COMMAND NOT SUPPORT", Some(Final::Error(Cause::Plain))),
            ("TOO MANY PARAMETERS", Some(Final::Error(Cause::Plain))),
            ("MODEM ERROR: 5", Some(Final::Error(Cause::Plain))),
            ("NO CARRIER", Some(Final::NoCarrier)),
            ("+CMGS: 23", None),
            ("OKAY", None),
            ("", None),
        ];
        for (line, expected) in CASES {
            assert_eq!(final_result(line), *expected, "{line}");
        }
    }

    #[test]
    fn every_error_of_the_table_is_read_as_a_number() {
        for code in 0..=u16::MAX {
            let (cms, cme) = (format!("+CMS ERROR: {code}"), format!("+CME ERROR: {code}"));
            assert_eq!(final_result(&cms), Some(Final::Error(Cause::Cms(code))));
            assert_eq!(final_result(&cme), Some(Final::Error(Cause::Cme(code))));
        }
    }

    #[test]
    fn a_result_glued_to_the_next_line_is_cut_off() {
        assert_eq!(
            glued("OK+CMTI: \"SM\",3"),
            Some((Final::Ok, "+CMTI: \"SM\",3"))
        );
        assert_eq!(glued("OK^RSSI:9"), Some((Final::Ok, "^RSSI:9")));
        assert_eq!(
            glued("ERROR+CREG: 1").map(|(_, rest)| rest),
            Some("+CREG: 1")
        );
        assert_eq!(
            glued("+CMS ERROR: 38+CDS: 25"),
            Some((Final::Error(Cause::Cms(38)), "+CDS: 25"))
        );
        for line in [
            "OK",
            "OKAY",
            "+CSQ: 1",
            "+CMS ERROR: 38",
            "+CME ERROR: +",
            "+CMS ERROR: SIM+x",
        ] {
            assert_eq!(glued(line), None, "{line}");
        }
    }

    #[test]
    fn unsolicited_lines_are_told_by_their_grammar() {
        let place = |storage: &str, index| Place {
            storage: storage.into(),
            index,
        };
        let cases = [
            ("+CDSI: \"SR\",3", News::StoredReport(place("SR", Some(3)))),
            ("+CDSI: \"SM\",0", News::StoredReport(place("SM", Some(0)))),
            ("+CMTI: \"SM\",-1", News::StoredMessage(place("SM", None))),
            ("+CMTI: ME, 12", News::StoredMessage(place("ME", Some(12)))),
            ("RING", News::Ring),
            ("+CRING: VOICE", News::Ring),
            ("+CPIN: READY", News::Pin(Pin::Ready)),
            ("+CPIN: SIM PIN", News::Pin(Pin::Wanted("SIM PIN".into()))),
            ("+CMGS: 25", News::LateReference(Some(Mr(25)))),
            ("+CMGS:", News::LateReference(None)),
        ];
        for (line, expected) in cases {
            assert_eq!(
                unsolicited(line),
                Some(Unsolicited::News(expected)),
                "{line}"
            );
        }
        for line in [
            "+ZUSIMR:2",
            "^RSSI:14",
            "+CREG: 0,1",
            "+CFUN: 1",
            "+CSQ: 1,2",
            "0791",
        ] {
            assert_eq!(unsolicited(line), None, "{line}");
        }
        assert_eq!(
            unsolicited("+CUSD: 1,\"1 Balance"),
            Some(Unsolicited::OpenText)
        );
    }

    #[test]
    fn the_last_field_of_a_header_is_the_length() {
        const CASES: &[(&str, Option<usize>)] = &[
            ("+CDS: 25", Some(25)),
            ("+CDS:25", Some(25)),
            ("+CDS: ,25", Some(25)),
            ("+CMT: \"Shop, Ltd\",23", Some(23)),
            ("+CMT: ", None),
            ("+CBM: 88", Some(88)),
        ];
        for (line, expected) in CASES {
            let Some(Unsolicited::Header(header)) = unsolicited(line) else {
                panic!("{line} is a header");
            };
            assert_eq!(header.length, *expected, "{line}");
        }
    }

    #[test]
    fn what_starting_modules_say_is_chatter() {
        for line in [
            "RDY",
            "SMS Ready",
            "PB DONE",
            "UNDER-VOLTAGE WARNNING",
            "OVER_VOLTAGE POWER DOWN",
        ] {
            assert!(is_chatter(line), "{line}");
        }
        assert!(!is_chatter("E1752") && !is_chatter("OK"));
    }
}

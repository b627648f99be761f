//! Result codes: the lines that end an answer (V.250, 5.7.1; TS 27.005, 3.2.5; TS 27.007, 9.2), and
//! those that a modem says on its own.

use super::fields::{behind, last_number, number};
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
    let worded = || Cause::worded(line);
    if let Some(rest) = after(line, "+CMS ERROR:") {
        let number = rest.parse().ok().map(Cause::Cms);
        return error(
            number
                .or_else(|| Cause::cms_named(rest))
                .unwrap_or_else(worded),
        );
    }
    if let Some(rest) = after(line, "+CME ERROR:") {
        let number = rest.parse().ok().map(Cause::Cme);
        return error(
            number
                .or_else(|| Cause::cme_named(rest))
                .unwrap_or_else(worded),
        );
    }
    match line {
        "OK" => Some(Final::Ok),
        "NO CARRIER" => Some(Final::NoCarrier),
        "ERROR" => error(Cause::Plain),
        // What Huawei and some modules say instead; the last is Cross's.
        "COMMAND NOT SUPPORT" | "TOO MANY PARAMETERS" | "NOT FOND ^,NOT CUSTOM AT" => {
            error(worded())
        }
        // Motorola's; its numbers are its own.
        _ if after(line, "MODEM ERROR").is_some() => error(worded()),
        _ => None,
    }
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
    /// `+CDS`: a status report, its PDU in hex and the octets of its TPDU as the header says (TS 27.005, 3.4.1).
    Report(String, Option<usize>),
    /// `+CDSI: "SR",3`: a status report lies in a storage.
    StoredReport(Place),
    /// `+CMT`: an inbound text, its PDU in hex and the octets of its TPDU as the header says.
    Message(String, Option<usize>),
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
    length: PduLength,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HeaderKind {
    Report,
    Message,
    Broadcast,
}

impl Header {
    /// The news, now that the PDU has come.
    pub fn with(self, pdu: String) -> News {
        match self.kind {
            HeaderKind::Report => News::Report(pdu, self.length.stated()),
            HeaderKind::Message => News::Message(pdu, self.length.stated()),
            HeaderKind::Broadcast => News::Broadcast(pdu),
        }
    }

    /// How long its PDU is.
    pub fn length(self) -> PduLength {
        self.length
    }
}

/// Octets of a TPDU, as the line before it says: its last field. Some firmwares say nothing there, and some
/// a number that is none of its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PduLength(Option<usize>);

/// No PDU that a modem announces is shorter, in octets: SMSC, first octet, address and times. No number of a
/// card or a modem is as long.
const SHORTEST: usize = 12;

impl PduLength {
    /// The length that a line's fields tell.
    pub fn of(fields: &[&str]) -> Self {
        Self(last_number(fields))
    }

    /// The octets of the TPDU, if the line says so.
    pub fn stated(self) -> Option<usize> {
        self.0
    }

    /// Whether `pdu` has just this length, the SMSC prefix aside.
    pub fn is_of(self, pdu: &str) -> bool {
        let octets = pdu.len() / 2;
        let prefix = pdu
            .get(..2)
            .and_then(|hex| usize::from_str_radix(hex, 16).ok());
        let without = prefix.and_then(|prefix| octets.checked_sub(prefix + 1));
        let whole = pdu.len().is_multiple_of(2);
        whole && self.0.is_some() && (without == self.0 || self.0 == Some(octets))
    }

    /// Whether a line of hex can be a PDU all the same, should the length be junk: an identity or a number
    /// cannot.
    pub fn may_be_junk_for(self, pdu: &str) -> bool {
        self.is_of(pdu) || (pdu.len().is_multiple_of(2) && pdu.len() / 2 >= SHORTEST)
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
        Some(Unsolicited::Header(Header {
            kind: *kind,
            length: PduLength::of(&fields),
        }))
    });
    // A first line whose last quote is the text's own reads like a whole text.
    let open = || OpenText::opens(line).then_some(Unsolicited::OpenText);
    header
        .or_else(open)
        .or_else(|| news(line).map(Unsolicited::News))
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
/// start, lose their supply, or hang up. It answers no question. Firmwares differ in capitals.
pub fn is_chatter(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "RDY",
        "READY",
        "APP RDY",
        "CALL READY",
        "SMS READY",
        "SMS DONE",
        "PB DONE",
        "MODEM:STARTUP",
        "NORMAL POWER DOWN",
        "POWERED DOWN",
        "RING",
        "BUSY",
        "NO ANSWER",
        "NO CARRIER",
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
        "NITZ:",
    ];
    let begins = |beginning: &&str| {
        let start = line.get(..beginning.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(beginning))
    };
    WORDS.iter().any(|word| line.eq_ignore_ascii_case(word)) || BEGINNINGS.iter().any(begins)
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
            ("+CME ERROR: 14", Some(Final::Error(Cause::Cme(14)))),
            ("+CME ERROR: SIM busy", Some(Final::Error(Cause::Cme(14)))),
            (
                "+CME ERROR: incorrect password",
                Some(Final::Error(Cause::Cme(16))),
            ),
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
    fn an_error_of_its_own_keeps_what_it_says() {
        for line in [
            "+CMS ERROR: 99999",
            "+CMS ERROR:",
            "+CME ERROR: something new",
            "COMMAND NOT SUPPORT",
            "TOO MANY PARAMETERS",
            "NOT FOND ^,NOT CUSTOM AT",
            "MODEM ERROR: 5",
        ] {
            let Some(Final::Error(cause)) = final_result(line) else {
                panic!("{line} ends a command");
            };
            assert_eq!(cause.to_string(), line);
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
        for line in ["+CUSD: 1,\"1 Balance", "+CUSD: 1,\"Dial \"*101#\""] {
            assert_eq!(unsolicited(line), Some(Unsolicited::OpenText), "{line}");
        }
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
            assert_eq!(header.length, PduLength(*expected), "{line}");
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
            "SMS READY",
            "Call ready",
            "APP RDY",
            "NITZ: 1",
        ] {
            assert!(is_chatter(line), "{line}");
        }
        assert!(!is_chatter("E1752") && !is_chatter("OK"));
    }
}

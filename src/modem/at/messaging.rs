//! Commands about short messages in PDU mode (TS 27.005).

use std::fmt;
use std::time::Duration;

use super::fields::{Item, behind, dialled, items, number};
use super::{Answer, Command, ParseError, Payload, Plain, SHORT, SLOW};
use crate::sms::ids::Mr;

/// `AT+CMGF=0` → `OK`: messages as PDUs (3.2.3). `+CMS ERROR: 310` without a card.
pub const PDU_MODE: Plain = Plain("+CMGF=0");

/// `AT+CMGF?` → `+CMGF: 0`: whether messages are PDUs, 0, or texts, 1 (3.2.3).
#[derive(Debug, Clone, Copy)]
pub struct ReadFormat;

impl Command for ReadFormat {
    type Reply = u8;
    const TIMEOUT: Duration = SHORT;
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        "+CMGF?".into()
    }

    fn reply(&self, lines: &[String]) -> Result<u8, ParseError> {
        let format = lines
            .iter()
            .find_map(|line| number(&behind("+CMGF:", line)?, 0));
        format.ok_or_else(|| ParseError::new(&self.line(), lines))
    }
}

/// `AT+CNMA` → `OK`: an inbound text or a report is on disk; due for each where the service is 1 (3.4.4).
/// `+CMS ERROR: 340` where none is due.
pub const ACKNOWLEDGE: Plain = Plain("+CNMA");

/// `AT+CNMA=1,2`, prompt, `0000`, Ctrl-Z → `OK`: the same for terminals that want the SMS-DELIVER-REPORT
/// itself (4.7). Without the prefix of a service centre: it goes back the way the message came.
#[derive(Debug, Clone)]
pub struct AcknowledgeWith {
    /// Octets of the TPDU.
    pub tpdu_length: usize,
    /// The TPDU in hex.
    pub report: HexPdu,
}

impl AcknowledgeWith {
    /// Acknowledges with these octets of an SMS-DELIVER-REPORT.
    pub fn of(report: &[u8]) -> Self {
        Self {
            tpdu_length: report.len(),
            report: HexPdu::of(report),
        }
    }
}

impl Command for AcknowledgeWith {
    type Reply = ();
    const TIMEOUT: Duration = SLOW;
    const ANSWER: Answer = Answer::Nothing;

    fn line(&self) -> String {
        format!("+CNMA=1,{}", self.tpdu_length)
    }

    fn reply(&self, _: &[String]) -> Result<(), ParseError> {
        Ok(())
    }

    fn payload(&self) -> Option<Payload> {
        Some(Payload {
            text: self.report.as_str().to_owned(),
            patience: SLOW,
        })
    }
}

/// Whether the link to the service centre stays open between texts (3.5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoreMessages {
    /// `<n>` 0: it closes behind each.
    Closed,
    /// `<n>` 1: it stays until no text has followed for some seconds, then falls back to 0.
    Run,
    /// `<n>` 2: the same, and does not fall back.
    Open,
}

impl MoreMessages {
    /// `<n>`.
    pub fn n(self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::Run => 1,
            Self::Open => 2,
        }
    }

    /// `AT+CMMS=2` → `OK`.
    pub const fn command(self) -> Plain {
        match self {
            Self::Closed => Plain("+CMMS=0"),
            Self::Run => Plain("+CMMS=1"),
            Self::Open => KEEP_LINK,
        }
    }
}

/// `AT+CMMS=2`: the link stays open for the next text, up to some seconds (3.5.6).
pub const KEEP_LINK: Plain = Plain("+CMMS=2");

/// `AT+CMMS?` → `+CMMS: 1`: what has become of the wish; mode 1 ends by itself (3.5.6).
#[derive(Debug, Clone, Copy)]
pub struct ReadMoreMessages;

impl Command for ReadMoreMessages {
    type Reply = MoreMessages;
    const TIMEOUT: Duration = SLOW;
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        "+CMMS?".into()
    }

    fn reply(&self, lines: &[String]) -> Result<MoreMessages, ParseError> {
        let mode = lines
            .iter()
            .find_map(|line| number(&behind("+CMMS:", line)?, 0));
        match mode {
            Some(0) => Ok(MoreMessages::Closed),
            Some(1) => Ok(MoreMessages::Run),
            Some(2) => Ok(MoreMessages::Open),
            _ => Err(ParseError::new(&self.line(), lines)),
        }
    }
}

/// Which messages the service carries: sent by the network, by us, and broadcasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// `<mt>`.
    pub inbound: bool,
    /// `<mo>`.
    pub outbound: bool,
    /// `<bm>`.
    pub broadcast: bool,
}

/// `AT+CSMS=1` → `+CSMS: 1,1,1` (3.2.1). The answer tells what is supported; some put the service before
/// it, and some say nothing.
///
/// With 0 the modem acknowledges by itself what it hands over. With 1, or 128 on some modems of Quectel,
/// each text and report that comes as `+CMT` or `+CDS` is to be acknowledged by us: [`ACKNOWLEDGE`].
#[derive(Debug, Clone, Copy)]
pub struct SelectService(pub u8);

impl Command for SelectService {
    type Reply = Option<Service>;
    const TIMEOUT: Duration = SLOW;
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        format!("+CSMS={}", self.0)
    }

    fn reply(&self, lines: &[String]) -> Result<Option<Service>, ParseError> {
        let fields = lines.iter().find_map(|line| behind("+CSMS:", line));
        Ok(fields.and_then(|fields| {
            let from = fields.len().checked_sub(3)?;
            let supported = |place: usize| number(&fields, from + place).map(|flag: u8| flag != 0);
            Some(Service {
                inbound: supported(0)?,
                outbound: supported(1)?,
                broadcast: supported(2)?,
            })
        }))
    }
}

/// Where status reports go: the fourth value of `AT+CNMI` (3.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportRouting {
    /// `<ds>` 0: nowhere.
    None,
    /// `<ds>` 1: to us at once, as `+CDS`.
    Direct,
    /// `<ds>` 2: stored and announced, as `+CDSI`.
    Stored,
}

/// `AT+CNMI=2,1,0,1,0` → `OK`; `+CMS ERROR: 303` from a modem that does not support one of the values:
/// `<mode>,<mt>,<bm>,<ds>,<bfr>` (3.4.1).
#[derive(Debug, Clone)]
pub struct RouteIndications(pub String);

impl RouteIndications {
    /// What its fourth value asks for.
    pub fn reports(&self) -> ReportRouting {
        routing(&self.0.split(',').collect::<Vec<_>>())
    }
}

impl Command for RouteIndications {
    type Reply = ();
    const TIMEOUT: Duration = SLOW;
    const ANSWER: Answer = Answer::Nothing;

    fn line(&self) -> String {
        format!("+CNMI={}", self.0)
    }

    fn reply(&self, _: &[String]) -> Result<(), ParseError> {
        Ok(())
    }
}

/// `AT+CNMI?` → `+CNMI: 2,1,0,1,0`: some modems accept a routing and do not apply it.
#[derive(Debug, Clone, Copy)]
pub struct ReadIndications;

impl Command for ReadIndications {
    type Reply = ReportRouting;
    const TIMEOUT: Duration = SLOW;
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        "+CNMI?".into()
    }

    fn reply(&self, lines: &[String]) -> Result<ReportRouting, ParseError> {
        let fields = lines.iter().find_map(|line| behind("+CNMI:", line));
        fields
            .map(|fields| routing(&fields))
            .ok_or_else(|| ParseError::new(&self.line(), lines))
    }
}

/// What `AT+CNMI` can be set to: the values of each of its five places (3.4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routings(Vec<Vec<u8>>);

impl Routings {
    /// Whether `2,1,0,1,0` is among them; places that were not told are taken to allow anything.
    pub fn allow(&self, values: &str) -> bool {
        let allowed =
            |(place, value): (usize, &str)| match (self.0.get(place), value.trim().parse()) {
                (Some(set), Ok(value)) => set.contains(&value),
                (None, Ok(_)) => true,
                (_, Err(_)) => false,
            };
        values.split(',').enumerate().all(allowed)
    }

    /// The values of each place.
    pub fn places(&self) -> &[Vec<u8>] {
        &self.0
    }
}

/// `AT+CNMI=?` → `+CNMI: (0-2),(0-3),(0,2,3),(0-2),(0,1)`.
#[derive(Debug, Clone, Copy)]
pub struct ListRoutings;

impl Command for ListRoutings {
    type Reply = Routings;
    const TIMEOUT: Duration = SLOW;
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        "+CNMI=?".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Routings, ParseError> {
        let found = lines.iter().find_map(|line| items("+CNMI:", line));
        let places: Vec<_> = found.iter().flatten().map(Item::numbers).collect();
        if places.iter().all(Vec::is_empty) {
            return Err(ParseError::new(&self.line(), lines));
        }
        Ok(Routings(places))
    }
}

/// `AT+CSCA?` → `+CSCA: "+447700900999",145`: the service centre that the SIM names (3.3.1). None
/// where it names none. In UCS-2 hex where another program left `AT+CSCS="UCS2"` behind.
#[derive(Debug, Clone, Copy)]
pub struct ReadServiceCentre;

impl Command for ReadServiceCentre {
    type Reply = Option<String>;
    const TIMEOUT: Duration = SLOW;
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        "+CSCA?".into()
    }

    fn reply(&self, lines: &[String]) -> Result<Option<String>, ParseError> {
        let fields = lines.iter().find_map(|line| behind("+CSCA:", line));
        let fields = fields.ok_or_else(|| ParseError::new(&self.line(), lines))?;
        Ok(dialled(&fields, 0))
    }
}

fn routing(fields: &[&str]) -> ReportRouting {
    match fields.get(3).map(|ds| ds.trim()) {
        Some("1") => ReportRouting::Direct,
        Some("2") => ReportRouting::Stored,
        _ => ReportRouting::None,
    }
}

/// `AT+CMGS=31`, prompt, PDU, Ctrl-Z → `+CMGS: 23`, the reference that the modem gave it (3.5.1, 4.3).
#[derive(Debug, Clone)]
pub struct SendMessage {
    /// Octets of the TPDU: the SMSC prefix does not count.
    pub tpdu_length: usize,
    /// Prefix and TPDU in hex; its alphabet cannot hold CR, Ctrl-Z or ESC.
    pub pdu: HexPdu,
    /// How long the network may take.
    pub patience: Duration,
}

/// A PDU in upper-case hex, and nothing else. It holds a number and a text: `Debug` tells its length.
#[derive(Clone, PartialEq, Eq)]
pub struct HexPdu(String);

impl fmt::Debug for HexPdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HexPdu({} octets)", self.0.len() / 2)
    }
}

impl HexPdu {
    /// The hex form of `octets`.
    pub fn of(octets: &[u8]) -> Self {
        Self(crate::sms::pdu::encode_hex(octets))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Command for SendMessage {
    type Reply = Option<Mr>;
    // Of the prompt: it comes within a second or two; some need longer while they are busy.
    const TIMEOUT: Duration = Duration::from_secs(10);
    const ANSWER: Answer = Answer::Named;

    fn line(&self) -> String {
        format!("+CMGS={}", self.tpdu_length)
    }

    fn reply(&self, lines: &[String]) -> Result<Option<Mr>, ParseError> {
        Ok(reference(lines))
    }

    fn payload(&self) -> Option<Payload> {
        Some(Payload {
            text: self.pdu.as_str().to_owned(),
            patience: self.patience,
        })
    }
}

/// Reads `+CMGS: <mr>[,<scts>]`. The modem took the text either way: a missing or foreign reference
/// costs the match of its report, not the text.
pub fn reference(lines: &[String]) -> Option<Mr> {
    let fields = lines.iter().find_map(|line| behind("+CMGS:", line))?;
    number(&fields, 0).map(Mr)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::at::answer_lines as lines;

    #[test]
    fn references() {
        const CASES: &[(&str, Option<Mr>)] = &[
            ("+CMGS: 23", Some(Mr(23))),
            ("+CMGS:0", Some(Mr(0))),
            ("+CMGS: 255,\"26/11/24,10:00:00+08\"", Some(Mr(255))),
            ("+CMGS:", None),
            ("+CMGS: 256", None),
            ("", None),
        ];
        for (answer, expected) in CASES {
            assert_eq!(reference(&lines(answer)), *expected, "{answer}");
        }
    }

    #[test]
    fn services() {
        const CASES: &[(&str, Option<[bool; 3]>)] = &[
            ("+CSMS: 1,1,1", Some([true, true, true])),
            ("+CSMS: 1,1,0", Some([true, true, false])),
            ("+CSMS: 0,1,1,1", Some([true, true, true])),
            ("+CSMS: (0,1)", None),
            ("", None),
        ];
        for (answer, expected) in CASES {
            let service = SelectService(0).reply(&lines(answer)).unwrap();
            let flags = service.map(|found| [found.inbound, found.outbound, found.broadcast]);
            assert_eq!(flags, *expected, "{answer}");
        }
    }

    #[test]
    fn routings_that_a_modem_allows() {
        const CASES: &[(&str, &str, bool)] = &[
            ("+CNMI: (0-2),(0-3),(0,2,3),(0-2),(0,1)", "2,1,0,1,0", true),
            ("+CNMI: (0,1,2),(0,1),(0,2),(0),(1)", "2,1,0,1,0", false),
            ("+CNMI: (0,1,2),(0,1),(0,2),(0),(1)", "2,1,0,0,1", true),
            ("+CNMI: (2),(0-1,3),(0,2),(0-1),(0)", "1,1,0,1,0", false),
            ("+CNMI: (0-2),(0-1)", "2,1,0,1,0", true),
            ("+CNMI: (0-2),(0-1)", "2,x", false),
        ];
        for (answer, values, allowed) in CASES {
            let routings = ListRoutings.reply(&lines(answer)).unwrap();
            assert_eq!(routings.allow(values), *allowed, "{answer} {values}");
        }
        assert!(ListRoutings.reply(&lines("+CNMI: ")).is_err());
    }

    #[test]
    fn service_centres_in_digits_and_in_hex() {
        const CASES: &[(&str, Option<&str>)] = &[
            ("+CSCA: \"+447700900999\",145", Some("+447700900999")),
            ("+CSCA: \"447700900999\",145", Some("+447700900999")),
            ("+CSCA: \"07700900999\",129", Some("07700900999")),
            (
                "+CSCA: \"002B003400340037003700300030\",145",
                Some("+447700"),
            ),
            ("+CSCA: \"0034003400370037\",145", Some("+4477")),
            ("+CSCA: +447700900999", Some("+447700900999")),
            ("+CSCA: \"\",129", None),
            ("+CSCA: ,", None),
        ];
        for (answer, expected) in CASES {
            let read = ReadServiceCentre.reply(&lines(answer)).unwrap();
            assert_eq!(read.as_deref(), *expected, "{answer}");
        }
        assert!(ReadServiceCentre.reply(&[]).is_err());
    }

    #[test]
    fn report_routing_is_the_fourth_value() {
        const CASES: &[(&str, ReportRouting)] = &[
            ("+CNMI: 2,1,0,1,0", ReportRouting::Direct),
            ("+CNMI: 1,1,0,2,0", ReportRouting::Stored),
            ("+CNMI: 2,1,0,0,0", ReportRouting::None),
            ("+CNMI: 2", ReportRouting::None),
        ];
        for (answer, expected) in CASES {
            assert_eq!(
                ReadIndications.reply(&lines(answer)),
                Ok(*expected),
                "{answer}"
            );
        }
        assert_eq!(
            RouteIndications("2,1,0,2,0".into()).reports(),
            ReportRouting::Stored
        );
    }

    #[test]
    fn whether_the_link_stays_open() {
        const CASES: &[(&str, Option<MoreMessages>)] = &[
            ("+CMMS: 0", Some(MoreMessages::Closed)),
            ("+CMMS:1", Some(MoreMessages::Run)),
            ("+CMMS: 2", Some(MoreMessages::Open)),
            ("+CMMS: 3", None),
            ("+CMMS: (0-2)", None),
            ("", None),
        ];
        for (answer, expected) in CASES {
            let read = ReadMoreMessages.reply(&lines(answer)).ok();
            assert_eq!(read, *expected, "{answer}");
            if let Some(mode) = expected {
                let setting = mode.command().line().replace('=', ": ");
                assert_eq!(ReadMoreMessages.reply(&[setting]), Ok(*mode));
            }
        }
        assert_eq!(ReadMoreMessages.line(), "+CMMS?");
    }

    #[test]
    fn commands_as_they_go_out() {
        assert_eq!(SelectService(1).line(), "+CSMS=1");
        assert_eq!(SelectService(0).line(), "+CSMS=0");
        let acknowledge = AcknowledgeWith::of(&[0, 0]);
        assert_eq!(acknowledge.line(), "+CNMA=1,2");
        assert_eq!(acknowledge.payload().unwrap().text, "0000");
        assert_eq!(format!("{:?}", acknowledge.report), "HexPdu(2 octets)");
        let send = SendMessage {
            tpdu_length: 31,
            pdu: HexPdu::of(&[0, 0xA7]),
            patience: SLOW,
        };
        assert_eq!(
            (send.line().as_str(), send.pdu.as_str()),
            ("+CMGS=31", "00A7")
        );
        assert_eq!(send.payload().unwrap().text, "00A7");
        assert_eq!(send.reply(&lines("+CMGS: 23")), Ok(Some(Mr(23))));
    }
}

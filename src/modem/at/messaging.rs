//! Commands about short messages in PDU mode (TS 27.005).

use std::time::Duration;

use super::fields::{behind, number};
use super::general::Plain;
use super::{Command, ParseError};
use crate::sms::ids::Mr;

/// Storage on a SIM is slow.
const STORAGE: Duration = Duration::from_secs(20);

/// `AT+CMGF=0`: messages as PDUs (3.2.3).
pub const PDU_MODE: Plain = Plain("+CMGF=0");

/// `AT+CSMS=0`: no acknowledgement by us is expected (3.2.1). The answer tells what is supported.
#[derive(Debug, Clone, Copy)]
pub struct MessageService;

impl Command for MessageService {
    type Reply = ();
    const TIMEOUT: Duration = STORAGE;
    const PREFIX: Option<&'static str> = Some("+CSMS:");

    fn line(&self) -> String {
        "+CSMS=0".into()
    }

    fn reply(&self, _: &[String]) -> Result<(), ParseError> {
        Ok(())
    }
}

/// How full a storage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Storage {
    /// Messages in it.
    pub used: u16,
    /// Places in all.
    pub total: u16,
}

/// `AT+CPMS="SM","SM","SM"` → `+CPMS: 2,20,2,20,2,20` (3.2.2).
#[derive(Debug, Clone)]
pub struct SelectStorage(pub String);

impl Command for SelectStorage {
    type Reply = Storage;
    const TIMEOUT: Duration = STORAGE;
    const PREFIX: Option<&'static str> = Some("+CPMS:");

    fn line(&self) -> String {
        format!("+CPMS={}", self.0)
    }

    fn reply(&self, lines: &[String]) -> Result<Storage, ParseError> {
        let fields = lines
            .iter()
            .find_map(|line| behind("+CPMS:", line))
            .unwrap_or_default();
        let storage = number(&fields, 0)
            .zip(number(&fields, 1))
            .map(|(used, total)| Storage { used, total });
        storage.ok_or_else(|| ParseError::new(&self.line(), lines))
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

/// `AT+CNMI=<mode>,<mt>,<bm>,<ds>,<bfr>`.
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
    const TIMEOUT: Duration = STORAGE;
    const PREFIX: Option<&'static str> = None;

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
    const TIMEOUT: Duration = STORAGE;
    const PREFIX: Option<&'static str> = Some("+CNMI:");

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

fn routing(fields: &[&str]) -> ReportRouting {
    match fields.get(3).map(|ds| ds.trim()) {
        Some("1") => ReportRouting::Direct,
        Some("2") => ReportRouting::Stored,
        _ => ReportRouting::None,
    }
}

/// `AT+CMGS=<length>`, prompt, PDU, Ctrl-Z → `+CMGS: <mr>` (3.5.1, 4.3).
#[derive(Debug, Clone)]
pub struct SendMessage {
    /// Octets of the TPDU: the SMSC prefix does not count.
    pub tpdu_length: usize,
    /// Prefix and TPDU in hex; its alphabet cannot hold CR, Ctrl-Z or ESC.
    pub pdu: HexPdu,
    /// How long the network may take.
    pub patience: Duration,
}

/// A PDU in upper-case hex, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HexPdu(String);

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

impl SendMessage {
    /// What the lines of the answer begin with.
    pub const PREFIX: &'static str = "+CMGS:";

    /// The command line without `AT`.
    pub fn line(&self) -> String {
        format!("+CMGS={}", self.tpdu_length)
    }
}

/// Reads `+CMGS: <mr>[,<scts>]`. The modem took the text either way: a missing or foreign reference
/// costs the match of its report, not the text.
pub fn reference(lines: &[String]) -> Option<Mr> {
    let fields = lines
        .iter()
        .find_map(|line| behind(SendMessage::PREFIX, line))?;
    number(&fields, 0).map(Mr)
}

/// `AT+CMGR=<index>` → `+CMGR: 0,,25` and the PDU's line (3.4.3, 4.2). None: the place is empty.
#[derive(Debug, Clone, Copy)]
pub struct ReadMessage(pub u16);

impl Command for ReadMessage {
    type Reply = Option<String>;
    const TIMEOUT: Duration = STORAGE;
    const PREFIX: Option<&'static str> = Some("+CMGR:");

    fn line(&self) -> String {
        format!("+CMGR={}", self.0)
    }

    fn reply(&self, lines: &[String]) -> Result<Option<String>, ParseError> {
        match lines {
            [] => Ok(None),
            [_, pdu, ..] if is_hex(pdu) => Ok(Some(pdu.clone())),
            _ => Err(ParseError::new(&self.line(), lines)),
        }
    }
}

/// `AT+CMGD=<index>` (3.5.4).
#[derive(Debug, Clone, Copy)]
pub struct DeleteMessage(pub u16);

impl Command for DeleteMessage {
    type Reply = ();
    const TIMEOUT: Duration = STORAGE;
    const PREFIX: Option<&'static str> = None;

    fn line(&self) -> String {
        format!("+CMGD={}", self.0)
    }

    fn reply(&self, _: &[String]) -> Result<(), ParseError> {
        Ok(())
    }
}

/// Whether a line can be a PDU.
pub fn is_hex(line: &str) -> bool {
    !line.is_empty() && line.bytes().all(|octet| octet.is_ascii_hexdigit())
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
    fn storages() {
        let read = |text: &str| SelectStorage("\"SM\",\"SM\",\"SM\"".into()).reply(&lines(text));
        assert_eq!(
            read("+CPMS: 2,20,2,20,2,20"),
            Ok(Storage { used: 2, total: 20 })
        );
        assert!(read("+CPMS: full").is_err());
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
    fn a_stored_message_an_empty_place_and_rubbish() {
        let read = |text: &str| ReadMessage(3).reply(&lines(text));
        assert_eq!(
            read("+CMGR: 0,,25\n0791447700"),
            Ok(Some("0791447700".into()))
        );
        assert_eq!(read(""), Ok(None));
        assert!(read("+CMGR: 0,,25").is_err());
        assert!(read("+CMGR: 0,,25\nhello").is_err());
    }

    #[test]
    fn commands_as_they_go_out() {
        assert_eq!(ReadMessage(3).line(), "+CMGR=3");
        assert_eq!(DeleteMessage(0).line(), "+CMGD=0");
        let send = SendMessage {
            tpdu_length: 31,
            pdu: HexPdu::of(&[0, 0xA7]),
            patience: STORAGE,
        };
        assert_eq!(
            (send.line().as_str(), send.pdu.as_str()),
            ("+CMGS=31", "00A7")
        );
    }
}

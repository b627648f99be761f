//! SMS-COMMAND: a phone's order to the service centre about a message it sent before.

use std::fmt;

use super::Kind;
use super::first::{FirstOctet, HEADER, REPORT};
use super::submit::ReportRequest;
use crate::sms::fields::{Address, Pid, UserDataHeader};
use crate::sms::ids::Mr;
use crate::sms::marks::MarkKind;
use crate::sms::octets::{DecodeError, Reader};

/// SMS-COMMAND (TS 23.040, 9.2.2.4).
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    /// TP-SRR.
    pub report: ReportRequest,
    /// TP-MR of the command itself.
    pub mr: Mr,
    /// TP-PID.
    pub pid: Pid,
    /// TP-CT: what to do.
    pub command: CommandType,
    /// TP-MN: TP-MR of the message this is about.
    pub number: Mr,
    /// TP-DA of the message this is about.
    pub destination: Address,
    /// TP-UDHI: the data begin with a user data header.
    pub headed: bool,
    /// TP-CD with TP-CDL: the octets, at most 255, as they stand.
    pub data: Vec<u8>,
}

/// TP-CT (TS 23.040, 9.2.3.19).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CommandType(pub u8);

impl CommandType {
    /// What became of the message?
    pub const ENQUIRY: Self = Self(0);
    /// Send no report about it.
    pub const CANCEL_REPORT: Self = Self(1);
    /// Delete it.
    pub const DELETE: Self = Self(2);
    /// Send a report about it.
    pub const ENABLE_REPORT: Self = Self(3);

    /// In a few words.
    pub fn meaning(self) -> &'static str {
        match self.0 {
            0 => "enquiry about a message",
            1 => "cancel the request for a status report",
            2 => "delete a message",
            3 => "enable the request for a status report",
            0xE0..=0xFF => "known to this service centre only",
            _ => "reserved",
        }
    }
}

impl Command {
    /// A command without data about the message `number` to `destination`.
    pub fn new(command: CommandType, number: Mr, destination: Address) -> Self {
        Self {
            report: ReportRequest::Unwanted,
            mr: Mr(0),
            pid: Pid::ORDINARY,
            command,
            number,
            destination,
            headed: false,
            data: Vec::new(),
        }
    }

    /// The header at the start of the data, if TP-UDHI tells of one and it is whole.
    pub fn header(&self) -> Option<UserDataHeader> {
        let (length, rest) = self.data.split_first().filter(|_| self.headed)?;
        rest.get(..usize::from(*length))
            .map(UserDataHeader::from_octets)
    }

    /// The octets of the TPDU, without a service centre's address. Data over 255 octets are cut.
    pub fn encode(&self) -> Vec<u8> {
        let first = FirstOctet::of(
            Kind::Command,
            &[
                (REPORT, self.report == ReportRequest::Wanted),
                (HEADER, self.headed),
            ],
        );
        let mut out = Vec::with_capacity(20 + self.data.len());
        out.push(first.octet());
        out.extend([self.mr.0, self.pid.0, self.command.0, self.number.0]);
        self.destination.encode(&mut out);
        let length = u8::try_from(self.data.len()).unwrap_or(u8::MAX);
        out.push(length);
        out.extend(self.data.iter().take(usize::from(length)));
        out
    }

    /// Reads the octets of a TPDU; octets after its end are ignored.
    pub fn decode(tpdu: &[u8]) -> Result<Self, DecodeError> {
        Self::read(&mut Reader::new(tpdu))
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let first = FirstOctet::read(reader, Kind::Command)?;
        let report = ReportRequest::of(first);
        let mr = Mr(reader.octet("TP-MR")?);
        let pid = Pid(reader.octet("TP-PID")?);
        let command = CommandType(reader.octet("TP-CT")?);
        let number = Mr(reader.octet("TP-MN")?);
        let destination = Address::decode(reader, "TP-DA")?;
        let length = reader.octet("TP-CDL")?;
        let at = reader.at();
        let data = reader.take(usize::from(length), "TP-CD")?.to_vec();
        let command = Self {
            report,
            mr,
            pid,
            command,
            number,
            destination,
            headed: first.has(HEADER),
            data,
        };
        match command.header() {
            Some(header) => {
                for (index, kind) in header.odd() {
                    reader.mark(at + 1 + index, kind);
                }
            }
            None if command.headed => reader.mark(at, MarkKind::HeaderCut),
            None => {}
        }
        Ok(command)
    }
}

/// Shows the shape of the command, never its data.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("report", &self.report)
            .field("mr", &self.mr)
            .field("pid", &self.pid)
            .field("command", &self.command)
            .field("number", &self.number)
            .field("destination", &self.destination)
            .field("headed", &self.headed)
            .field("octets", &self.data.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::octets::DecodeErrorKind;
    use crate::sms::pdu::{decode_hex, encode_hex};

    fn read(hex: &str) -> Result<Command, DecodeError> {
        Command::decode(&decode_hex(hex).unwrap())
    }

    fn plain() -> Command {
        Command::new(
            CommandType::DELETE,
            Mr(0x17),
            "+447700900123".parse().unwrap(),
        )
    }

    /// A change to the plain command; the octets before TP-DA; TP-CDL and TP-CD.
    type Case = (&'static str, fn(&mut Command), &'static str, &'static str);

    #[test]
    fn each_field_has_its_place() {
        const CASES: &[Case] = &[
            ("plain", |_| {}, "0200000217", "00"),
            (
                "report",
                |command| command.report = ReportRequest::Wanted,
                "2200000217",
                "00",
            ),
            (
                "reference",
                |command| command.mr = Mr(0xFE),
                "02FE000217",
                "00",
            ),
            (
                "protocol",
                |command| command.pid = Pid(0x41),
                "0200410217",
                "00",
            ),
            (
                "enquiry",
                |command| command.command = CommandType::ENQUIRY,
                "0200000017",
                "00",
            ),
            (
                "data",
                |command| command.data = vec![0xAB, 0xCD],
                "0200000217",
                "02ABCD",
            ),
            (
                "header",
                |command| {
                    command.headed = true;
                    command.data = vec![2, 0x70, 0, 0xFF];
                },
                "4200000217",
                "04027000FF",
            ),
        ];
        for &(name, change, start, data) in CASES {
            let mut command = plain();
            change(&mut command);
            let hex = format!("{start}0C91447700091032{data}");
            assert_eq!(encode_hex(&command.encode()), hex, "{name}");
            assert_eq!(read(&hex), Ok(command), "{name}");
        }
    }

    #[test]
    fn a_header_is_read_if_it_is_whole() {
        let header = |headed, data: &[u8]| {
            let command = Command {
                headed,
                data: data.to_vec(),
                ..plain()
            };
            command.header().map(|header| header.octets().to_vec())
        };
        assert_eq!(header(true, &[2, 0x70, 0, 0xFF]), Some(vec![0x70, 0]));
        assert_eq!(header(true, &[0]), Some(vec![]));
        assert_eq!(header(false, &[2, 0x70, 0]), None);
        assert_eq!(header(true, &[2, 0x70]), None);
        assert_eq!(header(true, &[]), None);
    }

    #[test]
    fn types_have_a_meaning() {
        const CASES: &[(CommandType, &str)] = &[
            (CommandType::ENQUIRY, "enquiry about a message"),
            (
                CommandType::CANCEL_REPORT,
                "cancel the request for a status report",
            ),
            (CommandType::DELETE, "delete a message"),
            (
                CommandType::ENABLE_REPORT,
                "enable the request for a status report",
            ),
            (CommandType(4), "reserved"),
            (CommandType(0xDF), "reserved"),
            (CommandType(0xE0), "known to this service centre only"),
            (CommandType(0xFF), "known to this service centre only"),
        ];
        for (command, meaning) in CASES {
            assert_eq!(command.meaning(), *meaning, "{command:?}");
        }
    }

    #[test]
    fn broken_octets_are_named() {
        let cases = [
            ("", "the first octet", 1, 0),
            ("02", "TP-MR", 1, 1),
            ("0200", "TP-PID", 1, 2),
            ("020000", "TP-CT", 1, 3),
            ("02000002", "TP-MN", 1, 4),
            ("0200000217", "TP-DA", 1, 5),
            ("02000002170C91447700091032", "TP-CDL", 1, 13),
            ("02000002170C9144770009103204ABCD", "TP-CD", 2, 16),
        ];
        for (hex, field, missing, octet) in cases {
            assert_eq!(
                read(hex),
                Err(DecodeErrorKind::TooShort { field, missing }.at(octet)),
                "{hex}"
            );
        }
        let wrong = DecodeErrorKind::WrongType {
            mti: 1,
            wanted: "SMS-COMMAND",
        };
        assert_eq!(read("0100"), Err(wrong.at(0)));
    }

    #[test]
    fn no_more_data_than_a_length_octet_can_tell() {
        let command = Command {
            data: vec![0xAB; 300],
            ..plain()
        };
        let octets = command.encode();
        let read = Command::decode(&octets).map(|read| read.data.len());
        assert_eq!((octets.len(), read), (14 + 255, Ok(255)));
    }

    #[test]
    fn debug_shows_no_data() {
        let command = Command {
            data: b"Code 4711".to_vec(),
            ..plain()
        };
        let shown = format!("{command:?}");
        assert!(shown.contains("octets: 9"), "{shown}");
        assert!(!shown.contains("4711") && !shown.contains("52"), "{shown}");
    }
}

//! The six transport PDUs, one file a kind (TS 23.040, 9.2.2).

use std::fmt;
use std::str::FromStr;

use super::fields::{Dcs, MessageWaiting, UserData};
use super::marks::Mark;
use super::octets::{DecodeError, DecodeErrorKind, Reader};

mod answer;
pub mod command;
pub mod deliver;
pub mod deliver_report;
mod first;
pub mod report;
pub mod submit;
pub mod submit_report;

use command::Command;
use deliver::Deliver;
use deliver_report::DeliverReport;
use report::StatusReport;
use submit::Submit;
use submit_report::SubmitReport;

/// Which way a TPDU travels: the two bits of its type mean different things (TS 23.040, 9.2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the service centre to a phone.
    FromNetwork,
    /// From a phone to the service centre.
    ToNetwork,
}

/// The kind of a TPDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// SMS-DELIVER.
    Deliver,
    /// SMS-DELIVER-REPORT.
    DeliverReport,
    /// SMS-STATUS-REPORT.
    StatusReport,
    /// SMS-COMMAND.
    Command,
    /// SMS-SUBMIT.
    Submit,
    /// SMS-SUBMIT-REPORT.
    SubmitReport,
}

/// Why a word is no kind of TPDU.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of TPDU")]
pub struct UnknownKind(String);

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Deliver,
        Self::DeliverReport,
        Self::StatusReport,
        Self::Command,
        Self::Submit,
        Self::SubmitReport,
    ];

    /// What the type bits of a first octet mean in one direction. From the network 11 is read as
    /// SMS-DELIVER.
    /// Errors: 11 from a phone, which means nothing (TS 23.040, 9.2.3.1).
    pub fn of(first_octet: u8, direction: Direction) -> Result<Self, DecodeError> {
        let mti = first_octet & 0b11;
        Ok(match (mti, direction) {
            (0b00 | 0b11, Direction::FromNetwork) => Self::Deliver,
            (0b01, Direction::FromNetwork) => Self::SubmitReport,
            (0b10, Direction::FromNetwork) => Self::StatusReport,
            (0b00, Direction::ToNetwork) => Self::DeliverReport,
            (0b01, Direction::ToNetwork) => Self::Submit,
            (0b10, Direction::ToNetwork) => Self::Command,
            _ => {
                let wanted = "a type that phones send";
                return Err(DecodeErrorKind::WrongType { mti, wanted }.at(0));
            }
        })
    }

    /// What they mean in a modem's storage, where only messages of both directions and status reports
    /// lie.
    pub fn stored(first_octet: u8) -> Self {
        match first_octet & 0b11 {
            0b01 => Self::Submit,
            0b10 => Self::StatusReport,
            _ => Self::Deliver,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Deliver => "deliver",
            Self::DeliverReport => "deliver_report",
            Self::StatusReport => "status_report",
            Self::Command => "command",
            Self::Submit => "submit",
            Self::SubmitReport => "submit_report",
        }
    }
}

/// One word, such as `status_report`.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Reads what is displayed, with `-` as good as `_`.
impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let word = text.replace('-', "_");
        let kind = Self::ALL.into_iter().find(|kind| kind.word() == word);
        kind.ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// A TPDU of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tpdu {
    /// A message that came; also the reserved message type 11.
    Deliver(Deliver),
    /// A phone's answer to a message that came.
    DeliverReport(DeliverReport),
    /// A report of what became of a message.
    StatusReport(StatusReport),
    /// A phone's order about a message it sent.
    Command(Command),
    /// A message on its way out.
    Submit(Submit),
    /// The service centre's answer to a message on its way out.
    SubmitReport(SubmitReport),
}

/// A TPDU that was read, with what its fields do not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The best reading.
    pub tpdu: Tpdu,
    /// Where the octets are not as the standard writes them, in the order of reading. If there are none,
    /// [`Tpdu::encode`] writes the octets that were read.
    pub marks: Vec<Mark>,
    /// The octets behind the end, which should be none.
    pub rest: &'a [u8],
    /// Was an address with a length that none may have read only as far as the longest may go?
    pub is_shortened: bool,
}

impl Decoded<'_> {
    fn has_long_address(&self) -> bool {
        self.marks.iter().any(Mark::is_too_long)
    }

    /// May the lengths of its addresses be as they stand?
    fn makes_sense(&self) -> bool {
        !self.has_long_address() || self.rest.is_empty() && self.tpdu.cut().is_none()
    }
}

impl Tpdu {
    /// Reads a TPDU as it lies in a modem or comes in a `+CMT` or `+CDS`; octets behind its end are
    /// ignored. A modem's storage and headers do not tell reliably whether something is a message or a
    /// report; the type bits do.
    pub fn decode_stored(tpdu: &[u8]) -> Result<Self, DecodeError> {
        let first = Reader::new(tpdu).octet("the first octet")?;
        Self::decode_as(tpdu, Kind::stored(first)).map(|(tpdu, _)| tpdu)
    }

    /// Reads a TPDU of a known kind and gives the octets behind its end, which should be none.
    pub fn decode_as(tpdu: &[u8], kind: Kind) -> Result<(Self, &[u8]), DecodeError> {
        Self::decode_marked(tpdu, kind).map(|decoded| (decoded.tpdu, decoded.rest))
    }

    /// Reads a TPDU of a known kind and tells all that is odd about its octets.
    ///
    /// An address with a length that none may have is read to its end; if the rest then makes no sense, but
    /// does behind the longest address that may be, so that one is read.
    pub fn decode_marked(tpdu: &[u8], kind: Kind) -> Result<Decoded<'_>, DecodeError> {
        let read = Self::read(Reader::new(tpdu), kind);
        if read.as_ref().is_ok_and(Decoded::makes_sense) {
            return read;
        }
        let other = Self::read(Reader::doubting_lengths(tpdu), kind);
        let better = |other: &Decoded<'_>| other.has_long_address() && other.makes_sense();
        other.ok().filter(better).map_or(read, Ok)
    }

    fn read(mut reader: Reader<'_>, kind: Kind) -> Result<Decoded<'_>, DecodeError> {
        let reading = &mut reader;
        let tpdu = match kind {
            Kind::Deliver => Deliver::read(reading).map(Self::Deliver),
            Kind::DeliverReport => DeliverReport::read(reading).map(Self::DeliverReport),
            Kind::StatusReport => StatusReport::read(reading).map(Self::StatusReport),
            Kind::Command => Command::read(reading).map(Self::Command),
            Kind::Submit => Submit::read(reading).map(Self::Submit),
            Kind::SubmitReport => SubmitReport::read(reading).map(Self::SubmitReport),
        }?;
        let rest = reader.rest();
        let doubted = reader.doubts_lengths();
        let marks = reader.into_marks();
        Ok(Decoded {
            is_shortened: doubted && marks.iter().any(Mark::is_too_long),
            tpdu,
            marks,
            rest,
        })
    }

    /// The octets, without a service centre's address.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Deliver(tpdu) => tpdu.encode(),
            Self::DeliverReport(tpdu) => tpdu.encode(),
            Self::StatusReport(tpdu) => tpdu.encode(),
            Self::Command(tpdu) => tpdu.encode(),
            Self::Submit(tpdu) => tpdu.encode(),
            Self::SubmitReport(tpdu) => tpdu.encode(),
        }
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Deliver(_) => Kind::Deliver,
            Self::DeliverReport(_) => Kind::DeliverReport,
            Self::StatusReport(_) => Kind::StatusReport,
            Self::Command(_) => Kind::Command,
            Self::Submit(_) => Kind::Submit,
            Self::SubmitReport(_) => Kind::SubmitReport,
        }
    }

    /// TP-UD, if it has one. The data of a command are no TP-UD.
    pub fn user_data(&self) -> Option<&UserData> {
        match self {
            Self::Deliver(tpdu) => Some(&tpdu.user_data),
            Self::Submit(tpdu) => Some(&tpdu.user_data),
            Self::DeliverReport(tpdu) => tpdu.user_data.as_ref(),
            Self::StatusReport(tpdu) => tpdu.user_data.as_ref(),
            Self::SubmitReport(tpdu) => tpdu.user_data.as_ref(),
            Self::Command(_) => None,
        }
    }

    /// TP-DCS, if it has one.
    pub fn dcs(&self) -> Option<Dcs> {
        match self {
            Self::Deliver(tpdu) => Some(tpdu.dcs),
            Self::Submit(tpdu) => Some(tpdu.dcs),
            Self::DeliverReport(tpdu) => tpdu.dcs,
            Self::StatusReport(tpdu) => tpdu.dcs,
            Self::SubmitReport(tpdu) => tpdu.dcs,
            Self::Command(_) => None,
        }
    }

    /// What its header and TP-DCS tell about messages in mailboxes, one indication a mailbox and profile.
    /// What the header tells goes before TP-DCS; the short message is to be kept if either says so
    /// (TS 23.040, 9.2.3.24.2).
    pub fn message_waiting(&self) -> Vec<MessageWaiting> {
        let header = self.user_data().and_then(UserData::header);
        MessageWaiting::of(header, self.dcs())
    }

    /// Where a report's optional fields ended or broke although TP-PI announced more of them: what was
    /// read stands, what is missing cannot be told.
    pub fn cut(&self) -> Option<DecodeError> {
        match self {
            Self::DeliverReport(tpdu) => tpdu.cut,
            Self::StatusReport(tpdu) => tpdu.cut,
            Self::SubmitReport(tpdu) => tpdu.cut,
            Self::Deliver(_) | Self::Submit(_) | Self::Command(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::fields::Pid;
    use crate::sms::marks::MarkKind;
    use crate::sms::pdu::decode_hex;

    #[test]
    fn the_type_bits_by_direction() {
        use Kind::{Command, Deliver, DeliverReport, StatusReport, Submit, SubmitReport};
        // From the network, from a phone, in a modem's storage.
        const CASES: [(Option<Kind>, Option<Kind>, Kind); 4] = [
            (Some(Deliver), Some(DeliverReport), Deliver),
            (Some(SubmitReport), Some(Submit), Submit),
            (Some(StatusReport), Some(Command), StatusReport),
            (Some(Deliver), None, Deliver),
        ];
        for (bits, (from, to, stored)) in (0..).zip(CASES) {
            for first in [bits, bits | 0xFC] {
                assert_eq!(
                    Kind::of(first, Direction::FromNetwork).ok(),
                    from,
                    "{first:02X}"
                );
                assert_eq!(
                    Kind::of(first, Direction::ToNetwork).ok(),
                    to,
                    "{first:02X}"
                );
                assert_eq!(Kind::stored(first), stored, "{first:02X}");
            }
        }
    }

    #[test]
    fn each_kind_is_read_as_itself() {
        use Direction::{FromNetwork, ToNetwork};
        const CASES: &[(&str, Direction, Kind)] = &[
            (
                "040C9144770009406500006230414003000A0453EA130A",
                FromNetwork,
                Kind::Deliver,
            ),
            (
                "070C9144770009406500006230414003000A0453EA130A",
                FromNetwork,
                Kind::Deliver,
            ),
            (
                "06170C91447700091032623041015123006230410151730000",
                FromNetwork,
                Kind::StatusReport,
            ),
            ("010062304101512300", FromNetwork, Kind::SubmitReport),
            ("11000C914477000910320000A702C834", ToNetwork, Kind::Submit),
            ("0000", ToNetwork, Kind::DeliverReport),
            ("02000002170C9144770009103200", ToNetwork, Kind::Command),
        ];
        for &(hex, direction, kind) in CASES {
            let octets = decode_hex(hex).unwrap();
            assert_eq!(Kind::of(octets[0], direction), Ok(kind), "{hex}");
            let (tpdu, _) = Tpdu::decode_as(&octets, kind).unwrap();
            assert_eq!((tpdu.kind(), tpdu.cut()), (kind, None), "{hex}");
            assert_eq!(
                tpdu.user_data().map(UserData::text).as_deref(),
                match kind {
                    Kind::Deliver => Some("STOP"),
                    Kind::Submit => Some("Hi"),
                    _ => None,
                },
                "{hex}"
            );
            let behind = [octets.as_slice(), &[0x0D]].concat();
            // Behind a report without TP-PI an octet is TP-PI: here it announces what is missing.
            match Tpdu::decode_as(&behind, kind).unwrap() {
                (Tpdu::StatusReport(report), []) => {
                    assert_eq!((report.pid, report.cut.is_some()), (None, true));
                }
                (read, rest) => assert_eq!((read, rest), (tpdu, [0x0D].as_slice()), "{hex}"),
            }
        }
    }

    #[test]
    fn what_no_phone_sends_is_refused() {
        let wrong = DecodeErrorKind::WrongType {
            mti: 3,
            wanted: "a type that phones send",
        };
        assert_eq!(Kind::of(0x07, Direction::ToNetwork), Err(wrong.at(0)));
        for read in [
            Tpdu::decode_stored(&[]),
            Tpdu::decode_as(&[], Kind::Command).map(|(tpdu, _)| tpdu),
        ] {
            assert_eq!(read.map_err(|error| error.octet), Err(0));
        }
    }

    const fn mark(octet: usize, kind: MarkKind) -> Mark {
        Mark { octet, kind }
    }

    const fn spare(octet: usize, field: &'static str) -> Mark {
        mark(octet, MarkKind::SpareBits { field })
    }

    const fn time(octet: usize, field: &'static str) -> Mark {
        mark(octet, MarkKind::Time { field })
    }

    const FIRST: &str = "the first octet";

    const fn long(semi_octets: usize) -> Mark {
        let (field, most) = ("TP-OA", 20);
        mark(
            1,
            MarkKind::AddressTooLong {
                field,
                semi_octets,
                most,
            },
        )
    }

    const TYPE: MarkKind = MarkKind::ReservedType {
        mti: 3,
        read_as: "SMS-DELIVER",
    };
    const CUT: MarkKind = MarkKind::Cut(DecodeError {
        octet: 2,
        kind: DecodeErrorKind::TooShort {
            field: "TP-PID",
            missing: 1,
        },
    });
    const REPORT: &str = "06170C91447700091032623041015123006230410151730000";

    /// Name, hex, kind, marks, whether it is written as it came. (A surplus length is.)
    type Marked = (&'static str, &'static str, Kind, &'static [Mark], bool);

    #[test]
    fn oddities_cost_nothing_and_leave_their_marks() {
        use Kind::{Command, Deliver, DeliverReport, StatusReport, Submit};
        #[rustfmt::skip]
        const CASES: &[Marked] = &[
            ("a name that is too long", "0415D0D47B996D2F0FD161F93C0400006230414003000A0453EA130A",
                Deliver, &[long(21)], true),
            ("a name with the length of a longer one", "0416D04576D95E760FD161F91C00006230414003000A0453EA130A",
                Deliver, &[long(22)], false),
            ("the reserved type", "070C9144770009406500006230414003000A0453EA130A",
                Deliver, &[mark(0, TYPE)], false),
            ("a bit of no flag", "140C9144770009406500006230414003000A0453EA130A",
                Deliver, &[spare(0, FIRST)], false),
            ("bits behind the text", "11000C914477000910320000A702C874",
                Submit, &[spare(15, "TP-UD")], false),
            ("a filler in a number", "02000002170C9144F70009103200",
                Command, &[mark(8, MarkKind::Filler { field: "TP-DA" })], false),
            ("a header of nothing", "4000", DeliverReport, &[mark(0, MarkKind::HeaderOfNothing)], false),
            ("a reserved bit of TP-PI", "0008", DeliverReport, &[spare(1, "TP-PI")], false),
            ("what is announced is missing", "0001", DeliverReport, &[mark(2, CUT)], false),
            ("no oddity", REPORT, StatusReport, &[], true),
            ("a time of zeros", "0617 0C91447700091032 00000000000000 62304101517300 00",
                StatusReport, &[time(10, "TP-SCTS")], true),
            ("a zone that is none", "0617 0C91447700091032 62304101512300 623041015173F4 00",
                StatusReport, &[time(17, "TP-DT")], true),
            ("until no time", "19000C914477000910320000 00000000000000 02C834",
                Submit, &[time(12, "TP-VP")], true),
            ("no header in the data", "42000002170C91447700091032 02 0500",
                Command, &[mark(14, MarkKind::HeaderCut)], true),
            ("no such part in the data", "42000002170C91447700091032 06 0500030102 03",
                Command, &[mark(15, MarkKind::NoSuchPart { sequence: 3, total: 2 })], true),
            ("nothing announced", "0617 0C91447700091032 62304101512300 62304101517300 00 00",
                StatusReport, &[mark(25, MarkKind::NothingAnnounced)], false),
        ];
        for &(name, hex, kind, marks, same) in CASES {
            let hex = hex.replace(' ', "");
            let octets = decode_hex(&hex).unwrap();
            let decoded = Tpdu::decode_marked(&octets, kind).unwrap();
            assert_eq!(
                (decoded.marks.as_slice(), decoded.rest),
                (marks, [].as_slice()),
                "{name}"
            );
            assert_eq!(decoded.tpdu.encode() == octets, same, "{name}");
            if let Tpdu::Deliver(deliver) = decoded.tpdu {
                assert_eq!(deliver.text(), "STOP", "{name}");
            }
        }
    }

    #[test]
    fn a_shorter_reading_of_an_address_must_make_sense_itself() {
        // Read as far as stated, shortened, and as stated although octets are left, since the other
        // reading leaves some too.
        const CASES: &[(&str, bool, usize)] = &[
            (
                "0415D0D47B996D2F0FD161F93C0400006230414003000A0453EA130A",
                false,
                0,
            ),
            (
                "0416D04576D95E760FD161F91C00006230414003000A0453EA130A",
                true,
                0,
            ),
            (
                "041C91447700900400657483920000623041015123000000000000FFFF",
                false,
                2,
            ),
        ];
        for &(hex, is_shortened, rest) in CASES {
            let octets = decode_hex(hex).unwrap();
            let decoded = Tpdu::decode_marked(&octets, Kind::Deliver).unwrap();
            let read = (decoded.is_shortened, decoded.rest.len());
            assert_eq!(read, (is_shortened, rest), "{hex}");
        }
    }

    #[test]
    fn words_for_kinds() {
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!("status-report".parse(), Ok(Kind::StatusReport));
        let unknown = "deliverd".parse::<Kind>().unwrap_err();
        assert_eq!(unknown.to_string(), "`deliverd` is no kind of TPDU");
    }

    #[test]
    fn a_cut_is_told_for_every_report() {
        for (hex, kind) in [
            ("0001", Kind::DeliverReport),
            ("010162304101512300", Kind::SubmitReport),
            (
                "06170C9144770009103262304101512300623041015173000001",
                Kind::StatusReport,
            ),
        ] {
            let octets = decode_hex(hex).unwrap();
            let (tpdu, rest) = Tpdu::decode_as(&octets, kind).unwrap();
            let cut = DecodeErrorKind::TooShort {
                field: "TP-PID",
                missing: 1,
            };
            assert_eq!((tpdu.cut(), rest.len()), (Some(cut.at(octets.len())), 0));
            let mended = [octets.as_slice(), &[0x40]].concat();
            let pid = match Tpdu::decode_as(&mended, kind).unwrap().0 {
                Tpdu::DeliverReport(report) => report.pid,
                Tpdu::SubmitReport(report) => report.pid,
                Tpdu::StatusReport(report) => report.pid,
                _ => None,
            };
            assert_eq!(pid, Some(Pid::TYPE_0), "{kind}");
        }
    }
}

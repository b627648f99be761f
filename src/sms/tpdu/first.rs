//! The first octet of a TPDU: its type, and flags that mean different things by kind (TS 23.040, 9.2.3.1
//! to 9.2.3.25).

use super::Kind;
use crate::sms::marks::MarkKind;
use crate::sms::octets::{DecodeError, DecodeErrorKind, Reader};

/// TP-MMS of what comes from the network: 0 for more.
pub(super) const NO_MORE: u8 = 1 << 2;
/// TP-RD of an SMS-SUBMIT.
pub(super) const REJECT_DUPLICATES: u8 = 1 << 2;
/// TP-LP.
pub(super) const LOOP_PREVENTION: u8 = 1 << 3;
/// TP-VPF, two bits.
pub(super) const VALIDITY: u8 = 0b11 << 3;
/// TP-SRI, TP-SRR or TP-SRQ.
pub(super) const REPORT: u8 = 1 << 5;
/// TP-UDHI.
pub(super) const HEADER: u8 = 1 << 6;
/// TP-RP.
pub(super) const REPLY_PATH: u8 = 1 << 7;

const TYPE: u8 = 0b11;
/// Reserved, to be read as SMS-DELIVER (TS 23.040, 9.2.3.1).
const RESERVED_TYPE: u8 = 0b11;

/// A first octet.
#[derive(Debug, Clone, Copy)]
pub(super) struct FirstOctet(u8);

impl FirstOctet {
    /// The type of a kind, with the flags that are set.
    pub(super) fn of(kind: Kind, flags: &[(u8, bool)]) -> Self {
        let set = flags.iter().filter(|(_, set)| *set);
        Self(set.fold(type_bits(kind), |octet, (flag, _)| octet | flag))
    }

    /// The octet to write.
    pub(super) fn octet(self) -> u8 {
        self.0
    }

    /// Reads the first octet of a kind; bits that this kind does not use leave a mark.
    pub(super) fn read(reader: &mut Reader<'_>, kind: Kind) -> Result<Self, DecodeError> {
        const FIELD: &str = "the first octet";
        let at = reader.at();
        let octet = reader.octet(FIELD)?;
        let mti = octet & TYPE;
        if kind == Kind::Deliver && mti == RESERVED_TYPE {
            let read_as = name(kind);
            reader.mark(at, MarkKind::ReservedType { mti, read_as });
        } else if mti != type_bits(kind) {
            let wanted = name(kind);
            return Err(DecodeErrorKind::WrongType { mti, wanted }.at(at));
        }
        if octet & !TYPE & !flags(kind) != 0 {
            reader.mark(at, MarkKind::SpareBits { field: FIELD });
        }
        Ok(Self(octet))
    }

    /// Is a flag set?
    pub(super) fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    /// The bits of a field.
    pub(super) fn bits(self, field: u8) -> u8 {
        self.0 & field
    }
}

fn type_bits(kind: Kind) -> u8 {
    match kind {
        Kind::Deliver | Kind::DeliverReport => 0b00,
        Kind::Submit | Kind::SubmitReport => 0b01,
        Kind::StatusReport | Kind::Command => 0b10,
    }
}

/// The flags that a kind has.
fn flags(kind: Kind) -> u8 {
    match kind {
        Kind::Deliver => NO_MORE | LOOP_PREVENTION | REPORT | HEADER | REPLY_PATH,
        Kind::StatusReport => NO_MORE | LOOP_PREVENTION | REPORT | HEADER,
        Kind::Submit => REJECT_DUPLICATES | VALIDITY | REPORT | HEADER | REPLY_PATH,
        Kind::Command => REPORT | HEADER,
        Kind::DeliverReport | Kind::SubmitReport => HEADER,
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Deliver => "SMS-DELIVER",
        Kind::DeliverReport => "SMS-DELIVER-REPORT",
        Kind::StatusReport => "SMS-STATUS-REPORT",
        Kind::Command => "SMS-COMMAND",
        Kind::Submit => "SMS-SUBMIT",
        Kind::SubmitReport => "SMS-SUBMIT-REPORT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kind, its type, the bits that it does not use.
    const CASES: &[(Kind, u8, u8)] = &[
        (Kind::Deliver, 0b00, 0b0001_0000),
        (Kind::DeliverReport, 0b00, 0b1011_1100),
        (Kind::StatusReport, 0b10, 0b1001_0000),
        (Kind::Command, 0b10, 0b1001_1100),
        (Kind::Submit, 0b01, 0),
        (Kind::SubmitReport, 0b01, 0b1011_1100),
    ];

    #[test]
    fn every_octet_of_every_kind() {
        for &(kind, mti, unused) in CASES {
            for octet in 0..=u8::MAX {
                let octets = [octet];
                let mut reader = Reader::new(&octets);
                let read = FirstOctet::read(&mut reader, kind).map(FirstOctet::octet);
                let found = octet & 0b11;
                let reserved = kind == Kind::Deliver && found == 0b11;
                let wrong = DecodeErrorKind::WrongType {
                    mti: found,
                    wanted: name(kind),
                };
                let expected = if found == mti || reserved {
                    Ok(octet)
                } else {
                    Err(wrong.at(0))
                };
                assert_eq!(read, expected, "{kind} {octet:02X}");
                let marks = usize::from(reserved) + usize::from(octet & unused != 0);
                let marks = if read.is_ok() { marks } else { 0 };
                assert_eq!(reader.into_marks().len(), marks, "{kind} {octet:02X}");
            }
        }
    }

    #[test]
    fn flags_that_are_set() {
        let first = FirstOctet::of(
            Kind::Submit,
            &[(HEADER, true), (REPORT, false), (0b10 << 3, true)],
        );
        assert_eq!(first.octet(), 0b0101_0001);
        assert!(first.has(HEADER) && !first.has(REPORT));
        assert_eq!(first.bits(VALIDITY), 0b10 << 3);
    }
}

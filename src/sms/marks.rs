//! Marks: octets that are not as the standard writes them, although what they say can be read.
//!
//! A decoder takes the best reading and leaves a mark. Octets that were read without a mark are written
//! again as they came.

use super::octets::DecodeError;

/// An oddity and its place. Holds no message content, so it may be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("octet {octet}: {kind}")]
pub struct Mark {
    /// Where, counted from 0 at the start of the octets that the decoder was given.
    pub octet: usize,
    /// What is odd there.
    pub kind: MarkKind,
}

/// What is odd about octets that were read. Fields are named in the words of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MarkKind {
    /// An address longer than any may be: read to its end or, if only that makes sense of what follows, as
    /// far as an address may go.
    #[error("{field} of {semi_octets} semi-octets, the most is {most}")]
    AddressTooLong {
        /// The field.
        field: &'static str,
        /// The length found.
        semi_octets: usize,
        /// The longest that the standard allows.
        most: usize,
    },
    /// A filler where a digit should be: passed over.
    #[error("a filler among the digits of {field}")]
    Filler {
        /// The field.
        field: &'static str,
    },
    /// A name whose length or whose septets are not those that its characters are written with.
    #[error("{field} is a name in septets that its characters are not written with")]
    Name {
        /// The field.
        field: &'static str,
    },
    /// Bits that have no meaning, or only one value, have another one: not heeded.
    #[error("bits of {field} that say nothing are not as they should be")]
    SpareBits {
        /// The field.
        field: &'static str,
    },
    /// A message type that the standard reserves: read as another one.
    #[error("the reserved message type {mti:02b} is read as {read_as}")]
    ReservedType {
        /// The two bits found.
        mti: u8,
        /// The type that they are read as.
        read_as: &'static str,
    },
    /// TP-UDHI tells of a header, but there are no user data.
    #[error("TP-UDHI without user data")]
    HeaderOfNothing,
    /// The last element of a user data header has not the octets that it announces: no element counts.
    #[error("the user data header ends inside an element: none of it counts")]
    HeaderCut,
    /// A part that no text has, such as the third of two: the element is not heeded.
    #[error("part {sequence} of {total} is none, the place is not heeded")]
    NoSuchPart {
        /// The part.
        sequence: u8,
        /// Of how many.
        total: u8,
    },
    /// TP-UDL has less septets than the header takes with its fill bits: there is no text.
    #[error("TP-UDL of {udl} septets, the header alone takes {header}")]
    LengthTooShort {
        /// TP-UDL.
        udl: u8,
        /// The septets that the header takes.
        header: usize,
    },
    /// An odd number of octets in UCS-2: the last is half a character.
    #[error("half a character at the end of TP-UD")]
    HalfCharacter,
    /// Half of a surrogate pair without its other half, which may stand in a neighbouring part.
    #[error("half of a surrogate pair in TP-UD")]
    HalfPair,
    /// An escape with nothing behind it, which may stand in the next part.
    #[error("an escape of nothing at the end of TP-UD")]
    Escape,
    /// No date and time of day, or a zone that is none.
    #[error("{field} is no time, or has no zone")]
    Time {
        /// The field.
        field: &'static str,
    },
    /// TP-PI stands there and announces nothing.
    #[error("TP-PI announces nothing")]
    NothingAnnounced,
    /// Optional fields that TP-PI announces are missing or broken.
    #[error("{}", .0.kind)]
    Cut(DecodeError),
}

impl Mark {
    /// Is it an address longer than any may be?
    pub(crate) fn is_too_long(&self) -> bool {
        matches!(self.kind, MarkKind::AddressTooLong { .. })
    }
}

impl MarkKind {
    /// The mark at a place.
    pub(crate) fn at(self, octet: usize) -> Mark {
        Mark { octet, kind: self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::octets::DecodeErrorKind;

    #[test]
    fn marks_name_their_octet_and_field() {
        let cut = DecodeErrorKind::TooShort {
            field: "TP-PID",
            missing: 1,
        };
        let (field, semi_octets, most) = ("TP-OA", 21, 20);
        let long = MarkKind::AddressTooLong {
            field,
            semi_octets,
            most,
        };
        let cases = [
            (long, "octet 7: TP-OA of 21 semi-octets, the most is 20"),
            (
                MarkKind::Filler { field },
                "octet 7: a filler among the digits of TP-OA",
            ),
            (
                MarkKind::Cut(cut.at(7)),
                "octet 7: the octets end inside TP-PID, 1 missing",
            ),
        ];
        for (kind, text) in cases {
            assert_eq!(kind.at(7).to_string(), text);
        }
    }
}

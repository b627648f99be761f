//! Reading octets in order, and the error that names the octet where reading stopped.
//!
//! Nothing here knows which fields exist; the files that do hand in the field's name.

use super::marks::{Mark, MarkKind};

/// Octets that are not what they should be. Holds no message content, so it may be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("octet {octet}: {kind}")]
pub struct DecodeError {
    /// Where, counted from 0 at the start of the octets that the decoder was given.
    pub octet: usize,
    /// What is wrong there.
    pub kind: DecodeErrorKind,
}

/// What is wrong with an octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeErrorKind {
    /// A character other than 0-9, A-F and a-f.
    #[error("not a hexadecimal digit")]
    NotHex,
    /// The last octet has one digit only.
    #[error("half an octet: the number of hexadecimal digits is odd")]
    HalfOctet,
    /// The octets end before the field does.
    #[error("the octets end inside {field}, {missing} missing")]
    TooShort {
        /// The field in the words of the standard.
        field: &'static str,
        /// How many more octets the field needs.
        missing: usize,
    },
    /// The message type (TP-MTI) is another one.
    #[error("message type {mti:02b} is not {wanted}")]
    WrongType {
        /// The two bits found.
        mti: u8,
        /// The type this decoder reads.
        wanted: &'static str,
    },
    /// An address longer than any may be: a service centre's, or one that is longer than all the octets.
    #[error("an address of {semi_octets} semi-octets, the most is {most}")]
    AddressTooLong {
        /// The length found.
        semi_octets: usize,
        /// The longest that the standard allows.
        most: usize,
    },
    /// TP-UDL announces more than a message can carry.
    #[error("user data of {octets} octets, the most is {most}")]
    UserDataTooLong {
        /// The length found, converted to octets.
        octets: usize,
        /// The longest that the standard allows.
        most: usize,
    },
    /// The user data header says it is longer than the user data around it.
    #[error("a user data header of {header} octets in user data of {octets}")]
    HeaderTooLong {
        /// Octets of the header with its length octet.
        header: usize,
        /// Octets of the whole TP-UD.
        octets: usize,
    },
}

impl DecodeErrorKind {
    /// The error at a place.
    pub(crate) fn at(self, octet: usize) -> DecodeError {
        DecodeError { octet, kind: self }
    }
}

/// A cursor over octets, with the marks left on the way.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
    marks: Vec<Mark>,
    doubts_lengths: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self {
            rest: octets,
            at: 0,
            marks: Vec::new(),
            doubts_lengths: false,
        }
    }

    /// A cursor for octets that made no sense with the lengths of addresses as they stand.
    pub(crate) fn doubting_lengths(octets: &'a [u8]) -> Self {
        Self {
            doubts_lengths: true,
            ..Self::new(octets)
        }
    }

    /// Is a field taken to be no longer than it may be, whatever its length octet says?
    pub(crate) fn doubts_lengths(&self) -> bool {
        self.doubts_lengths
    }

    /// Leaves a mark at an octet.
    pub(crate) fn mark(&mut self, octet: usize, kind: MarkKind) {
        self.marks.push(kind.at(octet));
    }

    /// The marks in the order in which they were left.
    pub(crate) fn into_marks(self) -> Vec<Mark> {
        self.marks
    }

    /// The index of the octet that is read next.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// All that was not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `count` octets, which belong to `field`.
    pub(crate) fn take(
        &mut self,
        count: usize,
        field: &'static str,
    ) -> Result<&'a [u8], DecodeError> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            let missing = count - self.rest.len();
            return Err(DecodeErrorKind::TooShort { field, missing }.at(self.at + self.rest.len()));
        };
        self.rest = rest;
        self.at += count;
        Ok(taken)
    }

    /// The next `N` octets as an array.
    pub(crate) fn array<const N: usize>(
        &mut self,
        field: &'static str,
    ) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, field)?);
        Ok(array)
    }

    /// The next octet.
    pub(crate) fn octet(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(field).map(|[octet]| octet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_past_the_end_names_the_first_octet_that_is_missing() {
        let mut reader = Reader::new(&[1, 2, 3]);
        assert_eq!(reader.octet("TP-MR"), Ok(1));
        let error = reader.take(7, "TP-SCTS").unwrap_err();
        assert_eq!(
            error,
            DecodeErrorKind::TooShort {
                field: "TP-SCTS",
                missing: 5
            }
            .at(3)
        );
        assert_eq!(
            error.to_string(),
            "octet 3: the octets end inside TP-SCTS, 5 missing"
        );
        assert_eq!((reader.at(), reader.rest()), (1, [2, 3].as_slice()));
        assert_eq!(reader.array::<2>("TP-UD"), Ok([2, 3]));
    }
}

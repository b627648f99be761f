//! A text into the fewest parts that the network accepts, and each part as an SMS-SUBMIT.

use std::ops::Range;

pub use super::submit::ReportRequest;

use super::alphabet::{self, Alphabet};
use super::fields::{Address, UserData, UserDataHeader};
use super::ids::PartNo;
use super::number::PhoneNumber;
use super::submit::Submit;

/// The most parts of one message: their number is an octet (TS 23.040, 9.2.3.24.1).
pub const MOST_PARTS: usize = 255;

/// How a text travels. Knows ranges of the text only, not the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The alphabet of every part.
    pub alphabet: Alphabet,
    /// The parts in order, at least one.
    pub segments: Vec<Segment>,
}

/// One part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its octets in the text.
    pub range: Range<usize>,
    /// Its length without header: septets, or UTF-16 units.
    pub units: usize,
}

/// Why a text cannot travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// There is nothing to send.
    #[error("the text is empty")]
    Empty,
    /// Over 255 parts.
    #[error("the text needs {parts} parts, the most is {MOST_PARTS}")]
    TooLong {
        /// As many as the text would need.
        parts: usize,
    },
}

/// Splits `text` into the fewest parts the network accepts.
///
/// Shape: GSM 7-bit if every character has a code, else UCS-2. One part of up to 160 septets (70
/// UTF-16 units), or parts of up to 153 (67) behind a header with an 8-bit reference. Escapes and
/// surrogate pairs are never cut in two.
/// Errors: no text, or over 255 parts.
/// Source: TS 23.040, 9.2.3.24.1.
pub fn split(text: &str) -> Result<Split, SplitError> {
    if text.is_empty() {
        return Err(SplitError::Empty);
    }
    let (alphabet, units, one, several) = match alphabet::septets(text) {
        Some(septets) => (Alphabet::Gsm7, septets, 160, 153),
        None => (Alphabet::Ucs2, text.encode_utf16().count(), 70, 67),
    };
    if units <= one {
        return Ok(Split {
            alphabet,
            segments: vec![Segment {
                range: 0..text.len(),
                units,
            }],
        });
    }
    let segments = cut(text, alphabet, several);
    if segments.len() > MOST_PARTS {
        return Err(SplitError::TooLong {
            parts: segments.len(),
        });
    }
    Ok(Split { alphabet, segments })
}

/// Fills each part before the next is begun: as no character is longer than a part, none does with fewer.
fn cut(text: &str, alphabet: Alphabet, most: usize) -> Vec<Segment> {
    let mut segments = Vec::with_capacity(text.len() / most + 1);
    let mut segment = Segment {
        range: 0..0,
        units: 0,
    };
    for (at, character) in text.char_indices() {
        let units = match alphabet {
            Alphabet::Gsm7 => alphabet::width(character).unwrap_or(0),
            Alphabet::Data8 | Alphabet::Ucs2 => character.len_utf16(),
        };
        if segment.units + units > most {
            segments.push(std::mem::replace(
                &mut segment,
                Segment {
                    range: at..at,
                    units: 0,
                },
            ));
        }
        segment.range.end = at + character.len_utf8();
        segment.units += units;
    }
    segments.push(segment);
    segments
}

impl Split {
    /// How many parts, 1 to 255.
    pub fn parts(&self) -> u8 {
        u8::try_from(self.segments.len()).unwrap_or(u8::MAX)
    }

    /// The user data of part `no`, with a header if there are several parts.
    ///
    /// Nothing if there is no such part or `text` is not the text that was split.
    pub fn user_data(&self, text: &str, no: PartNo, reference: u8) -> Option<UserData> {
        let segment = self.segments.get(usize::from(no.0).checked_sub(1)?)?;
        let header = (self.segments.len() > 1)
            .then(|| UserDataHeader::concat_8(reference, self.parts(), no.0));
        let text = text.get(segment.range.clone())?;
        match self.alphabet {
            Alphabet::Gsm7 => UserData::gsm7(header, text).ok(),
            Alphabet::Ucs2 => UserData::ucs2(header, text).ok(),
            Alphabet::Data8 => None,
        }
    }

    /// Part `no` as the TPDU to send.
    ///
    /// `reference` ties the parts of one text together: all parts of a text have the same one.
    /// Nothing if there is no such part or `text` is not the text that was split.
    pub fn submit(
        &self,
        text: &str,
        no: PartNo,
        recipient: &PhoneNumber,
        reference: u8,
        report: ReportRequest,
    ) -> Option<Submit> {
        let user_data = self.user_data(text, no, reference)?;
        Some(Submit::new(Address::from(recipient), user_data, report))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::fields::Concat;

    /// The units of each part.
    fn units(text: &str) -> Result<(Alphabet, Vec<usize>), SplitError> {
        split(text).map(|split| {
            (
                split.alphabet,
                split.segments.iter().map(|segment| segment.units).collect(),
            )
        })
    }

    #[test]
    fn the_fewest_parts() {
        use Alphabet::{Gsm7, Ucs2};
        let a = |count| "a".repeat(count);
        let ye = |count| "Є".repeat(count);
        let cases = [
            ("one character", "a".to_owned(), Gsm7, vec![1]),
            ("a full part", a(160), Gsm7, vec![160]),
            ("one more", a(161), Gsm7, vec![153, 8]),
            ("the euro makes it 161", a(159) + "€", Gsm7, vec![153, 8]),
            ("two full parts", a(306), Gsm7, vec![153, 153]),
            ("one more than two", a(307), Gsm7, vec![153, 153, 1]),
            (
                "an escape pair at the edge",
                a(152) + "€" + &a(8),
                Gsm7,
                vec![152, 10],
            ),
            (
                "an escape pair that fits",
                a(151) + "€" + &a(8),
                Gsm7,
                vec![153, 8],
            ),
            ("euros only", "€".repeat(81), Gsm7, vec![152, 10]),
            ("a full part of UCS-2", ye(70), Ucs2, vec![70]),
            ("one more of UCS-2", ye(71), Ucs2, vec![67, 4]),
            ("one letter decides", a(70) + "Є", Ucs2, vec![67, 4]),
            (
                "a surrogate pair at the edge",
                ye(66) + "😀" + &ye(3),
                Ucs2,
                vec![66, 5],
            ),
            (
                "a surrogate pair that fits",
                ye(65) + "😀" + &ye(4),
                Ucs2,
                vec![67, 4],
            ),
            ("pairs only", "😀".repeat(36), Ucs2, vec![66, 6]),
            (
                "as many as there may be",
                a(255 * 153),
                Gsm7,
                vec![153; 255],
            ),
        ];
        for (name, text, alphabet, expected) in cases {
            assert_eq!(units(&text), Ok((alphabet, expected)), "{name}");
        }
    }

    #[test]
    fn texts_that_cannot_travel() {
        assert_eq!(units(""), Err(SplitError::Empty));
        assert_eq!(
            units(&"a".repeat(255 * 153 + 1)),
            Err(SplitError::TooLong { parts: 256 })
        );
        assert_eq!(
            units(&"Є".repeat(300 * 67)),
            Err(SplitError::TooLong { parts: 300 })
        );
    }

    #[test]
    fn each_part_says_where_it_belongs() {
        let recipient: PhoneNumber = "+447700900123".parse().unwrap();
        let text = "a".repeat(150) + "😀";
        let split = split(&text).unwrap();
        let submit = |no| split.submit(&text, PartNo(no), &recipient, 0xFE, ReportRequest::Wanted);
        let concat = |no| {
            submit(no).and_then(|submit| submit.user_data.header().and_then(UserDataHeader::concat))
        };
        for sequence in 1..=3 {
            assert_eq!(
                concat(sequence),
                Some(Concat {
                    reference: 0xFE,
                    total: 3,
                    sequence
                })
            );
        }
        assert_eq!(submit(3).unwrap().text(), "a".repeat(16) + "😀");
        assert_eq!((submit(0), submit(4)), (None, None));
        assert_eq!(
            split.submit("another", PartNo(1), &recipient, 0, ReportRequest::Wanted),
            None
        );
    }

    #[test]
    fn a_single_part_has_no_header() {
        let user_data = split("Hi").unwrap().user_data("Hi", PartNo(1), 7).unwrap();
        assert_eq!(
            (user_data.header(), user_data.text().as_str()),
            (None, "Hi")
        );
    }
}

//! A text into the fewest parts that the network accepts, and each part as an SMS-SUBMIT.

use std::ops::Range;

pub use super::fields::ReferenceWidth;
pub use super::submit::ReportRequest;

use super::alphabet::{Alphabet, Language, Shifts, Tables};
use super::fields::{Address, MOST_OCTETS, UserData, UserDataHeader};
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
    /// The national tables of every part, if the alphabet is GSM 7-bit.
    pub shifts: Shifts,
    /// The reference of several parts.
    pub reference: ReferenceWidth,
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

/// What the sender may use, and knows the receiver to read. By default: no national tables, an 8-bit
/// reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowed<'a> {
    /// The alphabet, if it is not to be chosen.
    pub encoding: Encoding,
    /// The languages whose single shift tables may be chosen; they are where that saves a part.
    pub single: &'a [Language],
    /// The languages whose locking shift tables may be chosen, in the same way, also together with a single
    /// one. Languages without one are passed over.
    pub locking: &'a [Language],
    /// The reference of several parts.
    pub reference: ReferenceWidth,
}

/// Which alphabet a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encoding {
    /// The one of the fewest parts. Of equals the one that most phones read: the default alphabet, then
    /// UCS-2, then GSM 7-bit with one national table, then with two.
    #[default]
    Fewest,
    /// GSM 7-bit with these tables and no others.
    Gsm7(Shifts),
    /// UCS-2.
    Ucs2,
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
        /// As many as the text would need at the least.
        parts: usize,
    },
    /// Tables were demanded that do not have every character.
    #[error("the character at octet {at} of the text is not in the tables demanded")]
    NotInTables {
        /// Where the first such character begins, in octets of the text.
        at: usize,
    },
}

/// Splits `text` into the fewest parts the network accepts.
///
/// Shape: GSM 7-bit if every character has a code in the default tables, else UCS-2. One part of up to
/// 160 septets (70 UTF-16 units), or parts of up to 153 (67) behind a header with an 8-bit reference.
/// Escapes and surrogate pairs are never cut in two.
/// Errors: no text, or over 255 parts.
/// Source: TS 23.040, 9.2.3.24.1.
pub fn split(text: &str) -> Result<Split, SplitError> {
    split_with(text, &Allowed::default())
}

/// Splits `text` as [`split`] does, with what is `allowed`.
///
/// Shape: as by [`split`]; a 16-bit reference leaves 152 septets (66 units), each national table named in
/// the header 3 octets less: 155 septets with one table, 149 in one of several parts.
/// Errors: also a character that is not in the tables demanded.
pub fn split_with(text: &str, allowed: &Allowed<'_>) -> Result<Split, SplitError> {
    if text.is_empty() {
        return Err(SplitError::Empty);
    }
    // Before any table is tried: no coding puts more characters into a part.
    let least = text.chars().count().div_ceil(160);
    if least > MOST_PARTS {
        return Err(SplitError::TooLong { parts: least });
    }
    let lay = |coding: Coding| coding.lay(text, allowed.reference);
    let split = match allowed.encoding {
        Encoding::Ucs2 => lay(Coding::Ucs2),
        Encoding::Gsm7(shifts) => lay(Coding::Gsm7(shifts)),
        Encoding::Fewest => lay(Coding::Gsm7(Shifts::NONE))
            .or_else(|| lay(Coding::Ucs2))
            .map(|plain| with_languages(text, plain, allowed)),
    };
    let split = split.ok_or_else(|| SplitError::NotInTables {
        at: stranger(text, allowed.encoding),
    })?;
    if split.segments.len() > MOST_PARTS {
        return Err(SplitError::TooLong {
            parts: split.segments.len(),
        });
    }
    Ok(split)
}

/// The first character that the tables demanded do not have.
fn stranger(text: &str, encoding: Encoding) -> usize {
    let Encoding::Gsm7(shifts) = encoding else {
        return 0;
    };
    let tables = Tables::of(shifts);
    let mut characters = text.char_indices();
    let found = characters.find(|(_, character)| tables.width(*character).is_none());
    found.map_or(0, |(at, _)| at)
}

/// The choice of tables with fewer parts than `plain`, if there is one.
fn with_languages(text: &str, plain: Split, allowed: &Allowed<'_>) -> Split {
    let mut best = plain;
    let characters = text.chars().count();
    for coding in choices(allowed).map(Coding::Gsm7) {
        // No table writes a character in less than one septet.
        if coding.least(characters, allowed.reference) >= best.segments.len() {
            continue;
        }
        match coding.lay(text, allowed.reference) {
            Some(split) if split.segments.len() < best.segments.len() => best = split,
            _ => {}
        }
    }
    best
}

/// All tables that are allowed, one before two.
fn choices<'a>(allowed: &Allowed<'a>) -> impl Iterator<Item = Shifts> + use<'a> {
    let (single, locking) = (allowed.single, allowed.locking);
    let singles = || single.iter().copied().map(Some);
    let lockings = locking
        .iter()
        .copied()
        .filter(|language| language.has_locking());
    let lockings = move || lockings.clone().map(Some);
    let one_single = singles().map(|single| Shifts {
        locking: None,
        single,
    });
    let one_locking = lockings().map(|locking| Shifts {
        locking,
        single: None,
    });
    let two =
        lockings().flat_map(move |locking| singles().map(move |single| Shifts { locking, single }));
    one_single.chain(one_locking).chain(two)
}

/// A way to write a text.
#[derive(Clone, Copy)]
enum Coding {
    Gsm7(Shifts),
    Ucs2,
}

impl Coding {
    /// The parts of a text; nothing if a character cannot be written so.
    fn lay(self, text: &str, reference: ReferenceWidth) -> Option<Split> {
        let (alphabet, shifts) = match self {
            Self::Gsm7(shifts) => (Alphabet::Gsm7, shifts),
            Self::Ucs2 => (Alphabet::Ucs2, Shifts::NONE),
        };
        let segments = match self {
            Self::Gsm7(_) => {
                let tables = Tables::of(shifts);
                self.segments(text, reference, |character| tables.width(character))
            }
            Self::Ucs2 => self.segments(text, reference, |character| Some(character.len_utf16())),
        };
        Some(Split {
            alphabet,
            shifts,
            reference,
            segments: segments?,
        })
    }

    fn segments(
        self,
        text: &str,
        reference: ReferenceWidth,
        width: impl Fn(char) -> Option<usize>,
    ) -> Option<Vec<Segment>> {
        let units = text.chars().map(&width).sum::<Option<usize>>()?;
        if units <= self.room(0) {
            return Some(vec![Segment {
                range: 0..text.len(),
                units,
            }]);
        }
        Some(cut(text, self.room_of_several(reference), |character| {
            width(character).unwrap_or(0)
        }))
    }

    /// How many parts `units` take at least.
    fn least(self, units: usize, reference: ReferenceWidth) -> usize {
        if units <= self.room(0) {
            1
        } else {
            units.div_ceil(self.room_of_several(reference))
        }
    }

    /// The units that each of several parts has room for.
    fn room_of_several(self, reference: ReferenceWidth) -> usize {
        self.room(match reference {
            ReferenceWidth::Eight => 5,
            ReferenceWidth::Sixteen => 6,
        })
    }

    /// The units that a part has room for behind a header with `elements` octets besides the shifts'.
    fn room(self, elements: usize) -> usize {
        let elements = match self {
            Self::Gsm7(shifts) => elements + shifts.header_octets(),
            Self::Ucs2 => elements,
        };
        // A header has its length octet before it.
        let header = if elements == 0 { 0 } else { 1 + elements };
        let octets = MOST_OCTETS - header;
        match self {
            Self::Gsm7(_) => octets * 8 / 7,
            Self::Ucs2 => octets / 2,
        }
    }
}

/// Fills each part before the next is begun: as no character is longer than a part, none does with fewer.
fn cut(text: &str, most: usize, width: impl Fn(char) -> usize) -> Vec<Segment> {
    let mut segments = Vec::with_capacity(text.len() / most + 1);
    let mut segment = Segment {
        range: 0..0,
        units: 0,
    };
    for (at, character) in text.char_indices() {
        let units = width(character);
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

    /// The user data of part `no`, with a header if there are several parts or national tables.
    ///
    /// Nothing if there is no such part or `text` is not the text that was split.
    pub fn user_data(&self, text: &str, no: PartNo, reference: u8) -> Option<UserData> {
        self.user_data_wide(text, no, reference.into())
    }

    /// Like [`Split::user_data`], with a reference of 16 bits; its low octet counts where the split has
    /// room for 8.
    pub fn user_data_wide(&self, text: &str, no: PartNo, reference: u16) -> Option<UserData> {
        let segment = self.segments.get(usize::from(no.0).checked_sub(1)?)?;
        let text = text.get(segment.range.clone())?;
        let header = self.header(no, reference);
        match self.alphabet {
            Alphabet::Gsm7 => UserData::gsm7(header, text).ok(),
            Alphabet::Ucs2 => UserData::ucs2(header, text).ok(),
            Alphabet::Data8 => None,
        }
    }

    fn header(&self, no: PartNo, reference: u16) -> Option<UserDataHeader> {
        let [_, low] = reference.to_be_bytes();
        let concat = (self.segments.len() > 1).then(|| match self.reference {
            ReferenceWidth::Eight => UserDataHeader::concat_8(low, self.parts(), no.0),
            ReferenceWidth::Sixteen => UserDataHeader::concat_16(reference, self.parts(), no.0),
        });
        if self.shifts == Shifts::NONE {
            return concat;
        }
        let header = concat.unwrap_or_else(|| UserDataHeader::from_octets(&[]));
        Some(header.with_shifts(self.shifts))
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
    fn as_many_parts_as_an_octet_can_number() {
        use Encoding::{Fewest, Gsm7, Ucs2};
        use ReferenceWidth::{Eight, Sixteen};
        let turkish = Gsm7(Shifts {
            locking: Some(Language::Turkish),
            single: None,
        });
        // A character, and how many of it a part has room for.
        let cases = [
            (Fewest, Eight, "a", 153),
            (Fewest, Sixteen, "a", 152),
            (Fewest, Eight, "€", 76),
            (turkish, Eight, "ş", 149),
            (turkish, Sixteen, "ş", 148),
            (Ucs2, Eight, "a", 67),
            (Ucs2, Sixteen, "Є", 66),
            (Fewest, Eight, "😀", 33),
        ];
        for (encoding, reference, character, room) in cases {
            let allowed = Allowed {
                encoding,
                reference,
                ..Allowed::default()
            };
            let parts = |count| {
                let split = split_with(&character.repeat(count), &allowed);
                split.map(|split| split.parts())
            };
            assert_eq!(parts(255 * room), Ok(255), "{character} {room}");
            let too_long = Err(SplitError::TooLong { parts: 256 });
            assert_eq!(parts(255 * room + 1), too_long, "{character} {room}");
        }
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

    #[test]
    fn the_room_behind_each_header() {
        use ReferenceWidth::{Eight, Sixteen};
        let one = Some(Language::Turkish);
        let shifts = |locking, single| Encoding::Gsm7(Shifts { locking, single });
        // Of one part, then of each of several.
        let cases = [
            (shifts(None, None), Eight, 160, 153),
            (shifts(None, None), Sixteen, 160, 152),
            (shifts(None, one), Eight, 155, 149),
            (shifts(one, None), Eight, 155, 149),
            (shifts(one, None), Sixteen, 155, 148),
            (shifts(one, one), Eight, 152, 146),
            (shifts(one, one), Sixteen, 152, 145),
            (Encoding::Ucs2, Eight, 70, 67),
            (Encoding::Ucs2, Sixteen, 70, 66),
        ];
        for (encoding, reference, single, several) in cases {
            let allowed = Allowed {
                encoding,
                reference,
                ..Allowed::default()
            };
            let units = |count: usize| -> Vec<usize> {
                let text = "a".repeat(count);
                let split = split_with(&text, &allowed).unwrap();
                for no in (1..=split.parts()).map(PartNo) {
                    let user_data = split.user_data_wide(&text, no, 0x1234).unwrap();
                    let width = user_data.header().and_then(UserDataHeader::concat);
                    let expected = match reference {
                        Eight => 0x34,
                        Sixteen => 0x1234,
                    };
                    assert!(width.is_none_or(|concat| concat.reference == expected));
                    assert_eq!(
                        user_data.text().len(),
                        split.segments[usize::from(no.0) - 1].units
                    );
                }
                split.segments.iter().map(|segment| segment.units).collect()
            };
            assert_eq!(units(single), [single], "{encoding:?}");
            let more = single + 1;
            assert_eq!(units(more), [several, more - several], "{encoding:?}");
            let full = 2 * several;
            assert_eq!(units(full), [several, several], "{encoding:?}");
        }
    }

    /// What is allowed, the text (a pattern, how often, what follows), and what is chosen of it.
    type Case = (
        &'static [Language],
        (&'static str, usize, &'static str),
        (Alphabet, Option<Language>, Option<Language>, usize),
    );

    #[test]
    fn national_tables_only_where_they_save_a_part() {
        use Alphabet::{Gsm7, Ucs2};
        use Language::{Hindi, Portuguese, Spanish, Turkish, Urdu};
        #[rustfmt::skip]
        const CASES: &[Case] = &[
            (&[], ("ş", 71, ""), (Ucs2, None, None, 2)),
            (&Language::ALL, ("a", 161, ""), (Gsm7, None, None, 2)),
            (&[Turkish], ("ş", 70, ""), (Ucs2, None, None, 1)),
            (&[Turkish], ("a", 130, "şğ"), (Gsm7, None, Some(Turkish), 1)),
            (&[Turkish], ("ş", 155, ""), (Gsm7, Some(Turkish), None, 1)),
            (&[Turkish], ("€", 155, ""), (Gsm7, Some(Turkish), None, 1)),
            (&[Spanish, Portuguese], ("ş", 155, ""), (Ucs2, None, None, 3)),
            (&Language::ALL, ("á", 77, ""), (Gsm7, None, Some(Spanish), 1)),
            (&[Turkish, Hindi], ("नम A", 30, ""), (Gsm7, Some(Hindi), Some(Hindi), 1)),
            (&[Hindi, Urdu], ("न", 100, "۱"), (Gsm7, Some(Hindi), Some(Urdu), 1)),
            (&Language::ALL, ("ş", 155, "Є"), (Ucs2, None, None, 3)),
        ];
        for &(languages, (pattern, times, tail), expected) in CASES {
            let text = pattern.repeat(times) + tail;
            let allowed = Allowed {
                single: languages,
                locking: languages,
                ..Allowed::default()
            };
            let split = split_with(&text, &allowed).unwrap();
            let Shifts { locking, single } = split.shifts;
            let chosen = (split.alphabet, locking, single, split.segments.len());
            assert_eq!(chosen, expected, "{text}");
            let parts: Vec<UserData> = (1..=split.parts())
                .filter_map(|no| split.user_data(&text, PartNo(no), 1))
                .collect();
            assert_eq!(crate::sms::fields::joined_text(&parts), text);
            let named = parts[0].header().map(UserDataHeader::shifts);
            assert_eq!(named.unwrap_or_default(), split.shifts, "{text}");
        }
    }

    #[test]
    fn tables_that_lack_a_character_are_refused() {
        let allowed = |locking| Allowed {
            encoding: Encoding::Gsm7(Shifts {
                locking,
                single: None,
            }),
            ..Allowed::default()
        };
        assert_eq!(
            split_with("éЄ", &allowed(None)),
            Err(SplitError::NotInTables { at: 2 })
        );
        assert_eq!(
            split_with("aì", &allowed(Some(Language::Turkish))),
            Err(SplitError::NotInTables { at: 1 })
        );
        assert_eq!(split_with("", &allowed(None)), Err(SplitError::Empty));
    }
}

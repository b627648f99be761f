//! TP-User-Data: an optional header, then septets, octets or UTF-16, at most 140 octets in all.

use std::fmt;

use super::{Dcs, UserDataHeader};
use crate::sms::alphabet::{self, Alphabet, Shifts, Tables};
use crate::sms::marks::MarkKind;
use crate::sms::octets::{DecodeError, DecodeErrorKind, Reader};
use crate::sms::pdu::encode_hex;

/// The most octets of TP-UD (TS 23.040, 9.2.3.16).
pub(crate) const MOST_OCTETS: usize = 140;

/// TP-UDL and TP-UD (TS 23.040, 9.2.3.16 and 9.2.3.24). Always fits into one message, except what was
/// read from a report, which may have some octets more.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UserData {
    header: Option<UserDataHeader>,
    alphabet: Alphabet,
    /// Septets unpacked, one an octet; else the octets as on the wire, of which a stranger's UCS-2 may
    /// have an odd number.
    units: Vec<u8>,
    /// TP-UDL, which a stranger may have set to less than a header and its fill bits take.
    udl: u8,
}

/// Why something cannot be user data. Holds no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadUserData {
    /// A character outside the GSM alphabet.
    #[error("the text has a character that is not in the tables of the GSM 7-bit alphabet")]
    NotInAlphabet,
    /// Header and text together are over 140 octets.
    #[error("user data of {0} octets, the most is {MOST_OCTETS}")]
    TooLong(usize),
}

impl UserData {
    /// A text in the GSM 7-bit alphabet, with the national tables that the header names, if it does.
    pub fn gsm7(header: Option<UserDataHeader>, text: &str) -> Result<Self, BadUserData> {
        let septets = tables(header.as_ref())
            .encode(text)
            .ok_or(BadUserData::NotInAlphabet)?;
        Self::checked(header, Alphabet::Gsm7, septets)
    }

    /// A text in UCS-2.
    pub fn ucs2(header: Option<UserDataHeader>, text: &str) -> Result<Self, BadUserData> {
        let mut octets = Vec::with_capacity(2 * text.len());
        for unit in text.encode_utf16() {
            octets.extend(unit.to_be_bytes());
        }
        Self::checked(header, Alphabet::Ucs2, octets)
    }

    /// Octets without a text.
    pub fn data8(header: Option<UserDataHeader>, octets: &[u8]) -> Result<Self, BadUserData> {
        Self::checked(header, Alphabet::Data8, octets.to_vec())
    }

    fn checked(
        header: Option<UserDataHeader>,
        alphabet: Alphabet,
        units: Vec<u8>,
    ) -> Result<Self, BadUserData> {
        let length = match alphabet {
            Alphabet::Gsm7 => header_septets(header_octets(header.as_ref())),
            Alphabet::Data8 | Alphabet::Ucs2 => header_octets(header.as_ref()),
        } + units.len();
        let octets = octets_of(length, alphabet);
        match u8::try_from(length) {
            Ok(udl) if octets <= MOST_OCTETS => Ok(Self {
                header,
                alphabet,
                units,
                udl,
            }),
            _ => Err(BadUserData::TooLong(octets)),
        }
    }

    /// The header, if the message has one.
    pub fn header(&self) -> Option<&UserDataHeader> {
        self.header.as_ref()
    }

    /// How the text is coded.
    pub fn alphabet(&self) -> Alphabet {
        self.alphabet
    }

    /// The text: lone surrogates and half characters become U+FFFD, 8-bit data upper-case hex. National
    /// tables that the header names are obeyed.
    pub fn text(&self) -> String {
        self.read(&self.units)
    }

    /// Reads units as this part's are to be read.
    fn read(&self, units: &[u8]) -> String {
        match self.alphabet {
            Alphabet::Gsm7 => tables(self.header()).decode(units),
            Alphabet::Data8 => encode_hex(units),
            Alphabet::Ucs2 => utf16(units),
        }
    }

    /// The octets after the header as they travel, septets packed without the fill bits before them.
    pub fn payload(&self) -> Vec<u8> {
        match self.alphabet {
            Alphabet::Gsm7 => alphabet::pack(&self.units, 0),
            Alphabet::Data8 | Alphabet::Ucs2 => self.units.clone(),
        }
    }

    /// TP-UDL: septets for GSM 7-bit, else octets; header and fill bits included. As on the wire, if the
    /// user data were read.
    pub fn udl(&self) -> u8 {
        self.udl
    }

    /// Octets of TP-UD.
    fn octets(&self) -> usize {
        octets_of(self.udl.into(), self.alphabet)
    }

    /// Appends TP-UDL and TP-UD.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.udl);
        let end = out.len() + self.octets();
        if let Some(header) = &self.header {
            out.push(u8::try_from(header.octets().len()).unwrap_or(u8::MAX));
            out.extend_from_slice(header.octets());
        }
        match self.alphabet {
            Alphabet::Gsm7 => {
                let fill = alphabet::fill_bits(header_octets(self.header()));
                alphabet::pack_into(out, &self.units, fill);
                // No fill bits where TP-UDL has no room for them.
                out.truncate(end);
            }
            Alphabet::Data8 | Alphabet::Ucs2 => out.extend_from_slice(&self.units),
        }
    }

    /// Reads TP-UDL and TP-UD of a message; `with_header` is TP-UDHI.
    pub(crate) fn decode(
        reader: &mut Reader<'_>,
        dcs: Dcs,
        with_header: bool,
    ) -> Result<Self, DecodeError> {
        Self::decode_within(reader, dcs, with_header, MOST_OCTETS)
    }

    /// Reads TP-UDL and TP-UD of at most so many octets.
    pub(crate) fn decode_within(
        reader: &mut Reader<'_>,
        dcs: Dcs,
        with_header: bool,
        most: usize,
    ) -> Result<Self, DecodeError> {
        let alphabet = dcs.alphabet();
        let at = reader.at();
        let udl = reader.octet("TP-UDL")?;
        let octets = octets_of(udl.into(), alphabet);
        if octets > most {
            return Err(DecodeErrorKind::UserDataTooLong { octets, most }.at(at));
        }
        let at = reader.at();
        let mut field = Reader::new(reader.take(octets, "TP-UD")?);
        let header = if with_header {
            let header = header(&mut field).map_err(|kind| kind.at(at))?;
            for (index, kind) in header.odd() {
                reader.mark(at + 1 + index, kind);
            }
            Some(header)
        } else {
            None
        };
        let header_octets = field.at();
        let rest = field.rest();
        let units = match alphabet {
            Alphabet::Gsm7 => {
                let header = header_septets(header_octets);
                let count = usize::from(udl).checked_sub(header).unwrap_or_else(|| {
                    reader.mark(at - 1, MarkKind::LengthTooShort { udl, header });
                    0
                });
                let fill = alphabet::fill_bits(header_octets);
                if let Some(index) = spare_bits(rest, fill, count) {
                    let kind = MarkKind::SpareBits { field: "TP-UD" };
                    reader.mark(at + header_octets + index, kind);
                }
                let septets = alphabet::unpack(rest, fill, count);
                if alphabet::ends_in_escape(&septets) {
                    let index = (fill + 7 * (count - 1)) / 8;
                    reader.mark(at + header_octets + index, MarkKind::Escape);
                }
                septets
            }
            Alphabet::Data8 => rest.to_vec(),
            Alphabet::Ucs2 => {
                for (index, kind) in odd_utf16(rest) {
                    reader.mark(at + header_octets + index, kind);
                }
                rest.to_vec()
            }
        };
        Ok(Self {
            header,
            alphabet,
            units,
            udl,
        })
    }
}

/// The text of parts in their order.
///
/// What senders cut in two at the border of neighbours is whole again: surrogate pairs, escapes, and
/// (where a part is filled to its last octet) characters of UCS-2.
pub fn joined_text<'a>(parts: impl IntoIterator<Item = &'a UserData>) -> String {
    let mut parts = parts.into_iter().peekable();
    let mut text = String::new();
    while let Some(first) = parts.next() {
        let mut last = first;
        let mut run = first.units.clone();
        while let Some(next) = parts.next_if(|next| next.continues(last)) {
            run.extend_from_slice(&next.units);
            last = next;
        }
        text += &first.read(&run);
    }
    text
}

impl UserData {
    /// May the units of this part be read on from those of the part before it?
    fn continues(&self, before: &Self) -> bool {
        self.alphabet == before.alphabet
            && match self.alphabet {
                Alphabet::Gsm7 => shifts(self.header()) == shifts(before.header()),
                Alphabet::Data8 => true,
                // Half a character in a part with room left is damage, not a cut: reading on would
                // shift all that follows by an octet.
                Alphabet::Ucs2 => {
                    before.units.len().is_multiple_of(2) || before.octets() == MOST_OCTETS
                }
            }
    }
}

/// The tables that a header names, the default ones if it names none.
fn shifts(header: Option<&UserDataHeader>) -> Shifts {
    header.map_or(Shifts::NONE, UserDataHeader::shifts)
}

fn tables(header: Option<&UserDataHeader>) -> Tables {
    Tables::of(shifts(header))
}

/// Octets of a header with its length octet, 0 without header.
fn header_octets(header: Option<&UserDataHeader>) -> usize {
    header.map_or(0, |header| 1 + header.octets().len())
}

/// The octets that a TP-UDL comes to.
fn octets_of(udl: usize, alphabet: Alphabet) -> usize {
    match alphabet {
        Alphabet::Gsm7 => (udl * 7).div_ceil(8),
        Alphabet::Data8 | Alphabet::Ucs2 => udl,
    }
}

/// The index of the first octet with a bit set before or behind `count` septets, which begin after `fill`
/// bits.
fn spare_bits(octets: &[u8], fill: usize, count: usize) -> Option<usize> {
    if octets.first()? & ((1 << fill) - 1) != 0 {
        return Some(0);
    }
    let end = fill + 7 * count;
    let (last, bits) = (end / 8, end % 8);
    let behind = octets.get(last..)?;
    let mut shown = behind
        .iter()
        .zip(std::iter::once(bits).chain(std::iter::repeat(0)));
    let index = shown.position(|(octet, bits)| octet >> bits != 0)?;
    Some(last + index)
}

/// The septets that a header takes, fill bits included.
fn header_septets(octets: usize) -> usize {
    (octets * 8).div_ceil(7)
}

fn header(field: &mut Reader<'_>) -> Result<UserDataHeader, DecodeErrorKind> {
    let octets = field.rest().len();
    let length = field
        .octet("TP-UDHL")
        .map(usize::from)
        .map_err(|error| error.kind)?;
    let elements = field
        .take(length, "TP-UDH")
        .map_err(|_| DecodeErrorKind::HeaderTooLong {
            header: 1 + length,
            octets,
        })?;
    Ok(UserDataHeader::from_octets(elements))
}

/// The first half of a pair that stands alone, and half a character at the end, with their indices.
fn odd_utf16(octets: &[u8]) -> impl Iterator<Item = (usize, MarkKind)> {
    let (pairs, rest) = octets.as_chunks::<2>();
    let mut at = 0;
    let mut units = char::decode_utf16(pairs.iter().copied().map(u16::from_be_bytes));
    let alone = units.find_map(|unit| {
        let index = at;
        at += 2 * unit.as_ref().map_or(1, |character| character.len_utf16());
        unit.is_err().then_some((index, MarkKind::HalfPair))
    });
    let half = (!rest.is_empty()).then_some((2 * pairs.len(), MarkKind::HalfCharacter));
    alone.into_iter().chain(half)
}

fn utf16(octets: &[u8]) -> String {
    let (pairs, rest) = octets.as_chunks::<2>();
    let units = pairs.iter().copied().map(u16::from_be_bytes);
    let half = (!rest.is_empty()).then_some(char::REPLACEMENT_CHARACTER);
    // No unit takes more than three octets of UTF-8.
    let mut text = String::with_capacity(3 * octets.len().div_ceil(2));
    text.extend(
        char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .chain(half),
    );
    text
}

/// Shows the shape of the message, never its text.
impl fmt::Debug for UserData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserData")
            .field("header", &self.header)
            .field("alphabet", &self.alphabet())
            .field("udl", &self.udl())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::alphabet::Language;
    use crate::sms::pdu::decode_hex;

    const GSM7: Dcs = Dcs(0x00);
    const DATA8: Dcs = Dcs(0x04);
    const UCS2: Dcs = Dcs(0x08);

    fn read(hex: &str, dcs: Dcs, with_header: bool) -> Result<UserData, DecodeError> {
        UserData::decode(
            &mut Reader::new(&decode_hex(hex).unwrap()),
            dcs,
            with_header,
        )
    }

    fn written(user_data: &UserData) -> String {
        let mut out = Vec::new();
        user_data.encode(&mut out);
        encode_hex(&out)
    }

    fn concat() -> UserDataHeader {
        UserDataHeader::concat_8(0x5A, 2, 1)
    }

    #[test]
    fn user_data_of_every_kind() {
        let cases = [
            (UserData::gsm7(None, "Hi"), GSM7, "02C834", "Hi"),
            (UserData::gsm7(None, ""), GSM7, "00", ""),
            (
                UserData::gsm7(Some(concat()), "Hi"),
                GSM7,
                "090500035A02019069",
                "Hi",
            ),
            (
                UserData::gsm7(Some(concat()), ""),
                GSM7,
                "070500035A020100",
                "",
            ),
            (
                UserData::gsm7(Some(UserDataHeader::concat_16(0x0102, 2, 2)), "Hi"),
                GSM7,
                "0A06080401020202C834",
                "Hi",
            ),
            (UserData::ucs2(None, "Є😀"), UCS2, "060404D83DDE00", "Є😀"),
            (
                UserData::ucs2(Some(concat()), "Є"),
                UCS2,
                "080500035A02010404",
                "Є",
            ),
            (
                UserData::data8(None, &[0x00, 0xAB]),
                DATA8,
                "0200AB",
                "00AB",
            ),
            (
                UserData::gsm7(Some(UserDataHeader::from_octets(&[])), "Hi"),
                GSM7,
                "040000320D",
                "Hi",
            ),
        ];
        for (user_data, dcs, hex, text) in cases {
            let user_data = user_data.unwrap();
            assert_eq!(
                (written(&user_data), user_data.text()),
                (hex.to_owned(), text.to_owned())
            );
            assert_eq!(
                read(hex, dcs, user_data.header().is_some()),
                Ok(user_data),
                "{hex}"
            );
        }
    }

    #[test]
    fn strange_text_is_still_text() {
        let cases = [
            ("half a surrogate pair", "04D83D0041", "\u{FFFD}A"),
            ("the other half", "04DE000041", "\u{FFFD}A"),
            ("half a character", "03004142", "A\u{FFFD}"),
        ];
        for (name, hex, text) in cases {
            let user_data = read(hex, UCS2, false).unwrap();
            assert_eq!(
                (user_data.text().as_str(), written(&user_data).as_str()),
                (text, hex),
                "{name}"
            );
        }
        let compressed = read("02C834", Dcs(0x20), false).unwrap();
        assert_eq!(
            (compressed.text().as_str(), compressed.alphabet()),
            ("C834", Alphabet::Data8)
        );
    }

    #[test]
    fn an_at_sign_at_the_end_is_told_from_spare_bits() {
        for (hex, text) in [
            ("0731D98C56B3DD00", "1234567"),
            ("0831D98C56B3DD00", "1234567@"),
            ("0100", "@"),
        ] {
            let user_data = read(hex, GSM7, false).unwrap();
            assert_eq!(user_data.text(), text, "{hex}");
            assert_eq!(written(&user_data), hex);
        }
    }

    #[test]
    fn the_tables_are_those_that_the_header_names() {
        let (locking, single) = (Some(Language::Turkish), Some(Language::Spanish));
        let header = |locking, single| {
            Some(UserDataHeader::from_octets(&[]).with_shifts(Shifts { locking, single }))
        };
        let turkish = UserData::gsm7(header(locking, None), "ışık").unwrap();
        assert_eq!(
            (turkish.text().as_str(), written(&turkish).as_str()),
            ("ışık", "090325010138740E6B")
        );
        // The same septets without the header.
        let plain = UserData {
            header: None,
            ..turkish.clone()
        };
        assert_eq!(plain.text(), "ìæìk");
        let both = UserData::gsm7(header(locking, single), "ıá").unwrap();
        assert_eq!(
            (both.text().as_str(), both.units.as_slice()),
            ("ıá", [0x07, 0x1B, 0x61].as_slice())
        );
        assert_eq!(
            UserData::gsm7(header(None, single), "ı"),
            Err(BadUserData::NotInAlphabet)
        );
        // Without meaning for other alphabets.
        let ucs2 = UserData::ucs2(header(locking, None), "ı").unwrap();
        assert_eq!(ucs2.text(), "ı");
    }

    #[test]
    fn what_was_cut_between_parts_is_whole_again() {
        let part =
            |alphabet, units: &[u8]| UserData::checked(None, alphabet, units.to_vec()).unwrap();
        let gsm7 = |units: &[u8]| part(Alphabet::Gsm7, units);
        let ucs2 = |units: &[u8]| part(Alphabet::Ucs2, units);
        let full = [[0x04, 0x04].repeat(69), vec![0x04]].concat();
        let cases = [
            ("nothing", vec![], String::new()),
            (
                "a pair",
                vec![ucs2(&[0, 0x41, 0xD8, 0x3D]), ucs2(&[0xDE, 0, 0, 0x42])],
                "A😀B".into(),
            ),
            (
                "a pair over three parts",
                vec![ucs2(&[0xD8, 0x3D]), ucs2(&[]), ucs2(&[0xDE, 0])],
                "😀".into(),
            ),
            (
                "an escape",
                vec![gsm7(&[0x41, 0x1B]), gsm7(&[0x65, 0x42])],
                "A€B".into(),
            ),
            (
                "an escape without a partner",
                vec![gsm7(&[0x41, 0x1B]), ucs2(&[0x04, 0x04])],
                "A Є".into(),
            ),
            (
                "half a pair without a partner",
                vec![ucs2(&[0xD8, 0x3D]), gsm7(&[0x41])],
                "\u{FFFD}A".into(),
            ),
            (
                "half a character in a part that is not full",
                vec![ucs2(&[0x04]), ucs2(&[0x04, 0x04])],
                "\u{FFFD}Є".into(),
            ),
            (
                "half a character in a full part",
                vec![
                    UserData::checked(Some(UserDataHeader::from_octets(&[])), Alphabet::Ucs2, full)
                        .unwrap(),
                    ucs2(&[0x04]),
                ],
                "Є".repeat(70),
            ),
            (
                "octets",
                vec![part(Alphabet::Data8, &[0xAB]), part(Alphabet::Data8, &[1])],
                "AB01".into(),
            ),
        ];
        for (name, parts, text) in cases {
            assert_eq!(joined_text(&parts), text, "{name}");
        }
    }

    #[test]
    fn the_capacity_of_a_message() {
        let too_long = |octets| Err(BadUserData::TooLong(octets));
        let udl =
            |user_data: Result<UserData, BadUserData>| user_data.map(|user_data| user_data.udl());
        let a = |count| "a".repeat(count);
        assert_eq!(udl(UserData::gsm7(None, &a(160))), Ok(160));
        assert_eq!(udl(UserData::gsm7(None, &a(161))), too_long(141));
        assert_eq!(udl(UserData::gsm7(None, &(a(159) + "€"))), too_long(141));
        assert_eq!(udl(UserData::gsm7(Some(concat()), &a(153))), Ok(160));
        assert_eq!(udl(UserData::gsm7(Some(concat()), &a(154))), too_long(141));
        assert_eq!(
            udl(UserData::gsm7(
                Some(UserDataHeader::concat_16(1, 2, 1)),
                &a(152)
            )),
            Ok(160)
        );
        assert_eq!(udl(UserData::ucs2(None, &"Є".repeat(70))), Ok(140));
        assert_eq!(udl(UserData::ucs2(None, &"Є".repeat(71))), too_long(142));
        assert_eq!(
            udl(UserData::ucs2(Some(concat()), &"Є".repeat(67))),
            Ok(140)
        );
        assert_eq!(udl(UserData::data8(Some(concat()), &[0; 134])), Ok(140));
        assert_eq!(
            udl(UserData::data8(Some(concat()), &[0; 135])),
            too_long(141)
        );
        assert_eq!(
            udl(UserData::gsm7(None, "Є")),
            Err(BadUserData::NotInAlphabet)
        );
    }

    #[test]
    fn impossible_lengths_are_refused_at_their_octet() {
        use DecodeErrorKind::{HeaderTooLong, TooShort, UserDataTooLong};
        let too_long = |octets| UserDataTooLong { octets, most: 140 }.at(0);
        assert_eq!(read("A1", GSM7, false), Err(too_long(141)));
        assert_eq!(read("8D", UCS2, false), Err(too_long(141)));
        assert_eq!(
            read("02C8", GSM7, false),
            Err(TooShort {
                field: "TP-UD",
                missing: 1
            }
            .at(2))
        );
        assert_eq!(
            read("0405000302", DATA8, true),
            Err(HeaderTooLong {
                header: 6,
                octets: 4
            }
            .at(1))
        );
        assert_eq!(
            read("00", GSM7, true),
            Err(TooShort {
                field: "TP-UDHL",
                missing: 1
            }
            .at(1))
        );
    }

    /// Marks of what is written again as it came are about its meaning; those of bits are about bits that
    /// are lost.
    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn a_strange_length_is_kept_and_what_is_odd_is_marked() {
        use MarkKind::{Escape, HalfCharacter, HalfPair, HeaderCut, LengthTooShort, NoSuchPart};
        const SPARE: MarkKind = MarkKind::SpareBits { field: "TP-UD" };
        type Case = (
            &'static str,
            &'static str,
            Dcs,
            &'static str,
            &'static [(usize, MarkKind)],
        );
        const CASES: &[Case] = &[
            (
                "no room for the fill bit",
                "07060804010202 02",
                GSM7,
                "",
                &[(0, LengthTooShort { udl: 7, header: 8 })],
            ),
            (
                "less than the header",
                "06 050003070201",
                GSM7,
                "",
                &[(0, LengthTooShort { udl: 6, header: 7 })],
            ),
            (
                "none behind eight",
                "090700037A0201 7000",
                GSM7,
                "",
                &[(0, LengthTooShort { udl: 9, header: 10 })],
            ),
            (
                "a fill bit that is set",
                "090500035A02019169",
                GSM7,
                "Hi",
                &[(7, SPARE)],
            ),
            (
                "the fill bit as it should be",
                "090500035A02019069",
                GSM7,
                "Hi",
                &[],
            ),
            (
                "the third part of two",
                "090500035A02039069",
                GSM7,
                "Hi",
                &[(
                    2,
                    NoSuchPart {
                        sequence: 3,
                        total: 2,
                    },
                )],
            ),
            (
                "part 0 behind ports",
                "0C 0A 0402F0F1 0804005A0200 41",
                DATA8,
                "41",
                &[(
                    6,
                    NoSuchPart {
                        sequence: 0,
                        total: 2,
                    },
                )],
            ),
            (
                "a wrong place and a right one",
                "0C 0A 00035A0203 00035A0201 41",
                DATA8,
                "41",
                &[(
                    2,
                    NoSuchPart {
                        sequence: 3,
                        total: 2,
                    },
                )],
            ),
            (
                "a header with leftover",
                "09 07 00035A0203 7005 41",
                DATA8,
                "41",
                &[(7, HeaderCut)],
            ),
            ("bits behind the text", "-02C874", GSM7, "Hi", &[(2, SPARE)]),
            (
                "a carriage return as padding",
                "-0731D98C56B3DD1A",
                GSM7,
                "1234567",
                &[(7, SPARE)],
            ),
            (
                "an escape of nothing",
                "-02C10D",
                GSM7,
                "A ",
                &[(1, Escape)],
            ),
            (
                "behind a header",
                "090500035A0201821B",
                GSM7,
                "A ",
                &[(8, Escape)],
            ),
            ("an escape of an escape", "-02 9B0D", GSM7, " ", &[]),
            (
                "half a pair",
                "-0404 04 D83D",
                UCS2,
                "Є\u{FFFD}",
                &[(3, HalfPair)],
            ),
            (
                "the other half behind a pair",
                "-06 D83DDE00 DE00",
                UCS2,
                "😀\u{FFFD}",
                &[(5, HalfPair)],
            ),
            (
                "an odd length",
                "-03 0404 04",
                UCS2,
                "Є\u{FFFD}",
                &[(3, HalfCharacter)],
            ),
            (
                "both",
                "-05 D83D 0404 04",
                UCS2,
                "\u{FFFD}Є\u{FFFD}",
                &[(1, HalfPair), (5, HalfCharacter)],
            ),
            ("both halves", "-04 D83DDE00", UCS2, "😀", &[]),
        ];
        for &(name, hex, dcs, text, expected) in CASES {
            let (with_header, hex) = hex
                .strip_prefix('-')
                .map_or((true, hex), |hex| (false, hex));
            let octets = decode_hex(&hex.replace(' ', "")).unwrap();
            let mut reader = Reader::new(&octets);
            let user_data = UserData::decode(&mut reader, dcs, with_header).unwrap();
            let read = (user_data.text(), user_data.udl());
            assert_eq!(read, (text.to_owned(), octets[0]), "{name}");
            let is_lossy = expected.iter().any(|(_, kind)| *kind == SPARE);
            assert_eq!(
                written(&user_data) != encode_hex(&octets),
                is_lossy,
                "{name}"
            );
            let marks = reader
                .into_marks()
                .into_iter()
                .map(|mark| (mark.octet, mark.kind));
            assert_eq!(marks.collect::<Vec<_>>(), expected, "{name}");
        }
    }

    #[test]
    fn debug_shows_no_text() {
        let shown = format!("{:?}", UserData::gsm7(None, "Code 4711").unwrap());
        assert_eq!(
            shown,
            "UserData { header: None, alphabet: Gsm7, udl: 9, .. }"
        );
    }
}

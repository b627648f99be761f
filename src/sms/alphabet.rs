//! The GSM 7-bit default alphabet, its extension table and the packing of septets (TS 23.038, 6).
//!
//! Knows characters and septets only: neither parts nor fields. Text that does not fit here travels
//! as UCS-2.

use std::fmt;

/// How the characters of a message are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Alphabet {
    /// The GSM 7-bit default alphabet; lengths count septets.
    Gsm7,
    /// Octets whose meaning the two ends know; lengths count octets.
    Data8,
    /// UTF-16, big end first (the standard says UCS-2, every phone sends surrogate pairs too).
    Ucs2,
}

impl fmt::Display for Alphabet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Gsm7 => "gsm7",
            Self::Data8 => "8bit",
            Self::Ucs2 => "ucs2",
        })
    }
}

/// Announces that the next septet is one of the extension table.
const ESCAPE: u8 = 0x1B;

/// The default alphabet by code, 16 a line (TS 23.038, 6.2.1). The escape has no character of its own.
#[rustfmt::skip]
const DEFAULT: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å',
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1B}', 'Æ', 'æ', 'ß', 'É',
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§',
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// The default extension table (TS 23.038, 6.2.1.1): each costs two septets.
const EXTENSION: [(u8, char); 10] = [
    (0x0A, '\u{0C}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

/// Marks a character without a code in [`LATIN`].
const NONE: u8 = 0xFF;

/// The codes of the characters below U+0100, by character: most texts need nothing else.
const LATIN: [u8; 256] = latin();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "runs at compile time, where an index out of bounds does not build and a code is below 128"
)]
const fn latin() -> [u8; 256] {
    let mut codes = [NONE; 256];
    let mut code = 0;
    while code < DEFAULT.len() {
        let character = DEFAULT[code] as usize;
        if character < codes.len() && code != ESCAPE as usize {
            codes[character] = code as u8;
        }
        code += 1;
    }
    codes
}

/// A character in septets.
enum Code {
    Single(u8),
    Escaped(u8),
}

fn code(character: char) -> Option<Code> {
    if let Some(&code) = usize::try_from(u32::from(character))
        .ok()
        .and_then(|at| LATIN.get(at))
        && code != NONE
    {
        return Some(Code::Single(code));
    }
    if let Some(&(code, _)) = EXTENSION.iter().find(|(_, escaped)| *escaped == character) {
        return Some(Code::Escaped(code));
    }
    // What is left are the Greek capitals, all between the first two rows.
    (0x10..ESCAPE)
        .zip(DEFAULT.iter().skip(0x10))
        .find(|(_, greek)| **greek == character)
        .map(|(code, _)| Code::Single(code))
}

/// The septets that one character costs, 1 or 2; nothing if the alphabet does not have it.
pub fn width(character: char) -> Option<usize> {
    code(character).map(|code| match code {
        Code::Single(_) => 1,
        Code::Escaped(_) => 2,
    })
}

/// The septets that a text costs; nothing if a character is not in the alphabet.
pub fn septets(text: &str) -> Option<usize> {
    text.chars().map(width).sum()
}

/// A text in septets, one an octet; nothing if a character is not in the alphabet.
pub fn encode(text: &str) -> Option<Vec<u8>> {
    let mut septets = Vec::with_capacity(text.len());
    for character in text.chars() {
        match code(character)? {
            Code::Single(code) => septets.push(code),
            Code::Escaped(code) => septets.extend([ESCAPE, code]),
        }
    }
    Some(septets)
}

/// The text of septets, one an octet. Never fails (TS 23.038, 6.2.1.1):
///
/// an escaped septet without a meaning is read from the default alphabet, a doubled escape or one at
/// the end becomes a space.
pub fn decode(septets: &[u8]) -> String {
    let mut text = String::with_capacity(septets.len());
    let mut septets = septets.iter().map(|septet| septet & 0x7F);
    while let Some(septet) = septets.next() {
        text.push(if septet == ESCAPE {
            septets.next().map_or(' ', escaped)
        } else {
            plain(septet)
        });
    }
    text
}

fn plain(septet: u8) -> char {
    if septet == ESCAPE {
        ' '
    } else {
        DEFAULT.get(usize::from(septet)).copied().unwrap_or(' ')
    }
}

fn escaped(septet: u8) -> char {
    EXTENSION
        .iter()
        .find(|(code, _)| *code == septet)
        .map_or_else(|| plain(septet), |&(_, character)| character)
}

/// The fill bits between a header of `octets` (its length octet included) and the first septet,
/// 0 to 6: text begins on a septet boundary counted from the start of TP-UD (TS 23.040, 9.2.3.24).
pub fn fill_bits(octets: usize) -> usize {
    (7 - octets % 7) % 7
}

/// Packs septets into octets, the lowest bits first, after `fill` zero bits (TS 23.038, 6.1.2.1).
/// Unused bits of the last octet are 0.
pub fn pack(septets: &[u8], fill: usize) -> Vec<u8> {
    let mut octets = Vec::with_capacity((septets.len() * 7 + fill).div_ceil(8));
    pack_into(&mut octets, septets, fill);
    octets
}

/// Like [`pack`], onto the end of `octets`.
pub(crate) fn pack_into(octets: &mut Vec<u8>, septets: &[u8], fill: usize) {
    let mut pending = 0_u16;
    let mut bits = fill;
    for septet in septets {
        pending |= u16::from(septet & 0x7F) << bits;
        bits += 7;
        if bits >= 8 {
            let [low, high] = pending.to_le_bytes();
            octets.push(low);
            pending = u16::from(high);
            bits -= 8;
        }
    }
    if bits > 0 {
        let [low, _] = pending.to_le_bytes();
        octets.push(low);
    }
}

/// The septets of packed octets after `fill` bits, one an octet: `count` of them, fewer if the octets
/// end before.
///
/// The count must come from TP-UDL: seven spare bits at the end look like an `@`.
pub fn unpack(octets: &[u8], fill: usize, count: usize) -> Vec<u8> {
    let there = (octets.len() * 8).saturating_sub(fill) / 7;
    let mut septets = Vec::with_capacity(count.min(there));
    for at in 0..count.min(there) {
        let bit = fill + 7 * at;
        let octet = |index: usize| octets.get(index).copied().unwrap_or(0);
        let window = u16::from_le_bytes([octet(bit / 8), octet(bit / 8 + 1)]) >> (bit % 8);
        let [low, _] = window.to_le_bytes();
        septets.push(low & 0x7F);
    }
    septets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::pdu::{decode_hex, encode_hex};

    /// The table once more, as code points, so that look-alike letters cannot hide in it.
    const CODE_POINTS: &str = "\
        0040 00A3 0024 00A5 00E8 00E9 00F9 00EC 00F2 00C7 000A 00D8 00F8 000D 00C5 00E5 \
        0394 005F 03A6 0393 039B 03A9 03A0 03A8 03A3 0398 039E 001B 00C6 00E6 00DF 00C9 \
        0020 0021 0022 0023 00A4 0025 0026 0027 0028 0029 002A 002B 002C 002D 002E 002F \
        0030 0031 0032 0033 0034 0035 0036 0037 0038 0039 003A 003B 003C 003D 003E 003F \
        00A1 0041 0042 0043 0044 0045 0046 0047 0048 0049 004A 004B 004C 004D 004E 004F \
        0050 0051 0052 0053 0054 0055 0056 0057 0058 0059 005A 00C4 00D6 00D1 00DC 00A7 \
        00BF 0061 0062 0063 0064 0065 0066 0067 0068 0069 006A 006B 006C 006D 006E 006F \
        0070 0071 0072 0073 0074 0075 0076 0077 0078 0079 007A 00E4 00F6 00F1 00FC 00E0";

    #[test]
    fn every_code_has_its_code_point() {
        let points = CODE_POINTS
            .split(' ')
            .map(|hex| u32::from_str_radix(hex, 16).unwrap());
        for (code, point) in (0..128_u8).zip(points) {
            assert_eq!(u32::from(DEFAULT[usize::from(code)]), point, "{code:02X}");
            let character = char::from_u32(point).unwrap();
            if code != ESCAPE {
                assert_eq!(
                    encode(&character.to_string()),
                    Some(vec![code]),
                    "{code:02X}"
                );
                assert_eq!(decode(&[code]), character.to_string(), "{code:02X}");
            }
        }
        assert_eq!(CODE_POINTS.split(' ').count(), 128);
    }

    #[test]
    fn extended_characters_cost_two_septets() {
        let text = "\u{0C}^{}\\[~]|€";
        let septets =
            [0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65].map(|code| [0x1B, code]);
        assert_eq!(encode(text), Some(septets.concat()));
        assert_eq!(decode(&septets.concat()), text);
        assert_eq!(
            (super::septets(text), super::septets("a€b")),
            (Some(20), Some(4))
        );
    }

    #[test]
    fn look_alikes_are_not_in_the_alphabet() {
        // c cedilla, grave accent, tab, escape, Greek alpha and mu, Cyrillic A, no-break space, emoji
        for character in [
            'ç', '`', '\t', '\u{1B}', 'Α', 'µ', 'А', '\u{A0}', '’', 'Á', '😀',
        ] {
            assert_eq!(width(character), None, "{character:?}");
            assert_eq!(encode(&format!("ok{character}")), None, "{character:?}");
        }
    }

    #[test]
    fn strange_escapes_are_shown_not_refused() {
        let cases: [(&str, &[u8], &str); 6] = [
            ("unknown code", &[0x41, 0x1B, 0x41, 0x42], "AAB"),
            ("escape twice", &[0x41, 0x1B, 0x1B, 0x42], "A B"),
            ("escape twice, then a code", &[0x1B, 0x1B, 0x65], " e"),
            ("escape at the end", &[0x41, 0x1B], "A "),
            ("control in the extension", &[0x1B, 0x0D], "\r"),
            ("bit 7 set", &[0xC1], "A"),
        ];
        for (name, septets, expected) in cases {
            assert_eq!(decode(septets), expected, "{name}");
        }
    }

    #[test]
    fn packed_septets() {
        const CASES: &[(&str, usize, &str)] = &[
            ("", 0, ""),
            ("1", 0, "31"),
            ("Hi", 0, "C834"),
            ("*100#", 0, "AA180C3602"),
            ("hellohello", 0, "E8329BFD4697D9EC37"),
            ("Balance: 12.34 EUR", 0, "C2303BEC1E9775A098CC35A3818A5529"),
            ("1234567@", 0, "31D98C56B3DD00"),
            ("1", 1, "62"),
            ("Hi", 6, "00320D"),
        ];
        for &(text, fill, hex) in CASES {
            let septets = encode(text).unwrap();
            assert_eq!(
                encode_hex(&pack(&septets, fill)),
                hex,
                "{text} after {fill}"
            );
            assert_eq!(
                unpack(&decode_hex(hex).unwrap(), fill, septets.len()),
                septets,
                "{text} after {fill}"
            );
        }
    }

    #[test]
    fn seven_spare_bits_are_no_character_and_missing_ones_are_left_out() {
        let packed = pack(&encode("1234567").unwrap(), 0);
        assert_eq!(
            (packed.len(), decode(&unpack(&packed, 0, 7)).as_str()),
            (7, "1234567")
        );
        assert_eq!(decode(&unpack(&packed, 0, 200)), "1234567@");
        assert_eq!(unpack(&[], 3, 5), Vec::<u8>::new());
    }

    #[test]
    fn text_begins_on_a_septet_boundary() {
        const CASES: &[(usize, usize)] = &[
            (0, 0),
            (4, 3),
            (6, 1),
            (7, 0),
            (9, 5),
            (10, 4),
            (12, 2),
            (13, 1),
        ];
        for &(octets, fill) in CASES {
            assert_eq!(fill_bits(octets), fill, "{octets}");
            assert_eq!((octets * 8 + fill) % 7, 0, "{octets}");
        }
    }
}

//! The GSM 7-bit alphabets (TS 23.038, 6): the default one, its extension, and the national tables that
//! a message may put in their places.
//!
//! Knows characters and septets only: neither parts nor fields. Text that does not fit here travels
//! as UCS-2.

mod language;
mod packing;
mod table;
mod tables;

use std::fmt;

pub use language::{Language, Shifts, UnknownLanguage};
pub(crate) use packing::pack_into;
pub use packing::{fill_bits, pack, pack_ussd, unpack, unpack_ussd};
use table::Table;

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

/// A pair of tables: the one of plain septets, and the one of septets behind an escape.
#[derive(Clone, Copy)]
pub struct Tables {
    plain: &'static Table,
    escaped: &'static Table,
}

/// A character in septets.
enum Code {
    Single(u8),
    Escaped(u8),
}

impl Tables {
    /// The default alphabet with its extension.
    pub const DEFAULT: Self = Self {
        plain: &tables::DEFAULT,
        escaped: &tables::EXTENSION,
    };

    /// The tables that a message names. A single table stands in the place of the default extension, it
    /// does not add to it. The default alphabet stands in for a locking table that the language lacks.
    pub fn of(shifts: Shifts) -> Self {
        Self {
            plain: shifts
                .locking
                .and_then(Language::locking)
                .unwrap_or(&tables::DEFAULT),
            escaped: shifts.single.map_or(&tables::EXTENSION, Language::single),
        }
    }

    fn code(self, character: char) -> Option<Code> {
        match self.plain.septet(character) {
            Some(septet) => Some(Code::Single(septet)),
            None => self.escaped.septet(character).map(Code::Escaped),
        }
    }

    /// The septets that one character costs, 1 or 2; nothing if the tables do not have it.
    pub fn width(self, character: char) -> Option<usize> {
        self.code(character).map(|code| match code {
            Code::Single(_) => 1,
            Code::Escaped(_) => 2,
        })
    }

    /// The septets that a text costs; nothing if a character is not in the tables.
    pub fn septets(self, text: &str) -> Option<usize> {
        text.chars().map(|character| self.width(character)).sum()
    }

    /// A text in septets, one an octet; nothing if a character is not in the tables.
    pub fn encode(self, text: &str) -> Option<Vec<u8>> {
        // Room for the dearest, two septets each: to grow would cost more.
        let mut septets = Vec::with_capacity(2 * text.chars().count());
        for character in text.chars() {
            match self.code(character)? {
                Code::Single(septet) => septets.push(septet),
                Code::Escaped(septet) => septets.extend([ESCAPE, septet]),
            }
        }
        Some(septets)
    }

    /// The text of septets, one an octet. Never fails (TS 23.038, 6.2.1.1):
    ///
    /// an escaped septet without a meaning is read from the table of plain ones, a doubled escape or one at
    /// the end becomes a space, and so does a plain septet that a national table leaves empty.
    pub fn decode(self, septets: &[u8]) -> String {
        // No character of a table takes more than three octets of UTF-8.
        let mut text = String::with_capacity(3 * septets.len());
        let mut septets = septets.iter().map(|septet| septet & 0x7F);
        while let Some(septet) = septets.next() {
            let character = if septet == ESCAPE {
                septets.next().and_then(|septet| {
                    let escaped = self.escaped.character(septet);
                    escaped.or_else(|| self.plain.character(septet))
                })
            } else {
                self.plain.character(septet)
            };
            text.push(character.unwrap_or(' '));
        }
        text
    }
}

/// Is the last of the septets an escape of nothing? One behind another escape is a space with it.
pub(crate) fn ends_in_escape(septets: &[u8]) -> bool {
    let escapes = septets.iter().rev().take_while(|septet| **septet == ESCAPE);
    escapes.count() % 2 == 1
}

/// The septets that one character costs in the default alphabet, 1 or 2; nothing if it is not there.
pub fn width(character: char) -> Option<usize> {
    Tables::DEFAULT.width(character)
}

/// The septets that a text costs in the default alphabet; nothing if a character is not there.
pub fn septets(text: &str) -> Option<usize> {
    Tables::DEFAULT.septets(text)
}

/// A text in septets of the default alphabet, one an octet; nothing if a character is not there.
pub fn encode(text: &str) -> Option<Vec<u8>> {
    Tables::DEFAULT.encode(text)
}

/// The text of septets of the default alphabet, one an octet, as [`Tables::decode`] reads it.
pub fn decode(septets: &[u8]) -> String {
    Tables::DEFAULT.decode(septets)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The default alphabet once more, as characters. The escape stands for itself.
    const DEFAULT: &str = "\
        @£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1B}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?\
        ¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

    #[test]
    fn every_code_has_its_character() {
        assert_eq!(DEFAULT.chars().count(), 128);
        for (code, character) in (0..128).zip(DEFAULT.chars()) {
            let one = character.to_string();
            if code == ESCAPE {
                assert_eq!((encode(&one), decode(&[code]).as_str()), (None, " "));
            } else {
                assert_eq!(encode(&one), Some(vec![code]), "{code:02X}");
                assert_eq!(decode(&[code]), one, "{code:02X}");
            }
        }
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
    fn national_tables_stand_in_the_place_of_the_default_ones() {
        use Language::{Hindi, Portuguese, Spanish, Turkish, Urdu};
        type Case = (
            Option<Language>,
            Option<Language>,
            &'static str,
            Option<&'static [u8]>,
        );
        const CASES: &[Case] = &[
            (
                None,
                Some(Turkish),
                "ışık",
                Some(&[0x1B, 0x69, 0x1B, 0x73, 0x1B, 0x69, 0x6B]),
            ),
            (
                Some(Turkish),
                None,
                "ışık€",
                Some(&[0x07, 0x1D, 0x07, 0x6B, 0x04]),
            ),
            (Some(Turkish), None, "ì", None),
            (
                None,
                Some(Spanish),
                "ácido",
                Some(&[0x1B, 0x61, 0x63, 0x69, 0x64, 0x6F]),
            ),
            // Spanish has no locking table: the default alphabet stays.
            (Some(Spanish), None, "ìá", None),
            (Some(Spanish), None, "ì", Some(&[0x07])),
            (
                Some(Portuguese),
                None,
                "ação",
                Some(&[0x61, 0x09, 0x7B, 0x6F]),
            ),
            (
                Some(Hindi),
                Some(Hindi),
                "नमस्ते A",
                Some(&[0x2F, 0x42, 0x4C, 0x5F, 0x27, 0x59, 0x20, 0x1B, 0x41]),
            ),
            (Some(Hindi), None, "A", None),
            (Some(Hindi), Some(Urdu), "न۱", Some(&[0x2F, 0x1B, 0x1D])),
            (None, Some(Hindi), "\u{964}A", Some(&[0x1B, 0x19, 0x41])),
            // Of two codes the first.
            (
                Some(Hindi),
                Some(Hindi),
                "*¡",
                Some(&[0x1B, 0x0B, 0x1B, 0x13]),
            ),
        ];
        for &(locking, single, text, septets) in CASES {
            let tables = Tables::of(Shifts { locking, single });
            let written = tables.encode(text);
            assert_eq!(written.as_deref(), septets, "{text}");
            assert_eq!(tables.septets(text), septets.map(<[u8]>::len), "{text}");
            if let Some(septets) = septets {
                assert_eq!(tables.decode(septets), text);
            }
        }
    }

    #[test]
    fn strange_septets_in_national_tables() {
        let (locking, single) = (Some(Language::Tamil), Some(Language::Tamil));
        let tamil = Tables::of(Shifts { locking, single });
        let cases: [(&str, &[u8], &str); 4] = [
            ("an empty place", &[0x00, 0x61], " a"),
            (
                "an escaped one that only the locking table has",
                &[0x1B, 0x71],
                "q",
            ),
            ("an escaped one that is empty in both", &[0x1B, 0x5B], " "),
            ("an escape of an escape", &[0x1B, 0x1B, 0x02], " \u{B83}"),
        ];
        for (name, septets, text) in cases {
            assert_eq!(tamil.decode(septets), text, "{name}");
        }
    }
}

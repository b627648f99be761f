//! What the coding scheme of a cell broadcast or a USSD text says (TS 23.038, 5).

use crate::sms::alphabet::decode;
use crate::sms::alphabet::unpack;

/// The alphabet of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// GSM 7-bit; also every reserved scheme, as the standard wants.
    Gsm7,
    /// Octets with a meaning of their own.
    Data,
    /// UCS-2.
    Ucs2,
}

/// A scheme, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scheme {
    pub(super) alphabet: Alphabet,
    /// The language that the scheme itself names (ISO 639).
    pub(super) language: Option<&'static str>,
    /// The text begins with its language.
    pub(super) preceded: bool,
}

/// Languages of the groups 0000 and 0010, by their low bits.
const LANGUAGES: [&str; 15] = [
    "de", "en", "it", "fr", "es", "nl", "sv", "da", "pt", "fi", "no", "el", "tr", "hu", "pl",
];
const MORE_LANGUAGES: [&str; 5] = ["cs", "he", "ar", "ru", "is"];

impl Scheme {
    /// Reads `<dcs>`.
    pub(super) fn read(dcs: u8) -> Self {
        let low = usize::from(dcs & 0x0F);
        let language = match dcs >> 4 {
            0 => LANGUAGES.get(low).copied(),
            2 => MORE_LANGUAGES.get(low).copied(),
            _ => None,
        };
        let alphabet = match (dcs >> 4, dcs & 0x0C) {
            (1, _) if dcs == 0x11 => Alphabet::Ucs2,
            // Bits 3 and 2 name it: in the general groups, in the one with a header, and, where bit 3 is
            // reserved, in the one with a class.
            (4..=7 | 9 | 15, 0x04) => Alphabet::Data,
            (4..=7 | 9, 0x08) => Alphabet::Ucs2,
            _ => Alphabet::Gsm7,
        };
        Self {
            alphabet,
            language,
            preceded: matches!(dcs, 0x10 | 0x11),
        }
    }
}

/// The language before a text of septets or characters: two letters and CR. A modem that gives the text
/// as it is breaks the line there.
pub(super) fn before_text(text: &str) -> Option<(String, &str)> {
    let (language, rest) = text.split_at_checked(2)?;
    let rest = rest.strip_prefix(['\r', '\n'])?;
    Some((letters(language)?, rest))
}

/// The language before a text in UCS-2: two septets in the first two octets.
pub(super) fn before_units(octets: &[u8]) -> Option<(String, &[u8])> {
    let (language, rest) = octets.split_at_checked(2)?;
    let spare = language.last().is_some_and(|octet| octet & 0xC0 != 0);
    let language = decode(&unpack(language, 0, 2));
    letters(&language)
        .filter(|_| !spare)
        .map(|letters| (letters, rest))
}

fn letters(text: &str) -> Option<String> {
    let only = text.bytes().all(|octet| octet.is_ascii_alphabetic());
    only.then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_of_schemes() {
        use Alphabet::{Data, Gsm7, Ucs2};
        const CASES: &[(u8, Alphabet, Option<&str>, bool)] = &[
            (0x00, Gsm7, Some("de"), false),
            (0x01, Gsm7, Some("en"), false),
            (0x0E, Gsm7, Some("pl"), false),
            (0x0F, Gsm7, None, false),
            (0x10, Gsm7, None, true),
            (0x11, Ucs2, None, true),
            (0x12, Gsm7, None, false),
            (0x23, Gsm7, Some("ru"), false),
            (0x25, Gsm7, None, false),
            (0x34, Gsm7, None, false),
            (0x40, Gsm7, None, false),
            (0x44, Data, None, false),
            (0x48, Ucs2, None, false),
            (0x4C, Gsm7, None, false),
            (0x59, Ucs2, None, false),
            (0x75, Data, None, false),
            (0x84, Gsm7, None, false),
            (0x94, Data, None, false),
            (0x98, Ucs2, None, false),
            (0xA8, Gsm7, None, false),
            (0xE4, Gsm7, None, false),
            (0xF0, Gsm7, None, false),
            (0xF5, Data, None, false),
        ];
        for (dcs, alphabet, language, preceded) in CASES {
            let expected = Scheme {
                alphabet: *alphabet,
                language: *language,
                preceded: *preceded,
            };
            assert_eq!(Scheme::read(*dcs), expected, "{dcs:#04X}");
        }
    }

    #[test]
    fn a_language_is_two_letters_or_nothing() {
        let before = |text| before_text(text).map(|(language, rest)| (language, rest.to_owned()));
        let found = |language: &str, rest: &str| Some((language.to_owned(), rest.to_owned()));
        assert_eq!(before("en\rHi"), found("en", "Hi"));
        assert_eq!(before("UK\nHi"), found("uk", "Hi"));
        for text in ["en Hi", "e\u{e9}\rHi", "12\rHi", "e", ""] {
            assert_eq!(before(text), None, "{text}");
        }
        // e is 65, n is 6E: packed they are 65 37.
        let rest: &[u8] = &[0x04, 0x11];
        assert_eq!(
            before_units(&[0x65, 0x37, 0x04, 0x11]),
            Some(("en".into(), rest))
        );
        assert_eq!(before_units(&[0x65, 0x77, 0x04, 0x11]), None, "a spare bit");
        assert_eq!(before_units(&[0x04, 0x11]), None, "no letters");
        assert_eq!(before_units(&[0x65]), None);
    }
}

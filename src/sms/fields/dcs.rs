//! TP-Data-Coding-Scheme: which alphabet, and how a phone shows the message.

use crate::sms::alphabet::Alphabet;

/// The octet TP-DCS (TS 23.040, 9.2.3.10; its bits in TS 23.038, 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dcs(pub u8);

impl Dcs {
    /// An ordinary message in the given alphabet, without a class.
    pub fn of(alphabet: Alphabet) -> Self {
        Self(match alphabet {
            Alphabet::Gsm7 => 0x00,
            Alphabet::Data8 => 0x04,
            Alphabet::Ucs2 => 0x08,
        })
    }

    /// The alphabet. Reserved codings mean GSM 7-bit, as the standard tells receivers.
    ///
    /// Compressed text counts as [`Alphabet::Data8`]: its length is in octets and nothing here
    /// can read it.
    pub fn alphabet(self) -> Alphabet {
        if self.is_compressed() {
            return Alphabet::Data8;
        }
        match (self.0 >> 4, self.0 >> 2 & 0b11) {
            (0x0..=0x7, 1) | (0xF, 1 | 3) => Alphabet::Data8,
            (0x0..=0x7, 2) | (0xE, _) => Alphabet::Ucs2,
            _ => Alphabet::Gsm7,
        }
    }

    /// Is the text compressed (TS 23.042)?
    pub fn is_compressed(self) -> bool {
        self.0 < 0x80 && self.0 & 0x20 != 0
    }

    /// The message class, 0 to 3, if there is one: 0 is shown at once and not stored.
    pub fn class(self) -> Option<u8> {
        matches!(self.0 >> 4, 0x1 | 0x3 | 0x5 | 0x7 | 0xF).then_some(self.0 & 0b11)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_of_the_standard() {
        const CASES: &[(u8, Alphabet, Option<u8>)] = &[
            (0x00, Alphabet::Gsm7, None),
            (0x01, Alphabet::Gsm7, None),
            (0x04, Alphabet::Data8, None),
            (0x08, Alphabet::Ucs2, None),
            (0x0C, Alphabet::Gsm7, None),
            (0x10, Alphabet::Gsm7, Some(0)),
            (0x15, Alphabet::Data8, Some(1)),
            (0x18, Alphabet::Ucs2, Some(0)),
            (0x20, Alphabet::Data8, None),
            (0x38, Alphabet::Data8, Some(0)),
            (0x48, Alphabet::Ucs2, None),
            (0x58, Alphabet::Ucs2, Some(0)),
            (0x84, Alphabet::Gsm7, None),
            (0xB8, Alphabet::Gsm7, None),
            (0xC8, Alphabet::Gsm7, None),
            (0xD0, Alphabet::Gsm7, None),
            (0xE0, Alphabet::Ucs2, None),
            (0xF0, Alphabet::Gsm7, Some(0)),
            (0xF2, Alphabet::Gsm7, Some(2)),
            (0xF6, Alphabet::Data8, Some(2)),
        ];
        for &(octet, alphabet, class) in CASES {
            let dcs = Dcs(octet);
            assert_eq!(
                (dcs.alphabet(), dcs.class()),
                (alphabet, class),
                "{octet:02X}"
            );
        }
    }

    #[test]
    fn an_alphabet_comes_back_from_its_octet() {
        for alphabet in [Alphabet::Gsm7, Alphabet::Data8, Alphabet::Ucs2] {
            assert_eq!(Dcs::of(alphabet).alphabet(), alphabet);
        }
    }
}

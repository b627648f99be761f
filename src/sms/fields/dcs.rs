//! TP-Data-Coding-Scheme: which alphabet, and how a phone shows the message.

use super::MessageWaiting;
use crate::sms::alphabet::Alphabet;

/// The octet TP-DCS (TS 23.040, 9.2.3.10; its bits in TS 23.038, 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dcs(pub u8);

/// What the high four bits of a TP-DCS mean (TS 23.038, 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodingGroup {
    /// 0 to 3: general data coding.
    General,
    /// 4 to 7: the same, and the phone deletes the message once it was read.
    AutomaticDeletion,
    /// 8 to B: reserved, to be read as GSM 7-bit without class.
    Reserved,
    /// C: messages wait; the text may be thrown away.
    WaitingDiscard,
    /// D: messages wait; the text in GSM 7-bit is to be kept.
    WaitingStore,
    /// E: messages wait; the text in UCS-2 is to be kept.
    WaitingStoreUcs2,
    /// F: data coding and message class.
    Class,
}

impl Dcs {
    /// An ordinary message in the given alphabet, without a class.
    pub fn of(alphabet: Alphabet) -> Self {
        Self(match alphabet {
            Alphabet::Gsm7 => 0x00,
            Alphabet::Data8 => 0x04,
            Alphabet::Ucs2 => 0x08,
        })
    }

    /// A message of a class, 0 to 3; nothing for another class.
    pub fn with_class(alphabet: Alphabet, class: u8) -> Option<Self> {
        const HAS_CLASS: u8 = 0x10;
        (class <= 3).then(|| Self(Self::of(alphabet).0 | HAS_CLASS | class))
    }

    /// What the other bits mean.
    pub fn group(self) -> CodingGroup {
        match self.0 >> 4 {
            0x0..=0x3 => CodingGroup::General,
            0x4..=0x7 => CodingGroup::AutomaticDeletion,
            0x8..=0xB => CodingGroup::Reserved,
            0xC => CodingGroup::WaitingDiscard,
            0xD => CodingGroup::WaitingStore,
            0xE => CodingGroup::WaitingStoreUcs2,
            _ => CodingGroup::Class,
        }
    }

    /// The alphabet. Reserved codings mean GSM 7-bit, as the standard tells receivers.
    ///
    /// Compressed text counts as [`Alphabet::Data8`]: its length is in octets and nothing here
    /// can read it.
    pub fn alphabet(self) -> Alphabet {
        if self.is_compressed() {
            return Alphabet::Data8;
        }
        match (self.group(), self.0 >> 2 & 0b11) {
            (CodingGroup::General | CodingGroup::AutomaticDeletion, 1)
            | (CodingGroup::Class, 1 | 3) => Alphabet::Data8,
            (CodingGroup::General | CodingGroup::AutomaticDeletion, 2)
            | (CodingGroup::WaitingStoreUcs2, _) => Alphabet::Ucs2,
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

    /// What it tells about messages in a mailbox, in the groups C to E.
    pub fn message_waiting(self) -> Option<MessageWaiting> {
        let store = match self.group() {
            CodingGroup::WaitingDiscard => false,
            CodingGroup::WaitingStore | CodingGroup::WaitingStoreUcs2 => true,
            _ => return None,
        };
        Some(MessageWaiting::from_dcs(self.0 & 0xF, store))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::fields::{Mailbox, Waiting};

    /// Every octet once: first and last of a run, alphabet, class of the first octet (the others of the
    /// run count on from it), compressed.
    type Run = (u8, u8, Alphabet, Option<u8>, bool);

    #[test]
    fn every_octet_of_every_group() {
        use Alphabet::{Data8, Gsm7, Ucs2};
        const RUNS: &[Run] = &[
            (0x00, 0x03, Gsm7, None, false),
            (0x04, 0x07, Data8, None, false),
            (0x08, 0x0B, Ucs2, None, false),
            (0x0C, 0x0F, Gsm7, None, false),
            (0x10, 0x13, Gsm7, Some(0), false),
            (0x14, 0x17, Data8, Some(0), false),
            (0x18, 0x1B, Ucs2, Some(0), false),
            (0x1C, 0x1F, Gsm7, Some(0), false),
            (0x20, 0x2F, Data8, None, true),
            (0x30, 0x33, Data8, Some(0), true),
            (0x34, 0x37, Data8, Some(0), true),
            (0x38, 0x3B, Data8, Some(0), true),
            (0x3C, 0x3F, Data8, Some(0), true),
            (0x40, 0x43, Gsm7, None, false),
            (0x44, 0x47, Data8, None, false),
            (0x48, 0x4B, Ucs2, None, false),
            (0x4C, 0x4F, Gsm7, None, false),
            (0x50, 0x53, Gsm7, Some(0), false),
            (0x54, 0x57, Data8, Some(0), false),
            (0x58, 0x5B, Ucs2, Some(0), false),
            (0x5C, 0x5F, Gsm7, Some(0), false),
            (0x60, 0x6F, Data8, None, true),
            (0x70, 0x73, Data8, Some(0), true),
            (0x74, 0x77, Data8, Some(0), true),
            (0x78, 0x7B, Data8, Some(0), true),
            (0x7C, 0x7F, Data8, Some(0), true),
            (0x80, 0xBF, Gsm7, None, false),
            (0xC0, 0xDF, Gsm7, None, false),
            (0xE0, 0xEF, Ucs2, None, false),
            (0xF0, 0xF3, Gsm7, Some(0), false),
            (0xF4, 0xF7, Data8, Some(0), false),
            (0xF8, 0xFB, Gsm7, Some(0), false),
            (0xFC, 0xFF, Data8, Some(0), false),
        ];
        let mut next = 0_u16;
        for &(first, last, alphabet, class, compressed) in RUNS {
            for octet in first..=last {
                let dcs = Dcs(octet);
                assert_eq!(u16::from(octet), next);
                assert_eq!(
                    (dcs.alphabet(), dcs.class(), dcs.is_compressed()),
                    (
                        alphabet,
                        class.map(|class| class + octet - first),
                        compressed
                    ),
                    "{octet:02X}"
                );
                next += 1;
            }
        }
        assert_eq!(next, 256);
    }

    #[test]
    fn messages_in_a_mailbox() {
        use Mailbox::{Email, Fax, Other, Voice};
        type Case = (u8, CodingGroup, Option<(Mailbox, Waiting, bool)>);
        const CASES: &[Case] = &[
            (0x08, CodingGroup::General, None),
            (0x48, CodingGroup::AutomaticDeletion, None),
            (0xB8, CodingGroup::Reserved, None),
            (0xF8, CodingGroup::Class, None),
            (
                0xC0,
                CodingGroup::WaitingDiscard,
                Some((Voice, Waiting::None, false)),
            ),
            (
                0xC9,
                CodingGroup::WaitingDiscard,
                Some((Fax, Waiting::Some, false)),
            ),
            (
                0xD8,
                CodingGroup::WaitingStore,
                Some((Voice, Waiting::Some, true)),
            ),
            (
                0xDF,
                CodingGroup::WaitingStore,
                Some((Other(0), Waiting::Some, true)),
            ),
            (
                0xE2,
                CodingGroup::WaitingStoreUcs2,
                Some((Email, Waiting::None, true)),
            ),
        ];
        for &(octet, group, expected) in CASES {
            let told = Dcs(octet).message_waiting();
            assert_eq!(Dcs(octet).group(), group, "{octet:02X}");
            assert_eq!(
                told.map(|told| (told.mailbox, told.waiting, told.store)),
                expected,
                "{octet:02X}"
            );
            assert!(told.is_none_or(|told| told.profile == 1), "{octet:02X}");
        }
    }

    #[test]
    fn alphabet_and_class_come_back_from_their_octet() {
        for alphabet in [Alphabet::Gsm7, Alphabet::Data8, Alphabet::Ucs2] {
            let plain = Dcs::of(alphabet);
            assert_eq!((plain.alphabet(), plain.class()), (alphabet, None));
            for class in 0..=3 {
                let dcs = Dcs::with_class(alphabet, class).unwrap();
                assert_eq!((dcs.alphabet(), dcs.class()), (alphabet, Some(class)));
            }
            assert_eq!(Dcs::with_class(alphabet, 4), None);
        }
    }
}

//! Message waiting: that messages lie in a mailbox, told by TP-DCS or by an element of the header.

use super::{Dcs, UserDataHeader};

/// What kind of messages wait (TS 23.040, 9.2.3.24.2; TS 23.038, 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mailbox {
    /// Voice mail.
    Voice,
    /// Telefaxes.
    Fax,
    /// Electronic mail.
    Email,
    /// Other messages; the number is the extended type of the header's element: 0 not said, 1 video,
    /// 2 to 7 reserved.
    Other(u8),
}

/// How many messages wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Waiting {
    /// None any more.
    None,
    /// At least one.
    Some,
    /// This many, 1 to 255; 255 stands for more, too.
    Count(u8),
}

/// An indication of waiting messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageWaiting {
    /// Which kind.
    pub mailbox: Mailbox,
    /// How many.
    pub waiting: Waiting,
    /// Shall the phone keep the short message that told it? If not, it goes with the indication.
    pub store: bool,
    /// The subscriber's profile (TS 23.097), 1 to 4.
    pub profile: u8,
}

const STORE: u8 = 1 << 7;

impl MessageWaiting {
    /// What header and TP-DCS of one short message tell together.
    ///
    /// A header that tells anything goes before TP-DCS, which has fewer words for it; but the short message is
    /// to be kept if any of them says so (TS 23.040, 9.2.3.24.2).
    pub(crate) fn of(header: Option<&UserDataHeader>, dcs: Option<Dcs>) -> Vec<Self> {
        let coded = dcs.and_then(Dcs::message_waiting);
        let mut told = header.map_or_else(Vec::new, UserDataHeader::message_waiting);
        let store = told.iter().chain(&coded).any(|indication| indication.store);
        if told.is_empty() {
            told.extend(coded);
        }
        for indication in &mut told {
            indication.store = store;
        }
        told
    }

    /// Is another indication about the same mailbox of the same profile?
    pub(super) fn is_of_same(self, other: Self) -> bool {
        (self.mailbox, self.profile) == (other.mailbox, other.profile)
    }

    /// From the low four bits of a TP-DCS of the groups C to E.
    pub(super) fn from_dcs(low: u8, store: bool) -> Self {
        Self {
            mailbox: Mailbox::of(low & 0b11, 0),
            waiting: if low & 0b1000 == 0 {
                Waiting::None
            } else {
                Waiting::Some
            },
            store,
            profile: 1,
        }
    }

    /// From the two octets of the element "special SMS message indication".
    pub(super) fn from_element(indication: u8, count: u8) -> Self {
        Self {
            mailbox: Mailbox::of(indication & 0b11, indication >> 2 & 0b111),
            waiting: if count == 0 {
                Waiting::None
            } else {
                Waiting::Count(count)
            },
            store: indication & STORE != 0,
            profile: 1 + (indication >> 5 & 0b11),
        }
    }
}

impl Mailbox {
    fn of(basic: u8, extended: u8) -> Self {
        match basic {
            0 => Self::Voice,
            1 => Self::Fax,
            2 => Self::Email,
            _ => Self::Other(extended),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_element_of_the_header() {
        let cases = [
            (0x80, 3, Mailbox::Voice, Waiting::Count(3), true, 1),
            (0x01, 0, Mailbox::Fax, Waiting::None, false, 1),
            (0xA2, 255, Mailbox::Email, Waiting::Count(255), true, 2),
            (0x63, 1, Mailbox::Other(0), Waiting::Count(1), false, 4),
            (0x87, 1, Mailbox::Other(1), Waiting::Count(1), true, 1),
            (0x1F, 1, Mailbox::Other(7), Waiting::Count(1), false, 1),
            (0x04, 1, Mailbox::Voice, Waiting::Count(1), false, 1),
        ];
        for (indication, count, mailbox, waiting, store, profile) in cases {
            let expected = MessageWaiting {
                mailbox,
                waiting,
                store,
                profile,
            };
            assert_eq!(
                MessageWaiting::from_element(indication, count),
                expected,
                "{indication:02X}"
            );
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn header_and_coding_together() {
        use Mailbox::{Fax, Voice};
        use Waiting::{Count, None, Some as AtLeastOne};
        type Told = (Mailbox, Waiting, bool);
        const CASES: &[(&str, &[u8], u8, &[Told])] = &[
            ("the coding alone", &[], 0xD8, &[(Voice, AtLeastOne, true)]),
            (
                "the header alone",
                &[1, 2, 0, 5],
                0x00,
                &[(Voice, Count(5), false)],
            ),
            (
                "the header counts",
                &[1, 2, 0x80, 5],
                0xC8,
                &[(Voice, Count(5), true)],
            ),
            (
                "none is one too",
                &[1, 2, 0x80, 0],
                0xD8,
                &[(Voice, None, true)],
            ),
            (
                "another mailbox",
                &[1, 2, 0x81, 5],
                0xD8,
                &[(Fax, Count(5), true)],
            ),
            (
                "kept as the coding says",
                &[1, 2, 0, 5],
                0xD8,
                &[(Voice, Count(5), true)],
            ),
            (
                "kept as UCS-2 says",
                &[1, 2, 0, 5],
                0xE8,
                &[(Voice, Count(5), true)],
            ),
            (
                "kept by neither",
                &[1, 2, 0, 5],
                0xC8,
                &[(Voice, Count(5), false)],
            ),
            (
                "kept as one element says",
                &[1, 2, 0, 5, 1, 2, 0x81, 2],
                0xC8,
                &[(Voice, Count(5), true), (Fax, Count(2), true)],
            ),
            ("nothing", &[], 0x00, &[]),
        ];
        for &(name, header, dcs, expected) in CASES {
            let header = UserDataHeader::from_octets(header);
            let told = MessageWaiting::of(Option::Some(&header), Option::Some(Dcs(dcs)));
            let told: Vec<Told> = told
                .iter()
                .map(|told| (told.mailbox, told.waiting, told.store))
                .collect();
            assert_eq!(told, expected, "{name}");
        }
    }
}

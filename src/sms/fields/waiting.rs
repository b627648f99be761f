//! Message waiting: that messages lie in a mailbox, told by TP-DCS or by an element of the header.

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
}

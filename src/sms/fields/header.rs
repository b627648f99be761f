//! The user data header: information elements before the text, such as the place of a part in its message.
//!
//! Every element is kept as it came; those that are read here are a view of it. If an element stands
//! there several times, the last valid one counts (TS 23.040, 9.2.3.24).

use super::MessageWaiting;
use crate::sms::alphabet::{Language, Shifts};
use crate::sms::marks::MarkKind;

/// Which part of which message (TS 23.040, 9.2.3.24.1 and 9.2.3.24.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Concat {
    /// Common to all parts of one message; of 8 or 16 bits.
    pub reference: u16,
    /// How many parts, at least 1.
    pub total: u8,
    /// Which of them, from 1 to `total`.
    pub sequence: u8,
}

/// The reference that ties the parts of a text together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ReferenceWidth {
    /// 8 bits, as every phone sends (TS 23.040, 9.2.3.24.1).
    #[default]
    Eight,
    /// 16 bits, which costs one octet more (TS 23.040, 9.2.3.24.8).
    Sixteen,
}

/// Application ports of 8 or 16 bits (TS 23.040, 9.2.3.24.3 and 9.2.3.24.4), reserved values included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ports {
    /// The receiver's.
    pub destination: u16,
    /// The sender's.
    pub source: u16,
}

/// One information element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element<'a> {
    /// What it is (TS 23.040, 9.2.3.24).
    pub iei: u8,
    /// Its octets.
    pub data: &'a [u8],
}

/// Concatenated message with an 8-bit reference.
const CONCAT_8: u8 = 0x00;
/// Special SMS message indication.
const WAITING: u8 = 0x01;
/// Application port addressing, 8 bits.
const PORTS_8: u8 = 0x04;
/// Application port addressing, 16 bits.
const PORTS_16: u8 = 0x05;
/// Concatenated message with a 16-bit reference.
const CONCAT_16: u8 = 0x08;
/// National language single shift.
const SINGLE_SHIFT: u8 = 0x24;
/// National language locking shift.
const LOCKING_SHIFT: u8 = 0x25;

/// The elements as they stand in TP-UD, without the length octet before them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserDataHeader(Vec<u8>);

impl UserDataHeader {
    /// One part of `total` with an 8-bit reference.
    pub fn concat_8(reference: u8, total: u8, sequence: u8) -> Self {
        Self(vec![CONCAT_8, 3, reference, total, sequence])
    }

    /// One part of `total` with a 16-bit reference, which costs one octet more.
    pub fn concat_16(reference: u16, total: u8, sequence: u8) -> Self {
        let [high, low] = reference.to_be_bytes();
        Self(vec![CONCAT_16, 4, high, low, total, sequence])
    }

    /// From elements as they stand on the wire, without the length octet before them.
    pub fn from_octets(octets: &[u8]) -> Self {
        Self(octets.to_vec())
    }

    /// The elements as they stand on the wire, without the length octet before them.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// The same with the elements of the shifts behind it, 3 octets each.
    #[must_use]
    pub fn with_shifts(mut self, shifts: Shifts) -> Self {
        for (iei, language) in [
            (LOCKING_SHIFT, shifts.locking),
            (SINGLE_SHIFT, shifts.single),
        ] {
            if let Some(language) = language {
                self.0.extend([iei, 1, language.id()]);
            }
        }
        self
    }

    /// The elements in order, up to one that is cut off: see [`UserDataHeader::leftover`].
    pub fn elements(&self) -> Elements<'_> {
        Elements { rest: &self.0 }
    }

    /// The octets behind the last whole element: empty, unless an element says it is longer than the
    /// header has room for.
    pub fn leftover(&self) -> &[u8] {
        let mut elements = self.elements();
        for _ in elements.by_ref() {}
        elements.rest
    }

    /// The place of this part in its message. Elements with an impossible place (no parts, part 0, a
    /// part above the total) are ignored (TS 23.040, 9.2.3.24.1).
    pub fn concat(&self) -> Option<Concat> {
        self.last(concat)
    }

    /// How wide the reference of [`UserDataHeader::concat`] is.
    pub fn reference_width(&self) -> Option<ReferenceWidth> {
        self.last(|element| {
            concat(element).map(|_| match element.iei {
                CONCAT_16 => ReferenceWidth::Sixteen,
                _ => ReferenceWidth::Eight,
            })
        })
    }

    /// The ports.
    pub fn ports(&self) -> Option<Ports> {
        self.last(|element| match (element.iei, element.data) {
            (PORTS_8, &[destination, source]) => Some(Ports {
                destination: u16::from(destination),
                source: u16::from(source),
            }),
            (PORTS_16, &[high, low, source_high, source_low]) => Some(Ports {
                destination: u16::from_be_bytes([high, low]),
                source: u16::from_be_bytes([source_high, source_low]),
            }),
            _ => None,
        })
    }

    /// The languages of the text, which must be GSM 7-bit for them to mean anything. Reserved
    /// identifiers are ignored: their text is shown in the default tables (TS 23.040, 9.2.3.24.15).
    pub fn shifts(&self) -> Shifts {
        let language = |iei| {
            self.last(|element| match element.data {
                &[language] if element.iei == iei => Language::try_from(language).ok(),
                _ => None,
            })
        };
        Shifts {
            locking: language(LOCKING_SHIFT),
            single: language(SINGLE_SHIFT),
        }
    }

    /// What it tells about messages in mailboxes, one indication a mailbox and profile in the order in
    /// which they come first; of several about the same one the last counts.
    pub fn message_waiting(&self) -> Vec<MessageWaiting> {
        let mut told: Vec<MessageWaiting> = Vec::new();
        for indication in self.meant().filter_map(waiting) {
            match told.iter_mut().find(|known| known.is_of_same(indication)) {
                Some(known) => *known = indication,
                None => told.push(indication),
            }
        }
        told
    }

    /// What is odd, each with the index of its octet in [`UserDataHeader::octets`].
    pub(crate) fn odd(&self) -> impl Iterator<Item = (usize, MarkKind)> {
        let leftover = self.leftover().len();
        let cut = (leftover > 0).then(|| (self.0.len() - leftover, MarkKind::HeaderCut));
        let mut next = 0;
        let nowhere = self.meant().filter_map(move |element| {
            let at = next;
            next += 2 + element.data.len();
            let (_, total, sequence) = place(element)?;
            let is_none = !(1..=total).contains(&sequence);
            is_none.then_some((at, MarkKind::NoSuchPart { sequence, total }))
        });
        cut.into_iter().chain(nowhere)
    }

    fn last<T>(&self, read: impl Fn(Element<'_>) -> Option<T>) -> Option<T> {
        self.meant().filter_map(read).last()
    }

    /// The elements that count: none of a header whose last element has too few or too many octets, since
    /// nobody can say where its faults begin (TS 23.040, 9.2.3.24). All are kept all the same.
    fn meant(&self) -> impl Iterator<Item = Element<'_>> {
        let whole = self.leftover().is_empty();
        self.elements().filter(move |_| whole)
    }
}

/// The whole elements of a header in order.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let [iei, length, tail @ ..] = self.rest else {
            return None;
        };
        let (data, tail) = tail.split_at_checked(usize::from(*length))?;
        self.rest = tail;
        Some(Element { iei: *iei, data })
    }
}

fn waiting(element: Element<'_>) -> Option<MessageWaiting> {
    match (element.iei, element.data) {
        (WAITING, &[indication, count]) => Some(MessageWaiting::from_element(indication, count)),
        _ => None,
    }
}

/// Reference, total and sequence as an element says them.
fn place(element: Element<'_>) -> Option<(u16, u8, u8)> {
    match (element.iei, element.data) {
        (CONCAT_8, &[reference, total, sequence]) => Some((reference.into(), total, sequence)),
        (CONCAT_16, &[high, low, total, sequence]) => {
            Some((u16::from_be_bytes([high, low]), total, sequence))
        }
        _ => None,
    }
}

fn concat(element: Element<'_>) -> Option<Concat> {
    let (reference, total, sequence) = place(element)?;
    (1..=total).contains(&sequence).then_some(Concat {
        reference,
        total,
        sequence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::fields::{Mailbox, Waiting};

    #[test]
    fn the_place_of_a_part() {
        let place = |reference, total, sequence| {
            Some(Concat {
                reference,
                total,
                sequence,
            })
        };
        let cases: [(&str, &[u8], Option<Concat>); 13] = [
            ("8-bit reference", &[0, 3, 0x5A, 2, 1], place(0x5A, 2, 1)),
            (
                "16-bit reference",
                &[8, 4, 0x12, 0x34, 3, 3],
                place(0x1234, 3, 3),
            ),
            ("nothing", &[], None),
            ("ports only", &[5, 4, 0x0B, 0x84, 0, 0], None),
            (
                "after ports",
                &[5, 4, 0x0B, 0x84, 0, 0, 0, 3, 7, 255, 255],
                place(7, 255, 255),
            ),
            ("sequence 0", &[0, 3, 7, 2, 0], None),
            ("sequence above the total", &[0, 3, 7, 2, 3], None),
            ("total 0", &[0, 3, 7, 0, 0], None),
            ("wrong length", &[0, 4, 7, 2, 1, 0], None),
            ("cut off", &[0, 3, 7, 2], None),
            (
                "before an element that is cut off",
                &[0, 3, 7, 2, 1, 0x24, 9, 1],
                None,
            ),
            (
                "the last counts",
                &[0, 3, 7, 2, 1, 8, 4, 0, 9, 2, 2],
                place(9, 2, 2),
            ),
            (
                "the last valid counts",
                &[0, 3, 7, 2, 1, 0, 3, 7, 2, 0],
                place(7, 2, 1),
            ),
        ];
        for (name, octets, expected) in cases {
            assert_eq!(
                UserDataHeader::from_octets(octets).concat(),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn constructed_headers_read_back() {
        assert_eq!(
            UserDataHeader::concat_8(0x5A, 2, 1).octets(),
            [0, 3, 0x5A, 2, 1]
        );
        assert_eq!(
            UserDataHeader::concat_16(0x5A01, 9, 8).octets(),
            [8, 4, 0x5A, 0x01, 9, 8]
        );
    }

    #[test]
    fn ports_of_both_widths() {
        type Case = (&'static str, &'static [u8], Option<(u16, u16)>);
        const CASES: &[Case] = &[
            (
                "16 bits",
                &[5, 4, 0x0B, 0x84, 0x23, 0xF0],
                Some((2948, 9200)),
            ),
            ("8 bits", &[4, 2, 0xF5, 0xF6], Some((0xF5, 0xF6))),
            ("wrong length", &[5, 2, 0x0B, 0x84], None),
            ("wrong length", &[4, 4, 0, 1, 0, 2], None),
            ("none", &[0, 3, 7, 2, 1], None),
            (
                "the last counts",
                &[5, 4, 0, 1, 0, 2, 4, 2, 0xF0, 0xF1],
                Some((0xF0, 0xF1)),
            ),
        ];
        for &(name, octets, expected) in CASES {
            let ports = UserDataHeader::from_octets(octets).ports();
            assert_eq!(
                ports.map(|ports| (ports.destination, ports.source)),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn languages_of_both_shifts() {
        use Language::{Bengali, Portuguese, Spanish, Turkish, Urdu};
        type Case = (
            &'static str,
            &'static [u8],
            Option<Language>,
            Option<Language>,
        );
        const CASES: &[Case] = &[
            ("none", &[], None, None),
            ("locking", &[0x25, 1, 1], Some(Turkish), None),
            ("single", &[0x24, 1, 2], None, Some(Spanish)),
            (
                "both",
                &[0x24, 1, 3, 0x25, 1, 13],
                Some(Urdu),
                Some(Portuguese),
            ),
            ("reserved", &[0x24, 1, 0xFF, 0x25, 1, 0], None, None),
            ("wrong length", &[0x24, 2, 3, 3, 0x25, 0], None, None),
            (
                "the last counts",
                &[0x24, 1, 3, 0x24, 1, 4],
                None,
                Some(Bengali),
            ),
            (
                "the last known",
                &[0x24, 1, 3, 0x24, 1, 14],
                None,
                Some(Portuguese),
            ),
        ];
        for &(name, octets, locking, single) in CASES {
            let expected = Shifts { locking, single };
            assert_eq!(
                UserDataHeader::from_octets(octets).shifts(),
                expected,
                "{name}"
            );
            let written = UserDataHeader::concat_8(7, 2, 1).with_shifts(expected);
            assert_eq!(written.shifts(), expected, "{name}");
            assert_eq!(
                written.octets().len(),
                5 + 3 * (usize::from(locking.is_some()) + usize::from(single.is_some())),
                "{name}"
            );
        }
    }

    #[test]
    fn several_mailboxes_in_one_header() {
        use Mailbox::{Fax, Other, Voice};
        use Waiting::{Count, None};
        type Told = (Mailbox, Waiting, u8);
        const CASES: &[(&[u8], &[Told])] = &[
            (
                &[1, 2, 0, 5, 1, 2, 1, 2],
                &[(Voice, Count(5), 1), (Fax, Count(2), 1)],
            ),
            // Of two about one mailbox the last, in the place of the first; a wrong length says nothing.
            (
                &[1, 2, 0x80, 3, 1, 2, 1, 0, 1, 2, 0, 4, 1, 1, 0x82],
                &[(Voice, Count(4), 1), (Fax, None, 1)],
            ),
            // Another profile and another kind of other messages are others.
            (
                &[1, 2, 0, 5, 1, 2, 0x20, 2],
                &[(Voice, Count(5), 1), (Voice, Count(2), 2)],
            ),
            (
                &[1, 2, 0xA7, 5, 1, 2, 3, 1],
                &[(Other(1), Count(5), 2), (Other(0), Count(1), 1)],
            ),
            (&[0x24, 1, 1], &[]),
        ];
        for (octets, expected) in CASES {
            let told = UserDataHeader::from_octets(octets).message_waiting();
            let told: Vec<Told> = told
                .iter()
                .map(|told| (told.mailbox, told.waiting, told.profile))
                .collect();
            assert_eq!(told, *expected, "{octets:02X?}");
        }
    }

    #[test]
    fn elements_end_where_one_is_cut_off() {
        let header = UserDataHeader::from_octets(&[0x24, 1, 3, 0x70, 0, 0x05, 4, 1]);
        let elements: Vec<Element<'_>> = header.elements().collect();
        assert_eq!(
            elements,
            [
                Element {
                    iei: 0x24,
                    data: &[3]
                },
                Element {
                    iei: 0x70,
                    data: &[]
                }
            ]
        );
        assert_eq!(header.leftover(), [0x05, 4, 1]);
        assert_eq!(UserDataHeader::from_octets(&[0x70]).leftover(), [0x70]);
        assert_eq!(UserDataHeader::concat_8(1, 2, 1).leftover(), [0_u8; 0]);
    }
}

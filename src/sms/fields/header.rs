//! The user data header: information elements before the text, such as the place of a part in its message.

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
/// Concatenated message with a 16-bit reference.
const CONCAT_16: u8 = 0x08;

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

    /// The elements in order; what follows an element that is cut off is left out.
    pub fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let [iei, length, tail @ ..] = rest else {
                return None;
            };
            let (data, tail) = tail.split_at_checked(usize::from(*length))?;
            rest = tail;
            Some(Element { iei: *iei, data })
        })
    }

    /// The place of this part in its message. Elements with an impossible place are ignored; of
    /// several the last counts (TS 23.040, 9.2.3.24 and 9.2.3.24.1).
    pub fn concat(&self) -> Option<Concat> {
        self.elements().filter_map(concat).last()
    }
}

fn concat(element: Element<'_>) -> Option<Concat> {
    let (reference, total, sequence) = match (element.iei, element.data) {
        (CONCAT_8, &[reference, total, sequence]) => (u16::from(reference), total, sequence),
        (CONCAT_16, &[high, low, total, sequence]) => {
            (u16::from_be_bytes([high, low]), total, sequence)
        }
        _ => return None,
    };
    (1..=total).contains(&sequence).then_some(Concat {
        reference,
        total,
        sequence,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_part() {
        let place = |reference, total, sequence| {
            Some(Concat {
                reference,
                total,
                sequence,
            })
        };
        let cases: [(&str, &[u8], Option<Concat>); 12] = [
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
    }
}

//! Addresses: TP-DA, TP-OA, TP-RA and the service centre's, in semi-octets or as a name in septets.

use std::fmt;
use std::str::FromStr;

use crate::sms::alphabet;
use crate::sms::ids::masked;
use crate::sms::marks::MarkKind;
use crate::sms::number::PhoneNumber;
use crate::sms::octets::{DecodeError, DecodeErrorKind, Reader};

/// Type of number (TS 23.040, 9.1.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ton {
    /// The network tells from the digits.
    Unknown,
    /// With country code, without any prefix.
    International,
    /// Without country code.
    National,
    /// Administrative, of this network.
    NetworkSpecific,
    /// A short code.
    Subscriber,
    /// A name in the GSM 7-bit default alphabet.
    Alphanumeric,
    /// Abbreviated.
    Abbreviated,
    /// Reserved for extension.
    Reserved,
}

/// Numbering plan, 4 bits (TS 23.040, 9.1.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Npi(pub u8);

impl Npi {
    /// Not said; also the plan of names.
    pub const UNKNOWN: Self = Self(0);
    /// Telephone numbers (E.164).
    pub const ISDN: Self = Self(1);
}

/// The most semi-octets that an address may have (TS 23.040, 9.1.2.5): 20 digits or 11 septets.
pub(crate) const MOST_SEMI_OCTETS: usize = 20;

/// The most octets of a service centre's address, its type included (TS 24.011, 8.2.5.2).
const MOST_SMSC_OCTETS: usize = 11;

/// The semi-octets 0 to E as characters; F is the filler (TS 23.040, 9.1.2.3).
const SEMI_OCTETS: &[u8; 15] = b"0123456789*#abc";

const FILLER: u8 = 0xF;

/// The top bit of the type octet, which is always set (TS 23.040, 9.1.2.5).
const NO_EXTENSION: u8 = 0x80;

/// A number or a name in the form that the wire has: digits with `*#abc`, or a text. One that was read
/// may be longer than the standard allows.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    ton: Ton,
    npi: Npi,
    value: Box<str>,
}

/// Why a text cannot be an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// A character that is no semi-octet or, in a name, not in the GSM alphabet.
    #[error("the address has a character that its type does not allow")]
    Character,
    /// Over 20 digits, or a name over 11 septets.
    #[error("the address needs {0} semi-octets, the most is {MOST_SEMI_OCTETS}")]
    Length(usize),
}

impl Address {
    /// An address of digits (`0-9*#abc`, at most 20), or of text if `ton` is alphanumeric (at most 11
    /// septets).
    pub fn new(ton: Ton, npi: Npi, value: &str) -> Result<Self, BadAddress> {
        let semi_octets = if ton == Ton::Alphanumeric {
            (alphabet::septets(value).ok_or(BadAddress::Character)? * 7).div_ceil(4)
        } else if value.bytes().all(|byte| semi_octet(byte).is_some()) {
            value.len()
        } else {
            return Err(BadAddress::Character);
        };
        if semi_octets > MOST_SEMI_OCTETS {
            return Err(BadAddress::Length(semi_octets));
        }
        Ok(Self {
            ton,
            npi: Npi(npi.0 & 0xF),
            value: value.into(),
        })
    }

    /// A sender's name, such as a bank's.
    pub fn name(name: &str) -> Result<Self, BadAddress> {
        Self::new(Ton::Alphanumeric, Npi::UNKNOWN, name)
    }

    /// The type of number.
    pub fn ton(&self) -> Ton {
        self.ton
    }

    /// The numbering plan.
    pub fn npi(&self) -> Npi {
        self.npi
    }

    /// The digits without `+`, or the name.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Appends length in semi-octets, type and value (TS 23.040, 9.1.2.5).
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        self.encode_behind(out, self.semi_octets());
    }

    /// Appends length in octets, type and value: the form of a service centre (TS 24.011, 8.2.5.1).
    pub(crate) fn encode_smsc(&self, out: &mut Vec<u8>) {
        self.encode_behind(out, 1 + self.semi_octets().div_ceil(2));
    }

    fn encode_behind(&self, out: &mut Vec<u8>, length: usize) {
        // The constructor keeps it at 20 or less; what was read had an octet for it.
        out.push(u8::try_from(length).unwrap_or(u8::MAX));
        out.push(NO_EXTENSION | self.ton.bits() << 4 | self.npi.0);
        if self.ton == Ton::Alphanumeric {
            let septets = alphabet::encode(&self.value).unwrap_or_default();
            return alphabet::pack_into(out, &septets, 0);
        }
        for pair in self.value.as_bytes().chunks(2) {
            let nibble = |at| pair.get(at).copied().and_then(semi_octet).unwrap_or(FILLER);
            out.push(nibble(0) | nibble(1) << 4);
        }
    }

    fn semi_octets(&self) -> usize {
        match self.ton {
            Ton::Alphanumeric => (alphabet::septets(&self.value).unwrap_or(0) * 7).div_ceil(4),
            _ => self.value.len(),
        }
    }

    /// Reads what [`Address::encode`] writes. An address that is longer than any may be is read to its end,
    /// fillers among digits are passed over: both leave a mark, as all does that would be written otherwise.
    /// Errors: octets that end too soon; of a length that no address may have, the length is to blame.
    pub(crate) fn decode(
        reader: &mut Reader<'_>,
        field: &'static str,
    ) -> Result<Self, DecodeError> {
        let at = reader.at();
        let most = MOST_SEMI_OCTETS;
        let semi_octets = usize::from(reader.octet(field)?);
        let meant = if reader.doubts_lengths() {
            semi_octets.min(most)
        } else {
            semi_octets
        };
        let octets = meant.div_ceil(2);
        if semi_octets > most && reader.rest().len() <= octets {
            return Err(DecodeErrorKind::AddressTooLong { semi_octets, most }.at(at));
        }
        let type_octet = reader.octet(field)?;
        let octets = reader.take(octets, field)?;
        let address = Self::from_octets(type_octet, octets, meant);
        if semi_octets > most {
            let kind = MarkKind::AddressTooLong {
                field,
                semi_octets,
                most,
            };
            reader.mark(at, kind);
        }
        if type_octet & NO_EXTENSION == 0 {
            reader.mark(at + 1, MarkKind::SpareBits { field });
        }
        let odd = if address.ton == Ton::Alphanumeric {
            address.odd_name(octets, meant, field)
        } else {
            odd_digit(octets, meant, field)
        };
        if let Some((index, kind)) = odd {
            reader.mark(at + 2 + index, kind);
        }
        Ok(address)
    }

    /// Reads what [`Address::encode_smsc`] writes; nothing if the length is 0.
    pub(crate) fn decode_smsc(reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        const FIELD: &str = "the address of the service centre";
        let at = reader.at();
        let octets = usize::from(reader.octet(FIELD)?);
        if octets > MOST_SMSC_OCTETS {
            let kind = DecodeErrorKind::AddressTooLong {
                semi_octets: 2 * (octets - 1),
                most: 2 * (MOST_SMSC_OCTETS - 1),
            };
            return Err(kind.at(at));
        }
        let Some(value_octets) = octets.checked_sub(1) else {
            return Ok(None);
        };
        let type_octet = reader.octet(FIELD)?;
        let value = reader.take(value_octets, FIELD)?;
        Ok(Some(Self::from_octets(type_octet, value, 2 * value_octets)))
    }

    fn from_octets(type_octet: u8, octets: &[u8], semi_octets: usize) -> Self {
        let ton = Ton::of(type_octet);
        let value = if ton == Ton::Alphanumeric {
            alphabet::decode(&alphabet::unpack(octets, 0, semi_octets * 4 / 7))
        } else {
            nibbles(octets)
                .take(semi_octets)
                .filter_map(|nibble| {
                    SEMI_OCTETS
                        .get(usize::from(nibble))
                        .copied()
                        .map(char::from)
                })
                .collect()
        };
        Self {
            ton,
            npi: Npi(type_octet & 0xF),
            value: value.into(),
        }
    }
}

/// The index of an octet in the value of an address, and what is odd there.
type Odd = (usize, MarkKind);

impl Address {
    /// Where the octets of a name are others than those that it is written with: in spare bits, or, with
    /// escapes that mean nothing and lengths that no number of septets has, in the name itself.
    fn odd_name(&self, octets: &[u8], semi_octets: usize, field: &'static str) -> Option<Odd> {
        let mut written = Vec::with_capacity(octets.len());
        let septets = alphabet::encode(&self.value).unwrap_or_default();
        alphabet::pack_into(&mut written, &septets, 0);
        if self.semi_octets() != semi_octets || written.len() != octets.len() {
            return Some((0, MarkKind::Name { field }));
        }
        let index = octets
            .iter()
            .zip(&written)
            .position(|(one, other)| one != other)?;
        if index + 1 == octets.len() && alphabet::unpack(octets, 0, septets.len()) == septets {
            return Some((index, MarkKind::SpareBits { field }));
        }
        Some((index, MarkKind::Name { field }))
    }
}

/// The first filler among digits, or what stands in the place of one behind an odd number of them.
fn odd_digit(octets: &[u8], semi_octets: usize, field: &'static str) -> Option<Odd> {
    let mut nibbles = nibbles(octets);
    let filler = nibbles
        .by_ref()
        .take(semi_octets)
        .position(|nibble| nibble == FILLER);
    if let Some(place) = filler {
        return Some((place / 2, MarkKind::Filler { field }));
    }
    let spare = nibbles.next().filter(|nibble| *nibble != FILLER);
    spare.map(|_| (semi_octets / 2, MarkKind::SpareBits { field }))
}

/// The semi-octets of octets in their order.
fn nibbles(octets: &[u8]) -> impl Iterator<Item = u8> {
    octets.iter().flat_map(|octet| [octet & 0xF, octet >> 4])
}

impl Ton {
    fn bits(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::International => 1,
            Self::National => 2,
            Self::NetworkSpecific => 3,
            Self::Subscriber => 4,
            Self::Alphanumeric => 5,
            Self::Abbreviated => 6,
            Self::Reserved => 7,
        }
    }

    fn of(type_octet: u8) -> Self {
        match type_octet >> 4 & 0b111 {
            0 => Self::Unknown,
            1 => Self::International,
            2 => Self::National,
            3 => Self::NetworkSpecific,
            4 => Self::Subscriber,
            5 => Self::Alphanumeric,
            6 => Self::Abbreviated,
            _ => Self::Reserved,
        }
    }
}

fn semi_octet(character: u8) -> Option<u8> {
    (0..FILLER)
        .zip(SEMI_OCTETS)
        .find(|(_, known)| **known == character)
        .map(|(nibble, _)| nibble)
}

impl From<&PhoneNumber> for Address {
    fn from(number: &PhoneNumber) -> Self {
        Self {
            ton: Ton::International,
            npi: Npi::ISDN,
            value: number.digits().into(),
        }
    }
}

/// Digits make an address as a person types them: with `+` international, without it unknown.
impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        match text.strip_prefix('+') {
            Some(digits) => Self::new(Ton::International, Npi::ISDN, digits),
            None => Self::new(Ton::Unknown, Npi::ISDN, text),
        }
    }
}

/// International numbers with `+`, all else as it stands; but a name that a reader would take for a
/// number, such as the name `+447700900123`, between quotes.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ton {
            Ton::International => write!(f, "+{}", self.value),
            Ton::Alphanumeric if poses_as_number(&self.value) => write!(f, "\"{}\"", self.value),
            _ => f.write_str(&self.value),
        }
    }
}

/// Has a name digits and no letters, whatever stands between them? Names between quotes count too: else
/// one could show itself as another between quotes.
fn poses_as_number(name: &str) -> bool {
    name.chars().any(char::is_numeric) && !name.chars().any(char::is_alphabetic)
}

/// One word, such as `network_specific`.
impl fmt::Display for Ton {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unknown => "unknown",
            Self::International => "international",
            Self::National => "national",
            Self::NetworkSpecific => "network_specific",
            Self::Subscriber => "subscriber",
            Self::Alphanumeric => "alphanumeric",
            Self::Abbreviated => "abbreviated",
            Self::Reserved => "reserved",
        })
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.ton, masked(&self.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::marks::Mark;
    use crate::sms::pdu::{decode_hex, encode_hex};

    /// Name, octets, type, plan, value, text shown.
    const CASES: &[(&str, &str, Ton, Npi, &str, &str)] = &[
        (
            "international",
            "0C91447700091032",
            Ton::International,
            Npi::ISDN,
            "447700900123",
            "+447700900123",
        ),
        (
            "odd count",
            "0B817007900021F3",
            Ton::Unknown,
            Npi::ISDN,
            "07700900123",
            "07700900123",
        ),
        (
            "national",
            "0BA17007900021F3",
            Ton::National,
            Npi::ISDN,
            "07700900123",
            "07700900123",
        ),
        (
            "short code",
            "04C94300",
            Ton::Subscriber,
            Npi(9),
            "3400",
            "3400",
        ),
        (
            "all semi-octets",
            "0F812143658709BADCFE",
            Ton::Unknown,
            Npi::ISDN,
            "1234567890*#abc",
            "1234567890*#abc",
        ),
        (
            "20 digits",
            "149121436587092143658709",
            Ton::International,
            Npi::ISDN,
            "12345678901234567890",
            "+12345678901234567890",
        ),
        ("none", "0081", Ton::Unknown, Npi::ISDN, "", ""),
        ("one digit", "0181F5", Ton::Unknown, Npi::ISDN, "5", "5"),
        (
            "five digits of a network",
            "05B95803F0",
            Ton::NetworkSpecific,
            Npi(9),
            "85300",
            "85300",
        ),
        (
            "abbreviated",
            "03E021F3",
            Ton::Abbreviated,
            Npi::UNKNOWN,
            "123",
            "123",
        ),
        (
            "reserved type and plan",
            "02FF21",
            Ton::Reserved,
            Npi(15),
            "12",
            "12",
        ),
        (
            "a code of a service",
            "0581AA01FB",
            Ton::Unknown,
            Npi::ISDN,
            "**10#",
            "**10#",
        ),
        ("no name", "00D0", Ton::Alphanumeric, Npi::UNKNOWN, "", ""),
        (
            "name of 1",
            "02D058",
            Ton::Alphanumeric,
            Npi::UNKNOWN,
            "X",
            "X",
        ),
        (
            "name",
            "0BD0CDBC30EC5E03",
            Ton::Alphanumeric,
            Npi::UNKNOWN,
            "MyBank",
            "MyBank",
        ),
        (
            "name of 7",
            "0DD0D3741BFE9ED301",
            Ton::Alphanumeric,
            Npi::UNKNOWN,
            "Simpost",
            "Simpost",
        ),
        (
            "name of 8",
            "0ED049B7F93D45BFE1",
            Ton::Alphanumeric,
            Npi::UNKNOWN,
            "InfoShop",
            "InfoShop",
        ),
        (
            "name of 11",
            "14D04576D95E760FD161F91C",
            Ton::Alphanumeric,
            Npi::UNKNOWN,
            "ElevenChars",
            "ElevenChars",
        ),
        (
            "name that ends with @",
            "09D053F41B0E00",
            Ton::Alphanumeric,
            Npi::UNKNOWN,
            "Shop@",
            "Shop@",
        ),
        (
            "@ on an octet boundary",
            "0ED041E19058341E01",
            Ton::Alphanumeric,
            Npi::UNKNOWN,
            "ABCDEFG@",
            "ABCDEFG@",
        ),
    ];

    fn read(hex: &str) -> Result<Address, DecodeError> {
        Address::decode(&mut Reader::new(&decode_hex(hex).unwrap()), "TP-DA")
    }

    #[test]
    fn the_forms_of_the_wire() {
        for &(name, hex, ton, npi, value, shown) in CASES {
            let address = read(hex).unwrap();
            assert_eq!(
                (address.ton(), address.npi(), address.value()),
                (ton, npi, value),
                "{name}"
            );
            assert_eq!(address.to_string(), shown, "{name}");
            assert_eq!(Address::new(ton, npi, value), Ok(address.clone()), "{name}");
            let mut octets = Vec::new();
            address.encode(&mut octets);
            assert_eq!(encode_hex(&octets), hex, "{name}");
        }
    }

    #[test]
    fn names_of_every_length_come_back() {
        for length in 0..=11 {
            for last in ['@', 'a', 'à'] {
                let name: String = "ElevenChars".chars().take(length).collect();
                let name = match length {
                    0 => name,
                    _ => name[1..].to_owned() + &last.to_string(),
                };
                let mut octets = Vec::new();
                Address::name(&name).unwrap().encode(&mut octets);
                let semi_octets = (7 * length).div_ceil(4);
                assert_eq!(usize::from(octets[0]), semi_octets, "{name}");
                assert_eq!(octets.len(), 2 + semi_octets.div_ceil(2), "{name}");
                let read = read(&encode_hex(&octets)).unwrap();
                assert_eq!(read.value(), name);
            }
        }
    }

    /// Senders count the filler now and then, fill with a digit, leave out the bit of the type octet that is
    /// always set, or take names that are too long. What is read otherwise than it was written has a mark.
    #[test]
    fn mistakes_of_senders_cost_nothing_and_leave_a_mark() {
        const FIELD: &str = "TP-OA";
        const FILLER: MarkKind = MarkKind::Filler { field: FIELD };
        const SPARE: MarkKind = MarkKind::SpareBits { field: FIELD };
        const NAME: MarkKind = MarkKind::Name { field: FIELD };
        let long = |semi_octets| MarkKind::AddressTooLong {
            field: FIELD,
            semi_octets,
            most: 20,
        };
        let cases = [
            ("0181F5", "5", vec![]),
            ("0C817007900021F3", "07700900123", vec![FILLER.at(7)]),
            ("0281F5", "5", vec![FILLER.at(2)]),
            ("0481F5F1", "51", vec![FILLER.at(2)]),
            ("068121F354", "12345", vec![FILLER.at(3)]),
            ("018135", "5", vec![SPARE.at(2)]),
            ("0C11447700091032", "+447700900123", vec![SPARE.at(1)]),
            (
                "159121436587092143658709F1",
                "+123456789012345678901",
                vec![long(21).at(0)],
            ),
            (
                "16912143658709214365870921",
                "+1234567890123456789012",
                vec![long(22).at(0)],
            ),
            (
                "15D0D47B996D2F0FD161F93C04",
                "TwelveChars!",
                vec![long(21).at(0)],
            ),
            // Six characters in the length of none, in the length of seven, and with bits to spare.
            ("0AD0CDBC30EC5E", "MyBan", vec![NAME.at(2)]),
            ("0CD0CDBC30EC5E03", "MyBank", vec![NAME.at(2)]),
            ("0BD0CDBC30EC5E07", "MyBank", vec![SPARE.at(7)]),
            // An escape of nothing, and the length of a letter without one.
            ("04D01B0B", "Π", vec![NAME.at(2)]),
            ("01D041", "", vec![NAME.at(2)]),
        ];
        for (hex, shown, marks) in cases {
            let octets = decode_hex(hex).unwrap();
            let mut reader = Reader::new(&octets);
            let address = Address::decode(&mut reader, FIELD).unwrap();
            assert_eq!(address.to_string(), shown, "{hex}");
            let mut written = Vec::new();
            address.encode(&mut written);
            let harmless = |mark: &Mark| matches!(mark.kind, MarkKind::AddressTooLong { .. });
            assert_eq!(written == octets, marks.iter().all(harmless), "{hex}");
            assert_eq!(reader.into_marks(), marks, "{hex}");
        }
    }

    #[test]
    fn a_service_centre_counts_octets() {
        let cases = [
            ("00", None),
            ("0791447700099099", Some("+447700900999")),
            ("0181", Some("")),
            ("07914477000990F9", Some("+44770090099")),
        ];
        for (hex, shown) in cases {
            let octets = decode_hex(hex).unwrap();
            let smsc = Address::decode_smsc(&mut Reader::new(&octets));
            assert_eq!(
                smsc.map(|smsc| smsc.map(|smsc| smsc.to_string())),
                Ok(shown.map(str::to_owned)),
                "{hex}"
            );
        }
        let mut out = Vec::new();
        "+4477009009990"
            .parse::<Address>()
            .unwrap()
            .encode_smsc(&mut out);
        assert_eq!(encode_hex(&out), "0891447700099099F0");
    }

    #[test]
    fn impossible_addresses_are_refused_at_their_octet() {
        let too_long = |semi_octets| DecodeErrorKind::AddressTooLong {
            semi_octets,
            most: 20,
        };
        assert_eq!(read("FF91"), Err(too_long(255).at(0)));
        assert_eq!(read("1591214365870921436587F1"), Err(too_long(21).at(0)));
        assert_eq!(
            read("0C91447700"),
            Err(DecodeErrorKind::TooShort {
                field: "TP-DA",
                missing: 3
            }
            .at(5))
        );
        assert_eq!(read("").map_err(|error| error.octet), Err(0));
        assert_eq!(
            Address::decode_smsc(&mut Reader::new(&[0x0C, 0x91])),
            Err(too_long(22).at(0))
        );
    }

    #[test]
    fn only_what_the_wire_can_hold_becomes_an_address() {
        assert_eq!("+4477x".parse::<Address>(), Err(BadAddress::Character));
        assert_eq!(
            "123456789012345678901".parse::<Address>(),
            Err(BadAddress::Length(21))
        );
        assert_eq!(Address::name("TwelveChars!"), Err(BadAddress::Length(21)));
        assert_eq!(
            Address::name("Ten chars€").map(|name| name.value().to_owned()),
            Ok("Ten chars€".into())
        );
        assert_eq!(Address::name("Євро"), Err(BadAddress::Character));
        let odd_plan = Address::new(Ton::National, Npi(0xF9), "12");
        assert_eq!(odd_plan.map(|address| address.npi()), Ok(Npi(9)));
    }

    #[test]
    fn a_name_does_not_pose_as_a_number() {
        const CASES: &[(&str, &str)] = &[
            ("+447700900", "\"+447700900\""),
            ("447700900", "\"447700900\""),
            ("+44 7700-90", "\"+44 7700-90\""),
            ("\"+4477009\"", "\"\"+4477009\"\""),
            ("3400", "\"3400\""),
            ("*10#", "\"*10#\""),
            ("Shop 24", "Shop 24"),
            ("+", "+"),
            ("", ""),
        ];
        for (name, shown) in CASES {
            let address = Address::name(name).unwrap();
            assert_eq!(address.to_string(), *shown, "{name}");
            assert_eq!(address.value(), *name);
        }
    }

    #[test]
    fn every_type_has_its_word() {
        let words: Vec<String> = (0..8).map(|bits| Ton::of(bits << 4).to_string()).collect();
        let expected = "unknown international national network_specific subscriber alphanumeric \
                        abbreviated reserved";
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn debug_hides_the_number() {
        let address: Address = "+447700900123".parse().unwrap();
        assert_eq!(format!("{address:?}"), "International •••••••••123");
    }
}

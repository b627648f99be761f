//! The character sets of `+CSCS`: how strings look on the wire.
//!
//! Source: TS 27.007, 5.5; TS 27.005, 3.1 (`<data>`).

use crate::sms::alphabet;
use crate::sms::pdu::{decode_hex, encode_hex};

/// One character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator::modem) enum Charset {
    /// Septets of the GSM alphabet, one a byte.
    Gsm,
    /// ASCII.
    Ira,
    /// UTF-16 in hex.
    Ucs2,
    /// Septets of the GSM alphabet in hex.
    Hex,
}

impl Charset {
    const ALL: [Self; 4] = [Self::Gsm, Self::Ira, Self::Ucs2, Self::Hex];

    /// The name in `+CSCS`.
    pub(in crate::emulator::modem) fn name(self) -> &'static str {
        match self {
            Self::Gsm => "GSM",
            Self::Ira => "IRA",
            Self::Ucs2 => "UCS2",
            Self::Hex => "HEX",
        }
    }

    /// The set of this name.
    pub(in crate::emulator::modem) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.name() == name)
    }

    /// The text of a string from the client; `None` when it is none in this set.
    pub(in crate::emulator::modem) fn decode(self, bytes: &[u8]) -> Option<String> {
        let hex = || decode_hex(std::str::from_utf8(bytes).ok()?).ok();
        match self {
            Self::Gsm => septets(bytes),
            Self::Ira => bytes
                .is_ascii()
                .then(|| bytes.iter().copied().map(char::from).collect()),
            Self::Ucs2 => utf16(&hex()?),
            Self::Hex => septets(&hex()?),
        }
    }

    /// A string for the client; what the set lacks becomes a question mark.
    pub(in crate::emulator::modem) fn encode(self, text: &str) -> String {
        let septets = || {
            let known = text.chars().map(|c| alphabet::width(c).map_or('?', |_| c));
            alphabet::encode(&known.collect::<String>()).unwrap_or_default()
        };
        match self {
            Self::Gsm => septets().into_iter().map(char::from).collect(),
            Self::Ira => text
                .chars()
                .map(|c| if c.is_ascii() { c } else { '?' })
                .collect(),
            Self::Ucs2 => {
                let octets: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
                encode_hex(&octets)
            }
            Self::Hex => encode_hex(&septets()),
        }
    }
}

fn septets(bytes: &[u8]) -> Option<String> {
    bytes.is_ascii().then(|| alphabet::decode(bytes))
}

/// The text of UTF-16 octets; `None` for half a unit or a lone surrogate.
pub(in crate::emulator::modem) fn utf16(octets: &[u8]) -> Option<String> {
    let (pairs, []) = octets.as_chunks::<2>() else {
        return None;
    };
    let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
    char::decode_utf16(units).collect::<Result<_, _>>().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_look_as_their_set_says() {
        const CASES: &[(Charset, &str, &str)] = &[
            (Charset::Gsm, "a@$€", "a\0\u{2}\u{1B}e"),
            (Charset::Ira, "a@$", "a@$"),
            (Charset::Ucs2, "aЖ", "00610416"),
            (Charset::Hex, "a@", "6100"),
        ];
        for (set, text, wire) in CASES {
            assert_eq!(set.encode(text), *wire, "{set:?}");
            assert_eq!(set.decode(wire.as_bytes()).as_deref(), Some(*text));
            assert_eq!(Charset::named(set.name()), Some(*set));
        }
        assert_eq!(Charset::Gsm.encode("Ж1"), "?1");
        assert_eq!(Charset::Ira.encode("Ж1"), "?1");
    }

    #[test]
    fn what_is_no_string_of_a_set_is_none() {
        for (set, wire) in [
            (Charset::Gsm, "\u{E9}"),
            (Charset::Ira, "\u{E9}"),
            (Charset::Ucs2, "004"),
            (Charset::Ucs2, "00"),
            (Charset::Ucs2, "D800"),
            (Charset::Hex, "FF"),
        ] {
            assert_eq!(set.decode(wire.as_bytes()), None, "{set:?} {wire}");
        }
        assert_eq!(Charset::named("8859-1"), None);
    }
}

//! PDUs as modems print and take them: hex, with the service centre's address before the TPDU
//! (TS 27.005, 3.1).

use super::deliver::Deliver;
use super::fields::Address;
use super::octets::Reader;
pub use super::octets::{DecodeError, DecodeErrorKind};
use super::report::StatusReport;
use super::submit::Submit;

/// Upper-case hex of octets.
pub fn encode_hex(octets: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    octets
        .iter()
        .flat_map(|octet| [octet >> 4, octet & 0xF])
        .filter_map(|nibble| DIGITS.get(usize::from(nibble)).copied().map(char::from))
        .collect()
}

/// The octets of hex in either case; blanks and line ends around it are ignored.
pub fn decode_hex(text: &str) -> Result<Vec<u8>, DecodeError> {
    let (pairs, rest) = text.trim_ascii().as_bytes().as_chunks::<2>();
    let mut octets = Vec::with_capacity(pairs.len());
    for &[high, low] in pairs {
        let (Some(high), Some(low)) = (digit(high), digit(low)) else {
            return Err(DecodeErrorKind::NotHex.at(octets.len()));
        };
        octets.push(high << 4 | low);
    }
    match rest {
        [] => Ok(octets),
        [half] if digit(*half).is_some() => Err(DecodeErrorKind::HalfOctet.at(octets.len())),
        _ => Err(DecodeErrorKind::NotHex.at(octets.len())),
    }
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'A'..=b'F' => Some(character - b'A' + 10),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

/// Parts the service centre's address from the TPDU behind it; a length of 0 means "as stored on the
/// SIM".
pub fn split_smsc(pdu: &[u8]) -> Result<(Option<Address>, &[u8]), DecodeError> {
    let mut reader = Reader::new(pdu);
    let smsc = Address::decode_smsc(&mut reader)?;
    Ok((smsc, reader.rest()))
}

/// Hex of a TPDU behind a service centre's address, and the length that AT commands and their
/// answers give: the octets of the TPDU alone.
pub fn with_smsc(smsc: Option<&Address>, tpdu: &[u8]) -> (String, usize) {
    let mut octets = Vec::with_capacity(12 + tpdu.len());
    match smsc {
        Some(smsc) => smsc.encode_smsc(&mut octets),
        None => octets.push(0),
    }
    octets.extend_from_slice(tpdu);
    (encode_hex(&octets), tpdu.len())
}

/// What `AT+CMGS` takes: the hex, with the service centre left to the SIM, and the length.
pub fn for_cmgs(submit: &Submit) -> (String, usize) {
    with_smsc(None, &submit.encode())
}

/// A TPDU as it lies in a modem: messages and reports that came, and messages stored for sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tpdu {
    /// A message that came; also the reserved message type 11.
    Deliver(Deliver),
    /// A message of ours.
    Submit(Submit),
    /// A report that came.
    StatusReport(StatusReport),
}

impl Tpdu {
    /// Reads a TPDU by its message type. A modem's storage and headers do not tell reliably whether
    /// something is a message or a report; these two bits do (TS 23.040, 9.2.3.1).
    pub fn decode(tpdu: &[u8]) -> Result<Self, DecodeError> {
        let first = Reader::new(tpdu).octet("the first octet")?;
        match first & 0b11 {
            0b01 => Submit::decode(tpdu).map(Self::Submit),
            0b10 => StatusReport::decode(tpdu).map(Self::StatusReport),
            _ => Deliver::decode(tpdu).map(Self::Deliver),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_both_ways() {
        assert_eq!(encode_hex(&[0x00, 0x9A, 0xFF]), "009AFF");
        let cases = [
            ("009AFF", Ok(vec![0x00, 0x9A, 0xFF])),
            ("009aff\r\n", Ok(vec![0x00, 0x9A, 0xFF])),
            ("", Ok(vec![])),
            ("009AF", Err(DecodeErrorKind::HalfOctet.at(2))),
            ("00 9A", Err(DecodeErrorKind::NotHex.at(1))),
            ("00G0", Err(DecodeErrorKind::NotHex.at(1))),
            ("009>", Err(DecodeErrorKind::NotHex.at(1))),
            ("00é", Err(DecodeErrorKind::NotHex.at(1))),
            ("00x", Err(DecodeErrorKind::NotHex.at(1))),
        ];
        for (text, expected) in cases {
            assert_eq!(decode_hex(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_service_centre_stands_before_the_tpdu() {
        let smsc: Address = "+447700900999".parse().unwrap();
        assert_eq!(
            with_smsc(Some(&smsc), &[0x11, 0x00]),
            ("07914477000990991100".to_owned(), 2)
        );
        assert_eq!(with_smsc(None, &[0x11, 0x00]), ("001100".to_owned(), 2));
        let pdu = decode_hex("07914477000990991100").unwrap();
        assert_eq!(split_smsc(&pdu), Ok((Some(smsc), [0x11, 0x00].as_slice())));
        assert_eq!(split_smsc(&[0, 0x11]), Ok((None, [0x11].as_slice())));
        assert_eq!(split_smsc(&[]).map_err(|error| error.octet), Err(0));
        assert_eq!(
            split_smsc(&[7, 0x91, 0x44]).map_err(|error| error.octet),
            Err(3)
        );
    }

    #[test]
    fn the_type_bits_tell_messages_from_reports() {
        let kind = |hex: &str| {
            Tpdu::decode(&decode_hex(hex).unwrap()).map(|tpdu| match tpdu {
                Tpdu::Deliver(_) => "deliver",
                Tpdu::Submit(_) => "submit",
                Tpdu::StatusReport(_) => "report",
            })
        };
        assert_eq!(
            kind("040C9144770009406500006230414003000A0453EA130A"),
            Ok("deliver")
        );
        assert_eq!(
            kind("070C9144770009406500006230414003000A0453EA130A"),
            Ok("deliver")
        );
        assert_eq!(kind("11000C914477000910320000A702C834"), Ok("submit"));
        assert_eq!(
            kind("06170C91447700091032623041015123006230410151730000"),
            Ok("report")
        );
        assert_eq!(kind("").map_err(|error| error.octet), Err(0));
    }
}

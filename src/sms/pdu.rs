//! PDUs as modems print and take them: hex, with the service centre's address before the TPDU
//! (TS 27.005, 3.1).

use super::fields::Address;
use super::marks::Mark;
use super::octets::Reader;
pub use super::octets::{DecodeError, DecodeErrorKind};
use super::submit::Submit;
pub use super::tpdu::{Decoded, Direction, Kind, Tpdu, UnknownKind};

/// Upper-case hex of octets.
pub fn encode_hex(octets: &[u8]) -> String {
    let mut hex = Vec::with_capacity(2 * octets.len());
    for octet in octets {
        hex.extend_from_slice(&[digit(octet >> 4), digit(octet & 0xF)]);
    }
    // Digits are UTF-8; to push them as characters would take twice as long.
    String::from_utf8(hex).unwrap_or_default()
}

/// The digit of a value under 16.
fn digit(value: u8) -> u8 {
    match value {
        0..=9 => b'0' + value,
        _ => b'A' + (value & 0xF) - 10,
    }
}

/// The octets of hex in either case; blanks and line ends around it are ignored.
pub fn decode_hex(text: &str) -> Result<Vec<u8>, DecodeError> {
    let (pairs, rest) = text.trim_ascii().as_bytes().as_chunks::<2>();
    let mut wrong = 0;
    let octet = |&[high, low]: &[u8; 2]| {
        let (high, low) = (value(high), value(low));
        wrong |= high | low;
        high << 4 | low
    };
    let octets: Vec<u8> = pairs.iter().map(octet).collect();
    if wrong & NO_DIGIT != 0 {
        let is_wrong = |pair: &[u8; 2]| pair.iter().any(|digit| value(*digit) == NO_DIGIT);
        let at = pairs.iter().position(is_wrong).unwrap_or_default();
        return Err(DecodeErrorKind::NotHex.at(at));
    }
    match rest {
        [] => Ok(octets),
        [half] if value(*half) != NO_DIGIT => Err(DecodeErrorKind::HalfOctet.at(octets.len())),
        _ => Err(DecodeErrorKind::NotHex.at(octets.len())),
    }
}

/// The value of a digit, or [`NO_DIGIT`].
fn value(character: u8) -> u8 {
    match character {
        b'0'..=b'9' => character - b'0',
        b'A'..=b'F' => character - b'A' + 10,
        b'a'..=b'f' => character - b'a' + 10,
        _ => NO_DIGIT,
    }
}

/// A bit that no digit's value has.
const NO_DIGIT: u8 = 0x80;

/// Parts the service centre's address from the TPDU behind it; a length of 0 means "as stored on the
/// SIM".
pub fn split_smsc(pdu: &[u8]) -> Result<(Option<Address>, &[u8]), DecodeError> {
    let mut reader = Reader::new(pdu);
    let smsc = Address::decode_smsc(&mut reader)?;
    Ok((smsc, reader.rest()))
}

/// A TPDU found in a PDU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<'a> {
    /// The service centre's address; nothing too if it is the one stored on the SIM.
    pub smsc: Option<Address>,
    /// Where the TPDU begins: 0 if the PDU has not even the length octet of a service centre's address.
    pub at: usize,
    /// The octets of the TPDU.
    pub tpdu: &'a [u8],
}

/// Finds the TPDU in a PDU that came, also where the modem left the service centre out, as some do in
/// `+CDS`.
///
/// `stated` is the length that came with the PDU, if one came: the octets of the TPDU alone. Where it
/// fits, it decides. Else both readings are tried, and the one with the service centre is taken
/// unless the other is the better TPDU.
/// Errors: those of [`split_smsc`], if the octets are no TPDU either.
pub fn locate(pdu: &[u8], stated: Option<usize>) -> Result<Located<'_>, DecodeError> {
    let bare = Located {
        smsc: None,
        at: 0,
        tpdu: pdu,
    };
    let behind = split_smsc(pdu).map(|(smsc, tpdu)| Located {
        smsc,
        at: pdu.len() - tpdu.len(),
        tpdu,
    });
    let behind = match behind {
        Ok(behind) => behind,
        Err(_) if stated == Some(pdu.len()) || fitness(pdu) > Fitness::None => return Ok(bare),
        Err(error) => return Err(error),
    };
    if stated == Some(behind.tpdu.len()) {
        return Ok(behind);
    }
    if stated == Some(pdu.len()) {
        return Ok(bare);
    }
    // Nothing is better than a whole TPDU: then the other reading need not be tried.
    let fitness_behind = fitness_behind(&behind, pdu);
    if fitness_behind < Fitness::Whole && fitness(pdu) > fitness_behind {
        return Ok(bare);
    }
    Ok(behind)
}

/// How well octets are a TPDU.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Fitness {
    None,
    /// A TPDU with an address longer than any may be.
    Poor,
    /// A TPDU with octets behind it, or one that is cut off.
    Some,
    Whole,
}

fn fitness(octets: &[u8]) -> Fitness {
    let Some(first) = octets.first() else {
        return Fitness::None;
    };
    let Ok(decoded) = Tpdu::decode_marked(octets, Kind::stored(*first)) else {
        return Fitness::None;
    };
    if decoded.marks.iter().any(Mark::is_too_long) {
        Fitness::Poor
    } else if decoded.rest.is_empty() && decoded.tpdu.cut().is_none() {
        Fitness::Whole
    } else {
        Fitness::Some
    }
}

/// The top bit of a type of number is always set (TS 24.011, 8.2.5.2).
fn fitness_behind(located: &Located<'_>, pdu: &[u8]) -> Fitness {
    match pdu.get(1) {
        Some(type_octet) if located.smsc.is_some() && type_octet & 0x80 == 0 => Fitness::None,
        _ => fitness(located.tpdu),
    }
}

/// Reads hex as modems print it, of a message or a report that lies in a storage or was handed over.
///
/// `stated` is the length that came with it, as in [`locate`]; one that leads to no TPDU is nonsense and
/// counts for nothing. The hex comes back as it is to be kept: with the octet of an empty service
/// centre where the modem left it out, so that [`read_kept`] needs no length.
/// Errors: those of [`decode_hex`], [`locate`] and [`Tpdu::decode_stored`].
pub fn read_shown(hex: String, stated: Option<usize>) -> (String, Result<Tpdu, DecodeError>) {
    let read = |octets: &[u8], stated| {
        let found = locate(octets, stated)?;
        Ok((found.at, Tpdu::decode_stored(found.tpdu)?))
    };
    let octets = decode_hex(&hex);
    let read = octets.and_then(|octets| read(&octets, stated).or_else(|_| read(&octets, None)));
    match read {
        Ok((0, tpdu)) => (format!("00{}", hex.trim_ascii()), Ok(tpdu)),
        Ok((_, tpdu)) => (hex, Ok(tpdu)),
        Err(error) => (hex, Err(error)),
    }
}

/// Reads hex that was kept as [`read_shown`] gives it.
/// Errors: those of [`decode_hex`], [`split_smsc`] and [`Tpdu::decode_stored`].
pub fn read_kept(hex: &str) -> Result<Tpdu, DecodeError> {
    let octets = decode_hex(hex)?;
    Tpdu::decode_stored(split_smsc(&octets)?.1)
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

    /// A report behind its service centre, and its TPDU alone.
    const REPORT: &str = "079144770009909906170C91447700091032623041015123006230410151730000";
    const ADDRESS_OCTETS: usize = 8;

    #[test]
    fn a_missing_service_centre_is_noticed() {
        let pdu = decode_hex(REPORT).unwrap();
        let tpdu = &pdu[ADDRESS_OCTETS..];
        let shown = |octets, stated| {
            locate(octets, stated).map(|found| {
                assert_eq!(found.tpdu, &octets[found.at..]);
                (found.smsc.map(|smsc| smsc.to_string()), found.at)
            })
        };
        let smsc = || Some("+447700900999".to_owned());
        let empty = [[0].as_slice(), tpdu].concat();
        let cases = [
            ("as it should be", pdu.as_slice(), Some(25), (smsc(), 8)),
            ("no length came", &pdu, None, (smsc(), 8)),
            ("a wrong length", &pdu, Some(99), (smsc(), 8)),
            ("the SIM's", &empty, Some(25), (None, 1)),
            ("the SIM's, no length", &empty, None, (None, 1)),
            ("left out", tpdu, Some(25), (None, 0)),
            ("left out, no length", tpdu, None, (None, 0)),
            ("left out, a wrong length", tpdu, Some(24), (None, 0)),
            ("the length says left out", &pdu, Some(33), (None, 0)),
        ];
        for (name, octets, stated, expected) in cases {
            assert_eq!(shown(octets, stated), Ok(expected), "{name}");
        }
    }

    /// A report without service centre that reads as a text behind one, and what its length says.
    #[test]
    fn a_stated_length_tells_what_was_left_out_and_what_is_kept_reads_alone() {
        const BARE: &str = "06CF038178F0623002227132884240515122425800";
        let kept = format!("00{BARE}");
        let centred = REPORT;
        let cases = [
            (BARE, Some(21), kept.as_str(), true),
            (BARE, Some(14), BARE, false),
            (centred, Some(25), centred, true),
            // With the service centre counted, as some do: no TPDU, so it counts for nothing.
            (centred, Some(33), centred, true),
            (centred, Some(1), centred, true),
            (centred, None, centred, true),
        ];
        for (hex, stated, expected, is_report) in cases {
            let (kept, read) = read_shown(hex.to_owned(), stated);
            assert_eq!(kept, expected, "{hex} {stated:?}");
            let read = read.unwrap();
            assert_eq!(
                matches!(read, Tpdu::StatusReport(_)),
                is_report,
                "{hex} {stated:?}"
            );
            assert_eq!(read_kept(&kept), Ok(read), "{hex} {stated:?}");
        }
        let (kept, read) = read_shown("00FFab".into(), Some(2));
        assert_eq!((kept.as_str(), read.is_err()), ("00FFab", true));
    }

    /// Thirteen zeros are an empty message as they stand, twelve are none.
    #[test]
    fn a_length_that_fits_decides_against_the_better_tpdu() {
        let at = |stated| locate(&[0; 13], stated).map(|found| found.at);
        assert_eq!(
            (at(None), at(Some(13)), at(Some(12)), at(Some(11))),
            (Ok(0), Ok(0), Ok(1), Ok(0))
        );
    }

    #[test]
    fn octets_that_read_both_ways() {
        let cases = [
            // The text `Hi@` of 123: also an empty message behind a centre whose type octet is 03.
            (
                "a type octet that is none",
                "04038121F300006230410151230003C83400",
                0,
            ),
            // `Hello` of 123 and an octet more: also a report that ends inside its optional fields.
            (
                "a surplus against a cut",
                "0691103254769804038121F300006230410151230005C8329BFD0601",
                7,
            ),
        ];
        for (name, hex, at) in cases {
            let found = locate(&decode_hex(hex).unwrap(), None).map(|found| found.at);
            assert_eq!(found, Ok(at), "{name}");
        }
    }

    #[test]
    fn a_report_alone_is_found_under_every_reference() {
        let pdu = decode_hex(REPORT).unwrap();
        let mut tpdu = pdu[ADDRESS_OCTETS..].to_vec();
        for first in [0x02, 0x06, 0x0A, 0x0E, 0x26, 0x46] {
            for mr in 0..=u8::MAX {
                tpdu[0] = first;
                tpdu[1] = mr;
                let found = locate(&tpdu, None).map(|found| found.at);
                assert_eq!(found, Ok(0), "{first:02X} {mr:02X}");
            }
        }
    }

    #[test]
    fn what_is_no_pdu_at_all_keeps_the_error_of_its_beginning() {
        let error = |octets: &[u8]| locate(octets, None).map(|found| found.at);
        assert_eq!(error(&[]).map_err(|error| error.octet), Err(0));
        assert_eq!(error(&[7, 0x91, 0x44]).map_err(|error| error.octet), Err(3));
        assert_eq!(error(&[0xFF; 20]).map_err(|error| error.octet), Err(0));
        // A service centre alone is found; that no TPDU follows is for the decoder to say.
        assert_eq!(error(&[1, 0x91]), Ok(2));
    }
}

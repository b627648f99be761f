//! Septets in octets, as short messages and USSD carry them (TS 23.038, 6.1.2).

/// The fill bits between a header of `octets` (its length octet included) and the first septet,
/// 0 to 6: text begins on a septet boundary counted from the start of TP-UD (TS 23.040, 9.2.3.24).
pub fn fill_bits(octets: usize) -> usize {
    (7 - octets % 7) % 7
}

/// Packs septets into octets, the lowest bits first, after `fill` zero bits, 0 to 6 (TS 23.038, 6.1.2.1).
/// Unused bits of the last octet are 0.
pub fn pack(septets: &[u8], fill: usize) -> Vec<u8> {
    let mut octets = Vec::with_capacity((septets.len() * 7 + fill).div_ceil(8));
    pack_into(&mut octets, septets, fill);
    octets
}

/// Septets that fill whole octets: eight in seven.
const RUN: usize = 8;

/// Like [`pack`], onto the end of `octets`.
pub(crate) fn pack_into(octets: &mut Vec<u8>, septets: &[u8], fill: usize) {
    octets.reserve((septets.len() * 7 + fill).div_ceil(8));
    let (runs, rest) = septets.as_chunks::<RUN>();
    // At most 6 bits wait before a run, so a run and they fit.
    let mut pending = 0_u64;
    for run in runs {
        for (at, septet) in run.iter().enumerate() {
            pending |= u64::from(septet & 0x7F) << (fill + 7 * at);
        }
        let [packed @ .., left] = pending.to_le_bytes();
        octets.extend_from_slice(&packed);
        pending = left.into();
    }
    for (at, septet) in rest.iter().enumerate() {
        pending |= u64::from(septet & 0x7F) << (fill + 7 * at);
    }
    let left = (fill + 7 * rest.len()).div_ceil(8);
    octets.extend(pending.to_le_bytes().iter().take(left));
}

/// The septets of packed octets after `fill` bits, 0 to 6, one an octet: `count` of them, fewer if the octets
/// end before.
///
/// The count must come from TP-UDL: seven spare bits at the end look like an `@`.
pub fn unpack(octets: &[u8], fill: usize, count: usize) -> Vec<u8> {
    let there = (octets.len() * 8).saturating_sub(fill) / 7;
    let count = count.min(there);
    let mut septets = Vec::with_capacity(count.next_multiple_of(RUN));
    for start in (0..count).step_by(RUN).map(|at| at / RUN * 7) {
        // A run of 56 bits and those before it, or as much of them as there is.
        let window = octets.get(start..).unwrap_or_default();
        let window = window.first_chunk().copied().unwrap_or_else(|| {
            let mut last = [0; 8];
            last.iter_mut()
                .zip(window)
                .for_each(|(to, from)| *to = *from);
            last
        });
        let bits = u64::from_le_bytes(window) >> fill;
        let mut run = [0; RUN];
        for (at, septet) in run.iter_mut().enumerate() {
            let [low, ..] = (bits >> (7 * at)).to_le_bytes();
            *septet = low & 0x7F;
        }
        septets.extend_from_slice(&run);
    }
    septets.truncate(count);
    septets
}

/// The carriage return, which fills seven spare bits of a USSD string.
const CR: u8 = 0x0D;

/// Packs the septets of a USSD string (TS 23.038, 6.1.2.3.1), which travels without a count.
///
/// Seven spare bits would look like an `@`, so they hold a carriage return. A text that itself ends in
/// one where an octet ends gets a second one, or the reader would take it for such a filling.
pub fn pack_ussd(septets: &[u8]) -> Vec<u8> {
    let mut filled = septets.to_vec();
    let fills = |septets: &[u8], left| septets.len() % 8 == left;
    if fills(septets, 7) || fills(septets, 0) && septets.last() == Some(&CR) {
        filled.push(CR);
    }
    pack(&filled, 0)
}

/// The septets of a USSD string, one an octet: a carriage return that ends with the last octet is
/// filling and left out.
pub fn unpack_ussd(octets: &[u8]) -> Vec<u8> {
    let mut septets = unpack(octets, 0, usize::MAX);
    if septets.len().is_multiple_of(8) && septets.last() == Some(&CR) {
        septets.pop();
    }
    septets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::alphabet::{decode, encode};
    use crate::sms::pdu::{decode_hex, encode_hex};

    #[test]
    fn packed_septets() {
        const CASES: &[(&str, usize, &str)] = &[
            ("", 0, ""),
            ("1", 0, "31"),
            ("Hi", 0, "C834"),
            ("*100#", 0, "AA180C3602"),
            ("hellohello", 0, "E8329BFD4697D9EC37"),
            ("Balance: 12.34 EUR", 0, "C2303BEC1E9775A098CC35A3818A5529"),
            ("1234567@", 0, "31D98C56B3DD00"),
            ("1", 1, "62"),
            ("Hi", 6, "00320D"),
        ];
        for &(text, fill, hex) in CASES {
            let septets = encode(text).unwrap();
            assert_eq!(
                encode_hex(&pack(&septets, fill)),
                hex,
                "{text} after {fill}"
            );
            assert_eq!(
                unpack(&decode_hex(hex).unwrap(), fill, septets.len()),
                septets,
                "{text} after {fill}"
            );
        }
    }

    #[test]
    fn seven_spare_bits_are_no_character_and_missing_ones_are_left_out() {
        let packed = pack(&encode("1234567").unwrap(), 0);
        assert_eq!(
            (packed.len(), decode(&unpack(&packed, 0, 7)).as_str()),
            (7, "1234567")
        );
        assert_eq!(decode(&unpack(&packed, 0, 200)), "1234567@");
        assert_eq!(unpack(&[], 3, 5), Vec::<u8>::new());
    }

    #[test]
    fn text_begins_on_a_septet_boundary() {
        const CASES: &[(usize, usize)] = &[
            (0, 0),
            (4, 3),
            (6, 1),
            (7, 0),
            (9, 5),
            (10, 4),
            (12, 2),
            (13, 1),
        ];
        for &(octets, fill) in CASES {
            assert_eq!(fill_bits(octets), fill, "{octets}");
            assert_eq!((octets * 8 + fill) % 7, 0, "{octets}");
        }
    }

    #[test]
    fn spare_bits_of_ussd_hold_a_carriage_return() {
        const CASES: &[(&str, &str, &str)] = &[
            ("*100#", "AA180C3602", "*100#"),
            ("1234567", "31D98C56B3DD1A", "1234567"),
            ("1234567@", "31D98C56B3DD00", "1234567@"),
            ("123456\r", "31D98C56B3351A", "123456\r"),
            // A wanted one is doubled: a terminal that returns twice shows the same.
            ("1234567\r", "31D98C56B3DD1A0D", "1234567\r\r"),
            ("\r", "0D", "\r"),
            ("", "", ""),
        ];
        for &(text, hex, read) in CASES {
            assert_eq!(
                encode_hex(&pack_ussd(&encode(text).unwrap())),
                hex,
                "{text}"
            );
            assert_eq!(
                decode(&unpack_ussd(&decode_hex(hex).unwrap())),
                read,
                "{text}"
            );
        }
    }
}

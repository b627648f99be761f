//! TP-User-Data: an optional header, then septets, octets or UTF-16, at most 140 octets in all.

use std::fmt;

use super::{Dcs, UserDataHeader};
use crate::sms::alphabet::{self, Alphabet};
use crate::sms::octets::{DecodeError, DecodeErrorKind, Reader};
use crate::sms::pdu::encode_hex;

/// The most octets of TP-UD (TS 23.040, 9.2.3.16).
pub(crate) const MOST_OCTETS: usize = 140;

/// TP-UDL and TP-UD (TS 23.040, 9.2.3.16 and 9.2.3.24). Always fits into one message.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UserData {
    header: Option<UserDataHeader>,
    body: Body,
}

/// What follows the header.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Body {
    /// Unpacked: one septet an octet.
    Gsm7(Vec<u8>),
    Data8(Vec<u8>),
    /// As on the wire; a stranger's may have an odd number of octets.
    Ucs2(Vec<u8>),
}

/// Why something cannot be user data. Holds no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadUserData {
    /// A character outside the GSM alphabet.
    #[error("the text has a character that is not in the GSM 7-bit default alphabet")]
    NotInAlphabet,
    /// Header and text together are over 140 octets.
    #[error("user data of {0} octets, the most is {MOST_OCTETS}")]
    TooLong(usize),
}

impl UserData {
    /// A text in the GSM 7-bit default alphabet.
    pub fn gsm7(header: Option<UserDataHeader>, text: &str) -> Result<Self, BadUserData> {
        let septets = alphabet::encode(text).ok_or(BadUserData::NotInAlphabet)?;
        Self {
            header,
            body: Body::Gsm7(septets),
        }
        .checked()
    }

    /// A text in UCS-2.
    pub fn ucs2(header: Option<UserDataHeader>, text: &str) -> Result<Self, BadUserData> {
        let octets = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        Self {
            header,
            body: Body::Ucs2(octets),
        }
        .checked()
    }

    /// Octets without a text.
    pub fn data8(header: Option<UserDataHeader>, octets: &[u8]) -> Result<Self, BadUserData> {
        Self {
            header,
            body: Body::Data8(octets.to_vec()),
        }
        .checked()
    }

    fn checked(self) -> Result<Self, BadUserData> {
        let octets = self.octets();
        if octets > MOST_OCTETS {
            Err(BadUserData::TooLong(octets))
        } else {
            Ok(self)
        }
    }

    /// The header, if the message has one.
    pub fn header(&self) -> Option<&UserDataHeader> {
        self.header.as_ref()
    }

    /// How the text is coded.
    pub fn alphabet(&self) -> Alphabet {
        match self.body {
            Body::Gsm7(_) => Alphabet::Gsm7,
            Body::Data8(_) => Alphabet::Data8,
            Body::Ucs2(_) => Alphabet::Ucs2,
        }
    }

    /// The text: lone surrogates and half characters become U+FFFD, 8-bit data upper-case hex.
    pub fn text(&self) -> String {
        match &self.body {
            Body::Gsm7(septets) => alphabet::decode(septets),
            Body::Data8(octets) => encode_hex(octets),
            Body::Ucs2(octets) => utf16(octets),
        }
    }

    /// The octets after the header as they travel, septets packed without the fill bits before them.
    pub fn payload(&self) -> Vec<u8> {
        match &self.body {
            Body::Gsm7(septets) => alphabet::pack(septets, 0),
            Body::Data8(octets) | Body::Ucs2(octets) => octets.clone(),
        }
    }

    /// TP-UDL: septets for GSM 7-bit, else octets; header and fill bits included.
    pub fn udl(&self) -> u8 {
        let header = self.header_octets();
        let units = match &self.body {
            Body::Gsm7(septets) => header_septets(header) + septets.len(),
            Body::Data8(octets) | Body::Ucs2(octets) => header + octets.len(),
        };
        // The constructors and the decoder keep it at 160 or less.
        u8::try_from(units).unwrap_or(u8::MAX)
    }

    /// Octets of the header with its length octet, 0 without header.
    fn header_octets(&self) -> usize {
        self.header
            .as_ref()
            .map_or(0, |header| 1 + header.octets().len())
    }

    fn octets(&self) -> usize {
        let header = self.header_octets();
        match &self.body {
            Body::Gsm7(septets) => ((header_septets(header) + septets.len()) * 7).div_ceil(8),
            Body::Data8(octets) | Body::Ucs2(octets) => header + octets.len(),
        }
    }

    /// Appends TP-UDL and TP-UD.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.udl());
        if let Some(header) = &self.header {
            out.push(u8::try_from(header.octets().len()).unwrap_or(u8::MAX));
            out.extend_from_slice(header.octets());
        }
        match &self.body {
            Body::Gsm7(septets) => {
                alphabet::pack_into(out, septets, alphabet::fill_bits(self.header_octets()));
            }
            Body::Data8(octets) | Body::Ucs2(octets) => out.extend_from_slice(octets),
        }
    }

    /// Reads TP-UDL and TP-UD; `with_header` is TP-UDHI.
    pub(crate) fn decode(
        reader: &mut Reader<'_>,
        dcs: Dcs,
        with_header: bool,
    ) -> Result<Self, DecodeError> {
        let alphabet = dcs.alphabet();
        let at = reader.at();
        let udl = usize::from(reader.octet("TP-UDL")?);
        let octets = if alphabet == Alphabet::Gsm7 {
            (udl * 7).div_ceil(8)
        } else {
            udl
        };
        if octets > MOST_OCTETS {
            return Err(DecodeErrorKind::UserDataTooLong {
                octets,
                most: MOST_OCTETS,
            }
            .at(at));
        }
        let at = reader.at();
        let mut field = Reader::new(reader.take(octets, "TP-UD")?);
        let header = if with_header {
            Some(header(&mut field).map_err(|kind| kind.at(at))?)
        } else {
            None
        };
        let header_octets = field.at();
        let rest = field.rest();
        let body = match alphabet {
            Alphabet::Gsm7 => {
                let count = udl.saturating_sub(header_septets(header_octets));
                Body::Gsm7(alphabet::unpack(
                    rest,
                    alphabet::fill_bits(header_octets),
                    count,
                ))
            }
            Alphabet::Data8 => Body::Data8(rest.to_vec()),
            Alphabet::Ucs2 => Body::Ucs2(rest.to_vec()),
        };
        Ok(Self { header, body })
    }
}

/// The septets that a header takes, fill bits included.
fn header_septets(octets: usize) -> usize {
    (octets * 8).div_ceil(7)
}

fn header(field: &mut Reader<'_>) -> Result<UserDataHeader, DecodeErrorKind> {
    let octets = field.rest().len();
    let length = field
        .octet("TP-UDHL")
        .map(usize::from)
        .map_err(|error| error.kind)?;
    let elements = field
        .take(length, "TP-UDH")
        .map_err(|_| DecodeErrorKind::HeaderTooLong {
            header: 1 + length,
            octets,
        })?;
    Ok(UserDataHeader::from_octets(elements))
}

fn utf16(octets: &[u8]) -> String {
    let (pairs, rest) = octets.as_chunks::<2>();
    let units = pairs.iter().copied().map(u16::from_be_bytes);
    let half = (!rest.is_empty()).then_some(char::REPLACEMENT_CHARACTER);
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .chain(half)
        .collect()
}

/// Shows the shape of the message, never its text.
impl fmt::Debug for UserData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserData")
            .field("header", &self.header)
            .field("alphabet", &self.alphabet())
            .field("udl", &self.udl())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::pdu::decode_hex;

    const GSM7: Dcs = Dcs(0x00);
    const DATA8: Dcs = Dcs(0x04);
    const UCS2: Dcs = Dcs(0x08);

    fn read(hex: &str, dcs: Dcs, with_header: bool) -> Result<UserData, DecodeError> {
        UserData::decode(
            &mut Reader::new(&decode_hex(hex).unwrap()),
            dcs,
            with_header,
        )
    }

    fn written(user_data: &UserData) -> String {
        let mut out = Vec::new();
        user_data.encode(&mut out);
        encode_hex(&out)
    }

    fn concat() -> UserDataHeader {
        UserDataHeader::concat_8(0x5A, 2, 1)
    }

    #[test]
    fn user_data_of_every_kind() {
        let cases = [
            (UserData::gsm7(None, "Hi"), GSM7, "02C834", "Hi"),
            (UserData::gsm7(None, ""), GSM7, "00", ""),
            (
                UserData::gsm7(Some(concat()), "Hi"),
                GSM7,
                "090500035A02019069",
                "Hi",
            ),
            (
                UserData::gsm7(Some(concat()), ""),
                GSM7,
                "070500035A020100",
                "",
            ),
            (
                UserData::gsm7(Some(UserDataHeader::concat_16(0x0102, 2, 2)), "Hi"),
                GSM7,
                "0A06080401020202C834",
                "Hi",
            ),
            (UserData::ucs2(None, "Є😀"), UCS2, "060404D83DDE00", "Є😀"),
            (
                UserData::ucs2(Some(concat()), "Є"),
                UCS2,
                "080500035A02010404",
                "Є",
            ),
            (
                UserData::data8(None, &[0x00, 0xAB]),
                DATA8,
                "0200AB",
                "00AB",
            ),
            (
                UserData::gsm7(Some(UserDataHeader::from_octets(&[])), "Hi"),
                GSM7,
                "040000320D",
                "Hi",
            ),
        ];
        for (user_data, dcs, hex, text) in cases {
            let user_data = user_data.unwrap();
            assert_eq!(
                (written(&user_data), user_data.text()),
                (hex.to_owned(), text.to_owned())
            );
            assert_eq!(
                read(hex, dcs, user_data.header().is_some()),
                Ok(user_data),
                "{hex}"
            );
        }
    }

    #[test]
    fn strange_text_is_still_text() {
        let cases = [
            ("half a surrogate pair", "04D83D0041", "\u{FFFD}A"),
            ("the other half", "04DE000041", "\u{FFFD}A"),
            ("half a character", "03004142", "A\u{FFFD}"),
        ];
        for (name, hex, text) in cases {
            let user_data = read(hex, UCS2, false).unwrap();
            assert_eq!(
                (user_data.text().as_str(), written(&user_data).as_str()),
                (text, hex),
                "{name}"
            );
        }
        let compressed = read("02C834", Dcs(0x20), false).unwrap();
        assert_eq!(
            (compressed.text().as_str(), compressed.alphabet()),
            ("C834", Alphabet::Data8)
        );
    }

    #[test]
    fn the_capacity_of_a_message() {
        let too_long = |octets| Err(BadUserData::TooLong(octets));
        let udl =
            |user_data: Result<UserData, BadUserData>| user_data.map(|user_data| user_data.udl());
        let a = |count| "a".repeat(count);
        assert_eq!(udl(UserData::gsm7(None, &a(160))), Ok(160));
        assert_eq!(udl(UserData::gsm7(None, &a(161))), too_long(141));
        assert_eq!(udl(UserData::gsm7(None, &(a(159) + "€"))), too_long(141));
        assert_eq!(udl(UserData::gsm7(Some(concat()), &a(153))), Ok(160));
        assert_eq!(udl(UserData::gsm7(Some(concat()), &a(154))), too_long(141));
        assert_eq!(
            udl(UserData::gsm7(
                Some(UserDataHeader::concat_16(1, 2, 1)),
                &a(152)
            )),
            Ok(160)
        );
        assert_eq!(udl(UserData::ucs2(None, &"Є".repeat(70))), Ok(140));
        assert_eq!(udl(UserData::ucs2(None, &"Є".repeat(71))), too_long(142));
        assert_eq!(
            udl(UserData::ucs2(Some(concat()), &"Є".repeat(67))),
            Ok(140)
        );
        assert_eq!(udl(UserData::data8(Some(concat()), &[0; 134])), Ok(140));
        assert_eq!(
            udl(UserData::data8(Some(concat()), &[0; 135])),
            too_long(141)
        );
        assert_eq!(
            udl(UserData::gsm7(None, "Є")),
            Err(BadUserData::NotInAlphabet)
        );
    }

    #[test]
    fn impossible_lengths_are_refused_at_their_octet() {
        use DecodeErrorKind::{HeaderTooLong, TooShort, UserDataTooLong};
        let too_long = |octets| UserDataTooLong { octets, most: 140 }.at(0);
        assert_eq!(read("A1", GSM7, false), Err(too_long(141)));
        assert_eq!(read("8D", UCS2, false), Err(too_long(141)));
        assert_eq!(
            read("02C8", GSM7, false),
            Err(TooShort {
                field: "TP-UD",
                missing: 1
            }
            .at(2))
        );
        assert_eq!(
            read("0405000302", DATA8, true),
            Err(HeaderTooLong {
                header: 6,
                octets: 4
            }
            .at(1))
        );
        assert_eq!(
            read("00", GSM7, true),
            Err(TooShort {
                field: "TP-UDHL",
                missing: 1
            }
            .at(1))
        );
    }

    #[test]
    fn debug_shows_no_text() {
        let shown = format!("{:?}", UserData::gsm7(None, "Code 4711").unwrap());
        assert_eq!(
            shown,
            "UserData { header: None, alphabet: Gsm7, udl: 9, .. }"
        );
    }
}

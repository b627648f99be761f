//! Codes typed to the network, and its answers (TS 27.007, 7.15; TS 22.090).
//!
//! Three codings are in use, and the scheme in the answer does not tell them apart: plain text,
//! packed septets as hex (Huawei), UCS-2 as hex.

mod scheme;
mod text;

use std::fmt::Write as _;
use std::time::Duration;

use scheme::{Alphabet, Scheme};
pub use text::OpenText;
pub(in crate::modem::at) use text::crosses;

use super::fields::ucs2_hex;
use super::storage::is_hex;
use super::{Answer, Command, ParseError, Plain};
use crate::sms::alphabet;
use crate::sms::alphabet::{pack_ussd, unpack_ussd};
use crate::sms::pdu::{decode_hex, encode_hex};

/// How the text of a dialogue is put between its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Plain,
    /// Septets, packed, as hex.
    Packed,
    /// UCS-2 units as hex.
    Ucs2,
    /// Octets as hex, which are no text: the 8-bit groups of the scheme.
    Data,
}

/// The network's side of the dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ussd {
    /// `<m>`: 0 done, 1 an answer is wanted, 2 ended by the network, 3 answered by another client,
    /// 4 not supported, 5 time over.
    pub m: u8,
    /// The text, decoded, its lines parted by LF. Of 8-bit data the hex.
    pub text: Option<String>,
    /// Its language (ISO 639), where the scheme or the text's beginning names it.
    pub language: Option<String>,
    /// `<dcs>` as it stands (TS 23.038, 5).
    pub dcs: Option<u8>,
    /// The coding it was found in.
    pub coding: Coding,
}

impl Ussd {
    /// Reads `+CUSD: <m>[,"<str>"[,<dcs>]]`, whole; none when the line is something else or its quotes
    /// are still open.
    pub fn read(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("+CUSD:")?;
        let (m, rest) = rest.split_once(',').unwrap_or((rest, ""));
        let (text, dcs) = parts(rest.trim_start())?;
        let dcs = dcs.trim_start_matches(',').trim().parse().ok();
        let (coding, language, text) = decoded(text, dcs.map(Scheme::read));
        Some(Self {
            m: m.trim().parse().ok()?,
            text: (!text.is_empty()).then_some(text),
            language,
            dcs,
            coding,
        })
    }
}

/// The text and what stands behind it. Quotes within the text are part of it.
fn parts(rest: &str) -> Option<(&str, &str)> {
    match rest.strip_prefix('"') {
        Some(inside) => {
            let end = text::closing(inside)?;
            Some((inside.get(..end)?, inside.get(end + 1..)?))
        }
        None => Some(rest.split_once(',').unwrap_or((rest, ""))),
    }
}

/// The coding in which it was found, its language, and the text.
fn decoded(text: &str, scheme: Option<Scheme>) -> (Coding, Option<String>, String) {
    let alphabet = scheme.map(|scheme| scheme.alphabet);
    let preceded = scheme.is_some_and(|scheme| scheme.preceded);
    let named = scheme.and_then(|scheme| scheme.language).map(str::to_owned);
    let octets = decode_hex(text).ok().filter(|_| is_hex(text));
    match (alphabet, &octets) {
        (Some(Alphabet::Data), Some(_)) => return (Coding::Data, None, text.to_owned()),
        (Some(Alphabet::Ucs2), Some(octets)) if octets.len().is_multiple_of(2) => {
            let before = scheme::before_units(octets).filter(|_| preceded);
            let (language, units) = before
                .map_or((None, octets.as_slice()), |(language, units)| {
                    (Some(language), units)
                });
            return (Coding::Ucs2, language, utf16(units).replace('\r', ""));
        }
        _ => {}
    }
    // Packed digits alone would be a number; a language before them makes them a text.
    let certain = octets
        .as_deref()
        .and_then(written)
        .filter(|text| preceded && scheme::before_text(text).is_some());
    let (coding, text) = certain.map_or_else(|| guessed(text), |text| (Coding::Packed, text));
    let before = scheme::before_text(&text).filter(|_| preceded);
    let (language, text) = before.map_or((named, text.as_str()), |(language, text)| {
        (Some(language), text)
    });
    (coding, language, text.replace('\r', ""))
}

/// A text whose scheme tells nothing about how the modem put it.
fn guessed(text: &str) -> (Coding, String) {
    if let Some(text) = ucs2_hex(text).filter(|text| text.chars().count() > 1) {
        return (Coding::Ucs2, text);
    }
    match packed(text) {
        Some(text) => (Coding::Packed, text),
        None => (Coding::Plain, text.to_owned()),
    }
}

fn utf16(octets: &[u8]) -> String {
    let pair = |pair: &[u8]| pair.try_into().map_or(0, u16::from_be_bytes);
    let units: Vec<u16> = octets.chunks(2).map(pair).collect();
    String::from_utf16_lossy(&units)
}

/// Hex whose septets make a text that a person would write. Digits alone are a number, not hex.
fn packed(text: &str) -> Option<String> {
    let letters = text.bytes().any(|octet| octet.is_ascii_alphabetic());
    if !letters || !is_hex(text) {
        return None;
    }
    written(&decode_hex(text).ok()?)
}

/// The text of packed septets, if a person would write it.
fn written(octets: &[u8]) -> Option<String> {
    let mut septets = unpack_ussd(octets);
    // Some networks leave seven spare bits zero, which reads as `@`, instead of filling them.
    if octets.len().is_multiple_of(7) && septets.len().is_multiple_of(8) {
        septets.pop_if(|septet| *septet == 0);
    }
    let text = alphabet::decode(&septets);
    let usual = |c: char| {
        matches!(c, '\n' | '\r') || !(c.is_control() || ('\u{370}'..'\u{400}').contains(&c))
    };
    text.chars().all(usual).then_some(text)
}

/// A code such as `*100#`, or a digit out of a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UssdCode(Box<str>);

/// What is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no code: 1 to 182 of the characters 0 to 9, *, # and +")]
pub struct BadCode(String);

impl std::str::FromStr for UssdCode {
    type Err = BadCode;

    fn from_str(text: &str) -> Result<Self, BadCode> {
        let allowed = |c: char| c.is_ascii_digit() || matches!(c, '*' | '#' | '+');
        if (1..=182).contains(&text.len()) && text.chars().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(BadCode(text.to_owned()))
        }
    }
}

/// `AT+CUSD=1,"*100#",15` → `OK`, and `+CUSD` before or after it (TS 27.007, 7.15).
#[derive(Debug, Clone)]
pub struct AskNetwork {
    /// What to say.
    pub code: UssdCode,
    /// How this modem wants it.
    pub coding: Coding,
}

impl Command for AskNetwork {
    type Reply = ();
    // Some say OK only when the network has answered.
    const TIMEOUT: Duration = Duration::from_secs(60);
    const ANSWER: Answer = Answer::Nothing;

    fn line(&self) -> String {
        let code = &self.code.0;
        let (text, dcs) = match self.coding {
            Coding::Plain => (code.to_string(), 15),
            Coding::Packed => {
                let septets = alphabet::encode(code).unwrap_or_default();
                (encode_hex(&pack_ussd(&septets)), 15)
            }
            Coding::Ucs2 => (ucs2_digits(code), 72),
            Coding::Data => (encode_hex(code.as_bytes()), 68),
        };
        format!("+CUSD=1,\"{text}\",{dcs}")
    }

    fn reply(&self, _: &[String]) -> Result<(), ParseError> {
        Ok(())
    }
}

fn ucs2_digits(code: &str) -> String {
    code.encode_utf16().fold(String::new(), |mut hex, unit| {
        let _ = write!(hex, "{unit:04X}");
        hex
    })
}

/// `AT+CUSD=2`: ends the dialogue.
pub const HANG_UP: Plain = Plain("+CUSD=2");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn texts_in_three_codings() {
        type Row = (&'static str, u8, Option<&'static str>, Option<u8>, Coding);
        const CASES: &[Row] = &[
            (
                "+CUSD: 0,\"C2303BEC1E9775A098CC35A3818A5529\",15",
                0,
                Some("Balance: 12.34 EUR"),
                Some(15),
                Coding::Packed,
            ),
            (
                "+CUSD: 1,\"319030CC0EBBC765850C447DC34175B802062AE2D374\",15",
                1,
                Some("1 Balance\n2 Top up\n0 Exit"),
                Some(15),
                Coding::Packed,
            ),
            (
                "+CUSD: 0,\"04110430043B0430043D0441002000310032002C00330034\",72",
                0,
                Some("\u{411}\u{430}\u{43b}\u{430}\u{43d}\u{441} 12,34"),
                Some(72),
                Coding::Ucs2,
            ),
            (
                "+CUSD: 0,\"00420061006C\",15",
                0,
                Some("Bal"),
                Some(15),
                Coding::Ucs2,
            ),
            (
                "+CUSD: 1,\"1 Balance\n2 Top up\n0 Exit\",15",
                1,
                Some("1 Balance\n2 Top up\n0 Exit"),
                Some(15),
                Coding::Plain,
            ),
            (
                "+CUSD: 2,\"say \"hi\", then 5\"",
                2,
                Some("say \"hi\", then 5"),
                None,
                Coding::Plain,
            ),
            (
                "+CUSD: 0,\"447700900123\",15",
                0,
                Some("447700900123"),
                Some(15),
                Coding::Plain,
            ),
            (
                "+CUSD: 0,\"D83DDE00\",72",
                0,
                Some("\u{1f600}"),
                Some(72),
                Coding::Ucs2,
            ),
            (
                "+CUSD: 1,\"00310020000D000A00320020000A\",15",
                1,
                Some("1 \n2 \n"),
                Some(15),
                Coding::Ucs2,
            ),
            ("+CUSD: 4", 4, None, None, Coding::Plain),
            ("+CUSD:5", 5, None, None, Coding::Plain),
            ("+CUSD: 2,\"\",15", 2, None, Some(15), Coding::Plain),
            ("+CUSD: 0,Done,15", 0, Some("Done"), Some(15), Coding::Plain),
        ];
        for (line, m, text, dcs, coding) in CASES {
            let expected = Ussd {
                m: *m,
                text: text.map(Into::into),
                language: None,
                dcs: *dcs,
                coding: *coding,
            };
            assert_eq!(Ussd::read(line), Some(expected), "{line}");
        }
        for line in [
            "+CUSD: 1,\"1 Balance",
            "+CUSD: ",
            "+CUSD: x,\"a\"",
            "+CMTI: \"SM\",1",
        ] {
            assert_eq!(Ussd::read(line), None, "{line}");
        }
    }

    #[test]
    fn languages_and_octets_that_the_scheme_tells() {
        type Row = (&'static str, Option<&'static str>, &'static str, Coding);
        const CASES: &[Row] = &[
            // `en`, CR, `Hi`: the septets 65 6E 0D 48 69.
            (
                "+CUSD: 0,\"6577039906\",16",
                Some("en"),
                "Hi",
                Coding::Packed,
            ),
            ("+CUSD: 0,\"en\nHi\",16", Some("en"), "Hi", Coding::Plain),
            ("+CUSD: 0,\"Hi there\",16", None, "Hi there", Coding::Plain),
            (
                "+CUSD: 0,\"65370411004F\",17",
                Some("en"),
                "\u{411}O",
                Coding::Ucs2,
            ),
            (
                "+CUSD: 0,\"04110430\",17",
                None,
                "\u{411}\u{430}",
                Coding::Ucs2,
            ),
            ("+CUSD: 0,\"Hallo\",0", Some("de"), "Hallo", Coding::Plain),
            ("+CUSD: 0,\"C834\",15", None, "Hi", Coding::Packed),
            ("+CUSD: 0,\"C834\",68", None, "C834", Coding::Data),
            ("+CUSD: 0,\"C834\",245", None, "C834", Coding::Data),
            ("+CUSD: 0,\"Hi, you\",68", None, "Hi, you", Coding::Plain),
        ];
        for (line, language, text, coding) in CASES {
            let said = Ussd::read(line).unwrap();
            let told = (said.language.as_deref(), said.text.as_deref(), said.coding);
            assert_eq!(told, (*language, Some(*text), *coding), "{line}");
        }
    }

    #[test]
    fn a_filling_is_no_character_and_a_character_no_filling() {
        for text in ["1234567", "123456@", "Balance", "12345678", "Top up!"] {
            let hex = encode_hex(&pack_ussd(&alphabet::encode(text).unwrap()));
            if hex.bytes().any(|octet| octet.is_ascii_alphabetic()) {
                let said = Ussd::read(&format!("+CUSD: 0,\"{hex}\",15")).unwrap();
                assert_eq!(said.text.as_deref(), Some(text), "{hex}");
            }
        }
        // The same seven characters with the spare bits left zero.
        let said = Ussd::read("+CUSD: 0,\"31D98C56B3DD00\",15").unwrap();
        assert_eq!(said.text.as_deref(), Some("1234567"));
    }

    #[test]
    fn questions_as_they_go_out() {
        const CASES: &[(&str, Coding, &str)] = &[
            ("*100#", Coding::Plain, "+CUSD=1,\"*100#\",15"),
            ("*100#", Coding::Packed, "+CUSD=1,\"AA180C3602\",15"),
            ("1", Coding::Packed, "+CUSD=1,\"31\",15"),
            ("1", Coding::Ucs2, "+CUSD=1,\"0031\",72"),
            ("1234567", Coding::Packed, "+CUSD=1,\"31D98C56B3DD1A\",15"),
        ];
        for (code, coding, expected) in CASES {
            let code = code.parse().unwrap();
            let ask = AskNetwork {
                code,
                coding: *coding,
            };
            assert_eq!(ask.line(), *expected);
        }
        for bad in ["", "*100#\"", "*100#\r", "abc"] {
            assert_eq!(bad.parse::<UssdCode>(), Err(BadCode(bad.into())));
        }
    }
}

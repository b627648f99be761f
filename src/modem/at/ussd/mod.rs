//! Codes typed to the network, and its answers (TS 27.007, 7.15; TS 22.090).
//!
//! Three codings are in use, and the scheme in the answer does not tell them apart: plain text,
//! packed septets as hex (Huawei), UCS-2 as hex.

mod scheme;
mod text;

use std::fmt;
use std::fmt::Write as _;
use std::time::Duration;

use scheme::{Alphabet, Scheme};
pub use text::OpenText;

use super::fields::{ucs2_hex, units};
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
#[derive(Clone, PartialEq, Eq)]
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
    /// The text as it stood between its quotes.
    written: String,
}

#[expect(
    clippy::missing_fields_in_debug,
    reason = "what is written says what the text says, once more"
)]
impl fmt::Debug for Ussd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ussd")
            .field("m", &self.m)
            .field("text", &self.text)
            .field("language", &self.language)
            .field("dcs", &self.dcs)
            .field("coding", &self.coding)
            .finish()
    }
}

impl Ussd {
    /// Reads `+CUSD: <m>[,"<str>"[,<dcs>]]`, whole; none when the line is something else or its quotes
    /// are still open. The coding is guessed where the scheme does not tell it.
    pub fn read(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("+CUSD:")?;
        let (m, rest) = rest.split_once(',').unwrap_or((rest, ""));
        let (text, dcs) = parts(rest.trim_start())?;
        let dcs = dcs.trim_matches([',', ' ']).parse().ok();
        let said = Self {
            m: m.trim().parse().ok()?,
            text: None,
            language: None,
            dcs,
            coding: Coding::Plain,
            written: text.to_owned(),
        };
        Some(said.decoded(None))
    }

    /// The same, now that the coding is known in which this modem was asked: it answers in it. A scheme that
    /// names another alphabet still counts.
    #[must_use]
    pub fn asked_in(self, coding: Coding) -> Self {
        self.decoded(Some(coding))
    }

    fn decoded(self, asked: Option<Coding>) -> Self {
        let (coding, language, text) = decoded(&self.written, self.dcs.map(Scheme::read), asked);
        Self {
            text: (!text.is_empty()).then_some(text),
            language,
            coding,
            ..self
        }
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
fn decoded(
    text: &str,
    scheme: Option<Scheme>,
    asked: Option<Coding>,
) -> (Coding, Option<String>, String) {
    let alphabet = scheme.map(|scheme| scheme.alphabet);
    let preceded = scheme.is_some_and(|scheme| scheme.preceded);
    let named = scheme.and_then(|scheme| scheme.language).map(str::to_owned);
    // A modem that breaks its lines breaks hex as well.
    let joined = text.replace('\n', "");
    let octets = decode_hex(&joined).ok().filter(|_| is_hex(&joined));
    match (alphabet, &octets) {
        (Some(Alphabet::Data), Some(_)) => return (Coding::Data, None, joined),
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
    let (coding, text) = match (asked, &octets) {
        (Some(Coding::Packed), Some(octets)) => (Coding::Packed, unpacked(octets)),
        (Some(Coding::Ucs2), Some(_)) => match units(&joined) {
            Some(text) => (Coding::Ucs2, text),
            None => (Coding::Plain, text.to_owned()),
        },
        (Some(_), _) => (Coding::Plain, text.to_owned()),
        (None, octets) => {
            // Packed digits alone would be a number; a language before them makes them a text.
            let certain = octets
                .as_deref()
                .and_then(written)
                .filter(|text| preceded && scheme::before_text(text).is_some());
            certain.map_or_else(|| guessed(text), |text| (Coding::Packed, text))
        }
    };
    let before = scheme::before_text(&text).filter(|_| preceded);
    let (language, text) = before.map_or((named, text.as_str()), |(language, text)| {
        (Some(language), text)
    });
    (coding, language, text.replace('\r', ""))
}

/// Lines of hex that a modem has broken have at least so many digits, but for the last.
const BROKEN_AT: usize = 8;

/// A text of which nothing tells how the modem put it.
fn guessed(text: &str) -> (Coding, String) {
    let mut lines = text.split('\n').rev().skip(1);
    let broken = lines.all(|line| line.len() >= BROKEN_AT && is_hex(line));
    let joined = if broken {
        text.replace('\n', "")
    } else {
        text.to_owned()
    };
    if let Some(text) = ucs2_hex(&joined).filter(|text| text.chars().count() > 1) {
        return (Coding::Ucs2, text);
    }
    if let Some(text) = packed(&joined) {
        return (Coding::Packed, text);
    }
    match units(&joined).filter(|text| is_greek(text)) {
        Some(text) => (Coding::Ucs2, text),
        None => (Coding::Plain, text.to_owned()),
    }
}

/// Greek letters, three at least: units that no number and no plain word looks like by chance.
fn is_greek(text: &str) -> bool {
    let greek = |c: &char| ('\u{386}'..='\u{3CE}').contains(c);
    let usual = |c: char| greek(&c) || matches!(c, '\n' | '\r' | ' '..='~');
    text.chars().all(usual) && text.chars().filter(greek).count() > 2
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
    let text = unpacked(octets);
    let usual = |c: char| {
        matches!(c, '\n' | '\r') || !(c.is_control() || ('\u{370}'..'\u{400}').contains(&c))
    };
    text.chars().all(usual).then_some(text)
}

fn unpacked(octets: &[u8]) -> String {
    let mut septets = unpack_ussd(octets);
    // Some networks leave seven spare bits zero, which reads as `@`, instead of filling them.
    if octets.len().is_multiple_of(7) && septets.len().is_multiple_of(8) {
        septets.pop_if(|septet| *septet == 0);
    }
    alphabet::decode(&septets)
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

impl AskNetwork {
    /// How the question `+CUSD=1,"AA180C3602",15` is put; none for another command, and where a single digit
    /// could be put in two ways.
    pub fn coding_of(line: &str) -> Option<Coding> {
        let (said, dcs) = parts(line.strip_prefix("+CUSD=1,")?)?;
        let alphabet = dcs.trim_matches([',', ' ']).parse().ok().map(Scheme::read);
        match alphabet.map(|scheme| scheme.alphabet) {
            Some(Alphabet::Data) => Some(Coding::Data),
            Some(Alphabet::Ucs2) => Some(Coding::Ucs2),
            _ if said.contains(['*', '#', '+']) => Some(Coding::Plain),
            _ => {
                let text = ucs2_hex(said).filter(|code| code.parse::<UssdCode>().is_ok());
                let packed = decode_hex(said).ok().map(|octets| unpacked(&octets));
                let packed = packed.filter(|code| code.parse::<UssdCode>().is_ok());
                match (text, packed) {
                    (Some(_), None) => Some(Coding::Ucs2),
                    (None, Some(code)) if code.len() > 1 => Some(Coding::Packed),
                    _ => None,
                }
            }
        }
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
            (
                "+CUSD: 0,\"Hi\" , 15",
                0,
                Some("Hi"),
                Some(15),
                Coding::Plain,
            ),
            (
                "+CUSD: 0,\"Hi\",15,",
                0,
                Some("Hi"),
                Some(15),
                Coding::Plain,
            ),
            (
                "+CUSD: 0,\"00410042\n00430044\",72",
                0,
                Some("ABCD"),
                Some(72),
                Coding::Ucs2,
            ),
            (
                "+CUSD: 0,\"C2303BEC1E97\n75A098CC35A3818A5529\",15",
                0,
                Some("Balance: 12.34 EUR"),
                Some(15),
                Coding::Packed,
            ),
            (
                "+CUSD: 0,\"039103920393\",15",
                0,
                Some("\u{391}\u{392}\u{393}"),
                Some(15),
                Coding::Ucs2,
            ),
            (
                "+CUSD: 0,\"CAFE\nBABE\",15",
                0,
                Some("CAFE\nBABE"),
                Some(15),
                Coding::Plain,
            ),
        ];
        for (line, m, text, dcs, coding) in CASES {
            let said = Ussd::read(line).unwrap();
            let told = (said.m, said.text.as_deref(), said.dcs, said.coding);
            assert_eq!(told, (*m, *text, *dcs, *coding), "{line}");
            assert_eq!(said.language, None, "{line}");
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
    fn the_coding_of_the_question_is_that_of_the_answer() {
        const CASES: &[(&str, Coding, &str, Coding)] = &[
            ("\"CAFE12\",15", Coding::Plain, "CAFE12", Coding::Plain),
            ("\"C834\",15", Coding::Packed, "Hi", Coding::Packed),
            ("\"3119\",15", Coding::Packed, "12", Coding::Packed),
            ("\"3119\",15", Coding::Plain, "3119", Coding::Plain),
            ("\"Hi all\",15", Coding::Packed, "Hi all", Coding::Plain),
            ("\"0391\n0041\",15", Coding::Ucs2, "\u{391}A", Coding::Ucs2),
            ("\"00310\",15", Coding::Ucs2, "00310", Coding::Plain),
            (
                "\"04110430\",72",
                Coding::Plain,
                "\u{411}\u{430}",
                Coding::Ucs2,
            ),
        ];
        for (fields, asked, text, found) in CASES {
            let said = Ussd::read(&format!("+CUSD: 0,{fields}")).unwrap();
            let said = said.asked_in(*asked);
            assert_eq!(
                (said.text.as_deref(), said.coding),
                (Some(*text), *found),
                "{fields}"
            );
        }
    }

    #[test]
    fn a_question_tells_its_coding() {
        const QUESTIONS: &[(&str, Option<Coding>)] = &[
            ("+CUSD=1,\"*100#\",15", Some(Coding::Plain)),
            ("+CUSD=1,\"*100#\"", Some(Coding::Plain)),
            ("+CUSD=1,\"AA180C3602\",15", Some(Coding::Packed)),
            ("+CUSD=1,\"002A003100300030\",72", Some(Coding::Ucs2)),
            ("+CUSD=1,\"002A00310030\",15", Some(Coding::Ucs2)),
            ("+CUSD=1,\"2A31\",68", Some(Coding::Data)),
            ("+CUSD=1,\"1\",15", None),
            ("+CUSD=2", None),
        ];
        for (line, coding) in QUESTIONS {
            assert_eq!(AskNetwork::coding_of(line), *coding, "{line}");
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

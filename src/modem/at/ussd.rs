//! Codes typed to the network, and its answers (TS 27.007, 7.15; TS 22.090).
//!
//! Three codings are in use, and the scheme in the answer does not tell them apart: plain text,
//! packed septets as hex (Huawei), UCS-2 as hex.

use std::fmt::Write as _;
use std::time::Duration;

use super::fields::ucs2_hex;
use super::storage::is_hex;
use super::{Answer, Command, ParseError, Plain};
use crate::sms::alphabet;
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
}

/// The network's side of the dialogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ussd {
    /// `<m>`: 0 done, 1 an answer is wanted, 2 ended by the network, 3 answered by another client,
    /// 4 not supported, 5 time over.
    pub m: u8,
    /// The text, decoded, its lines parted by LF.
    pub text: Option<String>,
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
        let (coding, text) = decoded(text, dcs);
        Some(Self {
            m: m.trim().parse().ok()?,
            text: (!text.is_empty()).then_some(text),
            dcs,
            coding,
        })
    }
}

/// The text and what stands behind it. Quotes within the text are part of it.
fn parts(rest: &str) -> Option<(&str, &str)> {
    match rest.strip_prefix('"') {
        Some(inside) => {
            let end = closing(inside)?;
            Some((inside.get(..end)?, inside.get(end + 1..)?))
        }
        None => Some(rest.split_once(',').unwrap_or((rest, ""))),
    }
}

/// Where the closing quote stands: behind it there is at most the scheme.
fn closing(text: &str) -> Option<usize> {
    let end = text.rfind('"')?;
    let behind = text.get(end + 1..)?.trim();
    let scheme = behind.strip_prefix(',').unwrap_or(behind).trim();
    scheme
        .bytes()
        .all(|octet| octet.is_ascii_digit())
        .then_some(end)
}

fn decoded(text: &str, dcs: Option<u8>) -> (Coding, String) {
    if is_ucs2(dcs)
        && let Some(text) = any_ucs2(text)
    {
        return (Coding::Ucs2, text);
    }
    if let Some(text) = ucs2_hex(text).filter(|text| text.chars().count() > 1) {
        return (Coding::Ucs2, text);
    }
    match packed(text) {
        Some(text) => (Coding::Packed, text),
        None => (Coding::Plain, text.to_owned()),
    }
}

/// TS 23.038, 5: the group with a language before UCS-2, and the groups with an alphabet in bits 3, 2.
fn is_ucs2(dcs: Option<u8>) -> bool {
    dcs.is_some_and(|dcs| dcs == 0x11 || (matches!(dcs >> 4, 4..=7 | 9) && dcs & 0x0C == 0x08))
}

fn any_ucs2(text: &str) -> Option<String> {
    let octets = decode_hex(text)
        .ok()
        .filter(|octets| octets.len().is_multiple_of(2))?;
    let pair = |pair: &[u8]| pair.try_into().map_or(0, u16::from_be_bytes);
    let units: Vec<u16> = octets.chunks(2).map(pair).collect();
    Some(String::from_utf16_lossy(&units))
}

/// Hex whose septets make a text that a person would write. Digits alone are a number, not hex.
fn packed(text: &str) -> Option<String> {
    let letters = text.bytes().any(|octet| octet.is_ascii_alphabetic());
    if !letters || !is_hex(text) {
        return None;
    }
    let octets = decode_hex(text).ok()?;
    let mut septets = alphabet::unpack(&octets, 0, octets.len() * 8 / 7);
    // Seven bits left over hold no character but CR, or nothing (TS 23.038, 6.1.2.3.1).
    if octets.len().is_multiple_of(7) {
        septets.pop_if(|septet| matches!(septet, 0 | 0x0D));
    }
    let text = alphabet::decode(&septets).replace('\r', "");
    let written = |c: char| c == '\n' || !(c.is_control() || ('\u{370}'..'\u{400}').contains(&c));
    text.chars().all(written).then_some(text)
}

/// A `+CUSD` whose text goes on over several lines.
#[derive(Debug)]
pub struct OpenText(String);

/// Longer than any text of the network: 182 characters as UCS-2 hex. The quotes are never closed.
const LONGEST: usize = 1024;

impl OpenText {
    /// A text that begins in `line`.
    pub fn new(line: &str) -> Self {
        Self(line.to_owned())
    }

    /// Takes the next line; whether it is the last one.
    pub fn push(&mut self, line: &str) -> bool {
        self.0.push('\n');
        self.0.push_str(line);
        closing(line).is_some() || self.0.len() > LONGEST
    }

    /// The whole of it, closed where the modem did not.
    pub fn close(mut self) -> String {
        if Ussd::read(&self.0).is_none() {
            self.0.push('"');
        }
        self.0
    }
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
            Coding::Packed => (encode_hex(&packed_septets(code)), 15),
            Coding::Ucs2 => (ucs2_digits(code), 72),
        };
        format!("+CUSD=1,\"{text}\",{dcs}")
    }

    fn reply(&self, _: &[String]) -> Result<(), ParseError> {
        Ok(())
    }
}

fn packed_septets(code: &str) -> Vec<u8> {
    let mut septets = alphabet::encode(code).unwrap_or_default();
    // Seven bits left over would read as `@` (TS 23.038, 6.1.2.3.1).
    if septets.len() % 8 == 7 {
        septets.push(0x0D);
    }
    alphabet::pack(&septets, 0)
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
            ("+CUSD: 4", 4, None, None, Coding::Plain),
            ("+CUSD:5", 5, None, None, Coding::Plain),
            ("+CUSD: 2,\"\",15", 2, None, Some(15), Coding::Plain),
            ("+CUSD: 0,Done,15", 0, Some("Done"), Some(15), Coding::Plain),
        ];
        for (line, m, text, dcs, coding) in CASES {
            let expected = Ussd {
                m: *m,
                text: text.map(Into::into),
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
    fn a_text_ends_with_its_quote_or_when_it_is_too_long() {
        let mut text = OpenText::new("+CUSD: 1,\"1 Balance");
        assert!(!text.push("2 \"Top\" up"));
        assert!(text.push("0 Exit\",15"));
        assert_eq!(
            text.close(),
            "+CUSD: 1,\"1 Balance\n2 \"Top\" up\n0 Exit\",15"
        );
        let mut endless = OpenText::new("+CUSD: 1,\"");
        let lines = (0..1000).take_while(|_| !endless.push("no end")).count();
        assert!((100..200).contains(&lines), "{lines}");
        assert!(Ussd::read(&endless.close()).is_some());
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

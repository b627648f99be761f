//! Telephone numbers: the checked E.164 form, and the question whether two spellings mean one person.
//!
//! Country plans (how many digits, mobile or not) are not known here; that is asked at admission.

use std::fmt;
use std::str::FromStr;

use super::ids::masked;

/// A number in international form: `+`, then 3 to 15 digits, the first not 0 (ITU-T E.164, 6.1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(Box<str>);

/// Why a text is no international number. Shows no more of it than its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadNumber {
    /// The text does not begin with `+`.
    #[error("the number `{0}` does not begin with +")]
    NoPlus(String),
    /// Something else than a digit after the `+`.
    #[error("the number `{0}` has a character that is not a digit")]
    NotADigit(String),
    /// Fewer than 3 or more than 15 digits.
    #[error("the number has {0} digits, a number has 3 to 15")]
    Length(usize),
    /// No country code begins with 0.
    #[error("the number `{0}` has a 0 after the +, no country code begins so")]
    LeadingZero(String),
}

impl PhoneNumber {
    /// With its `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without its `+`.
    pub fn digits(&self) -> &str {
        self.0.strip_prefix('+').unwrap_or(&self.0)
    }
}

impl FromStr for PhoneNumber {
    type Err = BadNumber;

    fn from_str(text: &str) -> Result<Self, BadNumber> {
        let digits = text
            .strip_prefix('+')
            .ok_or_else(|| BadNumber::NoPlus(masked(text)))?;
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BadNumber::NotADigit(masked(text)));
        }
        if !(3..=15).contains(&digits.len()) {
            return Err(BadNumber::Length(digits.len()));
        }
        if digits.starts_with('0') {
            return Err(BadNumber::LeadingZero(masked(text)));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&masked(&self.0))
    }
}

/// As many last digits as two spellings of one number share, whatever prefix the network adds.
const SIGNIFICANT: usize = 9;

/// Numbers with fewer digits are short codes: only the whole number names a subscriber.
const SHORTEST: usize = 7;

/// Do two spellings (international, national, with a trunk zero, with a porting prefix) name one
/// subscriber?
///
/// Compares the last digits: 9, or all digits of the shorter spelling if that has 7 or 8. Short
/// codes and names must be equal as they stand. A report may name the recipient otherwise than the
/// message did (TS 23.040, 9.2.3.14 leaves the form of TP-RA to the service centre).
pub fn same_subscriber(a: &str, b: &str) -> bool {
    match (significant(a), significant(b)) {
        (Some(a), Some(b)) => {
            let common = SIGNIFICANT.min(a.len()).min(b.len());
            a.iter().rev().take(common).eq(b.iter().rev().take(common))
        }
        _ => !a.is_empty() && a == b,
    }
}

/// The digits of a full number without trunk or international zeros; nothing for short codes and names.
fn significant(number: &str) -> Option<Vec<u8>> {
    let written = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '.' | '(' | ')');
    if !number.chars().all(written) {
        return None;
    }
    let digits: Vec<u8> = number
        .bytes()
        .filter(u8::is_ascii_digit)
        .skip_while(|&digit| digit == b'0')
        .collect();
    (digits.len() >= SHORTEST).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_international_form_is_a_number() {
        let long = "+1234567890123456";
        let cases = [
            ("+447700900123", Ok("447700900123")),
            ("+112", Ok("112")),
            ("+123456789012345", Ok("123456789012345")),
            ("", Err(BadNumber::NoPlus(String::new()))),
            (
                "447700900123",
                Err(BadNumber::NoPlus(masked("447700900123"))),
            ),
            ("+", Err(BadNumber::Length(0))),
            ("+11", Err(BadNumber::Length(2))),
            (long, Err(BadNumber::Length(16))),
            (
                "+0447700900",
                Err(BadNumber::LeadingZero(masked("+0447700900"))),
            ),
            ("+44 7700", Err(BadNumber::NotADigit(masked("+44 7700")))),
            ("+44٧٧٠٠", Err(BadNumber::NotADigit(masked("+44٧٧٠٠")))),
            (
                "+447700900123\r",
                Err(BadNumber::NotADigit(masked("+447700900123\r"))),
            ),
        ];
        for (text, expected) in cases {
            let number = text.parse::<PhoneNumber>();
            assert_eq!(
                number
                    .as_ref()
                    .map(PhoneNumber::digits)
                    .map_err(Clone::clone),
                expected,
                "{text}"
            );
            if let Ok(number) = number {
                assert_eq!((number.as_str(), number.to_string().as_str()), (text, text));
            }
        }
    }

    #[test]
    fn neither_debug_nor_errors_show_a_whole_number() {
        let number: PhoneNumber = "+447700900123".parse().unwrap();
        assert_eq!(format!("{number:?}"), "•••••••••123");
        let error = "447700900123".parse::<PhoneNumber>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("44770"), "{error:?}");
    }

    #[test]
    fn spellings_of_one_number_meet() {
        let cases = [
            ("+447700900123", "+447700900123", true),
            ("+447700900123", "07700900123", true),
            ("+447700900123", "7700900123", true),
            ("+447700900123", "00447700900123", true),
            ("+447700900123", "+44 (7700) 900-123", true),
            ("+380671234567", "0671234567", true),
            ("+390612345678", "0612345678", true),
            ("+4512345678", "12345678", true),
            ("+3721234567", "01234567", true),
            ("+380671234567", "15550671234567", true),
            ("+447700900123", "+447700900124", false),
            ("+447700900123", "900123", false),
            ("+447700900123", "", false),
            ("3400", "3400", true),
            ("3400", "13400", false),
            ("03400", "3400", false),
            ("", "", false),
            ("SHOP1", "SHOP1", true),
            ("SHOP1", "INFO1", false),
            ("*100#", "100", false),
        ];
        for (a, b, expected) in cases {
            assert_eq!(same_subscriber(a, b), expected, "{a} {b}");
            assert_eq!(same_subscriber(b, a), expected, "{b} {a}");
        }
    }
}

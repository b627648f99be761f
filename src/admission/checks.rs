//! What must be true of a wish: its number, its text, its dates, its name. Each check names one flaw.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rlibphonenumber::enums::Region;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber as Parsed, PhoneNumberFormat};

use super::{Flaw, Life, Wish};
use crate::clock::Millis;
use crate::sms::ids::BadId;
use crate::sms::number::PhoneNumber;
use crate::sms::parts::{Split, SplitError, split};

/// The country whose national numbers are understood, by its two letters (ISO 3166).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Country(Region);

impl Country {
    /// Ukraine.
    pub const UA: Self = Self(Region::UA);
}

impl FromStr for Country {
    type Err = BadId;

    fn from_str(code: &str) -> Result<Self, BadId> {
        let known = |region: &Region| {
            PHONE_NUMBER_UTIL
                .get_country_code_for_region(*region)
                .is_some()
        };
        let region = Region::from_code(&code.to_ascii_uppercase())
            .ok()
            .filter(known);
        region
            .map(Self)
            .ok_or_else(|| BadId::new(code, "a country's two letters, such as UA"))
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_region_str().as_ref())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The furthest hour that a text may wait for.
const FURTHEST: Duration = Duration::from_secs(366 * 24 * 3600);
/// No text is worth sending longer than this after its hour.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// In less than this no modem can be counted on.
const SHORTEST_LIFE: Duration = Duration::from_secs(30);

/// When a text is not worth sending any more.
pub(super) fn dates(wish: &Wish, now: Millis) -> Result<Millis, Flaw> {
    let flaw = |field, detail: &str| {
        Err(Flaw {
            field,
            code: "invalid_date",
            detail: detail.into(),
        })
    };
    let hour = wish.send_at.map_or(now, |hour| hour.max(now));
    if hour.since(now) > FURTHEST {
        return flaw("send_at", "`send_at` must be within a year from now");
    }
    let (field, end) = match wish.life {
        Life::OfClass => return Ok(hour.plus(wish.class.life())),
        Life::For(life) => ("ttl", hour.plus(life)),
        Life::Until(end) => ("expires_at", end),
    };
    if !(SHORTEST_LIFE..=LONGEST_LIFE).contains(&end.since(hour)) {
        return flaw(
            field,
            "a text must be worth sending for 30 seconds to 30 days, counted from its hour",
        );
    }
    Ok(end)
}

/// The longest name that a shop may give to a message, in characters.
const LONGEST_REF: usize = 128;

pub(super) fn client_ref(name: Option<&str>) -> Result<(), Flaw> {
    let good = |name: &str| {
        (1..=LONGEST_REF).contains(&name.chars().count()) && !name.chars().any(char::is_control)
    };
    if name.is_none_or(good) {
        return Ok(());
    }
    Err(Flaw {
        field: "client_ref",
        code: "invalid_value",
        detail: format!(
            "`client_ref` must be 1 to {LONGEST_REF} characters without control characters"
        ),
    })
}

/// Longer input cannot be a number; it is not read.
const LONGEST_NUMBER: usize = 64;

pub(super) fn number(written: &str, country: Country) -> Result<PhoneNumber, Flaw> {
    let flaw = |detail: String| Flaw {
        field: "to",
        code: "invalid_number",
        detail,
    };
    let written = written.trim();
    if written.is_empty() {
        return Err(flaw("the number is empty".into()));
    }
    if written.len() > LONGEST_NUMBER {
        return Err(flaw(format!(
            "the number is over {LONGEST_NUMBER} characters long"
        )));
    }
    if let Some(odd) = written.chars().find(|c| !is_number_character(*c)) {
        return Err(flaw(format!(
            "the number holds {odd:?}; write it as +380671234567"
        )));
    }
    let parsed = Parsed::parse(written, Some(country.0)).map_err(|_| {
        flaw(format!("this is no phone number, neither with a country code nor in {country}; write it as +380671234567"))
    })?;
    if parsed.is_possible_with_reason().is_err() {
        return Err(flaw(
            "the number has too few or too many digits for its country".into(),
        ));
    }
    let e164 = parsed.format_as(PhoneNumberFormat::E164);
    e164.parse()
        .map_err(|error| flaw(format!("the number cannot be dialled: {error}")))
}

fn is_number_character(c: char) -> bool {
    c.is_numeric()
        || matches!(
            c,
            '+' | '＋' | '-' | '.' | '(' | ')' | '/' | ' ' | '\u{a0}' | '‑' | '–'
        )
}

/// Blanks, and characters that show nothing by themselves.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
        )
}

pub(super) fn text(text: &str, max_segments: u8) -> Result<Split, Flaw> {
    let flaw = |code, detail: String| {
        Err(Flaw {
            field: "text",
            code,
            detail,
        })
    };
    if text.chars().all(is_invisible) {
        return flaw("text_empty", "the text is empty".into());
    }
    if let Some(place) = text
        .chars()
        .position(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        return flaw(
            "text_control_character",
            format!("character {} of the text is a control character", place + 1),
        );
    }
    let segments = match split(text) {
        Ok(split) if split.parts() <= max_segments => return Ok(split),
        Ok(split) => usize::from(split.parts()),
        Err(SplitError::TooLong { parts }) => parts,
        // Without demands there is always UCS-2, so only an empty text is left.
        Err(SplitError::Empty | SplitError::NotInTables { .. }) => {
            return flaw("text_empty", "the text is empty".into());
        }
    };
    flaw(
        "text_too_long",
        format!("the text takes {segments} segments, {max_segments} are allowed (max_segments)"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;
    use crate::routing::class::MessageClass;

    #[test]
    fn numbers_are_understood_as_people_write_them() {
        const CASES: &[(&str, &str)] = &[
            ("+380671234567", "+380671234567"),
            (" +38 (067) 123-45-67 ", "+380671234567"),
            ("0671234567", "+380671234567"),
            ("067.123.45.67", "+380671234567"),
            ("00380671234567", "+380671234567"),
            ("380671234567", "+380671234567"),
            ("+4479460000", "+4479460000"),
            ("+15005550013", "+15005550013"),
        ];
        for (written, e164) in CASES {
            assert_eq!(
                number(written, Country::UA).map(|n| n.to_string()),
                Ok((*e164).to_owned()),
                "{written}"
            );
        }
    }

    #[test]
    fn what_is_no_number_is_refused_in_words() {
        let long = "1".repeat(65);
        let cases = [
            ("", "the number is empty"),
            ("   ", "the number is empty"),
            ("+", "this is no phone number"),
            ("hello", "the number holds 'h'"),
            ("+38067123456\r7", "the number holds '\\r'"),
            ("+38067\u{1a}", "the number holds '\\u{1a}'"),
            ("12", "too few or too many digits"),
            ("+3806712345678901234", "too few or too many digits"),
            ("+999123456789", "this is no phone number"),
            (long.as_str(), "over 64 characters"),
        ];
        for (written, words) in cases {
            let flaw = number(written, Country::UA).unwrap_err();
            assert!(flaw.detail.contains(words), "{written:?}: {}", flaw.detail);
            assert_eq!((flaw.field, flaw.code), ("to", "invalid_number"));
        }
    }

    #[test]
    fn texts_are_measured_before_they_are_kept() {
        assert_eq!(
            text("Ваше замовлення готове", 10).map(|split| split.parts()),
            Ok(1)
        );
        assert_eq!(
            text(&"x".repeat(1530), 10).map(|split| split.parts()),
            Ok(10)
        );
        let cases = [
            (String::new(), "text_empty"),
            (" \n\t ".to_owned(), "text_empty"),
            ("\u{200b}\u{feff} ".to_owned(), "text_empty"),
            ("a\0b".to_owned(), "text_control_character"),
            ("a\u{1b}b".to_owned(), "text_control_character"),
            ("x".repeat(1531), "text_too_long"),
            ("ж".repeat(1_000_000), "text_too_long"),
        ];
        for (written, code) in cases {
            assert_eq!(text(&written, 10).map(|_| ()).unwrap_err().code, code);
        }
    }

    #[test]
    fn countries_by_their_letters() {
        assert_eq!(
            "ua".parse::<Country>().map(|c| c.to_string()),
            Ok("UA".into())
        );
        for wrong in ["", "U", "UKR", "XX", "1A", "ЙЦ"] {
            assert!(wrong.parse::<Country>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_text_is_worth_sending_for_a_while_from_its_hour_on() {
        let day = Duration::from_secs(24 * 3600);
        let now = Millis(1_000_000);
        let good: [(Option<Millis>, Life, MessageClass, Millis); 6] = [
            (None, Life::OfClass, MessageClass::Otp, now.plus(day / 144)),
            (None, Life::OfClass, MessageClass::Marketing, now.plus(day)),
            (
                Some(now.plus(day)),
                Life::OfClass,
                MessageClass::Marketing,
                now.plus(day * 2),
            ),
            // An hour that has passed is now.
            (
                Some(Millis(0)),
                Life::For(day),
                MessageClass::Otp,
                now.plus(day),
            ),
            (
                Some(now.plus(day)),
                Life::For(day),
                MessageClass::Otp,
                now.plus(day * 2),
            ),
            (
                Some(now.plus(day)),
                Life::Until(now.plus(day * 3)),
                MessageClass::Otp,
                now.plus(day * 3),
            ),
        ];
        for (send_at, life, class, end) in good {
            let wish = Wish {
                class,
                send_at,
                life,
                ..Wish::new("", "")
            };
            assert_eq!(dates(&wish, now), Ok(end), "{wish:?}");
        }
        let bad = [
            (Some(now.plus(day * 367)), Life::OfClass, "send_at"),
            (None, Life::For(Duration::from_secs(29)), "ttl"),
            (None, Life::For(day * 31), "ttl"),
            (None, Life::Until(now), "expires_at"),
            (
                Some(now.plus(day * 2)),
                Life::Until(now.plus(day)),
                "expires_at",
            ),
        ];
        for (send_at, life, field) in bad {
            let wish = Wish {
                send_at,
                life,
                ..Wish::new("", "")
            };
            assert_eq!(dates(&wish, now).unwrap_err().field, field, "{wish:?}");
        }
    }
}

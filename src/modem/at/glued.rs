//! Lines that lost the end between them: a final result with the next line right behind it.

use super::codes::{Final, SIGILS, final_result, is_chatter};
use crate::sms::causes::Cause;

/// Final results without a value.
const WORDS: &[&str] = &[
    "OK",
    "ERROR",
    "COMMAND NOT SUPPORT",
    "TOO MANY PARAMETERS",
    "NO CARRIER",
];

/// Final results with a value, a number or a text.
const NAMED: &[&str] = &["+CMS ERROR:", "+CME ERROR:", "MODEM ERROR:"];

/// A final result and the line that stands behind it without an end between: `OK+CMTI: ...`, `OKRING`,
/// `+CMS ERROR: 38^RSSI:9`, `+CMS ERROR: Network timeout+CMTI: ...`. None for any other line, `OKAY` among
/// them.
pub fn glued(line: &str) -> Option<(Final, &str)> {
    let word = WORDS.iter().find_map(|word| line.strip_prefix(word));
    let end = match word {
        Some(rest) => line.len() - rest.len(),
        None => end_of_value(line)?,
    };
    let (result, rest) = line.split_at_checked(end)?;
    let rest = rest.trim_start();
    let result = final_result(result.trim_end()).filter(|_| can_begin(rest))?;
    Some((result, rest))
}

/// Where the value of a named result ends: behind its digits, or, of a text, before a line that has a name,
/// or, if the text is a known one, before whatever can begin a line.
fn end_of_value(line: &str) -> Option<usize> {
    let value = NAMED.iter().find_map(|name| line.strip_prefix(name))?;
    let value = value.trim_start();
    let from = line.len() - value.len();
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 {
        return Some(from + digits);
    }
    let ends = |at: &usize| {
        let (text, rest) = line.split_at_checked(*at).unwrap_or_default();
        let known = || {
            matches!(
                final_result(text),
                Some(Final::Error(Cause::Cms(_) | Cause::Cme(_)))
            )
        };
        is_named(rest) || (can_begin(rest) && known())
    };
    let mut places = value.char_indices().skip(1).map(|(at, _)| from + at);
    places.find(ends)
}

/// Whether a line begins so: a sign, a word that modules say by themselves, another result, or the echo of
/// a command.
fn can_begin(rest: &str) -> bool {
    let echo = rest.strip_prefix("AT");
    rest.starts_with(SIGILS)
        || is_chatter(rest)
        || final_result(rest).is_some()
        || echo.is_some_and(|command| command.is_empty() || command.starts_with(SIGILS))
}

/// A sign, a name in capitals, a colon.
fn is_named(rest: &str) -> bool {
    let name = rest
        .strip_prefix(SIGILS)
        .and_then(|rest| rest.split_once(':'));
    name.is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_uppercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_glued_to_the_next_line_is_cut_off() {
        const OK: Final = Final::Ok;
        const CMS: Final = Final::Error(Cause::Cms(38));
        const CASES: &[(&str, Final, &str)] = &[
            ("OK+CMTI: \"SM\",3", OK, "+CMTI: \"SM\",3"),
            ("OK +CMTI: \"SM\",3", OK, "+CMTI: \"SM\",3"),
            ("OK^RSSI:9", OK, "^RSSI:9"),
            ("OKRING", OK, "RING"),
            ("OKCall Ready", OK, "Call Ready"),
            ("OKRDY", OK, "RDY"),
            ("OKUNDER-VOLTAGE WARNNING", OK, "UNDER-VOLTAGE WARNNING"),
            ("OKNO CARRIER", OK, "NO CARRIER"),
            ("OKAT+CSQ", OK, "AT+CSQ"),
            ("OKOK", OK, "OK"),
            ("+CMS ERROR: 38+CDS: 25", CMS, "+CDS: 25"),
            ("+CMS ERROR: 38RING", CMS, "RING"),
            (
                "+CMS ERROR: Network timeout+CMTI: \"SM\",3",
                Final::Error(Cause::Cms(332)),
                "+CMTI: \"SM\",3",
            ),
            (
                "+CMS ERROR: Network timeoutRING",
                Final::Error(Cause::Cms(332)),
                "RING",
            ),
            (
                "NO CARRIER+CMTI: \"SM\",3",
                Final::NoCarrier,
                "+CMTI: \"SM\",3",
            ),
        ];
        for (line, result, rest) in CASES {
            assert_eq!(glued(line), Some((*result, *rest)), "{line}");
        }
        for (line, rest) in [
            ("ERROR+CREG: 1", "+CREG: 1"),
            ("COMMAND NOT SUPPORT^RSSI:9", "^RSSI:9"),
            ("TOO MANY PARAMETERS+CMTI: \"SM\",3", "+CMTI: \"SM\",3"),
            ("MODEM ERROR: 5+CMTI: \"SM\",3", "+CMTI: \"SM\",3"),
        ] {
            let Some((Final::Error(_), found)) = glued(line) else {
                panic!("{line} holds an error");
            };
            assert_eq!(found, rest, "{line}");
        }
    }

    #[test]
    fn whole_lines_are_left_alone() {
        for line in [
            "OK",
            "OKAY",
            "OK, then",
            "OKATLAS",
            "+CSQ: 1",
            "+CMS ERROR: 38",
            "+CMS ERROR: Network timeout",
            "+CME ERROR: +",
            "+CMS ERROR: SIM+x",
            "+CMS ERROR: StRING",
            "+CMS ERROR: 38x",
            "ERRORS: 3",
        ] {
            assert_eq!(glued(line), None, "{line}");
        }
    }
}

//! The fields of an answer line: numbers, quoted texts, empty places (V.250, 5.4.2).

use nom::branch::alt;
use nom::bytes::complete::{take_till, take_until};
use nom::character::complete::char;
use nom::combinator::map;
use nom::multi::separated_list0;
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

/// The fields behind `prefix`, quotes and blanks taken off; none when the line begins otherwise.
///
/// `+CREG: 0,"1A2B",,5` behind `+CREG:` gives `["0", "1A2B", "", "5"]`.
pub fn behind<'a>(prefix: &str, line: &'a str) -> Option<Vec<&'a str>> {
    let rest = line.strip_prefix(prefix)?;
    let (_, fields) = separated_list0(char(','), field).parse(rest).ok()?;
    Some(fields)
}

fn field(input: &str) -> IResult<&str, &str> {
    let quoted = delimited(
        preceded(blanks, char('"')),
        take_until("\""),
        preceded(char('"'), blanks),
    );
    alt((quoted, map(take_till(|c| c == ','), str::trim))).parse(input)
}

fn blanks(input: &str) -> IResult<&str, &str> {
    take_till(|c| c != ' ').parse(input)
}

/// The field at `place` as a number.
pub fn number<T: std::str::FromStr>(fields: &[&str], place: usize) -> Option<T> {
    fields.get(place)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_without_their_quotes() {
        const CASES: &[(&str, &str, Option<&[&str]>)] = &[
            (
                "+CREG:",
                "+CREG: 0,\"1A2B\",,5",
                Some(&["0", "1A2B", "", "5"]),
            ),
            (
                "+CREG:",
                "+CREG: 1, 1A2B, C3D0016",
                Some(&["1", "1A2B", "C3D0016"]),
            ),
            (
                "+COPS:",
                "+COPS: 0,0,\"Shop, Net\",2",
                Some(&["0", "0", "Shop, Net", "2"]),
            ),
            ("+CDS:", "+CDS: ,25", Some(&["", "25"])),
            ("+CDS:", "+CDS:25", Some(&["25"])),
            ("+CSQ:", "+CREG: 1", None),
            ("+CMTI:", "+CMTI: \"SM\",-1", Some(&["SM", "-1"])),
            ("+COPS:", "+COPS: \"open", Some(&["\"open"])),
        ];
        for (prefix, line, expected) in CASES {
            assert_eq!(behind(prefix, line).as_deref(), *expected, "{line}");
        }
    }

    #[test]
    fn a_missing_or_foreign_number_is_none() {
        let fields = behind("+CSQ:", "+CSQ: 14,x").unwrap();
        assert_eq!(
            (
                number::<u8>(&fields, 0),
                number::<u8>(&fields, 1),
                number::<u8>(&fields, 2)
            ),
            (Some(14), None, None)
        );
    }
}

//! The fields of an answer line: numbers, quoted texts, empty places (V.250, 5.4.2).

use nom::branch::alt;
use nom::bytes::complete::{take_till, take_until};
use nom::character::complete::char;
use nom::combinator::map;
use nom::multi::separated_list0;
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use crate::sms::pdu::decode_hex;

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

/// The field at `place` as a text; none where it is missing or empty.
pub fn text(fields: &[&str], place: usize) -> Option<String> {
    let field = fields.get(place)?;
    (!field.is_empty()).then(|| (*field).to_owned())
}

/// The last number: headers of messages lose fields before it, not it.
pub fn last_number<T: std::str::FromStr>(fields: &[&str]) -> Option<T> {
    fields.last()?.parse().ok()
}

/// A value of an answer to `=?`, or several in brackets (V.250, 5.4.4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item<'a> {
    /// `"SM"`, `0-3`, or nothing at all.
    One(&'a str),
    /// `("SM","ME")`.
    Several(Vec<Item<'a>>),
}

/// Brackets within brackets within these are not looked into: no standard has them.
const DEEPEST: usize = 4;

impl<'a> Item<'a> {
    /// The word; of several none.
    pub fn word(&self) -> &'a str {
        match self {
            Self::One(word) => word,
            Self::Several(_) => "",
        }
    }

    /// The words, of one or of several.
    pub fn words(&self) -> Vec<&'a str> {
        match self {
            Self::One("") => Vec::new(),
            Self::One(word) => vec![word],
            Self::Several(items) => items.iter().flat_map(Self::words).collect(),
        }
    }

    /// The numbers that `(0-2,4)` allows.
    pub fn numbers(&self) -> Vec<u8> {
        let ends = self.words().into_iter().filter_map(ends);
        ends.flat_map(|(first, last): (u8, u8)| first..=last)
            .collect()
    }

    /// The places of a storage that `(1-20,25)` names; of more than a thousand the first thousand.
    pub fn places(&self) -> Vec<u16> {
        let ends = self.words().into_iter().filter_map(ends);
        ends.flat_map(|(first, last): (u16, u16)| first..=last)
            .take(MOST_PLACES)
            .collect()
    }
}

/// No storage has more places; a range without sense must not fill the memory.
const MOST_PLACES: usize = 1000;

/// The first and the last of a range, or of a number alone.
fn ends<T: std::str::FromStr>(word: &str) -> Option<(T, T)> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    first.trim().parse().ok().zip(last.trim().parse().ok())
}

/// The values behind `prefix`, brackets kept; a bracket that is never closed ends with the line.
///
/// `+CNMI: (0-2),(0,1)` behind `+CNMI:` gives two of several; none when the line begins otherwise.
pub fn items<'a>(prefix: &str, line: &'a str) -> Option<Vec<Item<'a>>> {
    let mut rest = line.strip_prefix(prefix)?;
    Some(list(&mut rest, DEEPEST))
}

fn list<'a>(rest: &mut &'a str, depth: usize) -> Vec<Item<'a>> {
    let mut found = Vec::new();
    loop {
        found.push(item(rest, depth));
        *rest = rest.trim_start_matches(|c: char| c != ',' && c != ')');
        match rest.strip_prefix(',') {
            Some(behind) => *rest = behind,
            None => return found,
        }
    }
}

fn item<'a>(rest: &mut &'a str, depth: usize) -> Item<'a> {
    *rest = rest.trim_start();
    if let Some(inside) = rest.strip_prefix('(').filter(|_| depth > 0) {
        *rest = inside;
        let several = list(rest, depth - 1);
        *rest = rest.strip_prefix(')').unwrap_or(rest);
        return Item::Several(several);
    }
    let quoted = rest
        .strip_prefix('"')
        .and_then(|inside| inside.split_once('"'));
    let (word, behind) = quoted.unwrap_or_else(|| {
        let end = rest.find([',', ')']).unwrap_or(rest.len());
        rest.split_at(end)
    });
    *rest = behind;
    Item::One(word.trim())
}

/// A text that a modem put as the hex of its UCS-2 units, as with `AT+CSCS="UCS2"`; none for a text
/// that is no such hex. Only Latin and Cyrillic letters count: other hex is more likely a number.
pub fn ucs2_hex(text: &str) -> Option<String> {
    let unit = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).ok()?;
        let unit = u16::from_str_radix(digits, 16).ok()?;
        let likely = matches!(unit, 0x0A | 0x0D | 0x20..=0x17F | 0x400..=0x4FF | 0x2010..=0x20BF);
        likely.then(|| char::from_u32(unit.into()))?
    };
    let whole = text.len() >= 4 && text.len().is_multiple_of(4);
    let hex = whole && text.bytes().all(|octet| octet.is_ascii_hexdigit());
    hex.then(|| text.as_bytes().chunks(4).map(unit).collect())?
}

/// The text whose UCS-2 units, in hex, `text` is, whatever its letters; none for a text that cannot be
/// that. To be asked only where the coding is known.
pub fn units(text: &str) -> Option<String> {
    let whole = !text.is_empty() && text.len().is_multiple_of(4);
    let octets = decode_hex(text).ok().filter(|_| whole)?;
    let pair = |pair: &[u8]| pair.try_into().map_or(0, u16::from_be_bytes);
    let units: Vec<u16> = octets.chunks(2).map(pair).collect();
    Some(String::from_utf16_lossy(&units))
}

/// The number to dial at `place`, and the type of address behind it (TS 24.008, 10.5.4.7): UCS-2 hex is
/// undone, and an international number (145) begins with `+`. None where the field is missing or empty.
pub fn dialled(fields: &[&str], place: usize) -> Option<String> {
    let digits = |text: &String| {
        text.chars()
            .all(|c| c.is_ascii_digit() || "+*#".contains(c))
    };
    let text = text(fields, place)?;
    let number = ucs2_hex(&text).filter(digits).unwrap_or(text);
    let international = fields.get(place + 1) == Some(&"145");
    if international && !number.starts_with('+') {
        Some(format!("+{number}"))
    } else {
        Some(number)
    }
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

    #[test]
    fn brackets_come_as_they_are_nested() {
        const CASES: &[(&str, &[&str])] = &[
            ("+X: (\"ME\",\"SM\"),(\"SM\")", &["ME SM", "SM"]),
            ("+X: ((\"SM\",\"SR\"),(\"SM\"))", &["SM SR SM"]),
            ("+X: (),(),()", &["", "", ""]),
            ("+X:  (\"ME\") , \"SM\" , ( \"SR\" )", &["ME", "SM", "SR"]),
            ("+X: (0-2),(0,1", &["0-2", "0 1"]),
            ("+X: (\"a)b\",1)", &["a)b 1"]),
            ("+X:", &[""]),
            ("+X: ((((((1))))))", &["((1"]),
        ];
        let one = |prefix: &str, line: &str| {
            let items = items(prefix, line).unwrap();
            items
                .iter()
                .map(|item| item.words().join(" "))
                .collect::<Vec<_>>()
        };
        for (line, expected) in CASES {
            assert_eq!(one("+X:", line), *expected, "{line}");
        }
        assert_eq!(items("+Y:", "+X: 1"), None);
    }

    #[test]
    fn ranges_are_spelled_out() {
        const CASES: &[(&str, &[u8])] = &[
            ("(0-2)", &[0, 1, 2]),
            ("(0,2,3)", &[0, 2, 3]),
            ("(0-1,3)", &[0, 1, 3]),
            ("(2)", &[2]),
            ("2", &[2]),
            ("(3-1)", &[]),
            ("(x)", &[]),
            ("()", &[]),
        ];
        for (text, expected) in CASES {
            let items = items("", text).unwrap();
            assert_eq!(items[0].numbers(), *expected, "{text}");
            let places: Vec<u16> = expected.iter().copied().map(u16::from).collect();
            assert_eq!(items[0].places(), places, "{text}");
        }
        let places = items("", "(1,300-301)").unwrap()[0].places();
        assert_eq!(places, [1, 300, 301]);
        assert_eq!(items("", "(0-65535)").unwrap()[0].places().len(), 1000);
    }

    #[test]
    fn hex_of_letters_is_told_from_numbers() {
        const CASES: &[(&str, Option<&str>)] = &[
            ("00530068006F0070", Some("Shop")),
            ("04110430", Some("\u{411}\u{430}")),
            ("002B0034", Some("+4")),
            ("26201", None),
            ("447700900123", None),
            ("", None),
            ("Shop", None),
        ];
        for (text, expected) in CASES {
            assert_eq!(ucs2_hex(text).as_deref(), *expected, "{text}");
        }
    }

    #[test]
    fn units_of_any_letters_are_read_where_they_are_known() {
        const UNITS: &[(&str, Option<&str>)] = &[
            ("03A9D83DDE00", Some("\u{3a9}\u{1f600}")),
            ("D83D", Some("\u{fffd}")),
            ("447700", None),
            ("Shop", None),
            ("", None),
        ];
        for (text, expected) in UNITS {
            assert_eq!(units(text).as_deref(), *expected, "{text}");
        }
    }
}

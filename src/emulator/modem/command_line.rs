//! Takes a command line apart: `ATE0+CMEE=1;+CSQ` is three calls.
//!
//! Source: V.250, 5.2 (prefix, case, blanks), 5.3 (basic syntax), 5.4 (extended syntax).

/// One command of a line, in capitals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call<'a> {
    /// `+CMGS`, `E`, `&F`, `S`.
    pub(super) name: &'a str,
    /// How it is called.
    pub(super) form: Form<'a>,
}

impl Call<'_> {
    /// The call as it is typed, in capitals: `+CNMI=2,1`.
    pub(super) fn typed(&self) -> String {
        let name = self.name;
        match self.form {
            Form::Execute => name.into(),
            Form::Read => format!("{name}?"),
            Form::Test => format!("{name}=?"),
            Form::Set(values)
                if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '&') =>
            {
                format!("{name}{values}")
            }
            Form::Set(values) => format!("{name}={values}"),
        }
    }
}

/// The forms of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form<'a> {
    /// `+CSQ`
    Execute,
    /// `+CNMI?`
    Read,
    /// `+CNMI=?`
    Test,
    /// `+CNMI=2,1` (what follows the sign) or `E0` (the digits)
    Set(&'a str),
}

impl<'a> Form<'a> {
    /// The values of a set form, split at commas outside quotes; no values for the other forms.
    pub(super) fn values(self) -> Vec<&'a str> {
        let Form::Set(text) = self else {
            return Vec::new();
        };
        let mut quoted = false;
        text.split(|c| {
            quoted ^= c == '"';
            c == ',' && !quoted
        })
        .collect()
    }

    /// The numbers of a set form; `None` when one is no number from 0 to 255 or left empty.
    pub(super) fn numbers(self) -> Option<Vec<u8>> {
        self.values().into_iter().map(|v| v.parse().ok()).collect()
    }
}

/// What stands behind the prefix `AT` of `line`, in capitals and without blanks except inside
/// quotes; `None` when there is no prefix.
pub(super) fn body(line: &[u8]) -> Option<String> {
    let at = line
        .windows(2)
        .position(|pair| pair.eq_ignore_ascii_case(b"AT"))?;
    let mut quoted = false;
    let text = String::from_utf8_lossy(line.get(at + 2..)?);
    let plain = text.chars().filter_map(|c| {
        quoted ^= c == '"';
        match c {
            _ if quoted => Some(c),
            ' ' => None,
            _ => Some(c.to_ascii_uppercase()),
        }
    });
    Some(plain.collect())
}

/// The names of all calls of `line`; `AT` alone is the name of the bare prefix. `None` when it is
/// no command line.
pub(super) fn names(line: &[u8]) -> Option<Vec<String>> {
    let body = body(line)?;
    let mut names = Vec::new();
    let mut rest = body.as_str();
    while let Some((call, after)) = next(rest) {
        names.push(call.name.to_owned());
        rest = after;
    }
    if names.is_empty() {
        names.push("AT".into());
    }
    Some(names)
}

/// The first call of `body` and what follows it; `None` when it is no command at all.
pub(super) fn next(body: &str) -> Option<(Call<'_>, &str)> {
    // A separator too many does no harm.
    let body = body.trim_start_matches(';');
    let first = body.chars().next()?;
    let (text, rest) = match first {
        'A'..='Z' | '&' => basic(body, usize::from(first == '&') + 1)?,
        '!'..='~' => extended(body),
        _ => return None,
    };
    let sign = if first.is_ascii_alphabetic() || first == '&' {
        text.find(|c: char| !c.is_ascii_alphabetic() && c != '&')
    } else {
        text.find(['=', '?'])
    };
    let (name, tail) = text.split_at(sign.unwrap_or(text.len()));
    let form = match tail {
        "" => Form::Execute,
        "?" => Form::Read,
        "=?" => Form::Test,
        _ => Form::Set(tail.strip_prefix('=').unwrap_or(tail)),
    };
    Some((Call { name, form }, rest))
}

/// A letter (after `&`) and the digits, `=` and `?` behind it.
fn basic(body: &str, letters: usize) -> Option<(&str, &str)> {
    let tail = body.get(letters..)?;
    let end = tail
        .find(|c: char| !c.is_ascii_digit() && c != '=' && c != '?')
        .unwrap_or(tail.len());
    body.split_at_checked(letters + end)
}

/// Everything up to the semicolon outside quotes.
fn extended(body: &str) -> (&str, &str) {
    let mut quoted = false;
    let end = body.find(|c| {
        quoted ^= c == '"';
        c == ';' && !quoted
    });
    let (text, rest) = body.split_at(end.unwrap_or(body.len()));
    (text, rest.strip_prefix(';').unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(line: &str) -> Vec<String> {
        let body = body(line.as_bytes()).unwrap();
        let mut rest = body.as_str();
        let mut calls = Vec::new();
        while !rest.is_empty() {
            let Some((call, after)) = next(rest) else {
                calls.push("!".into());
                break;
            };
            calls.push(match call.form {
                Form::Execute => call.name.to_string(),
                Form::Read => format!("{} read", call.name),
                Form::Test => format!("{} test", call.name),
                Form::Set(value) => format!("{} <- {value}", call.name),
            });
            rest = after;
        }
        calls
    }

    #[test]
    fn the_names_of_a_line_are_known_before_it_is_carried_out() {
        const CASES: &[(&str, Option<&[&str]>)] = &[
            ("AT", Some(&["AT"])),
            ("ate0+cmee=1;+csq", Some(&["E", "+CMEE", "+CSQ"])),
            ("hello", None),
            ("AT+CSQ;\u{1}", Some(&["+CSQ"])),
        ];
        for (line, wanted) in CASES {
            let wanted = wanted.map(|names| names.iter().map(ToString::to_string).collect());
            assert_eq!(names(line.as_bytes()), wanted, "{line:?}");
        }
    }

    #[test]
    fn lines_fall_into_calls() {
        const CASES: &[(&str, &[&str])] = &[
            ("AT", &[]),
            ("at+csq", &["+CSQ"]),
            ("ATE0+CMEE=1", &["E <- 0", "+CMEE <- 1"]),
            ("ATE0+CPMS?", &["E <- 0", "+CPMS read"]),
            (
                "AT+CREG?;+CSQ;+CNMI=?",
                &["+CREG read", "+CSQ", "+CNMI test"],
            ),
            (
                "ATQ0 V1 E1 S0=0 &C1 &D2",
                &[
                    "Q <- 0", "V <- 1", "E <- 1", "S <- 0=0", "&C <- 1", "&D <- 2",
                ],
            ),
            ("AT&FZ", &["&F", "Z"]),
            ("AT+CPMS=\"SM\", \"S;M\"", &["+CPMS <- \"SM\",\"S;M\""]),
            ("AT+CPIN=\"a b\"", &["+CPIN <- \"a b\""]),
            ("AT^CURC=0", &["^CURC <- 0"]),
            ("\u{fffd}xAT+CSQ", &["+CSQ"]),
            ("AT+CSQ;é", &["+CSQ", "!"]),
        ];
        for (line, expected) in CASES {
            assert_eq!(calls(line), *expected, "{line}");
        }
    }

    #[test]
    fn a_line_without_the_prefix_is_no_command() {
        for line in ["", "A", "0031000C9144", "+CSQ", "T A"] {
            assert_eq!(body(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn values_split_outside_quotes() {
        assert_eq!(Form::Set("\"a,b\",,3").values(), ["\"a,b\"", "", "3"]);
        assert_eq!(Form::Set("2,1,0").numbers(), Some(vec![2, 1, 0]));
        assert_eq!(Form::Set("2,,0").numbers(), None);
        assert_eq!(Form::Set("256").numbers(), None);
        assert_eq!(Form::Read.numbers(), Some(vec![]));
    }
}

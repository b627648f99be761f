//! A text between quotes that may go on over several lines, and hold quotes itself.

use crate::modem::at::codes::SIGILS;

/// Longer than any text of the network: 182 characters as UCS-2 hex. The quotes are never closed.
const LONGEST: usize = 1024;

/// Where the closing quote stands in what follows the opening one: behind it there is nothing, or a comma
/// and the scheme.
pub(super) fn closing(text: &str) -> Option<usize> {
    let end = text.rfind('"')?;
    let behind = text.get(end + 1..)?;
    (behind.trim().is_empty() || is_scheme(behind)).then_some(end)
}

fn is_scheme(behind: &str) -> bool {
    let scheme = behind.trim().strip_prefix(',').map(str::trim);
    scheme.is_some_and(|scheme| scheme.bytes().all(|octet| octet.is_ascii_digit()))
}

/// A `+CUSD` whose text goes on over several lines.
#[derive(Debug)]
pub struct OpenText {
    text: String,
    /// Empty lines that are part of the text if a line of it follows.
    blank: usize,
}

impl OpenText {
    /// A text that begins in `line`.
    pub fn new(line: &str) -> Self {
        Self {
            text: line.to_owned(),
            blank: 0,
        }
    }

    /// Whether the line opens a text and does not close it: it has a state, a quote, and no fields of
    /// another form behind the last quote.
    pub(in crate::modem::at) fn is_open(&self) -> bool {
        let fields = self.text.strip_prefix("+CUSD:");
        let Some((m, text)) = fields.and_then(|fields| fields.split_once(',')) else {
            return false;
        };
        let Some(text) = text.trim_start().strip_prefix('"') else {
            return false;
        };
        let behind = text.rsplit_once('"').map(|(_, behind)| behind.trim());
        let fields = |behind: &str| {
            behind.is_empty()
                || behind.starts_with(',') && !behind.contains(|c: char| c.is_alphabetic())
        };
        m.trim().parse::<u8>().is_ok() && !behind.is_some_and(fields)
    }

    /// Takes the next line; whether it is the last one.
    ///
    /// It is if a scheme stands behind its last quote. A quote at its end may be the text's own: the count
    /// of them tells.
    pub fn push(&mut self, line: &str) -> bool {
        if line.is_empty() {
            self.blank += 1;
            return self.text.len() + self.blank > LONGEST;
        }
        for _ in 0..=std::mem::take(&mut self.blank) {
            self.text.push('\n');
        }
        self.text.push_str(line);
        let behind = line.rsplit_once('"').map(|(_, behind)| behind.trim());
        let even = || self.text.matches('"').count().is_multiple_of(2);
        let closed = behind.is_some_and(|behind| is_scheme(behind) || behind.is_empty() && even());
        closed || self.text.len() > LONGEST
    }

    /// Whether its last line ends with a quote, so that it is over if the modem goes on with a result.
    pub(in crate::modem::at) fn may_be_over(&self) -> bool {
        self.text.ends_with('"')
    }

    /// A line of another kind has come between: the empty line before it was its own.
    pub(in crate::modem::at) fn crossed(&mut self) {
        self.blank = self.blank.saturating_sub(1);
    }

    /// The whole of it, closed where the modem did not.
    pub fn close(mut self) -> String {
        let inside = self.text.split_once('"').map(|(_, inside)| inside);
        if inside.and_then(closing).is_none() {
            self.text.push('"');
        }
        self.text
    }
}

/// Whether a line within a text is none of it: a sign, a name in capitals, a colon, and quotes that
/// are closed again. The end of the text has one quote more. An error with its name ends a command.
pub(in crate::modem::at) fn crosses(line: &str) -> bool {
    if line.starts_with("+CMS ERROR:") || line.starts_with("+CME ERROR:") {
        return true;
    }
    let named = line
        .strip_prefix(SIGILS)
        .and_then(|rest| rest.split_once(':'));
    let capitals = named.is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_uppercase())
    });
    capitals && line.matches('"').count().is_multiple_of(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_opens_a_text_or_is_of_another_form() {
        const CASES: &[(&str, bool)] = &[
            ("+CUSD: 1,\"1 Balance", true),
            ("+CUSD:1, \"", true),
            ("+CUSD: 1,\"Your code is \"1234", true),
            ("+CUSD: 1,\"say \"hi\", then 5", true),
            ("+CUSD: 0,\"Hi\",15", false),
            ("+CUSD: 0,\"Hi\",15,1", false),
            ("+CUSD: 0,\"Hi\"", false),
            ("+CUSD: ,\"x", false),
            ("+CUSD: (0-2)", false),
            ("+CUSD: 4", false),
            ("+CSQ: 1,\"x", false),
        ];
        for (line, open) in CASES {
            assert_eq!(OpenText::new(line).is_open(), *open, "{line}");
        }
    }

    #[test]
    fn a_text_ends_with_its_own_quote() {
        const CASES: &[(&[&str], &[bool])] = &[
            (&["2 \"Top\" up", "0 Exit\",15"], &[false, true]),
            (
                &["code is \"1234", "end\"", "it\",15"],
                &[false, false, true],
            ),
            (&["code is \"1234", "that \"is\" all\""], &[false, false]),
            (&["code is \"1234\"", "end\""], &[false, true]),
            (&["end\""], &[true]),
            (&["end\", 15 "], &[true]),
            (&["end\",15,1"], &[false]),
        ];
        for (lines, ends) in CASES {
            let mut text = OpenText::new("+CUSD: 1,\"a");
            let told: Vec<bool> = lines.iter().map(|line| text.push(line)).collect();
            assert_eq!(told, *ends, "{lines:?}");
        }
    }

    #[test]
    fn empty_lines_are_part_of_it_unless_they_belong_to_what_crosses() {
        let mut text = OpenText::new("+CUSD: 1,\"a");
        assert!(!text.push("") && !text.push("b") && !text.push("") && !text.push(""));
        text.crossed();
        assert!(text.push("c\""));
        assert_eq!(text.close(), "+CUSD: 1,\"a\n\nb\n\nc\"");
    }

    #[test]
    fn lines_of_another_kind_are_told_by_their_names() {
        const CASES: &[(&str, bool)] = &[
            ("+CMTI: \"SM\",3", true),
            ("^RSSI:3", true),
            ("+CMS ERROR: 38", true),
            ("+CME ERROR: 14", true),
            ("+Bonus: 3", false),
            ("+SALDO: 3 UAH\",15", false),
            ("*100#: balance", false),
            ("Balance: 3", false),
            ("OK", false),
            ("", false),
        ];
        for (line, other) in CASES {
            assert_eq!(crosses(line), *other, "{line}");
        }
    }

    #[test]
    fn a_text_without_end_is_closed() {
        for line in ["no end", ""] {
            let mut endless = OpenText::new("+CUSD: 1,\"");
            let lines = (0..2000).take_while(|_| !endless.push(line)).count();
            assert!((100..1100).contains(&lines), "{lines}");
            assert!(endless.close().ends_with('"'));
        }
    }
}

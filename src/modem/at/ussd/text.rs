//! A text between quotes that may go on over several lines, and hold quotes itself.

use crate::modem::at::codes::{SIGILS, is_chatter};

/// Longer than any text of the network: 182 characters as UCS-2 hex. The quotes are never closed.
const LONGEST: usize = 1024;

/// Where the closing quote stands in what follows the opening one: behind it there is nothing, or a comma
/// and the scheme.
pub(super) fn closing(text: &str) -> Option<usize> {
    let end = text.rfind('"')?;
    let behind = text.get(end + 1..)?;
    (behind.trim().is_empty() || is_scheme(behind)).then_some(end)
}

/// A comma and digits or nothing; some put one more comma behind.
fn is_scheme(behind: &str) -> bool {
    let fields = behind.trim().strip_prefix(',');
    let mut fields = fields.into_iter().flat_map(|fields| fields.split(','));
    let is_number = |field: &str| field.trim().bytes().all(|octet| octet.is_ascii_digit());
    fields.next().is_some_and(is_number) && fields.all(|field| field.trim().is_empty())
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

    /// Whether a line opens a text and does not close it: it has a state, a quote, and no fields of
    /// another form behind the last quote. A quote at its end may be the text's own: the count of them tells.
    pub(in crate::modem::at) fn opens(line: &str) -> bool {
        let fields = line.strip_prefix("+CUSD:");
        let Some((m, text)) = fields.and_then(|fields| fields.split_once(',')) else {
            return false;
        };
        let text = text.trim_start();
        let Some(inside) = text.strip_prefix('"') else {
            return false;
        };
        let behind = inside.rsplit_once('"').map(|(_, behind)| behind.trim());
        let closed = |behind: &str| {
            let even = || text.matches('"').count().is_multiple_of(2);
            behind.is_empty() && even()
                || behind.starts_with(',') && !behind.contains(|c: char| c.is_alphabetic())
        };
        m.trim().parse::<u8>().is_ok() && !behind.is_some_and(closed)
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

    /// Whether its last line ends with a quote and an empty one has come behind, so that it is over if the
    /// modem goes on with a result. Results have an empty line before them (V.250, 5.7.1), words of a text
    /// that read like one have none.
    pub(in crate::modem::at) fn may_be_over(&self) -> bool {
        self.text.ends_with('"') && self.blank > 0
    }

    /// Whether a line that has come is none of the text: an error with its name, or something unsolicited.
    ///
    /// What nobody but a modem says, `^RSSI:3` or a code of the standards with its fields, may come anywhere. Other
    /// forms occur in texts as well, `*BONUS: 50` in a menu, `READY` at the end of one: they need the empty line
    /// that stands before whatever a modem says on its own.
    pub(in crate::modem::at) fn is_crossed_by(&self, line: &str) -> bool {
        if line.starts_with("+CMS ERROR:") || line.starts_with("+CME ERROR:") || is_known(line) {
            return true;
        }
        let framed = self.blank > 0;
        framed && (is_vendors(line) || is_chatter(line) || matches!(line, "RING" | "NO CARRIER"))
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

/// Codes of the standards that come unasked, as they begin.
const KNOWN: &[&str] = &[
    "+CMTI:", "+CDSI:", "+CMT:", "+CDS:", "+CBM:", "+CREG:", "+CGREG:", "+CEREG:", "+CRING:",
    "+CPIN:", "+CUSD:", "+CIEV:", "+CMGS:", "+CSQ:",
];

/// A code of the standards, or a vendor's behind `^`, which no text begins a line with.
fn is_known(line: &str) -> bool {
    let behind = KNOWN.iter().find_map(|name| line.strip_prefix(name));
    let fields = behind.is_some_and(|fields| !fields.trim().is_empty());
    fields
        || line
            .strip_prefix('^')
            .is_some_and(|rest| has_name(rest) && is_even(line))
}

/// A sign, a name in capitals, and a colon with values in no words of a language, or nothing at all.
fn is_vendors(line: &str) -> bool {
    let Some(rest) = line.strip_prefix(SIGILS) else {
        return false;
    };
    let words = |values: &str| {
        let unquoted = values.split('"').step_by(2);
        unquoted
            .flat_map(str::chars)
            .any(|c| c.is_lowercase() || !c.is_ascii())
    };
    match rest.split_once(':') {
        Some((_, values)) => has_name(rest) && is_even(line) && !words(values),
        None => rest.len() > 3 && rest.bytes().all(|octet| octet.is_ascii_uppercase()),
    }
}

/// Whether a name of capitals and digits stands before a colon.
fn has_name(rest: &str) -> bool {
    let named = rest.split_once(':');
    let capital = |octet: u8| octet.is_ascii_uppercase() || octet.is_ascii_digit() || octet == b'_';
    named.is_some_and(|(name, _)| {
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(capital)
    })
}

/// Quotes that are closed again: the end of the text has one more.
fn is_even(line: &str) -> bool {
    line.matches('"').count().is_multiple_of(2)
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
            ("+CUSD: 1,\"Dial \"*101#\"", true),
            ("+CUSD: 0,\"Saldo \"5\"", true),
            ("+CUSD: 0,\"say \"hi\"\"", false),
            ("+CUSD: 0,\"Saldo \"5\",15", false),
            ("+CUSD: 0,\"Hi\" , 15", false),
            ("+CUSD: 0,\"Hi\",15,", false),
            ("+CUSD: 0,\"Hi\",15", false),
            ("+CUSD: 0,\"Hi\",15,1", false),
            ("+CUSD: 0,\"Hi\"", false),
            ("+CUSD: ,\"x", false),
            ("+CUSD: (0-2)", false),
            ("+CUSD: 4", false),
            ("+CSQ: 1,\"x", false),
        ];
        for (line, open) in CASES {
            assert_eq!(OpenText::opens(line), *open, "{line}");
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
            (&["end\",15,"], &[true]),
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
    fn lines_of_another_kind_are_told_by_their_names_and_by_what_stands_before() {
        // Whether it crosses right behind a line of the text, and behind an empty one.
        const CASES: &[(&str, bool, bool)] = &[
            ("+CMTI: \"SM\",3", true, true),
            ("+CMT: \"a\"b\",23", true, true),
            ("+CUSD: 0,\"Hi", true, true),
            ("^RSSI:3", true, true),
            ("+CMS ERROR: 38", true, true),
            ("+CME ERROR: SIM busy", true, true),
            ("+ZUSIMR:2", false, true),
            ("*E2NAP: 1", false, true),
            ("^SYSSTART", false, true),
            ("+ZEND", false, true),
            ("Call Ready", false, true),
            ("UNDER-VOLTAGE WARNNING", false, true),
            ("NO CARRIER", false, true),
            ("RING", false, true),
            ("*BONUS: 50 min", false, false),
            ("*100#", false, false),
            ("+Bonus: 3", false, false),
            ("+SALDO: 3 UAH\",15", false, false),
            ("*100#: balance", false, false),
            ("Balance: 3", false, false),
            ("OK", false, false),
        ];
        for (line, close, framed) in CASES {
            let mut text = OpenText::new("+CUSD: 1,\"a");
            assert_eq!(text.is_crossed_by(line), *close, "{line}");
            assert!(!text.push(""));
            assert_eq!(text.is_crossed_by(line), *framed, "{line}");
        }
    }

    #[test]
    fn a_result_needs_its_empty_line() {
        let mut text = OpenText::new("+CUSD: 1,\"Saldo \"5\"");
        assert!(!text.may_be_over());
        assert!(!text.push(""));
        assert!(text.may_be_over());
        assert!(!OpenText::new("+CUSD: 1,\"a").may_be_over());
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

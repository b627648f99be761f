//! Cuts what a modem sends into lines and prompts.
//!
//! Lines end with CR, LF or any run of both; some firmwares double the CR. The prompt `> ` has no end
//! of line at all, so it is looked for only where one is due (TS 27.005, 3.5.1).

use nom::branch::alt;
use nom::bytes::complete::{take_till1, take_while, take_while1};
use nom::character::complete::char;
use nom::combinator::{map, opt};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

/// A line longer than this, in octets, is noise: no answer of any command comes near it.
pub const LONGEST: usize = 4096;

/// One thing cut from the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A line without its end; octets that are no UTF-8 are replaced.
    Line(String),
    /// The modem waits for the PDU.
    Prompt,
}

/// Whether a prompt may come now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptDue {
    /// `AT+CMGS` was sent.
    Yes,
    /// Any `>` is part of a line.
    No,
}

/// What has come and is not yet cut.
#[derive(Debug, Default)]
pub struct Buffer(Vec<u8>);

impl Buffer {
    /// Takes in what the port gave.
    pub fn extend(&mut self, octets: &[u8]) {
        self.0.extend_from_slice(octets);
    }

    /// Forgets a prompt that nobody waited for: the next one must not be taken for it.
    pub fn forget_prompt(&mut self) {
        if self
            .0
            .iter()
            .all(|octet| is_filler(*octet) || *octet == b'>')
        {
            self.0.clear();
        }
    }

    /// The next line or prompt; none until more comes.
    pub fn next(&mut self, prompt: PromptDue) -> Option<Frame> {
        let (rest, found) = match frame(&self.0, prompt) {
            Ok((rest, found)) => (rest.len(), found),
            Err(_) if self.0.len() > LONGEST => (0, Frame::Line(text(&self.0))),
            Err(_) => return None,
        };
        self.0.drain(..self.0.len() - rest);
        Some(found)
    }
}

fn frame(input: &[u8], prompt: PromptDue) -> IResult<&[u8], Frame> {
    let line = map(
        terminated(take_till1(is_end), take_while1(is_end)),
        |line| Frame::Line(text(line)),
    );
    match prompt {
        PromptDue::No => preceded(take_while(is_filler), line).parse(input),
        PromptDue::Yes => {
            let waiting = map((char('>'), opt(char(' '))), |_| Frame::Prompt);
            preceded(take_while(is_filler), alt((waiting, line))).parse(input)
        }
    }
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).trim_end().to_owned()
}

fn is_end(octet: u8) -> bool {
    matches!(octet, b'\r' | b'\n')
}

/// What stands between lines: their ends, and NULs that some adapters send at power-up. A blank left
/// over from a late prompt is no line either.
fn is_filler(octet: u8) -> bool {
    matches!(octet, b'\r' | b'\n' | b' ' | 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(stream: &[u8], prompt: PromptDue) -> Vec<Frame> {
        let mut buffer = Buffer::default();
        buffer.extend(stream);
        std::iter::from_fn(|| buffer.next(prompt)).collect()
    }

    fn line(text: &str) -> Frame {
        Frame::Line(text.into())
    }

    const CASES: &[(&str, &[u8], &[&str])] = &[
        (
            "an answer",
            b"\r\n+CSQ: 14,99\r\n\r\nOK\r\n",
            &["+CSQ: 14,99", "OK"],
        ),
        ("an echo before it", b"AT\r\r\nOK\r\n", &["AT", "OK"]),
        ("doubled CR", b"\r\r\nRING\r\r\n", &["RING"]),
        ("only LF", b"\nOK\n", &["OK"]),
        ("only CR", b"\rOK\r", &["OK"]),
        ("NULs at power-up", b"\0\0\r\nRDY\r\n", &["RDY"]),
        ("not yet ended", b"\r\nOK\r\n+CR", &["OK"]),
        ("no UTF-8", b"\r\n\xff\xfeX\r\n", &["\u{fffd}\u{fffd}X"]),
        ("nothing", b"", &[]),
    ];

    #[test]
    fn lines_are_cut_whatever_ends_them() {
        for (name, stream, expected) in CASES {
            let expected: Vec<Frame> = expected.iter().copied().map(line).collect();
            assert_eq!(cut(stream, PromptDue::No), expected, "{name}");
        }
    }

    #[test]
    fn octet_by_octet_gives_the_same() {
        for (name, stream, expected) in CASES {
            let mut buffer = Buffer::default();
            let mut found = Vec::new();
            for octet in *stream {
                buffer.extend(&[*octet]);
                found.extend(std::iter::from_fn(|| buffer.next(PromptDue::No)));
            }
            let expected: Vec<Frame> = expected.iter().copied().map(line).collect();
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn the_prompt_needs_no_end_of_line_and_only_counts_when_due() {
        assert_eq!(cut(b"\r\n> ", PromptDue::Yes), [Frame::Prompt]);
        assert_eq!(cut(b"\r\n>", PromptDue::Yes), [Frame::Prompt]);
        assert_eq!(
            cut(b"\r\n^RSSI:3\r\n\r\n> ", PromptDue::Yes),
            [line("^RSSI:3"), Frame::Prompt]
        );
        assert_eq!(cut(b"\r\n> ", PromptDue::No), []);
        assert_eq!(cut(b"\r\n>x\r\n", PromptDue::No), [line(">x")]);
    }

    #[test]
    fn a_prompt_that_nobody_waited_for_is_forgotten_and_half_a_line_is_not() {
        for (left, after) in [("\r\n> ", None), ("> \r\n^RSS", Some(line("> \r\n^RSS")))] {
            let mut buffer = Buffer::default();
            buffer.extend(left.as_bytes());
            buffer.forget_prompt();
            assert_eq!(buffer.0.is_empty(), after.is_none(), "{left:?}");
            assert_eq!(buffer.next(PromptDue::Yes).is_some(), after.is_some());
        }
    }

    #[test]
    fn a_blank_after_a_torn_prompt_is_no_line() {
        let mut buffer = Buffer::default();
        buffer.extend(b"\r\n>");
        assert_eq!(buffer.next(PromptDue::Yes), Some(Frame::Prompt));
        buffer.extend(b" \r\n+CMGS: 1\r\n");
        assert_eq!(buffer.next(PromptDue::No), Some(line("+CMGS: 1")));
    }

    #[test]
    fn endless_noise_does_not_fill_the_memory() {
        let mut buffer = Buffer::default();
        for _ in 0..100 {
            buffer.extend(&[b'x'; 1000]);
            while buffer.next(PromptDue::No).is_some() {}
            assert!(buffer.0.len() <= LONGEST + 1000);
        }
    }
}

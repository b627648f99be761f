//! Cuts what a modem sends into lines and prompts.
//!
//! Lines end with CR, LF or any run of both; some firmwares double the CR. The prompt `> ` has no end
//! of line at all, so it is looked for only where one is due (TS 27.005, 3.5.1): where a line begins, and,
//! for terminals that leave out the end of the line before it, within one, outside of quotes. Ctrl-Z and
//! ESC end a line as well: they only come back as the echo of our own.

use std::borrow::Cow;
use std::fmt;

/// No line is longer than this, in octets: the longest answer known, a list of seventy networks, has a third
/// of it. The rest of a longer one is passed over.
pub const LONGEST: usize = 16 * 1024;

/// One thing cut from the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A line without its end and without NULs; octets that are no UTF-8 are replaced. Empty lines are left
    /// out unless they were asked for.
    Line(Cow<'a, str>),
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
///
/// What is cut off stays in place until more comes, and is moved out only when it is the greater part:
/// an octet is copied twice at most, however the stream is torn.
#[derive(Default)]
pub struct Buffer {
    octets: Vec<u8>,
    /// Before this all is cut.
    start: usize,
    /// Between `start` and this there is no end of line.
    scanned: usize,
    /// The line that is passing was too long; its rest is dropped.
    overlong: bool,
    /// Whether empty lines count: only within a text of several lines.
    keeps_blank: bool,
    /// LFs since the last line: the first is its end, each further one that of an empty line.
    feeds: usize,
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} octets)", self.uncut().len())
    }
}

impl Buffer {
    /// Takes in what the port gave.
    pub fn extend(&mut self, octets: &[u8]) {
        if self.start > self.octets.len() / 2 {
            self.octets.drain(..self.start);
            self.scanned -= self.start;
            self.start = 0;
        }
        self.octets.extend_from_slice(octets);
    }

    /// Forgets a prompt that nobody waited for: the next one must not be taken for it.
    pub fn forget_prompt(&mut self) {
        let stray = |octet: &u8| is_filler(*octet) || *octet == b'>';
        if self.uncut().iter().all(stray) {
            self.cut_to(self.octets.len());
        }
    }

    /// Whether empty lines are lines from now on. Those that have passed do not come back.
    pub fn keep_blank_lines(&mut self, keep: bool) {
        self.keeps_blank = keep;
    }

    /// The next line or prompt; none until more comes.
    pub fn next(&mut self, prompt: PromptDue) -> Option<Frame<'_>> {
        if self.overlong {
            let end = self.end_of_line();
            self.cut_to(end.unwrap_or(self.octets.len()));
            self.overlong = end.is_none();
            end?;
        }
        if self.keeps_blank && self.blank_line() {
            return Some(Frame::Line(Cow::Borrowed("")));
        }
        let uncut = self.uncut();
        let filler = uncut.iter().take_while(|octet| is_filler(**octet)).count();
        let prompted = prompt == PromptDue::Yes && uncut.get(filler) == Some(&b'>');
        self.pass(filler);
        if prompted {
            self.cut_to(self.start + 1);
            return Some(Frame::Prompt);
        }
        let from = self.start;
        let fresh = self.scanned;
        let end = self.end_of_line();
        let come = end.unwrap_or(self.octets.len());
        let most = come.min(from + LONGEST);
        let inside = match prompt {
            PromptDue::Yes => self.prompt_within(fresh, most),
            PromptDue::No => None,
        };
        let cut = match (inside, end) {
            (Some(place), _) => place,
            (None, _) if come > most => {
                self.overlong = true;
                most
            }
            (None, Some(end)) => end,
            (None, None) => return None,
        };
        self.cut_to(cut);
        self.feeds = 0;
        let line = self.octets.get(from..cut).unwrap_or_default();
        Some(Frame::Line(text(line)))
    }

    /// Where a prompt stands within the line in front, the octets from `fresh` up to `to` being new: `> `,
    /// outside of quotes, and not as an arrow between blanks.
    fn prompt_within(&self, fresh: usize, to: usize) -> Option<usize> {
        let from = fresh.saturating_sub(1).max(self.start + 1);
        let places = from..to.saturating_sub(1);
        places.into_iter().find(|place| {
            let around = self.octets.get(place - 1..place + 2);
            let quoted = || {
                let before = self.octets.get(self.start..*place).unwrap_or_default();
                let quote = |within, octet: &u8| within != (*octet == b'"');
                before.iter().fold(false, quote)
            };
            matches!(around, Some([before, b'>', b' ']) if *before != b' ') && !quoted()
        })
    }

    /// Passes over what stands before the next line, up to the end of an empty one; whether there is one.
    fn blank_line(&mut self) -> bool {
        while let Some(octet) = self
            .uncut()
            .first()
            .copied()
            .filter(|octet| is_filler(*octet))
        {
            self.pass(1);
            if octet == b'\n' {
                self.feeds += 1;
                if self.feeds > 1 {
                    return true;
                }
            }
        }
        false
    }

    /// Leaves so many octets in front behind.
    fn pass(&mut self, count: usize) {
        self.start += count;
        self.scanned = self.scanned.max(self.start);
    }

    fn uncut(&self) -> &[u8] {
        self.octets.get(self.start..).unwrap_or_default()
    }

    fn cut_to(&mut self, place: usize) {
        self.start = place;
        self.scanned = place;
    }

    /// Where the line in front ends, if its end has come.
    fn end_of_line(&mut self) -> Option<usize> {
        let fresh = self.octets.get(self.scanned..).unwrap_or_default();
        let found = fresh.iter().position(|octet| is_end(*octet));
        let end = found.map(|at| self.scanned + at);
        self.scanned = end.unwrap_or(self.octets.len());
        end
    }
}

fn text(octets: &[u8]) -> Cow<'_, str> {
    if octets.contains(&0) {
        let kept: Vec<u8> = octets.iter().copied().filter(|octet| *octet != 0).collect();
        return Cow::Owned(text(&kept).into_owned());
    }
    String::from_utf8_lossy(octets.trim_ascii_end())
}

fn is_end(octet: u8) -> bool {
    matches!(octet, b'\r' | b'\n' | 0x1A | 0x1B)
}

/// What stands between lines: their ends, and NULs that some adapters send at power-up. A blank left
/// over from a late prompt is no line either.
fn is_filler(octet: u8) -> bool {
    is_end(octet) || matches!(octet, b' ' | 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(buffer: &mut Buffer, prompt: PromptDue) -> Vec<Frame<'static>> {
        let mut found = Vec::new();
        while let Some(frame) = buffer.next(prompt) {
            found.push(match frame {
                Frame::Line(line) => Frame::Line(Cow::Owned(line.into_owned())),
                Frame::Prompt => Frame::Prompt,
            });
        }
        found
    }

    fn cut(stream: &[u8], prompt: PromptDue) -> Vec<Frame<'static>> {
        let mut buffer = Buffer::default();
        buffer.extend(stream);
        all(&mut buffer, prompt)
    }

    fn line(text: &str) -> Frame<'_> {
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
        ("NULs inside", b"\r\n+C\0SQ: 1\0\r\n", &["+CSQ: 1"]),
        (
            "Ctrl-Z echoed",
            b"00A7\x1a\r\n+CMGS: 1\r\n",
            &["00A7", "+CMGS: 1"],
        ),
        ("ESC echoed", b"\x1bAT\r", &["AT"]),
        ("nothing", b"", &[]),
    ];

    #[test]
    fn lines_are_cut_whatever_ends_them() {
        for (name, stream, expected) in CASES {
            let expected: Vec<Frame<'_>> = expected.iter().copied().map(line).collect();
            assert_eq!(cut(stream, PromptDue::No), expected, "{name}");
        }
    }

    #[test]
    fn empty_lines_count_where_they_are_asked_for() {
        const CASES: &[(&[u8], &[&str])] = &[
            (b"\r\nb\r\n", &["b"]),
            (b"\r\n\r\nb\r\n", &["", "b"]),
            (b"\r\r\nb\r\r\n\r\r\n\r\r\nc\r", &["b", "", "", "c"]),
            (b"\n\nb\n", &["", "b"]),
            (b"\r\n\r\n", &[""]),
        ];
        for (stream, expected) in CASES {
            for piece in [1, 100] {
                let mut buffer = Buffer::default();
                buffer.extend(b"a\r");
                assert_eq!(buffer.next(PromptDue::No), Some(line("a")));
                buffer.keep_blank_lines(true);
                let mut found = Vec::new();
                for octets in stream.chunks(piece) {
                    buffer.extend(octets);
                    found.extend(all(&mut buffer, PromptDue::No));
                }
                let expected: Vec<Frame<'_>> = expected.iter().copied().map(line).collect();
                assert_eq!(found, expected, "{}", stream.escape_ascii());
            }
        }
    }

    #[test]
    fn octet_by_octet_gives_the_same() {
        for (name, stream, expected) in CASES {
            let mut buffer = Buffer::default();
            let mut found = Vec::new();
            for octet in *stream {
                buffer.extend(&[*octet]);
                found.extend(all(&mut buffer, PromptDue::No));
            }
            let expected: Vec<Frame<'_>> = expected.iter().copied().map(line).collect();
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
    fn a_prompt_may_stand_behind_a_line_without_its_end() {
        const CASES: &[(&[u8], &str, bool)] = &[
            (b"AT+CMGS=4> ", "AT+CMGS=4", true),
            (b"\r\n^RSSI:13> ", "^RSSI:13", true),
            (b"^X: \"a\",1> ", "^X: \"a\",1", true),
            (b"^X: \"a> b\"\r\n", "^X: \"a> b\"", false),
            (b"^X: a > b\r\n", "^X: a > b", false),
            (b"^X: a>b\r\n", "^X: a>b", false),
        ];
        for (stream, text, prompted) in CASES {
            for piece in [1, 2, 100] {
                let mut buffer = Buffer::default();
                let mut found = Vec::new();
                for octets in stream.chunks(piece) {
                    buffer.extend(octets);
                    found.extend(all(&mut buffer, PromptDue::Yes));
                }
                assert_eq!(found.first(), Some(&line(text)));
                assert_eq!(found.get(1) == Some(&Frame::Prompt), *prompted, "{text}");
            }
            let stream = [stream, &b"\r\n"[..]].concat();
            let whole = cut(&stream, PromptDue::No);
            assert_eq!(whole.len(), 1, "none is due: {text}");
        }
    }

    #[test]
    fn an_overlong_line_is_cut_at_the_same_place_however_it_is_torn() {
        for over in [0, 1, 100] {
            let stream = [&vec![b'x'; LONGEST + over], &b"\r\nOK\r\n"[..]].concat();
            for piece in [1, 1000, stream.len()] {
                let mut buffer = Buffer::default();
                let mut lengths = Vec::new();
                for octets in stream.chunks(piece) {
                    buffer.extend(octets);
                    for frame in all(&mut buffer, PromptDue::No) {
                        let Frame::Line(line) = frame else {
                            panic!("no prompt is due");
                        };
                        lengths.push(line.len());
                    }
                }
                assert_eq!(lengths, [LONGEST, 2], "{over} {piece}");
            }
        }
    }

    #[test]
    fn a_prompt_that_nobody_waited_for_is_forgotten_and_half_a_line_is_not() {
        for (left, after) in [("\r\n> ", None), ("> \r\n^RSS", Some(line("> \r\n^RSS")))] {
            let mut buffer = Buffer::default();
            buffer.extend(left.as_bytes());
            buffer.forget_prompt();
            assert_eq!(buffer.uncut().is_empty(), after.is_none(), "{left:?}");
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
        let mut lines = 0;
        for _ in 0..100 {
            buffer.extend(&[b'x'; 1000]);
            lines += all(&mut buffer, PromptDue::No).len();
            assert!(buffer.octets.len() <= 2 * LONGEST + 1000);
        }
        assert_eq!(lines, 1, "the rest of an endless line is no line");
        buffer.extend(b"OK\r\nOK\r\n");
        assert_eq!(all(&mut buffer, PromptDue::No), [line("OK")]);
    }

    #[test]
    fn what_is_cut_does_not_pile_up() {
        let mut buffer = Buffer::default();
        for _ in 0..1000 {
            buffer.extend(b"^RSSI:15\r\n+CR");
            buffer.extend(b"EG: 1\r\n");
            assert_eq!(all(&mut buffer, PromptDue::No).len(), 2);
            assert!(buffer.octets.len() < 100);
        }
    }
}

//! A command as a filter: a line in, a line out, until one of both ends.

use std::io::{BufRead, ErrorKind, Write};

use super::exit::Failure;

/// A line longer than this, in octets, is refused without being kept: no PDU, text or answer of a
/// modem comes near it.
pub const LONGEST: usize = 1 << 20;

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A line without its end; octets that are no UTF-8 are replaced.
    Text(&'a str),
    /// A line over [`LONGEST`].
    TooLong,
}

/// What some editors put before the first line of a file.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Answers each line of `input` with `answer`, at once. What a last line without an end says counts
/// too, a byte order mark before the first does not. Whoever closes `output` has read enough: that is no error.
pub fn each_line(
    mut input: impl BufRead,
    mut output: impl Write,
    mut answer: impl FnMut(Line<'_>) -> String,
) -> Result<(), Failure> {
    let mut kept = Vec::new();
    let mut is_first = true;
    while let Some(length) = read_line(&mut input, &mut kept)
        .map_err(|error| Failure::failed(anyhow::Error::new(error).context("cannot read")))?
    {
        let text = String::from_utf8_lossy(&kept);
        let mut text = text.trim_end_matches('\r');
        if std::mem::take(&mut is_first) {
            text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        }
        let mut answer = if length > LONGEST {
            answer(Line::TooLong)
        } else {
            answer(Line::Text(text))
        };
        answer.push('\n');
        let written = output
            .write_all(answer.as_bytes())
            .and_then(|()| output.flush());
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => {
                return Err(Failure::failed(
                    anyhow::Error::new(error).context("cannot write"),
                ));
            }
            Ok(()) => {}
        }
    }
    Ok(())
}

/// The next line into `kept`, without its end and as far as it is not too long. Gives its whole length;
/// nothing at the end of the input.
fn read_line(input: &mut impl BufRead, kept: &mut Vec<u8>) -> std::io::Result<Option<usize>> {
    kept.clear();
    let mut length = 0;
    loop {
        let there = match input.fill_buf() {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            there => there?,
        };
        if there.is_empty() {
            return Ok((length > 0).then_some(length));
        }
        let end = there.iter().position(|octet| *octet == b'\n');
        let text = end.unwrap_or(there.len());
        let room = LONGEST.saturating_sub(kept.len());
        kept.extend(there.iter().take(text.min(room)));
        length += text;
        input.consume(text + usize::from(end.is_some()));
        if end.is_some() {
            return Ok(Some(length));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn filtered(input: &[u8]) -> String {
        let mut output = Vec::new();
        each_line(
            BufReader::with_capacity(3, input),
            &mut output,
            |line| match line {
                Line::Text(text) if text.len() < 100 => format!("<{text}>"),
                Line::Text(text) => text.len().to_string(),
                Line::TooLong => "too long".into(),
            },
        )
        .unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn every_line_has_its_answer() {
        const CASES: &[(&[u8], &str)] = &[
            (b"", ""),
            (b"\n", "<>\n"),
            (b"00\r\n\n11\n", "<00>\n<>\n<11>\n"),
            (b"no end", "<no end>\n"),
            (b"\xff\0\n1", "<\u{fffd}\0>\n<1>\n"),
            // A byte order mark is one before the first line only.
            (b"\xef\xbb\xbf00\r\n1", "<00>\n<1>\n"),
            (b"00\n\xef\xbb\xbf1\n", "<00>\n<\u{feff}1>\n"),
        ];
        for (input, expected) in CASES {
            assert_eq!(filtered(input), *expected, "{input:?}");
        }
    }

    #[test]
    fn an_endless_line_is_refused_and_the_next_one_read() {
        let line = |length: usize| "x".repeat(length);
        assert_eq!(filtered(line(LONGEST).as_bytes()), format!("{LONGEST}\n"));
        assert_eq!(
            filtered((line(LONGEST) + "\n").as_bytes()),
            format!("{LONGEST}\n")
        );
        assert_eq!(
            filtered((line(LONGEST + 1) + "\n1\n").as_bytes()),
            "too long\n<1>\n"
        );
        assert_eq!(filtered(line(3 * LONGEST).as_bytes()), "too long\n");
    }

    /// Takes some octets, then says why not.
    struct Pipe(usize, ErrorKind);

    impl Write for Pipe {
        fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
            if self.0 == 0 {
                return Err(self.1.into());
            }
            self.0 -= 1;
            Ok(octets.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_ends_the_work_in_peace_and_a_full_disk_does_not() {
        let mut asked = 0;
        let mut count = |pipe| {
            each_line(b"1\n2\n3\n".as_slice(), pipe, |_| {
                asked += 1;
                "x".into()
            })
            .is_ok()
        };
        assert!(count(Pipe(1, ErrorKind::BrokenPipe)));
        assert!(!count(Pipe(0, ErrorKind::StorageFull)));
        assert_eq!(asked, 3);
    }
}

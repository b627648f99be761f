//! What people and programs see: lines, tables, JSON, colour.
//!
//! Foreign text is made harmless before it reaches a terminal: a text message may hold escape codes.

use std::io::{IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use crate::sms::state::MessageState;

/// Where something is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Results.
    Out,
    /// All else.
    Err,
}

impl Stream {
    /// Whether what was written can be written over.
    pub fn is_rewritable(self) -> bool {
        let terminal = match self {
            Self::Out => std::io::stdout().is_terminal(),
            Self::Err => std::io::stderr().is_terminal(),
        };
        terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
    }

    fn shows_colours(self) -> bool {
        self.is_rewritable() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    }
}

/// Writes a line to stdout. A closed pipe is no error: whoever read has read enough.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Writes a line to stderr.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Writes JSON for programs.
pub fn json(value: &Value) {
    line(&format!("{value:#}"));
}

/// Writes a table to stdout.
pub fn print_table(heads: &[&str], rows: &[Vec<Cell>]) {
    for row in table(Stream::Out, heads, rows) {
        line(&row);
    }
}

/// Shows control characters as what they are instead of obeying them: ends of lines and tabs as `\n`, `\r`
/// and `\t`, others by a replacement character. So are those that turn the direction of writing: with them a
/// text can look like another.
pub fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.push(char::REPLACEMENT_CHARACTER);
            }
            control if control.is_control() => shown.push(char::REPLACEMENT_CHARACTER),
            other => shown.push(other),
        }
    }
    shown
}

/// At most `longest` characters of a text; an ellipsis stands for the rest.
pub fn beginning(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let kept: String = text.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A field of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    text: String,
    style: Style,
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self {
            text: harmless(&text),
            style: Style::new(),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Cell {
    /// The state of a message, a part or a modem, in its colour.
    pub fn state(word: &str) -> Self {
        Self {
            style: state_style(word),
            ..word.into()
        }
    }

    /// As it is written to `stream`, filled up with blanks to `width`.
    pub fn written(&self, stream: Stream, width: usize) -> String {
        let Self { text, style } = self;
        let blanks = " ".repeat(width.saturating_sub(text.chars().count()));
        if stream.shows_colours() && !style.is_plain() {
            format!("{style}{text}{style:#}{blanks}")
        } else {
            format!("{text}{blanks}")
        }
    }
}

fn state_style(word: &str) -> Style {
    let of_message = word.parse::<MessageState>().ok().map(|state| match state {
        MessageState::Delivered => Some(AnsiColor::Green),
        MessageState::Sent => Some(AnsiColor::Cyan),
        MessageState::Failed
        | MessageState::Undelivered
        | MessageState::Expired
        | MessageState::Rejected => Some(AnsiColor::Red),
        MessageState::Uncertain => Some(AnsiColor::Yellow),
        MessageState::Scheduled
        | MessageState::Queued
        | MessageState::Sending
        | MessageState::Canceled => None,
    });
    let colour = of_message.unwrap_or(match word {
        "ready" => Some(AnsiColor::Green),
        "closed" | "faulty" => Some(AnsiColor::Red),
        _ => None,
    });
    Style::new().fg_color(colour.map(Into::into))
}

/// Lays rows out in columns under `heads`, two blanks between them. Returns the lines, the heads first.
pub fn table(stream: Stream, heads: &[&str], rows: &[Vec<Cell>]) -> Vec<String> {
    let heads: Vec<Cell> = heads.iter().map(|head| (*head).into()).collect();
    let lines: Vec<&[Cell]> = std::iter::once(heads.as_slice())
        .chain(rows.iter().map(Vec::as_slice))
        .collect();
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells
            .map(|cell| cell.text.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let laid = |line: &&[Cell]| {
        let cells: Vec<String> = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| cell.written(stream, *width))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    lines.iter().map(laid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(heads: &[&str], rows: &[Vec<Cell>]) -> String {
        table(Stream::Out, heads, rows).join("\n")
    }

    #[test]
    fn columns_line_up_and_foreign_text_is_harmless() {
        let rows = [
            vec!["msg_1".into(), "Привіт\u{1b}[2J".into()],
            vec!["msg_22".into(), "Hi".into()],
        ];
        let expected = "ID      TEXT\nmsg_1   Привіт\u{fffd}[2J\nmsg_22  Hi";
        assert_eq!(laid(&["ID", "TEXT"], &rows), expected);
    }

    #[test]
    fn an_empty_table_is_its_heads() {
        assert_eq!(laid(&["ID", "STATE"], &[]), "ID  STATE");
    }

    #[test]
    fn nothing_in_a_text_is_obeyed() {
        const CASES: &[(&str, &str)] = &[
            ("ready № 5 ✓ 👍", "ready № 5 ✓ 👍"),
            ("a\u{1b}]0;b\u{7}", "a\u{fffd}]0;b\u{fffd}"),
            ("line\r\nline\tx\u{fffd}", "line\\r\\nline\\tx\u{fffd}"),
            ("c1 \u{9b}2J", "c1 \u{fffd}2J"),
            ("pay \u{202e}001\u{202c} now", "pay \u{fffd}001\u{fffd} now"),
        ];
        for (text, shown) in CASES {
            assert_eq!(harmless(text), *shown, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        const CASES: &[(&str, &str)] = &[
            ("Привіт", "Привіт"),
            ("Привіт!", "Приві…"),
            ("Готово так", "Готов…"),
            ("Code 12345", "Code…"),
            ("", ""),
        ];
        for (text, cut) in CASES {
            assert_eq!(beginning(text, 6), *cut, "{text:?}");
        }
    }

    #[test]
    fn a_state_has_its_colour_where_there_are_colours() {
        let red = Style::new().fg_color(Some(AnsiColor::Red.into()));
        assert_eq!(state_style("failed"), red);
        assert_eq!(state_style("faulty"), red);
        assert_eq!(state_style("queued"), Style::new());
        assert_eq!(state_style("no state"), Style::new());
        // Tests write to no terminal.
        assert_eq!(Cell::state("failed").written(Stream::Out, 8), "failed  ");
    }
}

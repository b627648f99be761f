//! Shows on stderr how things stand while they change: rewritten in place on a terminal, elsewhere one
//! line for each change.

use std::io::Write;

use super::output::Stream;

/// Lines that change.
#[derive(Debug)]
pub struct Progress {
    in_place: bool,
    shown: Vec<String>,
}

impl Progress {
    /// Nothing is shown yet.
    pub fn new() -> Self {
        Self {
            in_place: Stream::Err.is_rewritable(),
            shown: Vec::new(),
        }
    }

    /// Shows `lines` where they are not what is shown already. Call it with the same number each time.
    pub fn show(&mut self, lines: Vec<String>) {
        if lines == self.shown {
            return;
        }
        let written = if self.in_place {
            rewritten(self.shown.len(), &lines)
        } else {
            changed(&self.shown, &lines)
        };
        // Who cannot see it does without.
        let _ = std::io::stderr().lock().write_all(written.as_bytes());
        self.shown = lines;
    }
}

/// Over the last `drawn` lines. A line that is too long is cut by the terminal (autowrap, DECAWM, is off
/// meanwhile): one that wraps would make the count wrong.
fn rewritten(drawn: usize, lines: &[String]) -> String {
    let up = match drawn {
        0 => String::new(),
        drawn => format!("\u{1b}[{drawn}A"),
    };
    let drawn: Vec<String> = lines
        .iter()
        .map(|line| format!("\u{1b}[2K{line}\n"))
        .collect();
    let drawn = drawn.concat();
    format!("\u{1b}[?7l{up}{drawn}\u{1b}[?7h")
}

fn changed(before: &[String], lines: &[String]) -> String {
    let is_new = |(place, line): &(usize, &String)| before.get(*place) != Some(line);
    let new = lines.iter().enumerate().filter(is_new);
    new.flat_map(|(_, line)| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|line| (*line).to_owned()).collect()
    }

    #[test]
    fn a_terminal_is_drawn_over() {
        let first = rewritten(0, &lines(&["a", "b"]));
        assert_eq!(first, "\u{1b}[?7l\u{1b}[2Ka\n\u{1b}[2Kb\n\u{1b}[?7h");
        let second = rewritten(2, &lines(&["a", "c"]));
        assert_eq!(
            second,
            "\u{1b}[?7l\u{1b}[2A\u{1b}[2Ka\n\u{1b}[2Kc\n\u{1b}[?7h"
        );
    }

    #[test]
    fn elsewhere_only_what_changed_is_written() {
        assert_eq!(changed(&[], &lines(&["a", "b"])), "a\nb\n");
        assert_eq!(changed(&lines(&["a", "b"]), &lines(&["a", "c"])), "c\n");
    }
}

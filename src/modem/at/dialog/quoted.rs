//! A text of the network whose quotes are open: lines up to the one that closes them.

use std::time::{Duration, Instant};

use super::Dialog;
use crate::modem::at::codes::{News, final_result};
use crate::modem::at::storage::is_hex;
use crate::modem::at::ussd::{OpenText, Ussd};

/// The lines of such a text come in one breath. After this long without the next one its quotes are not
/// closed any more, and what came is read again.
pub const TEXT_PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Quoted {
    text: OpenText,
    /// What it has taken, as it came: the first line opened it.
    lines: Vec<String>,
    /// When it is given up; none while no moment has been told.
    deadline: Option<Instant>,
}

impl Quoted {
    pub(super) fn new(line: &str, now: Option<Instant>) -> Self {
        Self {
            text: OpenText::new(line),
            lines: vec![line.to_owned()],
            deadline: now.map(|now| now + TEXT_PATIENCE),
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Up to the first line that ends a command, as a text; and the lines from there on.
    fn split(self) -> (OpenText, Vec<String>) {
        let mut lines = self.lines.into_iter().peekable();
        let mut text = OpenText::new(&lines.next().unwrap_or_default());
        while let Some(line) = lines.next_if(|line| final_result(line).is_none()) {
            let _ = text.push(&line);
        }
        (text, lines.collect())
    }
}

impl Dialog {
    /// Takes a line that stands between the quotes of a `+CUSD`. News that cross it are told by their
    /// names, as everywhere.
    pub(super) fn continues_text(&mut self, line: &str) -> bool {
        let now = self.now;
        let Some(quoted) = &mut self.text else {
            return false;
        };
        if quoted.text.is_crossed_by(line) || (!self.headers.is_empty() && is_hex(line)) {
            quoted.text.crossed();
            return false;
        }
        if quoted.text.may_be_over() && final_result(line).is_some() {
            self.close_text();
            return false;
        }
        quoted.deadline = now.map(|now| now + TEXT_PATIENCE);
        quoted.lines.push(line.to_owned());
        if !quoted.text.push(line) {
            return true;
        }
        if line.contains('"') {
            self.close_text();
        } else {
            // Too long for a text: the quotes were never closed.
            self.reread_text();
        }
        true
    }

    /// Tells what has come of a text as it is.
    pub(super) fn close_text(&mut self) {
        if let Some(quoted) = self.text.take() {
            self.tell_text(quoted.text);
        }
    }

    /// Gives a text up whose quotes were never closed: a result among its lines was none of it.
    pub(super) fn reread_text(&mut self) {
        let Some(quoted) = self.text.take() else {
            return;
        };
        let (text, lines) = quoted.split();
        self.tell_text(text);
        for line in lines {
            self.line(&line);
        }
    }

    fn tell_text(&mut self, text: OpenText) {
        let line = text.close();
        self.news(Ussd::read(&line).map_or(News::Noise(line), News::Ussd));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{sending, start, told};
    use super::super::{Dialog, Exchange};
    use super::*;
    use crate::modem::at::ECHO_OFF;

    fn said(lines: &str) -> (Dialog, Instant) {
        let begun = start();
        let mut dialog = Dialog::default();
        dialog.start(Exchange::of(&ECHO_OFF), begun).unwrap();
        dialog.poll();
        dialog.receive_at(lines.as_bytes(), begun);
        (dialog, begun)
    }

    #[test]
    fn an_ok_within_open_quotes_ends_the_command_in_the_end() {
        let (mut dialog, begun) = said("+CUSD: 0,\"Menu\r\nmore\r\nOK\r\n^X:1\r\n");
        assert_eq!(told(&mut dialog), ["news Noise(\"^X:1\")"]);
        let due = begun + TEXT_PATIENCE;
        assert_eq!(dialog.wake_at(), Some(due));
        dialog.tick(due);
        let told = told(&mut dialog);
        assert!(told[0].contains("text: Some(\"Menu\\nmore\")"), "{told:?}");
        assert_eq!(told[1..], ["ok "]);
        assert_eq!(dialog.wake_at(), None);
    }

    #[test]
    fn an_idle_line_wakes_up_for_it_too() {
        let mut dialog = Dialog::default();
        dialog.receive_at(b"+CUSD: 0,\"Menu\r\n", start());
        let due = dialog.wake_at().unwrap();
        dialog.receive_at(b"more\r\n", due);
        dialog.tick(due);
        assert_eq!(told(&mut dialog), [""; 0], "each line prolongs it");
        dialog.tick(dialog.wake_at().unwrap());
        assert!(told(&mut dialog)[0].contains("Menu\\nmore"));
    }

    #[test]
    fn quotes_that_stay_open_too_long_hide_no_result() {
        let (mut dialog, _) = said("+CUSD: 0,\"Menu\r\nOK\r\n");
        for _ in 0..200 {
            dialog.receive(b"more lines\r\n");
        }
        let told = told(&mut dialog);
        assert_eq!(told.iter().filter(|told| *told == "ok ").count(), 1);
        assert!(told[0].contains("text: Some(\"Menu\")"), "{}", told[0]);
    }

    #[test]
    fn a_prompt_behind_an_open_text_is_seen_in_the_end() {
        let mut dialog = Dialog::default();
        dialog.start(sending(), start()).unwrap();
        dialog.poll();
        dialog.receive(b"+CUSD: 0,\"Menu\r\n\r\n> ");
        assert_eq!(told(&mut dialog), [""; 0]);
        dialog.tick(start() + TEXT_PATIENCE);
        assert_eq!(told(&mut dialog).last().unwrap(), "prompted");
    }
}

//! Runs of parts: the radio link stays open from one part to the next (`AT+CMMS`; TS 27.005, 3.5.6).
//!
//! It is asked for once a run, never per part. Mode 1 goes back to 0 when no part follows for a while,
//! so the next run asks again; mode 2 stays.

use std::time::Duration;

use tokio::time::Instant;

/// A modem closes the link between one and five seconds after the last part, as it likes: after the
/// shortest of these it may have closed.
const WINDOW: Duration = Duration::from_secs(1);

/// What is known about the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    mode: Mode,
    /// When the last part ended, if the link was asked to stay open.
    held: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The modem cannot, or the profile says no.
    Never,
    /// Falls back to 0 with the link.
    Once,
    /// Stays until it is switched off.
    Always,
}

impl Run {
    /// By the mode that the profile names: 1, 2, or 0 for never.
    pub fn new(mode: u8) -> Self {
        let mode = match mode {
            1 => Mode::Once,
            2 => Mode::Always,
            _ => Mode::Never,
        };
        Self { mode, held: None }
    }

    /// The command to send before a part that others follow, if one is due.
    pub fn due(&self, now: Instant) -> Option<&'static str> {
        match (self.mode, self.held) {
            (Mode::Once, Some(last)) if now.duration_since(last) < WINDOW => None,
            (Mode::Once, _) => Some("+CMMS=1"),
            (Mode::Always, None) => Some("+CMMS=2"),
            (Mode::Always, Some(_)) | (Mode::Never, _) => None,
        }
    }

    /// The modem keeps the link open from now on.
    pub fn begin(&mut self, now: Instant) {
        self.held = Some(now);
    }

    /// The modem cannot: it is not asked again.
    pub fn refused(&mut self) {
        self.mode = Mode::Never;
    }

    /// A part has gone: the next one is waited for from now on.
    pub fn part_ended(&mut self, now: Instant) {
        if let Some(last) = &mut self.held {
            *last = now;
        }
    }

    /// Nobody knows what the modem still knows.
    pub fn forget(&mut self) {
        self.held = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_asks_once_and_the_next_one_again() {
        let begin = Instant::now();
        let at = |ms| begin + Duration::from_millis(ms);
        let mut run = Run::new(1);
        assert_eq!(run.due(begin), Some("+CMMS=1"));
        run.begin(begin);
        run.part_ended(at(3000));
        assert_eq!(run.due(at(3010)), None);
        run.part_ended(at(6000));
        assert_eq!(run.due(at(6900)), None);
        assert_eq!(run.due(at(7000)), Some("+CMMS=1"));
        run.refused();
        assert_eq!(run.due(at(20_000)), None);
    }

    #[test]
    fn mode_2_is_asked_for_once_until_the_modem_may_have_forgotten_it() {
        let now = Instant::now();
        let mut run = Run::new(2);
        assert_eq!(run.due(now), Some("+CMMS=2"));
        run.begin(now);
        assert_eq!(run.due(now + Duration::from_secs(3600)), None);
        run.forget();
        assert_eq!(run.due(now), Some("+CMMS=2"));
        assert_eq!(Run::new(0).due(now), None);
    }
}

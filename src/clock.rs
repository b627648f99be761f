//! Wall time as a value that is handed in, so that tests can move it.
//!
//! Deadlines on the wire use tokio's monotonic clock; this one is for what is written down.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use tokio::time::Instant;

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    /// The moment `wait` later; the far future instead of an overflow.
    #[must_use]
    pub fn plus(self, wait: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// The moment `age` earlier; the far past instead of an overflow.
    #[must_use]
    pub fn minus(self, age: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How long it is from `earlier` to this moment; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl FromStr for Millis {
    type Err = BadMoment;

    /// RFC 3339 with a zone or `Z`.
    fn from_str(text: &str) -> Result<Self, BadMoment> {
        let moment: Result<Timestamp, _> = text.parse();
        moment
            .map(|moment| Self(moment.as_millisecond()))
            .map_err(|_| BadMoment)
    }
}

/// A text that is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a moment such as 2026-11-24T10:00:00Z or 2026-11-24T12:00:00+02:00")]
pub struct BadMoment;

impl fmt::Display for Millis {
    /// RFC 3339 in UTC with milliseconds: `2026-11-24T10:00:00.250Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_millisecond(self.0) {
            Ok(moment) => write!(f, "{moment:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

/// Tells the wall time.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Source);

#[derive(Debug, Clone, Copy)]
enum Source {
    System,
    Runtime { start: Instant, wall: Millis },
}

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that shows `wall` now and then follows the runtime's, also when that one is paused.
    pub fn following_runtime(wall: Millis) -> Self {
        Self(Source::Runtime {
            start: Instant::now(),
            wall,
        })
    }

    /// The present moment.
    pub fn now(&self) -> Millis {
        match self.0 {
            Source::System => system(),
            Source::Runtime { start, wall } => wall.plus(start.elapsed()),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the machine for its time"
)]
fn system() -> Millis {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Millis(0).plus(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_in_utc_with_milliseconds() {
        const CASES: &[(i64, &str)] = &[
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_287_879_250, "2026-11-21T19:04:39.250Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (i64::MAX, "9223372036854775807 ms"),
        ];
        for (millis, text) in CASES {
            assert_eq!(Millis(*millis).to_string(), *text);
        }
    }

    #[test]
    fn arithmetic_never_overflows() {
        assert_eq!(Millis(i64::MAX).plus(Duration::MAX), Millis(i64::MAX));
        assert_eq!(Millis(i64::MIN).minus(Duration::MAX), Millis(i64::MIN));
        assert_eq!(Millis(1).since(Millis(5)), Duration::ZERO);
        assert_eq!(Millis(1500).since(Millis(500)), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_following_clock_moves_with_the_runtime() {
        let clock = Clock::following_runtime(Millis(1000));
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(clock.now(), Millis(4000));
    }
}

//! How many parts a SIM may send.

use std::time::{Duration, Instant};

/// A number of parts, in all or in each stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many parts pass.
    pub parts: u32,
    /// After this long, counted from the first part, they pass anew; `None`: never.
    pub per: Option<Duration>,
}

/// A quota and what of it is used.
#[derive(Debug, Default)]
pub(super) struct Meter {
    quota: Option<Quota>,
    used: u32,
    since: Option<Instant>,
}

impl Meter {
    /// Nothing of `quota` is used; without one all passes.
    pub(super) fn new(quota: Option<Quota>) -> Self {
        Self {
            quota,
            ..Self::default()
        }
    }

    /// One part more. Does it pass?
    pub(super) fn passes(&mut self, now: Instant) -> bool {
        let Some(quota) = self.quota else {
            return true;
        };
        let since = *self.since.get_or_insert(now);
        if quota.per.is_some_and(|per| now >= since + per) {
            (self.used, self.since) = (0, Some(now));
        }
        let passes = self.used < quota.parts;
        self.used = self.used.saturating_add(u32::from(passes));
        passes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_pass_as_the_quota_says() {
        let minute = Duration::from_mins(1);
        let quota = |parts, per| Some(Quota { parts, per });
        // Parts at 0, 20, 40, 60 and 80 seconds.
        let cases = [
            (None, [true; 5]),
            (quota(0, None), [false; 5]),
            (quota(2, None), [true, true, false, false, false]),
            (quota(2, Some(minute)), [true, true, false, true, true]),
            (quota(1, Some(minute)), [true, false, false, true, false]),
        ];
        let start = tokio::time::Instant::now().into_std();
        for (quota, wanted) in cases {
            let mut meter = Meter::new(quota);
            let passed =
                [0, 20, 40, 60, 80].map(|at| meter.passes(start + Duration::from_secs(at)));
            assert_eq!(passed, wanted, "{quota:?}");
        }
    }
}

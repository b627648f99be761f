//! TP-Validity-Period: how long the service centre tries.

use super::Timestamp;

/// How long a message may wait in the service centre (TS 23.040, 9.2.3.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValidityPeriod {
    /// The one-octet code, from its acceptance on; see [`ValidityPeriod::minutes`].
    Relative(u8),
    /// Seven octets whose first says what the others mean (9.2.3.12.3), kept as they came.
    Enhanced([u8; 7]),
    /// Until a point in time.
    Absolute(Timestamp),
}

const HOUR: u32 = 60;
const DAY: u32 = 24 * HOUR;
const WEEK: u32 = 7 * DAY;

impl ValidityPeriod {
    /// 24 hours.
    pub const ONE_DAY: Self = Self::Relative(0xA7);

    /// The shortest relative period of at least this many minutes; 63 weeks if it is longer than that.
    pub fn at_least(minutes: u32) -> Self {
        (0..=u8::MAX)
            .map(Self::Relative)
            .find(|period| period.minutes() >= Some(minutes))
            .unwrap_or(Self::Relative(u8::MAX))
    }

    /// The length of a relative period in minutes, 5 to 635,040: steps of 5 minutes up to 12 hours,
    /// of 30 minutes up to a day, of days up to 30, then of weeks (9.2.3.12.1).
    pub fn minutes(self) -> Option<u32> {
        let Self::Relative(code) = self else {
            return None;
        };
        let code = u32::from(code);
        Some(match code {
            0..=143 => (code + 1) * 5,
            144..=167 => 12 * HOUR + (code - 143) * 30,
            168..=196 => (code - 166) * DAY,
            _ => (code - 192) * WEEK,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_of_the_relative_code() {
        const CASES: &[(u8, u32)] = &[
            (0, 5),
            (11, HOUR),
            (143, 12 * HOUR),
            (144, 750),
            (0xA7, DAY),
            (0xA8, 2 * DAY),
            (0xC4, 30 * DAY),
            (0xC5, 5 * WEEK),
            (0xFF, 63 * WEEK),
        ];
        for &(code, minutes) in CASES {
            assert_eq!(
                ValidityPeriod::Relative(code).minutes(),
                Some(minutes),
                "{code}"
            );
            assert_eq!(
                ValidityPeriod::at_least(minutes),
                ValidityPeriod::Relative(code),
                "{code}"
            );
        }
        assert_eq!(ValidityPeriod::at_least(0), ValidityPeriod::Relative(0));
        assert_eq!(
            ValidityPeriod::at_least(DAY + 1),
            ValidityPeriod::Relative(0xA8)
        );
        assert_eq!(
            ValidityPeriod::at_least(u32::MAX),
            ValidityPeriod::Relative(0xFF)
        );
        assert_eq!(ValidityPeriod::Enhanced([0; 7]).minutes(), None);
    }
}

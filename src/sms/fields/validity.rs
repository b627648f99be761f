//! TP-Validity-Period: how long the service centre tries.

use std::time::Duration;

use super::Timestamp;
use super::timestamp::number;

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

/// Bits of the first octet of the enhanced form (9.2.3.12.3).
const EXTENSION: u8 = 1 << 7;
const SINGLE_SHOT: u8 = 1 << 6;
const FORMAT: u8 = 0b111;
const FORMAT_CODE: u8 = 0b001;
const FORMAT_SECONDS: u8 = 0b010;
const FORMAT_CLOCK: u8 = 0b011;

impl ValidityPeriod {
    /// 24 hours.
    pub const ONE_DAY: Self = Self::Relative(0xA7);

    /// The relative period nearest to a wished length in minutes, never past it; nothing for a wish
    /// under the 5 minutes of the shortest code. 63 weeks if the wish is longer than that.
    pub fn within(minutes: u32) -> Option<Self> {
        let code = match minutes {
            0..5 => return None,
            5..=720 => minutes / 5 - 1,
            721..DAY => (minutes - 12 * HOUR) / 30 + 143,
            // From 30 days to 5 weeks there is no code between.
            DAY..WEEKS_FROM => (minutes / DAY + 166).min(196),
            _ => (minutes / WEEK + 192).min(255),
        };
        u8::try_from(code).ok().map(Self::Relative)
    }

    /// The length of a relative or enhanced period; nothing for a point in time, and for an enhanced form
    /// that says no length.
    ///
    /// A relative period has 5 to 635,040 minutes: steps of 5 minutes up to 12 hours, of 30 minutes up to
    /// a day, of days up to 30, then of weeks (9.2.3.12.1). An enhanced one may be given to the second.
    pub fn duration(self) -> Option<Duration> {
        let seconds = match self {
            Self::Relative(code) => 60 * code_minutes(code),
            Self::Enhanced([indicator, rest @ ..]) if indicator & EXTENSION == 0 => {
                enhanced_seconds(indicator & FORMAT, rest)?
            }
            Self::Enhanced(_) | Self::Absolute(_) => return None,
        };
        Some(Duration::from_secs(seconds.into()))
    }

    /// [`ValidityPeriod::duration`] in minutes; nothing too if that would round seconds away.
    pub fn minutes(self) -> Option<u32> {
        let seconds = self.duration()?.as_secs();
        let minutes = u32::try_from(seconds / 60).ok()?;
        seconds.is_multiple_of(60).then_some(minutes)
    }

    /// Shall the service centre try only once (an enhanced form can say so)?
    pub fn single_shot(self) -> bool {
        matches!(self, Self::Enhanced([indicator, ..]) if indicator & SINGLE_SHOT != 0)
    }
}

/// Below this many minutes days fit better than weeks.
const WEEKS_FROM: u32 = 5 * WEEK;

fn code_minutes(code: u8) -> u32 {
    let code = u32::from(code);
    match code {
        0..=143 => (code + 1) * 5,
        144..=167 => 12 * HOUR + (code - 143) * 30,
        168..=196 => (code - 166) * DAY,
        _ => (code - 192) * WEEK,
    }
}

/// What follows the indicator, by its format; reserved ones say nothing.
fn enhanced_seconds(format: u8, rest: [u8; 6]) -> Option<u32> {
    let [first, second, third, ..] = rest;
    match format {
        FORMAT_CODE => Some(60 * code_minutes(first)),
        // 0 is reserved.
        FORMAT_SECONDS => (first != 0).then_some(u32::from(first)),
        FORMAT_CLOCK => {
            let digits = |octet| number(octet).and_then(|value| u32::try_from(value).ok());
            Some(digits(first)? * 3600 + digits(second)? * 60 + digits(third)?)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(period: ValidityPeriod) -> Option<u64> {
        period.duration().map(|length| length.as_secs())
    }

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
            let period = ValidityPeriod::Relative(code);
            assert_eq!(
                (period.minutes(), seconds(period)),
                (Some(minutes), Some(60 * u64::from(minutes))),
                "{code}"
            );
        }
    }

    #[test]
    fn the_nearest_code_is_never_past_the_wish() {
        let codes: Vec<u32> = (0..=u8::MAX).map(code_minutes).collect();
        let wishes = codes
            .iter()
            .flat_map(|&minutes| [minutes - 1, minutes, minutes + 1])
            .chain([0, 1, 33 * DAY, 64 * WEEK, u32::MAX]);
        for wish in wishes {
            // The longest of all codes that is not too long.
            let expected = codes
                .iter()
                .copied()
                .filter(|&minutes| minutes <= wish)
                .max();
            let found = ValidityPeriod::within(wish);
            assert_eq!(found.and_then(ValidityPeriod::minutes), expected, "{wish}");
        }
        assert_eq!(ValidityPeriod::within(DAY), Some(ValidityPeriod::ONE_DAY));
    }

    #[test]
    fn the_enhanced_form() {
        const CASES: &[(&str, [u8; 7], Option<u64>, bool)] = &[
            ("says nothing", [0x00, 9, 0, 0, 0, 0, 0], None, false),
            ("a code", [0x01, 0xA7, 0, 0, 0, 0, 0], Some(86_400), false),
            ("seconds", [0x02, 45, 0, 0, 0, 0, 0], Some(45), false),
            ("no seconds", [0x02, 0, 0, 0, 0, 0, 0], None, false),
            (
                "hours",
                [0x03, 0x21, 0x43, 0x65, 0, 0, 0],
                Some(12 * 3600 + 34 * 60 + 56),
                false,
            ),
            ("no digits", [0x03, 0xA1, 0, 0, 0, 0, 0], None, false),
            ("single shot", [0x41, 0x0B, 0, 0, 0, 0, 0], Some(3600), true),
            ("reserved", [0x04, 1, 1, 1, 0, 0, 0], None, false),
            ("extended", [0x81, 0, 0xA7, 0, 0, 0, 0], None, false),
        ];
        for &(name, octets, expected, single_shot) in CASES {
            let period = ValidityPeriod::Enhanced(octets);
            assert_eq!(
                (seconds(period), period.single_shot()),
                (expected, single_shot),
                "{name}"
            );
        }
    }

    #[test]
    fn minutes_round_nothing_away() {
        const CASES: &[(&str, [u8; 7], Option<u32>, u64)] = &[
            ("half a minute", [0x02, 30, 0, 0, 0, 0, 0], None, 30),
            ("a minute and a half", [0x02, 90, 0, 0, 0, 0, 0], None, 90),
            ("a minute", [0x02, 60, 0, 0, 0, 0, 0], Some(1), 60),
            ("an hour", [0x03, 0x10, 0, 0, 0, 0, 0], Some(60), 3600),
            ("and a second", [0x03, 0x10, 0, 0x10, 0, 0, 0], None, 3601),
            ("99:59:59", [0x03, 0x99, 0x95, 0x95, 0, 0, 0], None, 359_999),
        ];
        for &(name, octets, minutes, seconds) in CASES {
            let period = ValidityPeriod::Enhanced(octets);
            assert_eq!(
                (period.minutes(), period.duration()),
                (minutes, Some(Duration::from_secs(seconds))),
                "{name}"
            );
        }
    }

    #[test]
    fn a_point_in_time_has_no_length() {
        let time = Timestamp::from_octets([0x62, 0x30, 0x41, 0x01, 0x51, 0x23, 0x00]);
        let period = ValidityPeriod::Absolute(time);
        assert_eq!((seconds(period), period.single_shot()), (None, false));
    }
}

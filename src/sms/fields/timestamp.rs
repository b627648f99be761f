//! Time stamps of the service centre: seven swapped semi-octets that are not always a time.

use std::fmt;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::sms::marks::MarkKind;
use crate::sms::octets::{DecodeError, Reader};

/// TP-SCTS, TP-DT and absolute TP-VP (TS 23.040, 9.2.3.11): local time of the service centre with its
/// zone.
///
/// Service centres send impossible dates and zones now and then. The octets are kept whatever they
/// hold; [`Timestamp::reading`] says how much of a time they are.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timestamp([u8; 7]);

/// How much of a time the octets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// A time with its zone in quarters of an hour east of Greenwich, -79 to 79.
    Zoned(DateTime, i8),
    /// The clock on the service centre's wall; its zone has broken digits.
    WallClock(DateTime),
    /// No date and time of day, such as zeros.
    Broken,
}

/// Seconds in a quarter of an hour, the unit of the zone.
const QUARTER: i32 = 15 * 60;

/// The sign of the zone: bit 3 of the octet as transmitted.
const NEGATIVE: u8 = 0b1000;

impl Timestamp {
    /// From the octets of the wire, whatever they hold.
    pub fn from_octets(octets: [u8; 7]) -> Self {
        Self(octets)
    }

    /// Reads a time as it is; one that is none, or has no zone, leaves a mark.
    pub(crate) fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        let at = reader.at();
        let time = Self(reader.array(field)?);
        if !matches!(time.reading(), Reading::Zoned(..)) {
            reader.mark(at, MarkKind::Time { field });
        }
        Ok(time)
    }

    /// The octets of the wire.
    pub fn octets(self) -> [u8; 7] {
        self.0
    }

    /// From a local time and its zone in quarters of an hour east of Greenwich, -79 to 79.
    ///
    /// The wire has two digits of the year; 1990 to 2089 can be told apart, others give nothing.
    pub fn from_parts(local: DateTime, quarters: i8) -> Option<Self> {
        let year = local.year();
        if !(1990..2090).contains(&year) || !(-79..=79).contains(&quarters) {
            return None;
        }
        let year = i8::try_from(year % 100).ok()?;
        let digits = |value: i8| u8::try_from(value).ok().map(swapped);
        let zone = swapped(quarters.unsigned_abs()) | if quarters < 0 { NEGATIVE } else { 0 };
        Some(Self([
            digits(year)?,
            digits(local.month())?,
            digits(local.day())?,
            digits(local.hour())?,
            digits(local.minute())?,
            digits(local.second())?,
            zone,
        ]))
    }

    /// From a point in time, shown in the zone given in quarters of an hour.
    pub fn from_instant(instant: jiff::Timestamp, quarters: i8) -> Option<Self> {
        let offset = Offset::from_seconds(i32::from(quarters) * QUARTER).ok()?;
        Self::from_parts(offset.to_datetime(instant), quarters)
    }

    /// How much of a time the octets are. A zone of minus zero (08) is zero.
    pub fn reading(self) -> Reading {
        match (self.local(), self.quarters()) {
            (Some(local), Some(quarters)) => Reading::Zoned(local, quarters),
            (Some(local), None) => Reading::WallClock(local),
            (None, _) => Reading::Broken,
        }
    }

    /// The point in time; nothing if the octets are no valid date, time and zone.
    pub fn to_instant(self) -> Option<jiff::Timestamp> {
        let Reading::Zoned(local, quarters) = self.reading() else {
            return None;
        };
        let offset = Offset::from_seconds(i32::from(quarters) * QUARTER).ok()?;
        offset.to_timestamp(local).ok()
    }

    /// How far two stamps are apart, whichever is the earlier: as points in time or, if a zone is broken, by
    /// the clocks on the wall. Equal octets are not apart at all; nothing if a date is broken.
    pub fn apart(self, other: Self) -> Option<Duration> {
        if self == other {
            return Some(Duration::ZERO);
        }
        let apart = match (self.to_instant(), other.to_instant()) {
            (Some(one), Some(other)) => one.duration_since(other),
            _ => self.local()?.duration_since(other.local()?),
        };
        Some(apart.unsigned_abs())
    }

    /// Such as `2026-03-14T10:15:32+01:00` (RFC 3339); nothing if the octets are no valid date, time and
    /// zone.
    pub fn to_rfc3339(self) -> Option<String> {
        let Reading::Zoned(local, quarters) = self.reading() else {
            return None;
        };
        let sign = if quarters < 0 { '-' } else { '+' };
        let minutes = u16::from(quarters.unsigned_abs()) * 15;
        let (hours, minutes) = (minutes / 60, minutes % 60);
        Some(format!("{}{sign}{hours:02}:{minutes:02}", clock(local)))
    }

    /// Date and time of day as the service centre's wall shows them.
    fn local(self) -> Option<DateTime> {
        let [year, month, day, hour, minute, second, _] = self.0;
        let year = i16::from(number(year)?);
        let century = if year < 90 { 2000 } else { 1900 };
        DateTime::new(
            century + year,
            number(month)?,
            number(day)?,
            number(hour)?,
            number(minute)?,
            number(second)?,
            0,
        )
        .ok()
    }

    /// The zone in quarters of an hour.
    fn quarters(self) -> Option<i8> {
        let [.., zone] = self.0;
        let quarters = number(zone & !NEGATIVE)?;
        Some(if zone & NEGATIVE == 0 {
            quarters
        } else {
            -quarters
        })
    }

    /// The digits as a person reads them, broken ones as A to F: `26-13-14 10:15:32 +00`.
    fn digits(self) -> String {
        let [year, month, day, hour, minute, second, zone] =
            self.0.map(|octet| octet.rotate_left(4));
        let sign = if self.0.last().is_some_and(|zone| zone & NEGATIVE != 0) {
            '-'
        } else {
            '+'
        };
        let zone = zone & !(NEGATIVE << 4);
        format!(
            "{year:02X}-{month:02X}-{day:02X} {hour:02X}:{minute:02X}:{second:02X} {sign}{zone:02X}"
        )
    }
}

fn clock(local: DateTime) -> impl fmt::Display {
    local.strftime("%Y-%m-%dT%H:%M:%S")
}

/// Two digits, the first in the low half.
fn swapped(value: u8) -> u8 {
    (value / 10) | ((value % 10) << 4)
}

/// The number of two digits, if they are digits.
pub(super) fn number(octet: u8) -> Option<i8> {
    let (tens, units) = (octet & 0xF, octet >> 4);
    if tens > 9 || units > 9 {
        return None;
    }
    i8::try_from(tens * 10 + units).ok()
}

/// A valid time as in RFC 3339; others with a mark: `2026-03-14T10:15:32 (no valid zone: +0F)`,
/// `no valid time (26-13-14 10:15:32 +00)`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.to_rfc3339() {
            return f.write_str(&text);
        }
        let digits = self.digits();
        match self.reading() {
            Reading::WallClock(local) => {
                let zone = digits.rsplit(' ').next().unwrap_or_default();
                write!(f, "{} (no valid zone: {zone})", clock(local))
            }
            Reading::Zoned(..) | Reading::Broken => write!(f, "no valid time ({digits})"),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::pdu::{decode_hex, encode_hex};

    fn read(hex: &str) -> Timestamp {
        Timestamp::from_octets(decode_hex(hex).unwrap().try_into().unwrap())
    }

    #[test]
    fn times_with_their_zone() {
        const CASES: &[(&str, &str, &str)] = &[
            (
                "62304101512300",
                "2026-03-14T10:15:32+00:00",
                "2026-03-14T10:15:32Z",
            ),
            (
                "62304190851040",
                "2026-03-14T09:58:01+01:00",
                "2026-03-14T08:58:01Z",
            ),
            (
                "62304121030080",
                "2026-03-14T12:30:00+02:00",
                "2026-03-14T10:30:00Z",
            ),
            (
                "6230414003000A",
                "2026-03-14T04:30:00-05:00",
                "2026-03-14T09:30:00Z",
            ),
            (
                "62304140030022",
                "2026-03-14T04:30:00+05:30",
                "2026-03-13T23:00:00Z",
            ),
            (
                "42209200000000",
                "2024-02-29T00:00:00+00:00",
                "2024-02-29T00:00:00Z",
            ),
            (
                "99211332959500",
                "1999-12-31T23:59:59+00:00",
                "1999-12-31T23:59:59Z",
            ),
            (
                "98211332959500",
                "2089-12-31T23:59:59+00:00",
                "2089-12-31T23:59:59Z",
            ),
        ];
        for &(hex, text, instant) in CASES {
            let time = read(hex);
            assert_eq!(time.to_rfc3339().as_deref(), Some(text), "{hex}");
            assert_eq!(
                time.to_instant().map(|at| at.to_string()).as_deref(),
                Some(instant),
                "{hex}"
            );
            let quarters = time.quarters().unwrap();
            assert_eq!(
                Timestamp::from_instant(time.to_instant().unwrap(), quarters),
                Some(time),
                "{hex}"
            );
            assert_eq!(encode_hex(&time.octets()), hex);
        }
    }

    #[test]
    fn octets_that_are_no_time_are_kept_and_marked() {
        const CASES: &[(&str, &str, &str)] = &[
            ("month 0", "62004101512300", "26-00-14 10:15:32 +00"),
            ("month 13", "62314101512300", "26-13-14 10:15:32 +00"),
            ("30 February", "62200301512300", "26-02-30 10:15:32 +00"),
            ("hour 24", "62304142512300", "26-03-14 24:15:32 +00"),
            ("minute 60", "62304101062300", "26-03-14 10:60:32 +00"),
            ("second 60", "62304101510600", "26-03-14 10:15:60 +00"),
            ("a digit A", "A2304101512388", "2A-03-14 10:15:32 -08"),
            ("all zero", "00000000000000", "00-00-00 00:00:00 +00"),
            ("all filler", "FFFFFFFFFFFFFF", "FF-FF-FF FF:FF:FF -7F"),
        ];
        for &(name, hex, digits) in CASES {
            let time = read(hex);
            assert_eq!(time.reading(), Reading::Broken, "{name}");
            assert_eq!(
                (time.to_instant(), time.to_rfc3339()),
                (None, None),
                "{name}"
            );
            assert_eq!(
                time.to_string(),
                format!("no valid time ({digits})"),
                "{name}"
            );
            assert_eq!(encode_hex(&time.octets()), hex, "{name}");
        }
    }

    #[test]
    fn a_broken_zone_keeps_the_wall_clock() {
        let local = jiff::civil::date(2026, 3, 14).at(10, 15, 32, 0);
        for (hex, zone) in [
            ("623041015123F0", "+0F"),
            ("623041015123FF", "-7F"),
            ("623041015123A1", "+1A"),
        ] {
            let time = read(hex);
            assert_eq!(time.reading(), Reading::WallClock(local), "{hex}");
            assert_eq!(
                (time.to_instant(), time.to_rfc3339()),
                (None, None),
                "{hex}"
            );
            assert_eq!(
                time.to_string(),
                format!("2026-03-14T10:15:32 (no valid zone: {zone})")
            );
        }
    }

    #[test]
    fn minus_zero_is_zero() {
        let time = read("62304101512308");
        let plain = read("62304101512300");
        assert_eq!(time.reading(), plain.reading());
        assert_eq!(time.to_instant(), plain.to_instant());
        assert_eq!(time.to_string(), "2026-03-14T10:15:32+00:00");
        assert_eq!(encode_hex(&time.octets()), "62304101512308");
    }

    #[test]
    fn how_far_stamps_are_apart() {
        const CASES: &[(&str, &str, &str, Option<u64>)] = &[
            ("later", "62304101512300", "62304101612300", Some(60)),
            ("in two zones", "62304101512300", "62304111512340", Some(0)),
            (
                "two broken zones",
                "623041015123F0",
                "623041115123F1",
                Some(3600),
            ),
            (
                "one broken zone",
                "623041015123F0",
                "62304101512340",
                Some(0),
            ),
            (
                "equal and broken",
                "00000000000000",
                "00000000000000",
                Some(0),
            ),
            ("one broken date", "00000000000000", "62304101512300", None),
            ("a day", "62304101512300", "62305101512300", Some(86_400)),
        ];
        for &(name, one, other, seconds) in CASES {
            let (one, other) = (read(one), read(other));
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(
                (one.apart(other), other.apart(one)),
                (expected, expected),
                "{name}"
            );
        }
    }

    #[test]
    fn zones_to_their_ends() {
        for (hex, text) in [
            ("62304101512397", "2026-03-14T10:15:32+19:45"),
            ("6230410151239F", "2026-03-14T10:15:32-19:45"),
            ("6230410151231A", "2026-03-14T10:15:32-05:15"),
        ] {
            assert_eq!(read(hex).to_rfc3339().as_deref(), Some(text), "{hex}");
        }
    }

    #[test]
    fn times_that_the_wire_cannot_hold() {
        let local = jiff::civil::date(2026, 3, 14).at(10, 15, 32, 0);
        assert_eq!(
            Timestamp::from_parts(local, 0),
            Some(read("62304101512300"))
        );
        assert_eq!(
            Timestamp::from_parts(local, -20),
            Some(read("6230410151230A"))
        );
        assert_eq!(Timestamp::from_parts(local, 80), None);
        assert_eq!(Timestamp::from_parts(local, -80), None);
        assert_eq!(
            Timestamp::from_parts(jiff::civil::date(2090, 1, 1).at(0, 0, 0, 0), 0),
            None
        );
        assert_eq!(
            Timestamp::from_parts(jiff::civil::date(1989, 1, 1).at(0, 0, 0, 0), 0),
            None
        );
        assert_eq!(
            Timestamp::from_instant(jiff::Timestamp::UNIX_EPOCH, 0),
            None
        );
    }
}

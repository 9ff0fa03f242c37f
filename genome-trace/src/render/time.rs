//! Points in time as text; nothing is allocated.

use std::fmt;

use jiff::{Timestamp, tz::TimeZone};

use crate::model::WallTime;

/// RFC 3339 in UTC with nine digits of fraction:
/// `2026-11-20T11:31:35.123456789Z`.
#[derive(Clone, Copy, Debug)]
pub struct Utc(pub WallTime);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.9}", timestamp(self.0)?)
    }
}

/// Time of day to the millisecond in a time zone: `11:31:35.123`.
#[derive(Clone, Copy, Debug)]
pub struct LocalTime<'a>(pub WallTime, pub &'a TimeZone);

impl fmt::Display for LocalTime<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timestamp = timestamp(self.0)?;
        let time = self.1.to_offset(timestamp).to_datetime(timestamp);
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        write!(f, "{hour:02}:{minute:02}:{second:02}.{:03}", time.millisecond())
    }
}

/// Date and time of day in a time zone: `2026-11-20 11:31:35`.
#[derive(Clone, Copy, Debug)]
pub struct LocalDateTime<'a>(pub WallTime, pub &'a TimeZone);

impl fmt::Display for LocalDateTime<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timestamp = timestamp(self.0)?;
        let time = self.1.to_offset(timestamp).to_datetime(timestamp);
        let (year, month, day) = (time.year(), time.month(), time.day());
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

/// Every `WallTime` (1677 to 2262) is within a `Timestamp` (-9999 to 9999).
fn timestamp(time: WallTime) -> Result<Timestamp, fmt::Error> {
    Timestamp::from_nanosecond(i128::from(time.unix_ns)).map_err(|_| fmt::Error)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn utc(unix_ns: i64) -> String {
        Utc(WallTime { unix_ns }).to_string()
    }

    #[test]
    fn utc_has_nine_digits_always() {
        assert_eq!(utc(1_795_174_295_123_456_789), "2026-11-20T11:31:35.123456789Z");
        assert_eq!(utc(0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(utc(951_782_400_000_000_001), "2000-02-29T00:00:00.000000001Z");
    }

    #[test]
    fn the_ends_of_the_range_are_written() {
        assert_eq!(utc(-1), "1969-12-31T23:59:59.999999999Z");
        assert_eq!(utc(i64::MIN), "1677-09-21T00:12:43.145224192Z");
        assert_eq!(utc(i64::MAX), "2262-04-11T23:47:16.854775807Z");
    }

    #[test]
    fn local_time_follows_daylight_saving() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let local = |time: &str| {
            let unix_ns = time.parse::<Timestamp>().unwrap().as_nanosecond();
            LocalTime(WallTime { unix_ns: i64::try_from(unix_ns).unwrap() }, &zone).to_string()
        };
        assert_eq!(local("2026-03-29T00:59:59.9999Z"), "01:59:59.999");
        assert_eq!(local("2026-03-29T01:00:00Z"), "03:00:00.000");
        assert_eq!(local("2026-10-25T00:59:59Z"), "02:59:59.000");
        assert_eq!(local("2026-10-25T01:00:00Z"), "02:00:00.000");
        assert_eq!(local("1969-12-31T23:59:59.0015Z"), "00:59:59.001");
    }
}

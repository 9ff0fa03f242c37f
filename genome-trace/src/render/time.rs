//! Points in time as text; nothing is allocated.

use std::fmt;

use jiff::{Timestamp, tz::TimeZone};

use crate::model::WallTime;

/// RFC 3339 in UTC with nine digits of fraction:
/// `2026-11-20T11:31:35.123456789Z`.
#[derive(Clone, Copy, Debug)]
pub struct Utc(pub WallTime);

impl Utc {
    /// The text, in ASCII. Digit by digit, since every event has one of these.
    #[must_use]
    pub fn text(self) -> [u8; 30] {
        const DAY_S: i64 = 24 * 60 * 60;
        let seconds = self.0.unix_ns.div_euclid(1_000_000_000);
        let (year, month, day) = date(seconds.div_euclid(DAY_S));
        let [hour, minute, second] = time_of_day(seconds.rem_euclid(DAY_S));
        let ns = self.0.unix_ns.rem_euclid(1_000_000_000);
        let [y1, y2, y3, y4] = digits(year);
        let ([mo1, mo2], [d1, d2]) = (digits(month), digits(day));
        let ([h1, h2], [m1, m2], [s1, s2]) = (digits(hour), digits(minute), digits(second));
        let [n1, n2, n3, n4, n5, n6, n7, n8, n9] = digits(ns);
        [
            y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', h1, h2, b':', m1, m2, b':', s1, s2,
            b'.', n1, n2, n3, n4, n5, n6, n7, n8, n9, b'Z',
        ]
    }
}

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).map_err(|_| fmt::Error)?)
    }
}

/// Year, month and day of a day since 1970, in the Gregorian calendar. Years
/// begin in March here, so that the leap day is the last of its year, and come
/// in eras of 400, after which the calendar repeats.
fn date(day: i64) -> (i64, i64, i64) {
    const ERA_DAYS: i64 = 400 * 365 + 97;
    // From 1970-01-01 back to 0000-03-01.
    let day = day + 719_468;
    let (era, in_era) = (day.div_euclid(ERA_DAYS), day.rem_euclid(ERA_DAYS));
    let leap_days = in_era / 1_460 - in_era / 36_524 + in_era / 146_096;
    let year = (in_era - leap_days) / 365;
    let in_year = in_era - (365 * year + year / 4 - year / 100);
    // From March on, five months have 153 days, again and again.
    let month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

fn time_of_day(seconds: i64) -> [i64; 3] {
    [seconds / 3600, seconds / 60 % 60, seconds % 60]
}

/// The last `N` decimal digits of a number that is not negative.
fn digits<const N: usize>(value: i64) -> [u8; N] {
    let mut rest = u32::try_from(value).unwrap_or_default();
    let mut digits = [b'0'; N];
    for digit in digits.iter_mut().rev() {
        *digit += (rest % 10) as u8;
        rest /= 10;
    }
    digits
}

/// Time of day to the millisecond in a time zone: `11:31:35.123`.
#[derive(Clone, Copy, Debug)]
pub struct LocalTime<'a>(pub WallTime, pub &'a TimeZone);

impl fmt::Display for LocalTime<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timestamp = timestamp(self.0)?;
        let time = self.1.to_offset(timestamp).to_datetime(timestamp);
        let ([h1, h2], [m1, m2]) = (digits(time.hour().into()), digits(time.minute().into()));
        let ([s1, s2], [t1, t2, t3]) =
            (digits(time.second().into()), digits(time.millisecond().into()));
        let text = [h1, h2, b':', m1, m2, b':', s1, s2, b'.', t1, t2, t3];
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
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
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn any_time_is_what_jiff_says(unix_ns: i64) {
            prop_assert_eq!(utc(unix_ns), format!("{:.9}", timestamp(WallTime { unix_ns }).unwrap()));
        }
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

//! Points in time, as people write them, and lengths that may have days.

use std::{str::FromStr, time::Duration};

use jiff::{
    Span, SpanRelativeTo, Timestamp, Unit, Zoned,
    civil::{Date, DateTime, Time},
};

/// A point in time: `3 min ago`, `2026-11-18`, `2026-11-18 14:00`, `14:00`,
/// `2026-11-18T14:00:00Z`. Which one it is depends on now, and on where.
#[derive(Clone, Debug)]
pub enum Moment {
    /// So long before now.
    Ago(Span),
    /// A point in time that is the same everywhere.
    At(Timestamp),
    /// The first moment of a day, here.
    Day(Date),
    /// Date and time of day, here.
    Local(DateTime),
    /// Today at this time of day, here.
    Today(Time),
}

const MOMENTS: &str =
    "give a time such as \"3 min ago\", 14:00, 2026-11-18 or 2026-11-18T14:00:00Z";

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Some(length) = text.strip_suffix("ago") {
            let span: Span = length.trim().parse().map_err(|_| MOMENTS.to_owned())?;
            return if span.is_negative() { Err(MOMENTS.to_owned()) } else { Ok(Self::Ago(span)) };
        }
        // The most telling first: a date with a time is a date, too, to jiff.
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        let has_time = text.contains(':');
        let has_date = text.contains('-');
        match (has_date, has_time) {
            (true, true) => text.parse().map(Self::Local).map_err(|_| MOMENTS.to_owned()),
            (true, false) => text.parse().map(Self::Day).map_err(|_| MOMENTS.to_owned()),
            (false, true) => text.parse().map(Self::Today).map_err(|_| MOMENTS.to_owned()),
            (false, false) => Err(MOMENTS.to_owned()),
        }
    }
}

impl Moment {
    /// When that is, where it is `now`; `None` where that is beyond all dates.
    #[must_use]
    pub fn resolve(&self, now: &Zoned) -> Option<Timestamp> {
        let zone = now.time_zone();
        let zoned = match self {
            Self::At(at) => return Some(*at),
            Self::Ago(span) => now.checked_sub(*span).ok()?,
            Self::Day(date) => date.to_zoned(zone.clone()).ok()?,
            Self::Local(time) => time.to_zoned(zone.clone()).ok()?,
            Self::Today(time) => now.date().to_datetime(*time).to_zoned(zone.clone()).ok()?,
        };
        Some(zoned.timestamp())
    }
}

/// A length of time: `30s`, `5m`, `24h`, `7d`, `2w`. A day has 24 hours.
pub(super) fn length(text: &str) -> Result<Duration, String> {
    let hint = "give a time above 0 with its unit, such as 30m, 24h or 7d";
    let span: Span = text.parse().map_err(|_| hint.to_owned())?;
    let ns = span
        .total((Unit::Nanosecond, SpanRelativeTo::days_are_24_hours()))
        .map_err(|_| hint.to_owned())?;
    // Two hundred years: what wall times can tell.
    if (1.0..6e18).contains(&ns) {
        Ok(Duration::from_nanos(ns as u64))
    } else {
        Err(hint.to_owned())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn now() -> Zoned {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        "2026-11-20T11:31:35Z".parse::<Timestamp>().unwrap().to_zoned(zone)
    }

    fn resolved(text: &str) -> String {
        let moment: Moment = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        moment.resolve(&now()).unwrap().to_string()
    }

    #[test]
    fn times_as_people_write_them() {
        for (text, at) in [
            ("3 min ago", "2026-11-20T11:28:35Z"),
            ("90s ago", "2026-11-20T11:30:05Z"),
            ("1 h 30 min ago", "2026-11-20T10:01:35Z"),
            ("2 days ago", "2026-11-18T11:31:35Z"),
            ("14:00", "2026-11-20T13:00:00Z"),
            ("14:00:07", "2026-11-20T13:00:07Z"),
            ("2026-11-18", "2026-11-17T23:00:00Z"),
            ("2026-11-18 14:00", "2026-11-18T13:00:00Z"),
            ("2026-11-18T14:00", "2026-11-18T13:00:00Z"),
            ("2026-11-18T14:00:00Z", "2026-11-18T14:00:00Z"),
            ("2026-11-18T14:00:00+02:00", "2026-11-18T12:00:00Z"),
            // A day is not 24 hours where clocks were turned.
            ("1 month ago", "2026-10-20T10:31:35Z"),
        ] {
            assert_eq!(resolved(text), at, "{text}");
        }
    }

    #[test]
    fn what_is_no_time() {
        for text in ["", "ago", "soon", "-3 min ago", "14", "25:00", "2026-13-01", "2026-11-18 x"] {
            let error = text.parse::<Moment>().unwrap_err();
            assert!(error.contains("14:00"), "{text}: {error}");
        }
    }

    #[test]
    fn lengths() {
        let seconds = |text| length(text).map(|length| length.as_secs());
        assert_eq!(seconds("1h"), Ok(3600));
        assert_eq!(seconds("7d"), Ok(7 * 86_400));
        assert_eq!(seconds("2w"), Ok(14 * 86_400));
        for wrong in ["", "0s", "5", "-1h", "1 month", "soon", "99999y"] {
            assert!(length(wrong).is_err_and(|reason| reason.contains("24h")), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = length(&text);
            if let Ok(moment) = text.parse::<Moment>() {
                let _ = moment.resolve(&now());
            }
        }
    }
}

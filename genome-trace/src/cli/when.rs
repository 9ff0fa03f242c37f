//! An earlier time to compare with.

use std::{str::FromStr, time::Duration};

use jiff::civil::Date;

use super::moment::{self, Moment};

/// `yesterday`, `1h`, `2026-11-18`, `2026-11-18T14:00..15:00`.
#[derive(Clone, Debug)]
pub enum When {
    /// The day before this one.
    Yesterday,
    /// As long a time before the last one.
    Before(Duration),
    /// A day.
    Day(Date),
    /// From one point in time to another.
    Between(Moment, Moment),
}

const TIMES: &str =
    "give yesterday, a time such as 1h, a day such as 2026-11-18, or 2026-11-18T14:00..15:00";

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "yesterday" {
            return Ok(Self::Yesterday);
        }
        if let Some((from, until)) = text.split_once("..") {
            let from = from.parse().map_err(|_| TIMES.to_owned())?;
            let until = match (&from, until.parse().map_err(|_| TIMES.to_owned())?) {
                // A time of day is one of the day of the beginning.
                (Moment::Local(begin), Moment::Today(time)) => {
                    Moment::Local(begin.date().to_datetime(time))
                }
                (Moment::Day(date), Moment::Today(time)) => Moment::Local(date.to_datetime(time)),
                (_, until) => until,
            };
            return Ok(Self::Between(from, until));
        }
        match text.parse() {
            Ok(Moment::Day(date)) => Ok(Self::Day(date)),
            _ => moment::length(text).map(Self::Before).map_err(|_| TIMES.to_owned()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_as_people_write_them() {
        let when = |text: &str| text.parse::<When>();
        assert!(matches!(when("yesterday"), Ok(When::Yesterday)));
        assert!(matches!(when("1h"), Ok(When::Before(length)) if length.as_secs() == 3600));
        assert!(matches!(when("2026-11-18"), Ok(When::Day(_))));
        let Ok(When::Between(_, Moment::Local(until))) = when("2026-11-18T14:00..15:00") else {
            panic!("no end");
        };
        assert_eq!(until.to_string(), "2026-11-18T15:00:00");
        assert!(matches!(when("14:00..15:00"), Ok(When::Between(..))));
        for wrong in ["", "0h", "tomorrow", "14:00", "2026-11-18..", "..", "1", "2026-11-18T14:00"]
        {
            assert!(when(wrong).is_err_and(|reason| reason.contains("yesterday")), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<When>();
        }
    }
}

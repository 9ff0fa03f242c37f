//! How long to keep something, as people write it.

use std::{str::FromStr, time::Duration};

/// A time to keep something: `90m`, `12h`, `30d`, `52w`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    /// That long.
    pub duration: Duration,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let seconds = match unit.trim() {
            "s" => 1,
            "m" | "min" => MINUTE,
            "h" => HOUR,
            "d" => DAY,
            "w" => 7 * DAY,
            "" => return Err(format!("{text:?} has no unit; write 12h, 30d or 52w")),
            _ => return Err(format!("{unit:?} is no unit of time; there are s, m, h, d and w")),
        };
        let number: u64 = number
            .parse()
            .map_err(|_| format!("{text:?} does not begin with a number; write 12h or 30d"))?;
        match number.checked_mul(seconds) {
            // What is compared with it counts nanoseconds in 63 bits.
            Some(seconds @ 1..=7_000_000_000) => {
                Ok(Self { duration: Duration::from_secs(seconds) })
            }
            Some(0) => Err("nothing can be kept for no time; write 12h or 30d".to_owned()),
            _ => Err(format!("{text} is more than two centuries")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units() {
        let seconds = |text: &str| text.parse::<Age>().map(|age| age.duration.as_secs());
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("15m"), Ok(900));
        assert_eq!(seconds(" 12 h"), Ok(43_200));
        assert_eq!(seconds("30d"), Ok(2_592_000));
        assert_eq!(seconds("2w"), Ok(1_209_600));
        for wrong in ["", "5", "d", "0d", "-1d", "3y", "9999999999w", "99999999999999999999s"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<Age>();
        }
    }
}

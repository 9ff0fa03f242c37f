//! How often to look at something.

use std::{fmt, str::FromStr, time::Duration};

use super::value;

/// Looking oftener costs more than it tells: one look takes milliseconds.
const SHORTEST: Duration = Duration::from_millis(10);

/// How often to look at something: `500ms`, `10s`, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// Not at all.
    Off,
    /// Each time that this has passed.
    Every(Duration),
}

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        match value::duration(text) {
            Ok(duration) if duration >= SHORTEST => Ok(Self::Every(duration)),
            Ok(_) => Err("give a time of 10ms or more, or off".to_owned()),
            Err(reason) => Err(format!("{reason}, or off")),
        }
    }
}

/// As it is read.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Every(duration) => write!(f, "{duration:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_off() {
        let interval = |text: &str| text.parse::<Interval>();
        assert_eq!(interval("500ms"), Ok(Interval::Every(Duration::from_millis(500))));
        assert_eq!(interval("off"), Ok(Interval::Off));
        for wrong in ["", "0s", "5", "never", "1ms", "-1s"] {
            assert!(interval(wrong).is_err_and(|reason| reason.ends_with("or off")), "{wrong}");
        }
    }

    #[test]
    fn what_is_shown_is_read_back() {
        for interval in [Interval::Off, Interval::Every(Duration::from_secs(1))] {
            assert_eq!(interval.to_string().parse(), Ok(interval));
        }
        assert_eq!(Interval::Every(Duration::from_secs(1)).to_string(), "1s");
    }
}

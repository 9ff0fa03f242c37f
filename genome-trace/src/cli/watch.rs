//! Options of the live screen.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use clap::Args;

use super::value;

/// Looking oftener tells no more, and is felt on the machine.
const SHORTEST: Duration = Duration::from_millis(100);

/// Whether there is a live screen, and how often it looks.
#[derive(Args, Debug)]
pub struct WatchOptions {
    /// Show what every persona uses on a live screen (? for its keys), or on a
    /// pipe as one table after the other
    #[arg(
        long,
        conflicts_with_all = [
            "follow", "crashes", "kind", "persona", "pid", "comm", "uid", "cgroup", "exclude_self",
            "format", "duration", "probe_mode", "ring_size", "lifecycle_ring_size", "no_store",
            "kernel_log", "record_raw",
        ]
    )]
    pub watch: bool,
    /// How often the live screen looks, in ms or with a unit, such as 500ms, 2s
    #[arg(
        long,
        requires = "watch",
        value_name = "TIME",
        default_value_t = WatchInterval(Duration::from_secs(1)),
        help_heading = "Live screen"
    )]
    pub interval: WatchInterval,
    /// Write what everybody uses to CSV files, too: a session, for genome-trace
    /// report; FILE gives the beginning of their names, such as run.csv
    #[arg(long, requires = "watch", value_name = "FILE", help_heading = "Live screen")]
    pub output: Option<PathBuf>,
}

/// The time between two looks of the live screen: `1000`, `500ms`, `2s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchInterval(pub Duration);

impl FromStr for WatchInterval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let interval = if is_number {
            text.parse().ok().map(Duration::from_millis)
        } else {
            value::duration(text).ok()
        };
        match interval {
            Some(interval) if interval >= SHORTEST => Ok(Self(interval)),
            _ => Err("give a time of 100 ms or more, such as 1000, 500ms or 2s".to_owned()),
        }
    }
}

/// As it is read.
impl fmt::Display for WatchInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_and_units() {
        let ms = |text: &str| text.parse::<WatchInterval>().map(|interval| interval.0.as_millis());
        assert_eq!(ms("1000"), Ok(1_000));
        assert_eq!(ms("500ms"), Ok(500));
        assert_eq!(ms("2s"), Ok(2_000));
        assert_eq!(ms("100"), Ok(100));
        for wrong in ["0", "99", "-5", "99ms", "0s", "-1s", "", "soon", "99999999999999999999"] {
            assert!(ms(wrong).is_err_and(|reason| reason.contains("100 ms or more")), "{wrong}");
        }
        let default = WatchInterval(Duration::from_secs(1));
        assert_eq!(default.to_string().parse(), Ok(default));
    }
}

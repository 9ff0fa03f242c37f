//! A figure of a metric, for people.

use std::fmt;

use super::units::{Bytes, Count};
use crate::model::Unit;

/// A figure with its unit: `1.8 GiB`, `12.5 %`, `3.2/s`, `30 MiB/s`, `17`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: Unit,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.value.is_finite() {
            return f.write_str("unknown");
        }
        let size = self.value.abs();
        // A slope may be less than nothing.
        if self.value < 0.0 {
            f.write_str("-")?;
        }
        match self.unit {
            Unit::Bytes => write!(f, "{}", Bytes(size.round() as u64)),
            Unit::BytesPerSecond => write!(f, "{}/s", Bytes(size.round() as u64)),
            Unit::Percent => write!(f, "{} %", Digits(size)),
            Unit::PerSecond => write!(f, "{}/s", Digits(size)),
            Unit::Count => write!(f, "{}", Digits(size)),
        }
    }
}

/// Three digits or so.
struct Digits(f64);

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = match self.0 {
            0.0 => 0,
            ..0.095 => 3,
            ..0.95 => 2,
            ..99.5 => 1,
            _ => 0,
        };
        let text = format!("{:.digits$}", self.0);
        if digits == 0 {
            return write!(f, "{}", Count(self.0.round() as u64));
        }
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_units() {
        for (value, unit, text) in [
            (1.5 * 1024.0 * 1024.0, Unit::Bytes, "1.5 MiB"),
            (-2048.0, Unit::BytesPerSecond, "-2 KiB/s"),
            (12.54, Unit::Percent, "12.5 %"),
            (100.0, Unit::Percent, "100 %"),
            (0.0, Unit::Percent, "0 %"),
            (0.04, Unit::PerSecond, "0.04/s"),
            (1_234.6, Unit::PerSecond, "1,235/s"),
            (17.0, Unit::Count, "17"),
            (f64::NAN, Unit::Count, "unknown"),
        ] {
            assert_eq!(Figure { value, unit }.to_string(), text);
        }
    }
}

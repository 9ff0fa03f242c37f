//! Numbers of rules: exact, since a limit that is met is not broken.

use crate::model::RunUnit;

/// So many digits are read; more would not fit what is computed with them.
const DIGITS_MAX: usize = 15;
/// So many of them behind the point.
const DECIMALS_MAX: u32 = 9;

/// A decimal number: `digits / 10^decimals`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    digits: i128,
    decimals: u32,
}

/// Multiples of a unit, by name in small letters. K is 1024, as everywhere in
/// genome-trace.
const BYTES: [(&str, i128); 13] = [
    ("b", 1),
    ("k", 1 << 10),
    ("kb", 1 << 10),
    ("kib", 1 << 10),
    ("m", 1 << 20),
    ("mb", 1 << 20),
    ("mib", 1 << 20),
    ("g", 1 << 30),
    ("gb", 1 << 30),
    ("gib", 1 << 30),
    ("t", 1 << 40),
    ("tb", 1 << 40),
    ("tib", 1 << 40),
];
const TIMES: [(&str, i128); 9] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

impl Decimal {
    /// Reads the number that a text begins with, and leaves the rest.
    ///
    /// # Errors
    /// Why it is none, in words.
    pub(super) fn read(text: &str) -> Result<(Self, &str), String> {
        let is_part = |c: char| c.is_ascii_digit() || c == '.';
        let end = text.find(|c: char| !is_part(c)).unwrap_or(text.len());
        let (number, rest) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || number.ends_with('.') || fraction.contains('.') {
            return Err(format!("{text:?} does not begin with a number such as 100 or 1.5"));
        }
        let decimals = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
        if whole.len() + fraction.len() > DIGITS_MAX || decimals > DECIMALS_MAX {
            return Err(format!(
                "{number} has too many digits; {DIGITS_MAX} are read, {DECIMALS_MAX} of them \
                 behind the point"
            ));
        }
        let digits = format!("{whole}{fraction}").parse();
        let digits = digits.map_err(|_| format!("{number} is no number"))?;
        Ok((Self { digits, decimals }, rest))
    }

    pub(super) const fn negated(self) -> Self {
        Self { digits: -self.digits, decimals: self.decimals }
    }

    /// The same in the metric's unit, of a number with this unit behind it.
    ///
    /// # Errors
    /// The unit does not fit; why, in words.
    pub(super) fn with_unit(self, unit: &str, of: RunUnit) -> Result<Self, String> {
        let lower = unit.to_lowercase();
        let times = |multiples: &[(&str, i128)]| {
            multiples.iter().find(|(name, _)| *name == lower).map(|(_, times)| *times)
        };
        let factor = match (of, lower.as_str()) {
            (RunUnit::Count | RunUnit::Bytes, "") => Some(1),
            (RunUnit::Count, _) => return Err(format!("it is a count, which has no {unit:?}")),
            (RunUnit::Bytes, _) => times(&BYTES),
            (RunUnit::Nanoseconds, _) => times(&TIMES),
        };
        match factor {
            Some(factor) => Ok(Self { digits: self.digits * factor, ..self }),
            None if unit.is_empty() => {
                Err("it is a time, which needs a unit; there are ns, us, ms, s, m and h".to_owned())
            }
            None if of == RunUnit::Bytes => Err(format!(
                "{unit:?} is no unit of size; there are B, KiB, MiB, GiB and TiB, and K, M, G \
                 and T for the same"
            )),
            None => Err(format!("{unit:?} is no unit of time; there are ns, us, ms, s, m and h")),
        }
    }

    /// How a figure stands to this number.
    pub(super) fn compared(self, figure: u64) -> std::cmp::Ordering {
        (i128::from(figure) * self.scale()).cmp(&self.digits)
    }

    /// How a figure stands to this much more than another.
    pub(super) fn compared_above(self, figure: u64, base: u64) -> std::cmp::Ordering {
        ((i128::from(figure) - i128::from(base)) * self.scale()).cmp(&self.digits)
    }

    /// How a figure stands to so many percent more than another.
    pub(super) fn compared_percent_above(self, figure: u64, base: u64) -> std::cmp::Ordering {
        let more = (i128::from(figure) - i128::from(base)) * 100 * self.scale();
        more.cmp(&(i128::from(base) * self.digits))
    }

    const fn scale(self) -> i128 {
        10_i128.pow(self.decimals)
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering::{Equal, Greater, Less};

    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Decimal {
        let (number, rest) = Decimal::read(text).unwrap();
        assert_eq!(rest, "");
        number
    }

    #[test]
    fn what_is_met_is_not_exceeded() {
        let tenth = number("10");
        assert_eq!(tenth.compared_percent_above(110, 100), Equal);
        assert_eq!(tenth.compared_percent_above(111, 100), Greater);
        assert_eq!(tenth.compared_percent_above(0, 0), Equal);
        assert_eq!(tenth.compared_percent_above(1, 0), Greater);
        assert_eq!(tenth.negated().compared_percent_above(90, 100), Equal);
        assert_eq!(tenth.negated().compared_percent_above(89, 100), Less);
        let half = number("1.5").with_unit("GB", RunUnit::Bytes).unwrap();
        assert_eq!(half.compared(3 << 29), Equal);
        assert_eq!(half.compared((3 << 29) + 1), Greater);
        assert_eq!(number("0.1").compared_percent_above(1001, 1000), Equal);
    }

    #[test]
    fn units_belong_to_metrics() {
        let with = |unit, of| number("2").with_unit(unit, of).map(|of| of.digits);
        assert_eq!(with("KiB", RunUnit::Bytes), Ok(2048));
        assert_eq!(with("", RunUnit::Bytes), Ok(2));
        assert_eq!(with("s", RunUnit::Nanoseconds), Ok(2_000_000_000));
        assert_eq!(with("", RunUnit::Count), Ok(2));
        for (unit, of, word) in [
            ("", RunUnit::Nanoseconds, "needs a unit"),
            ("s", RunUnit::Bytes, "no unit of size"),
            ("GB", RunUnit::Nanoseconds, "no unit of time"),
            ("K", RunUnit::Count, "it is a count"),
        ] {
            assert!(with(unit, of).unwrap_err().contains(word), "{unit}");
        }
    }

    #[test]
    fn what_is_no_number_is_said() {
        for wrong in ["", ".5", "5.", "1.2.3", "x", "-5", "1234567890123456", "0.0000000001"] {
            assert!(Decimal::read(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Decimal::read("10%").unwrap().1, "%");
    }

    proptest! {
        #[test]
        fn nothing_overflows(figure: u64, base: u64, whole in 0..1_000_000_u64, part in "[0-9]{1,9}") {
            let number = number(&format!("{whole}.{part}"));
            let number = number.with_unit("TiB", RunUnit::Bytes).unwrap();
            let _ = number.compared(figure);
            let _ = number.compared_above(figure, base);
            let _ = number.negated().compared_above(figure, base);
        }

        #[test]
        fn percents_do_not_overflow(figure: u64, base: u64, digits in 0..1_000_000_000_000_000_u64) {
            let number = number(&digits.to_string());
            let _ = number.compared_percent_above(figure, base);
            let _ = number.negated().compared_percent_above(figure, base);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = Decimal::read(&text);
        }
    }
}

//! Quantities for people. Sizes are binary and say so (`KiB` is 1024 bytes);
//! JSON never uses these, it has whole numbers with the unit in the name.

use std::fmt;

const SIZES: [(&str, u64); 7] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("PiB", 1 << 50),
    ("EiB", 1 << 60),
];

const UP_TO_SECONDS: [(&str, u64); 4] =
    [("ns", 1), ("µs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];

/// A unit in seconds, and the part that is told beside it.
const FROM_MINUTES: [(&str, u64, &str, u64); 3] =
    [("d", 24 * 60 * 60, "h", 60 * 60), ("h", 60 * 60, "min", 60), ("min", 60, "s", 1)];

/// The first duration that is told in minutes: less would round to it.
const ONE_MINUTE_NS: u64 = 59_950_000_000;

/// A size in bytes: `0 B`, `1.8 GiB`, `30 MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        scaled(f, self.0, &SIZES)
    }
}

/// A duration in nanoseconds: `850 µs`, `8.2 s`, `3 min 20 s`, `2 d 4 h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(pub u64);

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0 s"),
            ns if ns < ONE_MINUTE_NS => scaled(f, ns, &UP_TO_SECONDS),
            ns => minutes_and_more(f, rounded(ns, 1_000_000_000)),
        }
    }
}

/// A count: `2,847`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(pub u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut group = 1_u64;
        while self.0 / group >= 1000 {
            group *= 1000;
        }
        write!(f, "{}", self.0 / group)?;
        while group > 1 {
            group /= 1000;
            write!(f, ",{:03}", self.0 / group % 1000)?;
        }
        Ok(())
    }
}

/// In the first of the units, the smallest being the first, where it is less
/// than one of the next. Tenths are told below 100, unless there are none.
fn scaled(f: &mut fmt::Formatter<'_>, value: u64, units: &[(&str, u64)]) -> fmt::Result {
    let mut units = units.iter().peekable();
    while let Some((name, size)) = units.next() {
        let tenths = match tenths(value, *size) {
            few @ ..1000 => few,
            _ => u128::from(rounded(value, *size)) * 10,
        };
        if units.peek().is_some_and(|(_, next)| tenths >= u128::from(next / size) * 10) {
            continue;
        }
        return match (tenths / 10, tenths % 10) {
            (whole, 0) => write!(f, "{whole} {name}"),
            (whole, tenth) => write!(f, "{whole}.{tenth} {name}"),
        };
    }
    Ok(())
}

/// In the largest unit of which there is one; what is less than its part is
/// left out.
fn minutes_and_more(f: &mut fmt::Formatter<'_>, seconds: u64) -> fmt::Result {
    for (name, size, part_name, part_size) in FROM_MINUTES {
        if seconds >= size {
            write!(f, "{} {name}", seconds / size)?;
            return match seconds % size / part_size {
                0 => Ok(()),
                parts => write!(f, " {parts} {part_name}"),
            };
        }
    }
    write!(f, "{seconds} s")
}

/// Tenths of `size` in `value`, rounded to the nearest.
fn tenths(value: u64, size: u64) -> u128 {
    let (value, size) = (u128::from(value), u128::from(size));
    (value * 10 + size / 2) / size
}

/// How often `size` is in `value`, rounded to the nearest.
fn rounded(value: u64, size: u64) -> u64 {
    let up = value % size >= size.div_ceil(2) && size > 1;
    value / size + u64::from(up)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(values: &[u64], show: impl Fn(u64) -> String) -> Vec<String> {
        values.iter().map(|value| show(*value)).collect()
    }

    #[test]
    fn sizes() {
        let shown = all(
            &[0, 1, 1023, 1024, 1536, 31_457_280, 1_932_735_283, 104_805_172, 1_048_575, u64::MAX],
            |bytes| Bytes(bytes).to_string(),
        );
        assert_eq!(
            shown,
            [
                "0 B", "1 B", "1023 B", "1 KiB", "1.5 KiB", "30 MiB", "1.8 GiB", "100 MiB",
                "1 MiB", "16 EiB"
            ]
        );
    }

    #[test]
    fn durations() {
        const S: u64 = 1_000_000_000;
        let shown = all(
            &[0, 1, 850_000, 999_999, 12_340_000, 8_200_000_000, 59_949_999_999, 59_950_000_000],
            |ns| Elapsed(ns).to_string(),
        );
        assert_eq!(shown, ["0 s", "1 ns", "850 µs", "1 ms", "12.3 ms", "8.2 s", "59.9 s", "1 min"]);
        let shown = all(
            &[200 * S, 3_599 * S, 3_600 * S, 86_399 * S, 86_400 * S, 187_200 * S, u64::MAX],
            |ns| Elapsed(ns).to_string(),
        );
        assert_eq!(
            shown,
            ["3 min 20 s", "59 min 59 s", "1 h", "23 h 59 min", "1 d", "2 d 4 h", "213503 d 23 h"],
        );
    }

    #[test]
    fn counts() {
        let shown = all(&[0, 999, 1000, 2847, 1_000_000, u64::MAX], |n| Count(n).to_string());
        assert_eq!(
            shown,
            ["0", "999", "1,000", "2,847", "1,000,000", "18,446,744,073,709,551,615"]
        );
    }

    /// Reads `1.5 KiB` or `3 min 20 s` back.
    fn read_back(shown: &str, units: &[(&str, f64)]) -> f64 {
        let words: Vec<&str> = shown.split(' ').collect();
        words
            .chunks(2)
            .map(|pair| {
                let size = units.iter().find(|(name, _)| *name == pair[1]).unwrap().1;
                pair[0].parse::<f64>().unwrap() * size
            })
            .sum()
    }

    fn bytes_back(bytes: u64) -> f64 {
        read_back(&Bytes(bytes).to_string(), &SIZES.map(|(name, size)| (name, size as f64)))
    }

    fn elapsed_back(ns: u64) -> f64 {
        let mut units: Vec<(&str, f64)> =
            UP_TO_SECONDS.iter().map(|(name, size)| (*name, *size as f64)).collect();
        units.extend(FROM_MINUTES.iter().map(|(name, size, ..)| (*name, *size as f64 * 1e9)));
        read_back(&Elapsed(ns).to_string(), &units)
    }

    fn any_magnitude() -> impl Strategy<Value = u64> {
        (any::<u64>(), 0_u32..64).prop_map(|(value, shift)| value >> shift)
    }

    proptest! {
        #[test]
        fn what_is_shown_is_near_the_value(value in any_magnitude()) {
            // At worst, half a tenth of 1 or nearly an hour of a day.
            prop_assert!((bytes_back(value) - value as f64).abs() <= value as f64 * 0.05);
            prop_assert!((elapsed_back(value) - value as f64).abs() <= value as f64 * 0.05);
        }

        #[test]
        fn more_is_never_shown_as_less(a in any_magnitude(), b in any_magnitude()) {
            let (less, more) = (a.min(b), a.max(b));
            prop_assert!(bytes_back(less) <= bytes_back(more));
            prop_assert!(elapsed_back(less) <= elapsed_back(more));
        }

        #[test]
        fn a_count_without_its_commas_is_the_number(value in any_magnitude()) {
            prop_assert_eq!(Count(value).to_string().replace(',', "").parse(), Ok(value));
        }
    }
}

//! Times after this version of the script was first seen: `"500 ms"`, `"3s"`.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A time after the script was first seen, or a length of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Offset(pub(crate) Duration);

impl Offset {
    /// What `text` says.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        // "ms" before "s", which it ends in.
        let (number, milliseconds) = [("ms", 1), ("s", 1000), ("min", 60_000)]
            .iter()
            .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))?;
        let number: u64 = number.trim_end().parse().ok()?;
        number.checked_mul(milliseconds).map(|ms| Self(Duration::from_millis(ms)))
    }
}

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(OffsetVisitor)
    }
}

struct OffsetVisitor;

impl Visitor<'_> for OffsetVisitor {
    type Value = Offset;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time such as \"500 ms\", \"3s\" or \"1 min\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Offset, E> {
        Offset::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(Offset::parse("500 ms"), Some(Offset(Duration::from_millis(500))));
        assert_eq!(Offset::parse("3s"), Some(Offset(Duration::from_secs(3))));
        assert_eq!(Offset::parse("2 min"), Some(Offset(Duration::from_secs(120))));
        for wrong in ["", "3", "s", "-1s", "1h", "99999999999999999999s"] {
            assert_eq!(Offset::parse(wrong), None, "{wrong}");
        }
    }
}

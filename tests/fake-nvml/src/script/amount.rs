//! Amounts of memory: `"80 GiB"`, or a number of bytes.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// An amount of memory in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Bytes(pub(crate) u64);

/// What an amount may end in, and how many bytes each is.
const UNITS: [(&str, u64); 5] =
    [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("B", 1)];

impl Bytes {
    /// What `text` says; with no unit it is bytes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (number, unit) = UNITS
            .iter()
            .find_map(|(name, bytes)| Some((text.strip_suffix(name)?, *bytes)))
            .unwrap_or((text, 1));
        number.trim_end().parse::<u64>().ok()?.checked_mul(unit).map(Self)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BytesVisitor)
    }
}

struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount of memory such as \"80 GiB\", \"512 MiB\" or a number of bytes")
    }

    fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<Bytes, E> {
        u64::try_from(bytes)
            .map(Bytes)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(bytes), &self))
    }

    fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Bytes, E> {
        Ok(Bytes(bytes))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Bytes, E> {
        Bytes::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        assert_eq!(Bytes::parse("80 GiB"), Some(Bytes(80 << 30)));
        assert_eq!(Bytes::parse("512MiB"), Some(Bytes(512 << 20)));
        assert_eq!(Bytes::parse("7 B"), Some(Bytes(7)));
        assert_eq!(Bytes::parse(&u64::MAX.to_string()), Some(Bytes(u64::MAX)));
        for wrong in ["", "GiB", "-1", "1.5 GiB", "1 GB", "99999999999 TiB"] {
            assert_eq!(Bytes::parse(wrong), None, "{wrong}");
        }
    }
}

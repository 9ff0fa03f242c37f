//! What a process holds, over time.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor, value};

use super::amount::Bytes;
use super::offset::Offset;

/// What NVML writes for memory of a process that it cannot tell
/// (`NVML_VALUE_NOT_AVAILABLE` as 64 bits).
pub(crate) const NOT_AVAILABLE: u64 = u64::MAX;

/// The memory of a process: a step function of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vram {
    /// From when on it is how much, by time.
    steps: Vec<(Offset, Held)>,
}

/// What NVML says that a process holds: bytes, or `NOT_AVAILABLE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held(u64);

impl Vram {
    /// What NVML says at that time; 0 before the first step.
    pub(crate) fn at(&self, elapsed: Duration) -> u64 {
        self.steps
            .iter()
            .take_while(|(from, _)| from.0 <= elapsed)
            .last()
            .map_or(0, |step| step.1.0)
    }
}

impl<'de> Deserialize<'de> for Held {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HeldVisitor)
    }
}

struct HeldVisitor;

impl Visitor<'_> for HeldVisitor {
    type Value = Held;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "an amount of memory such as \"20 GiB\", a number of bytes or \"not available\"",
        )
    }

    fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<Held, E> {
        u64::try_from(bytes)
            .map(Held)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(bytes), &self))
    }

    fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Held, E> {
        Ok(Held(bytes))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Held, E> {
        if text == "not available" {
            return Ok(Held(NOT_AVAILABLE));
        }
        Bytes::parse(text)
            .map(|bytes| Held(bytes.0))
            .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

impl<'de> Deserialize<'de> for Vram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(VramVisitor)
    }
}

struct VramVisitor;

impl VramVisitor {
    fn constant(held: Held) -> Vram {
        Vram { steps: vec![(Offset::default(), held)] }
    }
}

impl<'de> Visitor<'de> for VramVisitor {
    type Value = Vram;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        HeldVisitor.expecting(f)?;
        f.write_str(", or steps such as [[\"0s\", \"1 GiB\"], [\"3s\", \"20 GiB\"]]")
    }

    fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<Vram, E> {
        HeldVisitor.visit_i64(bytes).map(Self::constant)
    }

    fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Vram, E> {
        HeldVisitor.visit_u64(bytes).map(Self::constant)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vram, E> {
        HeldVisitor.visit_str(text).map(Self::constant)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, steps: A) -> Result<Vram, A::Error> {
        let steps = Vec::<(Offset, Held)>::deserialize(value::SeqAccessDeserializer::new(steps))?;
        if steps.is_empty() {
            return Err(de::Error::invalid_length(0, &"at least one step"));
        }
        if !steps.is_sorted_by(|before, after| before.0 < after.0) {
            return Err(de::Error::custom("the times of the steps must rise"));
        }
        Ok(Vram { steps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Line {
        vram: Vram,
    }

    fn vram(text: &str) -> Result<Vram, toml::de::Error> {
        toml::from_str::<Line>(&format!("vram = {text}")).map(|line| line.vram)
    }

    #[test]
    fn constants() {
        let end = Duration::from_secs(1 << 40);
        for (text, bytes) in [
            ("\"1 GiB\"", 1 << 30),
            ("4096", 4096),
            ("\"not available\"", u64::MAX),
            ("\"18446744073709551614\"", u64::MAX - 1),
        ] {
            let vram = vram(text).unwrap();
            assert_eq!((vram.at(Duration::ZERO), vram.at(end)), (bytes, bytes), "{text}");
        }
    }

    #[test]
    fn steps() {
        let vram = vram(r#"[["1s", "1 GiB"], ["3s", "not available"], ["4s", 7]]"#).unwrap();
        let at = |ms| vram.at(Duration::from_millis(ms));
        assert_eq!([at(0), at(999)], [0, 0]);
        assert_eq!([at(1000), at(2999)], [1 << 30, 1 << 30]);
        assert_eq!([at(3000), at(4000), at(9000)], [u64::MAX, 7, 7]);
    }

    #[test]
    fn refused() {
        for text in ["-1", "1.5", "\"much\"", "[]", "[[\"3s\", 1], [\"1s\", 2]]", "[[\"3s\"]]"] {
            assert!(vram(text).is_err(), "{text}");
        }
    }
}

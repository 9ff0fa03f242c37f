//! The version of CUDA that the driver supports: `12.8`.

use serde::de::{self, Deserialize, Deserializer};

/// A version of CUDA, as the driver has it: 1000 for each major version, 10
/// for each minor one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CudaVersion(pub(crate) i32);

impl CudaVersion {
    /// Reads `major.minor`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        let (major, minor): (u16, u8) = (major.parse().ok()?, minor.parse().ok()?);
        (minor < 100).then(|| Self(i32::from(major) * 1000 + i32::from(minor) * 10))
    }

    /// The major version.
    pub(crate) const fn major(self) -> i32 {
        self.0 / 1000
    }
}

impl<'de> Deserialize<'de> for CudaVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::invalid_value(de::Unexpected::Str(&text), &"a version such as \"12.8\"")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(CudaVersion::parse("12.8"), Some(CudaVersion(12080)));
        assert_eq!(CudaVersion::parse("13.0").map(CudaVersion::major), Some(13));
        for wrong in ["", "12", "12.", "a.b", "12.100", "-1.0", "12.8.1"] {
            assert_eq!(CudaVersion::parse(wrong), None, "{wrong}");
        }
    }
}

//! Sizes in bytes, as people write them.

use std::str::FromStr;

/// A size in bytes: `65536`, `64K`, `64KiB`, `4M`, `1G`. K is 1024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Bytes.
    pub bytes: u64,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let shift = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "kb" | "kib" => 10,
            "m" | "mb" | "mib" => 20,
            "g" | "gb" | "gib" => 30,
            _ => return Err(format!("{unit:?} is no unit of size; there are K, M and G")),
        };
        let number: u64 =
            number.parse().map_err(|_| format!("{text:?} does not begin with a number"))?;
        let bytes = number
            .checked_mul(1 << shift)
            .ok_or_else(|| format!("{text} is more than can be counted"))?;
        Ok(Self { bytes })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units() {
        let bytes = |text: &str| text.parse::<Size>().map(|size| size.bytes);
        assert_eq!(bytes("65536"), Ok(65536));
        assert_eq!(bytes("64K"), Ok(65536));
        assert_eq!(bytes("4MiB"), Ok(4 << 20));
        assert_eq!(bytes("1 g"), Ok(1 << 30));
        assert!(bytes("").is_err());
        assert!(bytes("4x").unwrap_err().contains("\"x\""));
        assert!(bytes("-1").is_err());
        assert!(bytes("99999999999G").is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<Size>();
        }
    }
}

//! Values as people write them in the configuration, checked where they are
//! read.

use serde::Deserialize;

use crate::cli::Size;

/// A value that is written as a string.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String", bound = "T: std::str::FromStr<Err = String>")]
pub(super) struct Text<T>(pub(super) T);

impl<T: std::str::FromStr<Err = String>> TryFrom<String> for Text<T> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self)
    }
}

/// A length of time in nanoseconds: `"90s"`, `"5m"`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Span(pub(super) u64);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no length of time; write \"90s\", \"5m\" or \"1h\"");
        let duration: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
        match u64::try_from(duration.as_nanos()) {
            Ok(ns @ 1..) => Ok(Self(ns)),
            _ => Err(wrong()),
        }
    }
}

impl From<Span> for u64 {
    fn from(span: Span) -> Self {
        span.0
    }
}

/// A length of time, or `"never"`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct SpanOrNever(pub(super) Option<u64>);

impl TryFrom<String> for SpanOrNever {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "never" {
            return Ok(Self(None));
        }
        Span::try_from(text).map(|span| Self(Some(span.0)))
    }
}

/// A size in bytes: `"256M"`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "Text<Size>")]
pub(super) struct Bytes(u64);

impl From<Text<Size>> for Bytes {
    fn from(text: Text<Size>) -> Self {
        Self(text.0.bytes)
    }
}

impl From<Bytes> for u64 {
    fn from(bytes: Bytes) -> Self {
        bytes.0
    }
}

impl From<Bytes> for f64 {
    fn from(bytes: Bytes) -> Self {
        bytes.0 as Self
    }
}

/// A part of something, from 0 to 1.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "f64")]
pub(super) struct Share(f64);

impl TryFrom<f64> for Share {
    type Error = String;

    fn try_from(share: f64) -> Result<Self, String> {
        match share {
            0.0..=1.0 => Ok(Self(share)),
            _ => Err(format!("{share} is no part of a whole, which is from 0 to 1")),
        }
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        share.0
    }
}

/// A number that is not negative.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "f64")]
pub(super) struct Amount(f64);

impl TryFrom<f64> for Amount {
    type Error = String;

    fn try_from(amount: f64) -> Result<Self, String> {
        match amount.is_finite() && amount >= 0.0 {
            true => Ok(Self(amount)),
            false => Err(format!("{amount} is no number from 0 on")),
        }
    }
}

impl From<Amount> for f64 {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

/// How many, at least one.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct Many(u64);

impl TryFrom<i64> for Many {
    type Error = String;

    fn try_from(count: i64) -> Result<Self, String> {
        match u64::try_from(count) {
            Ok(count @ 1..) => Ok(Self(count)),
            _ => Err(format!("{count} is no number from 1 on")),
        }
    }
}

impl From<Many> for u64 {
    fn from(many: Many) -> Self {
        many.0
    }
}

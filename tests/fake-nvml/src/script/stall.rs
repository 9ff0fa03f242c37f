//! `[stall]`: calls that do not come back for a while.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

use super::offset::Offset;
use crate::calls;

/// Which calls block, and until when.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stall {
    calls: Calls,
    #[serde(rename = "for")]
    until: Offset,
}

/// Which calls.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Calls {
    All,
    These(Vec<String>),
}

impl Stall {
    /// How much longer that call blocks, if it does.
    pub(crate) fn rest_of(&self, call: &str, elapsed: Duration) -> Option<Duration> {
        let named = match &self.calls {
            Calls::All => true,
            Calls::These(names) => names.iter().any(|name| name == call),
        };
        named.then(|| self.until.0.checked_sub(elapsed)).flatten().filter(|rest| !rest.is_zero())
    }
}

impl<'de> Deserialize<'de> for Calls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CallsVisitor)
    }
}

struct CallsVisitor;

impl<'de> Visitor<'de> for CallsVisitor {
    type Value = Calls;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"all\", or names of NVML's functions")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Calls, E> {
        match text {
            "all" => Ok(Calls::All),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Calls, A::Error> {
        let mut these = Vec::new();
        while let Some(name) = names.next_element::<String>()? {
            // A misspelt name would stall nothing, and its test would pass.
            if !calls::MAY_STALL.contains(&name.as_str()) {
                return Err(de::Error::custom(format_args!("this library can stall no `{name}`")));
            }
            these.push(name);
        }
        Ok(Calls::These(these))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stall(text: &str) -> Result<Stall, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn some_and_all() {
        let some = stall("calls = ['nvmlDeviceGetName']\nfor = '2s'").unwrap();
        let all = stall("calls = 'all'\nfor = '2s'").unwrap();
        let second = Duration::from_secs(1);
        assert_eq!(some.rest_of("nvmlDeviceGetName", second), Some(second));
        assert_eq!(some.rest_of("nvmlDeviceGetName", second * 2), None);
        assert_eq!(some.rest_of("nvmlDeviceGetUUID", second), None);
        assert_eq!(all.rest_of("nvmlDeviceGetUUID", second), Some(second));
    }

    #[test]
    fn refused() {
        assert!(stall("calls = ['nvmlDeviceGetNmae']\nfor = '2s'").is_err());
        assert!(stall("calls = 'some'\nfor = '2s'").is_err());
        assert!(stall("calls = 'all'").is_err());
    }
}

//! Where a GPU is on the PCI bus: `00000000:65:00.0`.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer};

/// A PCI address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PciAddress {
    pub(crate) domain: u32,
    pub(crate) bus: u8,
    pub(crate) device: u8,
    pub(crate) function: u8,
}

impl PciAddress {
    /// Reads `domain:bus:device.function`, all of them hexadecimal, with or
    /// without leading zeros.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (rest, function) = text.split_once('.')?;
        let (rest, device) = rest.rsplit_once(':')?;
        let (domain, bus) = rest.split_once(':')?;
        Some(Self {
            domain: u32::from_str_radix(domain, 16).ok()?,
            bus: u8::from_str_radix(bus, 16).ok()?,
            device: u8::from_str_radix(device, 16).ok()?,
            function: u8::from_str_radix(function, 16).ok()?,
        })
    }

    /// With the domain as older drivers wrote it, in four digits.
    pub(crate) fn legacy(&self) -> String {
        let Self { domain, bus, device, function } = self;
        format!("{:04X}:{bus:02X}:{device:02X}.{function:X}", domain & 0xffff)
    }
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, bus, device, function } = self;
        write!(f, "{domain:08X}:{bus:02X}:{device:02X}.{function:X}")
    }
}

impl<'de> Deserialize<'de> for PciAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::invalid_value(
                de::Unexpected::Str(&text),
                &"a PCI address such as \"00000000:65:00.0\"",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let address = PciAddress::parse("0000:c1:00.0").unwrap();
        assert_eq!(address.to_string(), "00000000:C1:00.0");
        assert_eq!(address.legacy(), "0000:C1:00.0");
        assert_eq!(PciAddress::parse("00000000:C1:00.0"), Some(address));
        for wrong in ["", "c1:00.0", "0:1:2", "0:1:2:3.4", "0:xx:00.0", "0:100:00.0"] {
            assert_eq!(PciAddress::parse(wrong), None, "{wrong}");
        }
    }
}

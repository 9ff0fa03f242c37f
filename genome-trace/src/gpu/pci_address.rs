//! Where a GPU is on the PCI bus.

use std::fmt;

/// The place of a GPU. Its function is left out: it is always 0, and the
/// driver's log does not tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PciAddress {
    /// Domain, which lspci(8) leaves out where it is 0.
    pub domain: u32,
    /// Bus in the domain.
    pub bus: u8,
    /// Device on the bus.
    pub device: u8,
}

impl PciAddress {
    /// Reads `0000:65:00`, as the driver's log has it, and
    /// `00000000:65:00.0`, as NVML does. `None` where it is something else.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut parts = text.split(|byte| *byte == b':');
        let (domain, bus, device) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let device = match device {
            [device @ .., b'.', b'0'..=b'7'] => device,
            device => device,
        };
        Some(Self {
            domain: hex(domain, 8)?,
            bus: u8::try_from(hex(bus, 2)?).ok()?,
            device: u8::try_from(hex(device, 2)?).ok()?,
        })
    }
}

impl fmt::Display for PciAddress {
    /// As lspci(8) and sysfs write it: `0000:65:00.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:02x}:{:02x}.0", self.domain, self.bus, self.device)
    }
}

/// A hexadecimal number of at most `digits_max` digits and nothing else.
fn hex(digits: &[u8], digits_max: usize) -> Option<u32> {
    if digits.len() > digits_max || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_the_log_and_nvml_say_is_the_same_place() {
        let from_log = PciAddress::parse(b"0000:c1:1f").unwrap();
        assert_eq!(from_log, PciAddress { domain: 0, bus: 0xc1, device: 0x1f });
        for other in ["00000000:C1:1F.0", "0000:C1:1F.0", "00000000:c1:1f"] {
            assert_eq!(PciAddress::parse(other.as_bytes()), Some(from_log), "{other}");
        }
        assert_eq!(from_log.to_string(), "0000:c1:1f.0");
    }

    #[test]
    fn domains_may_be_large() {
        assert_eq!(PciAddress::parse(b"10000:01:00").unwrap().domain, 0x1_0000);
        assert_eq!(PciAddress::parse(b"FFFFFFFF:01:00.0").unwrap().domain, u32::MAX);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            ":::",
            "65:00.0",
            "0000:65:00.0:1",
            "0000:165:00",
            "0000:65:00.8",
            "0000:65:+1",
            "000000000:65:00",
            "0000::00",
            "GPU-8a47641b-dff6-f09f-618c-c3eb58fb430d",
        ] {
            assert_eq!(PciAddress::parse(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(domain: u32, bus: u8, device: u8) {
            let address = PciAddress { domain, bus, device };
            prop_assert_eq!(PciAddress::parse(address.to_string().as_bytes()), Some(address));
        }

        #[test]
        fn any_bytes_are_an_address_or_none(text in prop::collection::vec(any::<u8>(), 0..20)) {
            let _ = PciAddress::parse(&text);
        }
    }
}

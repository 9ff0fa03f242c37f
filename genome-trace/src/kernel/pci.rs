//! The PCI bus, as sysfs shows it (Documentation/ABI/testing/sysfs-bus-pci).

use std::{fs, path::Path};

/// NVIDIA's number (include/linux/pci_ids.h, `PCI_VENDOR_ID_NVIDIA`).
const NVIDIA: &str = "0x10de";
/// Display controllers, whichever they are (`PCI_BASE_CLASS_DISPLAY`).
const DISPLAY: &str = "0x03";

/// How many NVIDIA GPUs the bus has, with a driver or without.
#[must_use]
pub fn nvidia_gpus() -> usize {
    count(Path::new("/sys/bus/pci/devices"))
}

fn count(devices: &Path) -> usize {
    let Ok(entries) = fs::read_dir(devices) else { return 0 };
    let has = |folder: &Path, file: &str, start: &str| {
        fs::read_to_string(folder.join(file)).is_ok_and(|text| text.starts_with(start))
    };
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|folder| has(folder, "vendor", NVIDIA) && has(folder, "class", DISPLAY))
        .count()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn gpus_are_nvidias_display_controllers() {
        let name = format!("genome-trace-pci-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let devices = [
            ("gpu", "0x10de\n", "0x030200\n"),
            ("its-sound", "0x10de\n", "0x040300\n"),
            ("other", "0x8086\n", "0x030000\n"),
        ];
        for (device, vendor, class) in devices {
            fs::create_dir_all(folder.join(device)).unwrap();
            fs::write(folder.join(device).join("vendor"), vendor).unwrap();
            fs::write(folder.join(device).join("class"), class).unwrap();
        }
        let found = count(&folder);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found, 1);
        assert_eq!(count(&folder), 0);
    }
}

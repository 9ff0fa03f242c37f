//! Values of options, checked where they are read, so that a wrong one is a
//! usage error that names the option.

use std::time::Duration;

use super::Size;

/// A ring holds at least a page and at most what the kernel lets a map have.
const RING_BYTES: std::ops::RangeInclusive<u64> = 4096..=1 << 30;
/// Longest name of a process, `TASK_COMM_LEN` less the NUL.
const COMM_MAX: usize = 15;

/// The size of a ring.
pub(super) fn ring_size(text: &str) -> Result<Size, String> {
    let size: Size = text.parse()?;
    if RING_BYTES.contains(&size.bytes) {
        Ok(size)
    } else {
        Err("a ring has from 4K to 1G bytes".to_owned())
    }
}

/// A time to run.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let unit = "give a time above 0 with its unit, such as 30s, 5m or 1h";
    let duration: jiff::SignedDuration = text.parse().map_err(|_| unit.to_owned())?;
    match Duration::try_from(duration) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(unit.to_owned()),
    }
}

/// A user id.
pub(super) fn uid(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "give the number, as id -u NAME prints it".to_owned())
}

/// The name of a process.
pub(super) fn comm(text: &str) -> Result<String, String> {
    match text.len() {
        0 => Err("a process has a name".to_owned()),
        1..=COMM_MAX => Ok(text.to_owned()),
        _ => Err(format!("the kernel keeps {COMM_MAX} bytes of a name, so this matches none")),
    }
}

/// A name or an id.
pub(super) fn not_empty(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("it is empty".to_owned()) } else { Ok(text.to_owned()) }
}

/// The path of a cgroup.
pub(super) fn cgroup(text: &str) -> Result<String, String> {
    if text.starts_with('/') {
        Ok(text.to_owned())
    } else {
        Err("give the path from the hierarchy's root, as in /proc/PID/cgroup: it begins with /"
            .to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings() {
        assert_eq!(ring_size("64K"), Ok(Size { bytes: 65536 }));
        assert!(ring_size("0").is_err() && ring_size("2G").is_err() && ring_size("x").is_err());
    }

    #[test]
    fn durations() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5400)));
        for wrong in ["0", "0s", "5", "-1s", "soon", ""] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_and_paths() {
        assert!(comm("fifteen-bytes-x").is_ok() && comm("sixteen-bytes-xx").is_err());
        assert!(cgroup("/ai").is_ok() && cgroup("ai").is_err());
        assert_eq!(uid("1000"), Ok(1000));
        assert!(uid("root").is_err());
    }
}

//! What a process has mapped: /proc/PID/maps (proc_pid_maps(5)).

use std::{
    ffi::OsStr,
    fs,
    ops::Range,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

/// A file in a process' memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapping {
    /// Addresses in the process.
    pub(super) addresses: Range<u64>,
    /// Where in the file the first of them is.
    pub(super) offset: u64,
    /// Which file, by device and inode: the same text for the same file.
    pub(super) identity: String,
    /// The file's path as the process sees it.
    pub(super) path: PathBuf,
    /// Whether there is code in it.
    pub(super) is_executable: bool,
}

/// The mapped files of a process; none where it is gone.
pub(super) fn read(tgid: u32) -> Vec<Mapping> {
    let text = fs::read(format!("/proc/{tgid}/maps")).unwrap_or_default();
    text.split(|byte| *byte == b'\n').filter_map(parse).collect()
}

/// Ways to the very file that is mapped, the surest first: the file itself,
/// which needs a capability, and its path as the process sees it.
pub(super) fn ways(tgid: u32, mapping: &Mapping) -> [PathBuf; 2] {
    let Range { start, end } = mapping.addresses;
    let below = mapping.path.strip_prefix("/").unwrap_or(&mapping.path);
    [
        PathBuf::from(format!("/proc/{tgid}/map_files/{start:x}-{end:x}")),
        Path::new(&format!("/proc/{tgid}/root")).join(below),
    ]
}

/// `start-end perms offset device inode   path`.
fn parse(line: &[u8]) -> Option<Mapping> {
    let path_at = line.iter().position(|byte| *byte == b'/')?;
    let (fields, path) = line.split_at_checked(path_at)?;
    let mut fields = std::str::from_utf8(fields).ok()?.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let permissions = fields.next()?;
    let offset = hexadecimal(fields.next()?)?;
    let (device, inode) = (fields.next()?, fields.next()?);
    Some(Mapping {
        addresses: hexadecimal(start)?..hexadecimal(end)?,
        offset,
        identity: format!("{device} {inode}"),
        path: OsStr::from_bytes(path.strip_suffix(b" (deleted)").unwrap_or(path)).into(),
        is_executable: permissions.contains('x'),
    })
}

fn hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_file_where_it_has_a_path() {
        let line = b"7f00a000-7f00b000 r-xp 00002000 08:01 1234      /usr/lib/a b.so (deleted)";
        let mapping = parse(line).unwrap();
        assert_eq!(mapping.addresses, 0x7f00_a000..0x7f00_b000);
        assert_eq!((mapping.offset, mapping.is_executable), (0x2000, true));
        assert_eq!(mapping.path, Path::new("/usr/lib/a b.so"));
        assert_eq!(mapping.identity, "08:01 1234");
        assert_eq!(
            ways(7, &mapping).map(|way| way.display().to_string()),
            ["/proc/7/map_files/7f00a000-7f00b000", "/proc/7/root/usr/lib/a b.so"]
        );
        assert_eq!(parse(b"7f00a000-7f00b000 rw-p 00000000 00:00 0    [stack]"), None);
        assert_eq!(parse(b"7f00a000-7f00b000 rw-p 00000000 00:00 0"), None);
        assert_eq!(parse(b"/"), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn this_process_maps_its_own_code() {
        let code = this_functions_address();
        let maps = read(std::process::id());
        let mapping = maps.iter().find(|mapping| mapping.addresses.contains(&code)).unwrap();
        assert!(mapping.is_executable);
        assert_eq!(mapping.path, std::env::current_exe().unwrap());
    }

    fn this_functions_address() -> u64 {
        this_functions_address as fn() -> u64 as usize as u64
    }
}

//! Files of models that a process has in its memory or open, and how many it has
//! open in all: /proc/PID/maps and /proc/PID/fd (proc_pid_maps(5),
//! proc_pid_fd(5)). Other users' processes are closed to those who are not root.

use std::{collections::BTreeMap, fs, io, os::unix::ffi::OsStrExt as _, path::Path};

use super::process;
use crate::model::{ModelFile, ModelFileKind, ProcessKey};

/// Descriptors that are looked at: a process may have a million of them, and
/// models are opened early.
const DESCRIPTORS_MAX: usize = 1 << 16;
/// What the kernel says of a file that has been unlinked since.
const DELETED: &[u8] = b" (deleted)";

/// The models' files of a process, by path.
///
/// # Errors
/// The process is gone, or closed to us.
pub fn model_files(key: ProcessKey) -> io::Result<Vec<ModelFile>> {
    let mut found = BTreeMap::new();
    mapped(key.tgid, &mut found)?;
    open(key.tgid, &mut found)?;
    // Looked at after all was read, or it might be another's.
    if process::is_there(key) {
        Ok(found.into_values().collect())
    } else {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// How many descriptors a process has, as the size of the folder that lists them
/// (`proc_readfd_count`, fs/proc/fd.c, since 6.2): the kernel counts bits, and
/// no list is made. `None` where the kernel does not say, or the process is
/// gone.
#[must_use]
pub fn count_open_files(key: ProcessKey) -> Option<u64> {
    let size = fs::metadata(format!("/proc/{}/fd", key.tgid)).ok()?.len();
    // Older kernels say 0 of everybody. Looked at after it was read, or it might
    // be another's.
    (size > 0 && process::is_there(key)).then_some(size)
}

type Found = BTreeMap<Box<[u8]>, ModelFile>;

fn mapped(tgid: u32, found: &mut Found) -> io::Result<()> {
    let text = fs::read(format!("/proc/{tgid}/maps"))?;
    for line in text.split(|byte| *byte == b'\n') {
        // No field in front of the path has a slash.
        let path = line.iter().position(|byte| *byte == b'/').and_then(|at| line.get(at..));
        let Some((path, is_deleted)) = path.map(without_mark) else { continue };
        let Some(file) = known(path, found) else { continue };
        // One that took its place has another size.
        if !file.is_mapped && !is_deleted {
            let below = path.strip_prefix(b"/").unwrap_or(path);
            let way = Path::new(&format!("/proc/{tgid}/root")).join(to_path(below));
            file.size_bytes = fs::metadata(way).ok().map(|of| of.len());
        }
        file.is_mapped = true;
    }
    Ok(())
}

fn open(tgid: u32, found: &mut Found) -> io::Result<()> {
    let folder = fs::read_dir(format!("/proc/{tgid}/fd"))?;
    for entry in folder.flatten().take(DESCRIPTORS_MAX) {
        // Closed meanwhile.
        let Ok(target) = fs::read_link(entry.path()) else { continue };
        let (path, _) = without_mark(target.as_os_str().as_bytes());
        let Some(file) = known(path, found) else { continue };
        file.is_open = true;
        // By the descriptor it is that very file, also where it was unlinked.
        let size = fs::metadata(entry.path()).ok().map(|of| of.len());
        file.size_bytes = size.or(file.size_bytes);
    }
    Ok(())
}

/// The entry of a path, where it is a model's.
fn known<'f>(path: &[u8], found: &'f mut Found) -> Option<&'f mut ModelFile> {
    let kind = ModelFileKind::of_path(path)?;
    let new = || ModelFile {
        path: path.into(),
        kind,
        size_bytes: None,
        is_mapped: false,
        is_open: false,
    };
    Some(found.entry(path.into()).or_insert_with(new))
}

fn without_mark(path: &[u8]) -> (&[u8], bool) {
    path.strip_suffix(DELETED).map_or((path, false), |path| (path, true))
}

fn to_path(bytes: &[u8]) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{fs::File, io::Write as _, os::fd::AsRawFd as _};

    use super::*;
    use crate::kernel::{mapping::Mapping, process::ProcProcess};

    fn this_process() -> ProcessKey {
        let found = ProcProcess::read(std::process::id()).unwrap();
        ProcessKey { tgid: found.tgid, start_time: found.start_ns() }
    }

    fn file(folder: &Path, name: &str, size: usize) -> File {
        let path = folder.join(name);
        File::create(&path).unwrap().write_all(&vec![1; size]).unwrap();
        File::open(path).unwrap()
    }

    /// This process has one open, one mapped that is closed, and one that is
    /// unlinked.
    #[test]
    fn this_process_has_what_it_opened_and_mapped() {
        let folder = tempfile::tempdir().unwrap();
        let _open = file(folder.path(), "open.safetensors", 10);
        let _other = file(folder.path(), "notes.txt", 10);
        let unlinked = file(folder.path(), "adapter_model.bin", 30);
        fs::remove_file(folder.path().join("adapter_model.bin")).unwrap();
        let mapped = file(folder.path(), "mapped.gguf", 5_000);
        let mapping = Mapping::private(mapped.as_raw_fd(), 5_000).unwrap();
        drop(mapped);
        let found = model_files(this_process()).unwrap();
        drop(mapping);
        let ours = |file: &&ModelFile| file.path.starts_with(folder.path().as_os_str().as_bytes());
        let told: Vec<_> = found
            .iter()
            .filter(ours)
            .map(|file| (file.kind.name(), file.size_bytes, file.is_mapped, file.is_open))
            .collect();
        assert_eq!(
            told,
            [
                ("adapter", Some(30), false, true),
                ("weights", Some(5_000), true, false),
                ("weights", Some(10), false, true),
            ]
        );
        drop(unlinked);
    }

    #[test]
    fn this_process_has_as_many_as_are_listed() {
        if fs::metadata("/proc/self/fd").unwrap().len() == 0 {
            // A kernel before 6.2.
            assert_eq!(count_open_files(this_process()), None);
            return;
        }
        let _many: Vec<_> = (0..300).map(|_| File::open("/dev/null").unwrap()).collect();
        // Other tests of this process open and close theirs meanwhile.
        let is_as_listed = || {
            let told = count_open_files(this_process());
            // The folder itself is open while it is listed.
            let listed = fs::read_dir("/proc/self/fd").unwrap().count() as u64 - 1;
            listed > 300 && told == Some(listed)
        };
        assert!((0..1000).any(|_| is_as_listed()));
    }

    #[test]
    fn one_that_is_another_by_now_has_none() {
        let gone = ProcessKey { start_time: 0, ..this_process() };
        assert_eq!(count_open_files(gone), None);
        assert_eq!(model_files(gone).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}

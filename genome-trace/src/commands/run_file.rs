//! The file that a report of runs is kept in.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use anyhow::anyhow;

use crate::{
    model::RunReport,
    render::text::Escaped,
    wire::{RunReportError, read_run_report, write_run_report},
};

/// A bigger file is no report: lists are bounded.
const BYTES_MAX: u64 = 256 << 20;
/// Names that are tried for a file that is not finished yet.
const ATTEMPTS: u32 = 100;

/// Reads a report.
///
/// # Errors
/// A sentence: there is no such file, or what is in it is no report.
pub(super) fn read(path: &Path) -> anyhow::Result<RunReport> {
    let shown = path.display();
    let content = content(path).map_err(|error| {
        anyhow!(
            "cannot read the report {shown}: {error}; give a file that genome-trace run --save \
             wrote"
        )
    })?;
    read_run_report(&content).map_err(|error| {
        let remedy = match error {
            RunReportError::Newer { .. } => "use that version of genome-trace, or make it anew",
            _ => "make it anew with genome-trace run --save",
        };
        let error = error.to_string();
        anyhow!("cannot use the report {shown}: {}; {remedy}", Escaped(error.as_bytes()))
    })
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(BYTES_MAX + 1).read_to_end(&mut content)?;
    if content.len() as u64 > BYTES_MAX {
        return Err(io::Error::other("it is too big for a report, which has 256 MiB at most"));
    }
    Ok(content)
}

/// Keeps a report. A file that is there is replaced in one step, when the new
/// one is whole and on the disk. `owner` is whose a new file becomes, user and
/// group; `None` leaves it to who writes it.
///
/// # Errors
/// A sentence. What was there is as it was.
pub(super) fn save(
    path: &Path,
    report: &RunReport,
    owner: Option<(u32, u32)>,
) -> anyhow::Result<()> {
    keep("--save", path, &write_run_report(report), owner)
}

/// Keeps what is told of a report, in the same way. `option` is what named the
/// file.
///
/// # Errors
/// A sentence. What was there is as it was.
pub(super) fn keep(
    option: &str,
    path: &Path,
    content: &[u8],
    owner: Option<(u32, u32)>,
) -> anyhow::Result<()> {
    let write = |file: &mut File| file.write_all(content);
    replace(path, owner, write).map_err(|error| unwritable(option, path, &error))
}

/// Whether something could be kept there, by trying. To be asked before the
/// command runs.
///
/// # Errors
/// A sentence.
pub(super) fn check(option: &str, path: &Path) -> anyhow::Result<()> {
    let try_it = || match kind(path)? {
        Kind::Stream => OpenOptions::new().write(true).open(path).map(drop),
        Kind::File(target) => {
            let (unfinished, _) = create(&target)?;
            fs::remove_file(unfinished)
        }
    };
    try_it().map_err(|error| unwritable(option, path, &error))
}

fn unwritable(option: &str, path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow!(
        "cannot keep the report in {}: {error}; give {option} a file in a folder that there is, with \
         room, and that you may write to",
        path.display()
    )
}

enum Kind {
    /// A file, or where one will be; no symbolic link.
    File(PathBuf),
    /// A pipe, a terminal, a device.
    Stream,
}

fn kind(path: &Path) -> io::Result<Kind> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(io::Error::other("it is a folder")),
        // What a link leads to is replaced, not the link.
        Ok(metadata) if metadata.is_file() => fs::canonicalize(path).map(Kind::File),
        Ok(_) => Ok(Kind::Stream),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kind::File(path.to_owned())),
        Err(error) => Err(error),
    }
}

fn replace(
    path: &Path,
    owner: Option<(u32, u32)>,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let target = match kind(path)? {
        Kind::File(target) => target,
        Kind::Stream => return write(&mut OpenOptions::new().write(true).open(path)?),
    };
    let (unfinished, mut file) = create(&target)?;
    let finish = || {
        write(&mut file)?;
        match fs::metadata(&target) {
            Ok(old) => {
                let mode = old.permissions().mode() & 0o777;
                file.set_permissions(fs::Permissions::from_mode(mode))?;
                let whose = (
                    std::os::unix::fs::MetadataExt::uid(&old),
                    std::os::unix::fs::MetadataExt::gid(&old),
                );
                // Only root may give files away; another's file becomes ours.
                let _ = fchown(&file, Some(whose.0), Some(whose.1));
            }
            Err(_) => {
                if let Some((user, group)) = owner {
                    fchown(&file, Some(user), Some(group))?;
                }
            }
        }
        file.sync_all()?;
        fs::rename(&unfinished, &target)
    };
    let result = finish();
    if result.is_err() {
        // The first error is the one that is told.
        let _ = fs::remove_file(&unfinished);
    }
    result
}

/// A new file beside the target, on the same file system.
fn create(target: &Path) -> io::Result<(PathBuf, File)> {
    let name = target.file_name().ok_or_else(|| io::Error::other("it has no name"))?;
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
    for attempt in 0..ATTEMPTS {
        let mut unfinished = std::ffi::OsString::from(".");
        unfinished.push(name);
        unfinished.push(format!(".{}-{attempt}.tmp", std::process::id()));
        let path = folder.join(unfinished);
        // It must be new: what another put there may be a link elsewhere.
        match OpenOptions::new().write(true).create_new(true).mode(0o666).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn put(path: &Path, text: &str) -> io::Result<()> {
        replace(path, None, |file| file.write_all(text.as_bytes()))
    }

    #[test]
    fn a_file_is_made_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        check("--save", &path).unwrap();
        assert_eq!(names(folder.path()), [] as [&str; 0]);
        put(&path, "one").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        put(&path, "two").unwrap();
        check("--save", &path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(names(folder.path()), ["a.json"]);
    }

    #[test]
    fn what_fails_in_the_middle_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        put(&path, "one").unwrap();
        let full = replace(&path, None, |file| {
            file.write_all(b"tw")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        assert_eq!(full.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(names(folder.path()), ["a.json"]);
    }

    #[test]
    fn a_link_stays_and_what_it_leads_to_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a.json"), folder.path().join("link"));
        put(&path, "one").unwrap();
        symlink("a.json", &link).unwrap();
        put(&link, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn a_full_device_a_folder_and_no_folder_are_said() {
        let folder = tempfile::tempdir().unwrap();
        let report = RunReport::default();
        for (path, word) in [
            (Path::new("/dev/full"), "No space left"),
            (folder.path(), "it is a folder"),
            (&folder.path().join("none/a.json"), "No such file"),
        ] {
            let error = save(path, &report, None).unwrap_err().to_string();
            assert!(error.contains(word) && error.contains("--save"), "{error}");
            assert!(path == Path::new("/dev/full") || check("--save", path).is_err());
        }
    }

    #[test]
    fn somebody_elses_unfinished_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let theirs = folder.path().join(format!(".a.json.{}-0.tmp", std::process::id()));
        symlink("/etc/passwd", &theirs).unwrap();
        put(&path, "one").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        assert!(theirs.is_symlink());
    }

    #[test]
    fn what_cannot_be_read_is_one_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let said = |path: &Path| read(path).unwrap_err().to_string();
        assert!(said(&path).contains("No such file") && said(&path).contains("run --save"));
        assert!(said(folder.path()).contains("directory"));
        assert!(said(Path::new("/dev/zero")).contains("too big"));
        fs::write(&path, "{").unwrap();
        assert!(said(&path).contains("it was cut off"), "{}", said(&path));
        fs::write(&path, "{\"type\": \"run\", \"schema_version\": 9}").unwrap();
        assert!(said(&path).contains("use that version"), "{}", said(&path));
    }
}

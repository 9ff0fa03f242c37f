//! Disks that are full, read-only or gone: the writer goes on, tells, and
//! recovers by itself.

use std::{
    fs,
    path::{Path, PathBuf},
};

use genome_trace::{
    model::{EventKind, GapReason, TimeRange},
    store::{
        History as _, ItemKind, Place, QueueLimits, Store as _, StoreError, StoreState, Writer,
        WriterOptions,
    },
};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};

use crate::parts::{LONG, close, exit, is_root, numbers, options, reader, writer};

/// A small file system that goes with its owner.
struct Tmpfs {
    folder: tempfile::TempDir,
}

impl Tmpfs {
    /// `None` where that takes rights that the test does not have.
    fn new(options: &std::ffi::CStr) -> Option<Self> {
        if !is_root() {
            eprintln!("skipped: only root may mount a file system");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        if let Err(error) =
            mount("tmpfs", folder.path(), "tmpfs", MountFlags::empty(), Some(options))
        {
            eprintln!("skipped: cannot mount a file system: {error}");
            return None;
        }
        Some(Self { folder })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = unmount(self.folder.path(), UnmountFlags::DETACH);
    }
}

fn reason(writer: &Writer) -> String {
    match writer.status().state {
        StoreState::Failing { reason, .. } => reason,
        StoreState::Storing => panic!("it stores"),
    }
}

#[test]
fn a_full_disk() {
    let Some(disk) = Tmpfs::new(c"size=6m") else { return };
    let writer = Writer::open(
        Place::new(disk.path()),
        WriterOptions { queue: QueueLimits { items: 2000, ..QueueLimits::default() }, ..options() },
    )
    .unwrap();
    writer.push(exit(6, 1));
    writer.flush(LONG).unwrap();
    // Everything that is left but a few pages.
    let ballast = disk.path().join("ballast");
    let room = rustix::fs::statvfs(disk.path()).unwrap();
    let len = (room.f_bavail * room.f_bsize).saturating_sub(64 << 10);
    fs::write(&ballast, vec![1; usize::try_from(len).unwrap()]).unwrap();

    let mut pushed = 0;
    let refused = (0..1000).find_map(|_| {
        for _ in 0..1000 {
            pushed += 1;
            writer.push(exit(7, pushed));
        }
        writer.flush(LONG).err()
    });
    assert!(matches!(refused, Some(StoreError::Waiting { .. })), "{refused:?}");
    let said = reason(&writer);
    assert!(said.contains("genome-trace.db") && said.contains("full"), "{said}");
    // More than may wait: the rest is counted.
    for _ in 0..10_000 {
        pushed += 1;
        writer.push(exit(7, pushed));
    }
    writer.flush(LONG).unwrap_err();

    fs::remove_file(&ballast).unwrap();
    writer.flush(LONG).unwrap();
    let status = writer.status();
    assert_eq!(status.state, StoreState::Storing);
    let lost = status.unstored[&ItemKind::Event(EventKind::Exit)];
    assert!(lost >= 8000, "{status:?}");
    let reader = reader(disk.path());
    assert_eq!(numbers(&reader, 6), [1]);
    assert_eq!(numbers(&reader, 7).len() as u64 + lost, pushed);
    let gaps = reader.gaps(TimeRange::ALL).unwrap();
    assert!(gaps.iter().all(|gap| gap.reason == GapReason::NotStored), "{gaps:?}");
    let told: u64 = gaps.iter().map(|gap| gap.missing.as_ref().unwrap()["exit"]).sum();
    assert_eq!(told, lost);
    assert!(gaps.iter().any(|gap| gap.note.as_deref().is_some_and(|note| note.contains("full"))));
    close(writer);
}

#[test]
fn a_disk_that_is_read_only_at_first() {
    let Some(disk) = Tmpfs::new(c"size=16m") else { return };
    mount_remount(disk.path(), MountFlags::RDONLY, c"").unwrap();
    let writer = writer(disk.path());
    writer.push(exit(7, 1));
    writer.flush(LONG).unwrap_err();
    let said = reason(&writer);
    assert!(said.contains("make its file system writable"), "{said}");
    mount_remount(disk.path(), MountFlags::empty(), c"").unwrap();
    writer.flush(LONG).unwrap();
    assert_eq!(numbers(&reader(disk.path()), 7), [1]);
    close(writer);
}

#[test]
fn a_file_that_may_no_longer_be_written() {
    use std::os::unix::fs::PermissionsExt as _;
    if is_root() {
        eprintln!("skipped: root may write everything");
        return;
    }
    let above = tempfile::tempdir().unwrap();
    fs::set_permissions(above.path(), fs::Permissions::from_mode(0o500)).unwrap();
    let writer = writer(&above.path().join("store"));
    writer.push(exit(7, 1));
    writer.flush(LONG).unwrap_err();
    assert!(reason(&writer).contains("run as a user who may write there"));
    fs::set_permissions(above.path(), fs::Permissions::from_mode(0o700)).unwrap();
    writer.flush(LONG).unwrap();
    close(writer);
}

#[test]
fn a_folder_that_vanishes() {
    let above = tempfile::tempdir().unwrap();
    let folder: PathBuf = above.path().join("store");
    let writer = writer(&folder);
    writer.push(exit(7, 1));
    writer.flush(LONG).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    writer.push(exit(7, 2));
    writer.flush(LONG).unwrap();
    assert_eq!(numbers(&reader(&folder), 7), [2]);

    // Something else is in its place.
    fs::rename(&folder, above.path().join("moved")).unwrap();
    fs::write(&folder, b"").unwrap();
    writer.push(exit(7, 3));
    writer.flush(LONG).unwrap_err();
    assert!(reason(&writer).contains("make the folder"), "{}", reason(&writer));
    writer.push(exit(7, 4));
    fs::remove_file(&folder).unwrap();
    writer.flush(LONG).unwrap();
    assert_eq!(writer.status().state, StoreState::Storing);
    assert_eq!(numbers(&reader(&folder), 7), [3, 4]);
    // What was stored is where it was stored.
    assert_eq!(numbers(&reader(&above.path().join("moved")), 7), [2]);
    close(writer);
}

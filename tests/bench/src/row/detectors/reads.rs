//! Beginnings of new files, read to find equal ones.

use std::fs;
use std::hint::black_box;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use genome_trace::kernel::file_content::content;
use genome_trace::model::FileToRead;
use rustix::fs::{major, minor};

use super::READS;
use crate::clock::cpu_time;
use crate::machine::Place;
use crate::stats::Spread;

/// How often all of them are read.
const TIMES: u32 = 21;
const BYTES: usize = 4096;

/// CPU time of a file that is read, in microseconds. They were just written, as
/// those that a recorder reads.
pub(super) fn measure(disk: &Path) -> anyhow::Result<Spread> {
    let place = Place::under(disk)?;
    let files =
        (0..READS).map(|number| file(&place, number)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let before = cpu_time(std::process::id())?;
        let read = files.iter().filter(|file| black_box(content(file)).is_ok()).count();
        let cpu = cpu_time(std::process::id())?.saturating_sub(before);
        ensure!(read == files.len(), "{read} of {} files could be read", files.len());
        took.push(cpu.as_secs_f64() * 1e6 / f64::from(READS));
    }
    Spread::of(&took).context("no file was read")
}

fn file(place: &Place, number: u32) -> anyhow::Result<FileToRead> {
    let path = place.path(&format!("answer-{number}.json"));
    let text = format!("{number:>BYTES$}");
    fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
    let found = fs::metadata(&path).with_context(|| format!("look at {}", path.display()))?;
    Ok(FileToRead {
        path: path.as_os_str().as_bytes().to_vec(),
        device: (major(found.dev()), minor(found.dev())),
        inode: found.ino(),
        ..FileToRead::default()
    })
}

//! The machine that is measured on, and where on it the work is done.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a figure depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// uname's release.
    pub(crate) kernel: String,
    /// uname's machine.
    pub(crate) arch: String,
    /// Processors that this process may run on.
    pub(crate) cpus: usize,
    /// What /proc/cpuinfo calls them; `None` where it does not.
    pub(crate) cpu_model: Option<String>,
    /// Bytes of memory; `None` where /proc/meminfo does not say.
    pub(crate) memory_bytes: Option<u64>,
    /// genome-trace's version.
    pub(crate) tracer: String,
    /// Its usable modes, the one that it takes by itself first.
    pub(crate) modes: Vec<String>,
}

impl Machine {
    /// Asks the kernel, and the tracer for the modes that it has here.
    pub(crate) fn look(tracer: &Path, cpus: &Cpus) -> anyhow::Result<Self> {
        let uname = rustix::system::uname();
        let doctor = ask_doctor(tracer)?;
        Ok(Self {
            kernel: uname.release().to_string_lossy().into_owned(),
            arch: uname.machine().to_string_lossy().into_owned(),
            cpus: cpus.all.len(),
            cpu_model: field_of("/proc/cpuinfo", "model name").filter(|name| name != "unknown"),
            memory_bytes: field_of("/proc/meminfo", "MemTotal").and_then(|text| kib(&text)),
            tracer: doctor.get("version").and_then(Value::as_str).unwrap_or("unknown").to_owned(),
            modes: usable_modes(&doctor),
        })
    }
}

fn ask_doctor(tracer: &Path) -> anyhow::Result<Value> {
    let output = Command::new(tracer)
        .args(["doctor", "--format=json"])
        .output()
        .with_context(|| format!("start {} doctor", tracer.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).with_context(|| {
        let talk = String::from_utf8_lossy(&output.stderr);
        format!("read what {} doctor says: {text}{talk}", tracer.display())
    })
}

/// The tracer's own choice first.
fn usable_modes(doctor: &Value) -> Vec<String> {
    let text =
        |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    let selected = text(doctor, "selected_mode");
    let entries = doctor.get("modes").and_then(Value::as_array);
    let mut modes: Vec<String> = entries
        .into_iter()
        .flatten()
        .filter(|entry| entry.get("usable").and_then(Value::as_bool) == Some(true))
        .filter_map(|entry| text(entry, "mode"))
        .collect();
    modes.sort_by_key(|mode| Some(mode) != selected.as_ref());
    modes
}

fn field_of(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let (field, value) = line.split_once(':')?;
        (field.trim() == name).then(|| value.trim().to_owned())
    })
}

fn kib(text: &str) -> Option<u64> {
    text.strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Which processors do what.
pub(crate) struct Cpus {
    /// All that we may use.
    pub(crate) all: Vec<usize>,
    /// The one that measured loops run on; empty where there is no other.
    pub(crate) work: Vec<usize>,
}

impl Cpus {
    /// Gives the work a processor of its own, and keeps this process, and the
    /// tracers that it will start, on the others.
    pub(crate) fn divide() -> anyhow::Result<Self> {
        let ours = sched_getaffinity(None).context("ask for this process' processors")?;
        let all: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| ours.is_set(*cpu)).collect();
        let Some((work, others)) = all.split_last().filter(|(_, others)| !others.is_empty()) else {
            return Ok(Self { all, work: Vec::new() });
        };
        keep_to(others).context("leave a processor to the work")?;
        let work = vec![*work];
        Ok(Self { all, work })
    }

    /// Whatever is started meanwhile may run on all of them.
    pub(crate) fn undivided<T>(&self, work: impl FnOnce() -> T) -> anyhow::Result<T> {
        let ours = sched_getaffinity(None).context("ask for this process' processors")?;
        keep_to(&self.all).context("give all processors to the work")?;
        let done = work();
        sched_setaffinity(None, &ours).context("leave a processor to the work again")?;
        Ok(done)
    }
}

fn keep_to(cpus: &[usize]) -> rustix::io::Result<()> {
    let mut set = CpuSet::new();
    cpus.iter().for_each(|cpu| set.set(*cpu));
    sched_setaffinity(None, &set)
}

/// How the names of our folders begin; then comes the process that made them.
const PREFIX: &str = "genome-trace-bench-";

/// A folder of ours on a file system of some sort, which goes with the value.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// A new folder under `base`, which must be on a file system of that name.
    pub(crate) fn on(base: &Path, file_system: &str) -> anyhow::Result<Self> {
        let found = file_system_of(base)?;
        ensure!(found == file_system, "{} is on {found}, not on {file_system}", base.display());
        Self::under(base)
    }

    /// A new folder under `base`.
    pub(crate) fn under(base: &Path) -> anyhow::Result<Self> {
        sweep(base);
        let folder = tempfile::Builder::new()
            .prefix(&format!("{PREFIX}{}-", std::process::id()))
            .tempdir_in(base)
            .with_context(|| format!("make a folder in {}", base.display()))?;
        Ok(Self { folder })
    }

    /// Asks ext4 to put each folder made in this one into a region of its own,
    /// as it does at the top of a tree: so no run meets what another left.
    pub(crate) fn spread_folders(&self) {
        // Where the file system does not know the wish, there is nothing to do.
        let _ = File::open(self.folder.path()).map(|folder| {
            let flags = ioctl_getflags(&folder)?;
            ioctl_setflags(&folder, flags | IFlags::TOPDIR)
        });
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Takes away what benchmarks left that were killed.
fn sweep(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        if entry.file_name().to_str().and_then(owner).is_some_and(|owner| !is_alive(owner)) {
            // What cannot be removed does not stand in the way.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The process that made a folder of that name.
fn owner(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.split_once('-')?.0.parse().ok()
}

fn is_alive(tgid: u32) -> bool {
    Path::new("/proc").join(tgid.to_string()).exists()
}

/// The name of the file system that holds a path, by statfs(2).
pub(crate) fn file_system_of(path: &Path) -> anyhow::Result<String> {
    let found =
        rustix::fs::statfs(path).with_context(|| format!("ask what {} is on", path.display()))?;
    Ok(file_system_name(found.f_type as u64))
}

/// include/uapi/linux/magic.h
fn file_system_name(magic: u64) -> String {
    match magic {
        0xef53 => "ext4",
        0x0102_1994 => "tmpfs",
        0x5846_5342 => "xfs",
        0x9123_683e => "btrfs",
        0x794c_7630 => "overlayfs",
        0x8584_58f6 => "ramfs",
        other => return format!("file system {other:#x}"),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_choice_comes_first_and_unusable_not_at_all() {
        let doctor = serde_json::json!({
            "selected_mode": "tracepoint",
            "modes": [
                { "mode": "fexit", "usable": false },
                { "mode": "kprobe", "usable": true },
                { "mode": "tracepoint", "usable": true },
            ],
        });
        assert_eq!(usable_modes(&doctor), ["tracepoint", "kprobe"]);
    }

    #[test]
    fn only_folders_of_the_dead_are_swept() {
        let base = tempfile::tempdir().unwrap();
        // No process has the greatest number that there is.
        let names = ["genome-trace-bench-4294967295-x", "genome-trace-bench-x", "other"];
        for name in names {
            fs::create_dir(base.path().join(name)).unwrap();
        }
        let ours = Place::under(base.path()).unwrap();
        let left: Vec<bool> = names.map(|name| base.path().join(name).exists()).into();
        assert_eq!(left, [false, true, true]);
        sweep(base.path());
        assert!(ours.folder.path().exists());
    }

    #[test]
    fn file_systems_have_names() {
        assert_eq!(file_system_name(0xef53), "ext4");
        assert_eq!(file_system_name(0x42), "file system 0x42");
    }

    #[test]
    fn sizes_of_meminfo() {
        assert_eq!(kib("2048 kB"), Some(2 << 20));
        assert_eq!(kib("2048"), None);
    }
}

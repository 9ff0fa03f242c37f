//! The GPUs' part of a trace, from the command line, and what `doctor` finds of
//! it.

use std::{io, path::Path, time::Duration};

use anyhow::Context as _;

use crate::{
    cli::Interval,
    gpu::{DEFAULT_LIBRARY, Depth, GpuMonitor, Library, read_once},
    kernel::{
        clock::boot_ns,
        log::{KERNEL_LOG, KernelLog},
        namespace, pci,
    },
    model::{Check, CheckState, EventKind, GpuAccess, GpuHealth, GpuSnapshot},
    pipeline::GpuParts,
    render::units::Elapsed,
};

/// How long the driver may take to answer: a GPU that is about to be lost
/// answers late.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// What tells of GPUs during a trace; nothing where nobody asked for it.
pub(super) fn parts(
    interval: Interval,
    nvml_library: &Path,
    kernel_log: &Path,
) -> anyhow::Result<Option<GpuParts>> {
    let Interval::Every(interval) = interval else { return Ok(None) };
    let library = Library::new(nvml_library.to_owned());
    let monitor = GpuMonitor::start(library, Depth::Memory, interval, boot_ns)
        .context("cannot start the thread that looks at GPUs")?;
    Ok(Some(GpuParts {
        monitor,
        interval,
        library: nvml_library.display().to_string(),
        is_asked_for: nvml_library.as_os_str() != DEFAULT_LIBRARY,
        reads_proc: namespace::pids_are_the_machines(),
        // doctor says what its absence means.
        log: KernelLog::open(kernel_log).ok(),
        say: Box::new(|notice| eprintln!("{notice}")),
    }))
}

/// Whether GPUs have a part in any kind that is shown.
pub(super) fn is_wanted(kinds: &[EventKind]) -> bool {
    const THEIRS: [EventKind; 3] = [EventKind::Exit, EventKind::GpuXid, EventKind::VramSpike];
    kinds.is_empty() || kinds.iter().any(|kind| THEIRS.contains(kind))
}

/// What `doctor` finds.
pub(super) fn checks(library: Library) -> Vec<Check> {
    let name = library.path().display().to_string();
    let (access, snapshot) = read_once(library, PATIENCE, boot_ns);
    let has_gpus = snapshot.as_ref().is_some_and(|snapshot| !snapshot.gpus.is_empty());
    let mut checks = vec![driver_check(&name, &access, snapshot.as_ref(), pci::nvidia_gpus())];
    if has_gpus {
        checks.extend(snapshot.iter().flat_map(health_checks));
        checks.push(log_check(KernelLog::open(KERNEL_LOG.as_ref()).err()));
        if !namespace::pids_are_the_machines() {
            checks.push(Check {
                name: "GPU processes".to_owned(),
                state: CheckState::Gap,
                found: "this is a container with PIDs of its own, and the driver's are the \
                        machine's"
                    .to_owned(),
                remedy: Some("run it on the host, or share the host's PIDs (--pid=host)".into()),
            });
        }
    }
    checks
}

fn driver_check(
    library: &str,
    access: &GpuAccess,
    snapshot: Option<&GpuSnapshot>,
    on_the_bus: usize,
) -> Check {
    let (state, found, remedy) = match (access, snapshot) {
        (GpuAccess::Ready, Some(snapshot)) => (CheckState::Ok, looked(snapshot), None),
        (GpuAccess::NoLibrary, _) if on_the_bus == 0 => {
            (CheckState::Ok, format!("no GPU: none on the bus, and no library {library}"), None)
        }
        (GpuAccess::NoLibrary, _) => (
            CheckState::Gap,
            format!("no library {library}, though the bus has {on_the_bus} by NVIDIA"),
            Some("install the driver's library, or name it with --nvml-library".to_owned()),
        ),
        (GpuAccess::NoDriver, _) => (
            CheckState::Gap,
            format!("{library} is there, the NVIDIA driver is not loaded"),
            Some("modprobe nvidia; where that fails, dmesg says why".to_owned()),
        ),
        (GpuAccess::Stalled | GpuAccess::Ready, _) => (
            CheckState::Gap,
            format!("the NVIDIA driver did not answer within {} s", PATIENCE.as_secs()),
            Some("look for Xid and NVRM in dmesg; traces go on without VRAM".to_owned()),
        ),
        (GpuAccess::Failed(why), _) => (
            CheckState::Gap,
            format!("{library} cannot be used: {why}"),
            Some("see what nvidia-smi says, or name another with --nvml-library".to_owned()),
        ),
    };
    Check { name: "GPU".to_owned(), state, found, remedy }
}

fn looked(snapshot: &GpuSnapshot) -> String {
    let count = snapshot.gpus.len();
    let plural = if count == 1 { "" } else { "s" };
    let driver = snapshot.driver_version.as_deref().unwrap_or("unknown");
    let took = Elapsed(snapshot.took_ns);
    format!("{count} GPU{plural}, NVIDIA driver {driver}; a look at everything took {took}")
}

fn health_checks(snapshot: &GpuSnapshot) -> impl Iterator<Item = Check> {
    snapshot.gpus.iter().filter_map(|gpu| {
        let index = gpu.identity.index;
        let (found, remedy) = match &gpu.health {
            GpuHealth::Ok => return None,
            GpuHealth::Lost => (
                "it has fallen off the bus".to_owned(),
                "end the processes that use it, and restart the machine".to_owned(),
            ),
            GpuHealth::Failed(why) => {
                (format!("the driver refuses: {why}"), "see what nvidia-smi says".to_owned())
            }
        };
        Some(Check {
            name: format!("GPU {index}"),
            state: CheckState::Gap,
            found,
            remedy: Some(remedy),
        })
    })
}

/// NVML tells of an error on which GPU it was; only the log names the process.
fn log_check(refused: Option<io::Error>) -> Check {
    let (state, found, remedy) = match refused {
        None => (
            CheckState::Ok,
            "readable: an XID error says whose work it was, where the driver names it".to_owned(),
            None,
        ),
        Some(error) => (
            CheckState::Gap,
            format!(
                "{} cannot be read: {error}: an XID error does not say whose work it was",
                KERNEL_LOG
            ),
            Some("run with sudo, or give CAP_SYSLOG; in a container add --device=/dev/kmsg".into()),
        ),
    };
    Check { name: "kernel log".to_owned(), state, found, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_kinds_that_gpus_have_a_part_in_want_them() {
        assert!(is_wanted(&[]));
        assert!(is_wanted(&[EventKind::Exec, EventKind::Exit]));
        assert!(!is_wanted(&[EventKind::Exec, EventKind::FileWrite]));
    }

    #[test]
    fn a_machine_without_a_gpu_is_as_it_should_be_and_one_without_its_library_is_not() {
        let state = |access, on_the_bus| driver_check("x.so", &access, None, on_the_bus).state;
        assert_eq!(state(GpuAccess::NoLibrary, 0), CheckState::Ok);
        assert_eq!(state(GpuAccess::NoLibrary, 2), CheckState::Gap);
        assert_eq!(state(GpuAccess::NoDriver, 0), CheckState::Gap);
        assert_eq!(state(GpuAccess::Stalled, 0), CheckState::Gap);
    }

    #[test]
    fn a_quick_look_took_some_time_all_the_same() {
        let snapshot = GpuSnapshot {
            ktime_ns: 0,
            took_ns: 260_000,
            driver_version: Some("580.82.07".into()),
            cuda_version: None,
            gpus: Vec::new(),
        };
        let found = driver_check("x.so", &GpuAccess::Ready, Some(&snapshot), 0).found;
        assert_eq!(found, "0 GPUs, NVIDIA driver 580.82.07; a look at everything took 260 µs");
    }

    #[test]
    fn every_gap_has_a_remedy() {
        let refused = io::Error::from(io::ErrorKind::PermissionDenied);
        let accesses = [
            GpuAccess::NoLibrary,
            GpuAccess::NoDriver,
            GpuAccess::Stalled,
            GpuAccess::Failed("wrong ELF class".into()),
        ];
        let mut checks: Vec<_> =
            accesses.iter().map(|access| driver_check("x.so", access, None, 1)).collect();
        checks.push(log_check(Some(refused)));
        for check in checks {
            assert!(check.state == CheckState::Ok || check.remedy.is_some(), "{check:?}");
        }
    }
}

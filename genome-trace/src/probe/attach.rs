//! Loading the BPF object and attaching the probes of a plan.

use std::{fmt, io::Read as _, os::fd::AsFd as _};

use aya::{
    Ebpf, EbpfLoader,
    maps::{Array, HashMap, Map, MapData, PerCpuArray},
    programs::{Iter, Program, ProgramError},
};
use genome_trace_common::{
    KernelFacts, Kind, LostCounts, NO_SYSCALL, ProgramConfig, SyscallNumbers,
};

use super::{
    Mode, Plan, ProbeVerdict, Verdict,
    spec::{Hook, ProbeSpec},
};
use crate::{kernel::syscall, model::EventKind};

/// The BPF programs, as `cargo xtask build-ebpf` built them.
static OBJECT: &[u8] = aya::include_bytes_aligned!("../../bpf/genome-trace.bpf.o");

/// Sizes of what the kernel side keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rings {
    /// Ring of processes, in bytes: a power of two, at least a page.
    pub lifecycle_bytes: u32,
    /// Ring of files, likewise.
    pub io_bytes: u32,
    /// Counts of (process, file) that fit between two flushes.
    pub counts: u32,
}

/// Whose files, and which of their events, the programs look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// A process whose own files are not counted.
    pub excluded_tgid: Option<u32>,
    /// Only processes that are watched have their files counted.
    pub only_watched: bool,
    /// Processes are told by their cgroup in the (v1) memory hierarchy.
    pub cgroup_v1_memory: bool,
    /// The file kinds that are wanted.
    pub file_kinds: Vec<EventKind>,
    /// Programs can be preempted here, and so have backups.
    pub has_backups: bool,
    /// Processes that exec are watched until their persona is decided on.
    pub wants_candidates: bool,
}

impl Scope {
    fn config(&self) -> ProgramConfig {
        let bit = |kind: &EventKind| match kind {
            EventKind::FileCreate => 1 << Kind::FileCreate as u32,
            EventKind::FileWrite => 1 << Kind::FileWrite as u32,
            EventKind::FileUnlink => 1 << Kind::FileUnlink as u32,
            _ => 0,
        };
        ProgramConfig {
            excluded_tgid: self.excluded_tgid.unwrap_or(0),
            only_watched: self.only_watched.into(),
            cgroup_v1_memory: self.cgroup_v1_memory.into(),
            file_kinds: self.file_kinds.iter().fold(0, |bits, kind| bits | bit(kind)),
            has_backups: self.has_backups.into(),
            wants_candidates: self.wants_candidates.into(),
        }
    }
}

/// Why probes could not be attached.
#[derive(Debug)]
pub enum AttachError {
    /// The object, or its maps, could not be loaded.
    Load(String),
    /// A map that the object must have is not in it, or of another type.
    Map(&'static str),
    /// A probe that nothing works without was refused.
    Essential {
        /// Its program.
        program: &'static str,
        /// The kernel's words.
        reason: String,
    },
    /// A probe was refused that its mode is of no use without.
    Mode(Mode, String),
    /// The task iterator does not work.
    Tasks(String),
}

impl fmt::Display for AttachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(reason) => write!(f, "cannot load the BPF object: {reason}"),
            Self::Map(name) => write!(f, "the BPF object has no usable map {name}"),
            Self::Essential { program, reason } => {
                write!(f, "the kernel refused the probe {program}: {reason}")
            }
            Self::Tasks(reason) => write!(f, "the kernel refused the task iterator: {reason}"),
            Self::Mode(mode, reason) => write!(f, "{mode} mode does not work here: {reason}"),
        }
    }
}

impl std::error::Error for AttachError {}

/// The loaded object. Dropping it detaches everything.
pub struct Object {
    ebpf: Ebpf,
    btf: aya::Btf,
    attached: Vec<&'static ProbeSpec>,
}

impl Object {
    /// Loads the embedded object: creates its maps and sets its constants. No
    /// program is verified yet.
    ///
    /// # Errors
    /// [`AttachError::Load`], with the kernel's words.
    pub fn load(facts: &KernelFacts, scope: &Scope, rings: Rings) -> Result<Self, AttachError> {
        let fail = |error: &dyn std::error::Error| AttachError::Load(chain(error));
        let btf = aya::Btf::from_sys_fs().map_err(|error| fail(&error))?;
        let calls = syscall_numbers();
        let config = scope.config();
        let ebpf = EbpfLoader::new()
            .btf(Some(&btf))
            .override_global("KERNEL", facts, true)
            .override_global("SYSCALLS", &calls, true)
            .override_global("CONFIG", &config, true)
            .map_max_entries("LIFECYCLE", rings.lifecycle_bytes)
            .map_max_entries("IO", rings.io_bytes)
            .map_max_entries("COUNTS_0", rings.counts)
            .map_max_entries("COUNTS_1", rings.counts)
            .load(OBJECT)
            .map_err(|error| fail(&error))?;
        Ok(Self { ebpf, btf, attached: Vec::new() })
    }

    /// Attaches the probes of `plan` and writes what became of each into it.
    /// What is attached already stays.
    ///
    /// # Errors
    /// [`AttachError::Mode`] where the plan's mode turns out not to work: its
    /// probes are detached again, and another plan may be tried.
    /// [`AttachError::Essential`] where nothing would.
    pub fn attach(&mut self, plan: &mut Plan) -> Result<(), AttachError> {
        for probe in &mut plan.probes {
            let spec = probe.spec;
            if self.attached.contains(&spec) {
                probe.verdict = Verdict::Attached;
            }
            if probe.verdict != Verdict::Planned {
                continue;
            }
            // The first of a row must run first. Trampolines run what was
            // attached last first, tracepoints what was attached first.
            let backups_first = matches!(spec.hook, Hook::Fentry(_) | Hook::Fexit(_));
            if backups_first {
                self.attach_backups(probe);
            }
            match self.attach_one(spec.program, spec.hook, &probe.target) {
                Ok(()) => {
                    self.attached.push(spec);
                    probe.verdict = Verdict::Attached;
                    if !backups_first {
                        self.attach_backups(probe);
                    }
                }
                Err(reason) => {
                    probe.verdict = Verdict::Refused(reason.clone());
                    match spec.mode {
                        Some(mode) if spec.essential => {
                            self.detach_mode(mode);
                            return Err(AttachError::Mode(
                                mode,
                                format!("{}: {reason}", spec.program),
                            ));
                        }
                        None if spec.essential => {
                            return Err(AttachError::Essential { program: spec.program, reason });
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// One that is refused is missed only as long as the others are preempted,
    /// and what is missed then is told.
    fn attach_backups(&mut self, probe: &mut ProbeVerdict) {
        let ProbeSpec { backups, hook, .. } = *probe.spec;
        let planned = backups.iter().take(probe.backups);
        let in_order: Vec<_> = match hook {
            Hook::Fentry(_) | Hook::Fexit(_) => planned.rev().collect(),
            _ => planned.collect(),
        };
        let attached =
            in_order.into_iter().filter(|name| self.attach_one(name, hook, &probe.target).is_ok());
        probe.backups = attached.count();
    }

    fn attach_one(&mut self, name: &str, hook: Hook, target: &str) -> Result<(), String> {
        let missing = || format!("the BPF object has no program {name}");
        let program = self.ebpf.program_mut(name).ok_or_else(missing)?;
        attach_program(program, hook, target, &self.btf).map_err(|error| reason(&error))
    }

    fn detach_mode(&mut self, mode: Mode) {
        let (gone, kept) =
            std::mem::take(&mut self.attached).into_iter().partition(|s| s.mode == Some(mode));
        self.attached = kept;
        let gone = Vec::<&'static ProbeSpec>::from_iter(gone);
        for name in gone.iter().flat_map(|spec| spec.backups.iter().chain([&spec.program])) {
            // A program that is loaded can be unloaded; the others are not.
            let _ = match self.ebpf.program_mut(name) {
                Some(Program::BtfTracePoint(program)) => program.unload(),
                Some(Program::FEntry(program)) => program.unload(),
                Some(Program::FExit(program)) => program.unload(),
                Some(Program::KProbe(program)) => program.unload(),
                _ => Ok(()),
            };
        }
    }

    /// The processes that there are now: one record of the kind `Task` each.
    ///
    /// # Errors
    /// The kernel's words, where it refuses the iterator.
    pub fn read_tasks(&mut self) -> Result<Vec<u8>, AttachError> {
        let program = self.ebpf.program_mut("task").and_then(|p| <&mut Iter>::try_from(p).ok());
        let program = program.ok_or(AttachError::Tasks("the BPF object has none".to_owned()))?;
        let link = program
            .load("task", &self.btf)
            .and_then(|()| program.attach())
            .and_then(|id| program.take_link(id));
        let fail = |error: &dyn std::error::Error| AttachError::Tasks(chain(error));
        let mut tasks = link
            .map_err(|error| AttachError::Tasks(reason(&error)))?
            .into_file()
            .map_err(|error| fail(&error))?;
        let mut records = Vec::new();
        tasks.read_to_end(&mut records).map_err(|error| fail(&error))?;
        Ok(records)
    }

    /// Takes the maps out, for those who read them.
    ///
    /// # Errors
    /// [`AttachError::Map`] where the object lacks one.
    pub fn into_probes(mut self) -> Result<Probes, AttachError> {
        let lifecycle = self.take("LIFECYCLE")?;
        let io = self.take("IO")?;
        let rescued = self.typed("RESCUED", |map| PerCpuArray::try_from(map).ok())?;
        let lost = self.typed("LOST", |map| PerCpuArray::try_from(map).ok())?;
        let epoch = self.typed("EPOCH", |map| Array::try_from(map).ok())?;
        let counts = [self.take("COUNTS_0")?, self.take("COUNTS_1")?];
        let watched = self.typed("WATCHED", |map| HashMap::try_from(map).ok())?;
        Ok(Probes { object: self, lifecycle, io, lost, rescued, epoch, counts, watched })
    }

    fn take(&mut self, name: &'static str) -> Result<MapData, AttachError> {
        match self.ebpf.take_map(name) {
            Some(Map::RingBuf(data) | Map::HashMap(data)) => Ok(data),
            _ => Err(AttachError::Map(name)),
        }
    }

    fn typed<T>(
        &mut self,
        name: &'static str,
        convert: impl FnOnce(Map) -> Option<T>,
    ) -> Result<T, AttachError> {
        self.ebpf.take_map(name).and_then(convert).ok_or(AttachError::Map(name))
    }

    /// Calls that the kernel skipped, because the program was already running
    /// on that CPU. Backups, where there are any, take some of them on.
    #[must_use]
    pub fn skipped_calls(&self) -> u64 {
        let programs = self.attached.iter().filter_map(|spec| self.ebpf.program(spec.program));
        programs
            // A kernel that does not tell skips none that we could know of.
            .filter_map(|program| syscall::skipped_calls(program.fd().ok()?.as_fd()).ok())
            .fold(0, u64::saturating_add)
    }
}

/// The attached probes and the maps that they fill.
pub struct Probes {
    /// Keeps the programs attached.
    pub object: Object,
    /// Ring of processes.
    pub lifecycle: MapData,
    /// Ring of files.
    pub io: MapData,
    /// Per-kind losses, per CPU.
    pub lost: PerCpuArray<MapData, LostCounts>,
    /// Skipped calls that a backup took on, per CPU.
    pub rescued: PerCpuArray<MapData, u64>,
    /// Which map of counts is current.
    pub epoch: Array<MapData, u32>,
    /// The two maps of counts.
    pub counts: [MapData; 2],
    /// Processes asked for.
    pub watched: HashMap<MapData, u32, u32>,
}

fn attach_program(
    program: &mut Program,
    hook: Hook,
    target: &str,
    btf: &aya::Btf,
) -> Result<(), ProgramError> {
    match (hook, program) {
        (Hook::TracepointBtf(name), Program::BtfTracePoint(program)) => {
            program.load(name, btf)?;
            program.attach().map(drop)
        }
        (Hook::Fentry(_), Program::FEntry(program)) => {
            program.load(target, btf)?;
            program.attach().map(drop)
        }
        (Hook::Fexit(_), Program::FExit(program)) => {
            program.load(target, btf)?;
            program.attach().map(drop)
        }
        (Hook::Kprobe(_) | Hook::Kretprobe(_), Program::KProbe(program)) => {
            program.load()?;
            program.attach(target, 0).map(drop)
        }
        _ => Err(ProgramError::UnexpectedProgramType),
    }
}

/// The kernel's words on a refused program: its error, and the verifier's last
/// lines, where the verifier said anything.
fn reason(error: &ProgramError) -> String {
    match error {
        ProgramError::LoadError { io_error, verifier_log } => {
            let log = verifier_log.to_string();
            let said: Vec<_> = log
                .lines()
                .rev()
                .filter(|line| !line.trim().is_empty() && !line.starts_with("processed "))
                .take(3)
                .collect();
            if said.is_empty() {
                io_error.to_string()
            } else {
                let said: Vec<_> = said.into_iter().rev().collect();
                format!("{io_error} (verifier: {})", said.join("; "))
            }
        }
        error => chain(error),
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}

/// This architecture's system calls; the newer ones have only the `at` forms.
const fn syscall_numbers() -> SyscallNumbers {
    SyscallNumbers {
        write: libc::SYS_write,
        pwrite64: libc::SYS_pwrite64,
        writev: libc::SYS_writev,
        pwritev: libc::SYS_pwritev,
        pwritev2: libc::SYS_pwritev2,
        sendfile: libc::SYS_sendfile,
        splice: libc::SYS_splice,
        copy_file_range: libc::SYS_copy_file_range,
        openat: libc::SYS_openat,
        openat2: libc::SYS_openat2,
        unlinkat: libc::SYS_unlinkat,
        #[cfg(target_arch = "x86_64")]
        open: libc::SYS_open,
        #[cfg(target_arch = "x86_64")]
        creat: libc::SYS_creat,
        #[cfg(target_arch = "x86_64")]
        unlink: libc::SYS_unlink,
        #[cfg(not(target_arch = "x86_64"))]
        open: NO_SYSCALL,
        #[cfg(not(target_arch = "x86_64"))]
        creat: NO_SYSCALL,
        #[cfg(not(target_arch = "x86_64"))]
        unlink: NO_SYSCALL,
    }
}

#[cfg(target_arch = "x86_64")]
const _: i64 = NO_SYSCALL;

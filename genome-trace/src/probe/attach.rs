//! Loading the BPF object and attaching the probes of a plan.

use std::{
    collections::HashMap as StdHashMap,
    fmt, io,
    os::fd::{AsFd as _, BorrowedFd, OwnedFd},
};

use aya::{
    Ebpf, EbpfLoader,
    maps::{Array, HashMap, Map, MapData, PerCpuArray},
    programs::{Iter, Program, ProgramError},
};
use genome_trace_common::{KernelFacts, Kind, LostCounts, ProgramConfig, StderrTail};

use super::{
    Mode, Plan, ProbeVerdict, Verdict,
    acts::{acts, write_call},
    kernel_function::with_calls,
    kernel_types::KernelTypes,
    object_file,
    spec::{Hook, PROBES, ProbeSpec},
    tasks::Tasks,
    verify::{self, Purpose},
};
use crate::{
    kernel::{
        syscall::{self, attach_to_tracepoint, without_opening},
        tracefs::Tracefs,
    },
    model::EventKind,
};

/// Sizes of what the kernel side keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rings {
    /// Ring of processes, in bytes: a power of two, at least a page.
    pub lifecycle_bytes: u32,
    /// Ring of files, likewise.
    pub io_bytes: u32,
    /// Counts of (process, file) that fit between two flushes.
    pub counts: u32,
    /// Counts of busy files for both epochs and all processors.
    pub hot_counts: u32,
    /// Elements of the map that marks who is watched.
    pub mark_blocks: u32,
    /// Processes whose standard error may be kept at the same time.
    pub stderr_tails: u32,
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
    /// Processors that there may ever be.
    pub processors: u32,
    /// The end of what processes write to standard error is kept, of those
    /// that are asked for.
    pub keeps_stderr: bool,
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
            processors: self.processors,
            stderr_call: if self.keeps_stderr { write_call() } else { u32::MAX },
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

/// The iterator that tells which processes there are at the start: the name of
/// the program, and of what it goes through.
pub(super) const TASKS: &str = "task";

/// What the kernel refused to load, and why.
type Refused = StdHashMap<String, ProgramError>;

/// The loaded object. Dropping it detaches everything.
pub struct Object {
    ebpf: Ebpf,
    /// The ids of what programs are attached to, until everything is attached:
    /// they take some room.
    btf: Option<aya::Btf>,
    attached: Vec<&'static ProbeSpec>,
    /// Open as long as its programs are to run.
    exits: Vec<(&'static str, OwnedFd)>,
    tracefs: Option<Tracefs>,
}

impl Object {
    /// Loads the embedded object: creates its maps and sets its constants. No
    /// program is verified yet.
    ///
    /// # Errors
    /// [`AttachError::Load`], with the kernel's words.
    pub fn load(
        facts: &KernelFacts,
        types: KernelTypes,
        scope: &Scope,
        rings: Rings,
    ) -> Result<Self, AttachError> {
        let fail = |error: &dyn std::error::Error| AttachError::Load(chain(error));
        let acts = acts();
        let config = scope.config();
        // A new loader reads all of the kernel's types, for relocations, of
        // which the object has none.
        let mut loader = without_opening(EbpfLoader::new);
        let ebpf = loader
            .btf(None)
            .override_global("KERNEL", facts, true)
            .override_global("SYSCALLS", &acts, true)
            .override_global("CONFIG", &config, true)
            .map_max_entries("LIFECYCLE", rings.lifecycle_bytes)
            .map_max_entries("IO", rings.io_bytes)
            .map_max_entries("COUNTS_0", rings.counts)
            .map_max_entries("COUNTS_1", rings.counts)
            .map_max_entries("HOT", rings.hot_counts)
            .map_max_entries("WATCH_MARKS", rings.mark_blocks)
            .map_max_entries("STDERR_TAILS", rings.stderr_tails)
            .load(&with_calls(object_file::of_this_kernel(), facts))
            .map_err(|error| fail(&error))?;
        let btf = types.get().map_err(AttachError::Load)?;
        Ok(Self { ebpf, btf: Some(btf), attached: Vec::new(), exits: Vec::new(), tracefs: None })
    }

    /// Attaches the probes of `plan` and writes what became of each into it.
    /// What is attached already stays.
    ///
    /// # Errors
    /// [`AttachError::Mode`] where the plan's mode turns out not to work: its
    /// probes are detached again, and another plan may be tried.
    /// [`AttachError::Essential`] where nothing would.
    pub fn attach(&mut self, plan: &mut Plan) -> Result<(), AttachError> {
        let mut refused = self.load_programs(plan);
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
                self.attach_backups(probe, &mut refused);
            }
            match self.attach_one(spec.program, spec.hook, &probe.target, &mut refused) {
                Ok(()) => {
                    self.attached.push(spec);
                    probe.verdict = Verdict::Attached;
                    if !backups_first {
                        self.attach_backups(probe, &mut refused);
                    }
                }
                Err(reason) => {
                    probe.verdict = Verdict::Refused(reason.clone());
                    match spec.mode {
                        Some(mode) if spec.essential => {
                            self.detach(|spec| spec.mode == Some(mode));
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

    /// Has the kernel verify what the plan attaches, and the task iterator.
    fn load_programs(&mut self, plan: &Plan) -> Refused {
        let Some(btf) = &self.btf else { return Refused::new() };
        let planned = plan.probes.iter().filter(|probe| probe.verdict == Verdict::Planned);
        let mut wanted: StdHashMap<_, _> = planned
            .flat_map(|probe| {
                let purpose = Purpose::Hook(probe.spec.hook, &probe.target);
                let backups = probe.spec.backups.iter().take(probe.backups);
                std::iter::once(&probe.spec.program)
                    .chain(backups)
                    .map(move |program| (*program, purpose))
            })
            .collect();
        wanted.insert(TASKS, Purpose::Tasks);
        verify::load(&mut self.ebpf, &wanted, btf)
    }

    /// One that is refused is missed only as long as the others are preempted,
    /// and what is missed then is told.
    fn attach_backups(&mut self, probe: &mut ProbeVerdict, refused: &mut Refused) {
        let ProbeSpec { backups, hook, .. } = *probe.spec;
        let planned = backups.iter().take(probe.backups);
        let in_order: Vec<_> = match hook {
            Hook::Fentry(_) | Hook::Fexit(_) => planned.rev().collect(),
            _ => planned.collect(),
        };
        let attached = in_order
            .into_iter()
            .filter(|name| self.attach_one(name, hook, &probe.target, refused).is_ok());
        probe.backups = attached.count();
    }

    fn attach_one(
        &mut self,
        name: &'static str,
        hook: Hook,
        target: &str,
        refused: &mut Refused,
    ) -> Result<(), String> {
        if let Some(error) = refused.remove(name) {
            return Err(reason(&error));
        }
        if let Hook::SyscallExits(events) = hook {
            return self.attach_to_exits(name, events).map_err(|error| error.to_string());
        }
        let missing = || format!("the BPF object has no program {name}");
        let program = self.ebpf.program_mut(name).ok_or_else(missing)?;
        attach_program(program, target).map_err(|error| reason(&error))
    }

    /// Attaches to those of the events that the kernel has: which is not each
    /// of them on every architecture, but the first.
    fn attach_to_exits(&mut self, name: &'static str, events: &[&str]) -> io::Result<()> {
        let tracefs = match &mut self.tracefs {
            Some(tracefs) => tracefs,
            none => none.insert(Tracefs::open()?),
        };
        let program = self.ebpf.program(name).ok_or(io::ErrorKind::NotFound)?;
        let program = program.fd().map_err(io::Error::other)?.as_fd();
        for (index, event) in events.iter().enumerate() {
            match tracefs.event_id(event) {
                Ok(id) => self.exits.push((name, attach_to_tracepoint(program, id)?)),
                Err(error) if index > 0 && error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Detaches what tells of files, of whatever mode.
    pub fn detach_files(&mut self) {
        self.detach(|spec| !spec.kinds.is_empty());
    }

    fn detach(&mut self, is_meant: impl Fn(&ProbeSpec) -> bool) {
        self.attached.retain(|spec| !is_meant(spec));
        let gone = PROBES.iter().filter(|spec| is_meant(spec));
        for name in gone.flat_map(|spec| spec.backups.iter().chain([&spec.program])) {
            self.exits.retain(|(program, _)| program != name);
            // A program that is loaded can be unloaded; the others are not.
            let _ = match self.ebpf.program_mut(name) {
                Some(Program::BtfTracePoint(program)) => program.unload(),
                Some(Program::FEntry(program)) => program.unload(),
                Some(Program::FExit(program)) => program.unload(),
                Some(Program::KProbe(program)) => program.unload(),
                Some(Program::TracePoint(program)) => program.unload(),
                _ => Ok(()),
            };
        }
    }

    /// What tells the processes that there are.
    ///
    /// # Errors
    /// The kernel's words, where it refuses the iterator.
    pub fn tasks(&mut self) -> Result<Tasks, AttachError> {
        let program = self.ebpf.program_mut(TASKS).and_then(|p| <&mut Iter>::try_from(p).ok());
        let program = program.ok_or(AttachError::Tasks("the BPF object has none".to_owned()))?;
        if program.fd().is_err()
            && let Some(btf) = &self.btf
        {
            program.load(TASKS, btf).map_err(|error| AttachError::Tasks(reason(&error)))?;
        }
        let program = program.fd().map_err(|error| AttachError::Tasks(reason(&error)))?;
        Tasks::new(program.as_fd()).map_err(|error| AttachError::Tasks(error.to_string()))
    }

    /// A program, where it is loaded.
    pub(super) fn loaded(&self, program: &str) -> Option<BorrowedFd<'_>> {
        Some(self.ebpf.program(program)?.fd().ok()?.as_fd())
    }

    /// Takes the maps out, for those who read them.
    ///
    /// # Errors
    /// [`AttachError::Map`] where the object lacks one.
    pub fn into_probes(mut self) -> Result<Probes, AttachError> {
        self.btf = None;
        self.tracefs = None;
        let lifecycle = self.take("LIFECYCLE")?;
        let io = self.take("IO")?;
        let rescued = self.typed("RESCUED", |map| PerCpuArray::try_from(map).ok())?;
        let lost = self.typed("LOST", |map| PerCpuArray::try_from(map).ok())?;
        let epoch = self.typed("EPOCH", |map| Array::try_from(map).ok())?;
        let counts = [self.take("COUNTS_0")?, self.take("COUNTS_1")?];
        let hot = self.take("HOT")?;
        let watched = self.typed("WATCHED", |map| HashMap::try_from(map).ok())?;
        let watch_marks = self.take("WATCH_MARKS")?;
        let stderr_tails = self.typed("STDERR_TAILS", |map| HashMap::try_from(map).ok())?;
        Ok(Probes {
            object: self,
            lifecycle,
            io,
            lost,
            rescued,
            epoch,
            counts,
            hot,
            watched,
            watch_marks,
            stderr_tails,
        })
    }

    fn take(&mut self, name: &'static str) -> Result<MapData, AttachError> {
        match self.ebpf.take_map(name) {
            Some(Map::RingBuf(data) | Map::HashMap(data) | Map::Array(data)) => Ok(data),
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
    /// The counts of busy files.
    pub hot: MapData,
    /// Processes asked for.
    pub watched: HashMap<MapData, u32, u32>,
    /// Which PIDs are among them.
    pub watch_marks: MapData,
    /// Ends of what processes wrote to standard error.
    pub stderr_tails: HashMap<MapData, u32, StderrTail>,
}

fn attach_program(program: &mut Program, target: &str) -> Result<(), ProgramError> {
    match program {
        Program::BtfTracePoint(program) => program.attach().map(drop),
        Program::FEntry(program) => program.attach().map(drop),
        Program::FExit(program) => program.attach().map(drop),
        Program::KProbe(program) => program.attach(target, 0).map(drop),
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

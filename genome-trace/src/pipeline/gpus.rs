//! The GPUs' part of a run: who holds what, joined with the kernel's
//! processes; errors of the driver, tied to whose work they were; and what is
//! said when the way to the GPUs changes.

use std::{
    collections::VecDeque,
    io,
    os::fd::{AsFd as _, OwnedFd},
    time::Duration,
};

use rustc_hash::FxHashMap;
use tokio::{io::unix::AsyncFd, time::Instant};

use super::{
    attribution::Attribution,
    xids::{Xid, Xids},
};
use crate::{
    detect::{Held, VramJump, VramWatch},
    gpu::{GpuMonitor, GpuReport, pci_address::PciAddress, xid_line::XidLine},
    kernel::{
        clock::boot_ns,
        log::{KERNEL_FACILITY, KernelLog},
        process::ns_per_tick,
    },
    model::{
        Event, Gpu, GpuAccess, GpuHealth, GpuName, GpuSnapshot, GpuXid, Payload, Persona, Process,
        ProcessKey, VramAtDeath, VramSpike, WallTime, Watch, XidTie, xid_meaning,
    },
    render::GpuNotice,
    usage::GpuShare,
};

/// How long one who has ended is remembered: the driver may tell of his error
/// when he is gone.
const DEPARTED_KEPT_NS: u64 = 10_000_000_000;
/// Of how many.
const DEPARTED_MAX: usize = 256;

/// What the GPUs' part is made of.
pub struct GpuParts {
    /// Who looks.
    pub monitor: GpuMonitor,
    /// How often.
    pub interval: Duration,
    /// The library, as it is spoken of.
    pub library: String,
    /// It was asked for by name, so that it is missed where it is not there.
    pub is_asked_for: bool,
    /// The driver's PIDs are those of /proc.
    pub reads_proc: bool,
    /// The kernel's log, where it can be read.
    pub log: Option<KernelLog>,
    /// Who is told when the way to the GPUs changes.
    pub say: SayOfGpus,
}

/// Hears when the way to the GPUs changes.
pub type SayOfGpus = Box<dyn Fn(&GpuNotice<'_>) + Send>;

/// The GPUs' part of a run.
pub(super) struct Gpus {
    parts: Parts,
    watch: VramWatch,
    xids: Xids,
    /// The last look.
    snapshot: Option<GpuSnapshot>,
    departed: VecDeque<Departed>,
    reads_proc: bool,
    tick_ns: u64,
}

/// What tells of changes.
struct Parts {
    monitor: GpuMonitor,
    log: Option<(KernelLog, AsyncFd<OwnedFd>)>,
    arrived: Vec<GpuReport>,
    log_is_ready: bool,
    said: Said,
}

/// What was said last.
struct Said {
    say: SayOfGpus,
    interval: Duration,
    library: String,
    is_asked_for: bool,
    access: Option<GpuAccess>,
    is_looking: bool,
    is_stalled: bool,
    health: FxHashMap<u32, GpuHealth>,
}

/// Whose a process is, and on which process that was decided.
type Whose<'a> = Option<(&'a Persona, ProcessKey)>;

/// One that held GPU memory, or might have, and has ended.
struct Departed {
    key: ProcessKey,
    ppid: Option<u32>,
    uid: Option<u32>,
    comm: Option<Box<[u8]>>,
    cgroup_path: Option<Box<[u8]>>,
    watch: Watch,
    persona: Option<(Persona, ProcessKey)>,
    vram_bytes: Option<u64>,
    at_ns: u64,
}

impl Gpus {
    /// Puts the parts together; inside the event loop.
    pub(super) fn new(parts: GpuParts) -> Self {
        let GpuParts { monitor, interval, library, is_asked_for, reads_proc, log, say } = parts;
        Self {
            parts: Parts {
                monitor,
                // What cannot be waited for, such as a file, is not read.
                log: log.and_then(|log| waitable(&log).ok().map(|waitable| (log, waitable))),
                arrived: Vec::new(),
                log_is_ready: false,
                said: Said {
                    say,
                    interval,
                    library,
                    is_asked_for,
                    access: None,
                    is_looking: false,
                    is_stalled: false,
                    health: FxHashMap::default(),
                },
            },
            watch: VramWatch::new(),
            xids: Xids::default(),
            snapshot: None,
            departed: VecDeque::new(),
            reads_proc,
            tick_ns: ns_per_tick(),
        }
    }

    /// Ready when there is something to pass on. Cancelling it loses nothing.
    pub(super) async fn changed(&mut self) {
        if self.parts.log_is_ready || !self.parts.arrived.is_empty() {
            return;
        }
        let due = self.xids.due();
        let Parts { monitor, log, arrived, log_is_ready, .. } = &mut self.parts;
        tokio::select! {
            report = monitor.next() => arrived.push(report),
            ready = readable(log.as_ref().map(|(_, waitable)| waitable)) => {
                match ready {
                    Ok(()) => *log_is_ready = true,
                    Err(_) => *log = None,
                }
            }
            () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
        }
    }

    /// Takes in what has arrived, and hands over the events that follow.
    pub(super) fn take<E>(
        &mut self,
        attribution: &mut Attribution,
        in_tree: impl Fn(u32) -> bool,
        mut show: impl FnMut(&Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if std::mem::take(&mut self.parts.log_is_ready) {
            self.read_log();
        }
        for report in std::mem::take(&mut self.parts.arrived) {
            match report {
                GpuReport::Access(access) => self.access(access),
                GpuReport::Xid(report) => self.xids.nvml(report, Instant::now()),
                GpuReport::Snapshot(snapshot) => {
                    for jump in self.look(snapshot, attribution) {
                        self.show_jump(&jump, attribution, &in_tree, &mut show)?;
                    }
                }
            }
        }
        while let Some(xid) = self.xids.take(Instant::now()) {
            self.show_xid(&xid, attribution, &in_tree, &mut show)?;
        }
        Ok(())
    }

    /// At a tick: says when NVML has stalled, and when it answers again.
    pub(super) fn tick(&mut self) {
        let said = &mut self.parts.said;
        match self.parts.monitor.stalled() {
            Some(waited) if !said.is_stalled => {
                said.is_stalled = true;
                (said.say)(&GpuNotice::Stalled(
                    u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX),
                ));
            }
            None if said.is_stalled => {
                said.is_stalled = false;
                (said.say)(&GpuNotice::Answers);
            }
            _ => {}
        }
    }

    /// A process ended: what it held. To be called before the registry forgets
    /// it.
    pub(super) fn ended(
        &mut self,
        process: &Process<'_>,
        whose: Whose<'_>,
        ktime_ns: u64,
    ) -> Option<VramAtDeath> {
        let vram = self.watch.ended(self.coarse(process.key), ktime_ns)?;
        // Who never held any has no part in a GPU's error.
        if vram.peak_bytes != Some(0) {
            if self.departed.len() == DEPARTED_MAX {
                self.departed.pop_front();
            }
            self.departed.push_back(Departed {
                key: process.key,
                ppid: process.ppid,
                uid: process.uid,
                comm: process.comm.map(Into::into),
                cgroup_path: process.cgroup_path.map(Into::into),
                watch: process.watch,
                persona: whose.map(|(persona, root)| (persona.clone(), root)),
                vram_bytes: vram.bytes,
                at_ns: ktime_ns,
            });
        }
        Some(vram)
    }

    /// A process' key with its start as coarse as /proc has it, so that it is
    /// the same whoever told of it. No number is used again so soon.
    fn coarse(&self, key: ProcessKey) -> ProcessKey {
        let ticks = key.start_time / self.tick_ns + 1;
        ProcessKey { start_time: ticks.saturating_mul(self.tick_ns), ..key }
    }

    /// What a process does on all GPUs, by the last look.
    pub(super) fn share(&self, tgid: u32) -> GpuShare {
        let Some(snapshot) = &self.snapshot else { return GpuShare::default() };
        let none = GpuShare { vram_bytes: Some(0), percent: Some(0.0) };
        snapshot.gpus.iter().fold(none, |sum, gpu| {
            // Where one GPU does not say who is on it, nobody's part is known.
            let Some(processes) = &gpu.processes else { return GpuShare::default() };
            processes.iter().filter(|process| process.tgid == tgid).fold(sum, |sum, process| {
                let busy = process.utilization.map(|of| f64::from(of.sm_percent));
                GpuShare {
                    vram_bytes: sum
                        .vram_bytes
                        .zip(process.vram_bytes)
                        .map(|(sum, part)| sum.saturating_add(part)),
                    percent: sum.percent.zip(busy).map(|(sum, part)| sum + part),
                }
            })
        })
    }

    /// The last look.
    pub(super) const fn snapshot(&self) -> Option<&GpuSnapshot> {
        self.snapshot.as_ref()
    }

    /// What is used of all GPUs' memory.
    pub(super) fn used_bytes(&self) -> Option<u64> {
        let gpus = &self.snapshot.as_ref()?.gpus;
        gpus.iter().try_fold(0_u64, |sum, gpu| sum.checked_add(gpu.vram.used_bytes?))
    }

    fn access(&mut self, access: GpuAccess) {
        if access != GpuAccess::Ready {
            self.watch.forget_looks();
            self.snapshot = None;
            self.parts.said.is_looking = false;
        }
        self.parts.said.access(access);
    }

    fn look(&mut self, snapshot: GpuSnapshot, attribution: &mut Attribution) -> Vec<VramJump> {
        self.parts.said.look(&snapshot);
        let is_whole = snapshot.gpus.iter().all(|gpu| gpu.processes.is_some());
        let (mut held, mut not_placed) = (Vec::new(), Vec::new());
        for (tgid, sum) in sums(&snapshot) {
            match attribution.process_now(tgid, self.reads_proc) {
                Some(member) => held.push(Held {
                    process: self.coarse(member.key),
                    vram_bytes: sum.vram_bytes,
                    accounted_peak_bytes: sum.accounted_peak_bytes,
                    card_bytes: sum.card_bytes,
                }),
                // It began before the trace, in another PID namespace, or is gone.
                None => not_placed.push(tgid),
            }
        }
        let jumps = self.watch.look(snapshot.ktime_ns, is_whole, &held);
        self.watch.not_placed(not_placed.into_iter());
        self.snapshot = Some(snapshot);
        self.departed
            .retain(|departed| boot_ns().saturating_sub(departed.at_ns) < DEPARTED_KEPT_NS);
        jumps
    }

    fn read_log(&mut self) {
        let Self { parts: Parts { log, .. }, xids, .. } = self;
        let Some((open, _)) = log else { return };
        let read = open.read(|record| {
            // Others may write there, too.
            if record.facility == KERNEL_FACILITY
                && let Some(line) = XidLine::parse(record.message)
            {
                xids.log(&line, boot_ns(), Instant::now());
            }
        });
        if read.is_err() {
            *log = None;
        }
    }

    fn show_jump<E>(
        &self,
        jump: &VramJump,
        attribution: &mut Attribution,
        in_tree: &impl Fn(u32) -> bool,
        show: &mut impl FnMut(&Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let tgid = jump.process.tgid;
        let gpu = self.gpu_of(tgid);
        let payload = Payload::VramSpike(VramSpike {
            vram_bytes: jump.vram_bytes,
            baseline_bytes: jump.baseline_bytes,
            baseline_looks: jump.baseline_looks as u64,
            window_ns: jump.window_ns,
            gpu: gpu.map(|gpu| gpu.identity.named()).unwrap_or_default(),
            gpu_used_bytes: gpu.and_then(|gpu| gpu.vram.used_bytes),
            gpu_total_bytes: gpu.and_then(|gpu| gpu.vram.total_bytes),
        });
        let ktime_ns = self.snapshot.as_ref().map_or_else(boot_ns, |snapshot| snapshot.ktime_ns);
        self.with_process(tgid, attribution, in_tree, |process, whose| {
            show(&event(ktime_ns, process, whose, payload))
        })
    }

    fn show_xid<E>(
        &self,
        xid: &Xid,
        attribution: &mut Attribution,
        in_tree: &impl Fn(u32) -> bool,
        show: &mut impl FnMut(&Event<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let on = xid.pci.and_then(|pci| self.gpu_at(pci));
        let named = xid.tgid.map(|tgid| (tgid, XidTie::Driver));
        let sole = || Some((sole_holder(on?)?, XidTie::SoleHolder));
        // Whom the driver names and nobody knows is nobody's neighbour either.
        let suspect = named.or_else(sole);
        let address = xid.pci.map(|pci| pci.to_string());
        let identity = xid.gpu.as_ref().or_else(|| Some(&on?.identity));
        let named_gpu = identity.map(|gpu| gpu.named());
        let told = |process: Option<Process<'_>>, whose: Whose<'_>, vram_bytes| {
            let tie = suspect.filter(|_| process.is_some()).map(|(_, tie)| tie);
            let payload = Payload::GpuXid(GpuXid {
                xid: xid.xid,
                meaning: xid.xid.and_then(xid_meaning),
                gpu: named_gpu
                    .unwrap_or(GpuName { pci_bus_id: address.as_deref(), ..GpuName::default() }),
                tie,
                driver_tgid: xid.tgid,
                driver_comm: xid.comm.as_deref(),
                message: xid.message.as_deref(),
                vram_bytes,
            });
            show(&event(xid.ktime_ns, process, whose, payload))
        };
        match suspect {
            Some((tgid, _)) => {
                // The one that the error was of may have ended of it, and its
                // number may be another's already.
                let departed = self.departed.iter().rev().find(|departed| {
                    departed.key.tgid == tgid && departed.key.start_time <= xid.ktime_ns
                });
                let mut told = told;
                match departed {
                    Some(departed) => told(
                        Some(departed.process()),
                        departed.persona.as_ref().map(|(persona, root)| (persona, *root)),
                        departed.vram_bytes,
                    ),
                    None => self.with_process(tgid, attribution, in_tree, |process, whose| {
                        let key = process.map(|process| self.coarse(process.key));
                        told(process, whose, key.and_then(|key| self.watch.last(key)))
                    }),
                }
            }
            None => {
                let mut told = told;
                told(None, None, None)
            }
        }
    }

    /// Calls `then` with the process that has this number now.
    fn with_process<T>(
        &self,
        tgid: u32,
        attribution: &mut Attribution,
        in_tree: &impl Fn(u32) -> bool,
        then: impl FnOnce(Option<Process<'_>>, Whose<'_>) -> T,
    ) -> T {
        let Some(member) = attribution.process_now(tgid, self.reads_proc) else {
            return then(None, None);
        };
        let process = Process {
            key: member.key,
            tid: None,
            ppid: member.parent.map(|parent| parent.tgid),
            uid: member.facts.uid,
            comm: member.facts.comm.as_deref(),
            cgroup_path: member.facts.cgroup_path.as_deref(),
            watch: Watch { in_tree: in_tree(tgid), ..Watch::default() },
        };
        then(Some(process), member.grant.map(|grant| (&grant.decision.persona, grant.from)))
    }

    fn gpu_at(&self, pci: PciAddress) -> Option<&Gpu> {
        self.snapshot.as_ref()?.gpus.iter().find(|gpu| {
            let address = gpu.identity.pci_bus_id.as_deref();
            address.and_then(|address| PciAddress::parse(address.as_bytes())) == Some(pci)
        })
    }

    /// The GPU on which a process holds the most.
    fn gpu_of(&self, tgid: u32) -> Option<&Gpu> {
        let held = |gpu: &&Gpu| {
            let processes = gpu.processes.iter().flatten();
            processes.filter(|held| held.tgid == tgid).map(|held| held.vram_bytes).max()
        };
        let gpus = self.snapshot.as_ref()?.gpus.iter();
        gpus.filter(|gpu| held(gpu).is_some()).max_by_key(held)
    }
}

impl Departed {
    fn process(&self) -> Process<'_> {
        Process {
            key: self.key,
            tid: None,
            ppid: self.ppid,
            uid: self.uid,
            comm: self.comm.as_deref(),
            cgroup_path: self.cgroup_path.as_deref(),
            watch: self.watch,
        }
    }
}

impl Said {
    fn access(&mut self, access: GpuAccess) {
        let is_first = self.access.is_none();
        // Most machines have no GPU, and need not be told so at every start.
        let is_news = match access {
            GpuAccess::Ready => false,
            GpuAccess::NoLibrary => !is_first || self.is_asked_for,
            _ => true,
        };
        if is_news && self.access.as_ref() != Some(&access) {
            (self.say)(&GpuNotice::Access { access: &access, library: &self.library });
        }
        self.access = Some(access);
    }

    fn look(&mut self, snapshot: &GpuSnapshot) {
        if !self.is_looking {
            self.is_looking = true;
            (self.say)(&GpuNotice::Looking {
                gpus: snapshot.gpus.len(),
                interval_ns: u64::try_from(self.interval.as_nanos()).unwrap_or(u64::MAX),
                driver_version: snapshot.driver_version.as_deref(),
            });
        }
        for gpu in &snapshot.gpus {
            let before = self.health.insert(gpu.identity.index, gpu.health.clone());
            if before.unwrap_or(GpuHealth::Ok) != gpu.health {
                (self.say)(&GpuNotice::Health { gpu: &gpu.identity, health: &gpu.health });
            }
        }
    }
}

/// The wall clock's time is added by who knows it.
fn event<'a>(
    ktime_ns: u64,
    process: Option<Process<'a>>,
    whose: Whose<'a>,
    payload: Payload<'a>,
) -> Event<'a> {
    let (persona, persona_root) = whose.unzip();
    Event { ktime_ns, wall_time: WallTime { unix_ns: 0 }, process, persona, persona_root, payload }
}

/// What a wait for the log waits on.
fn waitable(log: &KernelLog) -> io::Result<AsyncFd<OwnedFd>> {
    let descriptor = log.as_fd().try_clone_to_owned()?;
    // SAFETY: the descriptor is moved in, so it stays open and the same until
    // the `AsyncFd` closes it.
    Ok(unsafe { AsyncFd::register(descriptor) }?)
}

async fn readable(log: Option<&AsyncFd<OwnedFd>>) -> io::Result<()> {
    match log {
        Some(log) => {
            // It is read to its end, so what comes later is announced again.
            log.readable().await?.clear_ready();
            Ok(())
        }
        None => std::future::pending().await,
    }
}

/// What a process holds on all GPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    vram_bytes: Option<u64>,
    accounted_peak_bytes: Option<u64>,
    card_bytes: Option<u64>,
    /// The largest part, and so whose card is meant.
    largest: Option<u64>,
}

/// By process. What is unknown in part is unknown as a whole; peaks on several
/// GPUs need not have been at once, so they do not add up to one.
fn sums(snapshot: &GpuSnapshot) -> FxHashMap<u32, Sum> {
    let mut sums: FxHashMap<u32, Sum> = FxHashMap::default();
    for gpu in &snapshot.gpus {
        for held in gpu.processes.iter().flatten() {
            let part = Sum {
                vram_bytes: held.vram_bytes,
                accounted_peak_bytes: held.accounted_peak_bytes,
                card_bytes: gpu.vram.total_bytes,
                largest: held.vram_bytes,
            };
            sums.entry(held.tgid)
                .and_modify(|sum| {
                    let both = sum.vram_bytes.zip(part.vram_bytes);
                    sum.vram_bytes = both.map(|(one, other)| one.saturating_add(other));
                    sum.accounted_peak_bytes = None;
                    if part.largest > sum.largest {
                        (sum.largest, sum.card_bytes) = (part.largest, part.card_bytes);
                    }
                })
                .or_insert(part);
        }
    }
    sums
}

/// The one process that holds memory on a GPU, where it is the only one.
fn sole_holder(gpu: &Gpu) -> Option<u32> {
    let mut tgids = gpu.processes.as_ref()?.iter().map(|held| held.tgid);
    let first = tgids.next()?;
    tgids.all(|tgid| tgid == first).then_some(first)
}

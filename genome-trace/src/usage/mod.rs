//! What everybody uses: looks at all processes, and what events told between
//! them, become one [`Usage`] a look.
//!
//! A process that ended between two looks is no longer there at the second. Its
//! exit says what it had used, so nothing of that is missing.

mod run;
mod sum;
mod tally;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

pub use run::{RunAccount, RunEnd, RunNames, TreeLook};

use rustc_hash::FxHashMap;

use crate::model::{
    Event, Exit, MachineUsage, Payload, Persona, PersonaUsage, ProcessKey, ProcessSample,
    ProcessUsage, Usage, WallTime,
};
use sum::Sum;
use tally::{Acts, Tallies};

/// The longest tick that a kernel is configured with (CONFIG_HZ): no account is
/// left unsettled for longer.
const UNSETTLED_MAX_NS: u64 = 10_000_000;

/// What is known of a process beside what the kernel's look says.
pub trait Surroundings {
    /// Whose it is.
    fn persona(&self, key: ProcessKey) -> Option<&Persona>;

    /// The memory limit that holds for a cgroup: the lowest of it and those
    /// above it.
    fn memory_limit(&mut self, cgroup_path: &[u8]) -> Option<MemoryLimit>;

    /// Open descriptors of a process that the look does not tell them of: one
    /// with a very large table.
    fn open_files(&self, key: ProcessKey) -> Option<u64>;

    /// What it does on GPUs.
    fn gpu_share(&self, key: ProcessKey) -> GpuShare;

    /// When that was by the wall clock.
    fn wall_time(&self, ktime_ns: u64) -> WallTime;
}

/// A limit, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryLimit {
    /// The limit.
    pub bytes: u64,
    /// The cgroup that has it, by a number that no other has.
    pub owner: u64,
}

/// What a process does on all GPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GpuShare {
    /// Memory that it holds: 0 where it is known to hold none.
    pub vram_bytes: Option<u64>,
    /// How busy it keeps them; 100 is one GPU.
    pub percent: Option<f64>,
}

/// Makes a [`Usage`] of each look.
#[derive(Debug, Default)]
pub struct UsageWatch {
    /// Number of the last look.
    look: u64,
    /// When that and the one before it were, on the boot clock.
    looked_ns: Option<u64>,
    looked_before_ns: Option<u64>,
    seen: FxHashMap<ProcessKey, Seen>,
    /// What happened since the last look.
    tallies: Tallies,
}

/// CPU time of a process when a look last told it.
#[derive(Clone, Copy, Debug)]
struct Seen {
    cpu_ns: u64,
    at_ns: u64,
    look: u64,
}

impl UsageWatch {
    /// Hears of an event between two looks. To be called with every one.
    pub fn hear(&mut self, event: &Event<'_>) {
        let Some(process) = &event.process else { return };
        match &event.payload {
            Payload::Fork => {
                self.tallies.add(event.persona, process.ppid, |acts| acts.spawns += 1);
            }
            Payload::FileCreate(_) => {
                self.tallies.add(event.persona, Some(process.key.tgid), |acts| acts.files += 1);
            }
            Payload::FileWrite(write) => {
                self.tallies.add(event.persona, Some(process.key.tgid), |acts| {
                    acts.write_calls = acts.write_calls.saturating_add(write.write_calls);
                    acts.written_bytes = acts.written_bytes.saturating_add(write.written_bytes);
                });
            }
            Payload::Exit(exit) => {
                let since = self.cpu_until_exit(process.key, settled(exit));
                self.tallies.ended(event.persona, since);
            }
            _ => {}
        }
    }

    /// What a process used between the last look and its end. One that no look
    /// has seen has used all of it since, if it is new: it may have ended while
    /// the last one was made.
    fn cpu_until_exit(&mut self, key: ProcessKey, cpu_ns: Option<u64>) -> Option<u64> {
        let seen = self.seen.remove(&key);
        let new_from = self.looked_before_ns.or(self.looked_ns);
        match seen {
            Some(seen) => Some(cpu_ns?.saturating_sub(seen.cpu_ns)),
            None if new_from.is_some_and(|from| key.start_time >= from) => cpu_ns,
            None => None,
        }
    }

    /// CPU time a second, as a share of one processor. Over the time since a
    /// look last told it, or since the start of one that is new.
    fn cpu_share(&mut self, sample: &ProcessSample<'_>, now_ns: u64) -> Option<f64> {
        let key = sample.process.key;
        let Some(cpu_ns) = sample.used.and_then(|used| used.cpu_ns) else {
            // A thread went while they were looked at. The next look tells.
            if let Some(seen) = self.seen.get_mut(&key) {
                seen.look = self.look;
            }
            return None;
        };
        let before = self.seen.insert(key, Seen { cpu_ns, at_ns: now_ns, look: self.look });
        let looked_ns = self.looked_ns?;
        let (used_ns, from_ns) = match before {
            Some(seen) => (cpu_ns.saturating_sub(seen.cpu_ns), seen.at_ns),
            None if key.start_time >= looked_ns => (cpu_ns, looked_ns),
            None => return None,
        };
        share(used_ns, now_ns.saturating_sub(from_ns))
    }

    /// Makes a look of what there is at that time on the boot clock. Of the
    /// machine neither the CPU time nor the GPUs' part are set.
    pub fn look<'a>(
        &mut self,
        ktime_ns: u64,
        samples: impl IntoIterator<Item = ProcessSample<'a>>,
        known: &mut impl Surroundings,
    ) -> Usage {
        let interval_ns =
            self.looked_ns.map(|looked| ktime_ns.saturating_sub(looked)).filter(|ns| *ns > 0);
        self.look += 1;
        let mut machine = Sum::default();
        let mut groups: Vec<Group> = Vec::new();
        for sample in samples {
            let key = sample.process.key;
            // What has no memory of its own, as a kernel thread, adds nothing.
            machine.add(&Sum::of(&sample, None, GpuShare::default()).with_rss_or_none());
            let cpu = self.cpu_share(&sample, ktime_ns);
            let Some(persona) = known.persona(key) else { continue };
            let index = group_of(&mut groups, persona);
            let sum = Sum::of(&sample, cpu, known.gpu_share(key))
                .with_open_files_or(|| known.open_files(key));
            let limit = sample.process.cgroup_path.and_then(|path| known.memory_limit(path));
            let acts = self.tallies.acts_of(key.tgid);
            let usage = ProcessUsage {
                key,
                ppid: sample.process.ppid,
                comm: sample.process.comm.map(|c| String::from_utf8_lossy(c).into_owned()),
                uid: sample.process.uid,
                started: Some(known.wall_time(key.start_time)),
                figures: sum.figures(&acts, interval_ns),
            };
            if let Some(group) = groups.get_mut(index) {
                group.take(&sum, usage, limit);
            }
        }
        let tallies = std::mem::take(&mut self.tallies);
        let mut personas: Vec<_> =
            groups.into_iter().map(|group| group.usage(&tallies, interval_ns)).collect();
        personas.sort_by(|one, other| one.persona.cmp(&other.persona));
        // One that was not found is kept for another look: its exit may not
        // have been heard yet.
        self.seen.retain(|_, seen| seen.look + 1 >= self.look);
        self.looked_before_ns = self.looked_ns.replace(ktime_ns);
        let figures = machine.of_machine(&tallies.everybodys(), interval_ns);
        Usage {
            wall_time: known.wall_time(ktime_ns),
            interval_ns,
            machine: MachineUsage { figures, ..MachineUsage::default() },
            personas,
        }
    }
}

/// CPU time of a process that ended. The scheduler settles an account when a
/// process is interrupted or waits: one that ended before either was working
/// all the time that it was there.
fn settled(exit: &Exit) -> Option<u64> {
    exit.cpu_ns.or_else(|| (exit.runtime_ns <= UNSETTLED_MAX_NS).then_some(exit.runtime_ns))
}

/// The most CPU time that a process can have used whose account was not settled.
fn unsettled_most(exit: &Exit) -> u64 {
    exit.runtime_ns.min(UNSETTLED_MAX_NS)
}

/// Time of a stretch of time, as a share.
fn share(used_ns: u64, stretch_ns: u64) -> Option<f64> {
    #[allow(clippy::cast_precision_loss)]
    (stretch_ns > 0).then(|| used_ns as f64 / stretch_ns as f64)
}

/// The persona's place, made where it has none yet. There are few.
fn group_of(groups: &mut Vec<Group>, persona: &Persona) -> usize {
    groups.iter().position(|group| group.persona == *persona).unwrap_or_else(|| {
        groups.push(Group {
            persona: persona.clone(),
            sum: Sum::default(),
            limit: None,
            processes: Vec::new(),
        });
        groups.len() - 1
    })
}

/// A persona while a look is made.
struct Group {
    persona: Persona,
    sum: Sum,
    /// The one that all processes so far are under.
    limit: Option<MemoryLimit>,
    processes: Vec<ProcessUsage>,
}

impl Group {
    fn take(&mut self, sum: &Sum, process: ProcessUsage, limit: Option<MemoryLimit>) {
        self.sum.add(sum);
        let is_first = self.processes.is_empty();
        let owner = |limit: Option<MemoryLimit>| limit.map(|limit| limit.owner);
        if is_first {
            self.limit = limit;
        } else if owner(self.limit) != owner(limit) {
            self.limit = None;
        }
        self.processes.push(process);
    }

    fn usage(mut self, tallies: &Tallies, interval_ns: Option<u64>) -> PersonaUsage {
        let (acts, ended_cpu_ns): (Acts, Option<u64>) = tallies.of(&self.persona);
        if let Some(interval) = interval_ns {
            self.sum.add_cpu(ended_cpu_ns.and_then(|cpu_ns| share(cpu_ns, interval)));
        }
        self.processes.sort_by_key(|process| process.key);
        PersonaUsage {
            figures: self.sum.figures(&acts, interval_ns),
            rss_limit_bytes: self.limit.map(|limit| limit.bytes),
            started: self.processes.iter().filter_map(|process| process.started).min(),
            processes: self.processes,
            persona: self.persona,
        }
    }
}

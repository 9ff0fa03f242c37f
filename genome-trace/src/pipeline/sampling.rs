//! Looks at what everybody uses: taken again and again, kept as samples, and
//! told to whoever wants to know.

use std::{rc::Rc, sync::Arc, time::Duration};

use rustc_hash::FxHashMap;

use super::{Attribution, Known, gpus::Gpus};
use crate::{
    kernel::{
        cgroup::Hierarchy, clock::boot_ns, cpu_time::busy_ns, machine::processors,
        memory_limit::machine_memory, open_files::count_open_files,
    },
    model::{Event, GpuSnapshot, Metric, Persona, ProcessKey, Usage, WallTime},
    probe::Tasks,
    usage::{GpuShare, MemoryLimit, Surroundings, UsageWatch},
    wire::{Surroundings as _, samples},
};

/// Limits are read anew after so many looks: they hardly ever change.
const LIMITS_KEPT: u32 = 10;

/// Takes a look when it has been taken, and the GPUs as they were last.
pub type Publish = Box<dyn FnMut(&Arc<Usage>, Option<&GpuSnapshot>)>;

/// What looks are made of.
pub struct SamplingParts {
    /// How often.
    pub interval: Duration,
    /// Where memory limits are read.
    pub hierarchy: Option<Hierarchy>,
    /// Who wants to know.
    pub publish: Publish,
}

/// Takes looks.
pub(super) struct Sampling {
    watch: UsageWatch,
    tasks: Rc<Tasks>,
    /// What they told last.
    records: Vec<u8>,
    limits: Limits,
    publish: Publish,
    /// CPU time of the machine at the last look, and when that was.
    busy: Option<(u64, u64)>,
    events: u64,
}

/// What is known beside the look, and what was lost.
pub(super) struct Around<'a> {
    pub(super) known: &'a Known,
    pub(super) attribution: &'a Attribution,
    pub(super) gpus: Option<&'a Gpus>,
    pub(super) lost_events: u64,
}

impl Sampling {
    pub(super) fn new(tasks: Rc<Tasks>, hierarchy: Option<Hierarchy>, publish: Publish) -> Self {
        let limits = Limits { hierarchy, by_path: FxHashMap::default(), looks_left: 0 };
        Self {
            watch: UsageWatch::default(),
            tasks,
            records: Vec::new(),
            limits,
            publish,
            busy: None,
            events: 0,
        }
    }

    /// Hears of an event.
    pub(super) fn hear(&mut self, event: &Event<'_>) {
        self.events = self.events.saturating_add(1);
        self.watch.hear(event);
    }

    /// Looks, and tells it; `None` where the kernel refuses. All events up to
    /// now are to have been heard.
    pub(super) fn look(&mut self, around: &Around<'_>) -> Option<Arc<Usage>> {
        self.tasks.read_into(&mut self.records).ok()?;
        let ktime_ns = boot_ns();
        self.limits.next_look();
        let mut known = Whereabouts { around, limits: &mut self.limits };
        let mut usage = self.watch.look(ktime_ns, samples(&self.records, around.known), &mut known);
        let machine = &mut usage.machine;
        machine.figures.set(Metric::CpuPercent, busy_share(&mut self.busy, ktime_ns));
        #[allow(clippy::cast_precision_loss)]
        machine.figures.set(
            Metric::VramBytes,
            around.gpus.and_then(Gpus::used_bytes).map(|bytes| bytes as f64),
        );
        (machine.memory_bytes, machine.available_bytes) = machine_memory();
        machine.processors = u32::try_from(processors()).ok();
        machine.uptime_ns = Some(ktime_ns);
        machine.tracing_since = Some(around.known.wall_time(around.known.tracing_since()));
        machine.events = Some(self.events);
        machine.lost_events = Some(around.lost_events);
        let usage = Arc::new(usage);
        (self.publish)(&usage, around.gpus.and_then(Gpus::snapshot));
        Some(usage)
    }
}

/// CPU time since the look before, in percent of one processor.
fn busy_share(before: &mut Option<(u64, u64)>, now_ns: u64) -> Option<f64> {
    let busy = busy_ns();
    let (busy_then, then_ns) = std::mem::replace(before, busy.map(|busy| (busy, now_ns)))?;
    let (used, time) = (busy?.saturating_sub(busy_then), now_ns.saturating_sub(then_ns));
    #[allow(clippy::cast_precision_loss)]
    (time > 0).then(|| used as f64 * 100.0 / time as f64)
}

/// Memory limits by cgroup, as they were read.
struct Limits {
    hierarchy: Option<Hierarchy>,
    by_path: FxHashMap<Box<[u8]>, Option<MemoryLimit>>,
    looks_left: u32,
}

impl Limits {
    fn next_look(&mut self) {
        match self.looks_left.checked_sub(1) {
            Some(left) => self.looks_left = left,
            None => {
                self.by_path.clear();
                self.looks_left = LIMITS_KEPT;
            }
        }
    }

    fn of(&mut self, cgroup_path: &[u8]) -> Option<MemoryLimit> {
        if let Some(limit) = self.by_path.get(cgroup_path) {
            return *limit;
        }
        let limit = self.hierarchy.as_ref()?.memory_limit(cgroup_path);
        let limit = limit.map(|limit| MemoryLimit { bytes: limit.bytes, owner: limit.cgroup_id });
        self.by_path.insert(cgroup_path.into(), limit);
        limit
    }
}

struct Whereabouts<'a> {
    around: &'a Around<'a>,
    limits: &'a mut Limits,
}

impl Surroundings for Whereabouts<'_> {
    fn persona(&self, key: ProcessKey) -> Option<&Persona> {
        self.around.attribution.persona_now(key)
    }

    fn memory_limit(&mut self, cgroup_path: &[u8]) -> Option<MemoryLimit> {
        self.limits.of(cgroup_path)
    }

    fn open_files(&self, key: ProcessKey) -> Option<u64> {
        count_open_files(key)
    }

    fn gpu_share(&self, key: ProcessKey) -> GpuShare {
        self.around.gpus.map(|gpus| gpus.share(key.tgid)).unwrap_or_default()
    }

    fn wall_time(&self, ktime_ns: u64) -> WallTime {
        self.around.known.wall_time(ktime_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_share_is_over_the_time_between_two_looks() {
        let mut before = None;
        assert_eq!(busy_share(&mut before, 1_000), None);
        assert!(before.is_some());
        assert_eq!(busy_share(&mut before, 1_000), None);
        let share = busy_share(&mut before, 1_000_000_000);
        assert!(share.is_some_and(|share| share >= 0.0), "{share:?}");
    }
}

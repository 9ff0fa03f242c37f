//! What records refer to and do not carry: clocks, cgroups, kernel symbols.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    thread,
};

use rustc_hash::FxHashMap;

use crate::{
    kernel::{
        clock::{ClockOffset, boot_ns},
        symbol::OomSymbols,
    },
    model::{MemoryConstraint, WallTime},
    wire::Surroundings,
};

/// What records refer to: clocks, cgroups, kernel symbols.
pub struct Known {
    clock: ClockOffset,
    /// Ids come from the kernel, which counts them up.
    cgroups: FxHashMap<u64, Box<[u8]>>,
    hierarchy_id: u32,
    page_size: u64,
    since: u64,
    oom: Arc<OnceLock<Option<OomSymbols>>>,
}

impl Known {
    /// Begins with the cgroups that there are in the hierarchy of this number.
    /// To be called when the probes are attached.
    #[must_use]
    pub fn new(cgroups: HashMap<u64, Box<[u8]>>, hierarchy_id: u32, page_size: u64) -> Self {
        Self {
            clock: ClockOffset::now(),
            cgroups: cgroups.into_iter().collect(),
            hierarchy_id,
            page_size,
            since: boot_ns(),
            oom: Arc::default(),
        }
    }
}

impl Known {
    /// Measures the distance between the clocks anew.
    pub(super) fn set_clock(&mut self) {
        self.clock = ClockOffset::now();
    }

    /// Reads the kernel's symbols while nobody waits for them: who looks around
    /// at an OOM kill would come a tenth of a second late.
    pub(super) fn read_symbols(&self) {
        let oom = Arc::clone(&self.oom);
        let read = move || {
            oom.get_or_init(|| OomSymbols::read().ok());
        };
        // Where there is no thread they are read when they are needed.
        let _ = thread::Builder::new().name("symbols".to_owned()).spawn(read);
    }

    /// Keeps the path of a new cgroup.
    pub(super) fn add_cgroup(&mut self, hierarchy_id: u32, id: u64, path: Box<[u8]>) {
        // On v1 every hierarchy tells its cgroups; ids are unique in one only.
        if hierarchy_id == self.hierarchy_id {
            self.cgroups.insert(id, path);
        }
    }
}

impl Surroundings for Known {
    fn wall_time(&self, ktime_ns: u64) -> WallTime {
        self.clock.wall_time(ktime_ns)
    }

    fn cgroup_path(&self, id: u64) -> Option<&[u8]> {
        self.cgroups.get(&id).map(AsRef::as_ref)
    }

    fn oom_constraint(&self, stack: &[u64]) -> Option<MemoryConstraint> {
        // Read when first needed, where nobody asked for them before: most runs
        // see no OOM kill.
        self.oom.get_or_init(|| OomSymbols::read().ok()).as_ref()?.constraint(stack)
    }

    fn page_size(&self) -> u64 {
        self.page_size
    }

    fn tracing_since(&self) -> u64 {
        self.since
    }
}

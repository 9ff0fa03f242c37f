//! Event sets: who wants to hear of errors on which GPU, and what each has
//! been told.

use std::collections::{BTreeMap, BTreeSet};
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nvml_wrapper_sys::bindings::nvmlEventSet_t;

use super::file::Version;
use super::now::Now;
use crate::answer::{Answer, Refusal};
use crate::script::Xid;

/// All event sets, by the number that is their handle.
pub(crate) struct EventSets(Mutex<Sets>);

struct Sets {
    last: usize,
    by_number: BTreeMap<usize, EventSet>,
}

#[derive(Default)]
struct EventSet {
    /// Indices of the GPUs whose errors it wants to hear of.
    gpus: BTreeSet<usize>,
    /// The script that `told` is of. It is kept, so that no later version can
    /// have its address.
    version: Option<Arc<Version>>,
    /// Which of the script's errors it was told.
    told: BTreeSet<usize>,
}

impl EventSets {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Sets { last: 0, by_number: BTreeMap::new() }))
    }

    /// Makes a set.
    pub(crate) fn create(&self) -> nvmlEventSet_t {
        let mut sets = self.lock();
        // Never a number that was in use: who keeps a freed one is told so.
        sets.last += 1;
        let number = sets.last;
        sets.by_number.insert(number, EventSet::default());
        ptr::without_provenance_mut(number)
    }

    /// Ends a set.
    pub(crate) fn free(&self, set: nvmlEventSet_t) -> Answer {
        self.lock().by_number.remove(&set.addr()).map(drop).ok_or(Refusal::INVALID_ARGUMENT)
    }

    /// Ends all sets.
    pub(super) fn clear(&self) {
        self.lock().by_number.clear();
    }

    /// Errors of that GPU are told to that set from now on.
    pub(crate) fn register(&self, set: nvmlEventSet_t, gpu: usize) -> Answer {
        let mut sets = self.lock();
        let set = sets.by_number.get_mut(&set.addr()).ok_or(Refusal::INVALID_ARGUMENT)?;
        set.gpus.insert(gpu);
        Ok(())
    }

    /// Fails where there is no such set.
    pub(crate) fn check(&self, set: nvmlEventSet_t) -> Answer {
        let known = self.lock().by_number.contains_key(&set.addr());
        if known { Ok(()) } else { Err(Refusal::INVALID_ARGUMENT) }
    }

    /// The next error that the set is to be told, which then counts as told.
    /// Where there is none and a GPU of the set is lost, it is told that.
    pub(crate) fn take(&self, set: nvmlEventSet_t, now: &Now) -> Answer<Option<Xid>> {
        let script = now.script()?;
        let mut sets = self.lock();
        let set = sets.by_number.get_mut(&set.addr()).ok_or(Refusal::INVALID_ARGUMENT)?;
        if !set.version.as_ref().is_some_and(|version| Arc::ptr_eq(version, now.version())) {
            set.version = Some(Arc::clone(now.version()));
            set.told.clear();
        }
        let next = script
            .xid
            .iter()
            .enumerate()
            .filter(|(index, xid)| {
                xid.at.0 <= now.elapsed && set.gpus.contains(&xid.gpu) && !set.told.contains(index)
            })
            .min_by_key(|(_, xid)| xid.at);
        if let Some((index, xid)) = next {
            set.told.insert(index);
            return Ok(Some(*xid));
        }
        let is_lost = |index: &usize| script.gpu.get(*index).is_some_and(|gpu| gpu.lost);
        if set.gpus.iter().any(is_lost) { Err(Refusal::GPU_IS_LOST) } else { Ok(None) }
    }

    fn lock(&self) -> MutexGuard<'_, Sets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

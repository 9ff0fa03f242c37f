//! GPU errors that were tied to a process a short while ago.

use std::collections::VecDeque;

use super::subject::lossy;
use crate::model::{CrashXid, Exit, GpuXid, ProcessKey, XidCause, XidMeaning, XidTie};

/// An error that is older than this at an end has nothing to do with it.
const REACH_NS: u64 = 10_000_000_000;
/// Errors that are kept, the last ones.
const KEPT: usize = 64;
/// Of the driver's words so many bytes are kept.
const MESSAGE_KEPT: usize = 512;
/// A process that was found in /proc has its start by the tick of a clock, of
/// at most this length; no number is used again so soon.
const TICK_NS: u64 = 10_000_000;

/// A GPU's error, and whose it was.
#[derive(Debug)]
pub(super) struct HeardXid {
    key: ProcessKey,
    pub(super) ktime_ns: u64,
    pub(super) xid: Option<u32>,
    pub(super) meaning: Option<&'static XidMeaning>,
    pub(super) gpu_index: Option<u32>,
    pub(super) pci_bus_id: Option<Box<str>>,
    pub(super) tie: Option<XidTie>,
    message: Option<Box<[u8]>>,
}

/// The last errors, the latest last.
#[derive(Debug, Default)]
pub(super) struct HeardXids(VecDeque<HeardXid>);

impl HeardXids {
    /// Takes one in.
    pub(super) fn hear(&mut self, xid: HeardXid) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(xid);
    }

    /// The first one of a process that was shortly before its end: those that
    /// come after it mostly follow from it.
    pub(super) fn before(&self, key: ProcessKey, end_ns: u64) -> Option<&HeardXid> {
        self.0.iter().find(|heard| {
            heard.is_of(key) && heard.ktime_ns <= end_ns && end_ns - heard.ktime_ns <= REACH_NS
        })
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Whether a process held GPU memory, or may have: who never held any has no
/// part in a GPU's error.
pub(super) fn held_vram(exit: &Exit) -> bool {
    exit.vram.is_some_and(|vram| vram.peak_bytes != Some(0))
}

impl HeardXid {
    /// `None` where it is no fault: it follows from something else, or was
    /// asked for.
    pub(super) fn new(key: ProcessKey, xid: &GpuXid<'_>, ktime_ns: u64) -> Option<Self> {
        if xid.meaning.is_some_and(|meaning| meaning.cause == XidCause::Notice) {
            return None;
        }
        Some(Self {
            key,
            ktime_ns,
            xid: xid.xid,
            meaning: xid.meaning,
            gpu_index: xid.gpu.index,
            pci_bus_id: xid.gpu.pci_bus_id.map(Into::into),
            tie: xid.tie,
            message: xid.message.map(|said| said.get(..MESSAGE_KEPT).unwrap_or(said).into()),
        })
    }

    /// Whether it is of that process.
    pub(super) fn is_of(&self, key: ProcessKey) -> bool {
        self.key.tgid == key.tgid && self.key.start_time.abs_diff(key.start_time) <= TICK_NS
    }

    /// For the record of an end at that time.
    pub(super) fn record(&self, end_ns: u64) -> CrashXid {
        CrashXid {
            xid: self.xid,
            summary: self.meaning.map(|meaning| meaning.summary.to_owned()),
            gpu_index: self.gpu_index,
            pci_bus_id: self.pci_bus_id.as_deref().map(str::to_owned),
            is_named_by_driver: self.tie.map(|tie| tie == XidTie::Driver),
            age_ns: Some(end_ns.saturating_sub(self.ktime_ns)),
            message: self.message.as_deref().map(lossy),
        }
    }

    /// As in `XID 31 (GPU memory page fault) on GPU 1`.
    pub(super) fn words(&self) -> String {
        let mut words = match self.xid {
            Some(xid) => format!("XID {xid}"),
            None => "an XID whose number the driver has lost".to_owned(),
        };
        if let Some(meaning) = self.meaning {
            words.push_str(&format!(" ({})", meaning.summary));
        }
        match (self.gpu_index, &self.pci_bus_id) {
            (Some(index), _) => words.push_str(&format!(" on GPU {index}")),
            (None, Some(place)) => words.push_str(&format!(" on the GPU at {place}")),
            (None, None) => {}
        }
        words
    }
}

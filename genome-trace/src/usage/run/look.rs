//! What a tree of processes has at one moment.

use crate::model::{GpuSnapshot, ProcessSample};

/// A look at a tree. What could not be seen of one of its processes is unknown
/// of all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeLook {
    /// Resident memory of all processes together, in bytes.
    pub rss_bytes: Option<u64>,
    /// That of the biggest, in bytes.
    pub largest_rss_bytes: Option<u64>,
    /// Threads of all processes together.
    pub threads: Option<u64>,
    /// GPU memory of all processes together, in bytes; `None` where no GPU was
    /// looked at.
    pub vram_bytes: Option<u64>,
}

impl TreeLook {
    /// Looks at the processes of `samples` that belong to the tree that was
    /// asked for, and at what they held when the GPUs were looked at last.
    pub fn of<'a>(
        samples: impl IntoIterator<Item = ProcessSample<'a>>,
        gpus: Option<&GpuSnapshot>,
    ) -> Self {
        let mut look = Self {
            rss_bytes: Some(0),
            largest_rss_bytes: None,
            threads: Some(0),
            vram_bytes: gpus.map(|_| 0),
        };
        for sample in samples.into_iter().filter(|sample| sample.process.watch.in_tree) {
            let rss_bytes = sample.rss_bytes();
            look.rss_bytes = sum(look.rss_bytes, rss_bytes);
            look.largest_rss_bytes = look.largest_rss_bytes.max(rss_bytes);
            look.threads = sum(look.threads, sample.threads.map(u64::from));
            if let Some(gpus) = gpus {
                look.vram_bytes = sum(look.vram_bytes, held(gpus, sample.process.key.tgid));
            }
        }
        look
    }
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    Some(one?.saturating_add(other?))
}

/// What a process holds on all GPUs: 0 where the driver knows of nothing.
fn held(gpus: &GpuSnapshot, tgid: u32) -> Option<u64> {
    gpus.gpus.iter().try_fold(0_u64, |held, gpu| {
        let ours = gpu.processes.as_ref()?.iter().filter(|process| process.tgid == tgid);
        ours.into_iter().try_fold(held, |held, process| held.checked_add(process.vram_bytes?))
    })
}

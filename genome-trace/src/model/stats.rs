//! What `--stats` shows: the GPUs as they are now, and who holds their memory.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use super::{Gpu, GpuAccess, GpuProcess, GpuSnapshot, Persona, WallTime};

/// One report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Version of genome-trace.
    pub version: String,
    /// The host's name.
    pub host: String,
    /// When the look at the GPUs began.
    pub wall_time: WallTime,
    /// The way to the GPUs.
    pub access: GpuAccess,
    /// The NVIDIA management library that was asked for, as it was named.
    pub library: String,
    /// The GPUs; `None` where they could not be looked at.
    pub snapshot: Option<GpuSnapshot>,
    /// Every process that the snapshot names, and what is known of it.
    pub holders: Vec<Holder>,
    /// This is a container: the driver's PIDs are the host's and mean nothing
    /// here, so no holder is known.
    pub foreign_pids: bool,
}

/// A process that is on a GPU. What /proc does not tell is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Index of the GPU.
    pub gpu_index: u32,
    /// What it does and holds there.
    pub process: GpuProcess,
    /// Whose it is; `None` where nothing says.
    pub persona: Option<Persona>,
    /// Its name, at most 15 bytes.
    pub comm: Option<Vec<u8>>,
    /// Its arguments, NUL-separated.
    pub argv: Option<Vec<u8>>,
    /// Real user id.
    pub uid: Option<u32>,
}

/// What all processes of a persona hold on all GPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonaVram {
    /// Whose it is; `None` for the processes of which nothing is known.
    pub persona: Option<Persona>,
    /// The sum of what is known; `None` where nothing is.
    pub vram_bytes: Option<u64>,
    /// Some process' part is unknown: it is this much, or more.
    pub is_lower_bound: bool,
    /// All memory of the GPUs that it is on; `None` where one's is unknown.
    pub gpus_total_bytes: Option<u64>,
    /// Those GPUs, in order.
    pub gpu_indexes: Vec<u32>,
    /// Its processes; one that is on two GPUs counts once.
    pub process_count: u64,
}

impl Stats {
    /// What each persona holds, the most first, and last those of which
    /// nothing is known to be held.
    #[must_use]
    pub fn persona_vram(&self) -> Vec<PersonaVram> {
        let gpus = self.snapshot.as_ref().map_or(&[][..], |snapshot| &snapshot.gpus);
        let mut by_persona: BTreeMap<Option<&Persona>, Vec<&Holder>> = BTreeMap::new();
        for holder in &self.holders {
            by_persona.entry(holder.persona.as_ref()).or_default().push(holder);
        }
        let sums = by_persona.into_iter().map(|(persona, holders)| sum(persona, &holders, gpus));
        let mut sums: Vec<_> = sums.collect();
        sums.sort_by_key(|sum| Reverse(sum.vram_bytes));
        sums
    }
}

/// A sum of parts of which one is unknown is no sum, but still says that it is
/// no less: dropping it would hide the largest holder for the sake of a small
/// one.
fn sum(persona: Option<&Persona>, holders: &[&Holder], gpus: &[Gpu]) -> PersonaVram {
    let parts = || holders.iter().map(|holder| holder.process.vram_bytes);
    let indexes: BTreeSet<u32> = holders.iter().map(|holder| holder.gpu_index).collect();
    let tgids: BTreeSet<u32> = holders.iter().map(|holder| holder.process.tgid).collect();
    let total = |index: &u32| {
        gpus.iter().find(|gpu| gpu.identity.index == *index).and_then(|gpu| gpu.vram.total_bytes)
    };
    PersonaVram {
        persona: persona.cloned(),
        vram_bytes: parts().flatten().reduce(u64::saturating_add),
        is_lower_bound: parts().any(|part| part.is_none()),
        gpus_total_bytes: indexes
            .iter()
            .map(total)
            .try_fold(0_u64, |sum, total| Some(sum.saturating_add(total?))),
        gpu_indexes: indexes.into_iter().collect(),
        process_count: u64::try_from(tgids.len()).unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GpuHealth, GpuIdentity, GpuProcessType, Vram};

    fn gpu(index: u32, total_bytes: Option<u64>) -> Gpu {
        Gpu {
            identity: GpuIdentity { index, ..GpuIdentity::default() },
            health: GpuHealth::Ok,
            vram: Vram { total_bytes, ..Vram::default() },
            processes: None,
            details: None,
        }
    }

    fn holder(name: Option<&str>, gpu_index: u32, tgid: u32, vram_bytes: Option<u64>) -> Holder {
        Holder {
            gpu_index,
            process: GpuProcess {
                tgid,
                process_type: GpuProcessType::Compute,
                vram_bytes,
                accounted_peak_bytes: None,
                gpu_instance_id: None,
                compute_instance_id: None,
                utilization: None,
            },
            persona: name.map(|name| Persona { name: name.to_owned(), genome_id: None }),
            comm: None,
            argv: None,
            uid: None,
        }
    }

    fn sums(gpus: Vec<Gpu>, holders: Vec<Holder>) -> Vec<PersonaVram> {
        let snapshot =
            GpuSnapshot { ktime_ns: 0, took_ns: 0, driver_version: None, cuda_version: None, gpus };
        let stats = Stats {
            version: String::new(),
            host: String::new(),
            wall_time: WallTime { unix_ns: 0 },
            access: GpuAccess::Ready,
            library: String::new(),
            snapshot: Some(snapshot),
            holders,
            foreign_pids: false,
        };
        stats.persona_vram()
    }

    #[test]
    fn a_persona_has_the_sum_over_its_gpus_and_processes() {
        let gpus = vec![gpu(0, Some(100)), gpu(1, Some(200))];
        let holders = vec![
            holder(Some("a"), 0, 1, Some(10)),
            holder(Some("a"), 1, 1, Some(20)),
            holder(Some("b"), 1, 2, Some(150)),
            holder(None, 0, 3, Some(1)),
        ];
        let sums = sums(gpus, holders);
        let told: Vec<_> = sums
            .iter()
            .map(|sum| (sum.persona.as_ref().map(|p| p.name.as_str()), sum.vram_bytes))
            .collect();
        assert_eq!(told, [(Some("b"), Some(150)), (Some("a"), Some(30)), (None, Some(1))]);
        let of_a = sums.iter().find(|sum| sum.vram_bytes == Some(30));
        let of_a = of_a.map(|sum| (sum.gpus_total_bytes, sum.gpu_indexes.as_slice()));
        assert_eq!(of_a, Some((Some(300), &[0, 1][..])));
        assert_eq!(sums.iter().map(|sum| sum.process_count).collect::<Vec<_>>(), [1, 1, 1]);
        assert!(sums.iter().all(|sum| !sum.is_lower_bound));
    }

    #[test]
    fn an_unknown_part_makes_the_sum_a_lower_bound_and_none_makes_it_unknown() {
        let holders = vec![
            holder(Some("a"), 0, 1, Some(10)),
            holder(Some("a"), 0, 2, None),
            holder(Some("b"), 7, 3, None),
        ];
        let sums = sums(vec![gpu(0, None)], holders);
        let told: Vec<_> = sums
            .iter()
            .map(|sum| (sum.vram_bytes, sum.is_lower_bound, sum.gpus_total_bytes))
            .collect();
        assert_eq!(told, [(Some(10), true, None), (None, true, None)]);
    }

    #[test]
    fn parts_that_no_machine_has_do_not_overflow() {
        let holders = vec![holder(None, 0, 1, Some(u64::MAX)), holder(None, 0, 2, Some(u64::MAX))];
        let sums = sums(Vec::new(), holders);
        assert_eq!(sums.iter().map(|sum| sum.vram_bytes).collect::<Vec<_>>(), [Some(u64::MAX)]);
    }
}

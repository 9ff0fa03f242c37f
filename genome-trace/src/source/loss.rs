//! The kernel side's counters of what it could not hand over.

use aya::maps::{MapData, PerCpuArray};
use genome_trace_common::{Kind, LostCounts};

use crate::model::Lost;

/// Reads the counters.
pub struct Losses {
    map: PerCpuArray<MapData, LostCounts>,
    rescued: PerCpuArray<MapData, u64>,
}

impl Losses {
    /// Takes over the maps.
    #[must_use]
    pub const fn new(
        map: PerCpuArray<MapData, LostCounts>,
        rescued: PerCpuArray<MapData, u64>,
    ) -> Self {
        Self { map, rescued }
    }

    /// Calls that a program was skipped for and its twin counted.
    ///
    /// # Errors
    /// The kernel's refusal to read the map.
    pub fn rescued(&self) -> Result<u64, aya::maps::MapError> {
        Ok(self.rescued.get(&0, 0)?.iter().sum())
    }

    /// Everything lost since the programs were loaded, on all processors.
    ///
    /// # Errors
    /// The kernel's refusal to read the map.
    pub fn read(&self) -> Result<Lost, aya::maps::MapError> {
        let per_cpu = self.map.get(&0, 0)?;
        let sum = |kind: Kind| per_cpu.iter().filter_map(|counts| counts.get(kind as usize)).sum();
        Ok(Lost {
            exec: sum(Kind::Exec),
            fork: sum(Kind::Fork),
            exit: sum(Kind::Exit),
            signal: sum(Kind::Signal),
            oom_kill: sum(Kind::OomKill),
            file_create: sum(Kind::FileCreate),
            file_write: sum(Kind::FileWrite),
            file_unlink: sum(Kind::FileUnlink),
            file_path: sum(Kind::FilePath),
            cgroup: sum(Kind::CgroupMkdir),
            skipped: 0,
        })
    }
}

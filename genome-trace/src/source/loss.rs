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

    /// Calls that a program was skipped for and that a backup took on.
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

/// Calls that no program of a row saw.
///
/// A backup counts as such a call what it has yet to come to, so a single look
/// may show too many. The least of a second's looks does not.
#[derive(Debug, Default)]
pub struct Skips {
    least: Option<u64>,
    told: u64,
}

impl Skips {
    /// Takes down a look: calls that were skipped, then, read after that, how
    /// many of them backups took on.
    pub fn look(&mut self, skipped: u64, rescued: u64) {
        let missed = skipped.saturating_sub(rescued);
        self.least = Some(self.least.map_or(missed, |least| least.min(missed)));
    }

    /// Ends the second.
    pub fn settle(&mut self) {
        self.told = self.least.take().map_or(self.told, |least| least.max(self.told));
    }

    /// How many there were in all the seconds that have ended.
    #[must_use]
    pub const fn told(&self) -> u64 {
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::Skips;

    #[test]
    fn a_backup_that_is_under_way_is_not_taken_for_a_loss() {
        let mut skips = Skips::default();
        skips.look(1, 0);
        skips.look(1, 1);
        skips.settle();
        assert_eq!(skips.told(), 0);
        skips.look(3, 1);
        skips.look(4, 1);
        assert_eq!(skips.told(), 0);
        skips.settle();
        assert_eq!(skips.told(), 2);
        skips.settle();
        assert_eq!(skips.told(), 2);
    }
}

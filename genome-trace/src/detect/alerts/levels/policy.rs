//! When a level is too high, and for how long it has to be.

const SECOND_NS: u64 = 1_000_000_000;

/// When it is too much.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelPolicy {
    /// Memory, also that of GPUs, jumps where it is so many times the normal...
    pub memory_factor: f64,
    /// ...and so many bytes more.
    pub memory_more_bytes: u64,
    /// Resident memory jumps, too, where it grows by this part of the
    /// machine's (0 to 1)...
    pub machine_share: f64,
    /// ...within this time, in nanoseconds.
    pub machine_share_ns: u64,
    /// Memory that climbs steadily has to have grown by so many bytes.
    pub leak_bytes: u64,
    /// How sure a climb has to be, from 0 to 1.
    pub leak_confidence: f64,
    /// Resident memory is close to its limit from this part on (0 to 1),
    pub ram_caution: f64,
    /// and dangerously close from this one on.
    pub ram_critical: f64,
    /// A GPU's memory is close to its end from this part on (0 to 1),
    pub vram_caution: f64,
    /// and dangerously close from this one on.
    pub vram_critical: f64,
    /// CPU time is too much from so many times the normal on...
    pub cpu_factor: f64,
    /// ...for this time, in nanoseconds.
    pub cpu_ns: u64,
    /// Writes are too many from so many times the normal on...
    pub write_factor: f64,
    /// ...for this time, in nanoseconds...
    pub write_ns: u64,
    /// ...and not below so many bytes a second,
    pub write_bytes_per_second: f64,
    /// or so many calls a second.
    pub write_calls_per_second: f64,
    /// Threads are too many from so many times the normal on...
    pub thread_factor: f64,
    /// ...and so many more.
    pub threads_more: u64,
    /// Open files that climb have to have become so many more.
    pub open_files_more: u64,
    /// Processes are created too fast from so many times the normal on...
    pub spawn_factor: f64,
    /// ...and not below so many a second,
    pub spawns_per_second: f64,
    /// or, where no normal is known, from so many a second on...
    pub spawns_per_second_of_anybody: f64,
    /// ...for this time, in nanoseconds.
    pub spawn_ns: u64,
}

impl Default for LevelPolicy {
    fn default() -> Self {
        Self {
            memory_factor: 3.0,
            memory_more_bytes: 256 << 20,
            machine_share: 0.25,
            machine_share_ns: 10 * SECOND_NS,
            leak_bytes: 32 << 20,
            leak_confidence: 0.99,
            ram_caution: 0.85,
            ram_critical: 0.90,
            vram_caution: 0.67,
            vram_critical: 0.83,
            cpu_factor: 5.0,
            cpu_ns: 60 * SECOND_NS,
            write_factor: 10.0,
            write_ns: 30 * SECOND_NS,
            write_bytes_per_second: (8 << 20) as f64,
            write_calls_per_second: 1_000.0,
            thread_factor: 3.0,
            threads_more: 64,
            open_files_more: 64,
            spawn_factor: 10.0,
            spawns_per_second: 20.0,
            spawns_per_second_of_anybody: 1_000.0,
            spawn_ns: 5 * SECOND_NS,
        }
    }
}

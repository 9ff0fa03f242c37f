//! The kernel's own account of a BPF program: how often it ran, for how long,
//! and what the verifier had to look at.

use std::{
    fs, io,
    os::fd::{BorrowedFd, OwnedFd},
};

use super::syscall::{ProgramInfo, measure_run_time};

/// Offsets in `struct bpf_prog_info`, which is ABI: fields are only added.
const RUN_TIME_NS: usize = 192;
const RUN_COUNT: usize = 200;
const RECURSION_MISSES: usize = 208;
/// A u32.
const VERIFIED_INSTRUCTIONS: usize = 216;

/// Says 1 where an administrator has switched the measuring on for good.
const SWITCH: &str = "/proc/sys/kernel/bpf_stats_enabled";

/// The figures of one program since it was loaded. Each is `None` where this
/// kernel does not tell it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgramStats {
    /// Time in the program, in nanoseconds, while run time was measured
    /// (`run_time_ns`, since 5.1).
    pub run_time_ns: Option<u64>,
    /// Runs while run time was measured (`run_cnt`, since 5.1).
    pub runs: Option<u64>,
    /// Calls that were skipped because the program was already running on that
    /// processor, measured or not (`recursion_misses`, since 5.12).
    pub skipped_calls: Option<u64>,
    /// Instructions that the verifier went through, branches again and again
    /// (`verified_insns`, since 5.16).
    pub verified_instructions: Option<u64>,
}

impl ProgramStats {
    /// Asks the kernel.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn read(program: BorrowedFd<'_>) -> io::Result<Self> {
        Ok(Self::from(&ProgramInfo::read(program)?))
    }

    /// What was added since an earlier look. The verifier has looked only once.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        let added = |now: Option<u64>, then: Option<u64>| Some(now?.saturating_sub(then?));
        Self {
            run_time_ns: added(self.run_time_ns, earlier.run_time_ns),
            runs: added(self.runs, earlier.runs),
            skipped_calls: added(self.skipped_calls, earlier.skipped_calls),
            verified_instructions: self.verified_instructions,
        }
    }
}

impl From<&ProgramInfo> for ProgramStats {
    fn from(info: &ProgramInfo) -> Self {
        Self {
            run_time_ns: info.u64_at(RUN_TIME_NS),
            runs: info.u64_at(RUN_COUNT),
            skipped_calls: info.u64_at(RECURSION_MISSES),
            // 0 on a kernel that has the room, but not the field: every
            // program has instructions.
            verified_instructions: info
                .u32_at(VERIFIED_INSTRUCTIONS)
                .filter(|count| *count != 0)
                .map(u64::from),
        }
    }
}

/// While it is held, the kernel measures.
#[derive(Debug)]
pub struct RunTimeMeasured {
    /// `None` where the machine measures anyhow.
    _descriptor: Option<OwnedFd>,
}

impl RunTimeMeasured {
    /// Switches the measuring on.
    ///
    /// # Errors
    /// The kernel's refusal, where nobody has switched it on for good either.
    pub fn start() -> io::Result<Self> {
        match measure_run_time() {
            Ok(descriptor) => Ok(Self { _descriptor: Some(descriptor) }),
            Err(_) if is_switched_on() => Ok(Self { _descriptor: None }),
            Err(error) => Err(error),
        }
    }
}

fn is_switched_on() -> bool {
    fs::read_to_string(SWITCH).is_ok_and(|text| text.trim() == "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A structure of that many bytes, each u64 of which is its own offset.
    fn stats(told_bytes: usize) -> ProgramStats {
        ProgramStats::from(&ProgramInfo::numbered(told_bytes))
    }

    #[test]
    fn what_the_structure_of_an_old_kernel_lacks_is_unknown() {
        let of_5_8 = ProgramStats { run_time_ns: Some(192), runs: Some(200), ..Default::default() };
        assert_eq!(stats(208), of_5_8);
        assert_eq!(stats(216), ProgramStats { skipped_calls: Some(208), ..of_5_8 });
        let newest =
            ProgramStats { skipped_calls: Some(208), verified_instructions: Some(216), ..of_5_8 };
        assert_eq!(stats(220), newest);
        assert_eq!(stats(232), newest);
        assert_eq!(stats(0), ProgramStats::default());
    }

    #[test]
    fn a_difference_of_unknowns_is_unknown() {
        let earlier = ProgramStats { runs: Some(3), ..stats(208) };
        let added = stats(232).since(earlier);
        assert_eq!(added.runs, Some(197));
        assert_eq!(added.run_time_ns, Some(0));
        assert_eq!(added.skipped_calls, None);
        assert_eq!(added.verified_instructions, Some(216));
    }
}

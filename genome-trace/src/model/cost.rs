//! What tracing costs, by the kernel's own account. Its fields are the JSON of
//! `doctor --cost --format=json` (docs/cost.md).

use serde::Serialize;

/// Everything that was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Version of this format.
    pub v: u32,
    /// Version of genome-trace.
    pub version: String,
    /// The host's name.
    pub host: String,
    /// The kernel's release, as in `uname -r`.
    pub kernel: String,
    /// The processor architecture.
    pub arch: String,
    /// How long was measured, in nanoseconds.
    pub window_ns: u64,
    /// It was ended before the time that was asked for.
    pub ended_early: bool,
    /// Why run times and runs are unknown, where the kernel refused to measure.
    pub unmeasured: Option<String>,
    /// The way to see files that was used.
    pub selected_mode: Option<String>,
    /// It was asked for, rather than chosen as the first that works here.
    pub mode_forced: bool,
    /// The ways that there are, the cheapest first, and what each costs.
    pub modes: Vec<ModeCost>,
    /// Every program that was loaded, backups too, the costliest first.
    pub programs: Vec<ProgramCost>,
    /// All programs together.
    pub total: TotalCost,
    /// The process that reads what they tell.
    pub tracer: TracerCost,
}

impl Cost {
    /// Version of the JSON format.
    pub const FORMAT: u32 = 1;
}

/// A way to see files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModeCost {
    /// Its name.
    pub mode: String,
    /// Whether it works here.
    pub usable: bool,
    /// Why not.
    pub reason: Option<String>,
    /// Who pays for it, in words.
    pub cost: String,
}

/// A program, and what it cost within the window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProgramCost {
    /// Its name.
    pub program: String,
    /// How it is attached: `tp_btf`, `fexit`, `fentry`, `kprobe`, `kretprobe`;
    /// `iter` for the one that lists the processes at the start.
    pub hook: String,
    /// To what.
    pub target: String,
    /// Runs.
    pub runs: Option<u64>,
    /// Time in it, in nanoseconds, on all processors.
    pub run_time_ns: Option<u64>,
    /// Calls that the kernel skipped, because it was already running on that
    /// processor.
    pub skipped_calls: Option<u64>,
    /// Instructions that the verifier went through when it was loaded.
    pub verified_instructions: Option<u64>,
}

/// Sums over the programs; unknown where one of them is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TotalCost {
    /// Runs.
    pub runs: Option<u64>,
    /// Time in programs, in nanoseconds.
    pub run_time_ns: Option<u64>,
    /// Calls that the kernel skipped.
    pub skipped_calls: Option<u64>,
}

impl TotalCost {
    /// Adds up.
    #[must_use]
    pub fn of(programs: &[ProgramCost]) -> Self {
        let sum = |figure: fn(&ProgramCost) -> Option<u64>| {
            programs
                .iter()
                .map(figure)
                .try_fold(0u64, |sum, figure| Some(sum.saturating_add(figure?)))
        };
        Self {
            runs: sum(|program| program.runs),
            run_time_ns: sum(|program| program.run_time_ns),
            skipped_calls: sum(|program| program.skipped_calls),
        }
    }
}

/// The tracer's own process within the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TracerCost {
    /// Processor time in user mode, in nanoseconds.
    pub user_ns: Option<u64>,
    /// Processor time in the kernel, in nanoseconds.
    pub system_ns: Option<u64>,
    /// Resident memory at the end of the window.
    pub rss_bytes: Option<u64>,
    /// Events that were laid out, from the first to the last.
    pub events: u64,
    /// Records that were lost.
    pub lost: u64,
}

impl TracerCost {
    /// Processor time in all, in nanoseconds.
    #[must_use]
    pub fn cpu_ns(&self) -> Option<u64> {
        self.user_ns?.checked_add(self.system_ns?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_with_an_unknown_is_unknown() {
        let program = |runs| ProgramCost {
            program: String::new(),
            hook: String::new(),
            target: String::new(),
            runs,
            run_time_ns: Some(5),
            skipped_calls: None,
            verified_instructions: None,
        };
        let all = [program(Some(3)), program(Some(4))];
        assert_eq!(TotalCost::of(&all).runs, Some(7));
        assert_eq!(TotalCost::of(&all).run_time_ns, Some(10));
        assert_eq!(TotalCost::of(&all).skipped_calls, None);
        assert_eq!(TotalCost::of(&[program(Some(3)), program(None)]).runs, None);
    }
}

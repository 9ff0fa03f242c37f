//! One workload under one subject, or under none; and pairs of them.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use crate::account::{self, Tally};
use crate::machine::{Cpus, Place};
use crate::scenario::{Aim, Load, Stage};
use crate::stats::Spread;
use crate::subject::attached::{Attached, Usage};
use crate::subject::{Subject, Target};
use crate::workload::{Held, Truth};

/// Operations that a peer must see to count as attached; enough to fill the
/// buffer of one that prints a block at a time.
const CANARY: u64 = 100;

/// What every trial works with.
pub(crate) struct Bench<'a> {
    /// `genome-trace-workload`.
    pub(crate) workload: &'a Path,
    /// Who runs where.
    pub(crate) cpus: &'a Cpus,
    /// Where the subjects' output goes.
    pub(crate) scratch: &'a Place,
}

/// All that pairs of runs tell of a subject.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Operations in each run.
    pub(crate) operations: u64,
    /// Time under the subject over time without, pair by pair.
    pub(crate) ratio: Spread,
    /// Nanoseconds of an operation without the subject.
    pub(crate) baseline_ns: Spread,
    /// CPU time of the subject for all runs, without what attaching and
    /// stopping take.
    pub(crate) cpu: Duration,
    /// The most memory that it had in any run.
    pub(crate) peak_rss_bytes: u64,
    /// What it told in all runs together.
    pub(crate) tallies: Vec<Tally>,
}

/// One run under a subject.
struct Run {
    elapsed_ns: u64,
    usage: Usage,
    tallies: Vec<Tally>,
}

impl Bench<'_> {
    /// So many operations that a run without a subject takes about `length`.
    pub(crate) fn operations_in(
        &self,
        stage: &Stage,
        load: Load,
        length: Duration,
    ) -> anyhow::Result<u64> {
        // The first run warms caches up and is not believed.
        self.run_alone(stage, load.few())?;
        let elapsed_ns = self.run_alone(stage, load.few())?.elapsed_ns()?.max(1);
        let operations = u128::from(load.few()) * length.as_nanos() / u128::from(elapsed_ns);
        Ok(u64::try_from(operations).unwrap_or(u64::MAX).clamp(load.few(), load.most()))
    }

    /// Runs in pairs, with the subject and without, at the same size; which of
    /// the two comes first changes from pair to pair.
    pub(crate) fn pairs(
        &self,
        subject: &Subject,
        stage: &Stage,
        aim: Aim,
        operations: u64,
        runs: u32,
    ) -> anyhow::Result<Measured> {
        // This run warms up, shows whether the subject works here at all, and
        // what stopping it costs.
        let idle = self.run_idle(subject, stage, aim)?;
        let (mut ratios, mut baselines) = (Vec::new(), Vec::new());
        let (mut cpu, mut peak_rss_bytes, mut tallies) = (Duration::ZERO, 0, Vec::new());
        for pair in 0..runs {
            let (run, alone_ns) = if pair % 2 == 0 {
                let alone_ns = self.run_alone(stage, operations)?.elapsed_ns()?;
                (self.run_under(subject, stage, aim, operations)?, alone_ns)
            } else {
                let run = self.run_under(subject, stage, aim, operations)?;
                (run, self.run_alone(stage, operations)?.elapsed_ns()?)
            };
            ratios.push(run.elapsed_ns as f64 / alone_ns.max(1) as f64);
            baselines.push(alone_ns as f64 / operations.max(1) as f64);
            cpu += run.usage.cpu.saturating_sub(idle.cpu);
            peak_rss_bytes = peak_rss_bytes.max(run.usage.peak_rss_bytes);
            account::add(&mut tallies, run.tallies);
        }
        Ok(Measured {
            operations,
            ratio: Spread::of(&ratios).context("compare runs: there was none")?,
            baseline_ns: Spread::of(&baselines).context("compare runs: there was none")?,
            cpu,
            peak_rss_bytes,
            tallies,
        })
    }

    fn run_alone(&self, stage: &Stage, operations: u64) -> anyhow::Result<Truth> {
        self.hold(stage.words(operations))?.release()?.finish()
    }

    fn run_under(
        &self,
        subject: &Subject,
        stage: &Stage,
        aim: Aim,
        operations: u64,
    ) -> anyhow::Result<Run> {
        let bystander = self.bystander()?;
        let held = self.hold(stage.words(operations))?;
        let attached = self.attach(subject, stage, aim, &held, &bystander)?;
        let truth = held.release()?.finish()?;
        let stopped = attached.stop()?;
        Ok(Run {
            elapsed_ns: truth.elapsed_ns()?,
            usage: stopped.usage,
            tallies: stopped.tally(&truth)?,
        })
    }

    /// The subject attaches and is stopped, and nothing happens in between.
    fn run_idle(&self, subject: &Subject, stage: &Stage, aim: Aim) -> anyhow::Result<Usage> {
        let bystander = self.bystander()?;
        let held = self.hold(stage.words(1))?;
        Ok(self.attach(subject, stage, aim, &held, &bystander)?.stop()?.usage)
    }

    fn attach<'s>(
        &self,
        subject: &'s Subject,
        stage: &Stage,
        aim: Aim,
        held: &Held,
        bystander: &Held,
    ) -> anyhow::Result<Attached<'s>> {
        let target = Target { aim, workload_tgid: held.tgid(), bystander_tgid: bystander.tgid() };
        let canary = || self.run_alone(stage, CANARY);
        Attached::start(subject, target, &self.scratch.path(""), &canary)
    }

    /// Somebody who waits to be let work, and never is.
    fn bystander(&self) -> anyhow::Result<Held> {
        self.hold(["syscall-storm", "--count", "0"].map(OsString::from).into())
    }

    fn hold(&self, words: Vec<OsString>) -> anyhow::Result<Held> {
        Held::start(self.workload, &words, &self.cpus.work)
    }
}

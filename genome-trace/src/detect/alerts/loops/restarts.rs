//! A program that its parent begins again and again, with the same arguments,
//! and that fails each time at once.
//!
//! A loop in a script runs a program very often, too, but with other arguments
//! each time, or it succeeds now and then; one that waits for something asks
//! once a second, which is less often than is counted here.

use std::hash::{Hash as _, Hasher as _};

use rustc_hash::{FxHashMap, FxHasher};

use super::LoopPolicy;
use crate::model::{
    AlertProcess, Anomaly, Basis, Ending, Event, Payload, ProcessKey, Rule, Severity, Unit,
};

/// Processes of which is known what they run; others are passed over. 200 KiB.
const RUNNING_MAX: usize = 4096;
/// Programs that failed lately; others are passed over. 100 KiB.
const FAILED_MAX: usize = 1024;
/// It is told again no sooner.
const TOLD_EVERY_NS: u64 = 1_000_000_000;

/// What runs, and what has failed.
#[derive(Debug)]
pub(super) struct Restarts {
    policy: LoopPolicy,
    /// What each process runs: a number for persona, parent, program and
    /// arguments.
    running: FxHashMap<u32, (ProcessKey, u64)>,
    failed: FxHashMap<u64, Failures>,
}

/// Failures in a row: of the half of a window that goes on now, and of the one
/// before.
#[derive(Clone, Copy, Debug)]
struct Failures {
    half_from_ns: u64,
    now: u64,
    before: u64,
    told_ns: Option<u64>,
}

impl Restarts {
    pub(super) fn new(policy: &LoopPolicy) -> Self {
        Self { policy: policy.clone(), running: FxHashMap::default(), failed: FxHashMap::default() }
    }

    pub(super) fn set_policy(&mut self, policy: &LoopPolicy) {
        self.policy = policy.clone();
    }

    pub(super) fn hear(&mut self, event: &Event<'_>) -> Option<Anomaly> {
        let process = event.process.as_ref()?;
        let tgid = process.key.tgid;
        match &event.payload {
            Payload::Exec(exec) => {
                let persona = event.persona?;
                if self.running.len() >= RUNNING_MAX && !self.running.contains_key(&tgid) {
                    return None;
                }
                let mut what = FxHasher::default();
                persona.hash(&mut what);
                process.ppid.hash(&mut what);
                exec.exe.hash(&mut what);
                exec.argv.map(|argv| argv.block).hash(&mut what);
                self.running.insert(tgid, (process.key, what.finish()));
                None
            }
            Payload::Exit(exit) => {
                let (key, what) = self.running.remove(&tgid)?;
                if key != process.key {
                    return None;
                }
                let is_failure = exit.runtime_ns <= self.policy.restart_life_ns
                    && exit.ending != Ending::Exited { code: 0 };
                if !is_failure {
                    self.failed.remove(&what);
                    return None;
                }
                self.failed(what, event)
            }
            _ => None,
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.running.len() + self.failed.len()
    }

    fn failed(&mut self, what: u64, event: &Event<'_>) -> Option<Anomaly> {
        let now_ns = event.ktime_ns;
        let half_ns = (self.policy.restart_window_ns / 2).max(1);
        if self.failed.len() >= FAILED_MAX && !self.failed.contains_key(&what) {
            self.failed.retain(|_, of| now_ns.saturating_sub(of.half_from_ns) < 2 * half_ns);
            if self.failed.len() >= FAILED_MAX {
                return None;
            }
        }
        let new = Failures { half_from_ns: now_ns, now: 0, before: 0, told_ns: None };
        let of = self.failed.entry(what).or_insert(new);
        let halves = now_ns.saturating_sub(of.half_from_ns) / half_ns;
        if halves > 0 {
            of.before = if halves == 1 { of.now } else { 0 };
            of.now = 0;
            of.half_from_ns = of.half_from_ns.saturating_add(halves.saturating_mul(half_ns));
        }
        of.now = of.now.saturating_add(1);
        let count = of.now.saturating_add(of.before);
        let is_due = of.told_ns.is_none_or(|told| now_ns.saturating_sub(told) >= TOLD_EVERY_NS);
        if count < self.policy.restarts.max(1) || !is_due {
            return None;
        }
        of.told_ns = Some(now_ns);
        let comm = |comm: &[u8]| String::from_utf8_lossy(comm).into_owned();
        Some(Anomaly {
            wall_time: event.wall_time,
            rule: Rule::SpawnStorm,
            severity: Severity::Error,
            persona: event.persona.cloned(),
            process: event.process.as_ref().map(|process| AlertProcess {
                key: process.key,
                comm: process.comm.map(comm),
                argv: None,
            }),
            cause: None,
            metric: None,
            unit: Unit::Count,
            measured: count as f64,
            normal: None,
            factor: None,
            threshold: self.policy.restarts as f64,
            window_ns: Some(self.policy.restart_window_ns),
            slope_per_hour: None,
            basis: Basis::Threshold,
            confidence: None,
            files: None,
        })
    }
}

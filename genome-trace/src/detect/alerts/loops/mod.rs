//! What happens again and again: crashes, OOM kills, a program that is begun
//! and fails at once.

mod restarts;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use super::baselines::PERSONAS_MAX;
use crate::model::{
    Anomaly, Basis, CrashKind, Event, Persona, RecentCrash, Rule, Severity, Unit, WallTime,
};
use restarts::Restarts;

/// Crashes that are kept of a persona: what happens more often is as bad.
const KEPT: usize = 64;
/// Crashes are told late, and not in their order; what is further in the future
/// was before the clock was set back.
const DISORDER_NS: i64 = 60_000_000_000;

/// When it is too often.
#[derive(Clone, Debug, PartialEq)]
pub struct LoopPolicy {
    /// So many crashes of a persona, those for want of memory left out...
    pub crashes: u64,
    /// ...within this time, in nanoseconds.
    pub crash_window_ns: u64,
    /// So many kills of a persona by the OOM killer...
    pub ooms: u64,
    /// ...within this time, in nanoseconds.
    pub oom_window_ns: u64,
    /// A program that its parent begins again with the same arguments and that
    /// fails each time, so often...
    pub restarts: u64,
    /// ...within this time, in nanoseconds,
    pub restart_window_ns: u64,
    /// and each time after no more than this, in nanoseconds.
    pub restart_life_ns: u64,
}

impl Default for LoopPolicy {
    fn default() -> Self {
        const SECOND_NS: u64 = 1_000_000_000;
        Self {
            crashes: 3,
            crash_window_ns: 600 * SECOND_NS,
            ooms: 2,
            oom_window_ns: 600 * SECOND_NS,
            restarts: 60,
            restart_window_ns: 30 * SECOND_NS,
            restart_life_ns: 5 * SECOND_NS,
        }
    }
}

/// Who begins and ends how often.
#[derive(Debug)]
pub(super) struct LoopWatch {
    policy: LoopPolicy,
    crashes: BTreeMap<Persona, Crashes>,
    restarts: Restarts,
}

/// When a persona crashed, in the order in which it was told.
#[derive(Debug, Default)]
struct Crashes {
    ooms: Times,
    others: Times,
}

/// Those of one kind.
#[derive(Debug, Default)]
struct Times {
    at: VecDeque<i64>,
    /// The most that a window had while the loop goes on; 0 where there is none.
    most: u64,
}

impl LoopWatch {
    pub(super) fn new(policy: &LoopPolicy) -> Self {
        Self { policy: policy.clone(), crashes: BTreeMap::new(), restarts: Restarts::new(policy) }
    }

    pub(super) fn set_policy(&mut self, policy: &LoopPolicy) {
        self.policy = policy.clone();
        self.restarts.set_policy(policy);
    }

    pub(super) fn hear(&mut self, event: &Event<'_>, found: &mut Vec<Anomaly>) {
        found.extend(self.restarts.hear(event));
    }

    pub(super) fn crashed(&mut self, crash: &RecentCrash, found: &mut Vec<Anomaly>) {
        let Some(persona) = &crash.persona else { return };
        if !self.crashes.contains_key(persona) {
            if self.crashes.len() >= PERSONAS_MAX {
                let last = |of: &Crashes| of.ooms.at.iter().chain(&of.others.at).max().copied();
                let oldest = self.crashes.iter().min_by_key(|(_, of)| last(of));
                if let Some(oldest) = oldest.map(|(persona, _)| persona.clone()) {
                    self.crashes.remove(&oldest);
                }
            }
            self.crashes.insert(persona.clone(), Crashes::default());
        }
        let Some(of) = self.crashes.get_mut(persona) else { return };
        let times = if crash.kind == CrashKind::Oom { &mut of.ooms } else { &mut of.others };
        if times.at.len() >= KEPT {
            times.at.pop_front();
        }
        times.at.push_back(crash.wall_time.unix_ns);
        let told = loops_of(persona, of, &self.policy, crash.wall_time);
        // The one that this crash belongs to.
        let rule = if crash.kind == CrashKind::Oom { Rule::OomLoop } else { Rule::CrashLoop };
        found.extend(told.into_iter().flatten().filter(|anomaly| anomaly.rule == rule));
    }

    /// Time goes on: a loop does until its crashes are long ago.
    pub(super) fn look(&mut self, now: WallTime, found: &mut Vec<Anomaly>) {
        for (persona, of) in &mut self.crashes {
            found.extend(loops_of(persona, of, &self.policy, now).into_iter().flatten());
        }
        self.crashes.retain(|_, of| !of.ooms.at.is_empty() || !of.others.at.is_empty());
    }
}

fn loops_of(
    persona: &Persona,
    of: &mut Crashes,
    policy: &LoopPolicy,
    now: WallTime,
) -> [Option<Anomaly>; 2] {
    let (crashes, ooms) = (policy.crashes, policy.ooms);
    [
        (&mut of.others, Rule::CrashLoop, Severity::Error, crashes, policy.crash_window_ns),
        (&mut of.ooms, Rule::OomLoop, Severity::Critical, ooms, policy.oom_window_ns),
    ]
    .map(|(times, rule, severity, least, window_ns)| {
        let window = i64::try_from(window_ns).unwrap_or(i64::MAX);
        let from = now.unix_ns.saturating_sub(window);
        let until = now.unix_ns.saturating_add(DISORDER_NS);
        times.at.retain(|at| (from..=until).contains(at));
        let count = times.at.len() as u64;
        let is_loop = count >= least.max(1);
        times.most = if is_loop { times.most.max(count) } else { 0 };
        is_loop.then(|| Anomaly {
            wall_time: now,
            rule,
            severity,
            persona: Some(persona.clone()),
            process: None,
            cause: None,
            metric: None,
            unit: Unit::Count,
            measured: times.most as f64,
            normal: None,
            factor: None,
            threshold: least as f64,
            window_ns: Some(window_ns),
            slope_per_hour: None,
            basis: Basis::Threshold,
            confidence: None,
            files: None,
        })
    })
}

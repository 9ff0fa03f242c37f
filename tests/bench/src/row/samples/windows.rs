//! CPU time by looks: what was used between two moments, for the looks that
//! were taken between them.

use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::crowd::PROCESSES;
use super::{PERIOD, PERIODS};
use crate::account::Tally;
use crate::clock::{cpu_time, monotonic_ns};
use crate::stats::Spread;

/// A look at all processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// When, on `CLOCK_MONOTONIC`, in nanoseconds.
    pub(super) at_ns: u64,
    /// How many of the quiet processes it saw.
    pub(super) seen: u64,
}

/// Where one window ends and the next begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    /// When, on `CLOCK_MONOTONIC`, in nanoseconds.
    pub(super) at_ns: u64,
    /// CPU time until then.
    pub(super) cpu: Duration,
}

impl Edge {
    /// For that process, now.
    pub(super) fn of(tgid: u32) -> anyhow::Result<Self> {
        Ok(Self { at_ns: monotonic_ns(), cpu: cpu_time(tgid)? })
    }
}

/// What somebody used in windows, and what for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Account {
    /// CPU time window by window, in percent of one processor where there is
    /// one look a period.
    pub(super) percents: Vec<f64>,
    /// Looks in all of them.
    pub(super) looks: u64,
    /// What they saw, against what was there.
    pub(super) tally: Tally,
}

impl Account {
    /// Of one whose CPU time was read at these edges.
    pub(super) fn of(name: &str, edges: &[Edge], looks: &[Look]) -> anyhow::Result<Self> {
        let mut account = Self {
            percents: Vec::new(),
            looks: 0,
            tally: Tally { kind: "process".to_owned(), truth: 0, seen: 0, told_lost: 0 },
        };
        for pair in edges.windows(2) {
            let [from, until] = pair else { continue };
            let within = |look: &&Look| (from.at_ns..until.at_ns).contains(&look.at_ns);
            let count = looks.iter().filter(within).count() as u32;
            // A machine that is very busy lets one slip over an edge.
            ensure!(
                count.abs_diff(PERIODS) <= 1,
                "{name} took {count} looks where {PERIODS} were due: the machine is too busy"
            );
            let cpu = until.cpu.saturating_sub(from.cpu);
            let due = (PERIOD * count).as_secs_f64();
            account.percents.push(cpu.as_secs_f64() / due * 100.0);
            account.looks += u64::from(count);
            account.tally.truth += u64::from(count * PROCESSES);
            account.tally.seen += looks.iter().filter(within).map(|look| look.seen).sum::<u64>();
        }
        Ok(account)
    }

    /// The CPU time of the windows.
    pub(super) fn spread(&self) -> anyhow::Result<Spread> {
        spread(&self.percents)
    }

    /// What this one used more than another in the same windows.
    pub(super) fn less(&self, other: &Self) -> anyhow::Result<Self> {
        let pairs = self.percents.iter().zip(&other.percents);
        let percents: Vec<f64> = pairs.map(|(this, other)| this - other).collect();
        ensure!(
            percents.iter().all(|percent| *percent > 0.0),
            "looks seem to cost nothing: the machine is too busy"
        );
        Ok(Self { percents, ..self.clone() })
    }

    /// As if it had used no more than that in any window.
    pub(super) fn at_most(&self, percent: f64) -> Self {
        let percents = self.percents.iter().map(|used| used.min(percent)).collect();
        Self { percents, ..self.clone() }
    }

    /// How many times more this one used than the other, window by window.
    pub(super) fn over(&self, other: &Self) -> anyhow::Result<Spread> {
        let pairs = self.percents.iter().zip(&other.percents);
        spread(&pairs.map(|(this, other)| this / other).collect::<Vec<_>>())
    }
}

fn spread(numbers: &[f64]) -> anyhow::Result<Spread> {
    Spread::of(numbers).context("there is no window")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn looks(count: u64) -> Vec<Look> {
        (0..count).map(|n| Look { at_ns: n * SECOND, seen: u64::from(PROCESSES) }).collect()
    }

    fn edge(half_seconds: u64, cpu_ms: u64) -> Edge {
        Edge { at_ns: half_seconds * SECOND / 2, cpu: Duration::from_millis(cpu_ms) }
    }

    #[test]
    fn cpu_time_is_of_the_looks_between_two_edges() {
        // What was used before the first edge is nobody's business.
        let edges = [edge(5, 700), edge(15, 750), edge(25, 850)];
        let account = Account::of("it", &edges, &looks(20)).unwrap();
        assert_eq!((account.looks, account.percents.clone()), (10, vec![1.0, 2.0]));
        assert_eq!((account.tally.truth, account.tally.seen), (5000, 5000));
        let twice = Account { percents: vec![2.0, 4.0], ..account.clone() };
        assert_eq!(twice.over(&account).unwrap().median, 2.0);
        assert_eq!(twice.at_most(2.5).percents, [2.0, 2.5]);
        assert_eq!(twice.less(&account).unwrap().percents, [1.0, 2.0]);
        assert!(account.less(&twice).is_err());
    }

    #[test]
    fn a_look_that_slipped_over_an_edge_is_counted_where_it_was() {
        let account = Account::of("it", &[edge(5, 0), edge(17, 60)], &looks(20)).unwrap();
        assert_eq!((account.looks, account.percents), (6, vec![1.0]));
        assert!(Account::of("it", &[edge(5, 0), edge(11, 60)], &looks(20)).is_err());
    }

    #[test]
    fn what_was_not_seen_is_missing() {
        let mut looks = looks(20);
        looks[4].seen -= 1;
        let account = Account::of("it", &[edge(5, 0), edge(15, 50)], &looks).unwrap();
        assert_eq!((account.tally.truth, account.tally.seen), (2500, 2499));
    }
}

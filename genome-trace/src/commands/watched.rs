//! Of which time of a stretch not all is known.

use crate::{
    model::{Gap, GapReason, RecorderRun, TimeRange, WallTime},
    store::{History, StoreError},
};

const SECOND_NS: i64 = 1_000_000_000;
/// A recorder that lives writes more often than that: something always happens.
const SILENCE_NS: i64 = 60 * SECOND_NS;
/// A shorter time without a recorder is that of its end or its beginning.
const GAP_MIN_NS: i64 = SECOND_NS;

/// The gaps of a range, inside of it and the earliest first.
pub(super) fn gaps(
    history: &dyn History,
    runs: &[RecorderRun],
    range: TimeRange,
    now: WallTime,
) -> Result<Vec<Gap>, StoreError> {
    let mut gaps = history.gaps(range)?;
    gaps.extend(unwatched(runs, range, now));
    for gap in &mut gaps {
        gap.from = gap.from.max(range.from);
        gap.until = gap.until.min(range.until);
    }
    gaps.retain(|gap| {
        gap.until.unix_ns.saturating_sub(gap.from.unix_ns) >= GAP_MIN_NS || gap.missing.is_some()
    });
    gaps.sort_by_key(|gap| (gap.from, gap.until));
    Ok(gaps)
}

/// Before the first recorder and after the last one; the store itself tells
/// what is between two.
fn unwatched(runs: &[RecorderRun], range: TimeRange, now: WallTime) -> Vec<Gap> {
    let gap =
        |from, until| Gap { from, until, reason: GapReason::NotRunning, missing: None, note: None };
    let (Some(first), Some(last)) = (runs.first(), runs.iter().max_by_key(|run| run.until)) else {
        return vec![gap(range.from, range.until)];
    };
    let mut gaps = Vec::new();
    if range.from < first.from {
        gaps.push(gap(range.from, first.from.min(range.until)));
    }
    // One that is being written to was just now.
    let silence_ns = now.unix_ns.saturating_sub(last.until.unix_ns);
    let is_over = last.ended_orderly || silence_ns > SILENCE_NS;
    if is_over && last.until < range.until {
        gaps.push(gap(last.until.max(range.from), range.until));
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> WallTime {
        WallTime { unix_ns: seconds * SECOND_NS }
    }

    fn run(from: i64, until: i64, ended_orderly: bool) -> RecorderRun {
        RecorderRun { from: at(from), until: at(until), ended_orderly }
    }

    fn gaps(runs: &[RecorderRun], from: i64, until: i64, now: i64) -> Vec<(i64, i64)> {
        unwatched(runs, TimeRange { from: at(from), until: at(until) }, at(now))
            .iter()
            .map(|gap| (gap.from.unix_ns / SECOND_NS, gap.until.unix_ns / SECOND_NS))
            .collect()
    }

    #[test]
    fn what_no_recorder_saw() {
        assert_eq!(gaps(&[], 10, 20, 20), [(10, 20)]);
        assert_eq!(gaps(&[run(0, 999, false)], 10, 1000, 1000), []);
        assert_eq!(gaps(&[run(15, 999, false)], 10, 1000, 1000), [(10, 15)]);
        assert_eq!(gaps(&[run(0, 900, false)], 10, 1000, 1000), [(900, 1000)]);
        assert_eq!(gaps(&[run(0, 999, true)], 10, 1000, 1000), [(999, 1000)]);
        assert_eq!(gaps(&[run(0, 5, true)], 10, 20, 1000), [(10, 20)]);
        assert_eq!(gaps(&[run(500, 600, true)], 10, 20, 1000), [(10, 20)]);
        // What is between two is told by the store.
        assert_eq!(gaps(&[run(0, 12, true), run(15, 999, false)], 10, 1000, 1000), []);
    }
}

//! The looks that a store has.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use genome_trace::model::{Metric, TimeRange};
use genome_trace::store::{
    EventQuery, History as _, Place as StorePlace, Reader, Resolution, TrackQuery,
};

use super::crowd;
use super::windows::Look;

/// The looks, the earliest first. `unix_less_monotonic_ns` is what the wall
/// clock, which the store has, is ahead of `CLOCK_MONOTONIC`.
pub(super) fn looks(store: &Path, unix_less_monotonic_ns: i64) -> anyhow::Result<Vec<Look>> {
    let query = TrackQuery {
        metrics: vec![Metric::Processes],
        personas: (0..crowd::PERSONAS).map(crowd::name).collect(),
        ..TrackQuery::all(TimeRange::ALL, Resolution::Moment)
    };
    let mut seen: BTreeMap<i64, f64> = BTreeMap::new();
    for track in Reader::open(StorePlace::new(store))?.tracks(&query)? {
        for moment in track.stretches {
            *seen.entry(moment.wall_time.unix_ns).or_default() += moment.last;
        }
    }
    let look = |(unix_ns, seen): (i64, f64)| Look {
        at_ns: (unix_ns - unix_less_monotonic_ns).max(0).unsigned_abs(),
        seen: seen as u64,
    };
    Ok(seen.into_iter().map(look).collect())
}

/// Events in a range.
pub(super) fn events(store: &Path, range: TimeRange) -> anyhow::Result<u64> {
    let mut events = 0;
    Reader::open(StorePlace::new(store))?.events(&EventQuery::all(range), &mut |_| {
        events += 1;
        ControlFlow::Continue(())
    })?;
    Ok(events)
}

//! What several reports say alike in JSON: summaries and gaps.

use std::collections::BTreeMap;

use serde::Serialize;

use super::time::Utc;
use crate::model::{Gap, Summary, WallTime};

#[derive(Serialize)]
pub(super) struct SummaryObject {
    count: u64,
    min: f64,
    average: f64,
    p95: f64,
    max: f64,
    last: f64,
}

#[derive(Serialize)]
pub(super) struct GapObject<'a> {
    from: String,
    until: String,
    reason: &'static str,
    missing: Option<&'a BTreeMap<String, u64>>,
    note: Option<&'a str>,
}

pub(super) fn utc(time: WallTime) -> String {
    Utc(time).to_string()
}

pub(super) const fn summary(of: &Summary) -> SummaryObject {
    let Summary { count, min, average, p95, max, last } = *of;
    SummaryObject { count, min, average, p95, max, last }
}

pub(super) fn gap(gap: &Gap) -> GapObject<'_> {
    GapObject {
        from: utc(gap.from),
        until: utc(gap.until),
        reason: gap.reason.name(),
        missing: gap.missing.as_ref(),
        note: gap.note.as_deref(),
    }
}

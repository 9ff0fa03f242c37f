//! The crashes of a stretch of time as metrics.

use super::words::between;
use crate::{
    model::{CrashReport, GapReason, PersonaCrashes, TimeRange},
    render::open_metrics::{OpenMetrics, Type::Gauge, Value},
};

/// Writes OpenMetrics text. The stretch of time moves with the clock, so all
/// are gauges.
pub fn write_metrics(out: &mut Vec<u8>, report: &CrashReport) {
    let mut metrics = OpenMetrics::default();
    let range = report.range.unwrap_or(TimeRange { from: report.now, until: report.now });
    metrics
        .metric(
            "genome_trace_crashes_range_seconds",
            Gauge,
            "seconds",
            "Length of the stretch of time that the other metrics are of.",
        )
        .sample(&[], Some(Value::Seconds { ns: between(range.from, range.until) }));
    let mut missing = metrics.metric(
        "genome_trace_crashes_gap_seconds",
        Gauge,
        "seconds",
        "Time of that of which not all is known, by the reason.",
    );
    for reason in GapReason::ALL {
        let of_reason = report.gaps.iter().filter(|gap| gap.reason == reason);
        let ns = of_reason.map(|gap| between(gap.from, gap.until)).sum();
        missing.sample(&[("reason", reason.name())], Some(Value::Seconds { ns }));
    }
    let personas = report.by_persona();
    let mut crashes = metrics.metric(
        "genome_trace_crashes",
        Gauge,
        "",
        "Crashes in that time. Without a persona: those of nobody.",
    );
    for of in &personas {
        let [persona, genome] = labels(of);
        for (kind, count) in &of.by_kind {
            crashes.sample(&[persona, genome, ("kind", kind.name())], Some(Value::Whole(*count)));
        }
    }
    let mut last = metrics.metric(
        "genome_trace_last_crash_timestamp_seconds",
        Gauge,
        "seconds",
        "When the last crash of that time was, in seconds since 1970.",
    );
    for of in &personas {
        let ns = u64::try_from(of.last.crash.wall_time.unix_ns).ok();
        last.sample(&labels(of), ns.map(|ns| Value::Seconds { ns }));
    }
    out.extend_from_slice(metrics.finish().as_bytes());
}

fn labels<'a>(of: &PersonaCrashes<'a>) -> [(&'static str, &'a str); 2] {
    [("persona", of.persona.unwrap_or_default()), ("genome_id", of.genome_id.unwrap_or_default())]
}

//! The alerts of a stretch of time as metrics.

use std::collections::BTreeMap;

use crate::{
    model::{Alert, AlertReport, AlertState, GapReason},
    render::{
        crashes::words::between,
        exposition::Whose,
        open_metrics::{OpenMetrics, Type::Gauge, Value},
    },
};

/// Writes OpenMetrics text. The stretch of time moves with the clock, so all
/// are gauges.
pub fn write_metrics(out: &mut Vec<u8>, report: &AlertReport) {
    let mut metrics = OpenMetrics::default();
    let range = report.range;
    metrics
        .metric(
            "genome_trace_alerts_range_seconds",
            Gauge,
            "seconds",
            "Length of the stretch of time that the other metrics are of.",
        )
        .sample(&[], Some(Value::Seconds { ns: between(range.from, range.until) }));
    let mut missing = metrics.metric(
        "genome_trace_alerts_gap_seconds",
        Gauge,
        "seconds",
        "Time of that of which not all is known, by the reason.",
    );
    for reason in GapReason::ALL {
        let of_reason = report.gaps.iter().filter(|gap| gap.reason == reason);
        let ns = of_reason.map(|gap| between(gap.from, gap.until)).sum();
        missing.sample(&[("reason", reason.name())], Some(Value::Seconds { ns }));
    }
    let help = "Alerts in that time. Without a persona: those of the machine, and of nobody.";
    family(&mut metrics, "genome_trace_alerts", help, report.alerts.iter());
    let goes_on = |alert: &&Alert| report.state(alert) == AlertState::GoesOn;
    let help = "Those of them that are not over.";
    family(&mut metrics, "genome_trace_alerts_open", help, report.alerts.iter().filter(goes_on));
    out.extend_from_slice(metrics.finish().as_bytes());
}

fn family<'a>(
    metrics: &mut OpenMetrics,
    name: &'static str,
    help: &'static str,
    alerts: impl Iterator<Item = &'a Alert>,
) {
    let mut counts = BTreeMap::<_, u64>::new();
    for alert in alerts {
        let whose = alert.anomaly.persona.as_ref().map_or_else(Whose::nobody, Whose::of);
        *counts.entry((whose, alert.anomaly.rule, alert.severity)).or_default() += 1;
    }
    let mut family = metrics.metric(name, Gauge, "", help);
    for ((whose, rule, severity), count) in &counts {
        let [genome, persona] = whose.labels();
        let labels = [genome, persona, ("rule", rule.name()), ("severity", severity.name())];
        family.sample(&labels, Some(Value::Whole(*count)));
    }
}

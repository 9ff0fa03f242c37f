//! What was counted, and how the recorder stands.

use std::collections::BTreeMap;

use super::{labels::Whose, personas};
use crate::{
    model::{CrashKind, Crashed, EventKind, Exposed, Rule, Severity, WallTime},
    render::open_metrics::{
        OpenMetrics,
        Type::{Counter, Gauge},
        Value,
    },
};

pub(super) fn add(metrics: &mut OpenMetrics, exposed: &Exposed) {
    recorder(metrics, exposed);
    events(metrics, exposed);
    crashes(metrics, exposed);
    alerts(metrics, exposed);
    store(metrics, exposed);
}

pub(super) fn timestamp(time: WallTime) -> Option<Value> {
    u64::try_from(time.unix_ns).ok().map(|ns| Value::Seconds { ns })
}

fn recorder(metrics: &mut OpenMetrics, exposed: &Exposed) {
    let help = "1, with the recorder's version and the way in which it sees files.";
    metrics.metric("genome_trace_build_info", Gauge, "", help).sample(
        &[("version", exposed.version), ("probe_mode", exposed.probe_mode.unwrap_or_default())],
        Some(Value::Whole(1)),
    );
    let help = "When the recorder began to trace, in seconds since 1970.";
    metrics
        .metric("genome_trace_start_timestamp_seconds", Gauge, "seconds", help)
        .sample(&[], timestamp(exposed.tracing_since));
}

fn events(metrics: &mut OpenMetrics, exposed: &Exposed) {
    let help = "Events since the recorder began to trace, by kind.";
    let mut events = metrics.metric("genome_events", Counter, "", help);
    // Losses and alerts have counters of their own.
    let is_counted = |kind: &EventKind| !matches!(kind, EventKind::Lost | EventKind::Alert);
    for kind in EventKind::ALL.into_iter().filter(is_counted) {
        let count = exposed.tally.events.get(&kind).copied().unwrap_or_default();
        events.sample(&[("kind", kind.name())], Some(Value::Whole(count)));
    }
    let help = "Events that were lost since the recorder began to trace, by kind.";
    let mut lost = metrics.metric("genome_lost_events", Counter, "", help);
    for (kind, count) in exposed.tally.lost.by_name() {
        lost.sample(&[("kind", kind)], Some(Value::Whole(count)));
    }
}

/// A persona that is there has 0 where it has not crashed: the step from no
/// sample to the first crash would be none that Prometheus sees.
fn crashes(metrics: &mut OpenMetrics, exposed: &Exposed) {
    let shown = exposed.usage.iter().flat_map(|usage| personas::shown(usage));
    let mut counts: BTreeMap<(Whose, CrashKind), u64> =
        shown.flat_map(|whose| CrashKind::ALL.map(|kind| ((whose.clone(), kind), 0))).collect();
    for ((crashed, kind), count) in &exposed.tally.crashes {
        let sum = counts.entry((whose(crashed), *kind)).or_default();
        *sum = sum.saturating_add(*count);
    }
    let help = "Crashes since the recorder began to trace, by kind. Without a persona: those of \
                nobody.";
    let mut crashes = metrics.metric("genome_crash_count", Counter, "", help);
    for ((whose, kind), count) in &counts {
        let [genome, persona] = whose.labels();
        crashes.sample(&[genome, persona, ("kind", kind.name())], Some(Value::Whole(*count)));
    }
}

fn whose(crashed: &Crashed) -> Whose {
    match crashed {
        Crashed::Nobody => Whose::nobody(),
        Crashed::Persona(persona) => Whose::of(persona),
        Crashed::Another => Whose::others(),
    }
}

/// Of a rule that has raised nothing there is no sample: sixteen for each
/// persona would be more than all else is.
fn alerts(metrics: &mut OpenMetrics, exposed: &Exposed) {
    let mut raised: BTreeMap<(Whose, Rule), u64> = BTreeMap::new();
    for ((of, rule), count) in &exposed.tally.alerts {
        let sum = raised.entry((whose(of), *rule)).or_default();
        *sum = sum.saturating_add(*count);
    }
    let mut open: BTreeMap<(Whose, Rule, Severity), u64> = BTreeMap::new();
    for alert in exposed.tally.open_alerts.values() {
        let whose = alert.persona.as_ref().map_or_else(Whose::nobody, Whose::of);
        *open.entry((whose, alert.rule, alert.severity)).or_default() += 1;
    }
    let help = "Alerts raised since the recorder began to trace, by rule. Without a persona: those \
                of the machine, and of nobody.";
    let mut family = metrics.metric("genome_alert_count", Counter, "", help);
    for ((whose, rule), count) in &raised {
        let [genome, persona] = whose.labels();
        family.sample(&[genome, persona, ("rule", rule.name())], Some(Value::Whole(*count)));
    }
    let help = "Alerts that are not over, by rule and severity; absent where there is none.";
    let mut family = metrics.metric("genome_alerts_active", Gauge, "", help);
    for ((whose, rule, severity), count) in &open {
        let [genome, persona] = whose.labels();
        let labels = [genome, persona, ("rule", rule.name()), ("severity", severity.name())];
        family.sample(&labels, Some(Value::Whole(*count)));
    }
}

fn store(metrics: &mut OpenMetrics, exposed: &Exposed) {
    let store = &exposed.store;
    let help = "Items that the recorder has stored: events, processes, crashes, samples, gaps.";
    metrics
        .metric("genome_store_items", Counter, "", help)
        .sample(&[], Some(Value::Whole(store.stored)));
    let help = "Items that the recorder could not store, by kind.";
    let mut unstored = metrics.metric("genome_store_unstored_items", Counter, "", help);
    for (kind, count) in &store.unstored {
        unstored.sample(&[("kind", kind)], Some(Value::Whole(*count)));
    }
    metrics
        .metric("genome_store_failing", Gauge, "", "1 while nothing can be stored.")
        .sample(&[], Some(Value::Whole(store.is_failing.into())));
}

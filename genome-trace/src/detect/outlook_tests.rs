//! What follows from what, and that nothing follows from nothing.

use super::*;
use crate::model::{
    Figures, GpuAccess, GpuProcess, GpuProcessType, HealthReason, Holder, MachineUsage, Point,
    SampleSource, Series, Summary, TimeRange, Trend,
};

const GIB: u64 = 1 << 30;
const NOW: WallTime = WallTime { unix_ns: 3_600_000_000_000 };
const MINUTE_NS: u64 = 60_000_000_000;

fn persona(name: &str) -> Persona {
    Persona { name: name.to_owned(), genome_id: None }
}

fn usage(rss_bytes: u64, rss_limit_bytes: Option<u64>) -> Usage {
    let mut figures = Figures::default();
    figures.set(Metric::RssBytes, Some(rss_bytes as f64));
    let small = PersonaUsage {
        persona: persona("small"),
        figures: Figures::default(),
        rss_limit_bytes: None,
        started: None,
        processes: Vec::new(),
    };
    Usage {
        wall_time: NOW,
        interval_ns: Some(1),
        machine: MachineUsage { events: Some(1_000), ..MachineUsage::default() },
        personas: vec![
            PersonaUsage { persona: persona("a"), figures, rss_limit_bytes, ..small.clone() },
            small,
        ],
    }
}

fn course(minutes: usize, trend: Trend) -> Course {
    let point = Point { count: 60, min: 1.0, average: 1.0, max: 1.0 };
    let mut points = vec![None; 60 - minutes];
    points.resize(60, Some(point));
    Course {
        series: Series {
            source: SampleSource { persona: Some(persona("a")), key: None },
            metric: Metric::RssBytes,
            range: TimeRange { from: WallTime { unix_ns: 0 }, until: NOW },
            step_ns: MINUTE_NS,
            points,
        },
        summary: Summary {
            count: 1,
            min: GIB as f64,
            average: GIB as f64,
            p95: GIB as f64,
            max: 3.0 * GIB as f64,
            last: 3.0 * GIB as f64,
        },
        trend,
    }
}

fn health(evidence: HealthEvidence) -> Health {
    Health { reasons: vec![HealthReason { state: HealthState::Warning, evidence }] }
}

fn facts<'a>(
    health: Option<&'a Health>,
    usage: Option<&'a Usage>,
    memory: &'a [Course],
) -> OutlookFacts<'a> {
    OutlookFacts { now: NOW, health, usage, gpus: None, memory, crashes: &[] }
}

fn told(facts: &OutlookFacts<'_>) -> (Vec<String>, Vec<String>) {
    let outlook = outlook(facts);
    (
        outlook.warnings.into_iter().map(|warning| warning.text).collect(),
        outlook.advice.into_iter().map(|advice| advice.text).collect(),
    )
}

#[test]
fn nothing_follows_from_nothing() {
    let nothing = (Vec::new(), Vec::new());
    assert_eq!(told(&facts(None, None, &[])), nothing);
    let usage = usage(GIB, None);
    let calm = [course(60, Trend::Stable), course(60, Trend::Unknown)];
    assert_eq!(told(&facts(Some(&Health::default()), Some(&usage), &calm)), nothing);
    let falling = [course(60, Trend::Falling(-1e9))];
    assert_eq!(told(&facts(None, Some(&usage), &falling)), nothing);
    // A rise of a quarter of an hour may be a start.
    let start = [course(15, Trend::Rising(1e9))];
    assert_eq!(told(&facts(None, Some(&usage), &start)), nothing);
}

#[test]
fn near_a_limit_the_slope_says_when() {
    let (rss_bytes, limit_bytes) = (30 * GIB, 32 * GIB);
    let near =
        health(HealthEvidence::RssNearLimit { persona: persona("a"), rss_bytes, limit_bytes });
    let usage = usage(rss_bytes, Some(limit_bytes));
    let rising = [course(58, Trend::Rising(GIB as f64))];
    let (warnings, advice) = told(&facts(Some(&near), Some(&usage), &rising));
    assert_eq!(
        warnings,
        [
            "a uses 93 % (30 GiB of 32 GiB) of its memory limit, rising by 1 GiB/h for 58 min: it is \
          there in 2 h"
        ]
    );
    assert_eq!(advice.len(), 1);
    assert!(advice.concat().starts_with("30 GiB of a limit of 32 GiB, rising by 1 GiB/h"));
    assert!(advice.concat().ends_with("before the OOM killer does, in 2 h"), "{advice:?}");
    let (warnings, advice) = told(&facts(Some(&near), Some(&usage), &[]));
    assert_eq!(warnings, ["a uses 93 % (30 GiB of 32 GiB) of its memory limit"]);
    assert!(advice.concat().contains("not known to rise"), "{advice:?}");
}

#[test]
fn a_rise_is_a_warning_before_the_limit_is_near_and_where_there_is_none() {
    let rising = [course(60, Trend::Rising(GIB as f64))];
    let limited = usage(10 * GIB, Some(20 * GIB));
    let (warnings, advice) = told(&facts(None, Some(&limited), &rising));
    assert_eq!(
        warnings,
        ["a is at its memory limit in 10 h: 10 GiB of 20 GiB, rising by 1 GiB/h for 1 h"]
    );
    assert!(advice.concat().contains("within 10 h"), "{advice:?}");
    let far = usage(10 * GIB, Some(200 * GIB));
    let (warnings, advice) = told(&facts(None, Some(&far), &rising));
    assert_eq!(
        warnings,
        ["memory of a is rising by 1 GiB/h for 1 h, between 1 GiB and now 3 GiB: it may not give \
          back what it takes"]
    );
    assert!(!advice.concat().contains("it has no limit"), "{advice:?}");
    let (_, advice) = told(&facts(None, Some(&usage(GIB, None)), &rising));
    assert!(advice.concat().contains("it has no limit: give it one"), "{advice:?}");
}

#[test]
fn the_largest_holder_is_named() {
    let holder = |name: &str, gpu_index, vram_bytes| Holder {
        gpu_index,
        process: GpuProcess {
            tgid: 1,
            process_type: GpuProcessType::Compute,
            vram_bytes: Some(vram_bytes),
            accounted_peak_bytes: None,
            gpu_instance_id: None,
            compute_instance_id: None,
            utilization: None,
        },
        persona: Some(persona(name)),
        comm: None,
        argv: None,
        uid: None,
    };
    let gpus = Stats {
        version: String::new(),
        host: String::new(),
        wall_time: NOW,
        access: GpuAccess::Ready,
        library: String::new(),
        snapshot: None,
        holders: vec![
            holder("b", 0, 20 * GIB),
            holder("a", 0, 30 * GIB),
            holder("b", 0, 25 * GIB),
            holder("c", 1, 80 * GIB),
        ],
        foreign_pids: false,
    };
    let full = health(HealthEvidence::VramNearlyFull {
        index: 0,
        used_bytes: 78 * GIB,
        total_bytes: 80 * GIB,
    });
    let with = OutlookFacts { gpus: Some(&gpus), ..facts(Some(&full), None, &[]) };
    let advice = outlook(&with).advice;
    let whose: Vec<_> = advice.iter().map(|advice| advice.persona.as_deref()).collect();
    assert_eq!(whose, [Some("b")]);
    assert!(advice.iter().all(|advice| advice.text.contains("78 GiB of 80 GiB in use")));
    assert!(advice.iter().all(|advice| advice.text.contains("(45 GiB)")), "{advice:?}");
    // Who holds it is unknown, so nothing is said of it.
    assert!(outlook(&facts(Some(&full), None, &[])).advice.is_empty());
}

#[test]
fn other_reasons_ask_for_what_they_can() {
    let usage = usage(10 * GIB, None);
    let asked = |evidence| {
        let health = health(evidence);
        told(&facts(Some(&health), Some(&usage), &[])).1.concat()
    };
    let lost = asked(HealthEvidence::LostEvents { count: 12 });
    assert!(lost.starts_with("12 events were lost beside 1,000 seen: "), "{lost}");
    let low = asked(HealthEvidence::MemoryLow { available_bytes: GIB, memory_bytes: 64 * GIB });
    assert!(low.starts_with("1 GiB of 64 GiB") && low.contains("the most (10 GiB)"), "{low}");
    assert!(asked(HealthEvidence::GpuLost { index: 1 }).contains("GPU 1 is lost"));
    let failing = asked(HealthEvidence::StoreFailing { reason: "no room".to_owned() });
    assert!(failing.contains("(no room)"), "{failing}");
    assert_eq!(asked(HealthEvidence::Crashes { persona: None, count: 1 }), "");
}

#[test]
fn crashes_have_the_advice_of_their_report_and_the_worst_is_first() {
    let mut health = health(HealthEvidence::LostEvents { count: 1 });
    health.reasons.push(HealthReason {
        state: HealthState::Critical,
        evidence: HealthEvidence::GpuLost { index: 0 },
    });
    let outlook = outlook(&facts(Some(&health), None, &[]));
    let states: Vec<_> = outlook.warnings.iter().map(|warning| warning.state).collect();
    assert_eq!(states, [HealthState::Critical, HealthState::Warning]);
}

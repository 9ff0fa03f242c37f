//! Reports for the tests.

use crate::{
    model::{
        Act, ActOutcome, Alert, AlertChange, AlertProcess, AlertReport, Anomaly, Gap, GapReason,
        Persona, ProcessKey, RecorderRun, Remedy, Rule, Severity, TimeRange, WallTime,
    },
    render::sample::{ALERT, BARE_ALERT, TIME},
};

pub(super) fn before(seconds: i64) -> WallTime {
    WallTime { unix_ns: TIME.unix_ns - seconds * 1_000_000_000 }
}

/// A day without an alert.
pub(super) fn none() -> AlertReport {
    AlertReport {
        version: "0.1.0".to_owned(),
        host: "ai-box".to_owned(),
        now: TIME,
        store: "/var/lib/genome-trace/genome-trace.db".to_owned(),
        range: TimeRange { from: before(86_400), until: TIME },
        personas: Vec::new(),
        rules: Vec::new(),
        severity: None,
        open: false,
        alerts: Vec::new(),
        watched: vec![RecorderRun { from: before(50_000), until: before(0), ended_orderly: false }],
        acts: Vec::new(),
        gaps: Vec::new(),
    }
}

/// What was done about an alert.
fn act(alert: &Alert, seconds: i64, outcome: ActOutcome) -> Act {
    let process = AlertProcess {
        key: ProcessKey { tgid: 4_711, start_time: 1 },
        comm: Some("python3".to_owned()),
        argv: None,
    };
    Act {
        wall_time: before(seconds),
        alert: alert.id,
        rule: alert.anomaly.rule,
        persona: alert.anomaly.persona.clone(),
        process,
        remedy: Remedy::Kill,
        outcome,
    }
}

/// A day of which not all was watched.
pub(super) fn with_gaps(report: AlertReport) -> AlertReport {
    let gap = |from, until, reason, note: Option<&str>| Gap {
        from: before(from),
        until: before(until),
        reason,
        missing: note.map(|_| [("exit".to_owned(), 3)].into()),
        note: note.map(str::to_owned),
    };
    let gaps = vec![
        gap(86_400, 50_000, GapReason::NotRunning, None),
        gap(9_001, 9_000, GapReason::Lost, Some("no space left on device")),
    ];
    AlertReport { gaps, ..report }
}

/// A leak that goes on.
pub(super) fn open() -> Alert {
    Alert {
        id: 7,
        change: AlertChange::GoesOn,
        raised: before(400),
        last: before(1),
        ended: None,
        severity: Severity::Critical,
        count: 399,
        anomaly: Anomaly {
            rule: Rule::MemoryLeak,
            persona: Some(Persona {
                name: "Judge\u{202e}".to_owned(),
                genome_id: Some("b1c2".to_owned()),
            }),
            ..BARE_ALERT.anomaly.clone()
        },
        text: "resident memory of Judge climbs steadily by 3.5 GiB/h".to_owned(),
        advice: vec!["give it a limit".to_owned(), "look at it".to_owned()],
    }
}

/// One that is over, one that goes on, and one of a recorder before.
pub(super) fn several() -> AlertReport {
    let lost = Alert {
        id: 3,
        raised: before(60_000),
        last: before(59_000),
        text: "memory of the machine is at 60 GiB".to_owned(),
        ..BARE_ALERT.clone()
    };
    let acts = vec![
        act(&open(), 390, ActOutcome::AwaitsApproval),
        act(&open(), 300, ActOutcome::Failed("it has ended".to_owned())),
    ];
    AlertReport { alerts: vec![ALERT.clone(), open(), lost], acts, ..none() }
}

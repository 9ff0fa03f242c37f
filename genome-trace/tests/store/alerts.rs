//! Alerts: kept as they become, asked for, and ended where their recorder was.

use genome_trace::{
    model::{
        Alert, AlertChange, Anomaly, Basis, Persona, Rule, Severity, TimeRange, Unit, WallTime,
    },
    store::{AlertQuery, History as _, Item, Store as _},
};

use crate::parts::{LONG, close, now, reader, writer};

fn alert(id: i64, raised: WallTime, persona: &str, rule: Rule, severity: Severity) -> Alert {
    Alert {
        id,
        change: AlertChange::Raised,
        raised,
        last: raised,
        ended: None,
        severity,
        count: 1,
        anomaly: Anomaly {
            wall_time: raised,
            rule,
            severity,
            persona: Some(Persona { name: persona.to_owned(), genome_id: None }),
            process: None,
            cause: None,
            metric: None,
            unit: Unit::Count,
            measured: 0.1 + 0.2,
            normal: None,
            factor: Some(1e300),
            threshold: 3.0,
            window_ns: None,
            slope_per_hour: None,
            basis: Basis::Threshold,
            confidence: None,
            files: None,
        },
        text: "a\u{202e}b".to_owned(),
        advice: vec!["look".to_owned()],
    }
}

fn at(base: WallTime, second: i64) -> WallTime {
    WallTime { unix_ns: base.unix_ns + second * 1_000_000_000 }
}

fn push(store: &impl genome_trace::store::Store, alert: &Alert) {
    store.push(Item::Alert(Box::new(alert.clone())));
}

#[test]
fn an_alert_is_one_row_that_goes_with_what_becomes_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let base = now();
    let writer = writer(folder.path());
    let raised = alert(1, base, "Judge", Rule::CrashLoop, Severity::Warning);
    push(&writer, &raised);
    let worse = Alert {
        change: AlertChange::Escalated,
        last: at(base, 9),
        severity: Severity::Critical,
        count: 7,
        ..raised
    };
    push(&writer, &worse);
    writer.flush(LONG).unwrap();
    let reader = reader(folder.path());
    let all = AlertQuery::all(TimeRange::ALL);
    assert_eq!(reader.alerts(&all).unwrap(), std::slice::from_ref(&worse), "whole, in every digit");
    let over = Alert { change: AlertChange::Ended, ended: Some(at(base, 70)), ..worse };
    push(&writer, &over);
    writer.flush(LONG).unwrap();
    assert_eq!(reader.alerts(&all).unwrap(), [over]);
    let open = AlertQuery { open: true, ..all };
    assert!(reader.alerts(&open).unwrap().is_empty());
    close(writer);
}

#[test]
fn alerts_by_time_persona_rule_and_severity() {
    let folder = tempfile::tempdir().unwrap();
    let base = now();
    let writer = writer(folder.path());
    let lasts = Alert {
        last: at(base, 50),
        ..alert(1, base, "Judge", Rule::MemoryLeak, Severity::Warning)
    };
    push(&writer, &lasts);
    push(&writer, &alert(2, at(base, 10), "Coder", Rule::CrashLoop, Severity::Error));
    let over = alert(3, at(base, 20), "Judge", Rule::OomLoop, Severity::Critical);
    push(&writer, &Alert { ended: Some(at(base, 20)), ..over });
    writer.flush(LONG).unwrap();
    let reader = reader(folder.path());
    let find = |query: &AlertQuery| -> Vec<i64> {
        reader.alerts(query).unwrap().iter().map(|alert| alert.id).collect()
    };
    let all = AlertQuery::all(TimeRange::ALL);
    assert_eq!(find(&all), [3, 2, 1], "the latest first");
    let between =
        |from, until| AlertQuery::all(TimeRange { from: at(base, from), until: at(base, until) });
    assert_eq!(find(&between(15, 60)), [3, 1], "one that began before and lasts");
    assert_eq!(find(&between(51, 60)), [0_i64; 0]);
    assert_eq!(find(&between(-9, 0)), [0_i64; 0]);
    assert_eq!(find(&between(-9, 1)), [1]);
    let of = |names: &[&str]| AlertQuery {
        personas: names.iter().map(|name| (*name).to_owned()).collect(),
        ..all.clone()
    };
    assert_eq!(find(&of(&["Judge"])), [3, 1]);
    assert_eq!(find(&of(&["Judge", "Coder"])).len(), 3);
    assert_eq!(find(&of(&["Nobody"])), [0_i64; 0]);
    let rules = vec![Rule::CrashLoop, Rule::OomLoop];
    assert_eq!(find(&AlertQuery { rules, ..all.clone() }), [3, 2]);
    let severity = Some(Severity::Error);
    assert_eq!(find(&AlertQuery { severity, ..all.clone() }), [3, 2]);
    assert_eq!(find(&AlertQuery { open: true, ..all }), [2, 1]);
    close(writer);
}

#[test]
fn what_went_on_when_a_recorder_ended_is_ended_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let base = now();
    let first = writer(folder.path());
    let lasts = Alert {
        last: at(base, 50),
        ..alert(1, base, "Judge", Rule::MemoryLeak, Severity::Warning)
    };
    push(&first, &lasts);
    first.flush(LONG).unwrap();
    close(first);
    let all = AlertQuery::all(TimeRange::ALL);
    assert_eq!(reader(folder.path()).alerts(&all).unwrap(), std::slice::from_ref(&lasts));
    let second = writer(folder.path());
    push(&second, &alert(2, at(base, 60), "Judge", Rule::MemoryLeak, Severity::Warning));
    second.flush(LONG).unwrap();
    let found = reader(folder.path()).alerts(&all).unwrap();
    let ended = Alert { change: AlertChange::Ended, ended: Some(at(base, 50)), ..lasts };
    assert_eq!(found[1], ended, "with the last time that it was found");
    assert_eq!(found[0].ended, None, "this recorder's own goes on");
    close(second);
}

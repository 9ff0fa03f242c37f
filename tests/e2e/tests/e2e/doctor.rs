//! `doctor` without privileges: it fails, and says everything all the same.

use genome_trace::probe::Mode;
use serde_json::Value;

use crate::run_unprivileged;

fn report() -> Value {
    let ended = run_unprivileged(["doctor", "--format=json"]);
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert_eq!(ended.stderr, "");
    assert_eq!(ended.stdout.lines().count(), 1, "one object, one line");
    serde_json::from_str(&ended.stdout).unwrap()
}

fn entries<'a>(report: &'a Value, list: &str) -> &'a [Value] {
    report.get(list).and_then(Value::as_array).unwrap_or_else(|| panic!("no {list}: {report}"))
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry.get(field).and_then(Value::as_str).unwrap_or_else(|| panic!("no {field}: {entry}"))
}

#[test]
fn json_says_what_is_missing_and_what_to_do() {
    let report = report();
    assert_eq!(report.get("v"), Some(&Value::from(1)));
    assert_eq!(report.get("can_trace"), Some(&Value::from(false)));
    assert_eq!(text(&report, "version"), env!("CARGO_PKG_VERSION"));
    for capability in ["CAP_BPF", "CAP_PERFMON"] {
        let check = entries(&report, "checks").iter().find(|c| text(c, "name") == capability);
        let check = check.unwrap_or_else(|| panic!("{capability} is not checked: {report}"));
        assert_eq!(text(check, "state"), "failed");
        assert!(text(check, "remedy").contains("sudo"), "{check}");
    }
}

#[test]
fn each_failed_check_has_a_remedy() {
    for check in entries(&report(), "checks") {
        if text(check, "state") == "failed" {
            assert!(!text(check, "remedy").is_empty(), "{check}");
        }
    }
}

/// What was not tried is not said to work, nor to fail.
#[test]
fn no_mode_is_claimed_to_work() {
    let report = report();
    assert_eq!(report.get("selected_mode"), Some(&Value::Null));
    for entry in entries(&report, "modes") {
        assert!(Mode::ALL.iter().any(|mode| mode.name() == text(entry, "mode")), "{entry}");
        assert_ne!(entry.get("usable"), Some(&Value::from(true)), "{entry}");
        assert!(!text(entry, "reason").is_empty(), "{entry}");
    }
    for probe in entries(&report, "probes") {
        assert_ne!(text(probe, "verdict"), "attached", "{probe}");
    }
}

/// Measuring takes what tracing takes, and a refusal is no report.
#[test]
fn cost_without_privileges_is_refused_with_the_remedy() {
    for format in ["table", "json", "prometheus"] {
        let ended = run_unprivileged(["doctor", "--cost=1s", &format!("--format={format}")]);
        assert_eq!(ended.code(), Some(1), "{ended:?}");
        assert_eq!(ended.stdout, "");
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
        assert!(ended.stderr.contains("CAP_BPF") && ended.stderr.contains("sudo"), "{ended:?}");
    }
}

#[test]
fn report_for_people_says_the_same() {
    let ended = run_unprivileged(["doctor"]);
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert_eq!(ended.stderr, "");
    assert!(!ended.stdout.contains('\u{1b}'), "colour in a file");
    let report = report();
    for check in entries(&report, "checks") {
        assert!(ended.stdout.contains(text(check, "name")), "{check}");
    }
    let verdict = ended.stdout.lines().last().unwrap_or_default();
    assert!(verdict.contains("cannot run"), "{verdict}");
}

//! `--crashes` over stores that are written here, by the library: what a
//! recorder would have kept.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use genome_trace::{
    model::{
        Crash, CrashConstraint, CrashKind, CrashMemory, CrashOom, CrashPeer, CrashSignal, Ending,
        Gap, GapReason, ProcessKey, ProcessRecord, SignalNumber, WallTime,
    },
    store::{Item, Place, Store as _, Writer, WriterOptions},
};
use genome_trace_tests_e2e::Ended;
use serde_json::Value;
use tempfile::TempDir;

use crate::{run, run_unprivileged};

/// Longer than any disk takes; a test that waits for so long has failed.
const LONG: Duration = Duration::from_secs(60);
const SECOND: i64 = 1_000_000_000;
const GIB: u64 = 1 << 30;

fn ago(seconds: i64) -> WallTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    WallTime { unix_ns: i64::try_from(since.as_nanos()).unwrap() - seconds * SECOND }
}

fn died(signal: u32) -> Option<Ending> {
    Some(Ending::Signaled { signal: SignalNumber(signal), core_dumped: false })
}

fn crash(at: WallTime, persona: Option<&str>, kind: CrashKind, reason: &str) -> Crash {
    let key = ProcessKey { tgid: 4242, start_time: 7 };
    Crash { persona: persona.map(str::to_owned), ..Crash::new(at, 9, key, kind, reason.to_owned()) }
}

fn oom(at: WallTime) -> Crash {
    Crash {
        genome_id: Some("a3f9".to_owned()),
        argv: Some(vec!["python3".to_owned(), "two words".to_owned()]),
        ending: died(9),
        memory: CrashMemory {
            limit_bytes: Some(3 * GIB / 2),
            peak_rss_bytes: Some(9 * GIB / 5),
            ..CrashMemory::default()
        },
        oom: Some(CrashOom { constraint: Some(CrashConstraint::Memcg), ..CrashOom::default() }),
        ..crash(at, Some("CodeExpert"), CrashKind::Oom, "its memory cgroup was at its limit")
    }
}

fn killed(at: WallTime) -> Crash {
    let sender = CrashPeer { tgid: 1234, comm: Some("ba\u{1b}[31msh".to_owned()) };
    Crash {
        ending: died(9),
        signal: Some(CrashSignal { signal: SignalNumber(9), code: 0, sender: Some(sender) }),
        ..crash(at, Some("Judge"), CrashKind::Killed, "SIGKILL from bash (1234)")
    }
}

fn segv(at: WallTime) -> Crash {
    Crash { ending: died(11), ..crash(at, None, CrashKind::FatalSignal, "SIGSEGV") }
}

/// A store in a folder that anybody may read.
fn store(items: Vec<Item>) -> TempDir {
    let folder = TempDir::new().unwrap();
    let place = Place::new(folder.path());
    let options = WriterOptions::new("3e0b5b4e-0000-4000-8000-000000000001");
    let writer = Writer::open(place, options).unwrap();
    for item in items {
        writer.push(item);
    }
    writer.flush(LONG).unwrap();
    writer.close().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        fs::set_permissions(entry.unwrap().path(), Permissions::from_mode(0o644)).unwrap();
    }
    folder
}

fn a_night() -> TempDir {
    let crashes = [oom(ago(7_000)), oom(ago(200)), killed(ago(100)), segv(ago(90_000))];
    store(crashes.map(|crash| Item::Crash(Box::new(crash))).into())
}

fn report(folder: &TempDir, options: &[&str]) -> Ended {
    let place = format!("--store={}", folder.path().display());
    let args = [&["--crashes", place.as_str()], options].concat();
    let ended = run_unprivileged(args);
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert_eq!(ended.stderr, "");
    ended
}

fn json(folder: &TempDir, options: &[&str]) -> Value {
    let said = report(folder, &[options, &["--format=json"]].concat()).stdout;
    assert_eq!(said.lines().count(), 1, "one object, one line");
    serde_json::from_str(&said).unwrap()
}

fn kinds(folder: &TempDir, options: &[&str]) -> Vec<String> {
    let report = json(folder, options);
    let crashes = report.get("crashes").and_then(Value::as_array).unwrap();
    let kind = |crash: &Value| crash.get("kind").and_then(Value::as_str).unwrap().to_owned();
    crashes.iter().map(kind).collect()
}

#[test]
fn who_died_of_what_without_root() {
    let said = report(&a_night(), &[]).stdout;
    assert!(!said.contains('\u{1b}'), "a name moved the cursor, or colour in a file: {said}");
    for words in [
        "CodeExpert",
        "a3f9",
        "3 min ago",
        "oom 2",
        "SIGKILL (137)",
        "its memory cgroup was at its limit",
        "python3 'two words'",
        r"sent by ba\x1b[31msh (1234)",
        "limit 1.5 GiB, peak 1.8 GiB, 2 of 2 crashes by that limit: raise it to 2 GiB",
    ] {
        assert!(said.contains(words), "no {words}: {said}");
    }
    assert!(!said.contains("SIGSEGV"), "a day ago and more: {said}");
    // No recorder ran before this test did.
    assert!(said.contains("Not all of that time was watched"), "{said}");
}

#[test]
fn it_is_narrowed_by_time_persona_and_kind() {
    let night = a_night();
    assert_eq!(kinds(&night, &[]), ["killed", "oom", "oom"], "a day, the latest first");
    assert_eq!(kinds(&night, &["--last=1h"]), ["killed", "oom"]);
    assert_eq!(kinds(&night, &["--last=7d"]), ["killed", "oom", "oom", "fatal_signal"]);
    assert_eq!(kinds(&night, &["--since=3 h ago", "--until=1 h ago"]), ["oom"]);
    assert_eq!(kinds(&night, &["--persona=Judge"]), ["killed"]);
    assert_eq!(kinds(&night, &["--persona=Judge", "--persona=CodeExpert"]).len(), 3);
    assert_eq!(kinds(&night, &["--kind=oom"]), ["oom", "oom"]);
    assert_eq!(kinds(&night, &["--kind=oom,fatal_signal", "--last=7d"]).len(), 3);
    assert!(kinds(&night, &["--kind=gpu_fault"]).is_empty());
}

#[test]
fn all_of_them_and_one_alone() {
    let night = a_night();
    let blocks = |said: &str| said.lines().filter(|line| line.starts_with("Crash ")).count();
    assert_eq!(blocks(&report(&night, &[]).stdout), 2, "one a persona");
    assert_eq!(blocks(&report(&night, &["--all"]).stdout), 3);
    let id = json(&night, &["--kind=killed"]);
    let id = id.pointer("/crashes/0/id").and_then(Value::as_i64).unwrap();
    let said = report(&night, &[&format!("--crash={id}")]).stdout;
    assert_eq!(blocks(&said), 1);
    assert!(said.contains("Judge") && said.contains(&format!("Crash {id}:")), "{said}");
}

#[test]
fn a_crash_that_there_is_not() {
    let night = a_night();
    let place = format!("--store={}", night.path().display());
    let ended = run(["--crashes", &place, "--crash=777"]);
    assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    let said = ended.only_line().unwrap();
    assert!(said.contains("no crash 777") && said.contains("--all"), "{said}");
}

#[test]
fn no_crash_says_what_was_watched_and_what_was_not() {
    let gap = Gap {
        from: ago(300),
        until: ago(240),
        reason: GapReason::Lost,
        missing: Some([("exit".to_owned(), 3)].into()),
        note: None,
    };
    let folder = store(vec![Item::Gap(Box::new(gap))]);
    // As lines are broken, a word may stand at the end of one.
    let said = report(&folder, &["--last=1h"]).stdout.replace('\n', " ");
    for words in
        ["No crash", "is known", "has watched this machine since", "events were lost", "3 exit"]
    {
        assert!(said.contains(words), "no {words}: {said}");
    }
    let report = json(&folder, &["--last=1h"]);
    assert_eq!(report.get("is_complete"), Some(&Value::Bool(false)));
    let reasons: Vec<_> = report
        .get("gaps")
        .and_then(Value::as_array)
        .unwrap()
        .iter()
        .map(|gap| gap.get("reason").and_then(Value::as_str).unwrap())
        .collect();
    assert!(reasons.contains(&"lost") && reasons.contains(&"not_running"), "{reasons:?}");
}

/// The recorder keeps nothing of it in mind, but the store has it.
#[test]
fn what_nobodys_process_ran_comes_from_the_store() {
    let crash = segv(ago(10));
    let process = ProcessRecord {
        exe: Some((*b"/usr/bin/crasher").into()),
        argv: Some((*b"crasher\0--now\0").into()),
        ..ProcessRecord::unknown(crash.key)
    };
    let folder = store(vec![Item::Process(Box::new(process)), Item::Crash(Box::new(crash))]);
    let said = report(&folder, &[]).stdout;
    assert!(said.contains("crasher --now") && said.contains("/usr/bin/crasher"), "{said}");
}

#[test]
fn csv_and_metrics() {
    let night = a_night();
    let said = report(&night, &["--format=csv"]).stdout;
    let mut lines = said.lines();
    assert!(lines.next().unwrap().starts_with("id,time,persona,"), "{said}");
    assert_eq!(lines.count(), 3, "{said}");
    let said = report(&night, &["--format=prometheus"]).stdout;
    let sample = r#"genome_trace_crashes{persona="CodeExpert",genome_id="a3f9",kind="oom"} 2"#;
    assert!(said.lines().any(|line| line == sample), "{said}");
    assert!(said.ends_with("# EOF\n"), "{said}");
}

#[test]
fn without_a_store_it_says_how_to_start_a_recorder() {
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let ended = run_unprivileged(["--crashes", &format!("--store={}", folder.path().display())]);
    assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    let said = ended.only_line().unwrap();
    assert!(said.contains("`sudo genome-trace record`") && said.contains("--store"), "{said}");
}

#[test]
fn times_that_make_no_sense_are_one_sentence() {
    let night = a_night();
    let place = format!("--store={}", night.path().display());
    for (options, words) in [
        (&["--since=2150-01-01"][..], "is in the future"),
        (&["--since=1 h ago", "--until=2 h ago"], "is not before --until"),
    ] {
        let ended = run([&["--crashes", place.as_str()], options].concat());
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
        assert!(ended.only_line().unwrap().contains(words), "{ended:?}");
    }
}

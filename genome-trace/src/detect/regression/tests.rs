//! Two reports against each other, and the gate on them.

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::model::{
    Crash, CrashKind, Ending, ProcessKey, Run, RunBasis, RunClass, RunComparison, RunExecutable,
    RunFigures, RunFolder, RunMetric, RunNameKind, RunReport, RunRuleState, RunUnlisted,
    RunVerdict, WallTime,
};

/// A run of which every figure is known.
fn run(number: u64) -> Run {
    let mut figures = RunFigures::default();
    for metric in RunMetric::ALL {
        let figure = match metric {
            RunMetric::Crashes | RunMetric::Signals | RunMetric::OomKills => 0,
            RunMetric::FailedExits => 1,
            RunMetric::WrittenBytes => 10 << 20,
            RunMetric::PeakRssBytes | RunMetric::PeakTreeRssBytes => 200 << 20,
            RunMetric::CpuNs | RunMetric::WallNs => 1_000_000_000 + number,
            _ => 100,
        };
        figures.set(metric, Some(figure));
    }
    let folder = RunFolder {
        created: 100,
        unlinked: 100,
        written_files: 100,
        write_calls: 100,
        written_bytes: 10 << 20,
    };
    Run {
        started: WallTime { unix_ns: 1 },
        outcome: Ending::Exited { code: 0 },
        figures,
        executables: [(
            "/usr/bin/cc".to_owned(),
            RunExecutable { execs: 100, failed_exits: 1, ..RunExecutable::default() },
        )]
        .into(),
        endings: [("exit 0".to_owned(), 99), ("exit 1".to_owned(), 1)].into(),
        signals: [].into(),
        crashes: Vec::new(),
        folders: [("./target".to_owned(), folder)].into(),
        left_running: [].into(),
        unlisted: RunUnlisted::default(),
        lost: [].into(),
    }
}

fn report(runs: u64) -> RunReport {
    RunReport {
        schema_version: 1,
        genome_trace: "0.1.0".to_owned(),
        command: vec!["make".to_owned()],
        runs: (0..runs).map(run).collect(),
        ..RunReport::default()
    }
}

/// One run in which a metric has another figure.
fn with(metric: RunMetric, figure: u64) -> RunReport {
    with_each(metric, &[figure])
}

fn with_each(metric: RunMetric, figures: &[u64]) -> RunReport {
    let mut report = report(figures.len() as u64);
    for (run, figure) in report.runs.iter_mut().zip(figures) {
        run.figures.set(metric, Some(*figure));
    }
    report
}

fn compared(before: &RunReport, after: &RunReport) -> RunComparison {
    compare_runs(before, after, DEFAULT_TOLERANCE_PERCENT)
}

fn verdict(before: &RunReport, after: &RunReport, metric: RunMetric) -> RunVerdict {
    compared(before, after).metric(metric).unwrap().verdict
}

fn judged(rule: &str, before: &RunReport, after: &RunReport) -> (RunRuleState, String) {
    let rules = [rule.parse().unwrap_or_else(|why| panic!("{rule}: {why}"))];
    let comparison = compared(before, after);
    let outcome = judge_rules(&rules, after, Some((before, &comparison))).pop().unwrap();
    assert_eq!(outcome.rule, rule);
    assert!(!outcome.found.ends_with('.') && !outcome.found.contains('\n'), "{}", outcome.found);
    (outcome.state, outcome.found)
}

fn state(rule: &str, before: &RunReport, after: &RunReport) -> RunRuleState {
    judged(rule, before, after).0
}

#[test]
fn the_same_is_no_change() {
    let comparison = compared(&report(1), &report(1));
    assert_eq!(comparison.names, []);
    assert_eq!(comparison.unjudged, []);
    assert_eq!(comparison.notes, [] as [&str; 0]);
    for change in &comparison.metrics {
        let wanted = match change.metric.class() {
            RunClass::Exact | RunClass::Stable => RunVerdict::Equal,
            RunClass::Noisy => RunVerdict::NotJudged,
        };
        assert_eq!(change.verdict, wanted, "{}", change.metric);
    }
    assert_eq!(state("changed", &report(1), &report(1)), RunRuleState::Kept);
}

#[test]
fn counts_are_equal_or_not() {
    use RunMetric::FilesCreated;
    let before = with(FilesCreated, 100);
    assert_eq!(verdict(&before, &with(FilesCreated, 101), FilesCreated), RunVerdict::More);
    assert_eq!(verdict(&before, &with(FilesCreated, 99), FilesCreated), RunVerdict::Less);
    // Runs that differ among themselves: only what never meets is a change.
    let unsteady = with_each(FilesCreated, &[100, 104]);
    for (after, wanted) in [
        (&[102][..], RunVerdict::Unsteady),
        (&[105][..], RunVerdict::More),
        (&[104, 110][..], RunVerdict::Unsteady),
        (&[90, 99][..], RunVerdict::Less),
        (&[100, 104][..], RunVerdict::Unsteady),
    ] {
        let after = with_each(FilesCreated, after);
        assert_eq!(verdict(&unsteady, &after, FilesCreated), wanted);
    }
}

#[test]
fn amounts_have_a_tolerance_and_a_floor() {
    use RunMetric::{WriteCalls, WrittenBytes};
    for (before, after, wanted) in [
        (100_000, 110_000, RunVerdict::Within),
        (100_000, 110_001, RunVerdict::More),
        (100_000, 89_999, RunVerdict::Less),
        (100_000, 100_000, RunVerdict::Equal),
        (0, 4096, RunVerdict::Within),
        (0, 4097, RunVerdict::More),
    ] {
        let (before, after) = (with(WrittenBytes, before), with(WrittenBytes, after));
        assert_eq!(verdict(&before, &after, WrittenBytes), wanted);
    }
    let few = (with(WriteCalls, 4), with(WriteCalls, 14));
    assert_eq!(verdict(&few.0, &few.1, WriteCalls), RunVerdict::Within);
    // The middle one counts, so one odd run is no change.
    let odd = with_each(WrittenBytes, &[100_000, 100_100, 900_000]);
    assert_eq!(verdict(&with(WrittenBytes, 100_000), &odd, WrittenBytes), RunVerdict::Within);
}

/// A look that fell into a fork saw the memory of one process twice.
#[test]
fn what_looks_saw_is_judged_by_repetition_alone() {
    use RunMetric::PeakTreeRssBytes;
    let (before, after) = (with(PeakTreeRssBytes, 62_775_296), with(PeakTreeRssBytes, 87_662_592));
    assert_eq!(verdict(&before, &after, PeakTreeRssBytes), RunVerdict::NotJudged);
}

#[test]
fn times_are_judged_by_repetition_alone() {
    use RunMetric::WallNs;
    let change = |before: &[u64], after: &[u64]| {
        let comparison = compared(&with_each(WallNs, before), &with_each(WallNs, after));
        comparison.metric(WallNs).unwrap().clone()
    };
    let one = change(&[100], &[100_000]);
    assert_eq!(one.verdict, RunVerdict::NotJudged);
    assert_eq!(one.basis, RunBasis::TooFewRuns { before: 1, after: 1 });
    assert_eq!(change(&[1, 2, 3], &[7, 8, 9]).verdict, RunVerdict::NotJudged, "3 cannot show it");
    assert_eq!(change(&[100, 101, 102, 103], &[200, 201, 202, 203]).verdict, RunVerdict::More);
    assert_eq!(change(&[200, 201, 202, 203], &[100, 101, 102, 103]).verdict, RunVerdict::Less);
    assert_eq!(change(&[100, 200, 150, 120], &[210, 110, 160, 130]).verdict, RunVerdict::Within);
    // Sure, and of no interest.
    let small = change(&[1000, 1001, 1002, 1003], &[1010, 1011, 1012, 1013]);
    assert_eq!(small.verdict, RunVerdict::Within);
    assert!(matches!(small.basis, RunBasis::MannWhitney { p, .. } if p < 0.05));
}

#[test]
fn what_was_not_seen_is_not_judged() {
    let mut blind = report(1);
    blind.runs[0].figures.set(RunMetric::FilesCreated, None);
    blind
        .unobserved
        .insert(RunMetric::FilesCreated, "no mode of this kernel sees files".to_owned());
    let comparison = compared(&report(1), &blind);
    let change = comparison.metric(RunMetric::FilesCreated).unwrap();
    assert_eq!((change.before.map(|of| of.median), change.after), (Some(100), None));
    assert_eq!(change.verdict, RunVerdict::NotJudged);
    let why = "after: no mode of this kernel sees files".to_owned();
    assert_eq!(change.basis, RunBasis::Unobserved(why.clone()));
    assert_eq!(comparison.unjudged, [(RunNameKind::FilesCreated, why)]);
    for rule in
        ["files_created>5", "files_created==0", "files_created>+10%", "new-folder", "changed"]
    {
        let (state, found) = judged(rule, &report(1), &blind);
        assert_eq!(state, RunRuleState::NotJudged, "{rule}");
        assert!(found.contains("no mode of this kernel"), "{rule}: {found}");
    }
    let before_is_blind = judged("files_created<+10%", &blind, &report(1));
    assert_eq!(before_is_blind.0, RunRuleState::NotJudged);
    assert_eq!(state("files_created>5", &blind, &report(1)), RunRuleState::Broken);
}

#[test]
fn what_was_lost_makes_a_count_a_lower_bound() {
    let mut lossy = report(1);
    lossy.runs[0].lost.insert("file_create".to_owned(), 3);
    let (before, after) = (report(1), &lossy);
    assert_eq!(verdict(&before, after, RunMetric::FilesCreated), RunVerdict::NotJudged);
    assert_eq!(verdict(&before, after, RunMetric::Execs), RunVerdict::Equal);
    assert_eq!(compared(&before, after).notes, ["after: lost events: 3 file_create"]);
    assert_eq!(state("files_created>50", &before, after), RunRuleState::Broken);
    assert_eq!(state("files_created>200", &before, after), RunRuleState::NotJudged);
    assert_eq!(state("files_created<200", &before, after), RunRuleState::NotJudged);
    assert_eq!(state("files_created>+10%", after, &before), RunRuleState::NotJudged);
    assert_eq!(state("changed", &before, after), RunRuleState::NotJudged);
    assert_eq!(state("execs==100", &before, after), RunRuleState::Broken);
    // A name that is lost is a name that may be new.
    let mut nameless = report(1);
    nameless.runs[0].lost.insert("file_path".to_owned(), 1);
    assert_eq!(state("new-folder", &before, &nameless), RunRuleState::NotJudged);
    assert_eq!(state("files_created>200", &before, &nameless), RunRuleState::Kept);
}

#[test]
fn names_that_came_and_went() {
    let mut after = report(1);
    let run = &mut after.runs[0];
    run.executables
        .insert("/usr/bin/git".to_owned(), RunExecutable { execs: 1, ..Default::default() });
    run.executables.get_mut("/usr/bin/cc").unwrap().failed_exits = 0;
    run.endings.remove("exit 1");
    run.signals.insert("SIGKILL".to_owned(), 1);
    run.folders.insert("./new".to_owned(), RunFolder { created: 5, ..Default::default() });
    run.folders.get_mut("./target").unwrap().written_bytes *= 2;
    run.left_running.insert("/bin/daemon".to_owned(), 1);
    let key = ProcessKey { tgid: 1, start_time: 1 };
    let crash = Crash::new(WallTime { unix_ns: 1 }, 1, key, CrashKind::Killed, String::new());
    run.crashes.push(Crash { comm: Some("cc".to_owned()), ..crash });
    let comparison = compared(&report(1), &after);
    let told: Vec<_> = comparison
        .names
        .iter()
        .map(|of| (of.kind.name(), of.name.as_str(), of.before.median, of.after.median))
        .collect();
    assert_eq!(
        told,
        [
            ("executables", "/usr/bin/git", 0, 1),
            ("failures", "/usr/bin/cc", 1, 0),
            ("crashes", "killed of cc", 0, 1),
            ("endings", "exit 1", 1, 0),
            ("signals", "SIGKILL", 0, 1),
            ("files_created", "./new", 0, 5),
            ("written_bytes", "./target", 10 << 20, 20 << 20),
            ("left_running", "/bin/daemon", 0, 1),
        ]
    );
    assert!(comparison.names[0].is_new() && comparison.names[3].is_gone());
    let found = |rule| judged(rule, &report(1), &after).1;
    assert_eq!(found("new-executable"), "an executable is new: /usr/bin/git");
    assert_eq!(found("new-crash"), "a crash is new: killed of cc");
    assert_eq!(found("new-folder"), "a folder is new: ./new");
    assert_eq!(found("new-signal"), "a signal is new: SIGKILL");
    assert_eq!(found("changed"), "changed: 6 names");
    for rule in ["new-executable", "new-crash", "new-folder", "new-signal", "changed"] {
        assert_eq!(state(rule, &report(1), &after), RunRuleState::Broken, "{rule}");
        assert_eq!(state(rule, &after, &after), RunRuleState::Kept, "{rule}");
    }
    // A daemon that is there or not, and more bytes, are no change of counts.
    let mut daemon = report(1);
    daemon.runs[0].left_running.insert("/bin/daemon".to_owned(), 1);
    daemon.runs[0].folders.get_mut("./target").unwrap().written_bytes *= 2;
    assert_eq!(state("changed", &report(1), &daemon), RunRuleState::Kept);
}

#[test]
fn a_name_that_one_of_many_runs_has_is_new_and_not_steady() {
    let mut after = report(3);
    after.runs[1].signals.insert("SIGSEGV".to_owned(), 1);
    let comparison = compared(&report(3), &after);
    assert_eq!(comparison.names[0].verdict, RunVerdict::Unsteady);
    assert_eq!(state("new-signal", &report(3), &after), RunRuleState::Broken);
    assert_eq!(state("new-signal", &after, &report(3)), RunRuleState::Kept);
    assert_eq!(state("changed", &report(3), &after), RunRuleState::Kept);
}

#[test]
fn too_much_to_list_is_not_nothing() {
    let mut after = report(1);
    after.runs[0].unlisted.folders.created = 7;
    let (state, found) = judged("new-folder", &report(1), &after);
    assert_eq!(state, RunRuleState::NotJudged);
    assert!(found.contains("too much to list; 7 are missing"), "{found}");
}

#[test]
fn rules_on_figures() {
    use RunMetric::{Crashes, FilesCreated, PeakRssBytes};
    let base = report(1);
    for (rule, after, wanted) in [
        ("crashes>0", with(Crashes, 0), RunRuleState::Kept),
        ("crashes>0", with(Crashes, 1), RunRuleState::Broken),
        ("crashes!=0", with(Crashes, 1), RunRuleState::Broken),
        ("files_created>+10%", with(FilesCreated, 110), RunRuleState::Kept),
        ("files_created>+10%", with(FilesCreated, 111), RunRuleState::Broken),
        ("files_created>=+10%", with(FilesCreated, 110), RunRuleState::Broken),
        ("files_created<-10%", with(FilesCreated, 90), RunRuleState::Kept),
        ("files_created<-10%", with(FilesCreated, 89), RunRuleState::Broken),
        ("files_created>+5", with(FilesCreated, 105), RunRuleState::Kept),
        ("files_created>+5", with(FilesCreated, 106), RunRuleState::Broken),
        ("files_created!=+0", with(FilesCreated, 100), RunRuleState::Kept),
        ("files_created!=+0", with(FilesCreated, 101), RunRuleState::Broken),
        ("peak_rss_bytes>1.5GB", with(PeakRssBytes, 3 << 29), RunRuleState::Kept),
        ("peak_rss_bytes>1.5GB", with(PeakRssBytes, (3 << 29) + 1), RunRuleState::Broken),
        // Any of several runs breaks a number; all of them a comparison.
        ("crashes>0", with_each(Crashes, &[0, 0, 1]), RunRuleState::Broken),
        ("files_created>+0", with_each(FilesCreated, &[101, 100]), RunRuleState::Kept),
        ("files_created>+0", with_each(FilesCreated, &[101, 102]), RunRuleState::Broken),
        ("wall_ns>2s", report(1), RunRuleState::Kept),
        ("wall_ns>500ms", report(1), RunRuleState::Broken),
    ] {
        assert_eq!(state(rule, &base, &after), wanted, "{rule}");
    }
    let found = judged("files_created>+10%", &base, &with(FilesCreated, 212)).1;
    assert_eq!(found, "files_created is 212, and was 100 (+112.0 %)");
    let found = judged("crashes>0", &base, &with_each(Crashes, &[0, 2, 0])).1;
    assert_eq!(found, "crashes is 0 to 2, 0 in the middle of 3 runs");
}

#[test]
fn a_relative_rule_on_a_time_needs_runs() {
    use RunMetric::WallNs;
    let (state, found) = judged("wall_ns>+10%", &report(1), &with(WallNs, 9_000_000_000));
    assert_eq!(state, RunRuleState::NotJudged);
    assert!(found.contains("1 run before and 1 run after cannot show"), "{found}");
    let before = with_each(WallNs, &[100, 101, 102, 103]);
    let slow = with_each(WallNs, &[120, 121, 122, 123]);
    assert_eq!(self::state("wall_ns>+10%", &before, &slow), RunRuleState::Broken);
    assert_eq!(self::state("wall_ns>+30%", &before, &slow), RunRuleState::Kept);
    let wild = with_each(WallNs, &[90, 121, 122, 99]);
    assert_eq!(self::state("wall_ns>+10%", &before, &wild), RunRuleState::Kept);
    // One odd run breaks no budget of time.
    assert_eq!(
        self::state("wall_ns>125ns", &before, &with_each(WallNs, &[120, 121, 900])),
        RunRuleState::Kept
    );
}

#[test]
fn what_can_never_be_judged_is_said_before() {
    let rule = |text: &str| text.parse::<GateRule>().unwrap();
    let mut blind = report(1);
    blind.runs[0].figures.set(RunMetric::PeakVramBytes, None);
    blind.unobserved.insert(RunMetric::PeakVramBytes, "there is no GPU".to_owned());
    for (text, baseline, runs, word) in [
        ("changed", None, 1, "there is none; give --baseline=FILE"),
        ("crashes>+0", None, 1, "there is none; give --baseline=FILE"),
        ("peak_vram_bytes>+5%", Some(&blind), 1, "there is no GPU"),
        ("wall_ns>+5%", Some(&blind), 9, "give --repeat=4 or more"),
    ] {
        let why = rule_obstacle(&rule(text), baseline, runs).expect(text);
        assert!(why.contains(word) && why.contains(text), "{why}");
    }
    let four = report(4);
    for (text, baseline, runs) in [
        ("crashes>0", None, 1),
        ("wall_ns>5s", None, 1),
        ("peak_vram_bytes>1G", Some(&blind), 1),
        ("wall_ns>+5%", Some(&four), 4),
        ("new-folder", Some(&blind), 1),
    ] {
        assert_eq!(rule_obstacle(&rule(text), baseline, runs), None, "{text}");
    }
}

#[test]
fn what_explains_a_change_is_noted() {
    let mut after = report(1);
    after.command.push("two words".to_owned());
    after.machine.mode = Some("syscall".to_owned());
    after.machine.processors = Some(8);
    after.uid = Some(0);
    after.runs[0].outcome = Ending::Exited { code: 2 };
    assert_eq!(
        compared(&report(1), &after).notes,
        [
            "other commands: make before, make 'two words' after",
            "the command's end: exit 0 before, exit 2 after",
            "other user ids: unknown before, 0 after",
            "files seen in other modes: unknown before, syscall after",
            "processors: unknown before, 8 after",
        ]
    );
}

proptest! {
    #[test]
    fn turned_around_it_is_the_other_change(then in vec(0..50_u64, 1..6), now in vec(0..50_u64, 1..6)) {
        for metric in [RunMetric::Execs, RunMetric::WallNs] {
            let (then, now) = (with_each(metric, &then), with_each(metric, &now));
            let turned = match verdict(&then, &now, metric) {
                RunVerdict::More => RunVerdict::Less,
                RunVerdict::Less => RunVerdict::More,
                same => same,
            };
            if metric.class() == RunClass::Exact {
                prop_assert_eq!(verdict(&now, &then, metric), turned);
            } else {
                // The tolerance is a share of the earlier figure.
                let judged = verdict(&now, &then, metric);
                prop_assert!(!judged.is_change() || !turned.is_change() || judged == turned);
            }
        }
    }

    #[test]
    fn any_figures_can_be_compared(then in vec(any::<u64>(), 0..4), now in vec(any::<u64>(), 0..4), percent in 0.0..1000.0) {
        for metric in RunMetric::ALL {
            let (then, now) = (with_each(metric, &then), with_each(metric, &now));
            let comparison = compare_runs(&then, &now, percent);
            prop_assert_eq!(comparison.metrics.len(), RunMetric::ALL.len());
            for rule in ["crashes>0", "wall_ns>+10%", "written_bytes<-1KiB", "changed", "new-folder"] {
                let rule = [rule.parse().unwrap()];
                prop_assert_eq!(judge_rules(&rule, &now, Some((&then, &comparison))).len(), 1);
            }
        }
    }

    #[test]
    fn a_rule_of_one_run_is_arithmetic(then in 0..2000_u64, now in 0..2000_u64, percent in 0..300_u64) {
        let (before, after) = (with(RunMetric::Execs, then), with(RunMetric::Execs, now));
        let is_broken = now * 100 > then * (100 + percent);
        let rule = format!("execs>+{percent}%");
        prop_assert_eq!(state(&rule, &before, &after) == RunRuleState::Broken, is_broken);
        let rule = format!("execs>{percent}");
        prop_assert_eq!(state(&rule, &before, &after) == RunRuleState::Broken, now > percent);
    }
}

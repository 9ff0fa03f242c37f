//! Reports to render in tests.

use crate::model::{
    Crash, CrashKind, Ending, ProcessKey, Run, RunBasis, RunComparison, RunExecutable, RunFigures,
    RunFolder, RunMetric, RunMetricChange, RunNameChange, RunNameKind, RunRange, RunReport,
    RunRuleOutcome, RunRuleState, RunUnlisted, RunVerdict, RunView, SignalNumber, WallTime,
};

/// A report with all that belongs to a view of it.
pub(super) struct Sample {
    report: RunReport,
    comparison: Option<RunComparison>,
    gate: Vec<RunRuleOutcome>,
}

impl Sample {
    pub(super) fn view(&self) -> RunView<'_> {
        let Self { report, comparison, gate } = self;
        RunView { report, comparison: comparison.as_ref(), gate }
    }
}

fn run(number: u64) -> Run {
    let mut figures = RunFigures::default();
    for (metric, figure) in [
        (RunMetric::Processes, 412),
        (RunMetric::Execs, 96),
        (RunMetric::FailedExits, 3),
        (RunMetric::Crashes, 1),
        (RunMetric::Signals, 1),
        (RunMetric::OomKills, 0),
        (RunMetric::FilesCreated, 1_204 + number),
        (RunMetric::FilesUnlinked, 1_100),
        (RunMetric::FilesWritten, 1_207),
        (RunMetric::WriteCalls, 88_213),
        (RunMetric::WrittenBytes, 412 << 20),
        (RunMetric::PeakRssBytes, 1_700 << 20),
        (RunMetric::PeakTreeRssBytes, 2_400 << 20),
        (RunMetric::PeakThreads, 38),
        (RunMetric::CpuNs, 83_000_000_000 + number * 1_000_000_000),
        (RunMetric::WallNs, 31_500_000_000 + number * 700_000_000),
    ] {
        figures.set(metric, Some(figure));
    }
    let key = ProcessKey { tgid: 4711, start_time: 5 };
    let reason = "SIGSEGV: it read address 0x0, which is not mapped".to_owned();
    let crash = Crash {
        comm: Some("work\u{1b}[31mer".to_owned()),
        ..Crash::new(WallTime { unix_ns: 1 }, 2, key, CrashKind::FatalSignal, reason)
    };
    let executable = |execs, failed_exits| RunExecutable {
        execs,
        processes: execs,
        failed_exits,
        ..RunExecutable::default()
    };
    let folder = |created, written_bytes| RunFolder {
        created,
        unlinked: created / 2,
        written_files: created,
        write_calls: created,
        written_bytes,
    };
    Run {
        started: WallTime { unix_ns: 1_795_132_800_000_000_000 },
        outcome: Ending::Exited { code: 0 },
        figures,
        executables: [
            ("/usr/bin/python3.12".to_owned(), executable(80, 3)),
            ("/usr/bin/git".to_owned(), executable(16, 0)),
        ]
        .into(),
        endings: [("exit 0".to_owned(), 408), ("exit 1".to_owned(), 3)].into(),
        signals: [("SIGSEGV".to_owned(), 1)].into(),
        crashes: vec![crash],
        folders: [
            ("$TMPDIR/pytest-of-*/pytest-*".to_owned(), folder(1_100, 400 << 20)),
            ("./.pytest_cache".to_owned(), folder(104, 12 << 20)),
        ]
        .into(),
        left_running: [("/usr/bin/ssh-agent".to_owned(), 1)].into(),
        unlisted: RunUnlisted::default(),
        lost: [("file_write".to_owned(), 12)].into(),
    }
}

fn report(runs: u64) -> RunReport {
    RunReport {
        schema_version: 1,
        genome_trace: "0.1.0".to_owned(),
        command: vec!["pytest".to_owned(), "-k".to_owned(), "not slow".to_owned()],
        directory: "/home/ann/project".to_owned(),
        uid: Some(1000),
        unobserved: [(RunMetric::PeakVramBytes, "there is no GPU".to_owned())].into(),
        runs: (0..runs).map(run).collect(),
        ..RunReport::default()
    }
}

/// One run, and nothing to compare it with.
pub(super) fn alone() -> Sample {
    Sample { report: report(1), comparison: None, gate: Vec::new() }
}

/// Several.
pub(super) fn repeated() -> Sample {
    let crashes = rule("crashes>0", RunRuleState::Broken, "crashes is 1");
    let memory = rule("peak_rss_bytes>2GB", RunRuleState::Kept, "peak_rss_bytes is 1.7 GiB");
    Sample { report: report(3), comparison: None, gate: vec![crashes, memory] }
}

fn rule(rule: &str, state: RunRuleState, found: &str) -> RunRuleOutcome {
    RunRuleOutcome { rule: rule.to_owned(), state, found: found.to_owned() }
}

const fn steady(figure: u64) -> RunRange {
    RunRange { min: figure, median: figure, max: figure }
}

fn change(metric: RunMetric) -> RunMetricChange {
    use RunVerdict::{Equal, Less, More, NotJudged, Unsteady, Within};
    let tolerance = |floor| RunBasis::Tolerance { percent: 10.0, floor };
    let test = |p| RunBasis::MannWhitney { p, percent: 10.0 };
    let s = |tenths: u64| tenths * 100_000_000;
    let (before, after, verdict, basis) = match metric {
        RunMetric::Processes => (steady(411), steady(412), More, RunBasis::Exact),
        RunMetric::Execs => (steady(96), steady(96), Equal, RunBasis::Exact),
        RunMetric::FailedExits => (steady(4), steady(3), Less, RunBasis::Exact),
        RunMetric::Crashes => (steady(0), steady(1), More, RunBasis::Exact),
        RunMetric::FilesCreated => (
            RunRange { min: 1_100, median: 1_104, max: 1_104 },
            RunRange { min: 1_204, median: 1_205, max: 1_206 },
            More,
            RunBasis::Ranges,
        ),
        RunMetric::FilesUnlinked => {
            let before = RunRange { min: 1_099, median: 1_100, max: 1_101 };
            (before, steady(1_100), Unsteady, RunBasis::Ranges)
        }
        RunMetric::FilesWritten => {
            let lost = RunBasis::Lost("after: lost events: 12 file_write".to_owned());
            (steady(1_107), steady(1_207), NotJudged, lost)
        }
        RunMetric::WriteCalls => (steady(88_000), steady(88_213), Within, tolerance(10)),
        RunMetric::WrittenBytes => (steady(206 << 20), steady(412 << 20), More, tolerance(4096)),
        RunMetric::PeakThreads => (steady(3), steady(5), Within, tolerance(2)),
        RunMetric::PeakVramBytes => {
            let why = "before: there is no GPU; after: there is no GPU".to_owned();
            let basis = RunBasis::Unobserved(why);
            return RunMetricChange {
                metric,
                before: None,
                after: None,
                verdict: NotJudged,
                basis,
            };
        }
        RunMetric::CpuNs => {
            let before = RunRange { min: s(810), median: s(820), max: s(990) };
            (before, RunRange { min: s(830), median: s(840), max: s(850) }, Within, test(0.4))
        }
        RunMetric::WallNs => {
            let before = RunRange { min: s(200), median: s(210), max: s(220) };
            (before, RunRange { min: s(315), median: s(322), max: s(329) }, More, test(0.0286))
        }
        RunMetric::PeakRssBytes | RunMetric::PeakTreeRssBytes => {
            (steady(1_700 << 20), steady(1_700 << 20), Equal, tolerance(1 << 20))
        }
        RunMetric::Signals | RunMetric::OomKills => (steady(0), steady(0), Equal, RunBasis::Exact),
    };
    RunMetricChange { metric, before: Some(before), after: Some(after), verdict, basis }
}

fn name(kind: RunNameKind, name: &str, before: u64, after: u64) -> RunNameChange {
    let verdict = if after > before { RunVerdict::More } else { RunVerdict::Less };
    let (before, after) = (steady(before), steady(after));
    RunNameChange { kind, name: name.to_owned(), before, after, verdict }
}

/// One of everything that there may be.
pub(super) fn everything() -> Sample {
    let unsteady = RunNameChange {
        before: RunRange { min: 0, median: 1, max: 2 },
        after: steady(1),
        verdict: RunVerdict::Unsteady,
        ..name(RunNameKind::Endings, "exit 1", 0, 1)
    };
    let folders = (0..25).map(|at| {
        let folder = format!("./build/{at:02}");
        name(RunNameKind::FilesCreated, &folder, 0, 25 - at)
    });
    let mut names = vec![
        name(RunNameKind::Executables, "/usr/bin/git", 0, 16),
        name(RunNameKind::Executables, "/opt/a`b|c\u{1b}[31m<b>@ann", 2, 0),
        name(RunNameKind::Executables, "/usr/bin/python3.12", 96, 80),
        name(RunNameKind::Crashes, "SIGSEGV of worker", 0, 1),
        unsteady,
    ];
    names.extend(folders);
    names.push(name(
        RunNameKind::WrittenBytes,
        "$TMPDIR/pytest-of-*/pytest-*",
        200 << 20,
        400 << 20,
    ));
    let comparison = RunComparison {
        runs_before: 4,
        runs_after: 4,
        notes: vec![
            "the command's end: exit 0 before, exit 0 or exit 1 after".to_owned(),
            "after: lost events: 12 file_write".to_owned(),
        ],
        metrics: RunMetric::ALL.map(change).to_vec(),
        names,
        unjudged: vec![(
            RunNameKind::FilesUnlinked,
            "before: there was too much to list; 7 are missing".to_owned(),
        )],
    };
    let mut report = report(4);
    if let Some(last) = report.runs.last_mut() {
        last.outcome = Ending::Signaled { signal: SignalNumber(11), core_dumped: false };
    }
    report.persona = Some("CodeExpert".to_owned());
    report.genome_id = Some("a3f9".to_owned());
    let gate = vec![
        rule("crashes>0", RunRuleState::Broken, "crashes is 1"),
        rule("execs>+0", RunRuleState::Kept, "execs is 96, and was 96 (+0.0 %)"),
        rule(
            "files_created>+5%",
            RunRuleState::Broken,
            "files_created is 1,204 to 1,206, and was 1,100 to 1,104 (+9.1 %)",
        ),
        rule(
            "peak_vram_bytes>20GB",
            RunRuleState::NotJudged,
            "peak_vram_bytes was not observed: there is no GPU",
        ),
    ];
    Sample { report, comparison: Some(comparison), gate }
}

/// Two runs of which there is nothing to tell.
pub(super) fn equal() -> Sample {
    let metrics = RunMetric::ALL.map(|metric| {
        let range = (metric != RunMetric::PeakVramBytes).then(|| steady(5));
        let of = RunMetricChange {
            before: range,
            after: range,
            verdict: RunVerdict::Equal,
            basis: RunBasis::Exact,
            metric,
        };
        match metric {
            RunMetric::CpuNs | RunMetric::WallNs => RunMetricChange {
                verdict: RunVerdict::NotJudged,
                basis: RunBasis::TooFewRuns { before: 1, after: 1 },
                ..of
            },
            RunMetric::PeakVramBytes => change(metric),
            _ => of,
        }
    });
    let comparison = RunComparison {
        runs_before: 1,
        runs_after: 1,
        notes: Vec::new(),
        metrics: metrics.to_vec(),
        names: Vec::new(),
        unjudged: Vec::new(),
    };
    let gate = vec![rule("changed", RunRuleState::Kept, "no count and no name changed")];
    let mut report = report(1);
    for run in &mut report.runs {
        run.crashes.clear();
        run.lost.clear();
        run.left_running.clear();
    }
    Sample { report, comparison: Some(comparison), gate }
}

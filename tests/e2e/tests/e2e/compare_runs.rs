//! `compare`: reports that are written here by the library, as `run --save`
//! writes them, against each other.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
};

use genome_trace::{
    model::{
        Ending, RUN_SCHEMA_VERSION, Run, RunExecutable, RunFigures, RunFolder, RunMetric,
        RunReport, RunUnlisted, WallTime,
    },
    wire::write_run_report,
};
use genome_trace_tests_e2e::{Ended, Invocation};
use serde_json::Value;
use tempfile::TempDir;

const BROKEN: i32 = 3;
const OURS: i32 = 125;
const USAGE: i32 = 2;

/// What a run did; the rest is the same in all.
#[derive(Clone, Copy)]
struct Did {
    files: u64,
    wall_ns: u64,
    vram: Option<u64>,
}

const USUAL: Did = Did { files: 100, wall_ns: 2_000_000_000, vram: Some(5 << 30) };

fn run(did: Did) -> Run {
    let mut figures = RunFigures::default();
    for metric in RunMetric::ALL {
        figures.set(metric, Some(7));
    }
    figures.set(RunMetric::Crashes, Some(0));
    figures.set(RunMetric::FilesCreated, Some(did.files));
    figures.set(RunMetric::WallNs, Some(did.wall_ns));
    figures.set(RunMetric::PeakVramBytes, did.vram);
    let folder = RunFolder { created: did.files, ..RunFolder::default() };
    Run {
        started: WallTime { unix_ns: 1_795_132_800_000_000_000 },
        outcome: Ending::Exited { code: 0 },
        figures,
        executables: [("/usr/bin/cc".to_owned(), RunExecutable { execs: 7, ..Default::default() })]
            .into(),
        endings: [("exit 0".to_owned(), 7)].into(),
        signals: [].into(),
        crashes: Vec::new(),
        folders: [("./target".to_owned(), folder)].into(),
        left_running: [].into(),
        unlisted: RunUnlisted::default(),
        lost: [].into(),
    }
}

fn report(runs: &[Did]) -> RunReport {
    let mut report = RunReport {
        schema_version: RUN_SCHEMA_VERSION,
        genome_trace: "0.1.0".to_owned(),
        command: vec!["make".to_owned(), "-j4".to_owned()],
        directory: "/src".to_owned(),
        runs: runs.iter().map(|did| run(*did)).collect(),
        ..RunReport::default()
    };
    if runs.iter().any(|did| did.vram.is_none()) {
        report.unobserved.insert(RunMetric::PeakVramBytes, "there is no GPU".to_owned());
    }
    report
}

/// A folder that anybody may read, with `before.json` and `after.json`.
fn folder(before: &RunReport, after: &RunReport) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    put(folder.path(), "before.json", &write_run_report(before));
    put(folder.path(), "after.json", &write_run_report(after));
    folder
}

fn put(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    path
}

/// Without any privilege, in that folder.
fn compare(folder: &Path, arguments: &[&str]) -> Ended {
    compare_with(folder, arguments, |invocation| invocation)
}

fn compare_with(
    folder: &Path,
    arguments: &[&str],
    change: impl FnOnce(Invocation) -> Invocation,
) -> Ended {
    let all = ["compare", "before.json", "after.json"].iter().chain(arguments);
    change(Invocation::unprivileged(all).unwrap().current_dir(folder)).run().unwrap()
}

fn more_files() -> TempDir {
    folder(&report(&[USUAL]), &report(&[Did { files: 200, ..USUAL }]))
}

#[test]
fn equal_runs_are_equal_and_others_are_told_without_root() {
    let same = folder(&report(&[USUAL]), &report(&[USUAL]));
    let ended = compare(same.path(), &["--fail-on=changed"]);
    assert_eq!((ended.code(), ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    assert!(ended.stdout.contains("nothing changed"), "{ended:?}");
    assert!(ended.stdout.contains("kept        changed"), "{ended:?}");

    let ended = compare(more_files().path(), &[]);
    // A change alone is no failure.
    assert_eq!((ended.code(), ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    let row = ended.stdout.lines().find(|line| line.starts_with("files_created")).unwrap();
    let cells: Vec<_> = row.split_whitespace().collect();
    assert_eq!(cells, ["files_created", "100", "200", "+100", "MORE"]);
    assert!(ended.stdout.contains("~ ./target: 200, was 100 (+100)"), "{ended:?}");
    assert!(ended.stdout.lines().all(|line| line.chars().count() <= 80), "{ended:?}");
    assert!(!ended.stdout.contains('\u{1b}'), "colour in a file");
}

#[test]
fn the_status_is_the_gates() {
    let folder = more_files();
    for (rules, code) in [
        (&["--fail-on=files_created>+150%"][..], 0),
        (&["--fail-on=files_created>+50%"][..], BROKEN),
        (&["--fail-on", "files_created > 150"][..], BROKEN),
        (&["--fail-on=changed"][..], BROKEN),
        (&["--fail-on=crashes>0", "--fail-on=files_created>+50%"][..], BROKEN),
        (&["--fail-on=crashes>0", "--fail-on=new-executable"][..], 0),
        // Larger numbers are no change of a count.
        (&["--tolerance=1000", "--fail-on=files_created>+50%"][..], BROKEN),
    ] {
        let ended = compare(folder.path(), rules);
        assert_eq!((ended.code(), ended.stderr.as_str()), (Some(code), ""), "{rules:?}: {ended:?}");
    }
}

#[test]
fn a_rule_that_cannot_be_judged_is_no_pass() {
    let blind = report(&[Did { vram: None, ..USUAL }]);
    for (before, after, rule, word) in [
        (report(&[USUAL]), blind.clone(), "peak_vram_bytes>6GB", "there is no GPU"),
        (blind.clone(), report(&[USUAL]), "peak_vram_bytes>+5%", "there is no GPU"),
        (report(&[USUAL]), report(&[USUAL]), "wall_ns>+5%", "--repeat=4"),
    ] {
        let folder = folder(&before, &after);
        let ended = compare(folder.path(), &["--fail-on", rule]);
        assert_eq!(ended.code(), Some(OURS), "{rule}: {ended:?}");
        let line = ended.only_line().unwrap_or_else(|| panic!("not one line: {ended:?}"));
        assert!(line.contains(rule) && line.contains(word), "{rule}: {line}");
        // What is known outweighs it.
        let ended = compare(folder.path(), &["--fail-on", rule, "--fail-on=execs==7"]);
        assert_eq!(ended.code(), Some(BROKEN), "{rule}: {ended:?}");
    }
}

#[test]
fn a_time_is_judged_by_repetition() {
    let times = |from: u64| -> Vec<Did> {
        (0..4).map(|at| Did { wall_ns: from + at * 1_000_000, ..USUAL }).collect()
    };
    let folder = folder(&report(&times(2_000_000_000)), &report(&times(3_000_000_000)));
    let ended = compare(folder.path(), &["--fail-on=wall_ns>+20%"]);
    assert_eq!(ended.code(), Some(BROKEN), "{ended:?}");
    assert!(ended.stdout.contains("Mann-Whitney's p is 0.0286"), "{ended:?}");
    assert_eq!(compare(folder.path(), &["--fail-on=wall_ns>+60%"]).code(), Some(0));
}

#[test]
fn a_file_that_is_no_report_is_one_sentence() {
    let folder = folder(&report(&[USUAL]), &report(&[USUAL]));
    let whole = fs::read(folder.path().join("after.json")).unwrap();
    let text = String::from_utf8(whole.clone()).unwrap();
    let newer = text.replace("\"schema_version\": 1", "\"schema_version\": 7");
    let foreign = text.replace("\"type\": \"run\"", "\"type\": \"other\"");
    let negative = text.replace("\"execs\": 7", "\"execs\": -7");
    let nothing = write_run_report(&report(&[]));
    for (content, word) in [
        (&b""[..], "it is empty"),
        (b"make: done\n", "it is no JSON"),
        (b"\0\xff\xfe", "it is no JSON"),
        (whole.get(..whole.len() / 2).unwrap(), "it was cut off"),
        (b"[1, 2]", "no report of runs"),
        (foreign.as_bytes(), "no report of runs"),
        (newer.as_bytes(), "version 7 of the schema"),
        (negative.as_bytes(), "it is damaged"),
        (&nothing, "no run in it"),
        ("[".repeat(100_000).as_bytes(), "it is no JSON"),
    ] {
        put(folder.path(), "after.json", content);
        let ended = compare(folder.path(), &["--fail-on=crashes>0"]);
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(OURS), ""), "{word}: {ended:?}");
        let line = ended.only_line().unwrap_or_else(|| panic!("not one line: {ended:?}"));
        assert!(line.contains("after.json") && line.contains(word), "{word}: {line}");
    }
    fs::remove_file(folder.path().join("after.json")).unwrap();
    let missing = compare(folder.path(), &[]);
    assert_eq!(missing.code(), Some(OURS), "{missing:?}");
    assert!(missing.only_line().is_some_and(|line| line.contains("No such file")), "{missing:?}");
    symlink(folder.path(), folder.path().join("after.json")).unwrap();
    let directory = compare(folder.path(), &[]);
    assert!(directory.only_line().is_some_and(|line| line.contains("directory")), "{directory:?}");
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    let folder = more_files();
    for (argument, word) in [
        ("--fail-on=crash>0", "no metric of a run is called \"crash\""),
        ("--fail-on=crashes", "no comparison"),
        ("--fail-on=wall_ns>5", "needs a unit"),
        ("--fail-on=", "no comparison"),
        ("--tolerance=ten", "no number of percent"),
        ("--tolerance=-5", "no number of percent"),
        ("--format=xml", "xml"),
        ("third.json", "third.json"),
    ] {
        let ended = compare(folder.path(), &[argument]);
        assert_eq!(
            (ended.code(), ended.stdout.as_str()),
            (Some(USAGE), ""),
            "{argument}: {ended:?}"
        );
        assert!(ended.stderr.contains(word), "{argument}: {ended:?}");
    }
}

#[test]
fn a_project_has_its_own_rules() {
    let folder = more_files();
    put(folder.path(), ".genome-trace.toml", b"[ci]\nfail_on = [\"files_created>+50%\"]\n");
    assert_eq!(compare(folder.path(), &[]).code(), Some(BROKEN));
    assert_eq!(compare(folder.path(), &["--config=/dev/null"]).code(), Some(0));
    // Options add to it.
    let ended = compare(folder.path(), &["--fail-on=crashes>0"]);
    assert_eq!(ended.code(), Some(BROKEN));
    assert!(ended.stdout.contains("1 of 2 rules broken"), "{ended:?}");

    for (text, word) in [
        ("[ci]\nfail_on = [\"crash>0\"]", ".genome-trace.toml:2: no metric of a run is called"),
        ("[ci]\nfail = []", ".genome-trace.toml:2: unknown field `fail`"),
        ("[alerts]\nenabled = false", ".genome-trace.toml:1: unknown field `alerts`"),
        ("[ci", ".genome-trace.toml:1:"),
    ] {
        put(folder.path(), ".genome-trace.toml", text.as_bytes());
        let ended = compare(folder.path(), &[]);
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(OURS), ""), "{text}: {ended:?}");
        assert!(ended.only_line().is_some_and(|line| line.contains(word)), "{text}: {ended:?}");
    }
    let ended = compare(folder.path(), &["--config=/no/such/file"]);
    assert_eq!(ended.code(), Some(OURS), "{ended:?}");
    assert!(ended.only_line().is_some_and(|line| line.contains("/no/such/file")), "{ended:?}");
}

#[test]
fn a_tolerance_is_for_amounts() {
    let mut after = report(&[USUAL]);
    for run in &mut after.runs {
        run.figures.set(RunMetric::WrittenBytes, Some(108_000_000));
    }
    let mut before = after.clone();
    for run in &mut before.runs {
        run.figures.set(RunMetric::WrittenBytes, Some(100_000_000));
    }
    let folder = folder(&before, &after);
    let verdict = |arguments: &[&str]| {
        let ended = compare(folder.path(), &[&["--format=json"], arguments].concat());
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        let metrics = report["metrics"].as_array().unwrap();
        let of = metrics.iter().find(|of| of["metric"] == "written_bytes").unwrap();
        of["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(verdict(&[]), "within");
    assert_eq!(verdict(&["--tolerance=7.5%"]), "more");
    put(folder.path(), ".genome-trace.toml", b"[ci]\ntolerance = 5\n");
    assert_eq!(verdict(&[]), "more");
    assert_eq!(verdict(&["--tolerance=20"]), "within");
}

#[test]
fn other_formats_are_whole() {
    let folder = more_files();
    let told = |format: &str| {
        let format = format!("--format={format}");
        let ended = compare(folder.path(), &[&format, "--fail-on=files_created>+50%"]);
        assert_eq!((ended.code(), ended.stderr.as_str()), (Some(BROKEN), ""), "{ended:?}");
        ended.stdout
    };
    let report: Value = serde_json::from_str(&told("json")).unwrap();
    assert_eq!(report["gate"]["state"], "broken");
    let junit = told("junit");
    assert!(junit.starts_with("<?xml") && junit.contains("failures=\"1\""), "{junit}");
    assert!(junit.contains("<failure message=\"files_created is 200, and was 100 (+100.0 %)\">"));
    let markdown = told("markdown");
    assert!(markdown.contains("| files_created | 100 | 200 | +100 | MORE |"), "{markdown}");
}

#[test]
fn github_gets_annotations_and_a_summary() {
    let folder = more_files();
    // A job has a file already, to which every step adds.
    let summary = put(folder.path(), "summary.md", b"# before\n");
    fs::set_permissions(&summary, Permissions::from_mode(0o666)).unwrap();
    let arguments = ["--format=github", "--fail-on=files_created>+50%"];
    let ended =
        compare_with(folder.path(), &arguments, |of| of.env("GITHUB_STEP_SUMMARY", &summary));
    assert_eq!((ended.code(), ended.stderr.as_str()), (Some(BROKEN), ""), "{ended:?}");
    let commands: Vec<_> = ended.stdout.lines().filter(|line| line.starts_with("::")).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    assert_eq!(
        commands.first(),
        Some(
            &"::error title=genome-trace%3A files_created>+50%25 is broken::files_created is 200, \
              and was 100 (+100.0 %25)"
        )
    );
    let text = fs::read_to_string(&summary).unwrap();
    assert!(text.starts_with("# before\n### `make -j4`: 1 of 1 rule broken\n"), "{text}");

    let without = compare(folder.path(), &arguments);
    assert_eq!(without.code(), Some(BROKEN), "{without:?}");
    let wrong = compare_with(folder.path(), &arguments, |of| {
        of.env("GITHUB_STEP_SUMMARY", "/no/such/folder/summary.md")
    });
    assert_eq!(wrong.code(), Some(OURS), "{wrong:?}");
    assert!(wrong.only_line().is_some_and(|line| line.contains("GITHUB_STEP_SUMMARY")));
}

#[test]
fn names_from_outside_do_no_harm() {
    let mut after = report(&[USUAL]);
    let name = "/tmp/\u{1b}[31m\n::error::x\r<script>`|@ann";
    for run in &mut after.runs {
        run.executables.insert(name.to_owned(), RunExecutable { execs: 1, ..Default::default() });
    }
    after.command = vec!["make".to_owned(), "\n::warning::y".to_owned()];
    let folder = folder(&report(&[USUAL]), &after);
    for format in ["table", "junit", "markdown", "github"] {
        let ended = compare(folder.path(), &[&format!("--format={format}")]);
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        let is_safe = |c: char| c == '\n' || !c.is_control();
        assert!(ended.stdout.chars().all(is_safe), "{format}: {ended:?}");
        let mut lines = ended.stdout.lines();
        assert!(!lines.any(|line| line.starts_with("::error") || line.starts_with("::warning")));
    }
    let junit = compare(folder.path(), &["--format=junit"]).stdout;
    assert!(!junit.contains("<script>"), "{junit}");
}

#[test]
fn a_full_disk_is_said() {
    let folder = more_files();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let ended = compare_with(folder.path(), &[], |of| of.stdout(full));
    assert_eq!(ended.code(), Some(OURS), "{ended:?}");
    assert!(ended.only_line().is_some_and(|line| line.contains("cannot write to stdout")));
}

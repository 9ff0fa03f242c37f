//! Other people's own test suites under `run`: result and output are as
//! without, two runs are the same in every exact metric, and of what is planted
//! each is found, and nothing else.
//!
//! tests/suites/fetch.sh fetches them; `GENOME_TRACE_SUITES` is the folder.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use genome_trace_suites::{CLICK, FOLDER, MV, Project, WALKDIR};
use genome_trace_tests_kernel::{Checks, Context, Deadline, Ended, Program, Suite, Unsupported};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("suites::rust", |context| judge(context, &WALKDIR));
    suite.once("suites::python", |context| judge(context, &CLICK));
    suite.once("suites::npm", |context| judge(context, &MV));
}

/// All runs of one suite.
const PATIENCE: Duration = Duration::from_secs(600);

/// More than what makes no difference (docs/regression.md).
const BYTES_MIN: u64 = 64 << 10;

/// What is planted, the metrics that it must change, and the ones that it may
/// change besides.
const PLANTS: [(&str, &[&str], &[&str]); 5] = [
    ("subprocess", &["processes", "execs"], &["peak_threads", "peak_tree_rss_bytes"]),
    ("files", &["files_created"], &["files_unlinked", "peak_threads"]),
    ("bytes", &["written_bytes"], &["write_calls", "peak_rss_bytes", "peak_tree_rss_bytes"]),
    ("leak", &["peak_rss_bytes"], &["peak_tree_rss_bytes"]),
    (
        "crash",
        &["processes", "execs", "crashes", "signals"],
        &["peak_threads", "peak_tree_rss_bytes"],
    ),
];

fn judge(context: &Context, project: &Project) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    let suites = env::var_os(FOLDER).map(PathBuf::from);
    let suites = suites.filter(|all| project.folder(all).is_some()).ok_or_else(|| {
        Unsupported(format!("{FOLDER} has no {} (tests/suites/fetch.sh)", project.dir))
    })?;
    let deadline = Deadline::after(PATIENCE);
    let setup = Arc::clone(&context.setup);
    let context = &Context { setup, deadline, mode: context.mode };
    let of = Runs { context, project, suites, reports: context.folder()? };

    // The first run builds and caches; those after it find all that.
    of.plain(None)?;
    let plain = of.plain(None)?;
    ensure!(plain.status.success(), "the tests fail without being traced: {plain:?}");
    let mut checks = Checks::new();
    for name in ["first", "second"] {
        let traced = of.traced(name, None)?;
        checks.equal(format_args!("status of the {name} run"), traced.status, plain.status);
        checks.equal(
            format_args!("output of the {name} run"),
            without_times(&traced.stdout),
            without_times(&plain.stdout),
        );
    }
    let (status, comparison) = of.compare("first", "second")?;
    let because = || format!("{:?} {:?}", comparison.get("gate"), comparison.get("names"));
    checks.holds(status == Some(0), format_args!("two equal runs: {status:?}: {}", because()));
    checks.equal("what differs between two equal runs", changes(&comparison), BTreeSet::new());

    // As many again as there are; few are no difference, however many times.
    let bytes = of.figure("second", "written_bytes")?.max(BYTES_MIN).to_string();
    for (plant, wanted, allowed) in PLANTS {
        // The one before may have left something that the next takes away.
        of.plain(None)?;
        of.traced(plant, Some((plant, &bytes)))?;
        let (status, comparison) = of.compare("second", plant)?;
        let got = changes(&comparison);
        checks.equal(format_args!("exit status with {plant} planted"), status, Some(3));
        for metric in wanted {
            let found = got.contains(*metric);
            checks.holds(found, format_args!("{plant} planted: {metric} is not in {got:?}"));
        }
        let others: Vec<_> = got
            .iter()
            .filter(|metric| !wanted.contains(&metric.as_str()))
            .filter(|metric| !allowed.contains(&metric.as_str()))
            .collect();
        checks.holds(others.is_empty(), format_args!("{plant} planted: others: {others:?}"));
        eprintln!("{}: {plant} planted: {got:?}", project.dir);
    }
    checks.verdict()
}

/// The runs of one suite.
struct Runs<'a> {
    context: &'a Context,
    project: &'a Project,
    suites: PathBuf,
    reports: TempDir,
}

impl Runs<'_> {
    fn plain(&self, plant: Option<(&str, &str)>) -> anyhow::Result<Ended> {
        let (program, arguments) = self.project.command.split_first().context("no command")?;
        self.prepared(program, plant).args(arguments).run()
    }

    fn traced(&self, name: &str, plant: Option<(&str, &str)>) -> anyhow::Result<Ended> {
        let ended = self
            .prepared(&self.context.setup.tracer, plant)
            .arg("run")
            .arg("--save")
            .arg(self.report(name))
            .arg("--")
            .args(self.project.command)
            .run()?;
        ensure!(self.report(name).is_file(), "no report was saved: {ended:?}");
        Ok(ended)
    }

    fn prepared(
        &self,
        program: impl AsRef<std::ffi::OsStr>,
        plant: Option<(&str, &str)>,
    ) -> Program<'_> {
        let mut program = self.context.program(program).folder(self.suites.join(self.project.dir));
        for (name, value) in self.project.environment(&self.suites) {
            program = program.env(name, value);
        }
        match plant {
            Some((plant, bytes)) => program.env("PLANT", plant).env("PLANT_BYTES", bytes),
            None => program,
        }
    }

    /// Exit status and comparison.
    fn compare(&self, before: &str, after: &str) -> anyhow::Result<(Option<i32>, Value)> {
        let ended = self
            .context
            .program(&self.context.setup.tracer)
            .arg("compare")
            .arg(self.report(before))
            .arg(self.report(after))
            .args(["--format=json", "--fail-on=changed", "--fail-on=written_bytes>+10%"])
            .args(["--fail-on=peak_rss_bytes>+10%"])
            .run()?;
        let line = ended.stdout.join("\n");
        let comparison = serde_json::from_str(&line).with_context(|| format!("read {ended:?}"))?;
        Ok((ended.status.code(), comparison))
    }

    fn figure(&self, name: &str, metric: &str) -> anyhow::Result<u64> {
        let text = fs::read_to_string(self.report(name)).context("read a report")?;
        let report: Value = serde_json::from_str(&text).context("read a report")?;
        let figure = report.pointer(&format!("/runs/0/figures/{metric}"));
        figure.and_then(Value::as_u64).with_context(|| format!("no {metric} in {text}"))
    }

    fn report(&self, name: &str) -> PathBuf {
        self.reports.path().join(format!("{name}.json"))
    }
}

/// Metrics that are more or less than before.
fn changes(comparison: &Value) -> BTreeSet<String> {
    let metrics = comparison.pointer("/metrics").and_then(Value::as_array);
    let has_changed = |metric: &&Value| {
        matches!(metric.pointer("/verdict").and_then(Value::as_str), Some("more" | "less"))
    };
    let name = |metric: &Value| Some(metric.pointer("/metric")?.as_str()?.to_owned());
    metrics.into_iter().flatten().filter(has_changed).filter_map(name).collect()
}

/// Lines without what a clock has said in them.
fn without_times(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| genome_trace_suites::without_times(line)).collect()
}

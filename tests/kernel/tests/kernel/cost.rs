//! What the tracer says of its own cost, and the budget that the verifier has.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, ensure};
use genome_trace_tests_kernel::{Budget, Checks, Context, Suite, Unsupported, series};
use serde_json::Value;

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("cost::runs_are_counted", runs_are_counted);
    suite.of_userspace("cost::metrics", metrics);
    suite.per_mode("cost::verifier_budget", verifier_budget);
}

fn number(value: &Value, field: &str) -> Option<u64> {
    value.get(field).and_then(Value::as_u64)
}

fn programs(report: &Value) -> anyhow::Result<&Vec<Value>> {
    report.get("programs").and_then(Value::as_array).context("the report has no programs")
}

/// Every process that starts and ends while it is measured is a run, and so is
/// every program that was skipped for one.
fn runs_are_counted(context: &Context) -> anyhow::Result<()> {
    let count = context.setup.scale.processes.min(1000);
    let tracer = context.measuring().start()?;
    let truth = context.workload("spawn-storm").option("--count", count).run()?;
    let report = tracer.report()?;
    let report: Value =
        serde_json::from_str(&report).with_context(|| format!("not JSON: {report}"))?;

    let mut checks = Checks::new();
    checks.equal("the workload's zeros", truth.number("/exit_codes/0")?, count);
    checks.equal("ended early", report.get("ended_early"), Some(&Value::Bool(true)));
    checks.equal("why it is not measured", report.get("unmeasured"), Some(&Value::Null));
    let mut sum = 0;
    for entry in programs(&report)? {
        let (runs, ns) = (number(entry, "runs"), number(entry, "run_time_ns"));
        checks.holds(runs.is_some() && ns.is_some(), format_args!("not measured: {entry}"));
        checks.equal(format_args!("has runs and has time: {entry}"), runs > Some(0), ns > Some(0));
        sum += runs.unwrap_or(0);
    }
    for program in ["sched_process_exec", "sched_wakeup_new", "sched_process_exit"] {
        let entry = programs(&report)?.iter().find(|e| e.get("program") == Some(&program.into()));
        let entry = entry.with_context(|| format!("{program} is not in the report"))?;
        let calls =
            number(entry, "runs").unwrap_or(0) + number(entry, "skipped_calls").unwrap_or(0);
        checks.holds(calls >= count, format_args!("{calls} calls of {program}, at least {count}"));
    }
    let total = report.get("total").context("the report has no total")?;
    checks.equal("runs in all", number(total, "runs"), Some(sum));
    let tracer = report.get("tracer").context("the report has no tracer")?;
    // Exec, fork and exit of each.
    checks.holds(number(tracer, "events") >= Some(3 * count), format_args!("events: {tracer}"));
    checks.holds(number(tracer, "user_ns").is_some(), format_args!("CPU time: {tracer}"));
    checks.holds(number(tracer, "rss_bytes") > Some(1 << 20), format_args!("memory: {tracer}"));
    checks.verdict()
}

/// The time that is given ends it, and a series is left out only whole.
fn metrics(context: &Context) -> anyhow::Result<()> {
    let ended = context
        .program(&context.setup.tracer)
        .args(["doctor", "--cost=200ms", "--format=prometheus"])
        .run()?;
    ensure!(ended.status.success(), "doctor --cost did not succeed: {ended:?}");

    let mut checks = Checks::new();
    checks.equal("the last line", ended.stdout.last().map(String::as_str), Some("# EOF"));
    let series = |name: &str| {
        ended.stdout.iter().filter(|line| line.starts_with(&format!("{name}{{program="))).count()
    };
    let programs = series("genome_bpf_program_runs_total");
    checks.holds(programs >= 8, format_args!("{programs} programs"));
    checks.equal("run times", series("genome_bpf_program_run_seconds_total"), programs);
    checks.verdict()
}

/// What the verifier goes through depends on whom the programs look at, so
/// both are measured: the whole machine, and a persona.
fn verifier_budget(context: &Context) -> anyhow::Result<()> {
    let budget = Budget::committed()?;
    let release =
        fs::read_to_string("/proc/sys/kernel/osrelease").context("read the kernel's release")?;
    let series = series(release.trim());
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for of_whom in [&[][..], &["--persona=gt-nobody"]] {
        for (program, count) in verified(context, of_whom)? {
            let most = counts.entry(program).or_default();
            *most = count.max(*most);
        }
    }
    if counts.is_empty() {
        let reason = format!("kernel {series} does not tell verified_insns (since 5.16)");
        return Err(Unsupported(reason).into());
    }

    let mut checks = Checks::new();
    for (program, count) in counts {
        let remedy = "make it simpler, or run `cargo xtask verifier-budget`";
        match budget.of(&program, &series) {
            Some(budget) => checks.holds(
                count <= budget,
                format_args!(
                    "on kernel {series} the verifier goes through {count} instructions of \
                     {program}, whose budget is {budget}: {remedy}"
                ),
            ),
            None => checks.fail(format_args!(
                "{program}, {count} instructions on kernel {series}, has no budget: {remedy}"
            )),
        }
    }
    checks.verdict()
}

/// Verified instructions by program, of those that this kernel let in.
fn verified(context: &Context, of_whom: &[&str]) -> anyhow::Result<Vec<(String, u64)>> {
    let mode = context.mode.context("a trial without a mode")?;
    let ended = context
        .program(&context.setup.tracer)
        .args(["doctor", "--cost=100ms", "--format=json", "--probe-mode", mode.name()])
        .args(of_whom)
        .run()?;
    ensure!(ended.status.success(), "doctor --cost did not succeed: {ended:?}");
    let report: Value = serde_json::from_str(&ended.stdout.concat())
        .with_context(|| format!("not JSON: {ended:?}"))?;
    let counted = programs(&report)?.iter().filter_map(|entry| {
        let program = entry.get("program")?.as_str()?;
        Some((program.to_owned(), number(entry, "verified_instructions")?))
    });
    Ok(counted.collect())
}

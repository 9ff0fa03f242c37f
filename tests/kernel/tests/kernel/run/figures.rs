//! What a run counts, against what was done.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use anyhow::Context as _;
use genome_trace_tests_kernel::{Checks, Context, Ended, RunReport, Suite, Truth};
use serde_json::Value;

use super::tiny_program;

pub(crate) fn add_to(suite: &mut Suite) {
    suite.per_mode("run::files", files);
    suite.per_mode("run::first_instruction", first_instruction);
    suite.once("run::processes", processes);
    suite.once("run::many_processes", many_processes);
    suite.once("run::crash", crash);
    suite.once("run::memory_and_threads", memory_and_threads);
    suite.of_userspace("run::repeat", repeat);
    suite.of_userspace("run::nobody_else", nobody_else);
}

/// The workload's own account, which came through untouched.
fn truth(ended: &Ended) -> anyhow::Result<Truth> {
    let line = ended.stdout.first().context("the workload said nothing")?;
    Truth::parse(line)
}

fn workload(context: &Context, words: &[&str]) -> Vec<String> {
    let program = context.setup.workload.display().to_string();
    [program].into_iter().chain(words.iter().map(|word| (*word).to_owned())).collect()
}

fn none_is_unknown(checks: &mut Checks, report: &RunReport) {
    let unknown = report.at("/unobserved").and_then(Value::as_object);
    let names = unknown.into_iter().flatten().map(|(name, _)| name.as_str());
    let others: Vec<_> = names.filter(|name| *name != "peak_vram_bytes").collect();
    checks.holds(others.is_empty(), format_args!("unknown: {:?}", report.at("/unobserved")));
}

/// Created, written, closed and removed again, by two processes at once.
fn files(context: &Context) -> anyhow::Result<()> {
    let count = context.setup.scale.files / 10;
    let folder = context.folder()?;
    let folder = folder.path().join("files");
    let count_text = count.to_string();
    let words = ["create-files", "--procs=2", "--bytes=37", "--count", &count_text, "--dir"];
    let mut command = workload(context, &words);
    command.push(folder.display().to_string());
    let run = context.command_run()?;
    let (ended, report) = run.run(&command)?;

    let mut checks = Checks::new();
    checks.holds(ended.status.success(), format_args!("{ended:?}"));
    let done = truth(&ended)?.number("/files_created")?;
    checks.equal("files that the workload made", done, 2 * count);
    for (metric, is) in [
        ("files_created", done),
        ("files_unlinked", done),
        ("files_written", done),
        ("write_calls", done),
        ("written_bytes", done * 37),
        ("processes", 3),
        ("execs", 1),
        ("failed_exits", 0),
        ("crashes", 0),
        ("signals", 0),
    ] {
        checks.equal(metric, report.figure(metric), Some(is));
    }
    let folders = report.of_run("folders").as_object();
    let in_folders = |what: &str| -> u64 {
        let rows = folders.into_iter().flatten();
        rows.filter_map(|(_, row)| row.get(what)?.as_u64()).sum()
    };
    for what in ["created", "unlinked", "written_files", "write_calls"] {
        checks.equal(format_args!("{what} by folder"), in_folders(what), done);
    }
    none_is_unknown(&mut checks, &report);
    checks.verdict()
}

/// A program that creates a file by its very first call.
fn first_instruction(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let (program, path) = (folder.path().join("tiny"), folder.path().join("created"));
    fs::write(&program, tiny_program::that_creates(&path)?).context("write a program")?;
    fs::set_permissions(&program, Permissions::from_mode(0o755)).context("make a program")?;
    let run = context.command_run()?;
    let (ended, report) = run.run(&[&program])?;

    let mut checks = Checks::new();
    checks.equal("status", ended.status.code(), Some(tiny_program::CODE.into()));
    checks.holds(path.exists(), "the program created nothing");
    for (metric, is) in [
        ("processes", 1),
        ("execs", 1),
        ("files_created", 1),
        ("files_written", 0),
        ("failed_exits", 1),
    ] {
        checks.equal(metric, report.figure(metric), Some(is));
    }
    checks.equal("endings", report.of_run("endings"), &serde_json::json!({ "exit 7": 1 }));
    checks.verdict()
}

/// Each with its own exit code.
fn processes(context: &Context) -> anyhow::Result<()> {
    // Most of them fail, and each of those has a crash record.
    let scale = context.setup.scale;
    let count = if scale.soak { scale.processes } else { 100 };
    let count_text = count.to_string();
    let words = ["spawn-storm", "--self-exit", "--jobs=4", "--count", &count_text];
    let run = context.command_run()?;
    let (ended, report) = run.run(&workload(context, &words))?;

    let mut checks = Checks::new();
    let truth = truth(&ended)?;
    let zeros = truth.number("/exit_codes/0")?;
    for (metric, is) in [
        ("processes", count + 1),
        ("execs", count + 1),
        ("failed_exits", count - zeros),
        ("signals", 0),
    ] {
        checks.equal(metric, report.figure(metric), Some(is));
    }
    let endings = report.of_run("endings");
    for code in 0..=255_u64 {
        let told = truth.maybe_number(&format!("/exit_codes/{code}")).unwrap_or(0);
        let others = told + u64::from(code == 0);
        let counted = endings.get(format!("exit {code}")).and_then(Value::as_u64).unwrap_or(0);
        checks.equal(format_args!("ends with {code}"), counted, others);
    }
    none_is_unknown(&mut checks, &report);
    checks.verdict()
}

fn many_processes(context: &Context) -> anyhow::Result<()> {
    let count = if context.setup.scale.soak { 100_000 } else { 500 };
    let words = ["exit-storm", "--count", &count.to_string()].map(str::to_owned);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let run = context.command_run()?;
    let (ended, report) = run.run(&workload(context, &words))?;

    let mut checks = Checks::new();
    checks.equal("exits", truth(&ended)?.number("/exits")?, count);
    let lost = report.of_run("lost");
    let lost = |kind: &str| lost.get(kind).and_then(Value::as_u64).unwrap_or(0);
    let seen = report.figure("processes");
    if lost("fork") == 0 {
        checks.equal("processes", seen, Some(count + 1));
    } else {
        checks.equal("processes where some were lost", seen, None);
    }
    let exits = report.count("/runs/0/endings/exit 0");
    checks.equal("exits, told and lost", exits + lost("exit"), count + 1);
    checks.verdict()
}

/// One in a child that nobody but the tracer speaks of.
fn crash(context: &Context) -> anyhow::Result<()> {
    let run = context.command_run()?;
    let words = ["crash", "--how=segv", "--threads=3"];
    let (ended, report) = run.run(&workload(context, &words))?;

    let mut checks = Checks::new();
    checks.holds(ended.status.success(), format_args!("{ended:?}"));
    for (metric, is) in [("crashes", 1), ("signals", 1), ("processes", 2), ("failed_exits", 0)] {
        checks.equal(metric, report.figure(metric), Some(is));
    }
    checks.equal("signals", report.of_run("signals"), &serde_json::json!({ "SIGSEGV": 1 }));
    let crash = report.of_run("crashes").get(0).context("no crash is listed")?;
    let text = |pointer: &str| crash.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    checks.equal("kind", text("/kind"), "fatal_signal");
    checks.equal("comm", text("/comm"), "genome-trace-wo");
    checks.equal("threads", crash.pointer("/activity/threads").and_then(Value::as_u64), Some(4));
    let stack = crash.get("stack").and_then(Value::as_array);
    checks.holds(stack.is_some_and(|stack| !stack.is_empty()), format_args!("no stack: {crash}"));
    checks.verdict()
}

/// Both are at rest while they are looked at.
fn memory_and_threads(context: &Context) -> anyhow::Result<()> {
    const BYTES: u64 = 64 << 20;
    let rss = format!("--rss-bytes={BYTES}");
    let words = ["occupy", "--threads=7", &rss, "--cpu-ms=300"];
    let run = context.command_run()?;
    let (_, report) = run.run(&workload(context, &words))?;

    let mut checks = Checks::new();
    let within =
        |figure: Option<u64>| figure.is_some_and(|it| (BYTES..BYTES + (32 << 20)).contains(&it));
    for metric in ["peak_rss_bytes", "peak_tree_rss_bytes"] {
        let figure = report.figure(metric);
        checks.holds(within(figure), format_args!("{metric} is {figure:?}, of {BYTES} bytes"));
    }
    checks.equal("peak_threads", report.figure("peak_threads"), Some(8));
    let (cpu, wall) = (report.figure("cpu_ns"), report.figure("wall_ns"));
    checks.holds(cpu >= Some(300_000_000), format_args!("cpu_ns is {cpu:?}"));
    checks.holds(wall >= Some(300_000_000), format_args!("wall_ns is {wall:?}"));
    checks.verdict()
}

/// The same, again and again: in every exact figure.
fn repeat(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let file = folder.path().join("file");
    let script = format!("echo a > {0}; /bin/true; /bin/false; /bin/rm {0}; :", file.display());
    let run = context.command_run()?.option("--repeat=3");
    let (ended, report) = run.run(&["sh", "-c", &script])?;

    let mut checks = Checks::new();
    checks.holds(ended.status.success(), format_args!("{ended:?}"));
    let runs = report.at("/runs").and_then(Value::as_array).map_or(0, Vec::len);
    checks.equal("runs", runs, 3);
    for index in 0..3 {
        for (metric, is) in [
            ("processes", 4),
            ("execs", 4),
            ("failed_exits", 1),
            ("files_created", 1),
            ("files_written", 1),
            ("files_unlinked", 1),
            ("write_calls", 1),
            ("written_bytes", 2),
        ] {
            let figure = report.at(&format!("/runs/{index}/figures/{metric}"));
            checks.equal(
                format_args!("{metric} of {index}"),
                figure.and_then(Value::as_u64),
                Some(is),
            );
        }
    }
    checks.verdict()
}

/// What others do meanwhile is not the command's.
fn nobody_else(context: &Context) -> anyhow::Result<()> {
    let run = context.command_run()?;
    let mut started = run.start(&["sh", "-c", "echo ready; read line; exit 0"])?;
    anyhow::ensure!(started.next_line()? == "ready");
    let folder = context.folder()?;
    let files = folder.path().join("others");
    context.workload("create-files").path("--dir", &files).option("--count", 50).run()?;
    started.say("go on")?;
    let ended = started.finish()?;
    let report = run.report()?;

    let mut checks = Checks::new();
    checks.holds(ended.status.success(), format_args!("{ended:?}"));
    for (metric, is) in [
        ("processes", 1),
        ("execs", 1),
        ("files_created", 0),
        ("files_unlinked", 0),
        ("write_calls", 0),
    ] {
        checks.equal(metric, report.figure(metric), Some(is));
    }
    checks.verdict()
}

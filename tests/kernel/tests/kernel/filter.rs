//! The options that narrow what is shown, and the one that ends it.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use genome_trace_tests_kernel::{Checks, Context, Event, Events, Suite, sum};
use rustix::process::Signal;

use crate::cgroup::Hierarchy;

const UID: u64 = 47_110;
const FEW: u64 = 20;

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("filter::pid_with_descendants", pid_with_descendants);
    suite.once("filter::probes_go_with_the_last", probes_go_with_the_last);
    suite.of_userspace("filter::kind", kind);
    suite.of_userspace("filter::comm", comm);
    suite.once("filter::uid", uid);
    suite.once("filter::cgroup", cgroup);
    suite.of_userspace("filter::duration", duration);
    suite.once("filter::the_tracer_itself", the_tracer_itself);
}

fn pid_with_descendants(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let held = context
        .workload("tree")
        .option("--depth", 3)
        .option("--width", 3)
        .path("--dir", folder.path())
        .hold()?;
    let tracer = context.tracer().option("--pid", held.pid()).start()?;
    few_processes(context)?;
    let truth = held.release()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let tree: BTreeSet<u64> = truth.numbers("/pids").into_iter().collect();
    let launcher = truth.pid()?;
    for event in trace.events.of_processes() {
        checks.holds(
            event.tgid().is_some_and(|tgid| tgid == launcher || tree.contains(&tgid)),
            format_args!("an event of another process: {}", event.json()),
        );
    }
    for pid in &tree {
        for kind in ["fork", "exit", "file_create"] {
            let count = trace.events.of(kind, *pid).count();
            checks.equal(format_args!("{kind} events of {pid} in the tree"), count, 1);
        }
    }
    checks.equal("exits of the root's parent", trace.events.of("exit", launcher).count(), 1);
    checks.verdict()
}

/// Once the processes asked for have ended, nobody pays for probes of files;
/// what was counted up to then is told.
fn probes_go_with_the_last(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let held = context
        .workload("create-files")
        .path("--dir", folder.path())
        .option("--count", FEW)
        .hold()?;
    let tracer = context.tracer().option("--pid", held.pid()).start()?;
    let truth = held.release()?;
    tracer.process().await_words(&["the probes of files are taken away"])?;
    few_processes(context)?;
    let trace = tracer.stop()?;
    let mut checks = Checks::new();
    for worker in truth.workers() {
        let created = trace.events.of("file_create", worker).count() as u64;
        checks.equal("files created", created, FEW);
        let calls = sum(trace.events.of("file_write", worker), "write_calls");
        checks.equal("write calls", calls, FEW);
    }
    checks.equal("workers", truth.workers().len(), 1);
    checks.verdict()
}

fn kind(context: &Context) -> anyhow::Result<()> {
    let tracer = context.tracer().option("--kind", "exec,exit").start()?;
    let truth = context.workload("mixed").option("--rounds", 3).run()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let kinds: BTreeSet<&str> = trace.events.of_processes().map(Event::kind).collect();
    checks.equal("kinds", kinds, BTreeSet::from(["exec", "exit"]));
    let launcher = Some(truth.pid()?);
    let execs = trace.events.kind("exec");
    let children = execs.filter(|event| event.number("ppid") == launcher);
    checks.equal("execs", children.count() as u64, truth.number("/execs")?);
    checks.verdict()
}

fn comm(context: &Context) -> anyhow::Result<()> {
    let tracer = context.tracer().option("--comm", "true").start()?;
    let launcher = few_processes(context)?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    for event in trace.events.of_processes() {
        checks.equal("comm", event.text("comm"), Some("true"));
    }
    for kind in ["exec", "exit"] {
        let events = trace.events.kind(kind);
        let children = events.filter(|event| event.number("ppid") == Some(launcher));
        checks.equal(kind, children.count() as u64, FEW);
    }
    checks.verdict()
}

fn uid(context: &Context) -> anyhow::Result<()> {
    let tracer = context.tracer().option("--uid", UID).start()?;
    few_processes(context)?;
    let truth =
        context.workload("spawn-storm").option("--as-uid", UID).option("--count", FEW).run()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    for event in trace.events.of_processes() {
        checks.equal("uid", event.number("uid"), Some(UID));
    }
    let launcher = Some(truth.pid()?);
    for kind in ["fork", "exec", "exit"] {
        let events = trace.events.kind(kind);
        let children = events.filter(|event| event.number("ppid") == launcher);
        checks.equal(kind, children.count() as u64, FEW);
    }
    checks.verdict()
}

fn cgroup(context: &Context) -> anyhow::Result<()> {
    let cgroup = Hierarchy::told_by()?.new_cgroup("filter")?;
    let held = context.workload("spawn-storm").option("--count", FEW).hold()?;
    cgroup.take_in(held.pid())?;
    let tracer = context.tracer().option("--cgroup", cgroup.path()).start()?;
    few_processes(context)?;
    let truth = held.release()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    for event in trace.events.of_processes() {
        let path = event.text("cgroup_path");
        checks.equal("cgroup path", path, Some(cgroup.path().as_str()));
    }
    let launcher = Some(truth.pid()?);
    let execs = trace.events.kind("exec");
    let children = execs.filter(|event| event.number("ppid") == launcher);
    checks.equal("execs", children.count() as u64, FEW);
    checks.verdict()
}

fn duration(context: &Context) -> anyhow::Result<()> {
    const LENGTH: Duration = Duration::from_secs(2);
    let before = Instant::now();
    let tracer = context.tracer().option("--duration", "2s").start()?;
    let attached = Instant::now();
    let launcher = few_processes(context)?;
    let trace = tracer.finish()?;

    let mut checks = Checks::new();
    let (since_start, since_attached) = (before.elapsed(), attached.elapsed());
    checks.holds(since_start >= LENGTH, format_args!("it ended after {since_start:?}"));
    checks.holds(since_attached <= LENGTH * 5, format_args!("it went on for {since_attached:?}"));
    checks.equal("exits of the workload", trace.events.of("exit", launcher).count(), 1);
    checks.verdict()
}

/// The tracer writes its events to a file: seen by itself, each write would
/// make another event.
fn the_tracer_itself(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let output = folder.path().join("events");
    let stdout = fs::File::create(&output).context("create the tracer's output")?;
    let tracer = context.tracer().start_into(Stdio::from(stdout))?;
    let pid = u64::from(tracer.pid());
    let truth = context.workload("mixed").option("--rounds", 3).run()?;
    tracer.signal(Signal::INT)?;
    tracer.finish()?;

    let text = fs::read_to_string(&output).context("read the tracer's output")?;
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let events = Events::parse(&lines)?;
    let mut checks = Checks::new();
    let own = events.iter().find(|event| event.tgid() == Some(pid));
    checks.holds(own.is_none(), format_args!("an event of the tracer: {own:?}"));
    checks.equal("exits of the workload", events.of("exit", truth.pid()?).count(), 1);
    checks.verdict()
}

/// A few short processes; gives their parent.
fn few_processes(context: &Context) -> anyhow::Result<u64> {
    let workload = context.workload("spawn-storm").option("--count", FEW);
    workload.run()?.pid()
}

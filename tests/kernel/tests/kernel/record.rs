//! The recorder: what it leaves in its store is what happened, whatever becomes
//! of it, of its disk and of its configuration.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use genome_trace::model::{Gap, GapReason, ProcessKey, RecorderRun, TimeRange};
use genome_trace::store::{CrashQuery, History as _, Place, Reader};
use genome_trace_tests_kernel::{
    Checks, Context, Launch, Recorder, Service, SmallDisk, Suite, read_store,
};
use rustix::process::Signal;

use crate::{creation, storm};

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("record::a_store_equals_the_truth", equals_the_truth);
    suite.once("record::a_storm_of_exits_is_stored", storm_of_exits);
    suite.of_userspace("record::a_process_that_was_there_before", there_before);
    suite.of_userspace("record::killed_under_load", killed);
    suite.once("record::losses_are_gaps", losses);
    suite.of_userspace("record::a_full_disk", full_disk);
    suite.of_userspace("record::hang_up_reads_the_files_again", hang_up);
    suite.of_userspace("record::exit_codes_that_are_ordinary", ordinary_exit_codes);
    suite.of_userspace("record::a_service_manager_is_told", service_manager);
    suite.of_userspace("record::a_second_one_is_refused", second);
    suite.of_userspace("record::follow_records_too", follow);
}

fn start(launch: Launch<'_>) -> anyhow::Result<Recorder> {
    launch.start_into(Stdio::null()).map(Recorder)
}

fn gaps(store: &std::path::Path) -> anyhow::Result<Vec<Gap>> {
    Ok(Reader::open(Place::new(store))?.gaps(TimeRange::ALL)?)
}

fn runs(store: &std::path::Path) -> anyhow::Result<Vec<RecorderRun>> {
    Ok(Reader::open(Place::new(store))?.coverage()?)
}

fn equals_the_truth(context: &Context) -> anyhow::Result<()> {
    let (folder, files) = (context.folder()?, context.folder()?);
    let (count, creators) = (context.setup.scale.processes, 2);
    let recorder = start(context.recorder(folder.path()))?;
    let spawned =
        context.workload("spawn-storm").option("--count", count).option("--jobs", 4).run()?;
    let created = creation::workload(context, files.path(), creators).run()?;
    let recorded = recorder.stop(folder.path())?;

    let mut checks = Checks::new();
    storm::check(&mut checks, &recorded.trace, &spawned, count)?;
    creation::check(&mut checks, &recorded.trace, &created, files.path())?;
    checks.equal("items not stored", recorded.not_stored, 0);
    let events = recorded.trace.events.iter().count() as u64;
    checks.holds(
        recorded.stored >= events,
        format_args!("{} items stored, among them {events} events", recorded.stored),
    );
    checks.holds(recorded.trace.loss.events > 0, "the loss line counts no event");
    let runs = runs(folder.path())?;
    checks.holds(
        matches!(runs.as_slice(), [run] if run.ended_orderly),
        format_args!("not one run with an end: {runs:?}"),
    );
    if recorded.trace.loss.lost == 0 {
        checks.equal("gaps", gaps(folder.path())?, Vec::new());
    }
    checks.verdict()
}

/// Processes that do nothing but end, more of them in a second than programs
/// can be started: each is there once with its beginning and its end.
fn storm_of_exits(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let scale = context.setup.scale;
    let recorder = start(context.recorder(folder.path()))?;
    let truth = context
        .workload("exit-storm")
        .option("--count", scale.exits)
        .option("--rate", scale.exits_per_second)
        .run()?;
    let recorded = recorder.stop(folder.path())?;

    let mut checks = Checks::new();
    checks.equal("the workload's exits", truth.number("/exits")?, scale.exits);
    let parent = Some(truth.pid()?);
    for kind in ["fork", "exit"] {
        let of_storm =
            || recorded.trace.events.kind(kind).filter(|event| event.number("ppid") == parent);
        checks.equal(kind, of_storm().count() as u64, scale.exits);
        // A PID may be used again in a storm; with its start it is one process.
        let keys: BTreeSet<_> =
            of_storm().map(|event| (event.tgid(), event.number("start_time"))).collect();
        checks.equal("different processes", keys.len() as u64, scale.exits);
        if kind == "exit" {
            let bad = of_storm().filter(|event| event.payload_number("code") != Some(0)).count();
            checks.equal("ends with another code than 0", bad, 0);
        }
    }
    checks.equal("events lost", recorded.trace.loss.lost, 0);
    checks.equal("items not stored", recorded.not_stored, 0);
    checks.equal("gaps", gaps(folder.path())?, Vec::new());
    checks.verdict()
}

/// Of a process that began before the recorder its program is known, and when
/// it began.
fn there_before(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let held = context.workload("spawn-storm").option("--count", 1).hold()?;
    let pid = held.pid();
    let recorder = start(context.recorder(folder.path()))?;
    held.release()?;
    let recorded = recorder.stop(folder.path())?;

    let exit = recorded.trace.events.of("exit", pid.into()).next();
    let exit = exit.context("the held workload's end is not in the store")?;
    let start_time = exit.number("start_time").context("an exit has no start_time")?;
    let reader = Reader::open(Place::new(folder.path()))?;
    let process = reader.process(ProcessKey { tgid: pid, start_time })?;
    let process = process.context("the held workload is not in the store")?;
    let mut checks = Checks::new();
    let program = process.exe.as_deref().map(String::from_utf8_lossy);
    checks.equal("its program", program.as_deref(), context.setup.workload.to_str());
    checks.holds(process.argv.is_some_and(|argv| argv.ends_with(b"--hold\0")), "other arguments");
    let run = runs(folder.path())?.first().copied().context("no run")?;
    checks.holds(
        process.started.is_some_and(|started| started < run.from),
        format_args!("it began at {:?}, the recorder at {:?}", process.started, run.from),
    );
    checks.holds(process.ended.is_some_and(|ended| ended >= run.from), "its end has no time");
    checks.verdict()
}

/// After a kill everything is there but what happened in the last moment: a
/// quarter of a second by what the store promises, a whole one here, for on a
/// small machine a storm lets the recorder itself wait for its turn.
const LAST_MOMENT: Duration = Duration::from_secs(1);
const KILLS: usize = 4;

fn killed(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let mut checks = Checks::new();
    for kill in 0..KILLS {
        let recorder = start(context.recorder(folder.path()))?;
        // More than there is time for: it goes on until it is dropped.
        let load = context.workload("spawn-storm").option("--count", 10_000_000).start_free()?;
        // Each process with the moment from which on it had ended.
        let mut ended: Vec<(u64, Instant)> = Vec::new();
        while ended.first().is_none_or(|(_, at)| at.elapsed() < LAST_MOMENT * 2) {
            let pid = context.program("true").succeed()?;
            ended.push((pid, Instant::now()));
        }
        let at = Instant::now();
        recorder.0.signal(Signal::KILL)?;
        recorder.0.wait()?;
        drop(load);
        let stored: BTreeSet<u64> =
            read_store(folder.path())?.kind("exit").filter_map(|event| event.tgid()).collect();
        let due: Vec<u64> = ended
            .iter()
            .filter(|(_, ended)| at.duration_since(*ended) >= LAST_MOMENT)
            .map(|(pid, _)| *pid)
            .collect();
        ensure!(!due.is_empty(), "no process ended early enough");
        let missing: Vec<_> = due.iter().filter(|pid| !stored.contains(pid)).collect();
        checks.holds(
            missing.is_empty(),
            format_args!("kill {kill}: of {} ends {missing:?} are missing", due.len()),
        );
    }
    start(context.recorder(folder.path()))?.stop(folder.path())?;
    let runs = runs(folder.path())?;
    let orderly: Vec<_> = runs.iter().map(|run| run.ended_orderly).collect();
    checks.equal("orderly ends", orderly, [vec![false; KILLS], vec![true]].concat());
    let gaps = gaps(folder.path())?;
    let between: Vec<_> = gaps.iter().filter(|gap| gap.reason == GapReason::NotRunning).collect();
    checks.equal("gaps between runs", between.len(), KILLS);
    for (gap, (before, after)) in between.iter().zip(runs.iter().zip(runs.iter().skip(1))) {
        checks.equal("a gap's beginning", gap.from, before.until);
        checks.equal("a gap's end", gap.until, after.from);
    }
    checks.verdict()
}

/// What the kernel side could not hand over is a gap with the same counts.
fn losses(context: &Context) -> anyhow::Result<()> {
    let (folder, files) = (context.folder()?, context.folder()?);
    let held = creation::workload(context, files.path(), 1).hold()?;
    let launch = context.recorder(folder.path());
    let recorder = start(launch.option("--ring-size", context.setup.scale.tiny_ring_bytes))?;
    recorder.0.signal(Signal::STOP)?;
    held.release()?;
    recorder.0.signal(Signal::CONT)?;
    let recorded = recorder.stop(folder.path())?;

    let mut checks = Checks::new();
    recorded.trace.check_losses_agree(&mut checks);
    checks.holds(recorded.trace.loss.of("file_create") > 0, "no file_create was lost");
    let run = runs(folder.path())?.first().copied().context("no run")?;
    let mut missing = std::collections::BTreeMap::new();
    for gap in gaps(folder.path())? {
        checks.equal("why there is a gap", gap.reason, GapReason::Lost);
        checks.holds(
            gap.from <= gap.until && gap.until <= run.until,
            format_args!("a gap from {:?} to {:?}, a run to {:?}", gap.from, gap.until, run.until),
        );
        for (kind, count) in gap.missing.unwrap_or_default() {
            *missing.entry(kind).or_insert(0) += count;
        }
    }
    checks.equal("missing in gaps", missing, recorded.trace.loss.lost_by_kind);
    checks.verdict()
}

/// Tracing goes on while nothing can be stored, and all that waited is stored
/// when there is room.
fn full_disk(context: &Context) -> anyhow::Result<()> {
    const FEW: u64 = 50;
    let disk = SmallDisk::new(context, 24)?;
    let storm = || context.workload("spawn-storm").option("--count", FEW).run();
    let recorder = start(context.recorder(disk.path()))?;
    let before = storm()?;
    disk.fill()?;
    // Until more room is needed than there is.
    let is_told = AtomicBool::new(false);
    let (told, meanwhile) = thread::scope(|scope| {
        let storms = scope.spawn(|| {
            let mut truths = Vec::new();
            while !is_told.load(Ordering::Relaxed) {
                truths.push(storm()?);
            }
            anyhow::Ok(truths)
        });
        let told = recorder.0.await_words(&["nothing is stored"]);
        is_told.store(true, Ordering::Relaxed);
        (told, storms.join())
    });
    let told = told?;
    let mut meanwhile = meanwhile.map_err(|_| anyhow::anyhow!("a thread has panicked"))??;
    meanwhile.push(storm()?);
    disk.empty()?;
    recorder.0.await_words(&["stored again"])?;
    let after = storm()?;
    let recorded = recorder.stop(disk.path())?;

    let mut checks = Checks::new();
    let line = told.last().map_or("", String::as_str);
    for words in ["make room", "tracing goes on"] {
        checks.holds(line.contains(words), format_args!("no {words:?}: {line}"));
    }
    checks.equal("items not stored", recorded.not_stored, 0);
    for truth in [before].iter().chain(&meanwhile).chain([&after]) {
        storm::check(&mut checks, &recorded.trace, truth, FEW)?;
    }
    checks.verdict()
}

const BROKEN: &str = "[retention]\nevents = \"soon\"\n";

fn hang_up(context: &Context) -> anyhow::Result<()> {
    let (store, files) = (context.folder()?, context.folder()?);
    let (rules, config) = (files.path().join("rules.toml"), files.path().join("config.toml"));
    let write = |path, text: &str| fs::write(path, text).context("write a file");
    let naming = |name| format!("[[persona]]\nname = '{name}'\nargv = 'gt-record-word'\n");
    write(&rules, &naming("gt-before"))?;
    write(&config, "[retention]\nevents = \"2h\"\n")?;
    let launch = context.recorder(store.path());
    let launch = launch.option("--personas", rules.display());
    let recorder = start(launch.option("--config", config.display()))?;
    let run = |word: &str| {
        let workload = context.program(&context.setup.workload);
        workload.args(["exit", "--code", "0", word].map(OsStr::new)).succeed()
    };
    let before = run("gt-record-word-1")?;
    // A change that the recorder notices by itself; after it, a request is
    // answered all the same.
    write(&rules, &naming("gt-after"))?;
    recorder.0.signal(Signal::HUP)?;
    recorder.0.await_words(&["configuration was read again", "rules were read again"])?;
    let after = run("gt-record-word-2")?;
    write(&config, BROKEN)?;
    recorder.0.signal(Signal::HUP)?;
    let said = recorder.0.await_words(&["config.toml:2: ", "is kept"])?;
    let recorded = recorder.stop(store.path())?;

    let mut checks = Checks::new();
    checks.holds(said.iter().any(|line| line.contains("soon")), format_args!("{said:?}"));
    for (pid, name) in [(before, "gt-before"), (after, "gt-after")] {
        let exits: Vec<_> = recorded.trace.events.of("exit", pid).collect();
        checks.equal("ends", exits.len(), 1);
        for exit in exits {
            let persona = exit.json().pointer("/persona/name").or(exit.json().get("persona"));
            checks.equal("whose it is", persona.and_then(|name| name.as_str()), Some(name));
        }
    }
    checks.verdict()
}

/// By the configuration as it is when they happen.
fn ordinary_exit_codes(context: &Context) -> anyhow::Result<()> {
    let (store, files) = (context.folder()?, context.folder()?);
    let config = files.path().join("config.toml");
    let write = |text: &str| fs::write(&config, text).context("write a file");
    let run = |persona: &str, code: &str| {
        let script = format!("exit {code}");
        let program = context.program("sh").args(["-c", &script]);
        Ok::<_, anyhow::Error>(program.env("GENOME_PERSONA", persona).run()?.pid)
    };
    write(
        "[crashes]\nordinary_exit_codes = [4]\n\n[crashes.persona.\"Picky\"]\n\
         ordinary_exit_codes = [2, 3]\n",
    )?;
    let recorder = start(context.recorder(store.path()).option("--config", config.display()))?;
    run("Picky", "3")?;
    run("Picky", "4")?;
    run("Other", "4")?;
    let mut due = vec![run("Picky", "5")?, run("Other", "3")?];
    write("[crashes.persona.Other]\nordinary_exit_codes = [3]\n")?;
    recorder.0.signal(Signal::HUP)?;
    recorder.0.await_words(&["configuration was read again"])?;
    run("Other", "3")?;
    due.push(run("Picky", "3")?);
    write("[crashes]\nordinary_exit_codes = [300]\n")?;
    recorder.0.signal(Signal::HUP)?;
    let said = recorder.0.await_words(&["config.toml:2: ", "is kept"])?;
    run("Other", "3")?;
    due.push(run("Other", "4")?);
    recorder.stop(store.path())?;

    let mut checks = Checks::new();
    checks.holds(said.iter().any(|line| line.contains("300")), format_args!("{said:?}"));
    let crashes =
        Reader::open(Place::new(store.path()))?.crashes(&CrashQuery::all(TimeRange::ALL))?;
    let mut told: Vec<u64> = crashes
        .iter()
        .filter(|stored| matches!(stored.crash.persona.as_deref(), Some("Picky" | "Other")))
        .map(|stored| stored.crash.key.tgid.into())
        .collect();
    told.sort_unstable();
    due.sort_unstable();
    checks.equal("crashes", told, due);
    checks.verdict()
}

fn service_manager(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let service = Service::listen(folder.path(), context.deadline)?;
    let launch = context.recorder(&folder.path().join("store"));
    let launch = launch.env("NOTIFY_SOCKET", service.address());
    let recorder = start(launch.env("WATCHDOG_USEC", "100000"))?;
    service.await_message("READY=1")?;
    service.await_message("WATCHDOG=1")?;
    let status = service.await_message("STATUS=")?;
    recorder.0.signal(Signal::HUP)?;
    let reloading = service.await_message("RELOADING=1\nMONOTONIC_USEC=")?;
    service.await_message("READY=1")?;
    service.await_message("WATCHDOG=1")?;
    recorder.0.signal(Signal::TERM)?;
    service.await_message("STOPPING=1")?;
    let (ended, said) = recorder.0.wait()?;

    let mut checks = Checks::new();
    checks.holds(ended.success(), format_args!("it ended with {ended}: {said:?}"));
    checks.holds(status.contains("stored"), &status);
    let at = reloading.rsplit('=').next().and_then(|at| at.parse::<u64>().ok());
    checks.holds(at.is_some_and(|at| at > 0), &reloading);
    checks.verdict()
}

fn second(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let first = start(context.recorder(folder.path()))?;
    let program = context.program(&context.setup.tracer);
    let second = program.args(["record", "--store"]).arg(folder.path()).run()?;
    let truth = context.workload("spawn-storm").option("--count", 5).run()?;
    let recorded = first.stop(folder.path())?;

    let mut checks = Checks::new();
    checks.equal("its status", second.status.code(), Some(1));
    let said = second.stderr.join("\n");
    for words in ["genome-trace: cannot write the store", "another recorder writes it", "--store"] {
        checks.holds(said.contains(words), format_args!("no {words:?}: {said}"));
    }
    checks.equal("lines that it says", second.stderr.len(), 1);
    storm::check(&mut checks, &recorded.trace, &truth, 5)?;
    checks.verdict()
}

/// `--follow` records what it does not show, too; beside a recorder it says
/// that it does not, and goes on.
fn follow(context: &Context) -> anyhow::Result<()> {
    const FEW: u64 = 20;
    let folder = context.folder()?;
    let following = |launch: Launch<'_>| {
        launch.into_store(folder.path()).option("--comm", "nobody-at-all").start()
    };
    let tracer = following(context.tracer())?;
    let truth = context.workload("spawn-storm").option("--count", FEW).run()?;
    let shown = tracer.end_by(Signal::TERM)?;
    let recorder = start(context.recorder(folder.path()))?;
    let beside = following(context.tracer())?;
    let more = context.workload("spawn-storm").option("--count", FEW).run()?;
    beside.end_by(Signal::TERM)?;
    let recorded = recorder.stop(folder.path())?;

    let mut checks = Checks::new();
    checks.equal("events shown", shown.events.of_processes().count(), 0);
    storm::check(&mut checks, &recorded.trace, &truth, FEW)?;
    storm::check(&mut checks, &recorded.trace, &more, FEW)?;
    let runs = runs(folder.path())?;
    checks.equal("runs in the store", runs.len(), 2);
    checks.holds(runs.iter().all(|run| run.ended_orderly), format_args!("{runs:?}"));
    checks.verdict()
}

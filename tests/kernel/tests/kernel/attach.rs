//! `--follow` attached to a recorder: what it shows is what happened, without
//! privileges, and nobody who reads slowly changes anything for anybody else.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use genome_trace::kernel::group::group_name;
use genome_trace_tests_kernel::{
    Checks, Context, Ended, Event, Events, LossLine, Place, Program, Recorder, Started, Suite,
    Trace, Unsupported, sum,
};
use rustix::process::Signal;

use crate::storm;

pub(crate) fn add_to(suite: &mut Suite) {
    suite.of_userspace("attach::readers_quick_and_slow", quick_and_slow);
    suite.of_userspace("attach::a_recorder_that_ends_and_one_that_is_killed", the_recorder_ends);
    suite.of_userspace("attach::guests_that_misbehave", misbehaving);
    suite.of_userspace("attach::a_second_recorder_at_the_socket", second);
}

/// Nobody's uid and gid, by custom.
const NOBODY: u32 = 65534;
const PERSONA: &str = "gt-attach";

/// A recorder that keeps and listens there.
fn recorder(context: &Context, place: &Place, group: Option<&str>) -> anyhow::Result<Recorder> {
    let launch = place.recorder(context);
    let launch = match group {
        Some(group) => launch.option("--group", group),
        None => launch,
    };
    launch.start_into(Stdio::null()).map(Recorder)
}

/// A `--follow` that is to attach.
fn follower<'a>(context: &'a Context, program: &Path, socket: &Path) -> Program<'a> {
    context.program(program).args(["--follow", "--format=json", "--socket"]).arg(socket)
}

/// Starts it, and waits until it is attached.
fn attached(program: Program<'_>) -> anyhow::Result<Started> {
    let started = program.start()?;
    loop {
        let said = started.next_complaint()?;
        if said.starts_with("genome-trace: attached to the recorder (pid ") {
            return Ok(started);
        }
        ensure!(said.starts_with("genome-trace: only personas"), "it did not attach: {said}");
    }
}

/// What an attached one was shown, by its last line.
struct Account {
    shown: u64,
    missed: u64,
    lost: u64,
}

fn account(ended: &Ended) -> anyhow::Result<Account> {
    let line = ended.stderr.iter().find(|line| line.contains("missed by this reader"));
    let line = line.with_context(|| format!("no account: {ended:?}"))?;
    let numbers: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [shown, missed, lost] = numbers[..] else { anyhow::bail!("not three numbers: {line}") };
    Ok(Account { shown, missed, lost })
}

/// One attached by its group sees a storm whole; one that does not read is told
/// how many it missed; and the store has all.
fn quick_and_slow(context: &Context) -> anyhow::Result<()> {
    // More than waits for a reader: 1 MiB, and what its socket takes.
    const PROCESSES: u64 = 3000;
    let group = group_name(NOBODY).context("look up a group")?;
    let group = group.ok_or_else(|| Unsupported(format!("no group has number {NOBODY}")))?;
    let place = Place::new(context)?;
    let program = place.folder().join("genome-trace");
    fs::copy(&context.setup.tracer, &program).context("copy the tracer")?;
    let recorder = recorder(context, &place, Some(&group))?;
    let follower = |kind: &str| {
        follower(context, &program, &place.socket()).args(["--persona", PERSONA]).arg(kind)
    };
    let all = "--kind=exec,fork,exit";
    let quick = attached(follower(all).as_user(NOBODY, NOBODY))?;
    let slow = attached(follower(all))?;
    slow.signal(Signal::STOP)?;
    let storm = context.workload("spawn-storm").env("GENOME_PERSONA", PERSONA);
    let truth = storm.option("--count", PROCESSES).option("--jobs", 4).run()?;
    quick.signal(Signal::INT)?;
    let quick = quick.finish()?;
    slow.signal(Signal::CONT)?;
    slow.signal(Signal::INT)?;
    let slow = slow.finish()?;
    let recorded = recorder.stop(&place.store())?;

    let mut checks = Checks::new();
    for ended in [&quick, &slow] {
        checks.holds(ended.status.success(), format_args!("it ended with {}", ended.status));
    }
    let of_quick = account(&quick)?;
    let trace = traced(&quick, &of_quick)?;
    checks.equal("events the quick one missed", of_quick.missed, 0);
    checks.equal("events it counted", of_quick.shown, trace.events.iter().count() as u64);
    storm::check(&mut checks, &trace, &truth, PROCESSES)?;
    let of_slow = account(&slow)?;
    let trace = traced(&slow, &of_slow)?;
    let told = sum(trace.events.kind("missed"), "events");
    checks.equal("missed events told against the last line", told, of_slow.missed);
    checks.holds(of_slow.missed > 0, "the slow one missed nothing");
    checks.equal("what it saw and missed", of_slow.shown + of_slow.missed, of_quick.shown);
    checks.equal("what both were told of losses", of_slow.lost, of_quick.lost);
    storm::check(&mut checks, &recorded.trace, &truth, PROCESSES)?;
    checks.equal("items not stored", recorded.not_stored, 0);
    checks.verdict()
}

fn traced(ended: &Ended, account: &Account) -> anyhow::Result<Trace> {
    let events = Events::parse(&ended.stdout)?;
    let lost_by_kind = events.lost();
    let loss = LossLine { events: account.shown, lost: account.lost, lost_by_kind };
    Ok(Trace { events, loss })
}

fn the_recorder_ends(context: &Context) -> anyhow::Result<()> {
    let place = Place::new(context)?;
    let mut checks = Checks::new();
    for (signal, words) in
        [(Signal::TERM, "the recorder has ended"), (Signal::KILL, "the recorder is gone")]
    {
        let recorder = recorder(context, &place, None)?;
        let reader = attached(follower(context, &context.setup.tracer, &place.socket()))?;
        recorder.0.signal(signal)?;
        recorder.0.wait()?;
        let ended = reader.finish()?;
        checks.equal("the reader's status", ended.status.code(), Some(1));
        let said = ended.stderr.join("\n");
        checks.holds(said.contains(words), format_args!("no {words:?}: {said}"));
        account(&ended)?;
        // A kill leaves the file; the next recorder starts over it.
        checks.equal("the file is there", place.socket().exists(), signal == Signal::KILL);
    }
    let recorder = recorder(context, &place, None)?;
    let reader = attached(follower(context, &context.setup.tracer, &place.socket()))?;
    let pid = context.program("true").succeed()?;
    reader.signal(Signal::TERM)?;
    let ended = reader.finish()?;
    checks.holds(ended.status.success(), format_args!("it ended with {}", ended.status));
    let events = Events::parse(&ended.stdout)?;
    checks.equal("ends of a program", events.of("exit", pid).count(), 1);
    recorder.stop(&place.store())?;
    checks.equal("the file is there", place.socket().exists(), false);
    checks.verdict()
}

/// What comes in and makes no sense, or says nothing, holds nobody up.
fn misbehaving(context: &Context) -> anyhow::Result<()> {
    let place = Place::new(context)?;
    let recorder = recorder(context, &place, None)?;
    let connect = || UnixStream::connect(place.socket()).context("connect");
    let silent = connect()?;
    let mut said = Vec::new();
    for line in ["GET / HTTP/1.1\n".to_owned(), "x".repeat(10_000_000)] {
        let mut guest = connect()?;
        // It may be turned away before it has said all.
        let _ = guest.write_all(line.as_bytes());
        let mut answer = String::new();
        BufReader::new(guest).read_line(&mut answer).context("read an answer")?;
        said.push(answer);
    }
    let reader = attached(follower(context, &context.setup.tracer, &place.socket()))?;
    let pid = context.program("true").succeed()?;
    reader.signal(Signal::INT)?;
    let ended = reader.finish()?;
    let recorded = recorder.stop(&place.store())?;
    drop(silent);

    let mut checks = Checks::new();
    for answer in &said {
        checks.holds(answer.contains("\"error\":"), format_args!("no error: {answer:?}"));
    }
    let shown = Events::parse(&ended.stdout)?;
    for events in [&shown, &recorded.trace.events] {
        let ends: Vec<&Event> = events.of("exit", pid).collect();
        checks.equal("ends of a program", ends.len(), 1);
    }
    checks.verdict()
}

fn second(context: &Context) -> anyhow::Result<()> {
    let place = Place::new(context)?;
    let recorder = recorder(context, &place, None)?;
    let other = context.folder()?;
    let program = context.program(&context.setup.tracer).args(["record", "--store"]);
    let program = program.arg(other.path()).arg("--socket").arg(place.socket());
    let refused = program.run()?;
    let reader = attached(follower(context, &context.setup.tracer, &place.socket()))?;
    reader.signal(Signal::INT)?;
    let ended = reader.finish()?;
    recorder.stop(&place.store())?;

    let mut checks = Checks::new();
    checks.equal("its status", refused.status.code(), Some(1));
    let said = refused.stderr.join("\n");
    for words in ["cannot listen at", "another recorder listens there", "--socket"] {
        checks.holds(said.contains(words), format_args!("no {words:?}: {said}"));
    }
    checks.holds(ended.status.success(), "the first one's reader did not end well");
    checks.verdict()
}

//! What processes hold on GPUs, and what their driver says: the kernel and the
//! processes are real, the driver is not.

use std::fs::File;
use std::io::Write as _;

use anyhow::Context as _;
use genome_trace_tests_kernel::{
    Checks, Context, Event, FakeGpus, Holding, LIFECYCLE, Started, Suite, take_away, uuid,
};
use rustix::process::Signal;
use serde_json::Value;

const GIB: u64 = 1 << 30;

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("gpu::vram_at_death", vram_at_death);
    suite.of_userspace("gpu::values_that_cannot_be", values_that_cannot_be);
    suite.of_userspace("gpu::spike", spike);
    suite.of_userspace("gpu::xid_of_the_only_holder", xid_of_the_only_holder);
    suite.of_userspace("gpu::xid_of_whom_the_driver_names", xid_of_whom_the_driver_names);
    suite.of_userspace("gpu::stalled_call", stalled_call);
    suite.of_userspace("gpu::driver_and_library_gone_and_back", gone_and_back);
    suite.of_userspace("gpu::none", none);
}

/// A process that does nothing until it is told to end.
fn worker(context: &Context, persona: &str) -> anyhow::Result<Started> {
    context.program("cat").env("GENOME_PERSONA", persona).hold()
}

fn exit_of(events: &genome_trace_tests_kernel::Events, pid: u64) -> anyhow::Result<&Event> {
    events.of("exit", pid).next().with_context(|| format!("no exit of {pid}"))
}

fn is_null(event: &Event, field: &str) -> bool {
    event.payload(field) == Some(&Value::Null)
}

/// Two personas on two GPUs, one of them on both; one dies, one ends.
fn vram_at_death(context: &Context) -> anyhow::Result<()> {
    let gpus = FakeGpus::new(context)?;
    let (first, second) = (worker(context, "Loader")?, worker(context, "Trainer")?);
    let (loader, trainer) = (first.pid(), second.pid());
    let tracer = gpus.start(context)?;
    // Begins when others are looked at already.
    let third = worker(context, "Latecomer")?;
    let latecomer = third.pid();
    let held = |loader_bytes| {
        [
            Holding::new(0, loader, loader_bytes),
            Holding::new(0, trainer, 2 * GIB),
            Holding::new(1, trainer, 3 * GIB),
            Holding { accounted_peak_bytes: Some(9 * GIB), ..Holding::new(1, latecomer, GIB) },
        ]
    };
    gpus.hold(tracer.process(), &held(7 * GIB))?;
    gpus.hold(tracer.process(), &held(4 * GIB))?;
    first.signal(Signal::KILL)?;
    first.finish()?;
    second.succeed()?;
    third.succeed()?;
    let nobody = context.program("true").succeed()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    for (pid, persona, bytes, peak, source) in [
        (loader, "Loader", 4 * GIB, 7 * GIB, "samples"),
        (trainer, "Trainer", 5 * GIB, 5 * GIB, "samples"),
        (latecomer, "Latecomer", GIB, 9 * GIB, "accounting"),
    ] {
        let exit = exit_of(&trace.events, pid)?;
        checks.equal("persona", exit.text("persona"), Some(persona));
        checks.equal(persona, exit.payload_number("vram_bytes"), Some(bytes));
        checks.equal(persona, exit.payload_number("peak_vram_bytes"), Some(peak));
        checks.equal(persona, exit.payload_text("peak_vram_source"), Some(source));
        checks.holds(
            exit.payload_number("vram_age_ns").is_some(),
            format_args!("no age: {}", exit.json()),
        );
    }
    checks.equal("signal", exit_of(&trace.events, loader)?.payload_text("signal"), Some("SIGKILL"));
    // It may have lived between two looks, then nothing is known of it.
    let bytes = exit_of(&trace.events, nobody)?.payload("vram_bytes").cloned();
    checks.holds(
        bytes == Some(Value::Null) || bytes == Some(0.into()),
        format_args!("VRAM of one that held none: {bytes:?}"),
    );
    checks.verdict()
}

/// What NVML marks as not available, and more than the card has, is unknown.
fn values_that_cannot_be(context: &Context) -> anyhow::Result<()> {
    let gpus = FakeGpus::new(context)?;
    let (first, second) = (worker(context, "A")?, worker(context, "B")?);
    let pids = [first.pid(), second.pid()];
    let tracer = gpus.start(context)?;
    let held = [Holding::new(0, pids[0], u64::MAX), Holding::new(0, pids[1], 81 * GIB)];
    gpus.hold(tracer.process(), &held)?;
    first.succeed()?;
    second.succeed()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    for pid in pids {
        let exit = exit_of(&trace.events, pid)?;
        for field in ["vram_bytes", "peak_vram_bytes"] {
            checks.holds(is_null(exit, field), format_args!("{field}: {}", exit.json()));
        }
        checks.holds(!is_null(exit, "vram_age_ns"), "it was looked at");
    }
    checks.verdict()
}

/// One that held a little for a while takes most of the card.
fn spike(context: &Context) -> anyhow::Result<()> {
    let gpus = FakeGpus::new(context)?;
    let (steady, jumping) = (worker(context, "Steady")?, worker(context, "Jumping")?);
    let tracer = gpus.start(context)?;
    let held =
        |bytes| [Holding::new(1, steady.pid(), 9 * GIB), Holding::new(1, jumping.pid(), bytes)];
    // Two looks each, at least.
    for _ in 0..6 {
        gpus.hold(tracer.process(), &held(6 * GIB))?;
    }
    gpus.hold(tracer.process(), &held(40 * GIB))?;
    gpus.hold(tracer.process(), &held(41 * GIB))?;
    let pid = jumping.pid();
    steady.succeed()?;
    jumping.succeed()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let spikes: Vec<_> = trace.events.kind("vram_spike").collect();
    checks.equal("spikes", spikes.len(), 1);
    let spike = spikes.first().context("no spike")?;
    checks.equal("whose", spike.tgid(), Some(pid));
    checks.equal("persona", spike.text("persona"), Some("Jumping"));
    checks.equal("comm", spike.text("comm"), Some("cat"));
    checks.equal("now", spike.payload_number("vram_bytes"), Some(40 * GIB));
    checks.equal("before", spike.payload_number("baseline_bytes"), Some(6 * GIB));
    checks.equal("GPU", spike.payload_text("gpu_uuid"), Some(uuid(1).as_str()));
    checks.equal("in use", spike.payload_number("gpu_used_bytes"), Some(49 * GIB));
    checks.holds(
        spike.payload_number("baseline_looks") >= Some(10),
        format_args!("judged too early: {}", spike.json()),
    );
    checks.equal(
        "peak at the end",
        exit_of(&trace.events, pid)?.payload_number("peak_vram_bytes"),
        Some(41 * GIB),
    );
    checks.verdict()
}

/// The driver names nobody: where one process alone held the GPU it was that
/// one's, where two did it is unknown.
fn xid_of_the_only_holder(context: &Context) -> anyhow::Result<()> {
    let gpus = FakeGpus::new(context)?;
    let (alone, other) = (worker(context, "Alone")?, worker(context, "Other")?);
    let tracer = gpus.start(context)?;
    let mut held = vec![Holding::new(0, alone.pid(), GIB), Holding::new(1, other.pid(), GIB)];
    gpus.hold_with(tracer.process(), &held, "\n[[xid]]\ngpu = 0\ncode = 31\n")?;
    let first = tracer.await_event("gpu_xid")?;
    held.push(Holding::new(0, other.pid(), GIB));
    gpus.hold_with(tracer.process(), &held, "\n[[xid]]\ngpu = 0\ncode = 43\n")?;
    let second = tracer.await_event("gpu_xid")?;
    let pid = alone.pid();
    alone.succeed()?;
    other.succeed()?;
    tracer.stop()?;

    let mut checks = Checks::new();
    checks.equal("number", first.payload_number("xid"), Some(31));
    checks.equal("whose", first.tgid(), Some(pid));
    checks.equal("persona", first.text("persona"), Some("Alone"));
    checks.equal("tied by", first.payload_text("tied_by"), Some("sole_holder"));
    checks.equal("GPU", first.payload_text("gpu_uuid"), Some(uuid(0).as_str()));
    checks.equal("VRAM", first.payload_number("vram_bytes"), Some(GIB));
    for field in ["summary", "remedy"] {
        let words = first.payload_text(field).unwrap_or_default();
        checks.holds(!words.is_empty(), format_args!("no {field}: {}", first.json()));
    }
    checks.equal("number", second.payload_number("xid"), Some(43));
    checks.equal("whose", second.tgid(), None);
    checks.equal("persona", second.text("persona"), None);
    checks.holds(is_null(&second, "tied_by"), format_args!("tied: {}", second.json()));
    checks.verdict()
}

/// The kernel's log has the process: also one that has died of the error, and
/// not one that root's programs write there.
fn xid_of_whom_the_driver_names(context: &Context) -> anyhow::Result<()> {
    let gpus = FakeGpus::new(context)?;
    let mut log = gpus.open_log()?;
    let (dead, other) = (worker(context, "Dead")?, worker(context, "Other")?);
    let (victim, bystander) = (dead.pid(), other.pid());
    let tracer = gpus.start(context)?;
    let held = [Holding::new(0, victim, GIB), Holding::new(0, bystander, GIB)];
    gpus.hold(tracer.process(), &held)?;
    dead.signal(Signal::KILL)?;
    dead.finish()?;
    tracer.await_event("exit")?;
    let line = |facility: u32, pid: u64| {
        format!(
            "{},1,1,-;NVRM: Xid (PCI:0000:00:00): 31, pid={pid}, name=cat, Ch 00000008, MMU Fault\n",
            facility * 8 + 3
        )
    };
    // As a program of root's would have it.
    write(&mut log, &line(1, bystander))?;
    write(&mut log, &line(0, victim))?;
    gpus.hold_with(tracer.process(), &held[1..], "\n[[xid]]\ngpu = 0\ncode = 31\n")?;
    let told = tracer.await_event("gpu_xid")?;
    other.succeed()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    checks.equal("whose", told.tgid(), Some(victim));
    checks.equal("persona", told.text("persona"), Some("Dead"));
    checks.equal("tied by", told.payload_text("tied_by"), Some("driver"));
    checks.equal("driver's process", told.payload_number("driver_tgid"), Some(victim));
    checks.equal("GPU", told.payload_text("gpu_uuid"), Some(uuid(0).as_str()));
    checks.holds(
        told.payload_text("message").is_some_and(|words| words.ends_with("MMU Fault")),
        format_args!("the driver's words: {}", told.json()),
    );
    let later = trace.events.kind("gpu_xid").count();
    // NVML's own word for it comes later here than any real driver's, so it
    // may stand for itself; it may not be the bystander's by the log.
    checks.holds(later <= 1, format_args!("{later} more"));
    checks.verdict()
}

fn write(log: &mut File, line: &str) -> anyhow::Result<()> {
    log.write_all(line.as_bytes()).context("write to the log")
}

/// NVML hangs: nothing of the kernel's is lost, and it is said.
fn stalled_call(context: &Context) -> anyhow::Result<()> {
    let gpus = FakeGpus::new(context)?;
    let holder = worker(context, "Holder")?;
    let pid = holder.pid();
    let tracer = gpus.start(context)?;
    let held = [Holding::new(0, pid, 5 * GIB)];
    gpus.hold(tracer.process(), &held)?;
    // However slow the machine is: until it is told to go on.
    gpus.say(&held, "\n[stall]\ncalls = \"all\"\nfor = \"60 min\"\n")?;
    let count = context.setup.scale.processes;
    let truth = context.workload("spawn-storm").option("--count", count).run()?;
    tracer.process().await_words(&["NVML has not answered for"])?;
    // It ends while nobody can be asked what it holds.
    holder.succeed()?;
    gpus.say(&held, "")?;
    tracer.process().await_words(&["NVML answers again"])?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let launcher = truth.pid()?;
    let children = trace.events.kind("exit").filter(|exit| exit.number("ppid") == Some(launcher));
    checks.equal("exits of the storm", children.count() as u64, count);
    for kind in LIFECYCLE {
        checks.equal(kind, trace.events.lost().get(kind).copied(), None);
    }
    let exit = exit_of(&trace.events, pid)?;
    checks.equal("VRAM, as last seen", exit.payload_number("vram_bytes"), Some(5 * GIB));
    // What it was before the call that hung: five seconds make it worth a word.
    checks.holds(
        exit.payload_number("vram_age_ns") >= Some(5_000_000_000),
        format_args!("age: {}", exit.json()),
    );
    checks.verdict()
}

/// The driver is unloaded, its library is taken away, and both come back.
fn gone_and_back(context: &Context) -> anyhow::Result<()> {
    let gpus = FakeGpus::new(context)?;
    let (early, late) = (worker(context, "Early")?, worker(context, "Late")?);
    let pids = [early.pid(), late.pid()];
    let tracer = gpus.start(context)?;
    let held = pids.map(|pid| Holding::new(0, pid, 5 * GIB));
    gpus.hold(tracer.process(), &held)?;
    gpus.say(&held, "init = \"driver_not_loaded\"")?;
    tracer.process().await_words(&["the NVIDIA driver is not loaded"])?;
    let away = take_away(&gpus.library())?;
    tracer.process().await_words(&["there is no library"])?;
    early.succeed()?;
    let between = context.program("true").succeed()?;
    std::fs::rename(away, gpus.library()).context("put the library back")?;
    gpus.say(&held, "")?;
    tracer.process().await_words(&["VRAM of 3 GPUs"])?;
    gpus.hold(tracer.process(), &[Holding::new(0, pids[1], 6 * GIB)])?;
    late.succeed()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let [early, late] = pids;
    checks.equal(
        "as last seen",
        exit_of(&trace.events, early)?.payload_number("vram_bytes"),
        Some(5 * GIB),
    );
    let exit = exit_of(&trace.events, between)?;
    checks.holds(is_null(exit, "vram_bytes"), format_args!("nobody looked: {}", exit.json()));
    checks.equal(
        "as seen again",
        exit_of(&trace.events, late)?.payload_number("vram_bytes"),
        Some(6 * GIB),
    );
    checks.verdict()
}

/// Without a library everything else works, and VRAM is unknown.
fn none(context: &Context) -> anyhow::Result<()> {
    let tracer = context.tracer().option("--nvml-library", "/nonexistent/nvml.so").start()?;
    tracer.process().await_words(&["there is no library /nonexistent/nvml.so"])?;
    let pid = context.program("true").succeed()?;
    let trace = tracer.stop()?;
    let exit = exit_of(&trace.events, pid)?;
    let mut checks = Checks::new();
    for field in ["vram_bytes", "peak_vram_bytes", "peak_vram_source", "vram_age_ns"] {
        checks.holds(is_null(exit, field), format_args!("{field}: {}", exit.json()));
    }
    checks.verdict()
}

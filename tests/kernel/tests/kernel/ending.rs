//! Each way to end: the code or the signal, who sent it, and what the process
//! used in its life.

use genome_trace_tests_kernel::{Checks, Context, Event, Suite, Trace, Truth};

use crate::exit_event::check_exit;

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("ending::segv", segv);
    suite.once("ending::abort", abort);
    suite.once("ending::sigterm_to_itself", sigterm_to_itself);
    suite.once("ending::killed_by_another", killed_by_another);
    suite.once("ending::killed_by_its_child", killed_by_its_child);
    suite.once("ending::exit_code", |context| exits(context, "exit:3"));
    suite.once("ending::leader_exits_first", |context| exits(context, "leader-exits-first"));
    suite.once("ending::last_thread_exits", |context| exits(context, "last-thread-exits"));
    suite.once("ending::threads_are_summed_up", threads);
    suite.once("ending::children_are_not_summed_up", |context| family(context, 0));
    suite.once("ending::threads_are_told_from_children", |context| family(context, 4));
    // So many that some end at the same moment, on either side of the last one.
    suite.once("ending::threads_that_end_together", |context| family(context, 48));
}

/// Who sent a signal, as far as the workload knows.
enum Sender<'a> {
    /// A fault or the kernel: nobody, or the process itself.
    Fault,
    /// A process.
    Process { tgid: u64, comm: Option<&'a str> },
}

fn segv(context: &Context) -> anyhow::Result<()> {
    let (trace, truth) = crash(context, "segv", false)?;
    let mut checks = Checks::new();
    let victim = truth.number("/victim")?;
    check_exit(&mut checks, &trace, &truth, victim, "/wait");
    check_signal(&mut checks, &trace, victim, ["SIGSEGV", "SEGV_MAPERR"], &Sender::Fault);
    checks.verdict()
}

fn abort(context: &Context) -> anyhow::Result<()> {
    let (trace, truth) = crash(context, "abort", true)?;
    let mut checks = Checks::new();
    let victim = truth.number("/victim")?;
    check_exit(&mut checks, &trace, &truth, victim, "/wait");
    let itself = Sender::Process { tgid: victim, comm: None };
    check_signal(&mut checks, &trace, victim, ["SIGABRT", "SI_TKILL"], &itself);
    checks.verdict()
}

fn sigterm_to_itself(context: &Context) -> anyhow::Result<()> {
    let (trace, truth) = crash(context, "sigterm-self", false)?;
    let mut checks = Checks::new();
    let victim = truth.number("/victim")?;
    check_exit(&mut checks, &trace, &truth, victim, "/wait");
    let itself = Sender::Process { tgid: victim, comm: None };
    check_signal(&mut checks, &trace, victim, ["SIGTERM", "SI_USER"], &itself);
    checks.verdict()
}

fn killed_by_another(context: &Context) -> anyhow::Result<()> {
    let tracer = context.tracer().start()?;
    let truth = context.workload("kill-victim").run()?;
    let trace = tracer.stop()?;
    check_killed(&trace, &truth)
}

fn killed_by_its_child(context: &Context) -> anyhow::Result<()> {
    let (trace, truth) = crash(context, "kill-by-child", false)?;
    check_killed(&trace, &truth)
}

fn check_killed(trace: &Trace, truth: &Truth) -> anyhow::Result<()> {
    let mut checks = Checks::new();
    let victim = truth.number("/victim")?;
    check_exit(&mut checks, trace, truth, victim, "/wait");
    let killer =
        Sender::Process { tgid: truth.number("/killer")?, comm: Some(truth.text("/killer_comm")?) };
    check_signal(&mut checks, trace, victim, ["SIGKILL", "SI_USER"], &killer);
    checks.verdict()
}

fn exits(context: &Context, how: &str) -> anyhow::Result<()> {
    let (trace, truth) = crash(context, how, false)?;
    let mut checks = Checks::new();
    let victim = truth.number("/victim")?;
    check_exit(&mut checks, &trace, &truth, victim, "/wait");
    let mut signals = trace.events.of("signal", victim);
    checks.holds(signals.next().is_none(), "a signal that nobody sent");
    checks.verdict()
}

fn threads(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let tracer = context.tracer().start()?;
    let truth = context
        .workload("threads")
        .path("--path", &folder.path().join("threads"))
        .option("--count", 8)
        .option("--writes", context.setup.scale.calls)
        .run()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let worker = truth.number("/workers/0/pid")?;
    if let Some(event) = check_exit(&mut checks, &trace, &truth, worker, "/workers/0/wait") {
        for field in ["write_calls", "written_bytes"] {
            let wanted = truth.number(&format!("/{field}"))?;
            checks.equal(field, event.payload_number(field), Some(wanted));
        }
    }
    checks.verdict()
}

/// The kernel adds the writes of a child that was waited for to its parent's
/// account, where those of threads that have ended are too; in the event are
/// the threads' only.
fn family(context: &Context, threads: u64) -> anyhow::Result<()> {
    const LEADER_WRITES: u64 = 3;
    const THREAD_WRITES: u64 = 10;
    const CHILD_WRITES: u64 = 100;
    const BYTES: u64 = 10;
    let folder = context.folder()?;
    let tracer = context.tracer().start()?;
    let truth = context
        .workload("threads")
        .path("--path", &folder.path().join("family"))
        .option("--count", threads)
        .option("--writes", THREAD_WRITES)
        .option("--bytes", BYTES)
        .option("--leader-writes", LEADER_WRITES)
        .option("--child-writes", CHILD_WRITES)
        .run()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let parent = truth.number("/workers/0/pid")?;
    check_exit(&mut checks, &trace, &truth, parent, "/workers/0/wait");
    let calls = LEADER_WRITES + threads * THREAD_WRITES;
    check_writes(&mut checks, &trace, parent, [calls, calls * BYTES]);
    check_writes(&mut checks, &trace, truth.number("/child")?, [CHILD_WRITES, CHILD_WRITES]);
    checks.verdict()
}

/// The process ended once, after so many calls that wrote so many bytes.
fn check_writes(checks: &mut Checks, trace: &Trace, tgid: u64, wanted: [u64; 2]) {
    let exits = trace.events.of("exit", tgid);
    let told: Vec<_> = exits
        .map(|event| ["write_calls", "written_bytes"].map(|field| event.payload_number(field)))
        .collect();
    checks.equal(format_args!("calls and bytes of {tgid}"), told, [wanted.map(Some)]);
}

fn crash(context: &Context, how: &str, core: bool) -> anyhow::Result<(Trace, Truth)> {
    let tracer = context.tracer().start()?;
    let workload = context.workload("crash").option("--how", how);
    let truth = if core { workload.flag("--core") } else { workload }.run()?;
    Ok((tracer.stop()?, truth))
}

/// The signal reached the victim, with its code and its sender.
fn check_signal(
    checks: &mut Checks,
    trace: &Trace,
    victim: u64,
    [signal, code]: [&str; 2],
    sender: &Sender<'_>,
) {
    let events: Vec<&Event> = trace
        .events
        .of("signal", victim)
        .filter(|event| event.payload_text("signal") == Some(signal))
        .collect();
    checks.equal(format_args!("{signal} events of {victim}"), events.len(), 1);
    let Some(event) = events.first() else {
        return;
    };
    checks.equal("signal code", event.payload_text("code_name"), Some(code));
    let tgid = event.payload_number("sender_tgid");
    match sender {
        Sender::Fault => checks.holds(
            tgid.is_none_or(|tgid| tgid == victim),
            format_args!("a fault was sent by {tgid:?}"),
        ),
        Sender::Process { tgid: wanted, comm } => {
            checks.equal("sender", tgid, Some(*wanted));
            if comm.is_some() {
                checks.equal("sender's name", event.payload_text("sender_comm"), *comm);
            }
        }
    }
}

//! Crashes of real processes, recorded, and reported by `--crashes`: every fact
//! in the report is held against the truth.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use genome_trace_tests_kernel::{
    Checks, Context, FakeGpus, Holding, Started, Suite, Tracer, Truth, Unsupported, find,
};
use rustix::process::Signal;
use serde_json::Value;

const LIMIT_BYTES: u64 = 32 << 20;
/// What the tests themselves hold while another process is killed.
const BIG_BYTES: usize = 96 << 20;
const PAGE: u64 = 4096;

pub(crate) fn add_to(suite: &mut Suite) {
    suite.per_mode("crashes::standard_error", standard_error);
    suite.per_mode("crashes::last_files", last_files);
    suite.of_userspace("crashes::gpu_fault_heard_after_the_end", gpu_fault);
    suite.once("crashes::traceback_of_python", traceback_of_python);
    suite.once("crashes::traceback_of_node", traceback_of_node);
    suite.once("crashes::fault_with_its_stack", fault_with_its_stack);
    suite.once("crashes::fault_beside_another_tracer", fault_beside_another);
    suite.once("crashes::possessions_of_an_abort", |context| possessions(context, "abort"));
    suite.once("crashes::possessions_of_an_exit", |context| possessions(context, "exit:3"));
    suite.once("crashes::oom_with_limit_and_usage", oom);
    suite.once("crashes::killed_by_whom", killed);
    suite.of_userspace("crashes::ordinary_ends_are_none", ordinary_ends);
}

/// A trace that is shown and recorded.
fn start(context: &Context, store: &Path) -> anyhow::Result<Tracer> {
    context.tracer().into_store(store).start()
}

/// Every crash in the store, as the report has it.
pub(crate) fn crashes(context: &Context, store: &Path) -> anyhow::Result<Vec<Value>> {
    let ended = context
        .program(&context.setup.tracer)
        .args(["--crashes", "--all", "--last=1h", "--format=json", "--store"])
        .arg(store)
        .run()?;
    ensure!(ended.status.success(), "--crashes did not succeed: {ended:?}");
    let report: Value = serde_json::from_str(&ended.stdout.join("\n"))
        .with_context(|| format!("not JSON: {ended:?}"))?;
    let found = report.get("crashes").and_then(Value::as_array).context("no crashes")?;
    Ok(found.clone())
}

/// The one crash of a persona.
fn one<'c>(crashes: &'c [Value], persona: &str) -> anyhow::Result<&'c Value> {
    let mut of = crashes.iter().filter(|crash| text(crash, "/persona") == Some(persona));
    let (first, more) = (of.next(), of.count());
    ensure!(more == 0, "{persona} crashed {} times: {crashes:?}", more + 1);
    first.with_context(|| format!("no crash of {persona}: {crashes:?}"))
}

fn text<'c>(crash: &'c Value, pointer: &str) -> Option<&'c str> {
    crash.pointer(pointer)?.as_str()
}

fn number(crash: &Value, pointer: &str) -> Option<u64> {
    crash.pointer(pointer)?.as_u64()
}

/// Runs a worker whose standard error is known to be kept before it goes on: it
/// waits for its stdin to end.
fn run_worker(
    context: &Context,
    tracer: &Tracer,
    program: impl AsRef<std::ffi::OsStr>,
    arguments: &[&str],
    persona: &str,
) -> anyhow::Result<Started> {
    let worker = context
        .program(program)
        .args(arguments)
        .env("GENOME_PERSONA", persona)
        .env("GENOME_ID", "a3f9")
        .hold()?;
    let pid = worker.pid();
    // The last exec of a wrapper is the program's own.
    loop {
        let exec = tracer.await_event("exec")?;
        if exec.tgid() == Some(pid) && exec.argv().iter().any(|word| arguments.contains(word)) {
            return Ok(worker);
        }
    }
}

fn check_exit_code(checks: &mut Checks, crash: &Value, pid: u64, code: i32) {
    checks.equal("kind", text(crash, "/kind"), Some("error_exit"));
    checks.equal("process", number(crash, "/key/tgid"), Some(pid));
    checks.equal("genome id", text(crash, "/genome_id"), Some("a3f9"));
    checks.equal(
        "code",
        crash.pointer("/ending/exited/code").and_then(Value::as_i64),
        Some(code.into()),
    );
}

/// The shell itself writes why it ends, in every mode.
fn standard_error(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let tracer = start(context, folder.path())?;
    let script = "read -r line; cd /no/such/folder/token=abcdefgh; exit 7";
    let worker = run_worker(context, &tracer, "sh", &["-c", script], "Shell")?;
    let ended = worker.finish()?;
    tracer.stop()?;

    let mut checks = Checks::new();
    let crashes = crashes(context, folder.path())?;
    let crash = one(&crashes, "Shell")?;
    let Some(code) = ended.status.code() else {
        return Err(anyhow::anyhow!("the shell was killed: {ended:?}"));
    };
    check_exit_code(&mut checks, crash, ended.pid, code);
    let said = ended.stderr.join("\n");
    ensure!(said.contains("abcdefgh"), "the shell did not complain: {ended:?}");
    checks.equal(
        "standard error",
        text(crash, "/stderr_tail").map(str::trim_end),
        Some(said.replace("abcdefgh", "[masked]").as_str()),
    );
    checks.verdict()
}

/// What a worker writes and creates right before it ends is told after its end.
fn last_files(context: &Context) -> anyhow::Result<()> {
    let (store, files) = (context.folder()?, context.folder()?);
    let names = ["a", "b", "c", "d"].map(|name| files.path().join(name));
    let old = files.path().join("old");
    fs::write(&old, "there before").context("write a file")?;
    let tracer = start(context, store.path())?;
    // By a code: a crash with a stack would wait for its names anyway.
    let script = "read -r line; for to; do echo x >> \"$to\"; done; exit 7";
    let mut written: BTreeSet<&str> = names.iter().filter_map(|name| name.to_str()).collect();
    written.extend(old.to_str());
    let mut arguments = vec!["-c", script, "sh"];
    arguments.extend(&written);
    let worker = run_worker(context, &tracer, "sh", &arguments, "Writer")?;
    let ended = worker.finish()?;
    tracer.stop()?;

    let mut checks = Checks::new();
    let crashes = crashes(context, store.path())?;
    let crash = one(&crashes, "Writer")?;
    check_exit_code(&mut checks, crash, ended.pid, 7);
    let last = crash.pointer("/files/last_written").and_then(Value::as_array);
    let last: Vec<&str> = last.into_iter().flatten().filter_map(Value::as_str).collect();
    checks.equal("files", last.len(), written.len());
    checks.equal("files by name", last.into_iter().collect::<BTreeSet<_>>(), written);
    checks.equal("created", number(crash, "/files/created"), Some(names.len() as u64));
    checks.equal(
        "since start",
        crash.pointer("/files/since_start").and_then(Value::as_bool),
        Some(true),
    );
    checks.verdict()
}

/// The driver tells of the error when the process that it was of is gone.
fn gpu_fault(context: &Context) -> anyhow::Result<()> {
    const GIB: u64 = 1 << 30;
    let gpus = FakeGpus::new(context)?;
    let mut log = gpus.open_log()?;
    let store = context.folder()?;
    let tracer = gpus.record(context, store.path())?;
    let script = "read -r line; cd /no/such/device; kill -ABRT $$";
    let worker = run_worker(context, &tracer, "sh", &["-c", script], "Faulty")?;
    // An end that nothing tells more of is one of its own.
    let other = run_worker(context, &tracer, "sh", &["-c", "read -r line; exit 7"], "Other")?;
    let held = [Holding::new(0, worker.pid(), GIB), Holding::new(1, other.pid(), GIB)];
    gpus.hold(tracer.process(), &held)?;
    let (pid, other_pid) = (worker.pid(), other.pid());
    let ended = worker.finish()?;
    other.finish()?;
    while tracer.await_event("exit")?.tgid() != Some(pid) {}
    let line =
        format!("3,1,1,-;NVRM: Xid (PCI:0000:00:00): 31, pid={pid}, name=sh, Ch 8, MMU Fault\n");
    log.write_all(line.as_bytes()).context("write to the log")?;
    gpus.say(&[], "\n[[xid]]\ngpu = 0\ncode = 31\n")?;
    tracer.await_event("gpu_xid")?;
    tracer.stop()?;

    let mut checks = Checks::new();
    let crashes = crashes(context, store.path())?;
    let crash = one(&crashes, "Faulty")?;
    checks.equal("kind", text(crash, "/kind"), Some("gpu_fault"));
    checks.equal("process", number(crash, "/key/tgid"), Some(pid));
    checks.equal("error", number(crash, "/xid/xid"), Some(31));
    checks.equal(
        "signal",
        number(crash, "/ending/signaled/signal"),
        Some(Signal::ABORT.as_raw().unsigned_abs().into()),
    );
    checks.equal("VRAM", number(crash, "/memory/vram_bytes"), Some(GIB));
    ensure!(!ended.stderr.is_empty(), "it said nothing: {ended:?}");
    checks.equal(
        "standard error",
        text(crash, "/stderr_tail").map(str::trim_end),
        Some(ended.stderr.join("\n").as_str()),
    );
    let crash = one(&crashes, "Other")?;
    checks.equal("kind of another", text(crash, "/kind"), Some("error_exit"));
    checks.equal("the other", number(crash, "/key/tgid"), Some(other_pid));
    checks.verdict()
}

fn traceback_of_python(context: &Context) -> anyhow::Result<()> {
    let python = find("python3").ok_or_else(|| Unsupported("there is no python3".to_owned()))?;
    let folder = context.folder()?;
    let script = folder.path().join("worker.py");
    let source = "import sys\nsys.stdin.read()\n\
                  def inner():\n    raise ValueError(\"bad tensor\")\n\
                  def outer():\n    inner()\nouter()\n";
    fs::write(&script, source).context("write a Python worker")?;
    let script = script.to_string_lossy().into_owned();
    let tracer = start(context, &folder.path().join("store"))?;
    let worker = run_worker(context, &tracer, python, &[&script], "PyWorker")?;
    let ended = worker.finish()?;
    tracer.stop()?;

    let mut checks = Checks::new();
    let crashes = crashes(context, &folder.path().join("store"))?;
    let crash = one(&crashes, "PyWorker")?;
    check_exit_code(&mut checks, crash, ended.pid, 1);
    checks.equal("language", text(crash, "/traceback/language"), Some("Python"));
    checks.equal("error", text(crash, "/traceback/error"), Some("ValueError: bad tensor"));
    let place = text(crash, "/traceback/place").unwrap_or_default();
    checks.equal("place", place, format!("{script}\", line 4"));
    let whole = text(crash, "/traceback/text").unwrap_or_default();
    let said = ended.stderr.join("\n");
    checks.holds(said.ends_with(whole.trim_end()), format_args!("{whole:?} is not what it said"));
    let reason = text(crash, "/reason").unwrap_or_default();
    checks.holds(reason.contains("ValueError: bad tensor"), format_args!("reason: {reason}"));
    checks.verdict()
}

fn traceback_of_node(context: &Context) -> anyhow::Result<()> {
    let node = find("node").ok_or_else(|| Unsupported("there is no node".to_owned()))?;
    let folder = context.folder()?;
    let script = folder.path().join("worker.js");
    let source = "process.stdin.resume();\nprocess.stdin.on('end', () => {\n  \
                  throw new TypeError('no model');\n});\n";
    fs::write(&script, source).context("write a Node worker")?;
    let script = script.to_string_lossy().into_owned();
    let tracer = start(context, &folder.path().join("store"))?;
    let worker = run_worker(context, &tracer, node, &[&script], "NodeWorker")?;
    let ended = worker.finish()?;
    tracer.stop()?;

    let mut checks = Checks::new();
    let crashes = crashes(context, &folder.path().join("store"))?;
    let crash = one(&crashes, "NodeWorker")?;
    check_exit_code(&mut checks, crash, ended.pid, 1);
    checks.equal("language", text(crash, "/traceback/language"), Some("Node.js"));
    checks.equal("error", text(crash, "/traceback/error"), Some("TypeError: no model"));
    let place = text(crash, "/traceback/place").unwrap_or_default();
    checks.holds(
        place.starts_with(&format!("{script}:3:")),
        format_args!("{place} is not line 3 of {script}"),
    );
    checks.verdict()
}

/// Three functions deep, by name, file and line.
fn fault_with_its_stack(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let tracer = start(context, folder.path())?;
    let truth = fault(context)?;
    tracer.stop()?;

    let mut checks = Checks::new();
    check_fault(&mut checks, context, folder.path(), &truth)?;
    checks.verdict()
}

/// Of two that look at the same stack at the same time the kernel tells one
/// addresses alone; what lies in the program has its name all the same.
fn fault_beside_another(context: &Context) -> anyhow::Result<()> {
    let stores = [context.folder()?, context.folder()?];
    let tracers = [start(context, stores[0].path())?, start(context, stores[1].path())?];
    let truth = fault(context)?;
    for tracer in tracers {
        tracer.stop()?;
    }

    let mut checks = Checks::new();
    for store in &stores {
        check_fault(&mut checks, context, store.path(), &truth)?;
    }
    checks.verdict()
}

fn fault(context: &Context) -> anyhow::Result<Truth> {
    context.workload("crash").option("--how", "segv-deep").env("GENOME_PERSONA", "Deep").run()
}

fn check_fault(
    checks: &mut Checks,
    context: &Context,
    store: &Path,
    truth: &Truth,
) -> anyhow::Result<()> {
    let crashes = crashes(context, store)?;
    let crash = one(&crashes, "Deep")?;
    checks.equal("kind", text(crash, "/kind"), Some("fatal_signal"));
    checks.equal("process", number(crash, "/key/tgid"), Some(truth.number("/victim")?));
    checks.equal(
        "signal",
        number(crash, "/ending/signaled/signal"),
        Some(Signal::SEGV.as_raw().unsigned_abs().into()),
    );
    let stack: Vec<&str> = crash
        .pointer("/stack")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        // Who reads through a pointer does so by functions of the library's.
        .filter(|line| !line.ends_with("[inlined]"))
        .collect();
    for index in 0..3 {
        let of = |field| format!("/stack/{index}/{field}");
        let function = truth.text(&of("function"))?;
        let place = format!("{}:{}", truth.text(&of("file"))?, truth.number(&of("line"))?);
        let line = stack.get(index).copied().unwrap_or_default();
        checks.holds(
            line.contains(function) && line.contains(&place),
            format_args!("frame {index} is not {function} at {place}: {stack:?}"),
        );
    }
    Ok(())
}

/// Threads, open files and memory: what the process itself said of them last.
fn possessions(context: &Context, how: &str) -> anyhow::Result<()> {
    const THREADS: u64 = 7;
    const FILES: u64 = 200;
    let folder = context.folder()?;
    let tracer = start(context, folder.path())?;
    let truth = context
        .workload("crash")
        .option("--how", how)
        .option("--threads", THREADS)
        .option("--open-files", FILES)
        .env("GENOME_PERSONA", "Owner")
        .run()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let victim = truth.number("/victim")?;
    let threads = truth.number("/had/threads")?;
    let open = truth.number("/had/open_files")?;
    ensure!(threads == THREADS + 1 && open >= FILES + 3, "the workload had less: {truth:?}");
    let exit = trace.events.of("exit", victim).next().context("its end was not told")?;
    checks.equal("threads in the exit", exit.payload_number("threads"), Some(threads));
    checks.equal("open files in the exit", exit.payload_number("open_files"), Some(open));
    if how == "abort" {
        let crashes = crashes(context, folder.path())?;
        let crash = one(&crashes, "Owner")?;
        checks.equal("process", number(crash, "/key/tgid"), Some(victim));
        checks.equal("threads", number(crash, "/activity/threads"), Some(threads));
        checks.equal("open files", number(crash, "/activity/open_files"), Some(open));
        let (had, told) =
            (truth.number("/had/rss_kib")? * 1024, number(crash, "/memory/rss_bytes"));
        checks.holds(
            told.is_some_and(|told| told.abs_diff(had) <= rss_slack()),
            format_args!("it had {had} bytes, not {told:?}"),
        );
    }
    checks.verdict()
}

/// How far the kernel's own sum of resident pages may be behind, with some room
/// for what a process touches on its way to the end.
fn rss_slack() -> u64 {
    let processors = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    3 * processors * (2 * processors).max(32) * PAGE + (1 << 20)
}

fn oom(context: &Context) -> anyhow::Result<()> {
    let big = Big::new()?;
    let folder = context.folder()?;
    let tracer = start(context, folder.path())?;
    let truth: Truth = context
        .workload("oom")
        .option("--limit-bytes", LIMIT_BYTES)
        .env("GENOME_PERSONA", "Eater")
        .run()?;
    tracer.stop()?;

    let mut checks = Checks::new();
    let crashes = crashes(context, folder.path())?;
    let crash = one(&crashes, "Eater")?;
    let limit = truth.number("/limit_bytes")?;
    checks.equal("kind", text(crash, "/kind"), Some("oom"));
    checks.equal("process", number(crash, "/key/tgid"), Some(truth.number("/victim")?));
    checks.equal("constraint", text(crash, "/oom/constraint"), Some("memcg"));
    checks.equal("limit", number(crash, "/memory/limit_bytes"), Some(limit));
    let usage = number(crash, "/memory/usage_bytes");
    checks.holds(
        usage.is_some_and(|usage| usage <= limit && usage >= limit - limit / 10),
        format_args!("usage {usage:?} is not close to the limit {limit}"),
    );
    let largest = crash.pointer("/largest").and_then(Value::as_array);
    let largest = largest.with_context(|| format!("nobody looked who else was big: {crash}"))?;
    let sizes: Vec<_> = largest.iter().filter_map(|of| number(of, "/rss_bytes")).collect();
    checks.holds(
        sizes.len() == largest.len() && sizes.len() <= 10 && sizes.is_sorted_by(|a, b| a >= b),
        format_args!("not the biggest first: {largest:?}"),
    );
    let least = sizes.last().copied().unwrap_or_default();
    let of = |tgid| largest.iter().find(|of| number(of, "/process/tgid") == Some(tgid));
    // On a busy machine ten others may be bigger.
    for (tgid, had, slack) in [
        (u64::from(std::process::id()), big.rss_bytes, 8 << 20),
        (truth.number("/victim")?, limit, limit / 4),
    ] {
        match of(tgid).and_then(|of| number(of, "/rss_bytes")) {
            Some(told) => checks.holds(
                told.abs_diff(had) <= slack,
                format_args!("{tgid} had {had} bytes, not {told}"),
            ),
            None => checks.holds(
                sizes.len() == 10 && least + slack >= had,
                format_args!("{tgid} had {had} bytes and is not in {largest:?}"),
            ),
        }
    }
    checks.holds(
        crash.pointer("/largest_after_ns").is_some_and(Value::is_i64),
        "nothing says when they were looked at",
    );
    checks.verdict()
}

/// Memory that this process holds.
struct Big {
    rss_bytes: u64,
    _memory: Vec<u8>,
}

impl Big {
    fn new() -> anyhow::Result<Self> {
        let memory = vec![0x5a; BIG_BYTES];
        let status = fs::read_to_string("/proc/self/status").context("read /proc/self/status")?;
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = kib.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        let rss_bytes = kib.context("/proc/self/status has no VmRSS")? * 1024;
        Ok(Self { rss_bytes, _memory: memory })
    }
}

/// By a process that has a name.
fn killed(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let tracer = start(context, folder.path())?;
    let victim = context.program("cat").env("GENOME_PERSONA", "Victim").hold()?;
    let pid = victim.pid();
    let killer = context.program("sh").args(["-c", &format!("kill -9 {pid}; :")]).succeed()?;
    let ended = victim.finish()?;
    ensure!(ended.status.signal() == Some(libc::SIGKILL), "not killed: {ended:?}");
    tracer.stop()?;

    let mut checks = Checks::new();
    let crashes = crashes(context, folder.path())?;
    let crash = one(&crashes, "Victim")?;
    checks.equal("kind", text(crash, "/kind"), Some("killed"));
    checks.equal("process", number(crash, "/key/tgid"), Some(pid));
    checks.equal("who", number(crash, "/signal/sender/tgid"), Some(killer));
    checks.equal("who by name", text(crash, "/signal/sender/comm"), Some("sh"));
    let reason = text(crash, "/reason").unwrap_or_default();
    checks.holds(reason.contains(&format!("sh ({killer})")), format_args!("reason: {reason}"));
    checks.verdict()
}

/// A good end, one that was asked for, and a pipeline in which somebody found
/// nothing.
fn ordinary_ends(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let tracer = start(context, folder.path())?;
    context.program("true").env("GENOME_PERSONA", "Good").succeed()?;
    let asked = context.program("cat").env("GENOME_PERSONA", "Asked").hold()?;
    asked.signal(Signal::TERM)?;
    asked.finish()?;
    context
        .program("sh")
        .args(["-c", "echo a | grep -q b; false; exit 0"])
        .env("GENOME_PERSONA", "Pipeline")
        .succeed()?;
    tracer.stop()?;
    let crashes = crashes(context, folder.path())?;
    let mut checks = Checks::new();
    for persona in ["Good", "Asked", "Pipeline"] {
        let of = crashes.iter().filter(|crash| text(crash, "/persona") == Some(persona));
        checks.equal(persona, of.count(), 0);
    }
    checks.verdict()
}

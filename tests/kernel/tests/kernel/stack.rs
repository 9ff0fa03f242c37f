//! The stack of a process that dies of a fault, taken by the kernel and given
//! names when the process is gone.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use genome_trace::model::{Frame, ProcessKey, SymbolizedFrame};
use genome_trace::symbolize::{Resolver, StackRequest};
use genome_trace_tests_kernel::{Checks, Context, Suite, Trace, Unsupported, find};
use serde_json::Value;

/// Three functions deep; lines are looked for by their ends.
const IN_C: &str = "\
static int __attribute__((noinline)) innermost(volatile int *p) { return *p; } // FAULT
static int __attribute__((noinline)) between(volatile int *p) {
    return innermost(p) + 1; // CALLS innermost
}
static int __attribute__((noinline)) outermost(volatile int *p) {
    return between(p) + 1; // CALLS between
}
int main(void) { return outermost((volatile int *)16) + 1; }
";

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("stack::three_functions_deep", three_functions_deep);
    suite.once("stack::three_functions_deep_in_c", three_functions_deep_in_c);
    suite.once("stack::abort_is_in_the_c_library", abort_is_in_the_c_library);
    suite.once("stack::no_fault_has_none", no_fault_has_none);
}

fn three_functions_deep(context: &Context) -> anyhow::Result<()> {
    let tracer = context.tracer().start()?;
    let truth = context.workload("crash").option("--how", "segv-deep").run()?;
    let trace = tracer.stop()?;
    let wanted = [0, 1, 2].map(|index| {
        let of = |field| format!("/stack/{index}/{field}");
        Ok((truth.text(&of("function"))?, truth.text(&of("file"))?, truth.number(&of("line"))?))
    });
    let wanted: Vec<_> = wanted.into_iter().collect::<anyhow::Result<_>>()?;
    let program = context.setup.workload.clone();
    check(&trace, truth.number("/victim")?, program, &wanted)
}

fn three_functions_deep_in_c(context: &Context) -> anyhow::Result<()> {
    let Some(cc) = find("cc") else {
        return Err(Unsupported("there is no C compiler".to_owned()).into());
    };
    let folder = context.folder()?;
    let source = folder.path().join("deep.c");
    let program = folder.path().join("deep");
    std::fs::write(&source, IN_C).context("write a C program")?;
    // Optimized, the innermost function would have no frame, and hide its caller.
    let flags = ["-g", "-O0", "-fno-omit-frame-pointer", "-Wl,--build-id", "-o"];
    context.program(cc).args(flags).arg(&program).arg(&source).succeed()?;

    let tracer = context.tracer().start()?;
    let ended = context.program(&program).run()?;
    let trace = tracer.stop()?;
    ensure!(ended.status.signal() == Some(libc::SIGSEGV), "the C program did not crash: {ended:?}");
    let line = |end: &str| {
        let index = IN_C.lines().position(|line| line.ends_with(end));
        index.map(|index| index as u64 + 1).with_context(|| format!("no line ends with {end}"))
    };
    let file = source.to_str().context("a temporary folder that is no text")?;
    let wanted = [
        ("innermost", file, line("FAULT")?),
        ("between", file, line("CALLS innermost")?),
        ("outermost", file, line("CALLS between")?),
    ];
    check(&trace, ended.pid, program, &wanted)
}

/// The library is found though nothing says where it is: others have it mapped.
fn abort_is_in_the_c_library(context: &Context) -> anyhow::Result<()> {
    let tracer = context.tracer().start()?;
    let truth = context.workload("crash").option("--how", "abort").run()?;
    let trace = tracer.stop()?;
    let stack = resolve(&trace, truth.number("/victim")?, context.setup.workload.clone())?;
    let module = stack.first().and_then(|frame| frame.module.as_deref()).map(Path::new);
    let name = module.and_then(Path::file_name).and_then(|name| name.to_str());
    let mut checks = Checks::new();
    checks.holds(
        name.is_some_and(|name| name.starts_with("libc")),
        format_args!("the innermost frame is not in the C library: {stack:?}"),
    );
    checks.verdict()
}

fn no_fault_has_none(context: &Context) -> anyhow::Result<()> {
    let tracer = context.tracer().start()?;
    let truth = context.workload("crash").option("--how", "sigterm-self").run()?;
    let trace = tracer.stop()?;
    let mut checks = Checks::new();
    let stacks: Vec<_> = trace
        .events
        .of("signal", truth.number("/victim")?)
        .map(|event| event.payload("stack").cloned())
        .collect();
    checks.equal("stacks", stacks, [Some(Value::Null)]);
    checks.verdict()
}

/// The innermost frames are these: function, file and line.
fn check(
    trace: &Trace,
    victim: u64,
    program: PathBuf,
    wanted: &[(&str, &str, u64)],
) -> anyhow::Result<()> {
    let path = program.to_string_lossy().into_owned();
    let mut stack = resolve(trace, victim, program)?;
    // What the compiler put into them is the compiler's choice.
    stack.retain(|frame| !frame.is_inlined);
    let mut checks = Checks::new();
    for (index, (function, file, line)) in wanted.iter().enumerate() {
        let Some(frame) = stack.get(index) else {
            checks.fail(format_args!("no frame {index}, {function}: {stack:?}"));
            break;
        };
        checks.holds(
            frame.function.as_deref().is_some_and(|found| is_at_end(function, found)),
            format_args!("function {index} is {:?}, not {function}", frame.function),
        );
        checks.holds(
            frame.file.as_deref().is_some_and(|found| Path::new(found).ends_with(file)),
            format_args!("file {index} is {:?}, not {file}", frame.file),
        );
        checks.equal(format_args!("line {index}"), frame.line.map(u64::from), Some(*line));
        checks.equal(format_args!("module {index}"), frame.module.as_deref(), Some(&*path));
        checks.holds(frame.build_id.is_some(), format_args!("frame {index} has no build id"));
    }
    checks.verdict()
}

/// A name is whole, or the same behind a hash or without it.
fn is_at_end(wanted: &str, found: &str) -> bool {
    found == wanted || found.strip_prefix(wanted).is_some_and(|rest| rest.starts_with("::h"))
}

/// The stack of the one signal that ended a process, resolved now that it is
/// gone.
fn resolve(trace: &Trace, victim: u64, program: PathBuf) -> anyhow::Result<Vec<SymbolizedFrame>> {
    let signals: Vec<_> = trace.events.of("signal", victim).collect();
    let [signal] = signals.as_slice() else {
        anyhow::bail!("not one signal of {victim}, but {signals:?}");
    };
    let stack = signal.payload("stack").and_then(Value::as_array).context("no stack")?;
    let frames: Result<Vec<Frame>, _> =
        stack.iter().map(|place| place.as_str().unwrap_or_default().parse()).collect();
    let key = ProcessKey {
        tgid: u32::try_from(victim)?,
        start_time: signal.number("start_time").context("no start time")?,
    };
    let request = StackRequest { key, frames: frames?, exe: Some(program), loaded: None };
    Ok(Resolver::new(|_| false).resolve(&request))
}

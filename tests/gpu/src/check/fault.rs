//! An error on the GPU: a kernel of a worker's writes where there is no memory.

use std::time::Duration;

use anyhow::bail;
use genome_trace_tests_kernel::Event;

use crate::compare::MIB;
use crate::ground::Ground;
use crate::kernel_log::{self, KernelLog};
use crate::refusal::Skipped;
use crate::report::Findings;
use crate::stats::Stats;

/// How long the driver's word for it may take.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn check(ground: &Ground, findings: &mut Findings) -> anyhow::Result<()> {
    let context = ground.context();
    let mut log = match KernelLog::open() {
        Ok(log) => Some(log),
        Err(error) => {
            findings.note(format_args!(
                "the kernel's log (/dev/kmsg) cannot be read: {error}: only it names the process"
            ));
            None
        }
    };
    let tracer = ground.tracer(&context)?;
    let mut worker = ground.worker(&context, "Stray", 256 * MIB)?;
    let pid = worker.pid();
    // The tracer is to have seen who holds memory there.
    ground.let_it_look(10);
    let is_alone = Stats::ask(&context)?.pids(&ground.card.uuid) == Some(vec![pid]);
    let word = worker.fault()?;
    findings.note(format_args!("CUDA calls it {word}"));
    let told = tracer.await_event_within(PATIENCE, "gpu_xid", |event| {
        event.payload_text("gpu_uuid").is_none_or(|uuid| uuid == ground.card.uuid)
    })?;
    worker.end()?;
    let trace = tracer.stop()?;
    let lines = log.as_mut().map(KernelLog::xid_lines).transpose()?.unwrap_or_default();
    for line in &lines {
        findings.note(format_args!("kernel's log: {line}"));
    }
    for later in trace.events.kind("gpu_xid") {
        let number = later.payload_number("xid");
        findings.note(format_args!("then XID {number:?}, of process {:?}", later.tgid()));
    }
    match told {
        Some(xid) => {
            let names_it = lines.iter().any(|line| kernel_log::names(line, pid));
            of_event(findings, &xid, pid, names_it, is_alone);
            Ok(())
        }
        None if !lines.is_empty() => {
            bail!("no gpu_xid, though the driver wrote an error to the kernel's log")
        }
        None => Err(Skipped(format!(
            "nobody told an XID within {} s: not NVML, and {}",
            PATIENCE.as_secs(),
            if log.is_some() { "not the kernel's log" } else { "the kernel's log is closed to us" }
        ))
        .into()),
    }
}

fn of_event(findings: &mut Findings, xid: &Event, pid: u64, names_it: bool, is_alone: bool) {
    let by = xid.payload_text("tied_by");
    if names_it || is_alone {
        findings.same("persona", xid.text("persona"), "Stray");
        findings.same("process", xid.tgid(), pid);
        findings.same("tied by", by, if names_it { "driver" } else { "sole_holder" });
    } else {
        // Anybody's guess is wrong then.
        findings.holds("tied to nobody", xid.tgid(), "unknown", xid.tgid().is_none());
        findings.note("others hold memory on this GPU, and no line of the log names the process");
    }
    findings.beside("XID", None, xid.payload_number("xid"), "13 or 31 as a rule");
    findings
        .note(format_args!("what it means: {}", xid.payload_text("summary").unwrap_or("unknown")));
    if let Some(message) = xid.payload_text("message") {
        findings.note(format_args!("the driver's words: {message}"));
    }
}

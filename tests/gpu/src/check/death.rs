//! What a killed process held, and the most that it ever did.

use anyhow::Context as _;

use crate::compare::{MIB, settled};
use crate::ground::Ground;
use crate::report::Findings;

/// Taken for a while, and given back.
const FOR_A_WHILE: u64 = 256 * MIB;
/// Looks within that while: more than three, whatever the driver takes for one.
const LOOKS: u32 = 10;

pub(super) fn check(ground: &Ground, findings: &mut Findings) -> anyhow::Result<()> {
    let context = ground.context();
    let tracer = ground.tracer(&context)?;
    let mut worker = ground.worker(&context, "Killed", 512 * MIB)?;
    let pid = worker.pid();
    ground.let_it_look(LOOKS);
    worker.hold(FOR_A_WHILE)?;
    ground.let_it_look(LOOKS);
    let most = settled(&context, ground)?.known_mib_of(pid)?;
    worker.free(FOR_A_WHILE)?;
    ground.let_it_look(LOOKS);
    let last = settled(&context, ground)?.known_mib_of(pid)?;
    worker.kill()?;
    let trace = tracer.stop()?;

    let exit = trace.events.of("exit", pid).next().context("the killed process has no exit")?;
    findings.same("persona", exit.text("persona"), "Killed");
    findings.same("signal", exit.payload_text("signal"), "SIGKILL");
    findings.same_memory("memory at death", exit.payload_number("vram_bytes"), Some(last));
    findings.at_least("peak", exit.payload_number("peak_vram_bytes"), most);
    let grown = (most.saturating_sub(last)).saturating_mul(MIB);
    findings.holds(
        "the peak was one",
        format!("{} MiB", grown / MIB),
        "256 MiB or more",
        grown >= FOR_A_WHILE,
    );
    let source = exit.payload_text("peak_vram_source");
    findings.note(format_args!("the peak is from {}", source.unwrap_or("nobody")));
    if let Some(age) = exit.payload_number("vram_age_ns") {
        findings.note(format_args!("the last look was {} ms before the end", age / 1_000_000));
    }
    Ok(())
}

//! A process that has held a little for a while takes far more.

use std::time::Duration;

use anyhow::Context as _;

use crate::compare::{MIB, settled};
use crate::ground::Ground;
use crate::report::Findings;

/// Looks before it takes more: it is not judged before ten.
const LOOKS: u32 = 20;
/// So many more MiB than are enough, since a look may fall between.
const BEYOND_MIB: u64 = 64;
/// The least that makes a spike of it (docs/events.md).
const LEAST_MIB: u64 = 256;
/// How long it may take until it is told, at ten looks a second.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn check(ground: &Ground, findings: &mut Findings) -> anyhow::Result<()> {
    let context = ground.context();
    let tracer = ground.tracer(&context)?;
    let mut worker = ground.worker(&context, "Spiking", 512 * MIB)?;
    let pid = worker.pid();
    ground.let_it_look(LOOKS);
    let before = settled(&context, ground)?.known_mib_of(pid)?;
    let total = ground.card.total_mib.context("the GPU's memory is unknown")?;
    let more = growth_mib(before, total);
    worker.hold(more * MIB)?;
    let spike = tracer
        .await_event_within(PATIENCE, "vram_spike", |event| event.tgid() == Some(pid))?
        .with_context(|| format!("no vram_spike, though {before} MiB became {more} MiB more"))?;
    let after = settled(&context, ground)?.known_mib_of(pid)?;
    worker.end()?;
    tracer.stop()?;

    findings.same("persona", spike.text("persona"), "Spiking");
    findings.same("GPU", spike.payload_text("gpu_uuid"), ground.card.uuid.clone());
    let looks = spike.payload_number("baseline_looks");
    findings.holds("looks before", looks, "10 or more", looks >= Some(10));
    findings.same_memory("held before", spike.payload_number("baseline_bytes"), Some(before));
    findings.same_memory("holds now", spike.payload_number("vram_bytes"), Some(after));
    findings.same_memory("GPU's memory", spike.payload_number("gpu_total_bytes"), Some(total));
    Ok(())
}

/// How much more is a spike for certain: to three times as much, or by a fifth
/// of the card, whichever is less.
fn growth_mib(before_mib: u64, card_mib: u64) -> u64 {
    let by_factor = before_mib.saturating_mul(2);
    by_factor.min(card_mib / 5).max(LEAST_MIB).saturating_add(BEYOND_MIB)
}

#[cfg(test)]
mod tests {
    use super::growth_mib;

    #[test]
    fn it_is_a_spike_on_a_small_card_and_on_a_large_one() {
        // Three times as much, which is far from a fifth of the card.
        assert_eq!(growth_mib(1000, 81559), 2064);
        // A fifth of the card.
        assert_eq!(growth_mib(1000, 8192), 1638 + 64);
        // Neither is enough by itself.
        assert_eq!(growth_mib(100, 81559), 256 + 64);
    }
}

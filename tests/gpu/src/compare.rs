//! When two programs that look one after the other say the same.

use anyhow::Context as _;
use genome_trace_tests_kernel::Context;

use crate::ground::Ground;
use crate::nvidia_smi::{self, Card, Holding};
use crate::refusal::Skipped;

/// Bytes in a MiB, in which nvidia-smi tells memory.
pub(crate) const MIB: u64 = 1 << 20;

/// How often the GPU is looked at until nobody moved meanwhile.
const TRIES: usize = 20;

/// What nvidia-smi said at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// The GPU that is checked.
    pub(crate) card: Card,
    /// Its processes.
    pub(crate) holdings: Vec<Holding>,
}

/// Whether bytes are what somebody told as so many MiB, however he rounded.
pub(crate) fn is_same_mib(bytes: u64, mib: u64) -> bool {
    mib.checked_mul(MIB).is_some_and(|told| bytes.abs_diff(told) < MIB)
}

impl Reading {
    fn take(context: &Context, ground: &Ground) -> anyhow::Result<Self> {
        let cards = nvidia_smi::cards(context, &ground.nvidia_smi)?;
        let card = cards.into_iter().find(|card| card.uuid == ground.card.uuid);
        let card = card.context("the GPU that is checked is no longer there")?;
        let mut holdings = nvidia_smi::holdings(context, &ground.nvidia_smi)?;
        holdings.retain(|holding| holding.gpu_uuid == card.uuid);
        holdings.sort_by_key(|holding| holding.pid);
        Ok(Self { card, holdings })
    }

    /// What a process holds; `None` where the driver does not tell.
    pub(crate) fn mib_of(&self, pid: u64) -> Option<u64> {
        self.holdings.iter().find(|holding| holding.pid == pid)?.used_mib
    }

    /// The same for one whose figure is needed.
    pub(crate) fn known_mib_of(&self, pid: u64) -> anyhow::Result<u64> {
        self.mib_of(pid).ok_or_else(|| {
            Skipped(format!("nvidia-smi does not tell what process {pid} holds")).into()
        })
    }

    /// Whether nobody took or gave back memory between the two.
    fn is_still(&self, later: &Self) -> bool {
        self.holdings == later.holdings && self.card.used_mib == later.card.used_mib
    }
}

/// Lets somebody look while nobody moves: nvidia-smi says the same before and
/// after.
pub(crate) fn while_still<T>(
    context: &Context,
    ground: &Ground,
    mut look: impl FnMut() -> anyhow::Result<T>,
) -> anyhow::Result<(Reading, T)> {
    let mut before = Reading::take(context, ground)?;
    for _ in 0..TRIES {
        let seen = look()?;
        let after = Reading::take(context, ground)?;
        if before.is_still(&after) {
            return Ok((after, seen));
        }
        before = after;
    }
    Err(Skipped(format!(
        "the GPU's memory in use changed during each of {TRIES} looks: end what else runs on it"
    ))
    .into())
}

/// What nvidia-smi says when it says the same twice.
pub(crate) fn settled(context: &Context, ground: &Ground) -> anyhow::Result<Reading> {
    while_still(context, ground, || Ok(())).map(|(reading, ())| reading)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_no_difference_and_a_mib_is() {
        assert!(is_same_mib(1032 * MIB, 1032));
        assert!(is_same_mib(1032 * MIB + MIB - 1, 1032));
        assert!(is_same_mib(1032 * MIB - MIB / 2, 1032));
        assert!(!is_same_mib(1033 * MIB, 1032));
        assert!(!is_same_mib(1031 * MIB, 1032));
        assert!(!is_same_mib(0, 1032));
        assert!(!is_same_mib(u64::MAX, u64::MAX));
    }

    fn reading(used_mib: u64, holdings: &[(u64, Option<u64>)]) -> Reading {
        let holding = |&(pid, used_mib)| Holding { gpu_uuid: "GPU-0".to_owned(), pid, used_mib };
        Reading {
            card: Card {
                index: 0,
                uuid: "GPU-0".to_owned(),
                name: None,
                pci_bus_id: None,
                driver_version: None,
                total_mib: Some(8192),
                used_mib: Some(used_mib),
                temperature_celsius: Some(40),
                gpu_percent: None,
                mig_mode: None,
                compute_mode: None,
            },
            holdings: holdings.iter().map(holding).collect(),
        }
    }

    #[test]
    fn memory_that_moves_is_not_still_and_warmth_is() {
        let before = reading(1500, &[(7, Some(512)), (8, None)]);
        let mut warmer = before.clone();
        warmer.card.temperature_celsius = Some(41);
        assert!(before.is_still(&warmer));
        assert!(!before.is_still(&reading(1501, &[(7, Some(512)), (8, None)])));
        assert!(!before.is_still(&reading(1500, &[(7, Some(513)), (8, None)])));
        assert!(!before.is_still(&reading(1500, &[(7, Some(512))])));
    }

    #[test]
    fn what_is_not_told_is_skipped_and_not_0() {
        let reading = reading(1500, &[(8, None)]);
        assert_eq!((reading.mib_of(8), reading.mib_of(9)), (None, None));
        let error = reading.known_mib_of(8).unwrap_err();
        assert!(error.downcast_ref::<Skipped>().is_some());
    }
}

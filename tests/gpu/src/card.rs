//! Which GPU is checked.

use crate::nvidia_smi::Card;
use crate::refusal::NotHere;

/// What the workers and the driver's own part of each take at most, with room:
/// each process has some hundred MiB besides what it asks for.
const ROOM_MIB: u64 = 4 << 10;

/// The GPU with the most free memory, of those that several processes may use
/// whole.
pub(crate) fn choose(cards: &[Card]) -> Result<&Card, NotHere> {
    if cards.is_empty() {
        return Err(NotHere("no GPU here: nvidia-smi names none".to_owned()));
    }
    let usable = cards.iter().filter(|card| refusal(card).is_none());
    usable.max_by_key(|card| free_mib(card)).ok_or_else(|| {
        let reasons: Vec<String> = cards
            .iter()
            .filter_map(|card| Some(format!("GPU {} {}", card.index, refusal(card)?)))
            .collect();
        NotHere(format!("no GPU that can be checked: {}", reasons.join("; ")))
    })
}

fn free_mib(card: &Card) -> Option<u64> {
    card.total_mib?.checked_sub(card.used_mib?)
}

/// Why a GPU will not do.
fn refusal(card: &Card) -> Option<String> {
    if card.mig_mode.as_deref() == Some("Enabled") {
        return Some("is divided by MIG, and this check is of whole GPUs".to_owned());
    }
    if let Some(mode) = card.compute_mode.as_deref().filter(|mode| *mode != "Default") {
        return Some(format!(
            "is in compute mode {mode}; as root `nvidia-smi -i {} -c DEFAULT` lets several \
             processes use it",
            card.index
        ));
    }
    match free_mib(card) {
        None => Some("does not tell its memory".to_owned()),
        Some(free) if free < ROOM_MIB => {
            Some(format!("has {free} MiB free of the {ROOM_MIB} MiB that are needed"))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(index: u64, total_mib: u64, used_mib: u64) -> Card {
        Card {
            index,
            uuid: format!("GPU-{index}"),
            name: None,
            pci_bus_id: None,
            driver_version: None,
            total_mib: Some(total_mib),
            used_mib: Some(used_mib),
            temperature_celsius: None,
            gpu_percent: None,
            mig_mode: None,
            compute_mode: Some("Default".to_owned()),
        }
    }

    #[test]
    fn the_emptiest_is_chosen() {
        let cards = [card(0, 81559, 70000), card(1, 24564, 100), card(2, 12288, 0)];
        assert_eq!(choose(&cards).unwrap().index, 1);
    }

    #[test]
    fn why_none_will_do_is_told_of_each() {
        let cards = [
            Card { mig_mode: Some("Enabled".to_owned()), ..card(0, 81559, 0) },
            Card { compute_mode: Some("Prohibited".to_owned()), ..card(1, 81559, 0) },
            Card { used_mib: None, ..card(2, 81559, 0) },
            card(3, 8192, 8000),
        ];
        let NotHere(reason) = choose(&cards).unwrap_err();
        for words in ["GPU 0 is divided", "GPU 1 is in compute mode Prohibited", "GPU 2 does not"] {
            assert!(reason.contains(words), "{reason}");
        }
        assert!(reason.contains("GPU 3 has 192 MiB free of the 4096 MiB"), "{reason}");
    }

    #[test]
    fn no_card_is_no_gpu() {
        let NotHere(reason) = choose(&[]).unwrap_err();
        assert!(reason.starts_with("no GPU here: "), "{reason}");
    }
}

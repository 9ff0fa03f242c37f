//! The biggest processes of many.

use crate::model::CrashNeighbour;

/// How many of them a crash is told with.
pub const LARGEST_KEPT: usize = 10;

/// The `count` biggest, the biggest first; of equal ones those that came
/// first.
pub fn largest<T>(sizes: impl IntoIterator<Item = (u64, T)>, count: usize) -> Vec<(u64, T)> {
    let mut kept: Vec<(u64, T)> = Vec::with_capacity(count.saturating_add(1));
    for (size, of) in sizes {
        let at = kept.partition_point(|(other, _)| *other >= size);
        if at < count {
            kept.insert(at, (size, of));
            kept.truncate(count);
        }
    }
    kept
}

/// Those that are told: with the OOM killer's victim as it was when it was
/// chosen, whatever was left of it when the others were looked at.
#[must_use]
pub fn with_victim(
    biggest: &[CrashNeighbour],
    victim: Option<CrashNeighbour>,
) -> Vec<CrashNeighbour> {
    let tgid = victim.as_ref().map(|victim| victim.process.tgid);
    let others = biggest.iter().filter(|other| Some(other.process.tgid) != tgid).cloned();
    let all = victim.into_iter().chain(others).map(|of| (of.rss_bytes, of));
    largest(all, LARGEST_KEPT).into_iter().map(|(_, of)| of).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::CrashPeer;

    fn neighbour(tgid: u32, rss_bytes: u64) -> CrashNeighbour {
        CrashNeighbour { process: CrashPeer { tgid, comm: None }, persona: None, rss_bytes }
    }

    fn sizes(of: &[CrashNeighbour]) -> Vec<(u32, u64)> {
        of.iter().map(|of| (of.process.tgid, of.rss_bytes)).collect()
    }

    proptest! {
        #[test]
        fn they_are_the_first_of_all_in_order(
            sizes in prop::collection::vec(0..50_u64, 0..60),
            count in 0..20_usize,
        ) {
            let numbered: Vec<_> = sizes.iter().copied().zip(0..).collect();
            let mut sorted = numbered.clone();
            sorted.sort_by_key(|(size, index): &(u64, usize)| (std::cmp::Reverse(*size), *index));
            sorted.truncate(count);
            prop_assert_eq!(largest(numbered, count), sorted);
        }
    }

    #[test]
    fn the_victim_is_there_as_it_was_chosen() {
        let look: Vec<_> = (0..11).map(|n| neighbour(n, 100 - u64::from(n))).collect();
        let gone = with_victim(&look, Some(neighbour(77, 95)));
        assert_eq!(gone.len(), LARGEST_KEPT);
        assert_eq!(sizes(&gone)[4..7], [(4, 96), (77, 95), (5, 95)]);
        // It had shrunk, and was the last; now it is the first.
        let shrunk = with_victim(&look, Some(neighbour(10, 500)));
        assert_eq!(sizes(&shrunk)[..2], [(10, 500), (0, 100)]);
        assert_eq!(shrunk.len(), LARGEST_KEPT);
        // It was among the others and is less than they are: the next moves up.
        let less = with_victim(&look, Some(neighbour(0, 1)));
        assert_eq!(sizes(&less).last(), Some(&(10, 90)));
    }

    #[test]
    fn of_an_unknown_victim_what_was_seen_stands() {
        let look = [neighbour(1, 9), neighbour(2, 8)];
        assert_eq!(with_victim(&look, None), look);
    }
}

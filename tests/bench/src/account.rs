//! What a subject saw, held against what was done.

use serde::{Deserialize, Serialize};

/// One kind of event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// Its name.
    pub(crate) kind: String,
    /// How many there were.
    pub(crate) truth: u64,
    /// How many the subject told of.
    pub(crate) seen: u64,
    /// How many it said that it may have lost, of this workload's or others'.
    pub(crate) told_lost: u64,
}

/// What a tally comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// Every event was seen, once.
    Exact,
    /// Some were not, and the subject owned up to it.
    LossTold,
    /// Some were not and the subject did not say so, or more were seen than
    /// there were.
    Wrong,
}

impl Tally {
    /// What it comes to.
    pub(crate) fn verdict(&self) -> Verdict {
        match self.truth.checked_sub(self.seen) {
            Some(0) => Verdict::Exact,
            Some(missing) if missing <= self.told_lost => Verdict::LossTold,
            _ => Verdict::Wrong,
        }
    }
}

/// Sums of several runs, kind by kind.
pub(crate) fn add(sums: &mut Vec<Tally>, run: Vec<Tally>) {
    for tally in run {
        match sums.iter_mut().find(|sum| sum.kind == tally.kind) {
            Some(sum) => {
                sum.truth += tally.truth;
                sum.seen += tally.seen;
                sum.told_lost += tally.told_lost;
            }
            None => sums.push(tally),
        }
    }
}

/// The worst of some verdicts; `None` where nothing was counted.
pub(crate) fn worst(verdicts: impl IntoIterator<Item = Verdict>) -> Option<Verdict> {
    verdicts.into_iter().max_by_key(|verdict| match verdict {
        Verdict::Exact => 0,
        Verdict::LossTold => 1,
        Verdict::Wrong => 2,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(truth: u64, seen: u64, told_lost: u64) -> Tally {
        Tally { kind: "exec".to_owned(), truth, seen, told_lost }
    }

    #[test]
    fn loss_must_be_told() {
        assert_eq!(tally(9, 9, 0).verdict(), Verdict::Exact);
        assert_eq!(tally(9, 7, 2).verdict(), Verdict::LossTold);
        assert_eq!(tally(9, 7, 1).verdict(), Verdict::Wrong);
        assert_eq!(tally(9, 10, 5).verdict(), Verdict::Wrong);
    }

    #[test]
    fn runs_add_up_by_kind() {
        let mut sums = vec![tally(1, 1, 0)];
        let exit = Tally { kind: "exit".to_owned(), ..tally(3, 3, 0) };
        add(&mut sums, vec![tally(2, 1, 1), exit.clone()]);
        assert_eq!(sums, [tally(3, 2, 1), exit]);
    }

    #[test]
    fn one_wrong_count_spoils_all() {
        assert_eq!(
            worst([Verdict::Exact, Verdict::Wrong, Verdict::LossTold]),
            Some(Verdict::Wrong)
        );
        assert_eq!(worst([]), None);
    }
}

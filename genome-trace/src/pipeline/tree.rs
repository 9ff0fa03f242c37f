//! Looks at a tree of processes as a whole: as often as they cost little.

use std::{rc::Rc, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::{Known, gpus::Gpus};
use crate::{probe::Tasks, usage::TreeLook, wire::samples};

/// What may be used of one processor for looks: one part in so many.
const SHARE: u32 = 50;
/// A short command has a few looks at least, if it is not over at once.
const OFTENEST: Duration = Duration::from_millis(10);
/// However many processes the machine has.
const SELDOMEST: Duration = Duration::from_secs(1);

/// Takes a look when it has been taken.
pub type LookedAtTree = Box<dyn FnMut(&TreeLook)>;

/// What looks at a tree are made of.
pub struct TreeParts {
    /// Who wants to know.
    pub looked: LookedAtTree,
}

/// Takes looks at the processes that are watched as trees.
pub(super) struct Tree {
    tasks: Rc<Tasks>,
    /// What they told last.
    records: Vec<u8>,
    looked: LookedAtTree,
    next: Instant,
}

impl Tree {
    pub(super) fn new(parts: TreeParts, tasks: Rc<Tasks>) -> Self {
        Self { tasks, records: Vec::new(), looked: parts.looked, next: Instant::now() }
    }

    /// Looks, where it is time to.
    pub(super) fn look(&mut self, known: &Known, gpus: Option<&Gpus>) {
        let begun = Instant::now();
        if begun < self.next {
            return;
        }
        if self.tasks.read_into(&mut self.records).is_ok() {
            let look = TreeLook::of(samples(&self.records, known), gpus.and_then(Gpus::snapshot));
            (self.looked)(&look);
        }
        self.next = Instant::now() + pause(begun.elapsed());
    }
}

/// From a look that took so long to the next.
fn pause(took: Duration) -> Duration {
    took.saturating_mul(SHARE).clamp(OFTENEST, SELDOMEST)
}

/// Ready when it is time for a look; never where none is taken.
pub(super) async fn due(tree: Option<&Tree>) {
    match tree {
        Some(tree) => sleep_until(tree.next).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_as_frequent_as_they_are_cheap() {
        assert_eq!(pause(Duration::from_micros(20)), OFTENEST);
        assert_eq!(pause(Duration::from_millis(1)), Duration::from_millis(50));
        assert_eq!(pause(Duration::from_secs(1)), SELDOMEST);
    }
}

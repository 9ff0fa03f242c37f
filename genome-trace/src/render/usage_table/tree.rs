//! Processes in the order of a tree, each below its parent.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Metric, ProcessUsage};

/// A process and what is drawn before its name.
#[derive(Clone, Debug)]
pub(crate) struct Branch<'a> {
    pub(crate) process: &'a ProcessUsage,
    /// `│ └ `, empty for one whose parent is not there.
    pub(crate) lead: String,
}

/// The processes of a tree, parents first, and children by memory.
pub(crate) fn tree(processes: &[ProcessUsage]) -> Vec<Branch<'_>> {
    let tgids: BTreeSet<u32> = processes.iter().map(|process| process.key.tgid).collect();
    let mut children: BTreeMap<Option<u32>, Vec<&ProcessUsage>> = BTreeMap::new();
    for process in flat(processes) {
        let parent = process.ppid.filter(|ppid| tgids.contains(ppid) && *ppid != process.key.tgid);
        children.entry(parent).or_default().push(process);
    }
    let mut branches = Vec::with_capacity(processes.len());
    let mut waiting: Vec<(&ProcessUsage, String, String)> = Vec::new();
    let roots = children.remove(&None).unwrap_or_default();
    waiting.extend(roots.into_iter().rev().map(|root| (root, String::new(), String::new())));
    // What is in no tree, such as a ring of parents that a stale look shows,
    // begins one of its own.
    loop {
        while let Some((process, lead, below)) = waiting.pop() {
            let below_it = children.remove(&Some(process.key.tgid)).unwrap_or_default();
            let last = below_it.len().saturating_sub(1);
            let branches_of_it = below_it.into_iter().enumerate().map(|(index, child)| {
                let (corner, space) = if index == last { ("└ ", "  ") } else { ("├ ", "│ ") };
                (child, format!("{below}{corner}"), format!("{below}{space}"))
            });
            let mut next: Vec<_> = branches_of_it.collect();
            next.reverse();
            waiting.append(&mut next);
            branches.push(Branch { process, lead });
        }
        match children.pop_first() {
            Some((_, orphans)) => {
                waiting.extend(orphans.into_iter().map(|it| (it, String::new(), String::new())));
            }
            None => return branches,
        }
    }
}

/// The processes by memory, the most first; the unknown last.
pub(crate) fn flat(processes: &[ProcessUsage]) -> Vec<&ProcessUsage> {
    let mut sorted: Vec<&ProcessUsage> = processes.iter().collect();
    let rss = |process: &ProcessUsage| process.figures.get(Metric::RssBytes).unwrap_or(-1.0);
    sorted.sort_by(|a, b| rss(b).total_cmp(&rss(a)).then(a.key.cmp(&b.key)));
    sorted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Figures, ProcessKey};

    fn process(tgid: u32, ppid: Option<u32>) -> ProcessUsage {
        ProcessUsage {
            key: ProcessKey { tgid, start_time: 0 },
            ppid,
            comm: None,
            uid: None,
            started: None,
            figures: Figures::default(),
        }
    }

    #[test]
    fn children_stand_below_their_parent() {
        let all = [(5, Some(2)), (2, Some(1)), (3, Some(2)), (4, Some(3)), (9, None)]
            .map(|(tgid, ppid)| process(tgid, ppid));
        let shown: Vec<_> = tree(&all)
            .iter()
            .map(|branch| format!("{}{}", branch.lead, branch.process.key.tgid))
            .collect();
        assert_eq!(shown, ["2", "├ 3", "│ └ 4", "└ 5", "9"]);
    }

    proptest! {
        /// Also where parents make a ring, or a process its own parent.
        #[test]
        fn everybody_is_there_once(parents in prop::collection::vec(0_u32..12, 0..12)) {
            let all: Vec<_> = (0_u32..).zip(parents).map(|(t, p)| process(t, Some(p))).collect();
            let shown: BTreeSet<u32> =
                tree(&all).iter().map(|branch| branch.process.key.tgid).collect();
            prop_assert_eq!(tree(&all).len(), all.len());
            prop_assert_eq!(shown.len(), all.len());
        }
    }
}

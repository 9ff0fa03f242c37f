//! Which events are shown. A pure function of the event.

use crate::model::{Event, EventKind};

/// Which events are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these kinds; empty for all. `lost` is always shown.
    pub kinds: Vec<EventKind>,
    /// Only processes of these names.
    pub comms: Vec<Vec<u8>>,
    /// Only processes of these users.
    pub uids: Vec<u32>,
    /// Only processes of these personas.
    pub personas: Vec<String>,
    /// Only processes in these cgroups, or below them.
    pub cgroups: Vec<Vec<u8>>,
    /// Only processes that `--pid` asked for, and their descendants.
    pub only_in_tree: bool,
    /// Never this process.
    pub excluded_tgid: Option<u32>,
}

impl Filter {
    /// Whether an event passes. What is unknown does not match.
    #[must_use]
    pub fn passes(&self, event: &Event<'_>) -> bool {
        let is_wanted_kind = self.kinds.is_empty() || self.kinds.contains(&event.kind());
        let Some(process) = &event.process else {
            // Of what is anybody's, everybody should know.
            return is_wanted_kind || event.kind() == EventKind::Lost;
        };
        if self.excluded_tgid == Some(process.key.tgid) {
            return false;
        }
        if self.only_in_tree && !process.watch.in_tree {
            return false;
        }
        let is_wanted = |name: &String| self.personas.contains(name);
        (self.personas.is_empty() || event.persona.is_some_and(|p| is_wanted(&p.name)))
            && is_wanted_kind
            && (self.comms.is_empty()
                || process.comm.is_some_and(|comm| self.comms.iter().any(|c| c == comm)))
            && (self.uids.is_empty() || process.uid.is_some_and(|uid| self.uids.contains(&uid)))
            && (self.cgroups.is_empty()
                || process.cgroup_path.is_some_and(|path| {
                    self.cgroups.iter().any(|cgroup| is_at_or_below(path, cgroup))
                }))
    }
}

fn is_at_or_below(path: &[u8], cgroup: &[u8]) -> bool {
    let cgroup = cgroup.strip_suffix(b"/").unwrap_or(cgroup);
    path.strip_prefix(cgroup).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::{Payload, Persona, Process, ProcessKey, WallTime, Watch};

    fn event(process: Option<Process<'_>>) -> Event<'_> {
        Event {
            ktime_ns: 0,
            wall_time: WallTime { unix_ns: 0 },
            process,
            persona: None,
            persona_root: None,
            payload: Payload::Fork,
        }
    }

    fn process() -> Process<'static> {
        Process {
            key: ProcessKey { tgid: 7, start_time: 1 },
            tid: Some(7),
            ppid: Some(1),
            uid: Some(1000),
            comm: Some(b"python3"),
            cgroup_path: Some(b"/ai/code"),
            watch: Watch::default(),
        }
    }

    #[test]
    fn each_condition_must_hold() {
        let passes = |filter: Filter| filter.passes(&event(Some(process())));
        assert!(passes(Filter::default()));
        assert!(passes(Filter { kinds: vec![EventKind::Fork], ..Filter::default() }));
        assert!(!passes(Filter { kinds: vec![EventKind::Exit], ..Filter::default() }));
        assert!(passes(Filter { comms: vec![b"python3".to_vec()], ..Filter::default() }));
        assert!(!passes(Filter { comms: vec![b"python".to_vec()], ..Filter::default() }));
        assert!(!passes(Filter { uids: vec![0], ..Filter::default() }));
        assert!(!passes(Filter { only_in_tree: true, ..Filter::default() }));
        assert!(!passes(Filter { excluded_tgid: Some(7), ..Filter::default() }));
    }

    #[test]
    fn a_persona_is_wanted_by_its_name() {
        let persona = Persona { name: "CodeExpert".to_owned(), genome_id: None };
        let filter = Filter { personas: vec!["CodeExpert".to_owned()], ..Filter::default() };
        let event = event(Some(process()));
        assert!(!filter.passes(&event));
        assert!(filter.passes(&Event { persona: Some(&persona), ..event }));
        let other = Persona { name: "Code".to_owned(), genome_id: None };
        assert!(!filter.passes(&Event { persona: Some(&other), ..event }));
    }

    #[test]
    fn a_cgroup_holds_those_below_it_and_not_its_namesakes() {
        let passes = |cgroup: &[u8]| {
            Filter { cgroups: vec![cgroup.to_vec()], ..Filter::default() }
                .passes(&event(Some(process())))
        };
        assert!(passes(b"/ai/code"));
        assert!(passes(b"/ai"));
        assert!(passes(b"/ai/"));
        assert!(passes(b"/"));
        assert!(!passes(b"/ai/co"));
        assert!(!passes(b"/other"));
    }

    #[test]
    fn the_unknown_matches_no_condition_and_a_loss_passes_all() {
        let unknown = Process { uid: None, comm: None, cgroup_path: None, ..process() };
        let filter = Filter { uids: vec![1000], ..Filter::default() };
        assert!(!filter.passes(&event(Some(unknown))));
        assert!(filter.passes(&event(None)));
        let filter = Filter { kinds: vec![EventKind::Exit], ..Filter::default() };
        assert!(!filter.passes(&event(None)));
        let lost = Payload::Lost(crate::model::Lost::default());
        assert!(filter.passes(&Event { payload: lost, ..event(None) }));
    }
}

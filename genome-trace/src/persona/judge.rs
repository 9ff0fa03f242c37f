//! Whose a process is: the rules, what it inherited, and which of them wins.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, BuildHasherDefault, RandomState},
    rc::Rc,
};

use rustc_hash::FxHasher;

use super::{
    Facts, Rules,
    registry::Grant,
    rules::{Values, Verdict},
};
use crate::model::{Decision, PersonaSource, ProcessKey};

/// Decisions and cgroups that are remembered, at most: then those that nobody
/// has any more are forgotten.
const REMEMBERED_MAX: usize = 4096;

/// How much an answer is worth: a child keeps its parent's persona unless its
/// own is stated, or worth at least as much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    LastResort,
    Recognised,
    Stated,
}

impl Strength {
    const fn of(source: &PersonaSource) -> Self {
        match source {
            PersonaSource::Environment | PersonaSource::Rule { .. } => Self::Stated,
            PersonaSource::BuiltIn { .. } => Self::Recognised,
            PersonaSource::Container | PersonaSource::Unit => Self::LastResort,
        }
    }
}

/// Goes by the rules. Remembers the decisions that were made, so that each is
/// in memory once, for all processes that it holds for.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) rules: Rules,
    /// By the hash of what they say. The keys are hashes already.
    made: HashMap<u64, Rc<Decision>, BuildHasherDefault<FxHasher>>,
    hasher: RandomState,
    /// What a cgroup alone says: a function of its path.
    by_cgroup: HashMap<Box<[u8]>, Option<Rc<Decision>>>,
    /// Room for the arguments as one text.
    argv: String,
}

impl Judge {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules,
            made: HashMap::default(),
            hasher: RandomState::new(),
            by_cgroup: HashMap::new(),
            argv: String::new(),
        }
    }

    /// What a process gets: what it says itself, or a file's rule says of it;
    /// else what it inherited, unless what can be recognised is worth as much.
    pub(super) fn decide(
        &mut self,
        facts: &Facts<'_>,
        inherited: Option<&Grant>,
        key: ProcessKey,
        since: u64,
    ) -> Option<Grant> {
        let Self { rules, made, hasher, by_cgroup, argv } = self;
        let mut own = |verdict: Verdict<'_>| {
            Some(Grant { decision: remembered(made, hasher, verdict), from: key, since })
        };
        let values = Values::of(facts, argv);
        if let Some(verdict) = rules.by_environment(facts).or_else(|| rules.by_file(&values)) {
            // Handed down through the environment: the same persona as before.
            return match inherited {
                Some(grant) if verdict.is(&grant.decision) => Some(grant.clone()),
                _ => own(verdict),
            };
        }
        let worth = inherited.map(|grant| Strength::of(&grant.decision.source));
        if worth.is_none_or(|worth| worth <= Strength::Recognised)
            && let Some(verdict) = rules.by_program(&values)
        {
            return own(verdict);
        }
        // The cgroup itself is handed down, and a process may be moved out of
        // it: one in a login session is not the SSH server that began it.
        if worth.is_none_or(|worth| worth <= Strength::LastResort)
            && let Some(path) = facts.cgroup_path.as_deref()
        {
            let decision = of_cgroup(by_cgroup, path)?;
            return match inherited {
                Some(grant) if grant.decision == decision => Some(grant.clone()),
                _ => Some(Grant { decision, from: key, since }),
            };
        }
        inherited.cloned()
    }
}

/// The one of its kind.
fn remembered(
    made: &mut HashMap<u64, Rc<Decision>, BuildHasherDefault<FxHasher>>,
    hasher: &RandomState,
    verdict: Verdict<'_>,
) -> Rc<Decision> {
    let hash = hasher.hash_one((verdict.name(), verdict.genome_id()));
    if let Some(decision) = made.get(&hash)
        && verdict.is(decision)
    {
        return decision.clone();
    }
    if made.len() >= REMEMBERED_MAX {
        made.retain(|_, decision| Rc::strong_count(decision) > 1);
    }
    let decision = Rc::new(verdict.into_decision());
    // Of two with the same hash the later one is remembered; where all are in
    // use, none is: that costs memory, and changes nothing.
    if made.len() < REMEMBERED_MAX {
        made.insert(hash, decision.clone());
    }
    decision
}

fn of_cgroup(
    by_cgroup: &mut HashMap<Box<[u8]>, Option<Rc<Decision>>>,
    path: &[u8],
) -> Option<Rc<Decision>> {
    if let Some(known) = by_cgroup.get(path) {
        return known.clone();
    }
    if by_cgroup.len() >= REMEMBERED_MAX {
        by_cgroup.clear();
    }
    let decision = Rules::by_cgroup(path).map(Rc::new);
    by_cgroup.insert(path.into(), decision.clone());
    decision
}

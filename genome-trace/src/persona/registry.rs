//! The registry: which process works for whom. It hears of every fork, exec
//! and exit, asks the rules, and hands personas down from parent to child.

use std::{
    collections::{BTreeMap, HashMap},
    mem,
    rc::Rc,
};

use rustc_hash::FxHashMap;

use super::{
    Facts, Rules,
    judge::Judge,
    kept::{FactsStore, KeptFacts},
};
use crate::model::{Decision, ProcessKey};

/// A process' persona, and how it came by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whose it is, and what decided.
    pub decision: Rc<Decision>,
    /// The process that was decided on: this one, or the ancestor that it has
    /// the persona from.
    pub from: ProcessKey,
    /// When it was decided, on the boot clock.
    pub since: u64,
}

/// A process that has not ended.
#[derive(Debug)]
struct Live {
    start_time: u64,
    parent: Option<ProcessKey>,
    facts: Rc<KeptFacts>,
    /// What it had before it was decided on: from its parent, or from the
    /// program that it ran before.
    inherited: Option<Grant>,
    grant: Option<Grant>,
    /// What it had until its last exec, and when that was: events of files may
    /// arrive after the exec that they came before.
    before: Option<(u64, Option<Grant>)>,
}

impl Live {
    fn member(&self, tgid: u32) -> Member<'_> {
        Member {
            key: ProcessKey { tgid, start_time: self.start_time },
            facts: self.facts.facts(),
            grant: self.grant.as_ref(),
            parent: self.parent,
        }
    }
}

/// One process, for those who list them.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    /// Which.
    pub key: ProcessKey,
    /// What it is.
    pub facts: Facts<'a>,
    /// Whose it is.
    pub grant: Option<&'a Grant>,
    /// Its parent, where that was known when it began.
    pub parent: Option<ProcessKey>,
}

/// Which process works for whom.
#[derive(Debug)]
pub struct Registry {
    judge: Judge,
    store: FactsStore,
    /// Keys come from the kernel, which counts them up: nobody can choose them
    /// to collide.
    live: FxHashMap<u32, Live>,
    /// Processes that have ended and whose counts may still come, with the
    /// persona that they had; those of the flush before, and newer ones.
    ended: [FxHashMap<ProcessKey, Option<Grant>>; 2],
}

impl Registry {
    /// Begins with no process.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            judge: Judge::new(rules),
            store: FactsStore::default(),
            live: FxHashMap::default(),
            ended: Default::default(),
        }
    }

    /// Whether the rules ask for working directories.
    #[must_use]
    pub fn needs_cwd(&self) -> bool {
        self.judge.rules.need_cwd()
    }

    /// Takes in processes that were there before anything was heard of them:
    /// key, parent's process id, and what each is. A process that is known
    /// already stays as it is.
    pub fn found<'f>(
        &mut self,
        processes: impl IntoIterator<Item = (ProcessKey, Option<u32>, Facts<'f>)>,
    ) {
        // Parents first, or their children would inherit nothing. A child
        // is no older than its parent, but may be as old by a coarse clock.
        let mut waiting = BTreeMap::new();
        for (key, ppid, facts) in processes {
            if !self.knows(key) {
                waiting.insert((key.start_time, key.tgid), (ppid, facts));
            }
        }
        let starts: HashMap<u32, u64> =
            waiting.keys().map(|(start, tgid)| (*tgid, *start)).collect();
        while let Some(((start_time, tgid), (ppid, facts))) = waiting.pop_first() {
            let mut lineage = vec![(ProcessKey { tgid, start_time }, ppid, facts)];
            let mut next = ppid;
            while let Some(parent) = next
                && let Some(start) = starts.get(&parent)
                && let Some((ppid, facts)) = waiting.remove(&(*start, parent))
            {
                lineage.push((ProcessKey { tgid: parent, start_time: *start }, ppid, facts));
                next = ppid;
            }
            for (key, ppid, facts) in lineage.into_iter().rev() {
                self.enter(key, ppid, facts);
            }
        }
    }

    fn enter(&mut self, key: ProcessKey, ppid: Option<u32>, facts: Facts<'_>) {
        let (parent, inherited) = self.heritage(ppid);
        let grant = self.judge.decide(&facts, inherited.as_ref(), key, key.start_time);
        let facts = self.store.keep(&facts);
        let live =
            Live { start_time: key.start_time, parent, facts, inherited, grant, before: None };
        self.insert(key.tgid, live);
    }

    /// What a child of that process gets from it.
    fn heritage(&self, ppid: Option<u32>) -> (Option<ProcessKey>, Option<Grant>) {
        let Some((tgid, parent)) = ppid.and_then(|ppid| Some((ppid, self.live.get(&ppid)?))) else {
            return (None, None);
        };
        (Some(ProcessKey { tgid, start_time: parent.start_time }), parent.grant.clone())
    }

    /// A process was created: it is what its parent is, until it execs.
    pub fn forked(&mut self, key: ProcessKey, ppid: Option<u32>) {
        let (parent, inherited) = self.heritage(ppid);
        let facts = ppid.and_then(|ppid| self.live.get(&ppid)).map(|parent| parent.facts.clone());
        let live = Live {
            start_time: key.start_time,
            parent,
            facts: facts.unwrap_or_else(|| self.store.nothing()),
            grant: inherited.clone(),
            inherited,
            before: None,
        };
        self.insert(key.tgid, live);
    }

    fn insert(&mut self, tgid: u32, live: Live) {
        // One whose end was lost.
        if let Some(replaced) = self.live.insert(tgid, live) {
            self.store.release(replaced.facts);
        }
    }

    /// A process ran a new program.
    pub fn executed(
        &mut self,
        key: ProcessKey,
        ppid: Option<u32>,
        facts: Facts<'_>,
        ktime_ns: u64,
    ) {
        let known = self.live.get_mut(&key.tgid).filter(|live| live.start_time == key.start_time);
        let Some(live) = known else {
            // Its fork was lost.
            return self.enter(key, ppid, facts);
        };
        let had = live.grant.take();
        // What it was found to be as the program before goes on: a wrapper's
        // persona is that of what it runs.
        live.inherited = had.clone();
        live.grant = self.judge.decide(&facts, had.as_ref(), key, ktime_ns);
        let facts = self.store.keep(&facts);
        self.store.release(mem::replace(&mut live.facts, facts));
        live.before = Some((ktime_ns, had));
    }

    /// A process ended. Its persona is remembered until its last counts have
    /// come, see [`Registry::flushed`].
    pub fn exited(&mut self, key: ProcessKey) {
        if !self.knows(key) {
            return;
        }
        // Also of those that were nobody's: what comes of them late is not
        // their parent's, whatever that has become since.
        if let Some(live) = self.live.remove(&key.tgid) {
            let [_, newer] = &mut self.ended;
            newer.insert(key, live.grant);
            self.store.release(live.facts);
        }
    }

    /// Counts were flushed: processes that had ended by the flush before this
    /// one have nothing more to come.
    pub fn flushed(&mut self) {
        let [older, newer] = &mut self.ended;
        older.clear();
        mem::swap(older, newer);
    }

    /// Whether this very process is known, and has not ended.
    #[must_use]
    pub fn knows(&self, key: ProcessKey) -> bool {
        self.live.get(&key.tgid).is_some_and(|live| live.start_time == key.start_time)
    }

    /// Whether this process has ended a short while ago.
    #[must_use]
    pub fn remembers(&self, key: ProcessKey) -> bool {
        self.ended.iter().any(|ended| ended.contains_key(&key))
    }

    /// Whose a process was at a time on the boot clock.
    #[must_use]
    pub fn grant(&self, key: ProcessKey, ktime_ns: u64) -> Option<&Grant> {
        match self.live.get(&key.tgid).filter(|live| live.start_time == key.start_time) {
            Some(Live { before: Some((until, before)), .. }) if ktime_ns < *until => {
                before.as_ref()
            }
            Some(live) => live.grant.as_ref(),
            None => self.ended.iter().find_map(|ended| ended.get(&key))?.as_ref(),
        }
    }

    /// Decides on everybody anew, by other rules.
    pub fn replace_rules(&mut self, rules: Rules, ktime_ns: u64) {
        self.judge.rules = rules;
        let mut order: Vec<ProcessKey> = self.keys().collect();
        order.sort_by_key(|key| (key.start_time, key.tgid));
        for key in order {
            let Some(live) = self.live.get(&key.tgid) else { continue };
            let own = live.inherited.as_ref().is_some_and(|grant| grant.from == key);
            let parent = live.parent.filter(|parent| self.knows(*parent));
            let inherited = match parent.and_then(|parent| self.live.get(&parent.tgid)) {
                Some(parent) if !own => parent.grant.clone(),
                _ => live.inherited.clone(),
            };
            let facts = live.facts.clone();
            let mut grant = self.judge.decide(&facts.facts(), inherited.as_ref(), key, ktime_ns);
            if let Some(live) = self.live.get_mut(&key.tgid) {
                // What stays as it is has been so for longer.
                if let (Some(new), Some(old)) = (&mut grant, &live.grant)
                    && new.decision == old.decision
                    && new.from == old.from
                {
                    new.since = old.since;
                }
                live.inherited = inherited;
                live.grant = grant;
                live.before = None;
            }
        }
    }

    /// Every process that has not ended, in no order.
    pub fn members(&self) -> impl Iterator<Item = Member<'_>> {
        self.live.iter().map(|(tgid, live)| live.member(*tgid))
    }

    /// The process that has this number now, where it is known.
    #[must_use]
    pub fn member(&self, tgid: u32) -> Option<Member<'_>> {
        Some(self.live.get(&tgid)?.member(tgid))
    }

    fn keys(&self) -> impl Iterator<Item = ProcessKey> {
        self.members().map(|member| member.key)
    }
}

#[cfg(test)]
#[path = "registry_tests.rs"]
mod tests;

//! Whose an event is: feeds the registry with what happens, looks into /proc
//! where no event told, and keeps the kernel's own filter true.

use std::{
    borrow::Cow,
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::{
    kernel::{cgroup::Hierarchy, process::ProcProcess},
    model::{Event, Exec, Payload, Persona, PersonaSource, Process, ProcessKey, ProcessRecord},
    persona::{Facts, Member, Registry, Rules, claims},
    source::Watched,
};

/// How long a process stays in the kernel's filter after it was found not to
/// be wanted. One that execs and execs again, as a wrapper does, does so
/// sooner, and is not taken out between the two.
const GRACE: Duration = Duration::from_millis(200);

/// Whose an event is.
pub struct Attribution {
    registry: Registry,
    filter: Option<KernelFilter>,
    /// Whether /proc knows these processes.
    reads_proc: bool,
}

/// The kernel's filter by persona.
pub struct KernelFilter {
    watched: Watched,
    wanted: Vec<String>,
    /// Processes to be taken out, with the value that they had.
    leaving: VecDeque<(Instant, u32, u32)>,
}

impl KernelFilter {
    /// A filter that lets the processes of these personas through.
    #[must_use]
    pub const fn new(watched: Watched, wanted: Vec<String>) -> Self {
        Self { watched, wanted, leaving: VecDeque::new() }
    }

    fn wants(&self, persona: Option<&Persona>) -> bool {
        persona.is_some_and(|persona| self.wanted.contains(&persona.name))
    }

    /// Makes the kernel's opinion of a process ours. A map without room lets
    /// nobody in; then the kernel's own loss is what it was going to be anyway,
    /// and the next exec tries again.
    fn adjust(&mut self, process: &Process<'_>, persona: Option<&Persona>) {
        let tgid = process.key.tgid;
        if self.wants(persona) {
            if !process.watch.is_candidate {
                let _ = self.watched.add_candidate(tgid);
            }
        } else if process.watch.is_candidate {
            self.leaving.push_back((Instant::now(), tgid, process.watch.value));
        }
    }

    /// Takes out those whose time is up, unless they exec'd meanwhile.
    fn settle(&mut self) {
        while let Some((since, tgid, value)) = self.leaving.front().copied()
            && since.elapsed() >= GRACE
        {
            self.leaving.pop_front();
            let _ = self.watched.remove_candidate(tgid, value);
        }
    }
}

impl Attribution {
    /// Begins with no process.
    #[must_use]
    pub fn new(rules: Rules, filter: Option<KernelFilter>) -> Self {
        Self { registry: Registry::new(rules), filter, reads_proc: true }
    }

    /// For the processes of a recording: this machine's /proc knows nothing of
    /// them.
    #[must_use]
    pub fn of_recording(rules: Rules) -> Self {
        Self { registry: Registry::new(rules), filter: None, reads_proc: false }
    }

    /// Takes in the processes that there are, by the headers that the task
    /// iterator gave.
    pub fn found<'a>(&mut self, tasks: impl IntoIterator<Item = Process<'a>>) {
        let lookup = self.lookup();
        let tasks: Vec<_> = tasks.into_iter().collect();
        self.registry.found(
            tasks.iter().map(|process| (process.key, process.ppid, facts_of(process, lookup))),
        );
        for process in &tasks {
            self.adjust(process);
        }
    }

    fn lookup(&self) -> Lookup {
        match (self.reads_proc, self.registry.needs_cwd()) {
            (false, _) => Lookup::Nowhere,
            (true, needs_cwd) => Lookup::Proc { needs_cwd },
        }
    }

    /// Hears of an event: what it changes in who is whose. To be called before
    /// [`Attribution::persona`], once an event.
    pub fn hear(&mut self, event: &Event<'_>) {
        let Some(process) = &event.process else { return };
        match &event.payload {
            Payload::Fork => {
                self.registry.forked(process.key, process.ppid);
                self.adjust(process);
            }
            Payload::Exec(exec) => {
                let facts = exec_facts(process, exec, self.lookup());
                self.registry.executed(process.key, process.ppid, facts, event.ktime_ns);
                self.adjust(process);
            }
            _ if !self.registry.knows(process.key) && !self.registry.remembers(process.key) => {
                self.adopt(process);
            }
            _ => {}
        }
    }

    /// A process has ended, and its end was passed on.
    pub fn ended(&mut self, key: ProcessKey) {
        self.registry.exited(key);
    }

    /// Takes in a process whose beginning was not told.
    fn adopt(&mut self, process: &Process<'_>) {
        let facts = facts_of(process, self.lookup());
        self.registry.found([(process.key, process.ppid, facts)]);
    }

    /// The process that has this number now. One that no event has told of is
    /// looked up in /proc, where that has the same numbers.
    pub(super) fn process_now(&mut self, tgid: u32, reads_proc: bool) -> Option<Member<'_>> {
        if reads_proc
            && self.reads_proc
            && self.registry.member(tgid).is_none()
            && let Some(found) = ProcProcess::read(tgid)
        {
            let key = ProcessKey { tgid, start_time: found.start_ns() };
            let ppid = found.ppid;
            self.registry.found([(key, Some(ppid), facts_from_proc(found, None))]);
        }
        self.registry.member(tgid)
    }

    /// Whose a process is now.
    pub(super) fn persona_now(&self, key: ProcessKey) -> Option<&Persona> {
        self.registry.grant(key, u64::MAX).map(|grant| &grant.decision.persona)
    }

    /// What decided on a process' persona.
    pub(super) fn source_now(&self, key: ProcessKey) -> Option<&PersonaSource> {
        self.registry.grant(key, u64::MAX).map(|grant| &grant.decision.source)
    }

    /// Whose the event's process was when it happened, and on which process
    /// that was decided.
    #[must_use]
    pub fn persona(&self, event: &Event<'_>) -> Option<(&Persona, ProcessKey)> {
        let grant = self.registry.grant(event.process.as_ref()?.key, event.ktime_ns)?;
        Some((&grant.decision.persona, grant.from))
    }

    fn adjust(&mut self, process: &Process<'_>) {
        if let Some(filter) = &mut self.filter {
            let grant = self.registry.grant(process.key, u64::MAX);
            filter.adjust(process, grant.map(|grant| &grant.decision.persona));
        }
    }

    /// Every process that lives, as a store has it; without its times.
    pub(super) fn records(&self) -> impl Iterator<Item = ProcessRecord> {
        fn owned(bytes: Option<Cow<'_, [u8]>>) -> Option<Box<[u8]>> {
            bytes.map(|bytes| bytes.into_owned().into_boxed_slice())
        }
        self.registry.members().map(|member| ProcessRecord {
            ppid: member.parent.map(|parent| parent.tgid),
            uid: member.facts.uid,
            persona: member.grant.map(|grant| grant.decision.persona.clone()),
            comm: owned(member.facts.comm),
            cgroup_path: owned(member.facts.cgroup_path),
            exe: owned(member.facts.exe),
            argv: owned(member.facts.argv),
            ..ProcessRecord::unknown(member.key)
        })
    }

    /// Counts were flushed.
    pub fn flushed(&mut self) {
        self.registry.flushed();
        if let Some(filter) = &mut self.filter {
            filter.settle();
        }
    }

    /// Decides by other rules from now on.
    pub fn replace_rules(&mut self, rules: Rules, ktime_ns: u64) {
        self.registry.replace_rules(rules, ktime_ns);
        let Some(filter) = &mut self.filter else { return };
        for member in self.registry.members() {
            if filter.wants(member.grant.map(|grant| &grant.decision.persona)) {
                let _ = filter.watched.add_candidate(member.key.tgid);
            } else if let Some(value) = filter.watched.value(member.key.tgid) {
                filter.leaving.push_back((Instant::now(), member.key.tgid, value));
            }
        }
    }
}

/// Where what no event told is looked up.
#[derive(Clone, Copy)]
enum Lookup {
    Proc { needs_cwd: bool },
    Nowhere,
}

impl Lookup {
    fn needs_cwd(self) -> bool {
        matches!(self, Self::Proc { needs_cwd: true })
    }

    fn find(self, process: &Process<'_>) -> Option<ProcProcess> {
        match self {
            Self::Proc { .. } => {
                ProcProcess::read_started_at(process.key.tgid, process.key.start_time)
            }
            Self::Nowhere => None,
        }
    }
}

/// What an exec says of a process; /proc adds what the record had no room for.
fn exec_facts<'e>(process: &Process<'e>, exec: &Exec<'e>, lookup: Lookup) -> Facts<'e> {
    let (name, id) = exec.environment.map(claims).unwrap_or_default();
    let mut facts = Facts {
        exe: exec.exe.map(Into::into),
        comm: process.comm.map(Into::into),
        argv: exec.argv.map(|argv| argv.block.into()),
        claimed_name: name.map(Into::into),
        claimed_id: id.map(Into::into),
        cgroup_path: process.cgroup_path.map(Into::into),
        uid: process.uid,
        cwd: None,
    };
    let lacks_claims = (exec.environment.is_none() || exec.environment_truncated)
        && (name.is_none() || id.is_none());
    let lacks_program = exec.exe.is_none() || exec.argv.is_none() || exec.argv_truncated;
    if (lookup.needs_cwd() || lacks_claims || lacks_program)
        && let Some(found) = lookup.find(process)
    {
        complete(&mut facts, found);
    }
    facts
}

/// What /proc says of a process that no exec was seen of.
fn facts_of<'e>(process: &Process<'e>, lookup: Lookup) -> Facts<'e> {
    let mut facts = Facts {
        comm: process.comm.map(Into::into),
        cgroup_path: process.cgroup_path.map(Into::into),
        uid: process.uid,
        ..Facts::default()
    };
    if let Some(found) = lookup.find(process) {
        complete(&mut facts, found);
        if !lookup.needs_cwd() {
            facts.cwd = None;
        }
    }
    facts
}

/// Fills in what is missing.
fn complete(facts: &mut Facts<'_>, found: ProcProcess) {
    fn owned<'f>(bytes: Box<[u8]>) -> Cow<'f, [u8]> {
        Cow::Owned(bytes.into_vec())
    }
    let (name, id) = found.environment.as_deref().map(claims).unwrap_or_default();
    facts.claimed_name =
        facts.claimed_name.take().or_else(|| name.map(|name| name.to_vec().into()));
    facts.claimed_id = facts.claimed_id.take().or_else(|| id.map(|id| id.to_vec().into()));
    facts.exe = facts.exe.take().or(found.exe.map(owned));
    // The whole of it, where the record was cut off.
    facts.argv = found.argv.map(owned).or_else(|| facts.argv.take());
    facts.comm = facts.comm.take().or(Some(owned(found.comm)));
    facts.uid = facts.uid.or(found.uid);
    facts.cwd = found.cwd.map(owned);
}

/// What /proc says of a process, its cgroup too: for those who trace nothing.
#[must_use]
pub fn facts_from_proc(process: ProcProcess, hierarchy: Option<&Hierarchy>) -> Facts<'static> {
    let tgid = process.tgid;
    let mut facts = Facts {
        cgroup_path: hierarchy
            .and_then(|hierarchy| crate::kernel::process::cgroup_path(tgid, hierarchy))
            .map(|path| Cow::Owned(path.into_vec())),
        ..Facts::default()
    };
    complete(&mut facts, process);
    facts
}

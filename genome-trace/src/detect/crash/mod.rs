//! Which ends are crashes, and of what: a fold over events in their order.
//!
//! What is kept is bounded. A process with a persona, one that the OOM killer
//! chose, and one that a signal ends takes some 300 bytes, its arguments
//! (at most 4 KiB, shared with what it forks) and ten paths of at most 256
//! bytes each. There are at most twice [`SUBJECTS_HALF`] of them, so 60 MiB at
//! the very most; then those are forgotten of which nothing was heard for
//! longest, and their crashes are told with what their ends say. Of the others
//! nothing is kept. What an end was may not be known at once: an [`Ended`] hears
//! of what comes after it.

mod ended;
mod generations;
mod policy;
mod reason;
mod record;
mod subject;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests;
mod verdict;
mod xids;

pub use ended::Ended;
pub use policy::CrashPolicy;
pub use reason::add_stderr;

use ended::Verdicts;
use generations::Generations;
use subject::{HeardFiles, Subject};
use verdict::End;
use xids::{HeardXid, HeardXids};

use crate::model::{Ending, Event, Exit, Payload, Process, ProcessKey};

/// Processes that are kept, half of them.
const SUBJECTS_HALF: usize = 4096;
/// Processes whose end was heard and of which files may still be told, half of
/// them.
const ENDED_HALF: usize = 4096;
/// Ancestors that are looked through for the sender of a signal.
const ANCESTORS_MAX: usize = 64;

/// Finds crashes in events.
#[derive(Debug)]
pub struct CrashWatch {
    policy: CrashPolicy,
    subjects: Generations<u32, Subject>,
    ended: Generations<ProcessKey, ()>,
    xids: HeardXids,
}

impl CrashWatch {
    /// Begins with no process.
    #[must_use]
    pub fn new(policy: CrashPolicy) -> Self {
        Self {
            policy,
            subjects: Generations::new(SUBJECTS_HALF),
            ended: Generations::new(ENDED_HALF),
            xids: HeardXids::default(),
        }
    }

    /// Goes by another policy from now on.
    pub fn set_policy(&mut self, policy: CrashPolicy) {
        self.policy = policy;
    }

    /// Hears of an event; where it is an end that was a crash, or may turn out
    /// to have been one, that end. To be called with every event, in order.
    pub fn hear(&mut self, event: &Event<'_>) -> Option<Box<Ended>> {
        let process = event.process.as_ref()?;
        let is_somebodys = event.is_of_interest();
        match &event.payload {
            Payload::Exit(exit) => return self.ended(event, process, exit),
            Payload::Fork if is_somebodys => self.forked(process),
            Payload::Exec(exec) => {
                let is_new = self.subject(process).is_none();
                if let Some(subject) = self.subject_or(process, is_somebodys) {
                    subject.executed(exec, event.ktime_ns, is_new);
                }
            }
            Payload::Signal(signal) => {
                // Nobody's, too: one that comes while a process execs is told
                // before the exec, which says whose it is.
                if let Some(subject) = self.subject_or(process, true) {
                    subject.signalled(signal, event.ktime_ns);
                }
            }
            Payload::OomKill(oom) => {
                if let Some(subject) = self.subject_or(process, true) {
                    subject.chosen(oom, event.ktime_ns);
                }
            }
            Payload::FileCreate(_) | Payload::FileWrite(_) => {
                if let Some(subject) = self.subject_or(process, is_somebodys) {
                    subject.files.hear(&event.payload);
                }
            }
            Payload::GpuXid(xid) => {
                self.xids.hear(HeardXid::new(process.key, xid, event.ktime_ns)?);
            }
            Payload::Fork
            | Payload::FileUnlink(_)
            | Payload::VramSpike(_)
            | Payload::Alert(_)
            | Payload::Lost(_) => {}
        }
        None
    }

    /// What is kept of this very process.
    fn subject(&self, process: &Process<'_>) -> Option<&Subject> {
        self.subjects.get(process.key.tgid).filter(|subject| subject.key == process.key)
    }

    /// The same, and where nothing is kept and `begins`, from now on.
    fn subject_or(&mut self, process: &Process<'_>, begins: bool) -> Option<&mut Subject> {
        let tgid = process.key.tgid;
        if self.subject(process).is_none() {
            // What comes after an end is of one that is not there any more.
            if !begins || self.ended.get(process.key).is_some() {
                return None;
            }
            self.subjects.put(tgid, Subject::new(process));
        }
        let subject = self.subjects.get_mut(tgid)?;
        subject.refresh(process);
        Some(subject)
    }

    /// A child runs what its parent does, until it execs.
    fn forked(&mut self, process: &Process<'_>) {
        let parent = process.ppid.and_then(|ppid| self.subjects.get(ppid));
        let program = parent.and_then(|parent| parent.program.clone());
        if let Some(subject) = self.subject_or(process, true) {
            subject.program = program;
            subject.files.since_start = true;
        }
    }

    fn ended(
        &mut self,
        event: &Event<'_>,
        process: &Process<'_>,
        exit: &Exit,
    ) -> Option<Box<Ended>> {
        if self.ended.get(process.key).is_some() {
            return None;
        }
        let mut kept = match self.subject(process) {
            Some(_) => self.subjects.remove(process.key.tgid),
            None => None,
        };
        if kept.is_some() || event.is_of_interest() {
            self.ended.put(process.key, ());
        }
        let subject = kept.as_ref();
        let signal = match exit.ending {
            Ending::Signaled { signal, .. } => subject.and_then(|subject| subject.signal(signal)),
            Ending::Exited { .. } => None,
        };
        let xid = self.xids.before(process.key, event.ktime_ns);
        let end = End {
            key: process.key,
            ending: exit.ending,
            persona: event.persona.map(|persona| persona.name.as_str()),
            persona_root: event.persona_root,
            signal,
            oom: subject.and_then(|subject| subject.oom.as_deref()),
            had_xid: xid.is_some(),
        };
        let ppid = process.ppid.or_else(|| subject?.ppid);
        let kind = |end: End<'_>| end.kind(&self.policy, |sender| self.is_ancestor(ppid, sender));
        let verdicts = Verdicts { now: kind(end), with_xid: kind(End { had_xid: true, ..end }) };
        let kind = verdicts.kind(exit)?;
        let parent = ppid.map(|tgid| (tgid, self.subjects.get(tgid).and_then(Subject::comm)));
        let mut crash = record::of(kind, event, process, exit, &end, xid, parent);
        if let Some(subject) = subject {
            record::add_subject(&mut crash, subject);
        }
        crash.evidence = reason::evidence(&end, xid, subject, event.ktime_ns);
        let files = kept.take().map_or_else(HeardFiles::default, |subject| subject.files);
        let files = event.is_of_interest().then_some(files);
        Some(Box::new(Ended::new(crash, verdicts, exit, files)))
    }

    /// Whether a process stands above one whose parent is `ppid`, as far as
    /// those in between are known.
    fn is_ancestor(&self, ppid: Option<u32>, sender: u32) -> bool {
        let mut next = ppid;
        for _ in 0..ANCESTORS_MAX {
            match next {
                Some(tgid) if tgid == sender => return true,
                Some(tgid) => next = self.subjects.get(tgid).and_then(|subject| subject.ppid),
                None => return false,
            }
        }
        false
    }
}

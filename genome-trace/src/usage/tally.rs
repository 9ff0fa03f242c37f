//! What happened between two looks, by persona and by process.

use rustc_hash::FxHashMap;

use crate::model::Persona;

/// Processes of which acts are kept one by one; those of the rest count for
/// their persona.
const PROCESSES_MAX: usize = 16384;

/// What was done.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Acts {
    /// Processes created.
    pub(super) spawns: u64,
    /// Files created.
    pub(super) files: u64,
    /// Calls that wrote to files.
    pub(super) write_calls: u64,
    /// Bytes that those took.
    pub(super) written_bytes: u64,
}

/// A persona's.
#[derive(Clone, Copy, Debug)]
struct Tally {
    acts: Acts,
    /// CPU time of those that have ended; unknown where one's is.
    ended_cpu_ns: Option<u64>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { acts: Acts::default(), ended_cpu_ns: Some(0) }
    }
}

/// Everybody's. Personas are few, so they are looked for one by one, beginning
/// with the one that was last.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    everybody: Acts,
    by_persona: Vec<(Persona, Tally)>,
    last: usize,
    by_process: FxHashMap<u32, Acts>,
}

impl Tallies {
    /// Somebody did something.
    pub(super) fn add(
        &mut self,
        persona: Option<&Persona>,
        tgid: Option<u32>,
        change: impl Fn(&mut Acts),
    ) {
        change(&mut self.everybody);
        let Some(persona) = persona else { return };
        if let Some(tally) = self.tally(persona) {
            change(&mut tally.acts);
        }
        let Some(tgid) = tgid else { return };
        if self.by_process.len() < PROCESSES_MAX || self.by_process.contains_key(&tgid) {
            change(self.by_process.entry(tgid).or_default());
        }
    }

    /// A process ended that had used so much since the last look.
    pub(super) fn ended(&mut self, persona: Option<&Persona>, cpu_ns: Option<u64>) {
        if let Some(tally) = persona.and_then(|persona| self.tally(persona)) {
            tally.ended_cpu_ns =
                tally.ended_cpu_ns.zip(cpu_ns).map(|(sum, cpu_ns)| sum.saturating_add(cpu_ns));
        }
    }

    fn tally(&mut self, persona: &Persona) -> Option<&mut Tally> {
        if self.by_persona.get(self.last).is_none_or(|(known, _)| known != persona) {
            let found = self.by_persona.iter().position(|(known, _)| known == persona);
            self.last = found.unwrap_or_else(|| {
                self.by_persona.push((persona.clone(), Tally::default()));
                self.by_persona.len() - 1
            });
        }
        self.by_persona.get_mut(self.last).map(|(_, tally)| tally)
    }

    pub(super) const fn everybodys(&self) -> Acts {
        self.everybody
    }

    /// A persona's acts, and the CPU time of those of its processes that ended.
    pub(super) fn of(&self, persona: &Persona) -> (Acts, Option<u64>) {
        let found = self.by_persona.iter().find(|(known, _)| known == persona);
        let tally = found.map_or_else(Tally::default, |(_, tally)| *tally);
        (tally.acts, tally.ended_cpu_ns)
    }

    pub(super) fn acts_of(&self, tgid: u32) -> Acts {
        self.by_process.get(&tgid).copied().unwrap_or_default()
    }
}

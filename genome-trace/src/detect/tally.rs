//! Counts of everything that happens, for who only wants to know how much.

use crate::model::{Crash, Crashed, Event, Lost, Payload, Persona, Tally};

/// Personas whose crashes are counted one by one. Names come from outside, and
/// counts are kept for as long as the recorder runs.
pub const COUNTED_PERSONAS: usize = 200;

/// A fold over all events.
#[derive(Debug, Default)]
pub struct Count {
    tally: Tally,
}

impl Count {
    /// What has been counted.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Something happened.
    pub fn hear(&mut self, event: &Event<'_>) {
        let Tally { events, lost, .. } = &mut self.tally;
        match &event.payload {
            Payload::Lost(new) => add(lost, new),
            _ => *events.entry(event.kind()).or_default() += 1,
        }
    }

    /// Something crashed, and all is known of it.
    pub fn crashed(&mut self, crash: &Crash) {
        let crashes = &mut self.tally.crashes;
        let whose = crash.persona.as_ref().map_or(Crashed::Nobody, |name| {
            let genome_id = crash.genome_id.clone();
            Crashed::Persona(Persona { name: name.clone(), genome_id })
        });
        let is_known = crashes.keys().any(|(of, _)| *of == whose);
        let has_room = || {
            // The keys are in order, so those of one persona stand together.
            let mut personas: Vec<_> = crashes.keys().map(|(of, _)| of).collect();
            personas.dedup();
            personas.len() < COUNTED_PERSONAS
        };
        let whose = if is_known || has_room() { whose } else { Crashed::Another };
        *crashes.entry((whose, crash.kind)).or_default() += 1;
    }
}

fn add(lost: &mut Lost, new: &Lost) {
    let Lost {
        exec,
        fork,
        exit,
        signal,
        oom_kill,
        file_create,
        file_write,
        file_unlink,
        file_path,
        cgroup,
        skipped,
    } = lost;
    for (count, new) in [
        (exec, new.exec),
        (fork, new.fork),
        (exit, new.exit),
        (signal, new.signal),
        (oom_kill, new.oom_kill),
        (file_create, new.file_create),
        (file_write, new.file_write),
        (file_unlink, new.file_unlink),
        (file_path, new.file_path),
        (cgroup, new.cgroup),
        (skipped, new.skipped),
    ] {
        *count = count.saturating_add(new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CrashKind, EventKind, ProcessKey, WallTime};

    const TIME: WallTime = WallTime { unix_ns: 1 };

    fn event(payload: Payload<'_>) -> Event<'_> {
        Event {
            ktime_ns: 1,
            wall_time: TIME,
            process: None,
            persona: None,
            persona_root: None,
            payload,
        }
    }

    fn crash(name: Option<&str>) -> Crash {
        let key = ProcessKey { tgid: 1, start_time: 1 };
        let mut crash = Crash::new(TIME, 1, key, CrashKind::Oom, String::new());
        crash.persona = name.map(str::to_owned);
        crash
    }

    #[test]
    fn events_and_losses_add_up_apart() {
        let mut count = Count::default();
        count.hear(&event(Payload::Fork));
        count.hear(&event(Payload::Fork));
        for _ in 0..2 {
            let lost = Lost { exit: 3, file_path: 1, ..Lost::default() };
            count.hear(&event(Payload::Lost(lost)));
        }
        let tally = count.tally();
        assert_eq!(tally.events, [(EventKind::Fork, 2)].into());
        assert_eq!(tally.lost, Lost { exit: 6, file_path: 2, ..Lost::default() });
        assert!(tally.crashes.is_empty());
    }

    /// Each kind of loss has a place of its own in the sum.
    #[test]
    fn every_kind_of_loss_is_added() {
        let all = Lost {
            exec: 1,
            fork: 2,
            exit: 3,
            signal: 4,
            oom_kill: 5,
            file_create: 6,
            file_write: 7,
            file_unlink: 8,
            file_path: 9,
            cgroup: 10,
            skipped: 11,
        };
        let mut sum = Lost::default();
        add(&mut sum, &all);
        assert_eq!(sum, all);
    }

    #[test]
    fn crashes_are_counted_by_persona_and_of_no_more_than_can_be_kept() {
        let mut count = Count::default();
        let mut hear = |name: Option<&str>| count.crashed(&crash(name));
        hear(None);
        for index in 0..COUNTED_PERSONAS + 10 {
            let name = format!("p{index}");
            hear(Some(&name));
            hear(Some(&name));
        }
        hear(Some("p0"));
        let crashes = &count.tally().crashes;
        // Nobody counts as one.
        assert_eq!(crashes.len(), COUNTED_PERSONAS + 1);
        assert_eq!(crashes.get(&(Crashed::Another, CrashKind::Oom)), Some(&22));
        let p0 = Persona { name: "p0".to_owned(), genome_id: None };
        assert_eq!(crashes.get(&(Crashed::Persona(p0), CrashKind::Oom)), Some(&3));
        assert_eq!(crashes.get(&(Crashed::Nobody, CrashKind::Oom)), Some(&1));
    }
}

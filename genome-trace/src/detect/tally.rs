//! Counts of everything that happens, for who only wants to know how much.

use std::collections::BTreeMap;

use crate::model::{
    Alert, AlertChange, Crash, Crashed, Event, Lost, OpenAlert, Payload, Persona, Tally,
};

/// Personas whose crashes, and whose alerts, are counted one by one. Names come from outside, and
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
        let persona = crash.persona.as_ref().map(|name| {
            let genome_id = crash.genome_id.clone();
            Persona { name: name.clone(), genome_id }
        });
        add_one(&mut self.tally.crashes, persona, crash.kind);
    }

    /// Something has become of an alert.
    pub fn alert(&mut self, alert: &Alert) {
        let Tally { alerts, open_alerts, .. } = &mut self.tally;
        let persona = || alert.anomaly.persona.clone();
        let rule = alert.anomaly.rule;
        if alert.change == AlertChange::Raised {
            add_one(alerts, persona(), rule);
        }
        // As many as are open at one time: their number is bounded.
        if alert.change == AlertChange::Ended {
            open_alerts.remove(&alert.id);
        } else {
            let open = OpenAlert { persona: persona(), rule, severity: alert.severity };
            open_alerts.insert(alert.id, open);
        }
    }
}

/// Counts one more, of whose name there is room for.
fn add_one<K: Ord>(counts: &mut BTreeMap<(Crashed, K), u64>, persona: Option<Persona>, of: K) {
    let whose = persona.map_or(Crashed::Nobody, Crashed::Persona);
    let is_known = counts.keys().any(|(of, _)| *of == whose);
    let has_room = || {
        // The keys are in order, so those of one persona stand together.
        let mut personas: Vec<_> = counts.keys().map(|(of, _)| of).collect();
        personas.dedup();
        personas.len() < COUNTED_PERSONAS
    };
    let whose = if is_known || has_room() { whose } else { Crashed::Another };
    *counts.entry((whose, of)).or_default() += 1;
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

    #[test]
    fn alerts_are_counted_once_and_open_until_they_are_over() {
        use crate::model::{Anomaly, Basis, Rule, Severity, Unit};
        let alert = |id, name: &str, change| Alert {
            id,
            change,
            raised: TIME,
            last: TIME,
            ended: None,
            severity: Severity::Error,
            count: 1,
            anomaly: Anomaly {
                wall_time: TIME,
                rule: Rule::CrashLoop,
                severity: Severity::Warning,
                persona: Some(Persona { name: name.to_owned(), genome_id: None }),
                process: None,
                cause: None,
                metric: None,
                unit: Unit::Count,
                measured: 5.0,
                normal: None,
                factor: None,
                threshold: 3.0,
                window_ns: None,
                slope_per_hour: None,
                basis: Basis::Threshold,
                confidence: None,
                files: None,
            },
            text: String::new(),
            advice: Vec::new(),
        };
        let mut count = Count::default();
        for change in [AlertChange::Raised, AlertChange::GoesOn, AlertChange::Escalated] {
            count.alert(&alert(1, "a", change));
        }
        count.alert(&alert(2, "a", AlertChange::Raised));
        let tally = count.tally();
        let a = Persona { name: "a".to_owned(), genome_id: None };
        let key = (Crashed::Persona(a.clone()), Rule::CrashLoop);
        assert_eq!(tally.alerts, [(key, 2)].into());
        let open = OpenAlert { persona: Some(a), rule: Rule::CrashLoop, severity: Severity::Error };
        assert_eq!(tally.open_alerts, [(1, open.clone()), (2, open)].into());
        for id in [1, 2] {
            count.alert(&alert(id, "a", AlertChange::Ended));
        }
        assert!(count.tally().open_alerts.is_empty());
        for index in 0..COUNTED_PERSONAS + 10 {
            count.alert(&alert(3, &format!("p{index}"), AlertChange::Raised));
        }
        let alerts = &count.tally().alerts;
        assert_eq!(alerts.len(), COUNTED_PERSONAS + 1);
        assert_eq!(alerts.get(&(Crashed::Another, Rule::CrashLoop)), Some(&11));
    }
}

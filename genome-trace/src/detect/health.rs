//! How a machine is: thresholds over one look at it and the crashes of the
//! last hour. Time is that of the look.

use std::{cmp::Reverse, collections::BTreeMap};

use crate::model::{
    Alert, CrashKind, GpuHealth, GpuSnapshot, Health, HealthEvidence, HealthReason, HealthState,
    Metric, Persona, PersonaUsage, RecentCrash, Rule, Severity, Usage, WallTime,
};

/// An OOM kill or a GPU fault is critical for this long: who looks now can
/// still do something about what caused it.
const CRITICAL_FOR_NS: i128 = 5 * 60 * 1_000_000_000;
/// A crash is a warning for this long.
const WARNING_FOR_NS: i128 = 60 * 60 * 1_000_000_000;
/// Memory of a persona, in percent of its limit: the next large allocation
/// meets the OOM killer.
const RSS_CRITICAL_PERCENT: u128 = 95;
/// Likewise: there is time to act.
const RSS_WARNING_PERCENT: u128 = 85;
/// Memory of the machine that is left, in percent of all: below this the
/// kernel is busy with finding some.
const AVAILABLE_CRITICAL_PERCENT: u128 = 5;
/// Likewise: it will soon be.
const AVAILABLE_WARNING_PERCENT: u128 = 10;
/// Memory of a GPU that is in use, in percent of all: the next allocation may
/// well fail.
const VRAM_WARNING_PERCENT: u128 = 95;

/// What health is judged by.
#[derive(Clone, Copy, Debug)]
pub struct HealthFacts<'a> {
    /// What everybody uses now.
    pub usage: &'a Usage,
    /// The GPUs; `None` where they could not be looked at.
    pub gpus: Option<&'a GpuSnapshot>,
    /// Crashes of the last hour; older ones are passed over.
    pub crashes: &'a [RecentCrash],
    /// Alerts that are not over; those of rules that are judged here anyway are
    /// passed over.
    pub alerts: &'a [Alert],
    /// Why the store fails, where it does.
    pub store_failure: Option<&'a str>,
}

/// Judges. What is unknown speaks neither for nor against the machine.
#[must_use]
pub fn health(facts: &HealthFacts<'_>) -> Health {
    let mut reasons = Vec::new();
    recent_deaths(facts, &mut reasons);
    reasons.extend(gpus(facts));
    reasons.extend(machine_memory(facts.usage));
    reasons.extend(facts.usage.personas.iter().filter_map(near_limit));
    reasons.extend(alerts(facts));
    reasons.extend(crashes(facts));
    let lost = facts.usage.machine.lost_events.filter(|count| *count > 0);
    reasons.extend(lost.map(|count| warning(HealthEvidence::LostEvents { count })));
    let failing = facts.store_failure.map(str::to_owned);
    reasons.extend(failing.map(|reason| warning(HealthEvidence::StoreFailing { reason })));
    // Stable: of equal ones, in the order above.
    reasons.sort_by_key(|reason| Reverse(reason.state));
    Health { reasons }
}

const fn critical(evidence: HealthEvidence) -> HealthReason {
    HealthReason { state: HealthState::Critical, evidence }
}

const fn warning(evidence: HealthEvidence) -> HealthReason {
    HealthReason { state: HealthState::Warning, evidence }
}

/// The last OOM kill and the last GPU fault of each persona.
fn recent_deaths(facts: &HealthFacts<'_>, reasons: &mut Vec<HealthReason>) {
    let now = facts.usage.wall_time;
    let mut last: BTreeMap<(bool, Option<&Persona>), WallTime> = BTreeMap::new();
    for crash in facts.crashes {
        let is_fault = match crash.kind {
            CrashKind::Oom => false,
            CrashKind::GpuFault => true,
            CrashKind::FatalSignal | CrashKind::Killed | CrashKind::ErrorExit => continue,
        };
        if age_ns(crash, now) <= CRITICAL_FOR_NS {
            let at = last.entry((is_fault, crash.persona.as_ref())).or_insert(crash.wall_time);
            *at = crash.wall_time.max(*at);
        }
    }
    reasons.extend(last.into_iter().map(|((is_fault, persona), wall_time)| {
        let persona = persona.cloned();
        critical(if is_fault {
            HealthEvidence::GpuFault { persona, wall_time }
        } else {
            HealthEvidence::OomKill { persona, wall_time }
        })
    }));
}

fn gpus(facts: &HealthFacts<'_>) -> impl Iterator<Item = HealthReason> {
    let gpus = facts.gpus.into_iter().flat_map(|snapshot| &snapshot.gpus);
    gpus.filter_map(|gpu| {
        let index = gpu.identity.index;
        if gpu.health == GpuHealth::Lost {
            return Some(critical(HealthEvidence::GpuLost { index }));
        }
        let (used_bytes, total_bytes) = gpu.vram.used_bytes.zip(gpu.vram.total_bytes)?;
        let is_full = reaches(used_bytes, VRAM_WARNING_PERCENT, total_bytes);
        is_full.then(|| warning(HealthEvidence::VramNearlyFull { index, used_bytes, total_bytes }))
    })
}

fn machine_memory(usage: &Usage) -> Option<HealthReason> {
    let (available_bytes, memory_bytes) =
        usage.machine.available_bytes.zip(usage.machine.memory_bytes)?;
    let state = if !reaches(available_bytes, AVAILABLE_CRITICAL_PERCENT, memory_bytes) {
        HealthState::Critical
    } else if !reaches(available_bytes, AVAILABLE_WARNING_PERCENT, memory_bytes) {
        HealthState::Warning
    } else {
        return None;
    };
    let evidence = HealthEvidence::MemoryLow { available_bytes, memory_bytes };
    (memory_bytes > 0).then_some(HealthReason { state, evidence })
}

fn near_limit(usage: &PersonaUsage) -> Option<HealthReason> {
    let limit_bytes = usage.rss_limit_bytes?;
    let rss = usage.figures.get(Metric::RssBytes)?;
    // A figure is a whole number of bytes; the cast ends at what u64 can hold.
    let rss_bytes = rss as u64;
    let state = if reaches(rss_bytes, RSS_CRITICAL_PERCENT, limit_bytes) {
        HealthState::Critical
    } else if reaches(rss_bytes, RSS_WARNING_PERCENT, limit_bytes) {
        HealthState::Warning
    } else {
        return None;
    };
    let persona = usage.persona.clone();
    let evidence = HealthEvidence::RssNearLimit { persona, rss_bytes, limit_bytes };
    Some(HealthReason { state, evidence })
}

/// What a reason of its own tells: closeness to limits, and crashes.
const TOLD_BY_OTHERS: [Rule; 4] =
    [Rule::MemoryLimit, Rule::VramLimit, Rule::CrashLoop, Rule::OomLoop];

fn alerts(facts: &HealthFacts<'_>) -> impl Iterator<Item = HealthReason> {
    let open = facts
        .alerts
        .iter()
        .filter(|alert| alert.ended.is_none() && !TOLD_BY_OTHERS.contains(&alert.anomaly.rule));
    open.map(|alert| HealthReason {
        state: match alert.severity {
            Severity::Critical => HealthState::Critical,
            Severity::Warning | Severity::Error => HealthState::Warning,
        },
        evidence: HealthEvidence::Alert {
            persona: alert.anomaly.persona.clone(),
            rule: alert.anomaly.rule,
            severity: alert.severity,
            wall_time: alert.raised,
            text: alert.text.clone(),
        },
    })
}

fn crashes(facts: &HealthFacts<'_>) -> impl Iterator<Item = HealthReason> {
    let now = facts.usage.wall_time;
    let mut counts: BTreeMap<Option<&Persona>, u64> = BTreeMap::new();
    for crash in facts.crashes.iter().filter(|crash| age_ns(crash, now) <= WARNING_FOR_NS) {
        *counts.entry(crash.persona.as_ref()).or_default() += 1;
    }
    counts.into_iter().map(|(persona, count)| {
        warning(HealthEvidence::Crashes { persona: persona.cloned(), count })
    })
}

/// One that is later than the look is as good as now.
fn age_ns(crash: &RecentCrash, now: WallTime) -> i128 {
    i128::from(now.unix_ns) - i128::from(crash.wall_time.unix_ns)
}

fn reaches(part: u64, percent: u128, whole: u64) -> bool {
    u128::from(part) * 100 >= u128::from(whole) * percent
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Figures, Gpu, GpuIdentity, MachineUsage, Vram};

    const MINUTE_NS: i64 = 60 * 1_000_000_000;
    const NOW: WallTime = WallTime { unix_ns: 1_000 * MINUTE_NS };

    fn persona() -> Persona {
        Persona { name: "a".to_owned(), genome_id: None }
    }

    fn usage(machine: MachineUsage, rss: Option<f64>, rss_limit_bytes: Option<u64>) -> Usage {
        let mut figures = Figures::default();
        figures.set(Metric::RssBytes, rss);
        let personas = vec![PersonaUsage {
            persona: persona(),
            figures,
            rss_limit_bytes,
            started: None,
            processes: Vec::new(),
        }];
        Usage { wall_time: NOW, interval_ns: None, machine, personas }
    }

    fn judged(usage: &Usage, crashes: &[RecentCrash]) -> Health {
        health(&HealthFacts { usage, gpus: None, crashes, alerts: &[], store_failure: None })
    }

    fn quiet() -> Usage {
        usage(MachineUsage::default(), None, None)
    }

    #[test]
    fn what_is_unknown_is_no_reason() {
        assert_eq!(judged(&quiet(), &[]).state(), HealthState::Healthy);
        let no_limit = usage(MachineUsage::default(), Some(1e12), None);
        assert_eq!(judged(&no_limit, &[]).state(), HealthState::Healthy);
    }

    #[test]
    fn memory_is_held_against_the_limit() {
        let state =
            |rss| judged(&usage(MachineUsage::default(), Some(rss), Some(1_000)), &[]).state();
        assert_eq!(state(849.0), HealthState::Healthy);
        assert_eq!(state(850.0), HealthState::Warning);
        assert_eq!(state(949.0), HealthState::Warning);
        assert_eq!(state(950.0), HealthState::Critical);
    }

    #[test]
    fn memory_that_is_left_is_held_against_all() {
        let state = |available| {
            let machine = MachineUsage {
                memory_bytes: Some(1_000),
                available_bytes: Some(available),
                ..MachineUsage::default()
            };
            judged(&usage(machine, None, None), &[]).state()
        };
        assert_eq!(state(100), HealthState::Healthy);
        assert_eq!(state(99), HealthState::Warning);
        assert_eq!(state(50), HealthState::Warning);
        assert_eq!(state(49), HealthState::Critical);
    }

    #[test]
    fn a_death_is_critical_then_a_warning_then_past() {
        let at = |kind, minutes: i64| {
            let wall_time = WallTime { unix_ns: NOW.unix_ns - minutes * MINUTE_NS };
            let crash = RecentCrash { persona: Some(persona()), kind, wall_time };
            judged(&quiet(), &[crash]).state()
        };
        for kind in [CrashKind::Oom, CrashKind::GpuFault] {
            assert_eq!(at(kind, 5), HealthState::Critical);
            assert_eq!(at(kind, 6), HealthState::Warning);
            assert_eq!(at(kind, 61), HealthState::Healthy);
            // The clock was set back meanwhile.
            assert_eq!(at(kind, -3), HealthState::Critical);
        }
        assert_eq!(at(CrashKind::ErrorExit, 1), HealthState::Warning);
    }

    #[test]
    fn crashes_are_counted_by_persona() {
        let crash = |persona| RecentCrash { persona, kind: CrashKind::Killed, wall_time: NOW };
        let crashes = [crash(Some(persona())), crash(None), crash(Some(persona()))];
        let counts: Vec<_> = judged(&quiet(), &crashes)
            .reasons
            .into_iter()
            .map(|reason| match reason.evidence {
                HealthEvidence::Crashes { persona, count } => (persona.is_some(), count),
                _ => (false, 0),
            })
            .collect();
        assert_eq!(counts, [(false, 1), (true, 2)]);
    }

    #[test]
    fn gpus_losses_and_the_store() {
        let gpu = |index, health, used_bytes| Gpu {
            identity: GpuIdentity { index, ..GpuIdentity::default() },
            health,
            vram: Vram { total_bytes: Some(100), used_bytes, reserved_bytes: None },
            processes: None,
            details: None,
        };
        let snapshot = GpuSnapshot {
            ktime_ns: 0,
            took_ns: 0,
            driver_version: None,
            cuda_version: None,
            gpus: vec![
                gpu(0, GpuHealth::Ok, Some(95)),
                gpu(1, GpuHealth::Ok, Some(94)),
                gpu(2, GpuHealth::Lost, None),
            ],
        };
        let machine = MachineUsage { lost_events: Some(3), ..MachineUsage::default() };
        let usage = usage(machine, None, None);
        let judged = health(&HealthFacts {
            usage: &usage,
            gpus: Some(&snapshot),
            crashes: &[],
            alerts: &[],
            store_failure: Some("the disk is full"),
        });
        // The worst stands first.
        assert_eq!(
            judged.reasons,
            [
                critical(HealthEvidence::GpuLost { index: 2 }),
                warning(HealthEvidence::VramNearlyFull {
                    index: 0,
                    used_bytes: 95,
                    total_bytes: 100
                }),
                warning(HealthEvidence::LostEvents { count: 3 }),
                warning(HealthEvidence::StoreFailing { reason: "the disk is full".to_owned() }),
            ]
        );
    }
}

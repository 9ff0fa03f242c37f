//! What runs out when: each supply that somebody uses up, with the looks at it
//! and its limit, and what follows from them.

use std::collections::BTreeMap;

use super::forecast;
use crate::{
    model::{
        Advice, Gpu, GpuSnapshot, Metric, Persona, PersonaUsage, Prediction, ProcessKey,
        ProcessUsage, RoomSample, Supply, Track, Usage, WallTime,
    },
    render::{
        text::Escaped,
        units::{Bytes, Count, Elapsed},
    },
};

/// A process has a persona's descriptors when it has so many of a hundred.
const OF_ONE_PERCENT: f64 = 90.0;
/// What is further away than this asks for nothing to be done.
const SOON_NS: u64 = 24 * 3_600_000_000_000;

/// What predictions are made from.
#[derive(Clone, Copy)]
pub struct PredictFacts<'a> {
    /// Figures of the last minutes, look by look.
    pub tracks: &'a [Track],
    /// How full file systems were, by mount and time.
    pub rooms: &'a [RoomSample],
    /// What everybody uses now, with its limits; `None` where that is unknown.
    pub usage: Option<&'a Usage>,
    /// The GPUs now.
    pub gpus: Option<&'a GpuSnapshot>,
    /// How many descriptors a process may have.
    pub descriptor_limit: &'a dyn Fn(ProcessKey) -> Option<u64>,
    /// What the cgroup whose limit holds for these processes has beside their
    /// resident memory, in bytes; less than 0 where they have more than it is
    /// charged with. `None` where that is not to be known.
    pub held_beside: &'a dyn Fn(&[ProcessUsage]) -> Option<f64>,
    /// How far that may be off, up or down, in bytes.
    pub held_slack: f64,
    /// From when on times left count.
    pub now: WallTime,
}

/// Everything that has a limit: those with a forecast first, the soonest first.
#[must_use]
pub fn predict(facts: &PredictFacts<'_>) -> Vec<Prediction> {
    let mut all = Vec::new();
    all.extend(machine_memory(facts));
    for usage in facts.usage.iter().flat_map(|usage| &usage.personas) {
        all.extend(memory_limit(facts, usage));
        all.extend(open_files(facts, usage));
    }
    all.extend(vram(facts));
    all.extend(disks(facts));
    // Stable: of equal ones, in the order above.
    all.sort_by_key(|of| of.forecast.as_ref().map_or(u64::MAX, |told| told.reached_in_ns));
    all
}

type LooksOf = Vec<(WallTime, f64)>;

/// Those of the store, and the one of now, which is later.
fn looks(facts: &PredictFacts<'_>, persona: Option<&Persona>, metric: Metric) -> LooksOf {
    let is_it = |track: &&Track| {
        track.metric == metric
            && track.source.key.is_none()
            && track.source.persona.as_ref() == persona
    };
    let track = facts.tracks.iter().find(is_it);
    let stretches = track.into_iter().flat_map(|track| &track.stretches);
    let mut looks: LooksOf =
        stretches.map(|stretch| (stretch.wall_time, stretch.average)).collect();
    let last = looks.last().map(|(at, _)| *at);
    let of_now = facts.usage.filter(|usage| last.is_some_and(|last| last < usage.wall_time));
    looks.extend(of_now.and_then(|usage| {
        let figures = match persona {
            None => &usage.machine.figures,
            Some(_) => &usage.personas.iter().find(|of| Some(&of.persona) == persona)?.figures,
        };
        Some((usage.wall_time, figures.get(metric)?))
    }));
    looks
}

/// Looks at a part of what is used: all of it is `used` now, and the rest is
/// taken to have stayed as it is.
fn moved(mut looks: LooksOf, used: f64) -> LooksOf {
    let by = looks.last().map_or(0.0, |(_, last)| used - last);
    for (_, value) in &mut looks {
        *value += by;
    }
    looks
}

fn prediction(
    facts: &PredictFacts<'_>,
    persona: Option<&Persona>,
    supply: Supply,
    limit: f64,
    looks: &[(WallTime, f64)],
    slack: f64,
) -> Option<Prediction> {
    let (since, used) = (looks.first()?.0, looks.last()?.1);
    Some(Prediction {
        persona: persona.cloned(),
        supply,
        used,
        limit,
        since,
        looks: looks.len() as u64,
        forecast: forecast(looks, limit, slack, facts.now),
    })
}

fn machine_memory(facts: &PredictFacts<'_>) -> Option<Prediction> {
    let machine = &facts.usage?.machine;
    let (all, available) = (machine.memory_bytes?, machine.available_bytes?);
    let used = all.saturating_sub(available) as f64;
    let looks = moved(looks(facts, None, Metric::RssBytes), used);
    prediction(facts, None, Supply::MachineMemory, all as f64, &looks, 0.0)
}

fn memory_limit(facts: &PredictFacts<'_>, usage: &PersonaUsage) -> Option<Prediction> {
    let limit = usage.rss_limit_bytes? as f64;
    let looks = looks(facts, Some(&usage.persona), Metric::RssBytes);
    // The limit is the cgroup's: what others in it have counts, and what the
    // kernel has for it; what was charged to another cgroup does not.
    let beside = (facts.held_beside)(&usage.processes);
    let slack = beside.map_or(0.0, |_| facts.held_slack);
    let beside = beside.unwrap_or(0.0);
    let looks: LooksOf = looks.into_iter().map(|(at, value)| (at, value + beside)).collect();
    prediction(facts, Some(&usage.persona), Supply::MemoryLimit, limit, &looks, slack)
}

/// Descriptors run out for a process, and are kept for a persona: so it is
/// known where one process has nearly all.
fn open_files(facts: &PredictFacts<'_>, usage: &PersonaUsage) -> Option<Prediction> {
    let of = |figures: &crate::model::Figures| figures.get(Metric::OpenFiles);
    let all = of(&usage.figures)?;
    let most = usage.processes.iter().max_by(|one, other| {
        let count = |process: &crate::model::ProcessUsage| of(&process.figures).unwrap_or(0.0);
        count(one).total_cmp(&count(other))
    })?;
    let used = of(&most.figures)?;
    if used * 100.0 < all * OF_ONE_PERCENT {
        return None;
    }
    let limit = (facts.descriptor_limit)(most.key)? as f64;
    let looks = moved(looks(facts, Some(&usage.persona), Metric::OpenFiles), used);
    prediction(
        facts,
        Some(&usage.persona),
        Supply::OpenFiles { tgid: most.key.tgid },
        limit,
        &looks,
        0.0,
    )
}

/// GPU memory is kept by persona, not by GPU: a GPU's is known where all who
/// hold some hold it on that one alone.
fn vram<'a>(facts: &'a PredictFacts<'a>) -> impl Iterator<Item = Prediction> + 'a {
    let gpus = facts.gpus.into_iter().flat_map(|snapshot| &snapshot.gpus);
    gpus.filter_map(move |gpu| {
        let (used, total) = (gpu.vram.used_bytes?, gpu.vram.total_bytes?);
        let mut sums: BTreeMap<WallTime, f64> = BTreeMap::new();
        for persona in holders(facts, gpu)? {
            for (at, value) in looks(facts, Some(persona), Metric::VramBytes) {
                *sums.entry(at).or_default() += value;
            }
        }
        let looks = moved(sums.into_iter().collect(), used as f64);
        let supply = Supply::Vram { gpu: gpu.identity.index };
        prediction(facts, None, supply, total as f64, &looks, 0.0)
    })
}

/// The personas that hold memory on a GPU; `None` where one holds some on
/// another one, too, or it is not known who does.
fn holders<'a>(facts: &PredictFacts<'a>, gpu: &Gpu) -> Option<Vec<&'a Persona>> {
    let on = |gpu: &Gpu, usage: &PersonaUsage| {
        let named = gpu.processes.as_ref()?;
        let is_its = |tgid| usage.processes.iter().any(|process| process.key.tgid == tgid);
        Some(named.iter().any(|process| is_its(process.tgid)))
    };
    let mut found = Vec::new();
    for usage in &facts.usage?.personas {
        if !on(gpu, usage)? {
            continue;
        }
        for other in facts.gpus.into_iter().flat_map(|snapshot| &snapshot.gpus) {
            if other.identity.index != gpu.identity.index && on(other, usage)? {
                return None;
            }
        }
        found.push(&usage.persona);
    }
    Some(found)
}

fn disks<'a>(facts: &'a PredictFacts<'a>) -> impl Iterator<Item = Prediction> + 'a {
    facts.rooms.chunk_by(|one, other| one.mount == other.mount).filter_map(move |rooms| {
        let last = rooms.last()?;
        let looks: Vec<_> =
            rooms.iter().map(|room| (room.wall_time, room.used_bytes as f64)).collect();
        let supply = Supply::Disk { mount: last.mount.clone() };
        prediction(facts, None, supply, last.total_bytes as f64, &looks, 0.0)
    })
}

/// What to do about what runs out soon.
#[must_use]
pub fn predict_advice(predictions: &[Prediction]) -> Vec<Advice> {
    let soon = predictions.iter().filter_map(|of| {
        let told = of.forecast.ok().filter(|told| told.reached_in_ns <= SOON_NS)?;
        let left = Elapsed(told.earliest_ns);
        let rate = told.slope_per_hour.max(0.0) as u64;
        let persona = of.persona.as_ref();
        let name = persona.map(|persona| Escaped(persona.name.as_bytes()).to_string());
        let name = name.unwrap_or_default();
        let text = match &of.supply {
            Supply::MemoryLimit => format!(
                "memory rises by {}/h towards its limit of {}: raise the limit (MemoryMax= of its \
                 unit, memory.max of its cgroup) or end it in good order within {left}",
                Bytes(rate),
                Bytes(of.limit as u64)
            ),
            Supply::MachineMemory => format!(
                "the machine's memory is used up at {}/h: find whose it is (genome-trace --stats \
                 --sort=rss_bytes), and stop or limit that one within {left}",
                Bytes(rate)
            ),
            Supply::Vram { gpu } => format!(
                "memory of GPU {gpu} is used up at {}/h: start nothing more on it, and give who \
                 holds most a smaller batch or context within {left}",
                Bytes(rate)
            ),
            Supply::Disk { mount } => format!(
                "{} fills by {}/h: find who writes there (genome-trace --stats \
                 --sort=written_bytes_per_second), and stop that or make room within {left}",
                Escaped(mount.as_bytes()),
                Bytes(rate)
            ),
            Supply::OpenFiles { tgid } => format!(
                "open descriptors of process {tgid} rise by {}/h towards its limit of {}: it does \
                 not close what it opens (ls -l /proc/{tgid}/fd shows what); restart {name} within \
                 {left}, or raise its limit (LimitNOFILE= of its unit)",
                Count(rate),
                Count(of.limit as u64)
            ),
        };
        Some(Advice {
            persona: persona.map(|persona| persona.name.clone()),
            genome_id: persona.and_then(|persona| persona.genome_id.clone()),
            text,
        })
    });
    soon.collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{
        Figures, GpuHealth, GpuIdentity, GpuProcess, GpuProcessType, MachineUsage, NoForecast,
        ProcessUsage, SampleSource, Stretch, Vram,
    };

    const SECOND_NS: i64 = 1_000_000_000;
    const MIB: f64 = 1_048_576.0;

    fn persona(name: &str) -> Persona {
        Persona { name: name.to_owned(), genome_id: None }
    }

    fn track(persona: Option<Persona>, metric: Metric, value: impl Fn(f64) -> f64) -> Track {
        let stretches = (0..120).map(|at| {
            let value = value(f64::from(at));
            Stretch {
                wall_time: WallTime { unix_ns: i64::from(at) * SECOND_NS },
                count: 1,
                min: value,
                average: value,
                max: value,
                last: value,
            }
        });
        Track {
            source: SampleSource { persona, key: None },
            metric,
            stretches: stretches.collect(),
        }
    }

    fn process(tgid: u32, open_files: f64) -> ProcessUsage {
        let mut figures = Figures::default();
        figures.set(Metric::OpenFiles, Some(open_files));
        ProcessUsage {
            key: ProcessKey { tgid, start_time: 1 },
            ppid: None,
            comm: None,
            uid: None,
            started: None,
            figures,
        }
    }

    fn usage_of(name: &str, limit: Option<u64>, processes: Vec<ProcessUsage>) -> PersonaUsage {
        let mut figures = Figures::default();
        let open_files = processes.iter().filter_map(|of| of.figures.get(Metric::OpenFiles)).sum();
        figures.set(Metric::OpenFiles, Some(open_files));
        PersonaUsage {
            persona: persona(name),
            figures,
            rss_limit_bytes: limit,
            started: None,
            processes,
        }
    }

    fn usage(personas: Vec<PersonaUsage>) -> Usage {
        let machine = MachineUsage {
            memory_bytes: Some(1 << 30),
            available_bytes: Some(1 << 29),
            ..MachineUsage::default()
        };
        Usage { wall_time: WallTime { unix_ns: 0 }, interval_ns: None, machine, personas }
    }

    fn told(
        tracks: &[Track],
        rooms: &[RoomSample],
        usage: &Usage,
        gpus: Option<&GpuSnapshot>,
    ) -> Vec<Prediction> {
        let usage = Some(usage);
        let last = |looks: &Track| looks.stretches.last().map(|of| of.wall_time);
        let now = tracks.iter().filter_map(last).chain(rooms.iter().map(|of| of.wall_time)).max();
        predict(&PredictFacts {
            tracks,
            rooms,
            usage,
            gpus,
            descriptor_limit: &|_| Some(1_024),
            held_beside: &|processes| (!processes.is_empty()).then_some(100.0 * MIB),
            held_slack: 0.0,
            now: now.unwrap(),
        })
    }

    fn seconds(told: &Prediction) -> u64 {
        (told.forecast.unwrap().reached_in_ns + 500_000_000) / 1_000_000_000
    }

    #[test]
    fn a_leak_meets_the_limit_of_its_persona_before_that_of_the_machine() {
        let rising = |at: f64| 100.0 * MIB + at * MIB;
        let tracks = [
            track(Some(persona("a")), Metric::RssBytes, rising),
            track(None, Metric::RssBytes, rising),
        ];
        let limit = 400 << 20;
        let told = told(&tracks, &[], &usage(vec![usage_of("a", Some(limit), vec![])]), None);
        assert_eq!(told[0].supply, Supply::MemoryLimit);
        // 219 MiB after 119 s, 181 MiB before the limit.
        assert_eq!(seconds(&told[0]), 181);
        // Half of 1 GiB is used, whatever the processes' sum.
        assert_eq!((&told[1].supply, told[1].used), (&Supply::MachineMemory, 512.0 * MIB));
        assert_eq!(seconds(&told[1]), 512);
        let advice = predict_advice(&told);
        assert!(advice[0].text.contains("3.5 GiB/h towards its limit of 400"), "{advice:?}");
        assert_eq!(advice[0].persona.as_deref(), Some("a"));
    }

    #[test]
    fn descriptors_of_one_process_are_held_against_its_limit() {
        let tracks = [track(Some(persona("a")), Metric::OpenFiles, |at| 10.0 + at)];
        let one = usage(vec![usage_of("a", None, vec![process(7, 125.0), process(8, 4.0)])]);
        let told_of_one = told(&tracks, &[], &one, None);
        assert_eq!(told_of_one[0].supply, Supply::OpenFiles { tgid: 7 });
        assert_eq!(seconds(&told_of_one[0]), 899);
        let many = usage(vec![usage_of("a", None, vec![process(7, 60.0), process(8, 69.0)])]);
        assert!(told(&tracks, &[], &many, None).is_empty());
    }

    /// Others in its cgroup, and what the kernel has for it, count as well; and
    /// the look of now is one more.
    #[test]
    fn the_limit_is_met_by_all_that_its_cgroup_holds() {
        let rising = |at: f64| 100.0 * MIB + at * MIB;
        let tracks = [track(Some(persona("a")), Metric::RssBytes, rising)];
        let mut of = usage_of("a", Some(400 << 20), vec![process(7, 3.0)]);
        of.figures.set(Metric::RssBytes, Some(rising(120.0)));
        let mut usage = usage(vec![of]);
        usage.wall_time = WallTime { unix_ns: 120 * SECOND_NS };
        // 220 MiB after 120 s, 100 MiB beside, and a second ago.
        for (beside, used, seconds) in [(Some(100.0 * MIB), 320.0, 79.0), (None, 220.0, 179.0)] {
            let held_beside = |_: &[ProcessUsage]| beside;
            let told = predict(&PredictFacts {
                tracks: &tracks,
                rooms: &[],
                usage: Some(&usage),
                gpus: None,
                descriptor_limit: &|_| None,
                held_beside: &held_beside,
                held_slack: 0.0,
                now: WallTime { unix_ns: 121 * SECOND_NS },
            });
            let told = told.iter().find(|of| of.supply == Supply::MemoryLimit).unwrap();
            assert_eq!((told.used, told.looks), (used * MIB, 121));
            let left = told.forecast.unwrap().reached_in_ns as f64 / 1e9;
            assert!((left - seconds).abs() < 0.1, "{left} {seconds}");
        }
    }

    #[test]
    fn file_systems_are_told_apart() {
        let room = |mount: &str, at: i64, used: u64| RoomSample {
            wall_time: WallTime { unix_ns: at * 10 * SECOND_NS },
            mount: mount.to_owned(),
            used_bytes: used,
            total_bytes: 1_000_000,
        };
        let mut rooms: Vec<_> = (0..60).map(|at| room("/", at, 1_000)).collect();
        rooms.extend((0..60).map(|at| room("/data", at, 10_000 * at as u64)));
        let told = told(&[], &rooms, &usage(vec![]), None);
        assert_eq!(told[0].supply, Supply::Disk { mount: "/data".to_owned() });
        assert_eq!(seconds(&told[0]), 410);
        assert_eq!(told[1].forecast, Err(NoForecast::NotRising));
    }

    #[test]
    fn a_gpu_is_told_where_its_holders_are_on_no_other() {
        let gpu = |index, tgids: &[u32]| Gpu {
            identity: GpuIdentity { index, ..GpuIdentity::default() },
            health: GpuHealth::Ok,
            vram: Vram {
                total_bytes: Some(10 << 30),
                used_bytes: Some(5 << 30),
                reserved_bytes: None,
            },
            processes: Some(
                tgids
                    .iter()
                    .map(|tgid| GpuProcess {
                        tgid: *tgid,
                        process_type: GpuProcessType::Compute,
                        vram_bytes: Some(1),
                        accounted_peak_bytes: None,
                        gpu_instance_id: None,
                        compute_instance_id: None,
                        utilization: None,
                    })
                    .collect(),
            ),
            details: None,
        };
        let snapshot = |gpus| GpuSnapshot {
            ktime_ns: 0,
            took_ns: 0,
            driver_version: None,
            cuda_version: None,
            gpus,
        };
        let tracks = [track(Some(persona("a")), Metric::VramBytes, |at| at * MIB)];
        let usage = usage(vec![usage_of("a", None, vec![process(7, 0.0)])]);
        let alone = snapshot(vec![gpu(0, &[7]), gpu(1, &[])]);
        let told_alone = told(&tracks, &[], &usage, Some(&alone));
        let of_gpu = |told: &[Prediction], gpu| {
            told.iter().find(|of| of.supply == Supply::Vram { gpu }).cloned()
        };
        let first = of_gpu(&told_alone, 0).unwrap();
        assert_eq!(first.forecast.unwrap_err(), NoForecast::TooFar);
        let near = snapshot(vec![Gpu {
            vram: Vram { total_bytes: Some(6 << 30), ..gpu(0, &[7]).vram },
            ..gpu(0, &[7])
        }]);
        let told_near = told(&tracks, &[], &usage, Some(&near));
        assert_eq!(seconds(&of_gpu(&told_near, 0).unwrap()), 1_024);
        let both = snapshot(vec![gpu(0, &[7]), gpu(1, &[7])]);
        assert!(of_gpu(&told(&tracks, &[], &usage, Some(&both)), 0).is_none());
    }
}

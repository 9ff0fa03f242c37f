//! What is looked at once a second, held against habits and limits: jumps,
//! steady climbs, and what is close to its limit.
//!
//! Time is that between looks on the boot clock, so the wall clock may be set
//! as it likes. After a gap between looks everything begins anew but habits.

mod climb;
mod held;
mod jump;
mod policy;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
mod track;

pub use policy::LevelPolicy;

use std::{
    collections::BTreeMap,
    hash::{Hash as _, Hasher as _},
};

use rustc_hash::{FxHashMap, FxHasher};

use super::{
    Baselines, Habit,
    baselines::{Normal, PERSONAS_MAX, Quantity},
};
use crate::model::{
    AlertProcess, Anomaly, Basis, Event, GpuSnapshot, Metric, Payload, Persona, PersonaUsage,
    ProcessKey, Rule, Severity, Usage, VramSpike, WallTime,
};
use climb::{Climbing, Least};
use held::Zone;
use jump::{Bounds, Jumped};
use track::{FilesLimit, ProcessTrack, Track};

/// Processes of which is kept how their figures went: 12 MiB.
const PROCESSES_MAX: usize = 2048;
/// GPUs that are watched.
const GPUS_MAX: usize = 64;
/// Looks that are further apart do not belong together.
const GAP_NS: u64 = 10_000_000_000;
/// Somebody who is gone for so many looks is forgotten.
const FORGOTTEN_AFTER: u64 = 120;
/// A process that is not there for so long yet, in nanoseconds, is not watched
/// by itself: most are gone before.
const SETTLED_NS: i64 = 5_000_000_000;
/// Whoever starts takes memory at once; so long after its start, in
/// nanoseconds, a persona may.
const STARTING_NS: i64 = 120_000_000_000;
/// A figure above the normal has to be above the usual peak, too, by so much.
const ABOVE_PEAK: f64 = 1.25;
/// CPU time has to be more than the normal by so many percent of a processor: on
/// a busy machine a loop does not get a whole one.
const CPU_MORE: f64 = 50.0;
/// A process that takes this much of a processor, and no more, is busy with one
/// thing all the time, in percent.
const ONE_PROCESSOR: std::ops::RangeInclusive<f64> = 95.0..=110.0;
/// Memory that has jumped, and threads that are too many, stay so for so long.
const MEMORY_NS: u64 = 2_000_000_000;
const THREADS_NS: u64 = 5_000_000_000;
/// A habit of less than an hour has not seen everything: what goes on only now
/// and then has to last for this long to be told by it.
const YOUNG_SAMPLES: u64 = 3_600;
const OF_THE_YOUNG_NS: u64 = 30_000_000_000;
/// A climb has to be at least this part of what there is; of one without
/// habits this one.
const CLIMB_PART: f64 = 0.02;
const CLIMB_PART_OF_THE_YOUNG: f64 = 0.1;
/// A process that has so many of the descriptors that it may have can soon open
/// nothing any more.
const FILES_CRITICAL: f64 = 0.9;
/// A limit that is reached in less time than this is an error already.
const SOON_SECONDS: f64 = 600.0;

/// What is learned from each look.
const LEARNED: [Metric; 8] = [
    Metric::RssBytes,
    Metric::CpuPercent,
    Metric::VramBytes,
    Metric::WriteCallsPerSecond,
    Metric::WrittenBytesPerSecond,
    Metric::SpawnsPerSecond,
    Metric::Threads,
    Metric::OpenFiles,
];

/// How everybody's figures go.
#[derive(Debug)]
pub(super) struct LevelWatch {
    policy: LevelPolicy,
    look: u64,
    /// Time of looks, from the first one on.
    now_ns: u64,
    personas: BTreeMap<Persona, Track>,
    processes: FxHashMap<ProcessKey, ProcessTrack>,
    machine: Zone,
    gpus: BTreeMap<u32, Zone>,
    /// Processes whose descriptors climb: somebody is to say how many they may
    /// have.
    to_ask: Vec<ProcessKey>,
}

/// What a persona is judged by at a look.
struct Look<'a> {
    usage: &'a Usage,
    of: &'a PersonaUsage,
    baselines: &'a Baselines,
    policy: &'a LevelPolicy,
    now_ns: u64,
}

impl LevelWatch {
    pub(super) fn new(policy: &LevelPolicy) -> Self {
        Self {
            policy: policy.clone(),
            look: 0,
            now_ns: 0,
            personas: BTreeMap::new(),
            processes: FxHashMap::default(),
            machine: Zone::default(),
            gpus: BTreeMap::new(),
            to_ask: Vec::new(),
        }
    }

    /// The next process of which somebody is to say how many descriptors it may
    /// have.
    pub(super) fn next_to_ask(&mut self) -> Option<ProcessKey> {
        self.to_ask.pop()
    }

    /// So many; `None` where that is not to be known. Without an answer an alert
    /// does without.
    pub(super) fn answer(&mut self, key: ProcessKey, limit: Option<u64>) {
        if let (Some(own), Some(limit)) = (self.processes.get_mut(&key), limit) {
            own.files_limit = FilesLimit::Known(limit);
        }
    }

    pub(super) fn set_policy(&mut self, policy: &LevelPolicy) {
        self.policy = policy.clone();
    }

    /// A jump of GPU memory is told by who looks at the GPUs.
    pub(super) fn hear(&mut self, event: &Event<'_>, found: &mut Vec<Anomaly>) {
        let (Payload::VramSpike(spike), Some(persona)) = (&event.payload, event.persona) else {
            return;
        };
        let (from, value) = (spike.baseline_bytes as f64, spike.vram_bytes as f64);
        let threshold = from * self.policy.memory_factor;
        if let Some(track) = self.personas.get_mut(persona) {
            track.vram.told(self.now_ns, from, value, threshold);
        }
        found.push(told_spike(event, persona, spike, threshold));
    }

    pub(super) fn look(
        &mut self,
        usage: &Usage,
        gpus: Option<&GpuSnapshot>,
        baselines: &mut Baselines,
        found: &mut Vec<Anomaly>,
    ) {
        self.look += 1;
        self.now_ns = self.now_ns.saturating_add(usage.interval_ns.unwrap_or(1));
        if usage.interval_ns.is_none_or(|ns| ns > GAP_NS) {
            self.personas.values_mut().for_each(Track::gap);
            self.processes.clear();
        }
        self.machine(usage, found);
        self.gpus(usage.wall_time, gpus, found);
        for of in &usage.personas {
            self.persona(usage, of, baselines, found);
        }
        let oldest = self.look.saturating_sub(FORGOTTEN_AFTER);
        self.personas.retain(|_, track| track.look >= oldest);
        self.to_ask.clear();
        for (key, own) in &mut self.processes {
            if own.files_climb && own.files_limit == FilesLimit::NotAsked {
                own.files_limit = FilesLimit::Asked;
                self.to_ask.push(*key);
            }
        }
        self.to_ask.sort_unstable();
        self.processes.retain(|_, track| track.look == self.look);
    }

    fn persona(
        &mut self,
        usage: &Usage,
        of: &PersonaUsage,
        baselines: &mut Baselines,
        found: &mut Vec<Anomaly>,
    ) {
        if !self.personas.contains_key(&of.persona) {
            if self.personas.len() >= PERSONAS_MAX {
                return;
            }
            self.personas.insert(of.persona.clone(), Track::default());
        }
        let Some(track) = self.personas.get_mut(&of.persona) else { return };
        track.look = self.look;
        take_in(track, &mut self.processes, of, usage.wall_time, self.look, self.now_ns);
        let look = Look { usage, of, baselines, policy: &self.policy, now_ns: self.now_ns };
        look.memory(track, found);
        let processes = &mut self.processes;
        let leaks = look.climbs(track, processes, Metric::RssBytes, Rule::MemoryLeak, found);
        look.climbs(track, processes, Metric::VramBytes, Rule::VramLeak, found);
        let opens = look.climbs(track, processes, Metric::OpenFiles, Rule::OpenFiles, found);
        look.limit(track, found);
        look.cpu(track, found);
        look.writes(track, found);
        look.threads(track, found);
        look.spawns(track, found);
        for metric in LEARNED {
            // A climb would lead its own habit up step by step.
            let climbs =
                leaks && metric == Metric::RssBytes || opens && metric == Metric::OpenFiles;
            if let (false, Some(value)) = (climbs, of.figures.get(metric)) {
                baselines.learn(&of.persona, Quantity::Metric(metric), value, usage.wall_time);
            }
        }
    }

    fn machine(&mut self, usage: &Usage, found: &mut Vec<Anomaly>) {
        let machine = &usage.machine;
        let (Some(all), Some(available)) = (machine.memory_bytes, machine.available_bytes) else {
            return;
        };
        let used = all.saturating_sub(available) as f64;
        let (all, caution) = (all as f64, self.policy.ram_caution);
        if all <= 0.0 {
            return;
        }
        let zone = self.machine.look(used / all, caution, self.policy.ram_critical);
        let Some(severity) = zone else { return };
        found.push(Anomaly {
            basis: Basis::Limit { limit: all },
            threshold: all * caution,
            ..anomaly(usage.wall_time, None, Rule::MemoryLimit, severity, Metric::RssBytes, used)
        });
    }

    fn gpus(&mut self, now: WallTime, gpus: Option<&GpuSnapshot>, found: &mut Vec<Anomaly>) {
        for gpu in gpus.iter().flat_map(|snapshot| &snapshot.gpus).take(GPUS_MAX) {
            let (Some(all), Some(used)) = (gpu.vram.total_bytes, gpu.vram.used_bytes) else {
                continue;
            };
            let (all, used) = (all as f64, used as f64);
            let index = gpu.identity.index;
            if all <= 0.0 || self.gpus.len() >= GPUS_MAX && !self.gpus.contains_key(&index) {
                continue;
            }
            let (caution, critical) = (self.policy.vram_caution, self.policy.vram_critical);
            let zone = self.gpus.entry(index).or_default().look(used / all, caution, critical);
            let Some(severity) = zone else { continue };
            found.push(Anomaly {
                cause: Some(format!("GPU {index}")),
                basis: Basis::Limit { limit: all },
                threshold: all * caution,
                ..anomaly(now, None, Rule::VramLimit, severity, Metric::VramBytes, used)
            });
        }
    }
}

/// What each process of a persona has now, and all of them together.
fn take_in(
    track: &mut Track,
    processes: &mut FxHashMap<ProcessKey, ProcessTrack>,
    of: &PersonaUsage,
    now: WallTime,
    look: u64,
    now_ns: u64,
) {
    const CLIMBING: [Metric; 3] = [Metric::RssBytes, Metric::VramBytes, Metric::OpenFiles];
    let at = now_ns as f64 / 1e9;
    let mut members = FxHasher::default();
    for process in &of.processes {
        process.key.hash(&mut members);
        let is_new = !processes.contains_key(&process.key);
        let age = process.started.map(|started| now.unix_ns.saturating_sub(started.unix_ns));
        if is_new && (processes.len() >= PROCESSES_MAX || age.is_some_and(|age| age < SETTLED_NS)) {
            continue;
        }
        let own = processes.entry(process.key).or_default();
        own.look = look;
        for metric in CLIMBING {
            own.climbs.add(metric, at, process.figures.get(metric));
        }
    }
    let members = members.finish();
    if members != track.members {
        track.members = members;
        track.climbs.clear();
    }
    // One alone is watched already.
    if of.processes.len() > 1 {
        for metric in CLIMBING {
            track.climbs.add(metric, at, of.figures.get(metric));
        }
    }
}

impl Look<'_> {
    fn figure(&self, metric: Metric) -> Option<f64> {
        self.of.figures.get(metric).filter(|figure| figure.is_finite())
    }

    fn normal(&self, metric: Metric) -> Option<Normal> {
        self.baselines.normal(&self.of.persona, Quantity::Metric(metric))
    }

    fn unlearned(&self, metric: Metric) -> Basis {
        self.baselines.unlearned(&self.of.persona, Quantity::Metric(metric))
    }

    fn anomaly(&self, rule: Rule, severity: Severity, metric: Metric, measured: f64) -> Anomaly {
        Anomaly {
            process: self.most(metric),
            ..anomaly(
                self.usage.wall_time,
                Some(&self.of.persona),
                rule,
                severity,
                metric,
                measured,
            )
        }
    }

    /// The process with the most of something.
    fn most(&self, metric: Metric) -> Option<AlertProcess> {
        let figure = |of: &crate::model::ProcessUsage| of.figures.get(metric);
        let known = self.of.processes.iter().filter_map(|of| Some((figure(of)?, of)));
        let (_, most) = known.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
        Some(AlertProcess { key: most.key, comm: most.comm.clone(), argv: None })
    }

    fn memory(&self, track: &mut Track, found: &mut Vec<Anomaly>) {
        let age = self
            .of
            .started
            .map(|started| self.usage.wall_time.unix_ns.saturating_sub(started.unix_ns));
        let is_starting = age.is_some_and(|age| age < STARTING_NS);
        let share = self.usage.machine.memory_bytes.filter(|_| !is_starting);
        let share = share.map(|bytes| bytes as f64 * self.policy.machine_share);
        let at_once = share.map(|bytes| (bytes, self.policy.machine_share_ns));
        for (metric, rule, at_once) in [
            (Metric::RssBytes, Rule::MemorySpike, at_once),
            (Metric::VramBytes, Rule::VramSpike, None),
        ] {
            let jump = if metric == Metric::RssBytes { &mut track.rss } else { &mut track.vram };
            let Some(value) = self.figure(metric) else {
                jump.clear();
                continue;
            };
            let normal = self.normal(metric).filter(|normal| normal.centre > 0.0);
            let threshold = normal.as_ref().map(|normal| {
                let more = normal.centre + self.policy.memory_more_bytes as f64;
                above(normal, self.policy.memory_factor).max(more)
            });
            let centre = normal.as_ref().map(|normal| normal.centre);
            let up_ns = normal
                .as_ref()
                .map_or(MEMORY_NS, |normal| lasting(normal, MEMORY_NS, OF_THE_YOUNG_NS));
            let bounds = Bounds { normal: centre.zip(threshold), up_ns, at_once };
            let Some(jumped) = jump.look(self.now_ns, value, &bounds) else { continue };
            let Jumped { from, threshold, by_normal, .. } = jumped;
            let severity = if by_normal { Severity::Warning } else { Severity::Error };
            let basis = match normal {
                Some(normal) if by_normal => normal.basis,
                Some(_) => Basis::Threshold,
                None => self.unlearned(metric),
            };
            found.push(Anomaly {
                normal: Some(from),
                factor: factor(value, from),
                threshold,
                window_ns: (!by_normal).then_some(self.policy.machine_share_ns),
                basis,
                ..self.anomaly(rule, severity, metric, value)
            });
        }
    }

    /// Whether it climbs.
    fn climbs(
        &self,
        track: &mut Track,
        processes: &mut FxHashMap<ProcessKey, ProcessTrack>,
        metric: Metric,
        rule: Rule,
        found: &mut Vec<Anomaly>,
    ) -> bool {
        let mut jump = match metric {
            Metric::RssBytes => Some(&mut track.rss),
            Metric::VramBytes => Some(&mut track.vram),
            _ => None,
        };
        let Some(value) = self.figure(metric) else { return false };
        if jump.as_ref().is_some_and(|jump| jump.is_up()) {
            return false;
        }
        let habit = self.baselines.habit(&self.of.persona, Quantity::Metric(metric));
        let least = match metric {
            Metric::OpenFiles => self.policy.open_files_more,
            _ => self.policy.leak_bytes,
        } as f64;
        let confidence = self.policy.leak_confidence;
        let least = match habit {
            // It has been there before, or nearly, as a heap that is collected.
            Some(habit) if value <= habit.peak + habit.spread / 2.0 => return false,
            Some(_) => {
                let least = least.max(value * CLIMB_PART);
                Least { short: Some(least), long: least, confidence }
            }
            // Whoever starts climbs; five minutes on end are no start.
            None => {
                let least = (2.0 * least).max(value * CLIMB_PART_OF_THE_YOUNG);
                Least { short: None, long: least, confidence }
            }
        };
        let mut steepest: Option<(Climbing, Option<AlertProcess>)> = None;
        for process in &self.of.processes {
            let Some(own) = processes.get_mut(&process.key) else { continue };
            let Some(climbing) = own.climbs.climbing(metric, &least) else { continue };
            if metric == Metric::OpenFiles {
                own.files_climb = true;
            }
            if steepest.as_ref().is_none_or(|(most, _)| climbing.slope > most.slope) {
                let (key, comm) = (process.key, process.comm.clone());
                steepest = Some((climbing, Some(AlertProcess { key, comm, argv: None })));
            }
        }
        if steepest.is_none() {
            steepest = track.climbs.climbing(metric, &least).map(|climbing| (climbing, None));
        }
        let Some((climbing, process)) = steepest else { return false };
        if let Some(jump) = &mut jump {
            jump.climbs();
        }
        let files = process.as_ref().filter(|_| metric == Metric::OpenFiles);
        let files = files.and_then(|process| self.files(processes, process.key));
        let room = files.map(|(open, limit)| (limit - open).max(0.0)).or_else(|| self.room(metric));
        let is_soon = room.is_some_and(|room| room / climbing.slope < SOON_SECONDS);
        let severity = match files {
            Some((open, limit)) if open >= limit * FILES_CRITICAL => Severity::Critical,
            _ if is_soon => Severity::Error,
            _ => Severity::Warning,
        };
        let basis = match habit {
            Some(Habit { samples, centre, spread, .. }) => Basis::Habit { samples, centre, spread },
            // What others have says nothing of a climb.
            None => match self.unlearned(metric) {
                Basis::Unlearned {
                    samples, samples_to_learn, neighbours_to_judge, rule, ..
                } => {
                    let neighbours = None;
                    Basis::Unlearned {
                        samples,
                        samples_to_learn,
                        neighbours,
                        neighbours_to_judge,
                        rule,
                    }
                }
                other => other,
            },
        };
        let normal = habit.map(|habit| habit.centre);
        found.push(Anomaly {
            process,
            normal,
            factor: normal.and_then(|normal| factor(value, normal)),
            threshold: least.short.unwrap_or(least.long),
            window_ns: Some((climbing.seconds * 1e9) as u64),
            slope_per_hour: Some(climbing.slope * 3_600.0),
            basis,
            confidence: Some(climbing.confidence),
            ..self.anomaly(rule, severity, metric, value)
        });
        true
    }

    /// The descriptors that a process has, and how many it may have.
    fn files(
        &self,
        processes: &FxHashMap<ProcessKey, ProcessTrack>,
        key: ProcessKey,
    ) -> Option<(f64, f64)> {
        let FilesLimit::Known(limit) = processes.get(&key)?.files_limit else { return None };
        let process = self.of.processes.iter().find(|process| process.key == key)?;
        Some((process.figures.get(Metric::OpenFiles)?, limit as f64))
    }

    /// What is left below the nearest limit.
    fn room(&self, metric: Metric) -> Option<f64> {
        if metric != Metric::RssBytes {
            return None;
        }
        let available = self.usage.machine.available_bytes.map(|bytes| bytes as f64);
        let limit = self.of.rss_limit_bytes.zip(self.figure(metric));
        let below = limit.map(|(limit, rss)| (limit as f64 - rss).max(0.0));
        available.into_iter().chain(below).reduce(f64::min)
    }

    fn limit(&self, track: &mut Track, found: &mut Vec<Anomaly>) {
        let Some(limit) = self.of.rss_limit_bytes.filter(|limit| *limit > 0) else { return };
        let Some(rss) = self.figure(Metric::RssBytes) else { return };
        let limit = limit as f64;
        let (caution, critical) = (self.policy.ram_caution, self.policy.ram_critical);
        let Some(severity) = track.limit.look(rss / limit, caution, critical) else { return };
        found.push(Anomaly {
            basis: Basis::Limit { limit },
            threshold: limit * caution,
            ..self.anomaly(Rule::MemoryLimit, severity, Metric::RssBytes, rss)
        });
    }

    fn cpu(&self, track: &mut Track, found: &mut Vec<Anomaly>) {
        const METRIC: Metric = Metric::CpuPercent;
        let (Some(cpu), Some(normal)) = (self.figure(METRIC), self.normal(METRIC)) else {
            // Unknown is neither so nor not so; what is so for long outlasts it.
            track.cpu.look(self.now_ns, false, self.policy.cpu_ns);
            return;
        };
        let least = (normal.centre + CPU_MORE).max(normal.peak * ABOVE_PEAK);
        let by_factor = above(&normal, self.policy.cpu_factor).max(least);
        // A loop takes one processor and does nothing else.
        let is_flat = || {
            let processes = self.of.processes.iter();
            let mut busy = processes.filter_map(|of| of.figures.get(METRIC));
            let does_nothing = [Metric::WriteCallsPerSecond, Metric::SpawnsPerSecond]
                .into_iter()
                .all(|metric| self.figure(metric) == Some(0.0));
            does_nothing && busy.any(|cpu| ONE_PROCESSOR.contains(&cpu))
        };
        let is_too_much = cpu >= by_factor || cpu >= least && is_flat();
        let held = track.cpu.look(self.now_ns, is_too_much, self.policy.cpu_ns);
        let threshold = if cpu >= by_factor { by_factor } else { least };
        self.held(held, Rule::StuckCpu, Severity::Warning, METRIC, (cpu, normal, threshold), found);
    }

    fn writes(&self, track: &mut Track, found: &mut Vec<Anomaly>) {
        let judged = [
            (Metric::WrittenBytesPerSecond, self.policy.write_bytes_per_second),
            (Metric::WriteCallsPerSecond, self.policy.write_calls_per_second),
        ];
        let too_many = judged.into_iter().find_map(|(metric, least)| {
            let (value, normal) = (self.figure(metric)?, self.normal(metric)?);
            let threshold = above(&normal, self.policy.write_factor).max(least);
            (value >= threshold).then_some((metric, (value, normal, threshold)))
        });
        // Bursts follow each other: of the young it takes twice as long.
        let for_ns = self.policy.write_ns;
        let young_ns = for_ns.saturating_mul(2);
        let normal = self.normal(Metric::WrittenBytesPerSecond);
        let for_ns = normal.map_or(young_ns, |normal| lasting(&normal, for_ns, young_ns));
        let held = track.writes.look(self.now_ns, too_many.is_some(), for_ns);
        if let Some((metric, judged)) = too_many {
            self.held(held, Rule::WriteStorm, Severity::Warning, metric, judged, found);
        }
    }

    fn threads(&self, track: &mut Track, found: &mut Vec<Anomaly>) {
        const METRIC: Metric = Metric::Threads;
        let normal = self.normal(METRIC);
        let for_ns = normal
            .as_ref()
            .map_or(THREADS_NS, |normal| lasting(normal, THREADS_NS, OF_THE_YOUNG_NS));
        let judged = self.figure(METRIC).zip(normal).and_then(|(value, normal)| {
            let more = normal.centre + self.policy.threads_more as f64;
            let threshold = above(&normal, self.policy.thread_factor).max(more);
            (value >= threshold).then_some((value, normal, threshold))
        });
        let held = track.threads.look(self.now_ns, judged.is_some(), for_ns);
        if let Some(judged) = judged {
            self.held(held, Rule::ThreadGrowth, Severity::Warning, METRIC, judged, found);
        }
    }

    fn spawns(&self, track: &mut Track, found: &mut Vec<Anomaly>) {
        const METRIC: Metric = Metric::SpawnsPerSecond;
        let normal = self.normal(METRIC);
        let for_ns = self.policy.spawn_ns;
        let for_ns =
            normal.as_ref().map_or(for_ns, |normal| lasting(normal, for_ns, OF_THE_YOUNG_NS));
        let judged = self.figure(METRIC).and_then(|value| {
            let threshold = match &normal {
                Some(normal) => {
                    above(normal, self.policy.spawn_factor).max(self.policy.spawns_per_second)
                }
                None => self.policy.spawns_per_second_of_anybody,
            };
            (value >= threshold).then_some((value, threshold))
        });
        let held = track.spawns.look(self.now_ns, judged.is_some(), for_ns);
        if let Some((value, threshold)) = judged {
            let basis = || self.unlearned(METRIC);
            let normal = normal.unwrap_or_else(|| Normal {
                basis: basis(),
                centre: 0.0,
                spread: 0.0,
                peak: 0.0,
            });
            let judged = (value, normal, threshold);
            self.held(held, Rule::SpawnStorm, Severity::Error, METRIC, judged, found);
        }
    }

    /// Tells what has been so for long enough.
    fn held(
        &self,
        held: Option<u64>,
        rule: Rule,
        severity: Severity,
        metric: Metric,
        (value, normal, threshold): (f64, Normal, f64),
        found: &mut Vec<Anomaly>,
    ) {
        let Some(window_ns) = held else { return };
        let is_normal = matches!(normal.basis, Basis::Habit { .. } | Basis::Neighbours { .. });
        let centre = is_normal.then_some(normal.centre);
        found.push(Anomaly {
            normal: centre,
            factor: centre.and_then(|centre| factor(value, centre)),
            threshold,
            window_ns: Some(window_ns),
            basis: normal.basis,
            ..self.anomaly(rule, severity, metric, value)
        });
    }
}

/// So many times the normal, and above what is usual at most.
fn above(normal: &Normal, factor: f64) -> f64 {
    (normal.centre * factor).max(normal.peak * ABOVE_PEAK)
}

/// For how long something has to last to be told by a habit.
fn lasting(normal: &Normal, of_the_old_ns: u64, of_the_young_ns: u64) -> u64 {
    match normal.basis {
        Basis::Habit { samples, .. } if samples >= YOUNG_SAMPLES => of_the_old_ns,
        Basis::Threshold | Basis::Unlearned { .. } | Basis::Limit { .. } => of_the_old_ns,
        Basis::Habit { .. } | Basis::Neighbours { .. } => of_the_old_ns.max(of_the_young_ns),
    }
}

fn factor(value: f64, normal: f64) -> Option<f64> {
    (normal > 0.0).then_some(value / normal)
}

fn anomaly(
    wall_time: WallTime,
    persona: Option<&Persona>,
    rule: Rule,
    severity: Severity,
    metric: Metric,
    measured: f64,
) -> Anomaly {
    Anomaly {
        wall_time,
        rule,
        severity,
        persona: persona.cloned(),
        process: None,
        cause: None,
        metric: Some(metric),
        unit: metric.unit(),
        measured,
        normal: None,
        factor: None,
        threshold: 0.0,
        window_ns: None,
        slope_per_hour: None,
        basis: Basis::Threshold,
        confidence: None,
        files: None,
    }
}

fn told_spike(
    event: &Event<'_>,
    persona: &Persona,
    spike: &VramSpike<'_>,
    threshold: f64,
) -> Anomaly {
    let (from, value) = (spike.baseline_bytes as f64, spike.vram_bytes as f64);
    let comm = |comm: &[u8]| String::from_utf8_lossy(comm).into_owned();
    let process = event.process.as_ref().map(|process| AlertProcess {
        key: process.key,
        comm: process.comm.map(comm),
        argv: None,
    });
    Anomaly {
        process,
        normal: Some(from),
        factor: factor(value, from),
        threshold: threshold.min(value),
        window_ns: Some(spike.window_ns),
        ..anomaly(
            event.wall_time,
            Some(persona),
            Rule::VramSpike,
            Severity::Warning,
            Metric::VramBytes,
            value,
        )
    }
}

use proptest::prelude::*;

use super::*;
use crate::{
    detect::HabitPolicy,
    model::{
        Figures, Gpu, GpuHealth, GpuIdentity, GpuName, MachineUsage, PersonaSource, Process,
        ProcessUsage, Vram, Watch,
    },
};

const MIB: f64 = (1 << 20) as f64;
const SECOND_NS: u64 = 1_000_000_000;
const MACHINE_BYTES: u64 = 64 << 30;

fn persona(name: &str) -> Persona {
    Persona { name: name.to_owned(), genome_id: None }
}

fn figures(of: &[(Metric, f64)]) -> Figures {
    let mut figures = Figures::default();
    for (metric, value) in of {
        figures.set(*metric, Some(*value));
    }
    figures
}

/// A persona with one process, which began long ago.
fn one(name: &str, figures: Figures) -> PersonaUsage {
    let started = Some(WallTime { unix_ns: 0 });
    PersonaUsage {
        persona: persona(name),
        figures,
        rss_limit_bytes: None,
        started,
        processes: vec![ProcessUsage {
            key: ProcessKey { tgid: 7, start_time: 1 },
            ppid: Some(1),
            comm: Some("worker".to_owned()),
            uid: Some(0),
            started,
            figures,
        }],
    }
}

fn usage(personas: Vec<PersonaUsage>) -> Usage {
    Usage {
        wall_time: WallTime { unix_ns: 0 },
        interval_ns: Some(SECOND_NS),
        machine: MachineUsage {
            memory_bytes: Some(MACHINE_BYTES),
            available_bytes: Some(MACHINE_BYTES / 2),
            ..MachineUsage::default()
        },
        personas,
    }
}

/// Looks one after the other, and what was found at which.
struct Run {
    watch: LevelWatch,
    baselines: Baselines,
    looks: u64,
    found: Vec<(u64, Anomaly)>,
}

impl Run {
    fn new() -> Self {
        Self {
            watch: LevelWatch::new(&LevelPolicy::default()),
            baselines: Baselines::new(HabitPolicy::default()),
            looks: 0,
            found: Vec::new(),
        }
    }

    fn look(&mut self, usage: Usage) {
        self.looks += 1;
        let wall_time = WallTime { unix_ns: (10_000 + self.looks as i64) * 1_000_000_000 };
        let mut found = Vec::new();
        let usage = Usage { wall_time, ..usage };
        self.watch.look(&usage, None, &mut self.baselines, &mut found);
        let looks = self.looks;
        self.found.extend(found.into_iter().map(|anomaly| (looks, anomaly)));
    }

    fn one(&mut self, of: &[(Metric, f64)]) {
        self.look(usage(vec![one("A", figures(of))]));
    }

    fn quiet(mut self, of: &[(Metric, f64)], looks: u64) -> Self {
        for _ in 0..looks {
            self.one(of);
        }
        assert_eq!(self.found, []);
        self
    }

    fn rules(&self) -> Vec<Rule> {
        let mut rules: Vec<_> = self.found.iter().map(|(_, anomaly)| anomaly.rule).collect();
        rules.sort();
        rules.dedup();
        rules
    }

    fn first(&self) -> (u64, &Anomaly) {
        let (look, anomaly) = self.found.first().unwrap();
        (*look, anomaly)
    }
}

#[test]
fn a_leak_of_a_megabyte_a_second_is_found_within_a_minute() {
    let mut run = Run::new().quiet(&[(Metric::RssBytes, 30.0 * MIB)], 300);
    for second in 1..=600 {
        run.one(&[(Metric::RssBytes, (30.0 + f64::from(second)) * MIB)]);
    }
    assert_eq!(run.rules(), [Rule::MemoryLeak]);
    let (look, anomaly) = run.first();
    assert!(look - 300 <= 60, "{look}");
    let slope = anomaly.slope_per_hour.unwrap();
    assert!((slope / 3_600.0 / MIB - 1.0).abs() < 0.05, "{slope}");
    assert!(matches!(anomaly.basis, Basis::Habit { samples: 300.., .. }), "{anomaly:?}");
    assert!(anomaly.confidence.unwrap() >= 0.99);
    assert_eq!(anomaly.process.as_ref().map(|of| of.key.tgid), Some(7));
    // It goes on to be told for as long as it climbs.
    let told: Vec<u64> = run.found.iter().map(|(look, _)| *look).collect();
    assert!(told.windows(2).all(|pair| pair[1] == pair[0] + 1), "{told:?}");
}

/// The same that stops: the climb is over soon, and what it led to is a level.
#[test]
fn a_leak_that_stops_is_over() {
    let mut run = Run::new().quiet(&[(Metric::RssBytes, 30.0 * MIB)], 300);
    for second in 1..=400 {
        run.one(&[(Metric::RssBytes, (30.0 + f64::from(second.min(60))) * MIB)]);
    }
    let last = run.found.last().unwrap().0;
    assert!((360..=380).contains(&last), "{last}");
}

#[test]
fn of_the_young_a_climb_takes_five_minutes_to_tell() {
    let mut run = Run::new();
    for second in 0..150 {
        run.one(&[(Metric::RssBytes, (30.0 + f64::from(second)) * MIB)]);
    }
    // A model that was loaded, within two and a half minutes.
    for _ in 0..40 {
        run.one(&[(Metric::RssBytes, 180.0 * MIB)]);
    }
    assert_eq!(run.found, []);
    // One that never stops, while it has no habit.
    let mut run = Run::new();
    run.baselines =
        Baselines::new(HabitPolicy { samples_to_learn: u64::MAX, ..HabitPolicy::default() });
    for second in 0..320 {
        run.one(&[(Metric::RssBytes, (30.0 + f64::from(second)) * MIB)]);
    }
    let (look, anomaly) = run.first();
    assert!((260..=310).contains(&look), "{look}");
    assert_eq!(anomaly.rule, Rule::MemoryLeak);
    let is_so = matches!(anomaly.basis, Basis::Unlearned { neighbours: None, .. });
    assert!(is_so, "{anomaly:?}");
}

#[test]
fn memory_that_jumps_is_a_spike_and_no_leak() {
    let mut run = Run::new().quiet(&[(Metric::RssBytes, 100.0 * MIB)], 300);
    for second in 1..=200 {
        let grown = (f64::from(second) * 50.0).min(500.0);
        run.one(&[(Metric::RssBytes, (100.0 + grown) * MIB)]);
    }
    assert_eq!(run.rules(), [Rule::MemorySpike]);
    let (look, anomaly) = run.first();
    assert!(look <= 300 + 40, "{look}");
    assert_eq!(anomaly.normal, Some(100.0 * MIB));
    assert!(anomaly.factor.unwrap() >= 3.0 && anomaly.threshold == 356.0 * MIB, "{anomaly:?}");
}

#[test]
fn a_quarter_of_the_machine_in_ten_seconds_is_a_spike_of_anybody() {
    let quarter = MACHINE_BYTES as f64 / 4.0;
    let mut run = Run::new().quiet(&[(Metric::RssBytes, 100.0 * MIB)], 20);
    for second in 1..=20 {
        run.one(&[(Metric::RssBytes, 100.0 * MIB + quarter / 8.0 * f64::from(second.min(9)))]);
    }
    assert_eq!(run.rules(), [Rule::MemorySpike]);
    let (_, anomaly) = run.first();
    assert_eq!(anomaly.severity, Severity::Error);
    assert!(matches!(anomaly.basis, Basis::Unlearned { .. }), "{anomaly:?}");
    assert_eq!(anomaly.window_ns, Some(10 * SECOND_NS));
}

/// As when a worker is begun anew and loads its model again.
#[test]
fn a_restart_to_the_usual_level_is_nothing() {
    let mut run = Run::new().quiet(&[(Metric::RssBytes, 8_000.0 * MIB)], 400);
    for start in 2..5 {
        for second in 0..300 {
            let rss = (f64::from(second) * 100.0).min(8_000.0) * MIB;
            let mut of = one("A", figures(&[(Metric::RssBytes, rss)]));
            of.processes[0].key.start_time = start;
            let started = Some(WallTime {
                unix_ns: (10_000 + run.looks as i64 - i64::from(second)) * 1_000_000_000,
            });
            of.started = started;
            of.processes[0].started = started;
            run.look(usage(vec![of]));
        }
    }
    assert_eq!(run.found, []);
}

#[test]
fn a_stuck_loop_is_found_after_a_minute_and_told_as_long_as_it_lasts() {
    let calm = [
        (Metric::CpuPercent, 5.0),
        (Metric::WriteCallsPerSecond, 0.0),
        (Metric::SpawnsPerSecond, 0.0),
    ];
    let mut run = Run::new().quiet(&calm, 300);
    for _ in 0..120 {
        run.one(&[(Metric::CpuPercent, 100.0), calm[1], calm[2]]);
    }
    assert_eq!(run.rules(), [Rule::StuckCpu]);
    assert_eq!(run.first().0, 361);
    assert_eq!(run.found.len(), 60);

    // Of one that is used to half a processor five times as much is out of
    // reach; a loop is seen by its doing nothing else.
    let busy = [(Metric::CpuPercent, 15.0), calm[1], calm[2]];
    let mut run = Run::new().quiet(&busy, 300);
    for _ in 0..120 {
        run.one(&[(Metric::CpuPercent, 100.0), (Metric::WriteCallsPerSecond, 4.0), calm[2]]);
    }
    let told = run.found.len();
    let mut run = Run::new().quiet(&[(Metric::CpuPercent, 18.0), calm[1], calm[2]], 300);
    for _ in 0..120 {
        run.one(&[(Metric::CpuPercent, 99.0), calm[1], calm[2]]);
    }
    assert!(told > 0 && run.rules() == [Rule::StuckCpu]);
}

#[test]
fn ten_times_the_writes_for_a_minute() {
    let mut run = Run::new().quiet(&[(Metric::WrittenBytesPerSecond, MIB)], 300);
    for _ in 0..59 {
        run.one(&[(Metric::WrittenBytesPerSecond, 20.0 * MIB)]);
    }
    assert_eq!(run.found, []);
    for _ in 0..10 {
        run.one(&[(Metric::WrittenBytesPerSecond, 20.0 * MIB)]);
    }
    assert_eq!(run.rules(), [Rule::WriteStorm]);
    assert_eq!(run.first().1.metric, Some(Metric::WrittenBytesPerSecond));
    assert_eq!(run.first().1.threshold, 10.0 * MIB);
}

#[test]
fn threads_that_explode() {
    let mut run = Run::new().quiet(&[(Metric::Threads, 10.0)], 300);
    for second in 0..60 {
        run.one(&[(Metric::Threads, 10.0 + 20.0 * f64::from(second))]);
    }
    assert_eq!(run.rules(), [Rule::ThreadGrowth]);
    assert!(run.first().0 <= 340, "{}", run.first().0);
    // Of a habit of hours it takes seconds.
    let mut run = Run::new().quiet(&[(Metric::Threads, 10.0)], 4_000);
    for _ in 0..10 {
        run.one(&[(Metric::Threads, 100.0)]);
    }
    assert_eq!(run.first().0, 4_006);
}

#[test]
fn descriptors_that_are_not_closed() {
    let mut run = Run::new().quiet(&[(Metric::OpenFiles, 12.0)], 300);
    for second in 0..120 {
        run.one(&[(Metric::OpenFiles, 12.0 + 2.0 * f64::from(second))]);
    }
    assert_eq!(run.rules(), [Rule::OpenFiles]);
    assert!(run.first().0 <= 360, "{}", run.first().0);
}

/// How many there may be is asked for once, and only of one whose climb.
#[test]
fn the_limit_of_descriptors_is_asked_for_once_they_climb() {
    let mut run = Run::new().quiet(&[(Metric::OpenFiles, 12.0)], 300);
    let key = ProcessKey { tgid: 7, start_time: 1 };
    let mut told = Vec::new();
    for second in 0..125 {
        run.one(&[(Metric::OpenFiles, 12.0 + 8.0 * f64::from(second))]);
        let asked = run.watch.next_to_ask();
        assert_eq!(asked.is_some(), asked == Some(key) && run.found.len() == 1);
        if asked.is_some() {
            assert_eq!(run.watch.next_to_ask(), None);
            run.watch.answer(key, Some(1_000));
        }
        told.extend(run.found.last().map(|(_, anomaly)| anomaly.severity));
    }
    told.dedup();
    assert_eq!(told, [Severity::Warning, Severity::Error, Severity::Critical]);
    run.watch.answer(ProcessKey { tgid: 8, start_time: 1 }, Some(1));
}

#[test]
fn processes_that_are_created_without_end() {
    let mut run = Run::new().quiet(&[(Metric::SpawnsPerSecond, 0.0)], 300);
    for _ in 0..40 {
        run.one(&[(Metric::SpawnsPerSecond, 50.0)]);
    }
    assert_eq!(run.rules(), [Rule::SpawnStorm]);
    assert_eq!(run.first().0, 331);
    // Of one of whom nothing is known: a build creates hundreds a second.
    let mut run = Run::new().quiet(&[(Metric::SpawnsPerSecond, 800.0)], 100);
    for _ in 0..20 {
        run.one(&[(Metric::SpawnsPerSecond, 2_000.0)]);
    }
    let (_, anomaly) = run.first();
    let is_so = matches!(anomaly.basis, Basis::Unlearned { samples: 100.., rule: None, .. });
    assert!(is_so, "{anomaly:?}");
}

#[test]
fn the_young_are_judged_by_neighbours_and_it_is_told() {
    let mut run = Run::new();
    let of = |name: &str, cpu: f64| one(name, figures(&[(Metric::CpuPercent, cpu)]));
    let neighbours = |young: Option<f64>| {
        let mut all: Vec<_> = ["a", "b", "c"].iter().map(|name| of(name, 4.0)).collect();
        all.extend(young.map(|cpu| of("young", cpu)));
        usage(all)
    };
    let container = PersonaSource::Container;
    for _ in 0..200 {
        run.look(neighbours(None));
    }
    for name in ["a", "b", "c"] {
        run.baselines.recognised(&persona(name), &container);
    }
    let mut of_another_rule = Run { baselines: run.baselines.clone(), ..Run::new() };
    for _ in 0..70 {
        run.look(neighbours(Some(300.0)));
        run.baselines.recognised(&persona("young"), &container);
        of_another_rule.look(neighbours(Some(300.0)));
        of_another_rule.baselines.recognised(&persona("young"), &PersonaSource::Unit);
    }
    let (_, anomaly) = run.first();
    assert_eq!(anomaly.persona, Some(persona("young")));
    let Basis::Neighbours { personas: 3, rule, .. } = &anomaly.basis else { panic!("{anomaly:?}") };
    assert_eq!(rule, "container");
    // What others do that are called something by another rule is no measure.
    assert_eq!(of_another_rule.found, []);
    // Without neighbours not at all.
    let run = Run::new().quiet(&[(Metric::CpuPercent, 300.0)], 100);
    assert_eq!(run.found, []);
}

#[test]
fn close_to_a_limit() {
    let mut run = Run::new();
    let mut told = Vec::new();
    for part in [0.84, 0.86, 0.84, 0.91, 0.5] {
        let mut of = one("A", figures(&[(Metric::RssBytes, part * 1_000.0)]));
        of.rss_limit_bytes = Some(1_000);
        run.look(usage(vec![of]));
        told.push(run.found.pop().map(|(_, anomaly)| (anomaly.rule, anomaly.severity)));
    }
    let (warning, critical) =
        ((Rule::MemoryLimit, Severity::Warning), (Rule::MemoryLimit, Severity::Critical));
    assert_eq!(told, [None, Some(warning), Some(warning), Some(critical), None]);

    let mut machine = usage(Vec::new());
    machine.machine.available_bytes = Some(MACHINE_BYTES / 20);
    run.look(machine);
    let (_, anomaly) = run.first();
    assert_eq!((anomaly.persona.clone(), anomaly.severity), (None, Severity::Critical));
    assert_eq!(anomaly.basis, Basis::Limit { limit: MACHINE_BYTES as f64 });
}

#[test]
fn each_gpu_is_a_cause() {
    let gpu = |index, used_bytes| Gpu {
        identity: GpuIdentity { index, ..GpuIdentity::default() },
        health: GpuHealth::Ok,
        vram: Vram { total_bytes: Some(100), used_bytes, reserved_bytes: None },
        processes: None,
        details: None,
    };
    let snapshot = GpuSnapshot {
        ktime_ns: 0,
        took_ns: 0,
        driver_version: None,
        cuda_version: None,
        gpus: vec![gpu(0, Some(70)), gpu(1, Some(90)), gpu(2, Some(10)), gpu(3, None)],
    };
    let mut run = Run::new();
    let mut found = Vec::new();
    run.watch.look(&usage(Vec::new()), Some(&snapshot), &mut run.baselines, &mut found);
    let told: Vec<_> =
        found.iter().map(|anomaly| (anomaly.cause.as_deref(), anomaly.severity)).collect();
    assert_eq!(told, [(Some("GPU 0"), Severity::Warning), (Some("GPU 1"), Severity::Critical)]);
}

/// The event and the looks after it have one cause.
#[test]
fn a_jump_that_was_told_goes_on_in_looks() {
    let mut run = Run::new().quiet(&[(Metric::VramBytes, 1_000.0 * MIB)], 50);
    let who = persona("A");
    let spike = VramSpike {
        vram_bytes: 5_000 << 20,
        baseline_bytes: 1_000 << 20,
        baseline_looks: 50,
        window_ns: 50 * SECOND_NS,
        gpu: GpuName::default(),
        gpu_used_bytes: None,
        gpu_total_bytes: None,
    };
    let event = Event {
        ktime_ns: 5,
        wall_time: WallTime { unix_ns: 6 },
        process: Some(Process {
            key: ProcessKey { tgid: 7, start_time: 1 },
            tid: None,
            ppid: None,
            uid: None,
            comm: Some(b"worker"),
            cgroup_path: None,
            watch: Watch::default(),
        }),
        persona: Some(&who),
        persona_root: None,
        payload: Payload::VramSpike(spike),
    };
    let mut found = Vec::new();
    run.watch.hear(&event, &mut found);
    run.watch.hear(&Event { persona: None, ..event }, &mut found);
    assert_eq!(found.len(), 1);
    for _ in 0..5 {
        run.one(&[(Metric::VramBytes, 5_000.0 * MIB)]);
    }
    for _ in 0..5 {
        run.one(&[(Metric::VramBytes, 1_000.0 * MIB)]);
    }
    let same = |anomaly: &Anomaly| (anomaly.rule, anomaly.persona.clone(), anomaly.cause.clone());
    assert_eq!(run.found.len(), 5);
    assert!(run.found.iter().all(|(_, anomaly)| same(anomaly) == same(&found[0])));
}

#[test]
fn memory_is_bounded_whatever_comes() {
    let mut run = Run::new();
    for look in 0..40_u64 {
        let personas = (0..100_u64).map(|number| {
            let mut of = one(
                &format!("{look} {number}"),
                figures(&[(Metric::RssBytes, 1e6), (Metric::VramBytes, 1e6)]),
            );
            of.processes = (0..40_u32)
                .map(|process| ProcessUsage {
                    key: ProcessKey { tgid: process, start_time: look * 100 + number },
                    ..of.processes[0].clone()
                })
                .collect();
            of
        });
        run.look(usage(personas.collect()));
        assert!(run.watch.personas.len() <= PERSONAS_MAX);
        assert!(run.watch.processes.len() <= PROCESSES_MAX);
    }
}

/// Noise without a seed from outside: a linear congruence.
struct Noise(u64);

impl Noise {
    fn even(&mut self) -> f64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.even()).sum::<f64>() - 6.0
    }
}

/// How a series goes that has no trend.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Normal,
    /// Log-normal: its largest values are many times its middle.
    HeavyTailed,
    /// Each value takes over nine tenths of the one before.
    Persistent,
    /// Bursts of up to twenty seconds, in a tenth of the time.
    Bursty,
    /// Up and up, and back at once, as a heap that is collected.
    Sawtooth,
}

/// `level` times something around 1.
fn series(shape: Shape, seed: u64) -> impl FnMut() -> f64 {
    let mut state = 0.0;
    let mut left = 0_u32;
    let mut seed = Noise(seed);
    let period = 20.0 + 60.0 * seed.even();
    move || match shape {
        Shape::Normal => (1.0 + 0.1 * seed.normal()).max(0.0),
        Shape::HeavyTailed => (0.8 * seed.normal()).exp(),
        Shape::Persistent => {
            state = 0.9 * state + 0.436 * seed.normal();
            (1.0 + 0.15 * state).max(0.0)
        }
        Shape::Bursty => {
            if left == 0 && seed.even() < 0.01 {
                left = 1 + (seed.even() * 20.0) as u32;
            }
            let is_up = left > 0;
            left = left.saturating_sub(1);
            if is_up { 6.0 + seed.even() } else { 0.3 * seed.even() }
        }
        Shape::Sawtooth => {
            state = if state >= period { 0.0 } else { state + 1.0 };
            0.5 + state / period
        }
    }
}

/// Ten minutes of looks of everything, after the time to learn.
fn false_alarms(shape: Shape, count: u64) -> Vec<(u64, Rule)> {
    let levels = [
        (Metric::RssBytes, 500.0 * MIB),
        (Metric::CpuPercent, 40.0),
        (Metric::WriteCallsPerSecond, 200.0),
        (Metric::WrittenBytesPerSecond, 3.0 * MIB),
        (Metric::SpawnsPerSecond, 4.0),
        (Metric::Threads, 30.0),
        (Metric::OpenFiles, 60.0),
        (Metric::VramBytes, 2_000.0 * MIB),
    ];
    let mut alarms = Vec::new();
    for seed in 0..count {
        let mut noise = Noise(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) + shape as u64);
        let mut all: Vec<_> = levels
            .iter()
            .map(|(metric, level)| {
                noise.even();
                (*metric, *level, series(shape, noise.0))
            })
            .collect();
        let mut run = Run::new();
        for _ in 0..800 {
            let of: Vec<_> =
                all.iter_mut().map(|(metric, level, next)| (*metric, *level * next())).collect();
            run.one(&of);
        }
        alarms.extend(run.rules().into_iter().map(|rule| (seed, rule)));
    }
    alarms
}

/// What docs/alerts.md says: of a hundred workers whose figures have no trend,
/// no more than two raise an alert in ten minutes, for each way to have none.
#[test]
fn what_has_no_trend_raises_no_alarm() {
    for shape in
        [Shape::Normal, Shape::HeavyTailed, Shape::Persistent, Shape::Bursty, Shape::Sawtooth]
    {
        // Eight figures each. It takes a release build for thousands of workers.
        let workers = if cfg!(debug_assertions) { 50 } else { 2_000 };
        let alarms = false_alarms(shape, workers);
        let raised: std::collections::BTreeSet<u64> = alarms.iter().map(|(of, _)| *of).collect();
        println!("{shape:?}: {} of {workers}: {alarms:?}", raised.len());
        assert!(raised.len() as u64 * 50 <= workers, "{shape:?}: {alarms:?}");
    }
}

fn any_figures() -> impl Strategy<Value = Figures> {
    let number = prop_oneof![
        Just(None),
        Just(Some(0.0)),
        any::<f64>().prop_map(Some),
        (0.0..1e12).prop_map(Some)
    ];
    proptest::collection::vec(number, Metric::ALL.len()).prop_map(|numbers| {
        let mut figures = Figures::default();
        for (metric, number) in Metric::ALL.into_iter().zip(numbers) {
            figures.set(metric, number);
        }
        figures
    })
}

fn any_look() -> impl Strategy<Value = Usage> {
    let process = (0..4_u32, any::<u64>(), any::<Option<i64>>(), any_figures());
    let whose = (0..3_u8, any_figures(), any::<Option<u64>>(), any::<Option<i64>>());
    let personas =
        proptest::collection::vec((whose, proptest::collection::vec(process, 0..4)), 0..4);
    let interval = prop_oneof![Just(None), any::<u64>().prop_map(Some), Just(Some(SECOND_NS))];
    (any::<i64>(), interval, any::<Option<u64>>(), any::<Option<u64>>(), personas).prop_map(
        |(unix_ns, interval_ns, memory_bytes, available_bytes, personas)| {
            let wall = |unix_ns: Option<i64>| unix_ns.map(|unix_ns| WallTime { unix_ns });
            let personas = personas.into_iter().map(|((name, figures, limit, started), of)| {
                let processes =
                    of.into_iter().map(|(tgid, start_time, started, figures)| ProcessUsage {
                        key: ProcessKey { tgid, start_time },
                        ppid: None,
                        comm: None,
                        uid: None,
                        started: wall(started),
                        figures,
                    });
                PersonaUsage {
                    persona: persona(&name.to_string()),
                    figures,
                    rss_limit_bytes: limit,
                    started: wall(started),
                    processes: processes.collect(),
                }
            });
            Usage {
                wall_time: WallTime { unix_ns },
                interval_ns,
                machine: MachineUsage { memory_bytes, available_bytes, ..MachineUsage::default() },
                personas: personas.collect(),
            }
        },
    )
}

/// The slowest leak of those, in the largest lumps: a look in four goes up, and
/// noise takes the others down half of the time.
#[test]
fn a_slow_leak_in_lumps_is_found_in_noise() {
    let missed = (0..200_u64).filter(|seed| {
        let mut noise = Noise(*seed);
        let mut run = Run::new();
        for second in 0..360_u32 {
            let lumps = second.saturating_sub(300) / 4 * 4;
            let rss = 100.0 + f64::from(lumps) + 0.2 * noise.normal();
            run.one(&[(Metric::RssBytes, rss * MIB)]);
        }
        !run.rules().contains(&Rule::MemoryLeak)
    });
    assert_eq!(missed.collect::<Vec<_>>(), Vec::<u64>::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 24 } else { 256 }))]

    /// Clocks that step, looks at equal times, gaps, processes that come and go,
    /// figures that are none: nothing panics, and what is told makes sense.
    #[test]
    fn any_looks(looks in proptest::collection::vec(any_look(), 0..80)) {
        let mut watch = LevelWatch::new(&LevelPolicy::default());
        let policy = HabitPolicy { samples_to_learn: 3, ..HabitPolicy::default() };
        let mut baselines = Baselines::new(policy);
        let mut found = Vec::new();
        for look in &looks {
            watch.look(look, None, &mut baselines, &mut found);
        }
        for anomaly in &found {
            prop_assert!(anomaly.measured.is_finite() && anomaly.threshold.is_finite());
            prop_assert!(anomaly.confidence.is_none_or(|sure| (0.0..=1.0).contains(&sure)));
        }
    }

    /// The wall clock is set to anything: what is told is the same.
    #[test]
    fn the_wall_clock_may_step(steps in proptest::collection::vec(any::<i32>(), 400)) {
        let run = |wall: &dyn Fn(usize) -> i64| {
            let mut watch = LevelWatch::new(&LevelPolicy::default());
            let mut baselines = Baselines::default();
            let mut found = Vec::new();
            for look in 0..400 {
                let rss = (30.0 + (look as f64 - 250.0).max(0.0)) * MIB;
                let mut of = one("A", figures(&[(Metric::RssBytes, rss)]));
                of.started = None;
                of.processes[0].started = None;
                let wall_time = WallTime { unix_ns: wall(look) };
                let look = Usage { wall_time, ..usage(vec![of]) };
                watch.look(&look, None, &mut baselines, &mut found);
            }
            let told = found.into_iter().map(|of| (of.rule, of.measured, of.slope_per_hour));
            told.collect::<Vec<_>>()
        };
        let steady = run(&|look| look as i64 * 1_000_000_000);
        let stepping = run(&|look| i64::from(steps[look]) * 1_000_000_000);
        prop_assert!(!steady.is_empty());
        prop_assert_eq!(steady, stepping);
    }

    /// A leak of any usual size in noise is found within a minute, and once.
    #[test]
    fn any_leak(
        level in 20.0..400.0_f64,
        rate in 1.0..20.0_f64,
        seed in any::<u64>(),
        lump in 1_u32..5,
    ) {
        let mut noise = Noise(seed);
        let mut run = Run::new();
        for second in 0..360_u32 {
            let lumps = second.saturating_sub(300) / lump * lump;
            let rss = level + rate * f64::from(lumps) + 0.2 * noise.normal();
            run.one(&[(Metric::RssBytes, rss * MIB)]);
        }
        prop_assert!(run.rules().contains(&Rule::MemoryLeak) || run.rules() == [Rule::MemorySpike],
            "{:?}", run.rules());
        prop_assert!(run.found.iter().all(|(look, _)| *look > 300));
    }
}

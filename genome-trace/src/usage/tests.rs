use std::collections::HashMap;

use super::*;
use crate::model::{Ending, FileCreate, FileWrite, Metric, Process, Used, Watch};

const SECOND: u64 = 1_000_000_000;

#[derive(Default)]
struct Fake {
    personas: HashMap<ProcessKey, Persona>,
    limits: HashMap<Vec<u8>, MemoryLimit>,
    open_files: HashMap<ProcessKey, u64>,
}

impl Surroundings for Fake {
    fn persona(&self, key: ProcessKey) -> Option<&Persona> {
        self.personas.get(&key)
    }

    fn memory_limit(&mut self, cgroup_path: &[u8]) -> Option<MemoryLimit> {
        self.limits.get(cgroup_path).copied()
    }

    fn open_files(&self, key: ProcessKey) -> Option<u64> {
        self.open_files.get(&key).copied()
    }

    fn gpu_share(&self, key: ProcessKey) -> GpuShare {
        GpuShare { vram_bytes: Some(u64::from(key.tgid)), percent: None }
    }

    fn wall_time(&self, ktime_ns: u64) -> WallTime {
        WallTime { unix_ns: ktime_ns.cast_signed() }
    }
}

fn persona(name: &str) -> Persona {
    Persona { name: name.to_owned(), genome_id: None }
}

fn key(tgid: u32, start_s: u64) -> ProcessKey {
    ProcessKey { tgid, start_time: start_s * SECOND }
}

fn process(key: ProcessKey) -> Process<'static> {
    Process {
        key,
        tid: None,
        ppid: Some(1),
        uid: Some(0),
        comm: Some(b"python3"),
        cgroup_path: Some(b"/ai"),
        watch: Watch::default(),
    }
}

fn sample(key: ProcessKey, cpu_s: u64) -> ProcessSample<'static> {
    ProcessSample {
        process: process(key),
        ktime_ns: 0,
        anon_rss_bytes: Some(600),
        file_rss_bytes: Some(400),
        shmem_rss_bytes: Some(0),
        used: Some(Used { cpu_ns: Some(cpu_s * SECOND), ..Used::default() }),
        had_children: false,
        threads: Some(2),
        open_files: Some(3),
        oom_score_adj: None,
    }
}

fn event<'a>(process: Process<'a>, persona: &'a Persona, payload: Payload<'a>) -> Event<'a> {
    Event {
        ktime_ns: 0,
        wall_time: WallTime { unix_ns: 0 },
        process: Some(process),
        persona: Some(persona),
        persona_root: None,
        payload,
    }
}

fn exit(cpu_s: u64) -> Payload<'static> {
    Payload::Exit(Exit {
        ending: Ending::Exited { code: 0 },
        peak_rss_bytes: None,
        runtime_ns: 0,
        cpu_ns: Some(cpu_s * SECOND),
        write_calls: None,
        written_bytes: None,
        threads: None,
        open_files: None,
        vram: None,
    })
}

fn figure(usage: &Usage, name: &str, metric: Metric) -> Option<f64> {
    usage.personas.iter().find(|one| one.persona.name == name).unwrap().figures.get(metric)
}

/// Two processes of Judge, the first to be kept an eye on.
fn judges() -> (ProcessKey, ProcessKey, Persona, Fake) {
    let (first, stays, judge) = (key(1, 1), key(7, 1), persona("Judge"));
    let mut known = Fake::default();
    known.personas.extend([(first, judge.clone()), (stays, judge.clone())]);
    (first, stays, judge, known)
}

#[test]
fn rates_are_over_the_time_between_two_looks_and_the_first_has_none() {
    let (one, two, _, mut known) = judges();
    let mut watch = UsageWatch::default();
    let samples = [sample(one, 5), sample(two, 1), sample(key(3, 3), 9)];
    let first = watch.look(10 * SECOND, samples, &mut known);
    assert_eq!(first.interval_ns, None);
    assert_eq!(figure(&first, "Judge", Metric::CpuPercent), None);
    assert_eq!(figure(&first, "Judge", Metric::SpawnsPerSecond), None);
    assert_eq!(figure(&first, "Judge", Metric::RssBytes), Some(2000.0));
    assert_eq!(figure(&first, "Judge", Metric::VramBytes), Some(8.0));
    assert_eq!(figure(&first, "Judge", Metric::Threads), Some(4.0));
    assert_eq!(first.machine.figures.get(Metric::RssBytes), Some(3000.0));
    assert_eq!(first.machine.figures.get(Metric::VramBytes), None);

    let samples = [sample(one, 6), sample(two, 2), sample(key(3, 3), 9)];
    let second = watch.look(12 * SECOND, samples, &mut known);
    assert_eq!(second.interval_ns, Some(2 * SECOND));
    assert_eq!(figure(&second, "Judge", Metric::CpuPercent), Some(100.0));
    assert_eq!(figure(&second, "Judge", Metric::SpawnsPerSecond), Some(0.0));
    let processes = &second.personas.first().unwrap().processes;
    let cpu = |index: usize| processes.get(index).unwrap().figures.get(Metric::CpuPercent);
    assert_eq!((cpu(0), cpu(1)), (Some(50.0), Some(50.0)));
}

#[test]
fn what_a_process_used_is_counted_though_no_look_or_only_one_saw_it() {
    let (old, stays, judge, mut known) = judges();
    let mut watch = UsageWatch::default();
    watch.look(10 * SECOND, [sample(old, 5), sample(stays, 0)], &mut known);
    watch.hear(&event(process(old), &judge, exit(6)));
    let brief = key(9, 11);
    watch.hear(&event(process(brief), &judge, Payload::Fork));
    watch.hear(&event(process(brief), &judge, exit(1)));
    let usage = watch.look(12 * SECOND, [sample(stays, 0)], &mut known);
    assert_eq!(figure(&usage, "Judge", Metric::CpuPercent), Some(100.0));
    assert_eq!(figure(&usage, "Judge", Metric::SpawnsPerSecond), Some(0.5));
    // Nothing of it again.
    let usage = watch.look(13 * SECOND, [sample(stays, 0)], &mut known);
    assert_eq!(figure(&usage, "Judge", Metric::CpuPercent), Some(0.0));
}

#[test]
fn a_process_too_brief_for_the_scheduler_worked_as_long_as_it_was_there() {
    let (_, stays, judge, mut known) = judges();
    let mut watch = UsageWatch::default();
    watch.look(10 * SECOND, [sample(stays, 0)], &mut known);
    let Payload::Exit(whole) = exit(0) else { panic!("no exit") };
    let unsettled = |runtime_ns| Payload::Exit(Exit { cpu_ns: None, runtime_ns, ..whole });
    let brief = key(9, 10);
    for _ in 0..100 {
        watch.hear(&event(process(brief), &judge, unsettled(SECOND / 200)));
    }
    let usage = watch.look(11 * SECOND, [sample(stays, 0)], &mut known);
    assert_eq!(figure(&usage, "Judge", Metric::CpuPercent), Some(50.0));
    watch.hear(&event(process(brief), &judge, unsettled(SECOND)));
    let usage = watch.look(12 * SECOND, [sample(stays, 0)], &mut known);
    assert_eq!(figure(&usage, "Judge", Metric::CpuPercent), None);
}

/// The exit of a process may be read after a look that did not find it.
#[test]
fn an_exit_that_is_heard_late_is_counted_from_the_last_look_that_saw_it() {
    let (old, stays, judge, mut known) = judges();
    let mut watch = UsageWatch::default();
    watch.look(10 * SECOND, [sample(old, 5), sample(stays, 0)], &mut known);
    watch.look(11 * SECOND, [sample(stays, 0)], &mut known);
    watch.hear(&event(process(old), &judge, exit(6)));
    let usage = watch.look(12 * SECOND, [sample(stays, 0)], &mut known);
    assert_eq!(figure(&usage, "Judge", Metric::CpuPercent), Some(100.0));
}

/// A thread that goes while a look is made hides its process' CPU time from
/// that look; the next one tells the rate since the last that knew.
#[test]
fn a_look_that_missed_the_cpu_time_leaves_it_unknown_once() {
    let (one, stays, _, mut known) = judges();
    let mut watch = UsageWatch::default();
    let samples = |cpu: Option<u64>| {
        let used = cpu.map(|s| Used { cpu_ns: Some(s * SECOND), ..Used::default() });
        [ProcessSample { used, ..sample(one, 0) }, sample(stays, 0)]
    };
    let cpu = |usage: &Usage| figure(usage, "Judge", Metric::CpuPercent);
    watch.look(10 * SECOND, samples(Some(0)), &mut known);
    assert_eq!(cpu(&watch.look(11 * SECOND, samples(None), &mut known)), None);
    assert_eq!(cpu(&watch.look(12 * SECOND, samples(Some(1)), &mut known)), Some(50.0));
    assert_eq!(cpu(&watch.look(13 * SECOND, samples(Some(2)), &mut known)), Some(100.0));
}

#[test]
fn a_part_that_is_unknown_makes_the_sum_unknown() {
    let (one, two, _, mut known) = judges();
    let mut watch = UsageWatch::default();
    let blind = ProcessSample { open_files: None, anon_rss_bytes: None, ..sample(one, 0) };
    let usage = watch.look(SECOND, [blind, sample(two, 0)], &mut known);
    assert_eq!(figure(&usage, "Judge", Metric::OpenFiles), None);
    assert_eq!(figure(&usage, "Judge", Metric::RssBytes), None);
    assert_eq!(usage.machine.figures.get(Metric::OpenFiles), None);
    // A kernel thread has none.
    assert_eq!(usage.machine.figures.get(Metric::RssBytes), Some(1000.0));
}

#[test]
fn descriptors_that_the_look_does_not_tell_are_asked_for() {
    let (one, two, _, mut known) = judges();
    known.open_files = [(one, 5000), (two, 7)].into();
    let mut watch = UsageWatch::default();
    let blind = ProcessSample { open_files: None, ..sample(one, 0) };
    let usage = watch.look(SECOND, [blind, sample(two, 0)], &mut known);
    assert_eq!(figure(&usage, "Judge", Metric::OpenFiles), Some(5003.0));
}

#[test]
fn files_are_counted_for_their_persona_and_their_process() {
    let (one, stays, judge, mut known) = judges();
    let mut watch = UsageWatch::default();
    watch.look(SECOND, [sample(one, 0), sample(stays, 0)], &mut known);
    let created = FileCreate { path: None, path_truncated: false, device: (0, 1), inode: 2 };
    for _ in 0..4 {
        watch.hear(&event(process(one), &judge, Payload::FileCreate(created)));
    }
    let write = FileWrite {
        path: None,
        path_truncated: false,
        device: (0, 1),
        inode: 2,
        write_calls: 10,
        written_bytes: 100,
    };
    watch.hear(&event(process(one), &judge, Payload::FileWrite(write)));
    let usage = watch.look(3 * SECOND, [sample(one, 0), sample(stays, 0)], &mut known);
    let first = usage.personas.first().unwrap().processes.first().unwrap();
    for figures in
        [&first.figures, &usage.personas.first().unwrap().figures, &usage.machine.figures]
    {
        assert_eq!(figures.get(Metric::FilesCreatedPerSecond), Some(2.0));
        assert_eq!(figures.get(Metric::WriteCallsPerSecond), Some(5.0));
        assert_eq!(figures.get(Metric::WrittenBytesPerSecond), Some(50.0));
    }
}

#[test]
fn a_limit_is_a_personas_where_all_its_processes_are_under_it() {
    let (one, two, _, mut known) = judges();
    let other = key(3, 1);
    known.personas.insert(other, persona("Coder"));
    known.limits.insert(b"/ai".to_vec(), MemoryLimit { bytes: 4096, owner: 9 });
    let mut watch = UsageWatch::default();
    let outside = Process { cgroup_path: Some(b"/"), ..process(two) };
    let limit = |usage: &Usage, name: &str| {
        usage.personas.iter().find(|one| one.persona.name == name).unwrap().rss_limit_bytes
    };
    let usage = watch.look(
        SECOND,
        [sample(one, 0), ProcessSample { process: outside, ..sample(two, 0) }, sample(other, 0)],
        &mut known,
    );
    assert_eq!((limit(&usage, "Judge"), limit(&usage, "Coder")), (None, Some(4096)));
}

//! What is asked is answered: what was put in comes out.

use std::{collections::BTreeMap, ops::ControlFlow};

use genome_trace::{
    model::{
        Argv, CrashKind, Ending, Event, EventKind, Exec, Exit, FileWrite, Gap, GapReason, Lost,
        Metric, Payload, Persona, Process, ProcessKey, ProcessRecord, RollUp, Sample, SampleSource,
        Signal, SignalNumber, TimeRange, WallTime, Watch,
    },
    store::{
        CrashId, CrashQuery, EventQuery, History as _, Item, Reader, Resolution, SampleQuery,
        Store as _, Writer,
    },
};

use crate::parts::{LONG, close, crash, exit_at, now, reader, writer};

const KEY: ProcessKey = ProcessKey { tgid: 42, start_time: 6_000 };

fn at(base: WallTime, ns: i64) -> WallTime {
    WallTime { unix_ns: base.unix_ns + ns }
}

fn range(base: WallTime, from: i64, until: i64) -> TimeRange {
    TimeRange { from: at(base, from), until: at(base, until) }
}

fn process(tid: Option<u32>, comm: &[u8]) -> Option<Process<'_>> {
    Some(Process {
        key: KEY,
        tid,
        ppid: Some(41),
        uid: None,
        comm: Some(comm),
        cgroup_path: Some(b"/ai/\xff"),
        watch: Watch::default(),
    })
}

fn exec<'a>() -> Exec<'a> {
    Exec {
        exe: Some(b"/usr/bin/python3"),
        exe_truncated: false,
        argv: Some(Argv { block: b"python3\0worker.py\0" }),
        argv_truncated: true,
        environment: None,
        environment_truncated: false,
    }
}

const EXIT: Exit = Exit {
    ending: Ending::Signaled { signal: SignalNumber(11), core_dumped: true },
    runtime_ns: 94_000,
    cpu_ns: None,
    peak_rss_bytes: Some(1 << 40),
    write_calls: Some(0),
    written_bytes: Some(0),
    threads: Some(8),
    open_files: None,
    vram: None,
};

/// The life of a process; two events have the same nanosecond.
fn life<'a>(base: WallTime, persona: &'a Persona) -> Vec<Event<'a>> {
    let event = |ns: i64, process, persona, payload| Event {
        ktime_ns: 6_000 + ns.unsigned_abs(),
        wall_time: at(base, ns),
        process,
        persona,
        persona_root: None,
        payload,
    };
    let signal = Signal {
        signal: SignalNumber(11),
        code: -6,
        sender_tgid: Some(9),
        sender_comm: Some(b"kill"),
        rss_bytes: Some(1 << 30),
        threads: Some(8),
        open_files: None,
        stack: None,
    };
    let write = FileWrite {
        path: Some(b"/data/out"),
        path_truncated: false,
        device: (259, 1),
        inode: u64::MAX,
        write_calls: 3,
        written_bytes: 4096,
    };
    let lost = Lost { exec: 1, skipped: u64::MAX, ..Lost::default() };
    vec![
        event(10, process(Some(42), b"bash"), None, Payload::Fork),
        event(20, process(Some(42), b"python3"), Some(persona), Payload::Exec(exec())),
        event(20, process(Some(43), b"python3"), Some(persona), Payload::Signal(signal)),
        event(30, process(None, b"python3"), Some(persona), Payload::FileWrite(write)),
        event(40, None, None, Payload::Lost(lost)),
        event(100, process(Some(43), b"python3"), Some(persona), Payload::Exit(EXIT)),
    ]
}

fn read(reader: &Reader, query: &EventQuery) -> Vec<String> {
    let mut lines = Vec::new();
    reader
        .events(query, &mut |event| {
            lines.push(format!("{event:?}"));
            ControlFlow::Continue(())
        })
        .unwrap();
    lines
}

#[test]
fn events_come_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let base = now();
    let persona = Persona { name: "Judge".to_owned(), genome_id: Some("a3f9".to_owned()) };
    let events = life(base, &persona);
    let writer = writer(folder.path());
    events.iter().for_each(|event| writer.push(Item::event(event)));
    writer.flush(LONG).unwrap();
    let reader = reader(folder.path());
    let wanted: Vec<String> = events.iter().map(|event| format!("{event:?}")).collect();
    let all = EventQuery::all(TimeRange::ALL);
    assert_eq!(read(&reader, &all), wanted);
    assert_eq!(read(&reader, &EventQuery::all(range(base, 20, 40))), wanted[1..4]);
    let kinds = EventQuery { kinds: vec![EventKind::Fork, EventKind::Exit], ..all.clone() };
    assert_eq!(read(&reader, &kinds), [wanted[0].clone(), wanted[5].clone()]);
    let of_persona = EventQuery { persona: Some("Judge".to_owned()), ..all.clone() };
    assert_eq!(read(&reader, &of_persona).len(), 4);
    let of_nobody = EventQuery { key: Some(ProcessKey { tgid: 1, start_time: 0 }), ..all.clone() };
    assert_eq!(read(&reader, &of_nobody), Vec::<String>::new());
    let mut count = 0;
    reader
        .events(&all, &mut |_| {
            count += 1;
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(count, 1);

    let record = ProcessRecord {
        key: KEY,
        ppid: Some(41),
        uid: None,
        persona: Some(persona.clone()),
        comm: Some(b"python3".as_slice().into()),
        cgroup_path: Some(b"/ai/\xff".as_slice().into()),
        exe: Some(b"/usr/bin/python3".as_slice().into()),
        argv: Some(b"python3\0worker.py\0".as_slice().into()),
        started: Some(base),
        ended: Some(at(base, 100)),
        ending: Some(EXIT.ending),
    };
    assert_eq!(reader.process(KEY).unwrap(), Some(record));
    assert_eq!(reader.process(ProcessKey { tgid: 1, start_time: 0 }).unwrap(), None);
    close(writer);
}

#[test]
fn what_is_known_of_a_process_grows_over_batches() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(folder.path());
    let known =
        ProcessRecord { comm: Some(b"bash".as_slice().into()), ..ProcessRecord::unknown(KEY) };
    writer.push(Item::Process(Box::new(known)));
    writer.flush(LONG).unwrap();
    let reader = reader(folder.path());
    assert_eq!(reader.process(KEY).unwrap().unwrap().comm.as_deref(), Some(b"bash".as_slice()));
    let persona = Persona { name: "Judge".to_owned(), genome_id: None };
    let payload = Payload::Exec(Exec { exe: None, argv: None, ..exec() });
    for payload in [Payload::Exec(exec()), payload, Payload::Exit(EXIT)] {
        writer.push(Item::event(&Event {
            ktime_ns: 7_000,
            wall_time: now(),
            process: process(None, b"python3"),
            persona: Some(&persona),
            persona_root: None,
            payload,
        }));
        writer.flush(LONG).unwrap();
    }
    let found = reader.process(KEY).unwrap().unwrap();
    // The second program's path is unknown; the first one's is not its.
    assert_eq!(found.exe, None);
    assert_eq!(found.comm.as_deref(), Some(b"python3".as_slice()));
    assert_eq!(found.ending, Some(EXIT.ending));
    assert_eq!(found.persona, Some(persona));
    close(writer);
}

#[test]
fn crashes_by_time_persona_and_kind() {
    let folder = tempfile::tempdir().unwrap();
    let base = now();
    let crashes = [
        crash(at(base, 0), "Judge", CrashKind::Oom),
        crash(at(base, 10), "Coder", CrashKind::Killed),
        crash(at(base, 20), "Judge", CrashKind::ErrorExit),
    ];
    let writer = writer(folder.path());
    crashes.iter().for_each(|crash| writer.push(Item::Crash(Box::new(crash.clone()))));
    writer.flush(LONG).unwrap();
    let reader = reader(folder.path());
    let find = |query: &CrashQuery| -> Vec<i64> {
        let found = reader.crashes(query).unwrap();
        found.iter().map(|found| found.crash.wall_time.unix_ns - base.unix_ns).collect()
    };
    let all = CrashQuery::all(TimeRange::ALL);
    assert_eq!(find(&all), [20, 10, 0]);
    assert_eq!(find(&CrashQuery::all(range(base, 0, 20))), [10, 0]);
    assert_eq!(find(&CrashQuery { persona: Some("Judge".to_owned()), ..all.clone() }), [20, 0]);
    assert_eq!(find(&CrashQuery { genome_id: Some("b".to_owned()), ..all.clone() }), [0_i64; 0]);
    let kinds = vec![CrashKind::Oom, CrashKind::Killed];
    assert_eq!(find(&CrashQuery { kinds, ..all.clone() }), [10, 0]);
    assert_eq!(find(&CrashQuery { limit: Some(1), ..all.clone() }), [20]);
    let found = reader.crashes(&all).unwrap();
    assert_eq!(found[2].crash, crashes[0]);
    assert_eq!(reader.crash(found[2].id).unwrap().as_ref(), Some(&found[2]));
    assert_eq!(reader.crash(CrashId(999)).unwrap(), None);
    close(writer);
}

#[test]
fn gaps_and_when_recorders_ran() {
    let folder = tempfile::tempdir().unwrap();
    let before = now();
    let first = writer(folder.path());
    let gap = Gap {
        from: at(before, 100),
        until: at(before, 200),
        reason: GapReason::Lost,
        missing: Some(BTreeMap::from([("exec".to_owned(), 3)])),
        note: None,
    };
    first.push(Item::Gap(Box::new(gap.clone())));
    close(first);
    let second = writer(folder.path());
    second.flush(LONG).unwrap();
    let reader = reader(folder.path());
    let runs = reader.coverage().unwrap();
    assert_eq!(runs.iter().map(|run| run.ended_orderly).collect::<Vec<_>>(), [true, false]);
    assert!(runs[0].from >= before && runs[0].until <= runs[1].from);
    let between = Gap {
        from: runs[0].until,
        until: runs[1].from,
        reason: GapReason::NotRunning,
        missing: None,
        note: None,
    };
    assert_eq!(reader.gaps(TimeRange::ALL).unwrap(), [gap.clone(), between]);
    assert_eq!(reader.gaps(range(before, 150, 160)).unwrap(), [gap]);
    assert_eq!(reader.gaps(range(before, 0, 100)).unwrap(), []);
    close(second);
}

#[test]
fn samples_by_time_persona_and_metric() {
    let folder = tempfile::tempdir().unwrap();
    let base = now();
    let whole = SampleSource {
        persona: Some(Persona { name: "Judge".to_owned(), genome_id: None }),
        key: None,
    };
    let one = SampleSource { key: Some(KEY), ..whole.clone() };
    let writer = writer(folder.path());
    let sample = |ns, source: &SampleSource, metric, value| Sample {
        wall_time: at(base, ns),
        source: source.clone(),
        metric,
        value,
    };
    for sample in [
        sample(0, &whole, Metric::RssBytes, 100.0),
        sample(0, &one, Metric::RssBytes, 60.0),
        sample(10, &whole, Metric::RssBytes, 120.0),
        sample(10, &whole, Metric::CpuPercent, 5.5),
    ] {
        writer.push(Item::Sample(Box::new(sample)));
    }
    writer.flush(LONG).unwrap();
    let reader = reader(folder.path());
    let all = SampleQuery::all(TimeRange::ALL, Resolution::Moment);
    let find = |query: &SampleQuery| -> Vec<f64> {
        reader.samples(query).unwrap().iter().map(|sample| sample.last).collect()
    };
    assert_eq!(find(&all), [100.0, 60.0, 120.0, 5.5]);
    assert_eq!(find(&SampleQuery { metric: Some(Metric::CpuPercent), ..all.clone() }), [5.5]);
    assert_eq!(find(&SampleQuery { range: range(base, 0, 10), ..all.clone() }), [100.0, 60.0]);
    assert_eq!(find(&SampleQuery { persona: Some("Coder".to_owned()), ..all.clone() }), [0.0; 0]);
    let of_one = SampleQuery { key: Some(KEY), ..all };
    let wanted = RollUp {
        wall_time: base,
        source: one,
        metric: Metric::RssBytes,
        count: 1,
        min: 60.0,
        max: 60.0,
        last: 60.0,
        average: 60.0,
    };
    assert_eq!(reader.samples(&of_one).unwrap(), [wanted]);
    close(writer);
}

#[test]
fn events_of_one_moment_keep_it() {
    let folder = tempfile::tempdir().unwrap();
    let moment = now();
    let first = writer(folder.path());
    let push = |writer: &Writer, from: u64| {
        (from..from + 1000).for_each(|number| writer.push(exit_at(7, number, moment)));
        writer.flush(LONG).unwrap();
    };
    push(&first, 0);
    push(&first, 1000);
    close(first);
    // This one does not know which times are taken.
    let second = writer(folder.path());
    push(&second, 2000);
    let mut found = Vec::new();
    reader(folder.path())
        .events(&EventQuery::all(TimeRange::ALL), &mut |event| {
            assert_eq!(event.wall_time, moment);
            found.push(event.ktime_ns);
            ControlFlow::Continue(())
        })
        .unwrap();
    found.sort_unstable();
    assert!(found.into_iter().eq(0..3000));
    close(second);
}

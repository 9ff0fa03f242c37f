//! What the tests share: a store in a temporary folder, and things to put
//! into it.

use std::{ops::ControlFlow, path::Path, time::Duration};

use genome_trace::{
    model::{
        Crash, CrashKind, CrashMemory, Ending, Event, Evidence, Exit, Known, Payload, Persona,
        Process, ProcessKey, SignalNumber, TimeRange, WallTime, Watch,
    },
    store::{EventQuery, History as _, Item, Place, Reader, Store as _, Writer, WriterOptions},
};

/// Longer than any disk takes; a test that waits for so long has failed.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) fn writer(folder: &Path) -> Writer {
    Writer::open(Place::new(folder), options()).unwrap()
}

pub(crate) fn options() -> WriterOptions {
    WriterOptions::new("3e0b5b4e-0000-4000-8000-000000000001")
}

pub(crate) fn reader(folder: &Path) -> Reader {
    Reader::open(Place::new(folder)).unwrap()
}

pub(crate) fn now() -> WallTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    WallTime { unix_ns: since.as_nanos().try_into().unwrap() }
}

/// The end of process `tgid`; `number` is its time on the boot clock.
pub(crate) fn exit(tgid: u32, number: u64) -> Item {
    exit_at(tgid, number, now())
}

pub(crate) fn exit_at(tgid: u32, number: u64, wall_time: WallTime) -> Item {
    let persona = Persona { name: "Judge".to_owned(), genome_id: Some("a3f9".to_owned()) };
    Item::event(&Event {
        ktime_ns: number,
        wall_time,
        process: Some(Process {
            key: ProcessKey { tgid, start_time: 1 },
            tid: Some(tgid),
            ppid: Some(1),
            uid: Some(1000),
            comm: Some(b"python3"),
            cgroup_path: Some(b"/ai/code"),
            watch: Watch::default(),
        }),
        persona: Some(&persona),
        persona_root: None,
        payload: Payload::Exit(Exit {
            ending: Ending::Exited { code: 0 },
            runtime_ns: number,
            cpu_ns: Some(3_000_000),
            peak_rss_bytes: Some(80 << 20),
            write_calls: Some(12),
            written_bytes: Some(12_000),
            threads: Some(1),
            open_files: Some(5),
            vram: None,
        }),
    })
}

pub(crate) fn crash(at: WallTime, persona: &str, kind: CrashKind) -> Crash {
    Crash {
        persona: Some(persona.to_owned()),
        genome_id: Some("a3f9".to_owned()),
        comm: Some("python3".to_owned()),
        argv: Some(vec!["python3".to_owned(), "worker.py".to_owned()]),
        ending: Some(Ending::Signaled { signal: SignalNumber(9), core_dumped: false }),
        evidence: vec![Evidence { known: Known::Observed, text: "mark_victim".to_owned() }],
        memory: CrashMemory { rss_bytes: Some(1 << 30), ..CrashMemory::default() },
        ..Crash::new(
            at,
            7,
            ProcessKey { tgid: 42, start_time: 6 },
            kind,
            "out of memory".to_owned(),
        )
    }
}

/// The numbers of a process' exits in a store, in their order there.
pub(crate) fn numbers(reader: &Reader, tgid: u32) -> Vec<u64> {
    let mut numbers = Vec::new();
    let query = EventQuery {
        key: Some(ProcessKey { tgid, start_time: 1 }),
        ..EventQuery::all(TimeRange::ALL)
    };
    reader
        .events(&query, &mut |event| {
            numbers.push(event.ktime_ns);
            ControlFlow::Continue(())
        })
        .unwrap();
    numbers
}

/// Tells an orderly end from one that left something out.
pub(crate) fn close(writer: Writer) {
    let status = writer.status();
    writer.close().unwrap_or_else(|error| panic!("{error}: {status:?}"));
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

//! What an event costs on its way from the bytes of a ring to a line, stage by
//! stage, on streams of real runs (`recordings/`). Each figure is of a whole
//! pass; the item rate is per event. `cargo bench -p genome-trace` shows the
//! allocations of a pass, too: after the first pass there should be hardly any.
#![allow(missing_docs)]

use std::{hint::black_box, io, process::ExitCode};

use divan::{AllocProfiler, Bencher, counter::ItemsCount};
use genome_trace::{
    detect::{Baselines, DetectPolicy, Detectors},
    model::{Event, FileCreate, Payload, Persona, Process, ProcessKey, WallTime, Watch},
    persona::{RuleFile, Rules},
    pipeline::{Attribution, Failure, Filter, Replay},
    render::line::LineStyle,
    sink::{JsonLines, Sink, Terminal},
    wire::{
        Decoded, Decoder,
        recording::{Item, Recording},
    },
};
use jiff::tz::TimeZone;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const STREAMS: [&str; 3] = ["storm", "mixed", "files"];

/// Rules as a user has them; the last one matches the storm.
const RULES: &str = r#"
[[persona]]
name = "CodeExpert-${lora}"
genome_id = "${lora}"
exe = '/usr/bin/python3.*'
argv = '--lora (?<lora>\S+)'

[[persona]]
name = "Judge"
unit = 'judge\.service'

[[persona]]
name = "Storm"
exe = '/usr/(local/)?bin/true'
cgroup = '/ai(/.*)?'
"#;

fn main() -> ExitCode {
    for stream in STREAMS {
        if let Err(error) = Recording::parse(bytes(stream)) {
            eprintln!("{stream}: {error}");
            return ExitCode::FAILURE;
        }
    }
    divan::main();
    ExitCode::SUCCESS
}

fn bytes(stream: &str) -> &'static [u8] {
    match stream {
        "storm" => include_bytes!("../recordings/storm.gtr"),
        "files" => include_bytes!("../recordings/files.gtr"),
        _ => include_bytes!("../recordings/mixed.gtr"),
    }
}

/// Takes events and does nothing.
struct Nowhere;

impl Sink for Nowhere {
    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        black_box(event);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[divan::bench(args = STREAMS)]
fn decode(bencher: Bencher<'_, '_>, stream: &str) {
    let Ok(Recording { context, items }) = Recording::parse(bytes(stream)) else { return };
    let mut decoder = Decoder::default();
    bencher.counter(ItemsCount::new(items.len())).bench_local(|| {
        for item in &items {
            match item {
                Item::Lifecycle(record) | Item::Io(record) => {
                    let decoded: Result<Decoded<'_>, _> = decoder.decode(record, &context);
                    let _ = black_box(decoded);
                }
                Item::Count(counted) => {
                    black_box(decoder.counted(*counted, &context));
                }
            }
        }
    });
}

#[divan::bench(args = STREAMS)]
fn decode_attribute(bencher: Bencher<'_, '_>, stream: &str) {
    replay(bencher, stream, Nowhere);
}

#[divan::bench(args = STREAMS)]
fn decode_attribute_json(bencher: Bencher<'_, '_>, stream: &str) {
    replay(bencher, stream, JsonLines::new(io::sink(), "worker-1"));
}

/// As the one before it, and detectors hear of everything, too.
#[divan::bench(args = STREAMS)]
fn decode_attribute_detect_json(bencher: Bencher<'_, '_>, stream: &str) {
    let detectors = Detectors::new(&DetectPolicy::default(), Baselines::default());
    replay_with(bencher, stream, JsonLines::new(io::sink(), "worker-1"), Some(detectors));
}

/// Detectors alone: ten thousand new files of a persona, by one process, and by
/// a hundred in folders of their own.
#[divan::bench(args = [1, 100])]
fn detect_new_files(bencher: Bencher<'_, '_>, processes: u32) {
    const FILES: u32 = 10_000;
    let paths: Vec<_> = (0..FILES)
        .map(|number| {
            let folder = number % processes;
            format!("/srv/ai/workspace/results/{folder}/answer-{number:06}.json")
        })
        .collect();
    let persona = Persona { name: "CodeExpert".to_owned(), genome_id: None };
    let mut detectors = Detectors::new(&DetectPolicy::default(), Baselines::default());
    let mut ktime_ns = 1_000_000_000_000;
    bencher.counter(ItemsCount::new(FILES)).bench_local(|| {
        for (number, path) in (0..).zip(&paths) {
            ktime_ns += 10_000;
            let key = ProcessKey { tgid: 1000 + number % processes, start_time: 1 };
            detectors.hear(black_box(&Event {
                ktime_ns,
                wall_time: WallTime { unix_ns: 0 },
                process: Some(Process {
                    key,
                    tid: Some(key.tgid),
                    ppid: Some(1),
                    uid: Some(1000),
                    comm: Some(b"python3"),
                    cgroup_path: None,
                    watch: Watch::default(),
                }),
                persona: Some(&persona),
                persona_root: None,
                payload: Payload::FileCreate(FileCreate {
                    path: Some(path.as_bytes()),
                    path_truncated: false,
                    device: (8, 1),
                    inode: u64::from(number),
                }),
            }));
        }
    });
}

#[divan::bench(args = STREAMS)]
fn decode_attribute_table(bencher: Bencher<'_, '_>, stream: &str) {
    let style = LineStyle { color: true, width: Some(120), time_zone: TimeZone::UTC };
    replay(bencher, stream, Terminal::new(io::sink(), style));
}

fn replay(bencher: Bencher<'_, '_>, stream: &str, sink: impl Sink) {
    replay_with(bencher, stream, sink, None);
}

fn replay_with(
    bencher: Bencher<'_, '_>,
    stream: &str,
    sink: impl Sink,
    detectors: Option<Detectors>,
) {
    let Ok(Recording { context, items }) = Recording::parse(bytes(stream)) else { return };
    let Ok(rules) = RuleFile::parse("bench.toml", RULES) else { return };
    let attribution = Attribution::of_recording(Rules::new(vec![rules]));
    let mut replay = Replay::new(attribution, Filter::default(), sink);
    if let Some(detectors) = detectors {
        replay = replay.with_detectors(detectors);
    }
    let mut pass = || -> Result<(), Failure> {
        for item in &items {
            replay.pass(item, &context)?;
        }
        replay.flush()
    };
    // What grows once has grown then; a stream that fails fails here.
    if pass().and_then(|()| pass()).is_err() {
        eprintln!("{stream}: a record cannot be passed on");
        return;
    }
    bencher.counter(ItemsCount::new(items.len())).bench_local(|| {
        let _ = black_box(pass());
    });
}

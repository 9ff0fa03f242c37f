//! The way of an event allocates nothing once what grows has grown: a recorded
//! stream is passed on again and again, and the allocator counts.
//!
//! What may allocate is an exec whose facts need more room than any before it,
//! and one that a rule with groups in its pattern decides on.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    collections::BTreeMap,
    io,
    rc::Rc,
    sync::{Mutex, PoisonError},
};

use genome_trace::{
    detect::{Baselines, CrashPolicy, CrashWatch, DetectPolicy, Detectors},
    model::{Event, EventKind},
    persona::{RuleFile, Rules},
    pipeline::{Attribution, Filter, Replay},
    render::line::LineStyle,
    sink::{JsonLines, Sink, Terminal},
    wire::recording::Recording,
};
use jiff::tz::TimeZone;

/// The system's allocator, and how often this thread asked it for memory.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

fn count_one() {
    // A thread that is ending has nothing left to count in, and is not ours.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count_one();
        // SAFETY: the caller's promises are those that it asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count_one();
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const STORM: &[u8] = include_bytes!("../recordings/storm.gtr");
const MIXED: &[u8] = include_bytes!("../recordings/mixed.gtr");
const FILES: &[u8] = include_bytes!("../recordings/files.gtr");

const LIFE: [EventKind; 3] = [EventKind::Fork, EventKind::Exec, EventKind::Exit];
const ALL: [EventKind; 8] = [
    EventKind::Fork,
    EventKind::Exec,
    EventKind::Exit,
    EventKind::Signal,
    EventKind::OomKill,
    EventKind::FileCreate,
    EventKind::FileWrite,
    EventKind::FileUnlink,
];

/// The second one matches the storm.
const RULES: &str = r#"
[[persona]]
name = "CodeExpert-${lora}"
exe = '/usr/bin/python3.*'
argv = '--lora (?<lora>\S+)'

[[persona]]
name = "Storm"
exe = '/usr/(local/)?bin/true'
cgroup = '/ai(/.*)?'
"#;

/// A sink that notes of which kind the last event was.
struct Noting<S> {
    sink: S,
    last: Rc<Cell<Option<EventKind>>>,
}

impl<S: Sink> Sink for Noting<S> {
    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.last.set(Some(event.kind()));
        self.sink.event(event)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// Events and allocations by kind, of the last of three passes.
type Found = BTreeMap<EventKind, (u64, u64)>;

/// Two threads that use a regular expression at once may each allocate memory
/// for its search; the tracer is one thread.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn measure(stream: &[u8], rules: &str, sink: impl Sink) -> Found {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let Recording { context, items } = Recording::parse(stream).unwrap();
    let last = Rc::new(Cell::new(None));
    let sink = Noting { sink, last: last.clone() };
    let rules = Rules::new(vec![RuleFile::parse("rules.toml", rules).unwrap()]);
    let mut replay = Replay::new(Attribution::of_recording(rules), Filter::default(), sink);
    let mut found = Found::new();
    for _ in 0..3 {
        found = EventKind::ALL.into_iter().map(|kind| (kind, (0, 0))).collect();
        for item in &items {
            last.set(None);
            let before = allocations();
            replay.pass(item, &context).unwrap();
            let allocated = allocations() - before;
            match last.get() {
                Some(kind) => {
                    let (events, sum) = found.get_mut(&kind).unwrap();
                    *events += 1;
                    *sum += allocated;
                }
                None => assert_eq!(allocated, 0, "a record that is no event: {item:?}"),
            }
        }
        replay.flush().unwrap();
    }
    found
}

fn assert_none(found: &Found, expected: &[EventKind]) {
    for kind in expected {
        let (events, allocated) = found[kind];
        assert!(events > 0, "the stream has no {kind}");
        assert_eq!(allocated, 0, "allocations of {events} events {kind}");
    }
}

fn json() -> impl Sink {
    JsonLines::new(io::sink(), "worker-1")
}

fn table() -> impl Sink {
    let style = LineStyle { color: true, width: Some(120), time_zone: TimeZone::UTC };
    Terminal::new(io::sink(), style)
}

/// Judges ends, and writes nothing.
struct Judging(CrashWatch);

impl Sink for Judging {
    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.0.hear(event);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Watches for what goes wrong, and writes nothing.
struct Detecting(Detectors);

impl Sink for Detecting {
    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.0.hear(event);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn detecting() -> impl Sink {
    Detecting(Detectors::new(&DetectPolicy::default(), Baselines::default()))
}

#[test]
fn the_allocator_counts() {
    let before = allocations();
    drop(std::hint::black_box(vec![1_u8]));
    assert_eq!(allocations() - before, 1);
}

#[test]
fn a_storm_of_processes_allocates_nothing() {
    assert_none(&measure(STORM, RULES, json()), &LIFE);
    assert_none(&measure(STORM, RULES, table()), &LIFE);
}

#[test]
fn nor_does_one_of_processes_that_are_nobodys() {
    assert_none(&measure(STORM, "", json()), &LIFE);
}

#[test]
fn nor_does_any_other_event() {
    assert_none(&measure(MIXED, "", json()), &ALL);
    assert_none(&measure(MIXED, RULES, table()), &ALL);
}

#[test]
fn whether_an_end_of_nobodys_was_a_crash_costs_nothing() {
    let watch = CrashWatch::new(CrashPolicy::default());
    assert_none(&measure(STORM, "", Judging(watch)), &LIFE);
}

#[test]
fn nor_does_watching_for_what_goes_wrong() {
    assert_none(&measure(STORM, RULES, detecting()), &LIFE);
    assert_none(&measure(MIXED, RULES, detecting()), &ALL);
    let kinds = [EventKind::FileCreate, EventKind::FileWrite];
    assert_none(&measure(FILES, "", detecting()), &kinds);
}

#[test]
fn a_name_made_of_groups_costs_a_few_allocations_at_each_exec() {
    // The regular expression's groups, the list of what they took, the name as
    // it is put together (it may grow) and as it is kept.
    const AT_MOST: u64 = 8;
    let rules = r"
[[persona]]
name = 'Storm-${number}'
argv = ' storm-(?<number>\d)'
";
    let found = measure(STORM, rules, json());
    assert_none(&found, &[EventKind::Fork, EventKind::Exit]);
    let (events, allocated) = found[&EventKind::Exec];
    assert!(allocated <= events * AT_MOST, "{allocated} allocations of {events} execs");
}

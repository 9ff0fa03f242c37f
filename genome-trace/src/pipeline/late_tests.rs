//! Ends, and what comes after them, with a clock of the tests' own.

use super::*;
use crate::{
    detect::{CrashPolicy, CrashWatch},
    model::{
        CrashKind, Ending, Exit, FileWrite, GpuName, GpuXid, Payload, Persona, Process, ProcessKey,
        Signal, SignalNumber, SymbolizedFrame, UserStack, VramAtDeath, VramPeakSource, WallTime,
        Watch, XidTie, xid_meaning,
    },
    symbolize::{StackAnswer, Symbolizer},
};

const FIRST: ProcessKey = ProcessKey { tgid: 7, start_time: 1_000_000_000 };
/// The same number, used again.
const SECOND: ProcessKey = ProcessKey { tgid: 7, start_time: 3_000_000_000 };

fn event(key: ProcessKey, ktime_ns: u64, payload: Payload<'_>) -> Event<'_> {
    Event {
        ktime_ns,
        wall_time: WallTime { unix_ns: 6 },
        process: Some(Process {
            key,
            tid: None,
            ppid: None,
            uid: None,
            comm: None,
            cgroup_path: None,
            watch: Watch::default(),
        }),
        persona: None,
        persona_root: None,
        payload,
    }
}

fn of<'e>(persona: &'e Persona, event: Event<'e>) -> Event<'e> {
    let persona_root = event.process.as_ref().map(|process| process.key);
    Event { persona: Some(persona), persona_root, ..event }
}

fn persona() -> Persona {
    Persona { name: "CodeExpert".to_owned(), genome_id: None }
}

fn ended(ending: Ending, peak_bytes: u64) -> Payload<'static> {
    let vram = VramAtDeath {
        bytes: Some(peak_bytes),
        peak_bytes: Some(peak_bytes),
        peak_source: VramPeakSource::Samples,
        age_ns: 1,
    };
    Payload::Exit(Exit {
        ending,
        runtime_ns: 4,
        cpu_ns: None,
        peak_rss_bytes: None,
        write_calls: None,
        written_bytes: None,
        threads: None,
        open_files: None,
        vram: Some(vram),
    })
}

fn aborted(peak_bytes: u64) -> Payload<'static> {
    ended(Ending::Signaled { signal: SignalNumber(6), core_dumped: false }, peak_bytes)
}

fn xid() -> Payload<'static> {
    Payload::GpuXid(GpuXid {
        xid: Some(31),
        meaning: xid_meaning(31),
        gpu: GpuName { index: Some(0), ..GpuName::default() },
        tie: Some(XidTie::Driver),
        driver_tgid: Some(7),
        driver_comm: None,
        message: None,
        vram_bytes: None,
    })
}

const fn wrote(path: &[u8]) -> Payload<'_> {
    Payload::FileWrite(FileWrite {
        path: Some(path),
        path_truncated: false,
        device: (8, 1),
        inode: 1,
        write_calls: 1,
        written_bytes: 1,
    })
}

/// A thread that names nothing: the tests answer in its place.
fn stacks() -> Option<Stacks> {
    Some(Stacks::new(Symbolizer::start(|_| false).unwrap()))
}

/// A stack of one address, as the kernel gives it.
fn frame(address: u64) -> Vec<u8> {
    const BY_ADDRESS: u32 = 2;
    [&BY_ADDRESS.to_ne_bytes()[..], &[0; 20], &address.to_ne_bytes()].concat()
}

fn fault(block: &[u8]) -> Payload<'_> {
    Payload::Signal(Signal {
        signal: SignalNumber(6),
        code: 1,
        sender_tgid: None,
        sender_comm: None,
        rss_bytes: None,
        threads: None,
        open_files: None,
        stack: Some(UserStack { block }),
    })
}

fn answer(key: ProcessKey, function: &str) -> StackAnswer {
    let frame = SymbolizedFrame {
        function: Some(function.to_owned()),
        module: None,
        file: None,
        line: None,
        build_id: None,
        offset: 16,
        is_inlined: false,
    };
    StackAnswer { key, frames: vec![frame] }
}

fn all(late: &mut Late, stacks: &mut Option<Stacks>, phase: Phase) -> Vec<Crash> {
    std::iter::from_fn(|| late.next(stacks, phase)).map(|crash| *crash).collect()
}

/// Its driver's error comes when another process has its number, has ended,
/// too, and has said something else.
#[test]
fn an_error_after_the_end_is_of_the_process_that_had_the_number_then() {
    let (mut late, mut stacks) = (Late::default(), stacks());
    let mut watch = CrashWatch::new(CrashPolicy::default());
    let now = Instant::now();
    for (key, at, function, said) in
        [(FIRST, 2_000_000_000, "first", &b"one"[..]), (SECOND, 3_100_000_000, "second", b"two")]
    {
        let block = frame(key.start_time);
        let signal = event(key, at, fault(&block));
        stacks.as_mut().unwrap().hear(&signal);
        assert!(watch.hear(&signal).is_none());
        let end = event(key, at + 1, aborted(9));
        late.hear(&end);
        late.add(watch.hear(&end).unwrap(), Some(said.to_vec()), now);
        assert_eq!(all(&mut late, &mut stacks, Phase::Running(now)), []);
        stacks.as_mut().unwrap().answered(answer(key, function));
    }
    assert_eq!(all(&mut late, &mut stacks, Phase::Running(now)), [], "the driver may tell");
    late.hear(&event(FIRST, 3_200_000_000, xid()));
    let told = all(&mut late, &mut stacks, Phase::Running(now));
    let [first] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((first.key, first.kind), (FIRST, CrashKind::GpuFault));
    assert_eq!(first.stderr_tail.as_deref(), Some("one"));
    assert_eq!(first.stack.as_deref().unwrap_or_default(), ["first"]);
    let later = Phase::Running(now + DRIVER_PATIENCE);
    let told = all(&mut late, &mut stacks, later);
    let [second] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((second.key, second.kind), (SECOND, CrashKind::FatalSignal));
    assert_eq!(second.stderr_tail.as_deref(), Some("two"));
    assert_eq!(second.stack.as_deref().unwrap_or_default(), ["second"]);
    assert!(late.is_empty());
}

#[test]
fn who_held_no_gpu_memory_does_not_wait_and_who_did_waits_for_a_while() {
    let (mut late, mut watch) = (Late::default(), CrashWatch::new(CrashPolicy::default()));
    let now = Instant::now();
    for (key, peak_bytes) in [(FIRST, 9), (SECOND, 0)] {
        late.add(watch.hear(&event(key, 5, aborted(peak_bytes))).unwrap(), None, now);
    }
    let told = all(&mut late, &mut None, Phase::Running(now));
    assert_eq!(told.iter().map(|crash| crash.key).collect::<Vec<_>>(), [SECOND]);
    let almost = now + DRIVER_PATIENCE.saturating_sub(Duration::from_nanos(1));
    assert_eq!(all(&mut late, &mut None, Phase::Running(almost)), []);
    let told = all(&mut late, &mut None, Phase::Running(now + DRIVER_PATIENCE));
    assert_eq!(told.iter().map(|crash| crash.key).collect::<Vec<_>>(), [FIRST]);
}

/// An exit code of nobody's is a crash by a GPU's error alone.
#[test]
fn an_end_that_turns_out_to_be_none_is_dropped_with_all_that_it_had() {
    let (mut late, mut stacks) = (Late::default(), stacks());
    let mut watch = CrashWatch::new(CrashPolicy::default());
    let now = Instant::now();
    let block = frame(16);
    stacks.as_mut().unwrap().hear(&event(FIRST, 4, fault(&block)));
    stacks.as_mut().unwrap().answered(answer(FIRST, "caught"));
    let end = watch.hear(&event(FIRST, 5, ended(Ending::Exited { code: 1 }, 9))).unwrap();
    late.add(end, Some(b"one".to_vec()), now);
    let later = Phase::Running(now + DRIVER_PATIENCE);
    assert_eq!(all(&mut late, &mut stacks, later), []);
    assert!(late.is_empty());
    assert_eq!(stacks.as_mut().unwrap().take(FIRST), None);
}

#[test]
fn the_last_files_are_those_of_the_flush_that_follows_the_end() {
    let (mut late, mut watch) = (Late::default(), CrashWatch::new(CrashPolicy::default()));
    let (persona, now) = (persona(), Instant::now());
    let end = |key, late: &mut Late, watch: &mut CrashWatch| {
        late.add(watch.hear(&of(&persona, event(key, 5, aborted(0)))).unwrap(), None, now);
    };
    assert!(!late.flush_begins());
    end(FIRST, &mut late, &mut watch);
    late.flushed();
    assert_eq!(all(&mut late, &mut None, Phase::Running(now)), [], "that flush was before it");
    assert!(late.flush_begins());
    // One that ends while it goes on may have written since.
    end(SECOND, &mut late, &mut watch);
    for (key, path) in [(FIRST, &b"/one"[..]), (SECOND, b"/two"), (FIRST, b"/three")] {
        late.hear(&of(&persona, event(key, 6, wrote(path))));
    }
    assert_eq!(all(&mut late, &mut None, Phase::Running(now)), [], "not all of it was told");
    late.flushed();
    let told = all(&mut late, &mut None, Phase::Running(now));
    let [first] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(first.key, FIRST);
    assert_eq!(first.files.as_ref().unwrap().last_written, ["/three", "/one"]);
    assert!(late.flush_begins());
    late.flushed();
    assert_eq!(all(&mut late, &mut None, Phase::Running(now)).len(), 1);
}

#[test]
fn at_the_end_of_a_run_names_alone_are_waited_for_and_then_nothing() {
    let (mut late, mut stacks) = (Late::default(), stacks());
    let mut watch = CrashWatch::new(CrashPolicy::default());
    let (persona, now) = (persona(), Instant::now());
    for key in [FIRST, SECOND] {
        late.add(watch.hear(&of(&persona, event(key, 5, aborted(9)))).unwrap(), None, now);
    }
    let block = frame(16);
    stacks.as_mut().unwrap().hear(&event(SECOND, 4, fault(&block)));
    let told = all(&mut late, &mut stacks, Phase::Ending);
    assert_eq!(told.iter().map(|crash| crash.key).collect::<Vec<_>>(), [FIRST]);
    let told = all(&mut late, &mut stacks, Phase::Over);
    let [second] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(second.stack.as_deref().unwrap_or_default(), ["0x10"], "without names");
}

#[test]
fn nothing_waits_for_ever_nor_do_too_many() {
    let (mut late, mut watch) = (Late::default(), CrashWatch::new(CrashPolicy::default()));
    let (persona, now) = (persona(), Instant::now());
    let count = u32::try_from(WAITING_MAX).unwrap() + 3;
    for tgid in 1..=count {
        let key = ProcessKey { tgid, start_time: 1 };
        late.add(watch.hear(&of(&persona, event(key, 5, aborted(9)))).unwrap(), None, now);
    }
    let told = all(&mut late, &mut None, Phase::Running(now));
    assert_eq!(told.iter().map(|crash| crash.key.tgid).collect::<Vec<_>>(), [1, 2, 3]);
    let told = all(&mut late, &mut None, Phase::Running(now + PATIENCE));
    assert_eq!(told.len(), WAITING_MAX);
}

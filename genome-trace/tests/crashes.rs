//! Crashes in recordings of real runs.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io;

use genome_trace::{
    detect::{CrashPolicy, CrashWatch},
    model::{Crash, CrashKind, Event, EventKind},
    persona::Rules,
    pipeline::{Attribution, Filter, Replay},
    sink::Sink,
    wire::recording::Recording,
};

const STORM: &[u8] = include_bytes!("../recordings/storm.gtr");
const MIXED: &[u8] = include_bytes!("../recordings/mixed.gtr");

struct Watching {
    watch: CrashWatch,
    crashes: Vec<Crash>,
    ends: u64,
}

impl Sink for Watching {
    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        self.ends += u64::from(event.kind() == EventKind::Exit);
        self.crashes.extend(self.watch.hear(event).and_then(|end| end.crash()).map(|crash| *crash));
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn replayed(stream: &[u8]) -> Watching {
    let Recording { context, items } = Recording::parse(stream).unwrap();
    let attribution = Attribution::of_recording(Rules::new(Vec::new()));
    let watching =
        Watching { watch: CrashWatch::new(CrashPolicy::default()), crashes: Vec::new(), ends: 0 };
    let mut replay = Replay::new(attribution, Filter::default(), watching);
    for item in &items {
        replay.pass(item, &context).unwrap();
    }
    replay.into_sink()
}

#[test]
fn a_storm_of_short_processes_is_no_crash() {
    let told = replayed(STORM);
    assert!(told.ends > 800, "{}", told.ends);
    assert_eq!(told.crashes, []);
}

#[test]
fn a_mixed_run() {
    let told = replayed(MIXED);
    let of_kinds: Vec<_> = told.crashes.iter().map(|crash| crash.kind).collect();
    assert_eq!(
        of_kinds,
        [CrashKind::Oom, CrashKind::FatalSignal, CrashKind::Killed, CrashKind::ErrorExit]
    );
    let [oom, segv, killed, shell] = told.crashes.as_slice() else { panic!("{:?}", told.crashes) };
    assert_eq!((oom.memory.limit_bytes, oom.memory.usage_bytes), (Some(8 << 20), Some(8 << 20)));
    assert!(oom.cgroup_path.as_deref().is_some_and(|path| path.starts_with("/genome-trace-oom")));
    assert_eq!(segv.reason, "SIGSEGV: it touched memory that it does not have");
    assert_eq!(
        segv.argv.as_deref().unwrap_or_default(),
        ["genome-trace-workload", "crash", "--how", "segv"]
    );
    // The workload kills its own child by SIGKILL, which is no way to ask.
    let sender = killed.signal.as_ref().and_then(|signal| signal.sender.as_ref()).unwrap();
    assert_eq!(Some(sender.tgid), killed.parent.as_ref().map(|parent| parent.tgid));
    // The shell that was given the persona, which says how its last one ended.
    assert_eq!(
        (shell.comm.as_deref(), shell.reason.as_str()),
        (Some("sh"), "it exited with code 1")
    );
    let is_whole = |crash: &Crash| crash.files.as_ref().is_some_and(|files| files.since_start);
    // The shell waited for the tracer, so it is older.
    assert_eq!([oom, segv, killed, shell].map(is_whole), [true, true, true, false]);
    for crash in &told.crashes {
        assert_eq!(crash.persona.as_deref(), Some("CodeExpert"));
    }
}

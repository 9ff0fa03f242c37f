//! Lives of processes, event by event, and what their ends are.

use proptest::prelude::*;

use super::*;
use crate::model::{
    Argv, Crash, CrashConstraint, CrashKind, Exec, FileCreate, FileWrite, GpuName, GpuXid, Known,
    MemoryConstraint, OomKill, Persona, Signal, SignalNumber, VramAtDeath, VramPeakSource,
    WallTime, Watch, XidTie, xid_meaning,
};

const SECOND: u64 = 1_000_000_000;
const START: u64 = 100 * SECOND;
const WORKER: u32 = 700;
const PARENT: u32 = 600;
const SI_USER: i32 = 0;
const SI_KERNEL: i32 = 0x80;
const GIB: u64 = 1 << 30;

fn persona() -> Persona {
    Persona { name: "CodeExpert".to_owned(), genome_id: Some("a3f9".to_owned()) }
}

const fn key(tgid: u32) -> ProcessKey {
    ProcessKey { tgid, start_time: START }
}

/// A process as it is in the events of a test.
#[derive(Clone, Copy)]
struct Who<'a> {
    tgid: u32,
    ppid: u32,
    persona: Option<&'a Persona>,
    root: u32,
}

/// The worker itself.
const fn worker(persona: &Persona) -> Who<'_> {
    Who { tgid: WORKER, ppid: PARENT, persona: Some(persona), root: WORKER }
}

/// What the worker has started.
const fn child(persona: &Persona) -> Who<'_> {
    Who { tgid: 701, ppid: WORKER, persona: Some(persona), root: WORKER }
}

/// Nobody's.
const NOBODYS: Who<'static> = Who { tgid: 900, ppid: PARENT, persona: None, root: 0 };

fn event<'a>(who: Who<'a>, at: u64, payload: Payload<'a>) -> Event<'a> {
    Event {
        ktime_ns: START + at,
        wall_time: WallTime { unix_ns: 1_795_174_295_000_000_000 + i64::try_from(at).unwrap() },
        process: Some(Process {
            key: key(who.tgid),
            tid: Some(who.tgid),
            ppid: Some(who.ppid),
            uid: Some(1000),
            comm: Some(b"python3"),
            cgroup_path: Some(b"/ai/code"),
            watch: Watch::default(),
        }),
        persona: who.persona,
        persona_root: who.persona.map(|_| key(who.root)),
        payload,
    }
}

const fn exec() -> Payload<'static> {
    Payload::Exec(Exec {
        exe: Some(b"/usr/bin/python3.11"),
        exe_truncated: false,
        argv: Some(Argv { block: b"python3\0worker.py\0" }),
        argv_truncated: false,
        environment: None,
        environment_truncated: false,
    })
}

const fn exit(ending: Ending) -> Payload<'static> {
    Payload::Exit(Exit {
        ending,
        runtime_ns: 8 * SECOND,
        cpu_ns: Some(7 * SECOND),
        peak_rss_bytes: Some(2 * GIB),
        write_calls: Some(2847),
        written_bytes: Some(30 << 20),
        threads: Some(12),
        open_files: Some(40),
        vram: None,
    })
}

/// The same end, of one that held GPU memory.
fn on_gpu(payload: Payload<'_>) -> Payload<'_> {
    let Payload::Exit(exit) = payload else { panic!("{payload:?}") };
    let vram = VramAtDeath {
        bytes: Some(3 * GIB),
        peak_bytes: Some(5 * GIB),
        peak_source: VramPeakSource::Samples,
        age_ns: 400,
    };
    Payload::Exit(Exit { vram: Some(vram), ..exit })
}

const fn code(code: u8) -> Payload<'static> {
    exit(Ending::Exited { code })
}

const fn died(signal: u32) -> Payload<'static> {
    exit(Ending::Signaled { signal: SignalNumber(signal), core_dumped: false })
}

const fn signal(
    number: u32,
    si_code: i32,
    sender: Option<(u32, &'static [u8])>,
) -> Payload<'static> {
    let (sender_tgid, sender_comm) = match sender {
        Some((tgid, comm)) => (Some(tgid), Some(comm)),
        None => (None, None),
    };
    Payload::Signal(Signal {
        signal: SignalNumber(number),
        code: si_code,
        sender_tgid,
        sender_comm,
        rss_bytes: Some(GIB),
        threads: Some(13),
        open_files: Some(41),
        stack: None,
    })
}

const fn chosen(constraint: Option<MemoryConstraint>) -> Payload<'static> {
    Payload::OomKill(OomKill {
        constraint,
        total_vm_bytes: Some(4 * GIB),
        anon_rss_bytes: Some(GIB),
        file_rss_bytes: Some(7),
        shmem_rss_bytes: Some(0),
        oom_score_adj: Some(0),
        memory_cgroup_path: Some(b"/ai/code"),
        memory_limit_bytes: Some(3 * GIB / 2),
        memory_usage_bytes: Some(3 * GIB / 2),
        invoker_tgid: 701,
    })
}

fn xid(number: u32, tie: XidTie) -> Payload<'static> {
    Payload::GpuXid(GpuXid {
        xid: Some(number),
        meaning: xid_meaning(number),
        gpu: GpuName { index: Some(1), ..GpuName::default() },
        tie: Some(tie),
        driver_tgid: Some(WORKER),
        driver_comm: Some(b"python3"),
        message: Some(b"MMU Fault"),
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

const fn created(path: &[u8]) -> Payload<'_> {
    Payload::FileCreate(FileCreate {
        path: Some(path),
        path_truncated: false,
        device: (8, 1),
        inode: 1,
    })
}

/// What a life's last event gives; none before it is a crash.
fn ending_of(who: Who<'_>, life: &[Payload<'_>]) -> Option<Box<Crash>> {
    ending_by(CrashPolicy::default(), who, life)
}

fn ending_by(policy: CrashPolicy, who: Who<'_>, life: &[Payload<'_>]) -> Option<Box<Crash>> {
    let mut watch = CrashWatch::new(policy);
    let mut told = None;
    for (second, payload) in life.iter().enumerate() {
        assert!(told.is_none(), "a crash before the end");
        told = watch.hear(&event(who, second as u64 * SECOND, *payload));
    }
    known(told)
}

/// The crash, where nothing more is heard.
fn known(ended: Option<Box<Ended>>) -> Option<Box<Crash>> {
    ended?.crash()
}

fn kind_of(who: Who<'_>, life: &[Payload<'_>]) -> Option<CrashKind> {
    ending_of(who, life).map(|crash| crash.kind)
}

fn has_evidence(crash: &Crash, known: Known, words: &str) -> bool {
    crash.evidence.iter().any(|line| line.known == known && line.text.contains(words))
}

#[test]
fn ends_of_a_worker() {
    use CrashKind::{ErrorExit, FatalSignal, GpuFault, Killed, Oom};
    let persona = persona();
    let bash: Option<(u32, &'static [u8])> = Some((1234, b"bash"));
    let manager: Option<(u32, &'static [u8])> = Some((1, b"systemd"));
    let parent: Option<(u32, &'static [u8])> = Some((PARENT, b"sh"));
    let own: Option<(u32, &'static [u8])> = Some((WORKER, b"python3"));
    let memcg = chosen(Some(MemoryConstraint::Memcg));
    let oom_signal = signal(9, SI_KERNEL, None);
    let table: &[(&str, Option<CrashKind>, &[Payload<'_>])] = &[
        ("code 0", None, &[code(0)]),
        ("code 1", Some(ErrorExit), &[code(1)]),
        ("code 143", Some(ErrorExit), &[code(143)]),
        ("OOM", Some(Oom), &[oom_signal, memcg, died(9)]),
        ("OOM without its signal", Some(Oom), &[memcg, died(9)]),
        ("OOM, not known of what", Some(Oom), &[oom_signal, chosen(None), died(9)]),
        (
            "killed, and chosen while it died",
            Some(Killed),
            &[signal(9, SI_USER, bash), memcg, died(9)],
        ),
        ("chosen while it ended well", None, &[memcg, code(0)]),
        ("SIGKILL alone is no OOM", Some(Killed), &[oom_signal, died(9)]),
        ("SIGKILL, nothing told", Some(Killed), &[died(9)]),
        ("SIGKILL by somebody", Some(Killed), &[signal(9, SI_USER, bash), died(9)]),
        ("SIGKILL by the manager", Some(Killed), &[signal(9, SI_USER, manager), died(9)]),
        ("SIGKILL by the parent", Some(Killed), &[signal(9, SI_USER, parent), died(9)]),
        ("SIGTERM by somebody", Some(Killed), &[signal(15, SI_USER, bash), died(15)]),
        ("SIGTERM by the manager", None, &[signal(15, SI_USER, manager), died(15)]),
        ("SIGTERM by the parent", None, &[signal(15, SI_USER, parent), died(15)]),
        ("SIGTERM by itself", None, &[signal(15, SI_USER, own), died(15)]),
        ("SIGTERM, nothing told", None, &[died(15)]),
        ("SIGINT by the terminal", None, &[signal(2, SI_KERNEL, None), died(2)]),
        ("SIGINT by somebody", Some(Killed), &[signal(2, SI_USER, bash), died(2)]),
        ("SIGHUP by the terminal", None, &[signal(1, SI_KERNEL, None), died(1)]),
        ("SIGPIPE", None, &[signal(13, SI_USER, own), died(13)]),
        ("SIGQUIT", Some(Killed), &[signal(3, SI_USER, bash), died(3)]),
        ("SIGSEGV", Some(FatalSignal), &[signal(11, 1, None), died(11)]),
        ("SIGSEGV by somebody", Some(FatalSignal), &[signal(11, SI_USER, bash), died(11)]),
        ("SIGABRT", Some(FatalSignal), &[signal(6, -6, own), died(6)]),
        ("SIGXFSZ, nothing told", Some(FatalSignal), &[died(25)]),
        ("XID, then code 1", Some(GpuFault), &[xid(31, XidTie::Driver), code(1)]),
        (
            "XID, then SIGABRT",
            Some(GpuFault),
            &[xid(31, XidTie::Driver), signal(6, -6, own), died(6)],
        ),
        ("XID, then code 0", None, &[xid(31, XidTie::Driver), code(0)]),
        (
            "XID, then SIGKILL",
            Some(Killed),
            &[xid(31, XidTie::Driver), signal(9, SI_USER, bash), died(9)],
        ),
        (
            "XID, then SIGTERM",
            None,
            &[xid(31, XidTie::Driver), signal(15, SI_USER, manager), died(15)],
        ),
        ("XID, then OOM", Some(Oom), &[xid(31, XidTie::Driver), memcg, died(9)]),
        ("XID that is a notice", Some(ErrorExit), &[xid(45, XidTie::Driver), code(1)]),
        ("XID that nobody knows", Some(GpuFault), &[xid(999, XidTie::SoleHolder), code(1)]),
    ];
    for (what, kind, life) in table {
        assert_eq!(kind_of(worker(&persona), life), *kind, "{what}");
        let begun = [&[exec()], *life].concat();
        assert_eq!(kind_of(worker(&persona), &begun), *kind, "exec, {what}");
    }
    assert_eq!(xid_meaning(45).unwrap().cause, crate::model::XidCause::Notice);
}

#[test]
fn every_fatal_signal_is_one() {
    let persona = persona();
    for number in 1..=64 {
        let kind = kind_of(worker(&persona), &[died(number)]);
        let is_fatal = [11, 7, 4, 8, 6, 5, 31, 24, 25].contains(&number);
        assert_eq!(kind == Some(CrashKind::FatalSignal), is_fatal, "{number}");
    }
}

/// A grep that found nothing, a test that failed, a child that is stopped.
#[test]
fn what_a_worker_runs_may_say_no() {
    let persona = persona();
    let root: Option<(u32, &'static [u8])> = Some((WORKER, b"python3"));
    assert_eq!(kind_of(child(&persona), &[code(1)]), None);
    assert_eq!(kind_of(child(&persona), &[signal(15, SI_USER, root), died(15)]), None);
    for (kind, life) in [
        (CrashKind::FatalSignal, [signal(11, 1, None), died(11)]),
        (CrashKind::Oom, [chosen(None), died(9)]),
        (CrashKind::Killed, [signal(9, SI_USER, Some((1234, b"bash"))), died(9)]),
        (CrashKind::GpuFault, [xid(31, XidTie::Driver), code(1)]),
    ] {
        let crash = ending_of(child(&persona), &life).unwrap();
        assert_eq!(crash.kind, kind);
        assert!(has_evidence(&crash, Known::Inferred, "process 700 started it"), "{crash:?}");
    }
}

#[test]
fn nobodys_crashes_are_those_that_the_kernel_speaks_of() {
    use CrashKind::{FatalSignal, GpuFault, Oom};
    let bash: Option<(u32, &'static [u8])> = Some((1234, b"bash"));
    for (kind, life) in [
        (None, &[code(1)][..]),
        (None, &[signal(9, SI_USER, bash), died(9)]),
        (None, &[signal(15, SI_USER, bash), died(15)]),
        (Some(FatalSignal), &[signal(11, 1, None), died(11)]),
        (Some(Oom), &[signal(9, SI_KERNEL, None), chosen(None), died(9)]),
        (Some(GpuFault), &[xid(31, XidTie::Driver), code(1)]),
    ] {
        let crash = ending_of(NOBODYS, life);
        assert_eq!(crash.as_ref().map(|crash| crash.kind), kind);
        if let Some(crash) = crash {
            assert!(has_evidence(&crash, Known::Unknown, "whose it is"));
            assert_eq!(crash.files, None, "nobody listened");
        }
    }
}

#[test]
fn codes_that_are_ordinary_for_a_persona() {
    let persona = persona();
    let by_persona = [("CodeExpert".to_owned(), [3, 143].into())].into();
    let policy = CrashPolicy { everybodys: [130].into(), by_persona };
    let kind =
        |payload| ending_by(policy.clone(), worker(&persona), &[payload]).map(|crash| crash.kind);
    assert_eq!((kind(code(3)), kind(code(143)), kind(code(130))), (None, None, None));
    assert_eq!(kind(code(4)), Some(CrashKind::ErrorExit));
    let other = Persona { name: "Judge".to_owned(), genome_id: None };
    assert!(ending_by(policy.clone(), worker(&other), &[code(3)]).is_some());
    assert!(ending_by(policy.clone(), worker(&other), &[code(130)]).is_none());
    // A GPU's error is one, whatever the code.
    let faulty = ending_by(policy, worker(&persona), &[xid(31, XidTie::Driver), code(3)]);
    assert_eq!(faulty.unwrap().kind, CrashKind::GpuFault);
}

#[test]
fn another_policy_counts_from_the_next_end_on() {
    let persona = persona();
    let mut watch = CrashWatch::new(CrashPolicy::default());
    let mut ends = (1..).map(|tgid| Who { tgid, root: tgid, ..worker(&persona) });
    assert!(known(watch.hear(&event(ends.next().unwrap(), 0, code(3)))).is_some());
    watch.set_policy(CrashPolicy { everybodys: [3].into(), ..CrashPolicy::default() });
    assert!(known(watch.hear(&event(ends.next().unwrap(), 1, code(3)))).is_none());
}

#[test]
fn an_ancestor_may_end_what_it_began() {
    let persona = persona();
    let mut watch = CrashWatch::new(CrashPolicy::default());
    let chain = [(800, WORKER), (801, 800), (802, 801)];
    for (tgid, ppid) in chain {
        let who = Who { tgid, ppid, persona: Some(&persona), root: WORKER };
        assert!(watch.hear(&event(who, 0, Payload::Fork)).is_none());
    }
    let last = Who { tgid: 802, ppid: 801, persona: Some(&persona), root: WORKER };
    watch.hear(&event(last, 1, signal(15, SI_USER, Some((800, b"timeout")))));
    assert!(watch.hear(&event(last, 2, died(15))).is_none());
    let middle = Who { tgid: 801, ppid: 800, persona: Some(&persona), root: WORKER };
    watch.hear(&event(middle, 1, signal(15, SI_USER, Some((802, b"below")))));
    let killed = known(watch.hear(&event(middle, 2, died(15)))).unwrap();
    assert_eq!(killed.kind, CrashKind::Killed);
}

#[test]
fn an_xid_reaches_ten_seconds_and_no_other_process() {
    let persona = persona();
    let after = |age: u64, tgid: u32, start_time: u64| {
        let mut watch = CrashWatch::new(CrashPolicy::default());
        watch.hear(&event(worker(&persona), 0, xid(31, XidTie::Driver)));
        let mut end = event(Who { tgid, ..worker(&persona) }, age, code(1));
        if let Some(process) = &mut end.process {
            process.key.start_time = start_time;
            end.persona_root = Some(process.key);
        }
        known(watch.hear(&end)).unwrap().kind
    };
    assert_eq!(after(10 * SECOND, WORKER, START), CrashKind::GpuFault);
    assert_eq!(after(10 * SECOND + 1, WORKER, START), CrashKind::ErrorExit);
    assert_eq!(after(SECOND, WORKER + 1, START), CrashKind::ErrorExit);
    // /proc has starts by the tick; another process begins later than that.
    assert_eq!(after(SECOND, WORKER, START - 9_999_999), CrashKind::GpuFault);
    assert_eq!(after(SECOND, WORKER, START + SECOND / 2), CrashKind::ErrorExit);
}

#[test]
fn the_record_has_what_was_heard() {
    let persona = persona();
    let mut life = vec![exec(), created(b"/new"), wrote(b"/a"), wrote(b"/b"), wrote(b"/a")];
    life.extend([
        signal(9, SI_KERNEL, None),
        chosen(Some(MemoryConstraint::Memcg)),
        on_gpu(died(9)),
    ]);
    let crash = ending_of(worker(&persona), &life).unwrap();
    assert_eq!(crash.persona.as_deref(), Some("CodeExpert"));
    assert_eq!(crash.genome_id.as_deref(), Some("a3f9"));
    assert_eq!(crash.exe.as_deref(), Some("/usr/bin/python3.11"));
    assert_eq!(crash.argv.as_deref().unwrap(), ["python3", "worker.py"]);
    assert_eq!((crash.uid, crash.cgroup_path.as_deref()), (Some(1000), Some("/ai/code")));
    assert_eq!(crash.parent.as_ref().unwrap().tgid, PARENT);
    assert_eq!(
        crash.reason,
        "the memory cgroup /ai/code was at its limit, 1.5 GiB used of 1.5 GiB"
    );
    let memory = crash.memory;
    assert_eq!(memory.rss_bytes, Some(GIB + 7));
    assert_eq!(memory.peak_rss_bytes, Some(2 * GIB));
    assert_eq!((memory.limit_bytes, memory.usage_bytes), (Some(3 * GIB / 2), Some(3 * GIB / 2)));
    assert_eq!((memory.vram_bytes, memory.vram_age_ns), (Some(3 * GIB), Some(400)));
    assert_eq!((memory.peak_vram_bytes, memory.peak_vram_is_sampled), (Some(5 * GIB), Some(true)));
    let activity = crash.activity;
    assert_eq!((activity.runtime_ns, activity.cpu_ns), (Some(8 * SECOND), Some(7 * SECOND)));
    assert_eq!((activity.write_calls, activity.written_bytes), (Some(2847), Some(30 << 20)));
    assert_eq!((activity.threads, activity.open_files), (Some(13), Some(40)));
    let files = crash.files.as_ref().unwrap();
    assert_eq!((files.created, files.since_start), (1, true));
    assert_eq!(files.last_written, ["/a", "/b"]);
    let oom = crash.oom.as_ref().unwrap();
    assert_eq!(oom.constraint, Some(CrashConstraint::Memcg));
    assert_eq!(oom.invoker_tgid, Some(701));
    assert!(has_evidence(&crash, Known::Observed, "the OOM killer chose it"));
    assert!(has_evidence(&crash, Known::Observed, "limit 1.5 GiB, usage 1.5 GiB"));
}

#[test]
fn what_nothing_told_is_unknown() {
    let persona = persona();
    let mut end = event(worker(&persona), SECOND, died(9));
    if let (Some(process), Payload::Exit(exit)) = (&mut end.process, &mut end.payload) {
        *process = Process { ppid: None, uid: None, comm: None, cgroup_path: None, ..*process };
        *exit = Exit {
            cpu_ns: None,
            peak_rss_bytes: None,
            write_calls: None,
            written_bytes: None,
            threads: None,
            open_files: None,
            vram: None,
            ..*exit
        };
    }
    let crash = known(CrashWatch::new(CrashPolicy::default()).hear(&end)).unwrap();
    assert_eq!(crash.reason, "SIGKILL from somebody unknown");
    assert_eq!((&crash.comm, &crash.argv, &crash.exe), (&None, &None, &None));
    assert_eq!((&crash.parent, &crash.signal, &crash.files), (&None, &None, &None));
    assert_eq!(crash.memory, crate::model::CrashMemory::default());
    assert!(has_evidence(&crash, Known::Unknown, "who sent SIGKILL"));
}

#[test]
fn who_sent_the_signal() {
    let persona = persona();
    let life = [
        signal(9, SI_USER, Some((1234, b"bash"))),
        signal(9, SI_USER, Some((1, b"init"))),
        died(9),
    ];
    let crash = ending_of(worker(&persona), &life).unwrap();
    assert_eq!(crash.reason, "SIGKILL from bash (1234)", "the first one is the one that kills");
    let sender = crash.signal.as_ref().unwrap().sender.as_ref().unwrap();
    assert_eq!((sender.tgid, sender.comm.as_deref()), (1234, Some("bash")));
    let crash = ending_of(worker(&persona), &[signal(9, SI_KERNEL, None), died(9)]).unwrap();
    assert_eq!(crash.reason, "SIGKILL from the kernel; who made it do so is unknown");
}

#[test]
fn who_sent_it_is_known_of_one_that_was_killed_while_it_execed() {
    let persona = persona();
    let nobodys_yet = Who { persona: None, ..worker(&persona) };
    let mut watch = CrashWatch::new(CrashPolicy::default());
    watch.hear(&event(nobodys_yet, 0, Payload::Fork));
    watch.hear(&event(nobodys_yet, 1, signal(9, SI_USER, Some((1234, b"bash")))));
    watch.hear(&event(worker(&persona), 2, exec()));
    let crash = known(watch.hear(&event(worker(&persona), 3, died(9)))).unwrap();
    assert_eq!(crash.reason, "SIGKILL from bash (1234)");
    assert_eq!(watch.subjects.len(), 0);
}

#[test]
fn the_gpus_error_is_named() {
    let persona = persona();
    let life = [exec(), xid(31, XidTie::SoleHolder), code(1)];
    let crash = ending_of(worker(&persona), &life).unwrap();
    assert!(crash.reason.starts_with("XID 31 ("), "{}", crash.reason);
    assert!(
        crash.reason.ends_with(" on GPU 1, 1 s before it ended by exit code 1"),
        "{}",
        crash.reason
    );
    let xid = crash.xid.as_ref().unwrap();
    assert_eq!((xid.xid, xid.age_ns), (Some(31), Some(SECOND)));
    assert_eq!(xid.is_named_by_driver, Some(false));
    assert!(has_evidence(&crash, Known::Inferred, "it alone held memory"));
}

/// An end of one that held GPU memory, and what is heard of it after that.
fn late(who: Who<'_>, end: Payload<'_>, after: &[(u64, Who<'_>, Payload<'_>)]) -> Box<Ended> {
    let mut watch = CrashWatch::new(CrashPolicy::default());
    watch.hear(&event(who, 0, exec()));
    watch.hear(&event(who, 1, wrote(b"/before")));
    let mut ended = watch.hear(&event(who, SECOND, end)).unwrap();
    for (at, who, payload) in after {
        let event = event(*who, *at, *payload);
        ended.hear(&event);
        assert!(watch.hear(&event).is_none());
    }
    ended
}

#[test]
fn an_error_that_is_heard_after_the_end_explains_it() {
    let persona = persona();
    let fault = xid(31, XidTie::Driver);
    let who = worker(&persona);
    for (end, who) in
        [(died(6), who), (code(1), who), (code(1), child(&persona)), (code(1), NOBODYS)]
    {
        let ended = late(who, on_gpu(end), &[(SECOND + 300_000_000, who, fault)]);
        assert!(!ended.awaits_driver(), "it was told");
        let crash = ended.crash().unwrap();
        assert_eq!(crash.kind, CrashKind::GpuFault);
        assert_eq!(crash.ktime_ns, START + SECOND, "when it ended");
        let words = "on GPU 1, heard right after it ended by";
        assert!(crash.reason.contains(words), "{}", crash.reason);
        assert!(has_evidence(&crash, Known::Observed, "the driver told XID 31"));
        assert!(has_evidence(&crash, Known::Observed, "the driver named this process"));
        assert_eq!(crash.xid.as_ref().unwrap().age_ns, Some(0));
    }
}

#[test]
fn without_such_an_error_an_end_is_what_it_was() {
    let persona = persona();
    let (own, notice) = (worker(&persona), xid(45, XidTie::Driver));
    let others = [(SECOND, child(&persona), xid(31, XidTie::Driver)), (SECOND, own, notice)];
    let ended = late(own, on_gpu(code(1)), &others);
    assert!(ended.awaits_driver());
    assert_eq!(ended.crash().unwrap().kind, CrashKind::ErrorExit);
    // What the worker ran may say no.
    let ended = late(child(&persona), on_gpu(code(1)), &[]);
    assert!(ended.awaits_driver());
    assert_eq!(ended.crash(), None);
}

#[test]
fn an_end_that_no_such_error_can_explain_awaits_none() {
    let persona = persona();
    let idle = VramAtDeath {
        bytes: Some(0),
        peak_bytes: Some(0),
        peak_source: VramPeakSource::Samples,
        age_ns: 1,
    };
    let Payload::Exit(exit) = code(1) else { panic!() };
    let never_on_gpu = Payload::Exit(Exit { vram: Some(idle), ..exit });
    let mut watch = CrashWatch::new(CrashPolicy::default());
    watch.hear(&event(child(&persona), 0, xid(31, XidTie::Driver)));
    for (who, end) in [
        (worker(&persona), never_on_gpu),
        (Who { tgid: 702, root: 702, ..worker(&persona) }, code(1)),
        (Who { tgid: 703, ..worker(&persona) }, on_gpu(died(9))),
        (child(&persona), on_gpu(code(1))),
    ] {
        let ended = watch.hear(&event(who, SECOND, end)).unwrap();
        assert!(!ended.awaits_driver(), "{ended:?}");
        assert!(ended.crash().is_some());
    }
    assert!(watch.hear(&event(NOBODYS, SECOND, on_gpu(code(0)))).is_none());
}

#[test]
fn files_that_are_told_after_the_end_are_its_last_ones() {
    let persona = persona();
    let own = worker(&persona);
    let after = [
        (SECOND + 1, own, created(b"/late")),
        (SECOND + 1, own, wrote(b"/late")),
        (SECOND + 1, child(&persona), wrote(b"/anothers")),
    ];
    let ended = late(own, died(11), &after);
    assert!(ended.awaits_files());
    let files = ended.crash().unwrap().files.unwrap();
    assert_eq!((files.created, files.since_start), (1, true));
    assert_eq!(files.last_written, ["/late", "/before"]);
    // Another process with the same number has another start.
    let mut ended = late(own, died(11), &[]);
    let mut stranger = event(own, 2 * SECOND, wrote(b"/strangers"));
    if let Some(process) = &mut stranger.process {
        process.key.start_time += SECOND;
    }
    ended.hear(&stranger);
    assert_eq!(ended.crash().unwrap().files.unwrap().last_written, ["/before"]);
    assert!(!late(NOBODYS, died(11), &[]).awaits_files(), "nobody listens");
}

#[test]
fn a_worker_of_which_nothing_was_heard_before_its_end_has_files_after_it() {
    let persona = persona();
    let mut watch = CrashWatch::new(CrashPolicy::default());
    let mut ended = watch.hear(&event(worker(&persona), 0, died(11))).unwrap();
    assert_eq!(ended.so_far().files, None);
    ended.hear(&event(worker(&persona), 1, wrote(b"/late")));
    let files = ended.crash().unwrap().files.unwrap();
    assert_eq!((files.since_start, files.last_written), (false, vec!["/late".to_owned()]));
}

#[test]
fn a_traceback_says_why_and_what_else_is_unknown_stays_so() {
    let persona = persona();
    let begun_before = [code(1)];
    let mut crash = ending_of(worker(&persona), &begun_before).unwrap();
    assert!(has_evidence(&crash, Known::Unknown, "why it chose that code"));
    crash.evidence.push(crate::model::Evidence { known: Known::Unknown, text: "x".to_owned() });
    let said = "Traceback (most recent call last):\n  File \"w.py\", line 3, in f\nKeyError: 7\n";
    add_stderr(&mut crash, said.to_owned());
    assert_eq!(crash.reason, "it exited with code 1: KeyError: 7");
    assert_eq!(crash.stderr_tail.as_deref(), Some(said));
    let found = crash.traceback.as_ref().unwrap();
    assert_eq!((found.language.as_str(), found.error.as_str()), ("Python", "KeyError: 7"));
    assert!(has_evidence(&crash, Known::Observed, "a traceback by Python: KeyError: 7"));
    assert!(!has_evidence(&crash, Known::Unknown, "why it chose that code"));
    assert!(has_evidence(&crash, Known::Unknown, "x"), "a traceback does not tell that");
    let mut crash = ending_of(worker(&persona), &begun_before).unwrap();
    add_stderr(&mut crash, "no luck\n".to_owned());
    assert_eq!((crash.traceback, crash.stderr_tail.as_deref()), (None, Some("no luck\n")));
    assert_eq!(crash.reason, "it exited with code 1");
}

#[test]
fn an_empty_standard_error_is_known_of_who_never_wrote() {
    let persona = persona();
    for (write_calls, said) in [(Some(0), Some("")), (Some(1), None), (None, None)] {
        let mut crash = ending_of(worker(&persona), &[code(1)]).unwrap();
        crash.activity.write_calls = write_calls;
        add_stderr(&mut crash, String::new());
        assert_eq!(crash.stderr_tail.as_deref(), said, "{write_calls:?}");
    }
}

#[test]
fn arguments_are_kept_without_their_secrets() {
    let persona = persona();
    let Payload::Exec(exec) = exec() else { panic!() };
    let block = b"w\0--token\0abc\0--api-key=xyz\0--steps\09\0";
    let exec = Payload::Exec(Exec { argv: Some(Argv { block }), ..exec });
    let crash = ending_of(worker(&persona), &[exec, died(11)]).unwrap();
    let argv = ["w", "--token", "[masked]", "--api-key=[masked]", "--steps", "9"];
    assert_eq!(crash.argv.as_deref().unwrap(), argv);
}

#[test]
fn a_fork_runs_what_its_parent_does_and_a_stranger_with_its_number_does_not() {
    let persona = persona();
    let mut watch = CrashWatch::new(CrashPolicy::default());
    watch.hear(&event(worker(&persona), 0, exec()));
    watch.hear(&event(child(&persona), 1, Payload::Fork));
    let crash = known(watch.hear(&event(child(&persona), 2, died(11)))).unwrap();
    assert_eq!(crash.argv.as_deref().unwrap(), ["python3", "worker.py"]);
    assert_eq!(crash.parent.as_ref().unwrap().comm.as_deref(), Some("python3"));
    let mut later = event(worker(&persona), 3, died(11));
    if let Some(process) = &mut later.process {
        process.key.start_time += SECOND;
    }
    assert_eq!(known(watch.hear(&later)).unwrap().argv, None);
}

#[test]
fn what_comes_after_an_end_is_nothing_new() {
    let persona = persona();
    let mut watch = CrashWatch::new(CrashPolicy::default());
    watch.hear(&event(worker(&persona), 0, exec()));
    assert!(watch.hear(&event(worker(&persona), 1, died(11))).is_some());
    watch.hear(&event(worker(&persona), 2, wrote(b"/late")));
    assert_eq!(watch.subjects.len(), 0);
    assert!(watch.hear(&event(worker(&persona), 3, died(11))).is_none(), "told once");
}

#[test]
fn nothing_is_kept_of_nobody() {
    let mut watch = CrashWatch::new(CrashPolicy::default());
    for payload in [Payload::Fork, exec(), wrote(b"/a"), created(b"/b"), code(1)] {
        watch.hear(&event(NOBODYS, 0, payload));
        assert_eq!((watch.subjects.len(), watch.ended.len()), (0, 0));
    }
}

fn payloads() -> impl Strategy<Value = Payload<'static>> {
    let any_signal = (any::<u32>(), any::<i32>(), prop::option::of(0_u32..6));
    prop_oneof![
        Just(Payload::Fork),
        Just(exec()),
        Just(wrote(b"/a")),
        Just(created(b"/b")),
        Just(chosen(None)),
        (0_u32..200).prop_map(|number| xid(number, XidTie::Driver)),
        any_signal.prop_map(|(number, si_code, sender)| {
            signal(number % 70, si_code, sender.map(|tgid| (tgid, &b"x"[..])))
        }),
        any::<u8>().prop_map(code),
        (0_u32..70).prop_map(died),
        (0_u32..70).prop_map(|number| on_gpu(died(number))),
        any::<u8>().prop_map(|number| on_gpu(code(number))),
    ]
}

proptest! {
    /// Any events in any order: at most one end is told of each process, at
    /// its end alone, and nothing is kept of the dead.
    #[test]
    fn any_stream_is_taken(
        stream in prop::collection::vec((0_u32..6, any::<bool>(), payloads()), 0..120)
    ) {
        let persona = persona();
        let mut watch = CrashWatch::new(CrashPolicy::default());
        let mut waiting: Vec<Box<Ended>> = Vec::new();
        let mut told = std::collections::HashSet::new();
        for (at, (tgid, is_somebodys, payload)) in stream.into_iter().enumerate() {
            let who = Who { tgid, ppid: tgid / 2, persona: is_somebodys.then_some(&persona), root: 1 };
            let event = event(who, at as u64, payload);
            waiting.iter_mut().for_each(|ended| ended.hear(&event));
            if let Some(ended) = watch.hear(&event) {
                prop_assert!(matches!(payload, Payload::Exit(_)));
                prop_assert!(!is_somebodys || told.insert(tgid), "twice");
                waiting.push(ended);
            }
            prop_assert!(watch.subjects.len() <= 6);
            prop_assert!(watch.xids.len() <= 64);
        }
        for ended in waiting {
            let (is_open, was_fault) = (ended.awaits_driver(), ended.so_far().xid.is_some());
            if let Some(crash) = ended.crash() {
                prop_assert!(!crash.reason.is_empty() && !crash.evidence.is_empty());
                prop_assert!(crash.kind != CrashKind::GpuFault || crash.xid.is_some());
            } else {
                prop_assert!(is_open && !was_fault);
            }
        }
    }
}

#[test]
fn ends_that_are_never_heard_fill_nothing() {
    let persona = persona();
    let mut watch = CrashWatch::new(CrashPolicy::default());
    for tgid in 1..20_000 {
        let who = Who { tgid, ppid: 0, persona: Some(&persona), root: tgid };
        watch.hear(&event(who, 0, exec()));
        // One that is heard of is not forgotten.
        let steady = Who { tgid: 1, ..who };
        watch.hear(&event(steady, 0, wrote(b"/log")));
        assert!(watch.subjects.len() <= 2 * SUBJECTS_HALF);
    }
    assert!(watch.subjects.get(1).is_some() && watch.subjects.get(2).is_none());
}

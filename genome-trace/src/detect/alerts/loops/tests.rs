use proptest::prelude::*;

use super::*;
use crate::model::{Argv, Ending, Exec, Exit, Payload, Process, ProcessKey, SignalNumber, Watch};

const SECOND_NS: i64 = 1_000_000_000;

fn persona(name: &str) -> Persona {
    Persona { name: name.to_owned(), genome_id: None }
}

fn at(second: i64) -> WallTime {
    WallTime { unix_ns: second * SECOND_NS }
}

fn crash(name: &str, kind: CrashKind, second: i64) -> RecentCrash {
    RecentCrash { persona: Some(persona(name)), kind, wall_time: at(second) }
}

fn watch() -> LoopWatch {
    LoopWatch::new(&LoopPolicy::default())
}

fn told(watch: &mut LoopWatch, crash: &RecentCrash) -> Vec<(Rule, f64)> {
    let mut found = Vec::new();
    watch.crashed(crash, &mut found);
    found.into_iter().map(|anomaly| (anomaly.rule, anomaly.measured)).collect()
}

#[test]
fn three_crashes_in_ten_minutes_are_a_loop_until_they_are_long_ago() {
    let mut watch = watch();
    let segv = |second| crash("A", CrashKind::FatalSignal, second);
    assert_eq!(told(&mut watch, &segv(0)), []);
    assert_eq!(told(&mut watch, &segv(300)), []);
    assert_eq!(told(&mut watch, &crash("B", CrashKind::FatalSignal, 301)), []);
    // The first is too long ago.
    assert_eq!(told(&mut watch, &segv(601)), []);
    assert_eq!(told(&mut watch, &segv(700)), [(Rule::CrashLoop, 3.0)]);
    let goes_on = |watch: &mut LoopWatch, second| {
        let mut found = Vec::new();
        watch.look(at(second), &mut found);
        found.len()
    };
    assert_eq!(goes_on(&mut watch, 701), 1);
    assert_eq!(goes_on(&mut watch, 900), 1);
    assert_eq!(goes_on(&mut watch, 901), 0);
    assert_eq!(goes_on(&mut watch, 2_000), 0);
    assert!(watch.crashes.is_empty());
}

/// How bad it was does not get less while its crashes become old.
#[test]
fn a_loop_has_the_most_crashes_that_it_had() {
    let mut watch = watch();
    for second in [0, 100, 200, 300, 400] {
        told(&mut watch, &crash("A", CrashKind::FatalSignal, second));
    }
    let measured = |watch: &mut LoopWatch, second| {
        let mut found = Vec::new();
        watch.look(at(second), &mut found);
        found.iter().map(|anomaly| anomaly.measured).collect::<Vec<_>>()
    };
    assert_eq!(measured(&mut watch, 500), [5.0]);
    assert_eq!(measured(&mut watch, 750), [5.0]);
    assert!(measured(&mut watch, 801).is_empty());
    // The next one is another.
    let segv = |second| crash("A", CrashKind::FatalSignal, second);
    assert_eq!(told(&mut watch, &segv(900)), [(Rule::CrashLoop, 3.0)]);
}

#[test]
fn two_kills_for_want_of_memory_are_a_loop_of_their_own() {
    let mut watch = watch();
    let oom = |second| crash("A", CrashKind::Oom, second);
    assert_eq!(told(&mut watch, &crash("A", CrashKind::Killed, 0)), []);
    assert_eq!(told(&mut watch, &oom(1)), []);
    assert_eq!(told(&mut watch, &oom(2)), [(Rule::OomLoop, 2.0)]);
    assert_eq!(told(&mut watch, &oom(2)), [(Rule::OomLoop, 3.0)]);
    let nobodys = RecentCrash { persona: None, ..oom(3) };
    assert_eq!(told(&mut watch, &nobodys), []);
}

#[test]
fn a_clock_that_is_set_back_forgets_what_is_in_the_future() {
    let mut watch = watch();
    let segv = |second| crash("A", CrashKind::FatalSignal, second);
    for second in [10_000, 10_001] {
        assert_eq!(told(&mut watch, &segv(second)), []);
    }
    assert_eq!(told(&mut watch, &segv(5_000)), []);
    assert_eq!(told(&mut watch, &segv(5_001)), []);
    // Told late.
    assert_eq!(told(&mut watch, &segv(4_990)), [(Rule::CrashLoop, 3.0)]);
}

#[test]
fn personas_are_bounded() {
    let mut watch = watch();
    for number in 0..2 * PERSONAS_MAX as i64 {
        told(&mut watch, &crash(&number.to_string(), CrashKind::Oom, number / 100));
    }
    assert_eq!(watch.crashes.len(), PERSONAS_MAX);
}

/// A process that runs a program for a while, and then ends.
struct Life<'a> {
    tgid: u32,
    ktime_ns: u64,
    runtime_ns: u64,
    argv: &'a [u8],
    ending: Ending,
}

fn live(watch: &mut LoopWatch, whose: Option<&Persona>, life: &Life<'_>) -> Vec<Anomaly> {
    let event = |ktime_ns, payload| Event {
        ktime_ns,
        wall_time: WallTime { unix_ns: ktime_ns as i64 },
        process: Some(Process {
            key: ProcessKey { tgid: life.tgid, start_time: life.ktime_ns },
            tid: None,
            ppid: Some(1),
            uid: None,
            comm: Some(b"agent"),
            cgroup_path: None,
            watch: Watch::default(),
        }),
        persona: whose,
        persona_root: None,
        payload,
    };
    let exec = Payload::Exec(Exec {
        exe: Some(b"/bin/agent"),
        exe_truncated: false,
        argv: Some(Argv { block: life.argv }),
        argv_truncated: false,
        environment: None,
        environment_truncated: false,
    });
    let exit = Payload::Exit(Exit {
        ending: life.ending,
        runtime_ns: life.runtime_ns,
        cpu_ns: None,
        peak_rss_bytes: None,
        write_calls: None,
        written_bytes: None,
        threads: None,
        open_files: None,
        vram: None,
    });
    let mut found = Vec::new();
    watch.hear(&event(life.ktime_ns, exec), &mut found);
    watch.hear(&event(life.ktime_ns.saturating_add(life.runtime_ns), exit), &mut found);
    found
}

const FAILED: Ending = Ending::Exited { code: 1 };

/// So many lives, ten a second; what was found in all.
fn lives(count: u64, of: impl Fn(u64, &mut Life<'_>)) -> Vec<Anomaly> {
    let (mut watch, who) = (watch(), persona("A"));
    let mut found = Vec::new();
    for number in 0..count {
        let mut life = Life {
            tgid: 100 + number as u32,
            ktime_ns: (1 + number) * 100_000_000,
            runtime_ns: 50_000_000,
            argv: b"agent\0--serve\0",
            ending: FAILED,
        };
        of(number, &mut life);
        found.extend(live(&mut watch, Some(&who), &life));
    }
    found
}

#[test]
fn a_program_that_fails_again_and_again_is_told_once_a_second() {
    let found = lives(200, |_, _| {});
    // From the sixtieth on: fourteen seconds.
    assert!((14..=15).contains(&found.len()), "{}", found.len());
    let first = &found[0];
    assert_eq!((first.rule, first.measured), (Rule::SpawnStorm, 60.0));
    assert_eq!(first.process.as_ref().unwrap().comm.as_deref(), Some("agent"));
    let by_signal = lives(200, |_, life| {
        life.ending = Ending::Signaled { signal: SignalNumber(6), core_dumped: false };
    });
    assert_eq!(by_signal.len(), found.len());
}

#[test]
fn what_a_script_does_is_no_loop() {
    let succeeds = lives(500, |_, life| life.ending = Ending::Exited { code: 0 });
    let now_and_then = lives(500, |number, life| {
        if number % 50 == 0 {
            life.ending = Ending::Exited { code: 0 };
        }
    });
    let waits = lives(500, |number, life| life.ktime_ns = number * 1_000_000_000);
    let lasts = lives(500, |_, life| life.runtime_ns = 6_000_000_000);
    for found in [succeeds, now_and_then, waits, lasts] {
        assert_eq!(found, []);
    }
    // With other arguments each time.
    let (mut watch, who) = (watch(), persona("A"));
    for number in 0..500_u64 {
        let argv = format!("agent\0{number}\0");
        let life = Life {
            tgid: 7,
            ktime_ns: number * 100_000_000,
            runtime_ns: 1,
            argv: argv.as_bytes(),
            ending: FAILED,
        };
        assert_eq!(live(&mut watch, Some(&who), &life), []);
    }
    // Nobody's.
    for number in 0..500_u64 {
        let ktime_ns = number * 100_000_000;
        let life = Life { tgid: 7, ktime_ns, runtime_ns: 1, argv: b"a\0", ending: FAILED };
        assert_eq!(live(&mut watch, None, &life), []);
    }
}

proptest! {
    /// Times in any order, numbers of processes that come back.
    #[test]
    fn any_lives(of in proptest::collection::vec((0..4_u32, any::<u64>(), any::<u64>(), any::<u8>()), 0..300)) {
        let (mut watch, who) = (watch(), persona("A"));
        for (tgid, ktime_ns, runtime_ns, code) in of {
            let ending = Ending::Exited { code };
            let life = Life { tgid, ktime_ns, runtime_ns, argv: b"a\0", ending };
            live(&mut watch, Some(&who), &life);
            watch.look(WallTime { unix_ns: ktime_ns as i64 }, &mut Vec::new());
            prop_assert!(watch.restarts.len() <= 8192);
        }
    }

    /// Crashes at any times, in any order: as many are told as fit a window.
    #[test]
    fn any_crashes(of in proptest::collection::vec((any::<bool>(), any::<i64>()), 0..200)) {
        let mut watch = watch();
        for (is_oom, unix_ns) in of {
            let kind = if is_oom { CrashKind::Oom } else { CrashKind::Killed };
            let crash = RecentCrash {
                persona: Some(persona("A")), kind, wall_time: WallTime { unix_ns },
            };
            for (rule, measured) in told(&mut watch, &crash) {
                prop_assert_eq!(rule == Rule::OomLoop, is_oom);
                prop_assert!(measured >= 2.0 && measured <= KEPT as f64);
            }
        }
    }
}

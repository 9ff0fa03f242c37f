use proptest::prelude::*;

use super::*;
use crate::model::{Argv, Ending, Exec, Exit, Watch};

const SECOND: u64 = 1_000_000_000;
/// Some time after boot.
const START: u64 = 5_000 * SECOND;

fn persona(name: &str) -> Persona {
    Persona { name: name.to_owned(), genome_id: None }
}

const fn key(tgid: u32) -> ProcessKey {
    ProcessKey { tgid, start_time: 77 }
}

/// A watch, its clock, and what it found.
struct Bench {
    watch: FileWatch,
    baselines: Baselines,
    now_ns: u64,
    found: Vec<Anomaly>,
}

impl Bench {
    fn new() -> Self {
        Self::with(FilePolicy::default())
    }

    fn with(policy: FilePolicy) -> Self {
        Self {
            watch: FileWatch::new(&policy),
            baselines: Baselines::default(),
            now_ns: START,
            found: Vec::new(),
        }
    }

    fn hear_at(&mut self, ktime_ns: u64, whose: &Persona, tgid: u32, payload: Payload<'_>) {
        let ppid = tgid / 10;
        self.watch.hear(&Event {
            ktime_ns,
            wall_time: WallTime { unix_ns: 0 },
            process: Some(Process {
                key: key(tgid),
                tid: None,
                ppid: Some(ppid),
                uid: None,
                comm: Some(b"worker"),
                cgroup_path: None,
                watch: Watch::default(),
            }),
            persona: Some(whose),
            persona_root: None,
            payload,
        });
    }

    fn hear(&mut self, whose: &Persona, tgid: u32, payload: Payload<'_>) {
        self.hear_at(self.now_ns, whose, tgid, payload);
    }

    fn exec(&mut self, whose: &Persona, tgid: u32, exe: &str, argv: &str) {
        let exec = Exec {
            exe: Some(exe.as_bytes()),
            exe_truncated: false,
            argv: Some(Argv { block: argv.as_bytes() }),
            argv_truncated: false,
            environment: None,
            environment_truncated: false,
        };
        self.hear(whose, tgid, Payload::Exec(exec));
    }

    fn create(&mut self, whose: &Persona, tgid: u32, path: &str) {
        self.hear(whose, tgid, created(path));
    }

    fn write(&mut self, whose: &Persona, tgid: u32, path: &str, written_bytes: u64) {
        self.hear(
            whose,
            tgid,
            Payload::FileWrite(FileWrite {
                path: Some(path.as_bytes()),
                path_truncated: false,
                device: (8, 1),
                inode: 9,
                write_calls: 1,
                written_bytes,
            }),
        );
    }

    fn unlink(&mut self, whose: &Persona, tgid: u32, path: &str, unlink_calls: u64) {
        self.hear(whose, tgid, unlinked(path, unlink_calls));
    }

    /// A second passes; what was found at its end.
    fn second(&mut self) -> Vec<Anomaly> {
        self.now_ns += SECOND;
        let wall_time = WallTime { unix_ns: self.now_ns.cast_signed() };
        self.watch.tick(Some(self.now_ns), wall_time, &mut self.baselines, &mut self.found);
        std::mem::take(&mut self.found)
    }

    fn only(&mut self) -> Anomaly {
        let mut found = self.second();
        assert_eq!(found.len(), 1, "{found:#?}");
        found.remove(0)
    }

    fn nothing(&mut self) {
        let found = self.second();
        assert!(found.is_empty(), "{found:#?}");
    }
}

fn created(path: &str) -> Payload<'_> {
    Payload::FileCreate(FileCreate {
        path: Some(path.as_bytes()),
        path_truncated: false,
        device: (8, 1),
        inode: 9,
    })
}

fn unlinked(path: &str, unlink_calls: u64) -> Payload<'_> {
    Payload::FileUnlink(FileUnlink {
        path: Some(path.as_bytes()),
        path_truncated: false,
        unlink_calls,
    })
}

fn files(anomaly: &Anomaly) -> &AlertFiles {
    anomaly.files.as_ref().unwrap()
}

#[test]
fn the_fiftieth_file_is_one_too_many_and_every_field_is_right() {
    let (mut bench, whose) = (Bench::new(), persona("Coder"));
    bench.exec(&whose, 10, "/usr/bin/python3.11", "python3\0worker.py\0--token=abc\0");
    for number in 0..49 {
        bench.create(&whose, 10, &format!("/home/ai/out/{number}.json"));
        bench.write(&whose, 10, &format!("/home/ai/out/{number}.json"), 100);
    }
    bench.nothing();
    bench.create(&whose, 10, "/home/ai/out/49.json");
    let found = bench.only();
    assert_eq!(found.rule, Rule::MassCreate);
    assert_eq!(found.severity, Severity::Warning);
    assert_eq!(found.persona, Some(whose));
    let process = found.process.clone().unwrap();
    assert_eq!(process.key, key(10));
    assert_eq!(process.comm.as_deref(), Some("worker"));
    assert_eq!(process.argv.unwrap(), ["python3", "worker.py", "--token=[masked]"]);
    assert_eq!(found.cause.as_deref(), Some("/home/ai/out"));
    assert_eq!((found.measured, found.threshold), (50.0, 50.0));
    assert_eq!((found.normal, found.factor), (None, None));
    assert!(matches!(found.basis, Basis::Unlearned { samples: 0, .. }), "{found:?}");
    assert_eq!(found.window_ns, Some(300 * SECOND));
    let files = files(&found);
    assert_eq!(files.folder, "/home/ai/out");
    assert_eq!((files.files_created, files.files_unlinked), (50, Some(0)));
    assert_eq!(files.written_bytes, Some(4900));
    // 49 more files in one second.
    assert_eq!(files.files_per_second, Some(49.0));
    assert_eq!(files.samples, ["0.json", "48.json", "49.json"]);
}

#[test]
fn it_is_told_once_a_second_while_it_goes_on_and_then_no_more() {
    let (mut bench, whose) = (Bench::new(), persona("Coder"));
    let mut told = Vec::new();
    for round in 0..10 {
        for number in 0..300 {
            bench.create(&whose, 10, &format!("/out/{round}-{number}"));
        }
        told.push(bench.only());
    }
    let sums: Vec<_> = told.iter().map(|found| files(found).files_created).collect();
    assert_eq!(sums, (1..=10).map(|round| round * 300).collect::<Vec<_>>());
    assert_eq!(told[0].severity, Severity::Warning);
    assert_eq!(told[9].severity, Severity::Error);
    // Bytes may come late, and are told.
    bench.write(&whose, 10, "/out/9-299", 77);
    assert_eq!(files(&bench.only()).written_bytes, Some(77));
    for _ in 0..400 {
        bench.nothing();
    }
    // It takes as many again.
    for number in 0..49 {
        bench.create(&whose, 10, &format!("/out/later-{number}"));
    }
    bench.nothing();
}

#[test]
fn what_was_told_is_done_with_when_it_was_quiet() {
    let (mut bench, whose) = (Bench::new(), persona("Coder"));
    for number in 0..60 {
        bench.create(&whose, 10, &format!("/out/{number}"));
    }
    bench.only();
    for _ in 0..62 {
        bench.nothing();
    }
    bench.create(&whose, 10, "/out/one-more");
    bench.nothing();
}

#[test]
fn a_slow_loop_is_one_cause_as_long_as_it_goes_on() {
    let (mut bench, whose) = (Bench::new(), persona("Coder"));
    let mut told = 0;
    for second in 0..1000 {
        if second % 5 == 0 {
            bench.create(&whose, 10, &format!("/out/{second}"));
        }
        told += bench.second().len();
    }
    assert!((140..=151).contains(&told), "{told}");
}

#[test]
fn files_that_are_unlinked_again_do_not_count() {
    let (mut bench, whose) = (Bench::new(), persona("Coder"));
    for second in 0..20 {
        for number in 0..20 {
            bench.create(&whose, 10, &format!("/tmp/x/{second}-{number}"));
        }
        for number in 0..20 {
            bench.unlink(&whose, 10, &format!("/tmp/x/{second}-{number}"), 1);
        }
        bench.nothing();
    }
}

#[test]
fn unlinks_of_older_files_hide_nothing() {
    let (mut bench, whose) = (Bench::new(), persona("Coder"));
    for number in 0..100 {
        bench.create(&whose, 10, &format!("/out/{number}"));
        // Of a run before the tracer; it comes with the counts.
        bench.unlink(&whose, 10, &format!("/out/old-{number}"), 1);
    }
    assert_eq!(bench.only().measured, 100.0);
}

#[test]
fn a_file_that_is_written_anew_under_its_name_is_one() {
    let (mut bench, whose) = (Bench::new(), persona("Coder"));
    for _ in 0..400 {
        // Renamed over state.json, which nobody tells.
        bench.create(&whose, 10, "/state/state.json.tmp");
    }
    bench.nothing();
}

#[test]
fn files_in_circles_are_churn() {
    let (mut bench, whose) = (Bench::new(), persona("Coder"));
    for second in 0..5 {
        for number in 0..99 {
            bench.create(&whose, 10, &format!("/tmp/x/{second}-{number}"));
        }
        for number in 0..95 {
            bench.unlink(&whose, 10, &format!("/tmp/x/{second}-{number}"), 1);
        }
        bench.nothing();
    }
    for _ in 0..400 {
        bench.create(&whose, 10, "/tmp/x/same");
    }
    bench.unlink(&whose, 10, "/tmp/x/same", 400);
    let found = bench.only();
    assert_eq!((found.rule, found.severity), (Rule::FileChurn, Severity::Warning));
    assert_eq!((found.measured, found.threshold), (895.0, 500.0));
    assert_eq!(files(&found).files_unlinked, Some(875));
    assert_eq!(files(&found).folder, "/tmp/x");
}

#[test]
fn journals_and_locks_come_and_go_by_design() {
    let (mut bench, whose) = (Bench::new(), persona("Coder"));
    for _ in 0..2000 {
        bench.create(&whose, 10, "/data/db.sqlite-journal");
        bench.create(&whose, 10, "/data/x.lock");
    }
    bench.unlink(&whose, 10, "/data/db.sqlite-journal", 2000);
    bench.nothing();
}

#[test]
fn one_folder_for_each_file_is_told_as_the_folder_above() {
    let (mut bench, whose) = (Bench::new(), persona("Coder"));
    for number in 0..3000 {
        bench.create(&whose, 10, &format!("/home/ai/out/{number:04}/x.json"));
    }
    let found = bench.only();
    assert_eq!(files(&found).folder, "/home/ai/out");
    assert_eq!(files(&found).files_created, 3000);
    let samples = &files(&found).samples;
    assert!(samples.iter().all(|name| name.ends_with("/x.json")), "{samples:?}");
}

#[test]
fn a_folder_that_turns_out_to_be_one_of_many_is_one_cause_all_the_same() {
    let (mut bench, whose) = (Bench::new(), persona("Coder"));
    let mut causes = Vec::new();
    for folder in 0..10 {
        for number in 0..60 {
            bench.create(&whose, 10, &format!("/out/{folder}/{number}"));
        }
        causes.extend(bench.second());
    }
    let last = causes.last().unwrap();
    assert_eq!((files(last).folder.as_str(), files(last).files_created), ("/out", 600));
    let names: std::collections::BTreeSet<_> = causes.iter().map(|of| &of.cause).collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn a_storm_elsewhere_hides_nothing() {
    let (mut bench, whose, other) = (Bench::new(), persona("Coder"), persona("Other"));
    bench.exec(&whose, 20, "/usr/bin/git", "git\0clone\0");
    for number in 0..3000 {
        bench.create(&whose, 10, &format!("/home/ai/out/{number}.json"));
        for storm in 0..5 {
            bench.create(&whose, 20, &format!("/src/{}/{number}-{storm}", number % 300));
            bench.create(&whose, 30, &format!("/data/{}/{number}-{storm}", number % 300));
            bench.create(&other, 40, &format!("/home/ai/out/{}/{number}-{storm}", number % 300));
        }
    }
    let found = bench.second();
    let told: Vec<_> = found
        .iter()
        .map(|found| {
            let whose = &found.persona.as_ref().unwrap().name;
            let process = found.process.as_ref().unwrap().key.tgid;
            (whose.as_str(), process, files(found).folder.as_str(), files(found).files_created)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("Coder", 30, "/data", 15_000),
            ("Coder", 10, "/home/ai/out", 3000),
            ("Other", 40, "/home/ai/out", 15_000),
        ]
    );
}

#[test]
fn tools_and_what_they_start_have_more_room_and_so_have_build_folders() {
    let (mut bench, whose) = (Bench::new(), persona("Coder"));
    bench.exec(&whose, 1, "/usr/bin/make", "make\0");
    bench.hear(&whose, 10, Payload::Fork);
    bench.exec(&whose, 10, "/usr/bin/gen", "gen\0");
    bench.exec(&whose, 2, "/usr/bin/tar", "tar\0xf\0a.tar\0");
    bench.exec(&whose, 3, "/usr/bin/python3", "python3\0worker.py\0");
    for number in 0..999 {
        bench.create(&whose, 10, &format!("/a/{number}"));
        bench.create(&whose, 2, &format!("/b/{number}"));
        bench.create(&whose, 3, &format!("/opt/lib/__pycache__/{number}.pyc"));
    }
    bench.nothing();
    bench.create(&whose, 10, "/a/y");
    bench.create(&whose, 3, "/opt/lib/__pycache__/y");
    bench.hear(
        &whose,
        10,
        Payload::Exit(Exit {
            ending: Ending::Exited { code: 0 },
            runtime_ns: 1,
            cpu_ns: None,
            peak_rss_bytes: None,
            write_calls: None,
            written_bytes: None,
            threads: None,
            open_files: None,
            vram: None,
        }),
    );
    let found = bench.second();
    let told: Vec<_> = found.iter().map(|of| files(of).folder.as_str()).collect();
    assert_eq!(told, ["/a", "/opt/lib/__pycache__"]);
    assert!(found.iter().all(|of| of.threshold == 1000.0 && of.severity == Severity::Warning));
    assert_eq!(found[0].process.as_ref().unwrap().argv.as_deref().unwrap(), ["gen"]);
}

#[test]
fn a_hundred_thousand_files_are_critical_and_none_is_forgotten() {
    let (mut bench, whose) = (Bench::new(), persona("Coder"));
    for second in 0..10 {
        for number in 0..10_000 {
            bench.create(&whose, 10, &format!("/out/{second}/{number}"));
        }
        bench.second();
    }
    for number in 0..10_000 {
        bench.unlink(&whose, 10, &format!("/out/9/{number}"), 1);
    }
    let found = bench.only();
    assert_eq!(found.severity, Severity::Critical);
    assert_eq!((files(&found).files_created, found.measured), (100_000, 90_000.0));
}

#[test]
fn a_habit_moves_the_threshold() {
    let watch = FileWatch::new(&FilePolicy::default());
    let habit = |centre, spread, peak| Normal { basis: Basis::Threshold, centre, spread, peak };
    assert_eq!(watch.limit(50, None), 50);
    assert_eq!(watch.limit(50, Some(&habit(2.0, 1.0, 4.0))), 50);
    assert_eq!(watch.limit(50, Some(&habit(100.0, 10.0, 110.0))), 300);
    assert_eq!(watch.limit(50, Some(&habit(100.0, 100.0, 110.0))), 700);
    assert_eq!(watch.limit(50, Some(&habit(100.0, 10.0, 400.0))), 600);
    assert_eq!(watch.limit(50, Some(&habit(f64::NAN, f64::INFINITY, 0.0))), 50);
}

/// One who always creates many is judged by that; what was too much is not
/// learned.
#[test]
fn habits_are_learned_of_windows_without_anything_unusual() {
    let policy = FilePolicy { window_ns: 20 * SECOND, ..FilePolicy::default() };
    let (mut bench, whose) = (Bench::with(policy), persona("Coder"));
    let mut made = 0;
    let mut window = |bench: &mut Bench, files: u64| {
        let mut told = Vec::new();
        for number in 0..20 {
            if number == 0 {
                for _ in 0..files {
                    made += 1;
                    bench.create(&whose, 10, &format!("/out/{made}"));
                }
            }
            told.extend(bench.second());
        }
        told
    };
    for _ in 0..230 {
        assert!(window(&mut bench, 40).is_empty());
    }
    assert!(window(&mut bench, 100).is_empty());
    let told = window(&mut bench, 1000);
    let found = told.first().unwrap();
    assert_eq!(found.normal, Some(40.0));
    assert_eq!((found.threshold, found.factor), (120.0, Some(found.measured / 40.0)));
    assert!(matches!(found.basis, Basis::Habit { centre: 40.0, .. }), "{found:?}");
    let habit = bench.baselines.habit(&whose, Quantity::FilesPerWindow).unwrap();
    assert_eq!(habit.centre, 40.0);
}

fn read(bench: &mut Bench, hash: u64) -> usize {
    let mut read = 0;
    while let Some(file) = bench.watch.next_to_read() {
        let found = Ok(crate::model::FileContent { hash, size: 5 });
        bench.watch.read(&FileRead { file, found });
        read += 1;
    }
    read
}

#[test]
fn equal_files_are_told_with_those_that_were_looked_at() {
    let (mut bench, whose) = (Bench::new(), persona("Coder"));
    bench.exec(&whose, 10, "/usr/bin/python3", "python3\0worker.py\0");
    bench.exec(&whose, 20, "/usr/bin/cp", "cp\0-r\0a\0b\0");
    bench.second();
    for number in 0..12 {
        bench.create(&whose, 10, &format!("/out/{number}.json"));
        bench.create(&whose, 20, &format!("/copy/{number}.json"));
    }
    bench.nothing();
    assert_eq!(read(&mut bench, 7), 12);
    let found = bench.only();
    assert_eq!((found.rule, found.severity), (Rule::DuplicateFiles, Severity::Warning));
    assert_eq!((found.measured, found.threshold), (12.0, 10.0));
    assert_eq!((files(&found).files_equal, files(&found).files_created), (Some(12), 12));
    assert_eq!(files(&found).folder, "/out");
    assert_eq!(found.process.clone().unwrap().key, key(10));
    assert_eq!(files(&found).samples[0], "0.json");
    bench.nothing();
}

#[test]
fn what_could_not_be_read_and_what_nobody_tried_to_is_told() {
    let policy = FilePolicy { reads_per_second: 20, ..FilePolicy::default() };
    let (mut bench, whose) = (Bench::with(policy), persona("Coder"));
    bench.second();
    for number in 0..45 {
        bench.create(&whose, 10, &format!("/out/{number}.json"));
    }
    bench.nothing();
    for number in 0..20 {
        let file = bench.watch.next_to_read().unwrap();
        let found = match number % 4 {
            0 => Err(crate::model::NotRead::Gone),
            _ => Ok(crate::model::FileContent { hash: 7, size: 5 }),
        };
        bench.watch.read(&FileRead { file, found });
    }
    assert_eq!(bench.watch.next_to_read(), None, "more than may be read in a second");
    let found = bench.only();
    let AlertFiles { files_created, files_equal, files_read, files_unread, .. } = *files(&found);
    assert_eq!((files_created, files_equal), (45, Some(15)));
    assert_eq!((files_read, files_unread), (Some(15), Some(5)));
}

/// What may happen to a watch.
#[derive(Clone, Debug)]
enum Act {
    Create(u8, u8, u8),
    Unlink(u8, u8, u64),
    Write(u8, u8, u64),
    Exec(u8, bool),
    Fork(u8),
    Exit(u8),
    Step(i64),
    Tick,
    Read(u64, u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let step = prop_oneof![
        0..3_000_000_000_i64,
        -2_000_000_000..0_i64,
        Just(400_000_000_000_i64),
        Just(-400_000_000_000_i64),
        any::<i64>(),
    ];
    let act = prop_oneof![
        8 => (0..4_u8, 0..6_u8, any::<u8>()).prop_map(|(a, b, c)| Act::Create(a, b, c)),
        3 => (0..6_u8, any::<u8>(), any::<u64>()).prop_map(|(a, b, c)| Act::Unlink(a, b, c)),
        2 => (0..4_u8, 0..6_u8, any::<u64>()).prop_map(|(a, b, c)| Act::Write(a, b, c)),
        1 => (0..4_u8, any::<bool>()).prop_map(|(a, b)| Act::Exec(a, b)),
        1 => (0..40_u8).prop_map(Act::Fork),
        1 => (0..40_u8).prop_map(Act::Exit),
        2 => step.prop_map(Act::Step),
        2 => Just(Act::Tick),
        1 => (0..200_u64, 0..3_u64).prop_map(|(a, b)| Act::Read(a, b)),
    ];
    proptest::collection::vec(act, 0..400)
}

const PATHS: [&str; 6] = ["/out", "/out/a", "/home/x/out/deep/er", "", "rel", "/proj/target/debug"];

fn play(acts: &[Act], policy: &FilePolicy) -> Vec<Anomaly> {
    let mut bench = Bench::with(policy.clone());
    let people = [persona("A"), persona("B")];
    let mut found = Vec::new();
    for act in acts {
        let who = |number: u8| (&people[usize::from(number % 2)], u32::from(number) + 1);
        match *act {
            Act::Create(by, folder, name) => {
                let (whose, tgid) = who(by);
                bench.create(whose, tgid, &format!("{}/{name}", PATHS[usize::from(folder)]));
            }
            Act::Unlink(folder, name, calls) => {
                bench.unlink(
                    &people[0],
                    1,
                    &format!("{}/{name}", PATHS[usize::from(folder)]),
                    calls,
                );
            }
            Act::Write(by, folder, bytes) => {
                let (whose, tgid) = who(by);
                bench.write(whose, tgid, &format!("{}/1", PATHS[usize::from(folder)]), bytes);
            }
            Act::Exec(by, is_tool) => {
                let (whose, tgid) = who(by);
                bench.exec(whose, tgid, if is_tool { "/bin/tar" } else { "/bin/x" }, "x\0y\0");
            }
            Act::Fork(by) => bench.hear(who(by).0, who(by).1, Payload::Fork),
            Act::Exit(by) => bench.watch.programs.ended(key(who(by).1)),
            Act::Step(by) => {
                bench.now_ns = bench.now_ns.saturating_add_signed(by).min(u64::MAX / 2)
            }
            Act::Tick => found.extend(bench.second()),
            Act::Read(asked_by, hash) => {
                // The first persona is number 1.
                let file = FileToRead { asked_by, path: b"/x/y".to_vec(), ..FileToRead::default() };
                let found = Ok(crate::model::FileContent { hash, size: hash });
                bench.watch.read(&FileRead { file, found });
            }
        }
    }
    bench.second();
    found.extend(bench.second());
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Gaps, steps of the clock in either direction, restarts, counts without
    /// their beginning: whatever comes, what is told is within what happened.
    #[test]
    fn whatever_comes_what_is_told_can_be(acts in acts()) {
        let policy = FilePolicy { files: 3, churned_files: 5, equal_files: 3, ..FilePolicy::default() };
        let creations = acts.iter().filter(|act| matches!(act, Act::Create(..))).count() as u64;
        for found in play(&acts, &policy) {
            prop_assert!(found.measured >= found.threshold, "{:?}", found);
            let files = found.files.as_ref().unwrap();
            if found.rule != Rule::DuplicateFiles {
                prop_assert!(files.files_created <= creations, "{:?}", found);
                prop_assert!(found.measured <= count(files.files_created));
                prop_assert!(!files.samples.is_empty() || files.folder == "/", "{:?}", found);
                prop_assert!(found.process.is_some());
            }
            prop_assert!(files.files_unlinked.is_none_or(|gone| gone <= files.files_created));
            prop_assert!(files.files_per_second.is_none_or(f64::is_finite));
            prop_assert!(files.samples.len() <= SAMPLES);
            prop_assert!(files.files_equal <= files.files_read);
        }
    }

    /// The same stream tells the same.
    #[test]
    fn it_is_a_fold(acts in acts()) {
        let policy = FilePolicy { files: 3, churned_files: 5, equal_files: 3, ..FilePolicy::default() };
        prop_assert_eq!(play(&acts, &policy), play(&acts, &policy));
    }

    /// Events of one moment may come in any order, and may be told late.
    #[test]
    fn the_order_of_equal_times_does_not_matter(
        order in Just((0..120_usize).collect::<Vec<_>>()).prop_shuffle(),
        late in 0..2 * SECOND,
        kept in 0..60_usize,
    ) {
        let whose = persona("A");
        let mut bench = Bench::new();
        bench.second();
        for number in order {
            let path = format!("/out/{number}");
            bench.hear_at(bench.now_ns - late, &whose, 10, created(&path));
        }
        for number in kept..120 {
            bench.unlink(&whose, 10, &format!("/out/{number}"), 1);
        }
        let found = bench.second();
        prop_assert_eq!(found.len(), usize::from(kept >= 50));
        for found in found {
            prop_assert_eq!(found.measured, kept as f64);
        }
    }

    /// However many personas there are, they have room, and the last is seen.
    #[test]
    fn personas_are_bounded(more in 1..300_usize) {
        let mut bench = Bench::new();
        for number in 0..more {
            bench.create(&persona(&format!("p{number}")), 10, "/out/x");
        }
        let last = persona("last");
        for number in 0..50 {
            bench.create(&last, 10, &format!("/out/{number}"));
        }
        prop_assert!(bench.watch.personas.all.len() <= personas::PERSONAS);
        prop_assert_eq!(bench.only().persona, Some(last));
    }
}

/// Files whose unlinks are not counted yet are judged when they are.
#[test]
fn files_of_after_the_flush_wait_for_the_next_one() {
    let mut bench = Bench::new();
    let whose = persona("Builder");
    bench.watch.flushing(bench.now_ns - 1);
    for index in 0..60 {
        bench.create(&whose, 7, &format!("/work/tmp/{index}"));
    }
    bench.nothing();
    bench.watch.flushing(bench.now_ns - 1);
    for index in 0..60 {
        bench.unlink(&whose, 7, &format!("/work/tmp/{index}"), 1);
    }
    bench.nothing();
    for index in 0..60 {
        bench.create(&whose, 7, &format!("/work/out/{index}"));
    }
    bench.nothing();
    bench.watch.flushing(bench.now_ns - 1);
    assert_eq!(bench.only().files.unwrap().files_created, 60);
}

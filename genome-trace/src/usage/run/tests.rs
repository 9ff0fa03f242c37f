use super::*;
use crate::model::{
    CrashKind, Exec, Exit, FileCreate, FileUnlink, FileWrite, OomKill, Process, RunExecutable,
    RunFolder, SignalNumber, VramAtDeath, VramPeakSource, Watch,
};

const MS: u64 = 1_000_000;

/// Digits are random by nature.
struct Names;

impl RunNames for Names {
    fn executable(&self, path: &[u8]) -> String {
        self.folder(path)
    }

    fn folder(&self, path: &[u8]) -> String {
        let name = |byte: &u8| if byte.is_ascii_digit() { '*' } else { char::from(*byte) };
        path.iter().map(name).collect()
    }
}

fn process(tgid: u32, ppid: u32) -> Process<'static> {
    Process {
        key: ProcessKey { tgid, start_time: u64::from(tgid) },
        tid: None,
        ppid: Some(ppid),
        uid: None,
        comm: Some(b"comm"),
        cgroup_path: None,
        watch: Watch { in_tree: true, ..Watch::default() },
    }
}

fn event<'a>(ktime_ns: u64, process: Process<'a>, payload: Payload<'a>) -> Event<'a> {
    Event {
        ktime_ns,
        wall_time: WallTime { unix_ns: ktime_ns.cast_signed() + 1 },
        process: Some(process),
        persona: None,
        persona_root: None,
        payload,
    }
}

fn exec(exe: &str) -> Payload<'_> {
    Payload::Exec(Exec {
        exe: Some(exe.as_bytes()),
        exe_truncated: false,
        argv: None,
        argv_truncated: false,
        environment: None,
        environment_truncated: false,
    })
}

fn exit(ending: Ending) -> Exit {
    Exit {
        ending,
        runtime_ns: MS,
        cpu_ns: Some(2),
        peak_rss_bytes: Some(100),
        write_calls: None,
        written_bytes: None,
        threads: Some(1),
        open_files: None,
        vram: None,
    }
}

fn write(path: Option<&[u8]>, inode: u64) -> Payload<'_> {
    Payload::FileWrite(FileWrite {
        path,
        path_truncated: false,
        device: (8, 1),
        inode,
        write_calls: 2,
        written_bytes: 10,
    })
}

fn create(path: &[u8]) -> Payload<'_> {
    let (path, path_truncated) = (Some(path), false);
    Payload::FileCreate(FileCreate { path, path_truncated, device: (8, 1), inode: 1 })
}

const fn exited(code: u8) -> Ending {
    Ending::Exited { code }
}

const fn killed(signal: u32) -> Ending {
    Ending::Signaled { signal: SignalNumber(signal), core_dumped: false }
}

fn heard(events: &[Event<'_>]) -> RunAccount {
    let mut account = RunAccount::new(Box::new(Names));
    for event in events {
        account.hear(event);
    }
    account
}

fn end() -> RunEnd {
    RunEnd {
        outcome: exited(0),
        started: WallTime { unix_ns: 0 },
        wall_ns: 77,
        crashes: Vec::new(),
    }
}

fn finished(account: RunAccount) -> (Run, BTreeMap<RunMetric, String>) {
    account.finish(end(), |_| true)
}

#[test]
fn a_tree_is_counted_by_program_and_by_ending() {
    let (shell, child, orphan) = (process(1, 9), process(2, 1), process(3, 2));
    let account = heard(&[
        event(100, shell, exec("/bin/sh")),
        event(110, child, Payload::Fork),
        event(120, child, exec("/opt/v12/python")),
        event(130, orphan, Payload::Fork),
        event(140, process(4, 1), Payload::Fork),
        event(150, process(4, 1), Payload::Exit(exit(exited(1)))),
        event(160, child, Payload::Exit(Exit { peak_rss_bytes: Some(900), ..exit(killed(11)) })),
        event(200, shell, Payload::Exit(exit(exited(0)))),
    ]);
    assert!(!account.is_over());
    assert_eq!(account.left().collect::<Vec<_>>(), [orphan.key]);
    let (run, unknown) = finished(account);
    assert_eq!(run.started, WallTime { unix_ns: 101 });
    let figure = |metric| run.figures.get(metric);
    for (metric, figure_is) in [
        (RunMetric::Processes, 4),
        (RunMetric::Execs, 2),
        (RunMetric::FailedExits, 1),
        (RunMetric::Signals, 1),
        (RunMetric::Crashes, 0),
        (RunMetric::PeakRssBytes, 900),
        (RunMetric::CpuNs, 6),
        (RunMetric::WallNs, 100),
    ] {
        assert_eq!(figure(metric), Some(figure_is), "{metric}");
    }
    let endings = [("exit 0", 1), ("exit 1", 1), ("SIGSEGV", 1)];
    assert_eq!(run.endings, endings.map(|(name, count)| (name.to_owned(), count)).into());
    assert_eq!(run.signals, [("SIGSEGV".to_owned(), 1)].into());
    // What has executed nothing is its parent's.
    let row = |execs, processes, failed_exits, signaled, peak, cpu| RunExecutable {
        execs,
        processes,
        failed_exits,
        signaled,
        peak_rss_bytes: Some(peak),
        cpu_ns: Some(cpu),
    };
    assert_eq!(run.executables["/bin/sh"], row(1, 2, 1, 0, 100, 4));
    assert_eq!(run.executables["/opt/v**/python"], row(1, 2, 0, 1, 900, 2));
    assert_eq!(run.left_running, [("/opt/v**/python".to_owned(), 1)].into());
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn a_process_that_only_its_end_told_of_is_a_process() {
    let account = heard(&[
        event(1, process(1, 9), exec("/bin/sh")),
        event(2, process(7, 1), Payload::Exit(exit(exited(3)))),
        // One with the number of another that had ended.
        event(
            3,
            Process { key: ProcessKey { tgid: 7, start_time: 99 }, ..process(7, 1) },
            Payload::Fork,
        ),
    ]);
    let (run, _) = account.finish(end(), |_| false);
    assert_eq!(run.figures.get(RunMetric::Processes), Some(3));
    assert_eq!(run.endings["exit 3"], 1);
    assert_eq!(run.executables["unknown"].failed_exits, 1);
    // Nobody of those that were not seen to end is there any more.
    assert_eq!(run.left_running, BTreeMap::new());
}

#[test]
fn files_are_counted_by_folder_and_different_ones_once() {
    let worker = process(1, 9);
    let unlink = |path: &'static [u8]| {
        let (path, path_truncated) = (Some(path), false);
        Payload::FileUnlink(FileUnlink { path, path_truncated, unlink_calls: 5 })
    };
    let (run, _) = finished(heard(&[
        event(1, worker, exec("/bin/sh")),
        event(1, worker, create(b"/tmp/a1/x")),
        event(1, worker, create(b"/tmp/a2/x")),
        event(1, worker, write(Some(b"/tmp/a1/x"), 1)),
        event(1, process(2, 1), write(Some(b"/tmp/a1/x"), 1)),
        event(1, worker, write(Some(b"/tmp/a2/x"), 1)),
        event(1, worker, write(None, 7)),
        event(1, worker, write(None, 7)),
        event(1, worker, write(None, 8)),
        event(1, worker, unlink(b"/tmp/a1/x")),
    ]));
    let folder = |created, unlinked, written_files, write_calls| RunFolder {
        created,
        unlinked,
        written_files,
        write_calls,
        written_bytes: write_calls * 5,
    };
    let folders = [("/tmp/a*", folder(2, 5, 2, 6)), ("unknown", folder(0, 0, 2, 6))];
    assert_eq!(run.folders, folders.map(|(name, row)| (name.to_owned(), row)).into());
    let figure = |metric| run.figures.get(metric);
    assert_eq!(figure(RunMetric::FilesCreated), Some(2));
    assert_eq!(figure(RunMetric::FilesUnlinked), Some(5));
    assert_eq!(figure(RunMetric::FilesWritten), Some(4));
    assert_eq!(figure(RunMetric::WriteCalls), Some(12));
    assert_eq!(figure(RunMetric::WrittenBytes), Some(60));
}

#[test]
fn files_without_a_name_are_one_in_each_folder_whatever_inodes_they_get() {
    for inodes in [[5, 5, 5], [5, 6, 7]] {
        let worker = process(1, 9);
        let paths = inodes.map(|inode| format!("/tmp/#{inode}"));
        let writes = paths
            .iter()
            .zip(inodes)
            .map(|(path, inode)| event(1, worker, write(Some(path.as_bytes()), inode)));
        let events: Vec<_> =
            [event(1, worker, exec("/bin/sh"))].into_iter().chain(writes).collect();
        let (run, _) = finished(heard(&events));
        assert_eq!(run.figures.get(RunMetric::FilesWritten), Some(1), "{inodes:?}");
    }
}

#[test]
fn a_peak_is_what_a_look_saw_or_what_was_told_at_an_end_if_that_is_more() {
    let root = process(1, 9);
    let mut account = heard(&[event(1, root, exec("/bin/sh"))]);
    let look = |rss_bytes, threads, vram_bytes| TreeLook {
        rss_bytes: Some(rss_bytes),
        largest_rss_bytes: Some(rss_bytes / 2),
        threads: Some(threads),
        vram_bytes,
    };
    account.look(&look(400, 3, None));
    account.look(&look(300, 9, Some(5)));
    account.look(&TreeLook::default());
    account.hear(&event(
        2,
        root,
        Payload::Exit(Exit {
            vram: Some(VramAtDeath {
                bytes: Some(4),
                peak_bytes: Some(6),
                peak_source: VramPeakSource::Samples,
                age_ns: 0,
            }),
            peak_rss_bytes: Some(250),
            ..exit(exited(0))
        }),
    ));
    assert!(account.is_over());
    let (run, _) = finished(account);
    let figure = |metric| run.figures.get(metric);
    assert_eq!(figure(RunMetric::PeakTreeRssBytes), Some(400));
    assert_eq!(figure(RunMetric::PeakRssBytes), Some(250));
    assert_eq!(figure(RunMetric::PeakThreads), Some(9));
    assert_eq!(figure(RunMetric::PeakVramBytes), Some(6));
}

#[test]
fn what_was_lost_is_told_and_what_depends_on_it_is_unknown() {
    let lost = |lost| Event { process: None, ..event(3, process(1, 9), Payload::Lost(lost)) };
    let (run, unknown) = finished(heard(&[
        event(1, process(1, 9), exec("/bin/sh")),
        lost(Lost { fork: 1, skipped: 4, ..Lost::default() }),
        lost(Lost { fork: 2, ..Lost::default() }),
    ]));
    assert_eq!(run.lost, [("fork".to_owned(), 3), ("skipped".to_owned(), 4)].into());
    assert_eq!(run.figures.get(RunMetric::Processes), None);
    assert_eq!(run.figures.get(RunMetric::Execs), Some(1));
    let why = &unknown[&RunMetric::Processes];
    assert_eq!(why, "3 events of the kind fork came too fast and were lost");
}

/// Such as one that waited for a processor and ended before a tick came.
#[test]
fn what_was_not_settled_counts_with_a_tick_and_what_is_never_told_is_unknown() {
    let long = Exit { cpu_ns: None, runtime_ns: 1_000 * MS, ..exit(exited(0)) };
    let (run, unknown) = finished(heard(&[
        event(1, process(1, 9), exec("/bin/sh")),
        event(2, process(2, 1), Payload::Exit(long)),
        event(3, process(1, 9), Payload::Exit(exit(exited(0)))),
    ]));
    assert_eq!(run.figures.get(RunMetric::CpuNs), Some(10 * MS + 2));
    assert!(unknown.is_empty(), "{unknown:?}");
    assert_eq!(run.executables["/bin/sh"].cpu_ns, Some(2));
    assert_eq!(run.executables["unknown"].cpu_ns, None);
    let (run, unknown) = finished(heard(&[event(2, process(2, 1), Payload::Exit(long))]));
    assert_eq!(run.figures.get(RunMetric::CpuNs), None);
    assert!(unknown[&RunMetric::CpuNs].contains("did not tell"));
}

#[test]
fn crashes_are_in_order_and_a_run_that_heard_nothing_goes_by_the_clock() {
    let crash = |ktime_ns| {
        let key = ProcessKey { tgid: 1, start_time: 1 };
        let wall_time = WallTime { unix_ns: 0 };
        Crash::new(wall_time, ktime_ns, key, CrashKind::FatalSignal, "it did".to_owned())
    };
    let oom = OomKill {
        constraint: None,
        total_vm_bytes: None,
        anon_rss_bytes: None,
        file_rss_bytes: None,
        shmem_rss_bytes: None,
        oom_score_adj: None,
        memory_cgroup_path: None,
        memory_limit_bytes: None,
        memory_usage_bytes: None,
        invoker_tgid: 1,
    };
    let account = heard(&[event(1, process(1, 9), Payload::OomKill(oom))]);
    assert!(!account.is_over(), "nobody was seen yet");
    let end = RunEnd { crashes: vec![crash(9), crash(3)], ..end() };
    let (run, _) = account.finish(end, |_| true);
    assert_eq!(run.crashes.iter().map(|crash| crash.ktime_ns).collect::<Vec<_>>(), [3, 9]);
    assert_eq!(run.figures.get(RunMetric::Crashes), Some(2));
    assert_eq!(run.figures.get(RunMetric::OomKills), Some(1));
    assert_eq!(run.figures.get(RunMetric::WallNs), Some(77));
}

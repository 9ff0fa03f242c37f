//! Records as the task iterator writes them, and bytes that it would not write.
#![allow(clippy::unwrap_used)]

use genome_trace_common::{COMM_LEN, RecordHeader, UNKNOWN_U32};
use proptest::prelude::*;

use super::*;
use crate::model::{MemoryConstraint, WallTime};

struct Fixed;

impl Surroundings for Fixed {
    fn wall_time(&self, _: u64) -> WallTime {
        WallTime { unix_ns: 0 }
    }

    fn cgroup_path(&self, _: u64) -> Option<&[u8]> {
        None
    }

    fn oom_constraint(&self, _: &[u64]) -> Option<MemoryConstraint> {
        None
    }

    fn page_size(&self) -> u64 {
        4096
    }

    fn tracing_since(&self) -> u64 {
        0
    }
}

fn usage(figure: u64) -> Usage {
    Usage {
        cpu_ns: figure,
        user_ns: figure,
        system_ns: figure,
        write_calls: figure,
        written_bytes: figure,
    }
}

fn task(tgid: u32, threads: u32) -> TaskRecord {
    let header = RecordHeader {
        abi: ABI_VERSION,
        kind: Kind::Task as u16,
        len: size_of::<TaskRecord>() as u32,
        ktime_ns: 5_000,
        tgid,
        tid: tgid,
        start_time: 10,
        cgroup_id: 7,
        ppid: 1,
        uid: 1000,
        flags: 0,
        reserved: 0,
        comm: [b'x'; COMM_LEN],
    };
    TaskRecord {
        header,
        usage: usage(100),
        anon_rss_pages: 3,
        file_rss_pages: 2,
        shmem_rss_pages: 1,
        threads,
        open_files: 4,
        oom_score_adj: -500,
        flags: TASK_HAD_CHILDREN,
    }
}

fn thread(tgid: u32, figure: u64) -> ThreadRecord {
    ThreadRecord {
        abi: ABI_VERSION,
        kind: Kind::Thread as u16,
        len: size_of::<ThreadRecord>() as u32,
        tgid,
        tid: tgid + 1,
        start_time: 10,
        usage: usage(figure),
    }
}

fn bytes_of<T: aya::Pod>(value: &T) -> Vec<u8> {
    // SAFETY: `T` is plain data without padding.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }.to_vec()
}

#[test]
fn processes_are_read_one_after_the_other() {
    let mut records =
        [bytes_of(&task(1, 1)), bytes_of(&thread(1, 5)), bytes_of(&task(2, 1))].concat();
    // Cut off: left out.
    records.extend([0; 71]);
    let found: Vec<_> = tasks(&records, &Fixed).map(|process| process.key.tgid).collect();
    assert_eq!(found, [1, 2]);
    let first = samples(&records, &Fixed).next().unwrap();
    assert_eq!(first.rss_bytes(), Some(6 * 4096));
    assert_eq!((first.anon_rss_bytes, first.file_rss_bytes), (Some(3 * 4096), Some(2 * 4096)));
    assert_eq!((first.threads, first.open_files), (Some(1), Some(4)));
    assert_eq!((first.oom_score_adj, first.had_children), (Some(-500), true));
}

/// In whatever order, since PIDs are used again.
#[test]
fn what_threads_used_is_added_to_their_process() {
    let records = [
        bytes_of(&thread(9, 10)),
        bytes_of(&task(8, 1)),
        bytes_of(&task(9, 3)),
        bytes_of(&thread(9, 20)),
    ]
    .concat();
    let used: Vec<_> = samples(&records, &Fixed).map(|sample| sample.used.unwrap()).collect();
    let cpu: Vec<_> = used.iter().map(|used| used.cpu_ns).collect();
    assert_eq!(cpu, [Some(100), Some(130)]);
    let last = used.last().unwrap();
    assert_eq!((last.write_calls, last.written_bytes), (Some(130), Some(130)));
}

#[test]
fn where_a_thread_is_missing_what_was_used_is_unknown() {
    let records = [bytes_of(&task(9, 3)), bytes_of(&thread(9, 20))].concat();
    let sample = samples(&records, &Fixed).next().unwrap();
    assert_eq!((sample.used, sample.threads), (None, Some(3)));
}

#[test]
fn what_the_kernel_does_not_have_is_unknown_not_zero() {
    let mut record = task(1, UNKNOWN_U32);
    record.anon_rss_pages = UNKNOWN_U64;
    record.open_files = UNKNOWN_U32;
    record.oom_score_adj = i32::MAX;
    let bytes = bytes_of(&record);
    let sample = samples(&bytes, &Fixed).next().unwrap();
    assert_eq!((sample.rss_bytes(), sample.anon_rss_bytes), (None, None));
    assert_eq!(sample.file_rss_bytes, Some(2 * 4096));
    assert_eq!((sample.threads, sample.open_files, sample.oom_score_adj), (None, None, None));
    assert_eq!(sample.used, None);
    let mut record = task(1, 1);
    record.usage = Usage { write_calls: UNKNOWN_U64, ..usage(1) };
    let bytes = bytes_of(&record);
    let used = samples(&bytes, &Fixed).next().unwrap().used.unwrap();
    assert_eq!((used.cpu_ns, used.write_calls), (Some(1), None));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_left_out(
        kind in 10u16..14,
        len in 0u32..200,
        rest in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let head = [ABI_VERSION.to_ne_bytes(), kind.to_ne_bytes()].concat();
        let records = [head, len.to_ne_bytes().to_vec(), rest].concat();
        prop_assert!(samples(&records, &Fixed).count() <= tasks(&records, &Fixed).count());
    }
}

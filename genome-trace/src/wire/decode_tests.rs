//! Tests of decoding: records as the kernel side writes them, and bytes that
//! no kernel side would write.
#![allow(clippy::unwrap_used, clippy::panic)]

use genome_trace_common::*;
use proptest::prelude::*;

use super::*;
use crate::model::{BuildId, Frame};

struct Fixed;

impl Surroundings for Fixed {
    fn wall_time(&self, ktime_ns: u64) -> WallTime {
        WallTime { unix_ns: ktime_ns as i64 }
    }

    fn cgroup_path(&self, id: u64) -> Option<&[u8]> {
        (id == 7).then_some(b"/ai/code".as_slice())
    }

    fn oom_constraint(&self, stack: &[u64]) -> Option<MemoryConstraint> {
        stack.first().map(|_| MemoryConstraint::Memcg)
    }

    fn page_size(&self) -> u64 {
        4096
    }

    fn tracing_since(&self) -> u64 {
        2_000
    }
}

fn header(kind: Kind, len: usize) -> RecordHeader {
    let mut comm = [0; COMM_LEN];
    comm[..7].copy_from_slice(b"python3");
    RecordHeader {
        abi: ABI_VERSION,
        kind: kind as u16,
        len: len as u32,
        ktime_ns: 5_000,
        tgid: 42,
        tid: 43,
        start_time: 1_000,
        cgroup_id: 7,
        ppid: 1,
        uid: 1000,
        flags: WATCH_TREE,
        reserved: 0,
        comm,
    }
}

fn bytes_of<T: aya::Pod>(value: &T) -> Vec<u8> {
    // SAFETY: `T` is plain data without padding.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }.to_vec()
}

fn exec_record(path: &[u8], argv: &[u8], environment: &[u8]) -> Vec<u8> {
    let len = size_of::<ExecRecord>() + path.len() + argv.len() + environment.len();
    let record = ExecRecord {
        header: header(Kind::Exec, len),
        path_len: path.len() as u32,
        path_flags: 0,
        argv_len: argv.len() as u32,
        environment_len: environment.len() as u32,
        flags: EXEC_ENVIRONMENT_TRUNCATED,
        reserved: 0,
    };
    [bytes_of(&record), path.to_vec(), argv.to_vec(), environment.to_vec()].concat()
}

#[test]
fn an_exec_has_its_path_and_arguments() {
    let bytes = exec_record(b"python3\0bin\0usr\0", b"python3\0-c\0pass\0", b"A=b\0GENOME_ID=");
    let mut decoder = Decoder::default();
    let Decoded::Event(event, None) = decoder.decode(&bytes, &Fixed).unwrap() else { panic!() };
    let process = event.process.unwrap();
    assert_eq!(process.key, ProcessKey { tgid: 42, start_time: 1_000 });
    assert_eq!(process.comm, Some(b"python3".as_slice()));
    assert_eq!(process.cgroup_path, Some(b"/ai/code".as_slice()));
    let Payload::Exec(exec) = event.payload else { panic!() };
    assert_eq!(exec.exe, Some(b"/usr/bin/python3".as_slice()));
    assert_eq!(exec.argv.unwrap().iter().collect::<Vec<_>>(), [&b"python3"[..], b"-c", b"pass"]);
    assert_eq!(exec.environment, Some(b"A=b\0GENOME_ID=".as_slice()));
    assert!(exec.environment_truncated);
}

#[test]
fn an_exit_without_accounting_has_unknown_writes_not_zero() {
    let record = ExitRecord {
        header: header(Kind::Exit, size_of::<ExitRecord>()),
        wait_status: 9,
        flags: EXIT_IO_UNKNOWN,
        cpu_ns: 5,
        peak_rss_pages: 0,
        write_calls: 0,
        written_bytes: 0,
        threads: UNKNOWN_U32,
        open_files: UNKNOWN_U32,
    };
    let bytes = bytes_of(&record);
    let mut decoder = Decoder::default();
    let Decoded::Event(event, None) = decoder.decode(&bytes, &Fixed).unwrap() else { panic!() };
    let Payload::Exit(exit) = event.payload else { panic!() };
    assert_eq!(exit.write_calls, None);
    assert_eq!(exit.peak_rss_bytes, None);
    assert_eq!(exit.cpu_ns, Some(5));
    assert_eq!((exit.threads, exit.open_files), (None, None));
    assert_eq!(exit.runtime_ns, 4_000);
}

#[test]
fn writes_of_a_process_older_than_the_tracer_may_be_incomplete() {
    let writes = |start_time| {
        let mut header = header(Kind::Exit, size_of::<ExitRecord>());
        header.start_time = start_time;
        let record = ExitRecord {
            header,
            wait_status: 0,
            flags: EXIT_WRITES_SINCE_START,
            cpu_ns: 5,
            peak_rss_pages: 1,
            write_calls: 7,
            written_bytes: 70,
            threads: 3,
            open_files: 0,
        };
        let bytes = bytes_of(&record);
        let mut decoder = Decoder::default();
        let Decoded::Event(event, None) = decoder.decode(&bytes, &Fixed).unwrap() else { panic!() };
        let Payload::Exit(exit) = event.payload else { panic!() };
        assert_eq!((exit.threads, exit.open_files), (Some(3), Some(0)));
        exit.write_calls
    };
    assert_eq!(writes(1_000), None);
    assert_eq!(writes(3_000), Some(7));
}

#[test]
fn a_count_whose_name_was_lost_is_still_told() {
    let key = FileKey {
        start_time: 1_000,
        inode: 12,
        name_hash: 0,
        tgid: 42,
        device: 8 << 20 | 1,
        counted: COUNT_WRITE,
        generation: 0,
    };
    let count = FileCount { calls: 3, bytes: 300 };
    let mut decoder = Decoder::default();
    let event = decoder.counted(Counted { key, count, record: None, ktime_ns: 9_000 }, &Fixed);
    let Payload::FileWrite(write) = event.payload else { panic!() };
    assert_eq!((write.path, write.write_calls, write.written_bytes), (None, 3, 300));
    assert_eq!(write.device, (8, 1));
    assert_eq!(event.process.unwrap().comm, None);
}

#[test]
fn a_signals_frames_are_what_follows_it() {
    let frames = [[1, 0, 0, 0].as_slice(), &[5; 20], &0x10_u64.to_ne_bytes()].concat();
    let signal = |frames: &[u8]| {
        let record = SignalRecord {
            header: header(Kind::Signal, size_of::<SignalRecord>() + frames.len()),
            signal: 11,
            code: 1,
            sender_tgid: 0,
            flags: 0,
            sender_comm: [0; COMM_LEN],
            rss_pages: 3,
            threads: 2,
            open_files: UNKNOWN_U32,
        };
        // What comes after it in a ring is none of it.
        [bytes_of(&record), frames.to_vec(), vec![9; 40]].concat()
    };
    let mut decoder = Decoder::default();
    for (frames, stack) in [(frames.as_slice(), Some(UserStack { block: &frames })), (b"", None)] {
        let bytes = signal(frames);
        let decoded = decoder.decode(&bytes, &Fixed).unwrap();
        let Decoded::Event(event, None) = decoded else { panic!() };
        let Payload::Signal(signal) = event.payload else { panic!() };
        assert_eq!(signal.stack, stack);
        assert_eq!((signal.sender_tgid, signal.sender_comm), (None, None));
        let figures = (signal.rss_bytes, signal.threads, signal.open_files);
        assert_eq!(figures, (Some(3 * 4096), Some(2), None));
    }
    let stack = UserStack { block: &frames };
    let place = Frame::InFile { build_id: BuildId([5; 20]), offset: 0x10 };
    assert_eq!(stack.frames().collect::<Vec<_>>(), [place]);
}

#[test]
fn another_version_and_unknown_kinds_are_refused() {
    let mut decoder = Decoder::default();
    let mut bytes = bytes_of(&header(Kind::Fork, size_of::<RecordHeader>()));
    bytes[0] = 99;
    assert_eq!(decoder.decode(&bytes, &Fixed), Err(DecodeError::Version(99)));
    bytes[0] = ABI_VERSION as u8;
    bytes[2] = 77;
    assert_eq!(decoder.decode(&bytes, &Fixed), Err(DecodeError::Kind(77)));
    assert_eq!(decoder.decode(&[], &Fixed), Err(DecodeError::Length(0)));
}

proptest! {
    #[test]
    fn any_bytes_decode_or_are_refused(
        kind in 0u16..14,
        len in 0u32..400,
        rest in prop::collection::vec(any::<u8>(), 0..500),
    ) {
        let mut head = header(Kind::Fork, 0);
        head.kind = kind;
        head.len = len;
        let bytes = [bytes_of(&head), rest].concat();
        let _ = Decoder::default().decode(&bytes, &Fixed);
    }

    #[test]
    fn a_cut_record_is_refused(cut in 0usize..120) {
        let bytes = exec_record(b"python3\0bin\0usr\0", b"python3\0-c\0pass\0", b"A=b\0GENOME_ID=");
        let cut = cut.min(bytes.len() - 1);
        let mut decoder = Decoder::default();
        prop_assert!(decoder.decode(&bytes[..cut], &Fixed).is_err());
    }
}

//! Recordings read back, and bytes that are none.
#![allow(clippy::unwrap_used, clippy::panic)]

use genome_trace_common::*;
use proptest::prelude::*;

use super::*;
use crate::{
    model::{MemoryConstraint, Payload, WallTime},
    wire::{Counted, Decoded, Decoder, Surroundings},
};

struct Machine;

impl Surroundings for Machine {
    fn wall_time(&self, ktime_ns: u64) -> WallTime {
        WallTime { unix_ns: ktime_ns as i64 + 500 }
    }

    fn cgroup_path(&self, id: u64) -> Option<&[u8]> {
        (id == 7).then_some(b"/ai/code".as_slice())
    }

    fn oom_constraint(&self, stack: &[u64]) -> Option<MemoryConstraint> {
        match stack {
            [0xffff_ffff_8100_0000, ..] => Some(MemoryConstraint::Memcg),
            [0xffff_ffff_8200_0000, ..] => Some(MemoryConstraint::Global),
            _ => None,
        }
    }

    fn page_size(&self) -> u64 {
        16384
    }

    fn tracing_since(&self) -> u64 {
        2_000
    }
}

const KEY: FileKey = FileKey {
    start_time: 1,
    inode: 2,
    name_hash: 3,
    tgid: 4,
    device: 5,
    counted: COUNT_WRITE,
    generation: 7,
};

fn header(kind: Kind, len: usize, flags: u32) -> RecordHeader {
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
        flags,
        reserved: 0,
        comm: *b"python3\0\0\0\0\0\0\0\0\0",
    }
}

fn bytes_of<T: aya::Pod>(value: &T) -> Vec<u8> {
    // SAFETY: `T` is plain data without padding.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast(), size_of::<T>()) }.to_vec()
}

fn exec(argv: &[u8], environment: &[u8]) -> Vec<u8> {
    let path = b"python3\0bin\0";
    let len = size_of::<ExecRecord>() + path.len() + argv.len() + environment.len();
    let fixed = ExecRecord {
        header: header(Kind::Exec, len, WATCH_TREE),
        path_len: path.len() as u32,
        path_flags: 0,
        argv_len: argv.len() as u32,
        environment_len: environment.len() as u32,
        flags: 0,
        reserved: 0,
    };
    [&bytes_of(&fixed), path.as_slice(), argv, environment].concat()
}

fn oom(frame: u64) -> Vec<u8> {
    let mut stack = [0; OOM_STACK_DEPTH];
    stack[..2].copy_from_slice(&[frame, 0xffff_ffff_8abc_def0]);
    bytes_of(&OomRecord {
        header: header(Kind::OomKill, size_of::<OomRecord>(), WATCH_TREE),
        total_vm_pages: 1,
        anon_rss_pages: 2,
        file_rss_pages: 3,
        shmem_rss_pages: 4,
        memory_limit_pages: 5,
        memory_usage_pages: 6,
        memory_cgroup_id: 7,
        invoker_tgid: 8,
        oom_score_adj: 9,
        stack_len: 2,
        oom_score_adj_known: 1,
        stack,
    })
}

fn fork(flags: u32) -> Vec<u8> {
    bytes_of(&header(Kind::Fork, size_of::<RecordHeader>(), flags))
}

/// A recording of what `told` tells.
fn recorded(only_in_tree: bool, told: impl FnOnce(&mut Encoder, &mut Vec<u8>)) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::begin(&mut file, &Machine, only_in_tree);
    told(&mut encoder, &mut file);
    file
}

fn payload_of<T>(item: &Item<'_>, context: &Context, read: impl FnOnce(Payload<'_>) -> T) -> T {
    let Item::Lifecycle(record) = item else { panic!("{item:?}") };
    let mut decoder = Decoder::default();
    let Decoded::Event(event, _) = decoder.decode(record, context).unwrap() else { panic!() };
    read(event.payload)
}

#[test]
fn what_records_refer_to_is_in_the_file() {
    let file = recorded(false, |encoder, file| {
        encoder.record(file, &fork(0), &Machine);
        encoder.record(file, &fork(0), &Machine);
    });
    let Recording { context, items } = Recording::parse(&file).unwrap();
    assert_eq!(items, [Item::Lifecycle(&fork(0)), Item::Lifecycle(&fork(0))]);
    assert_eq!(context.page_size(), 16384);
    assert_eq!(context.tracing_since(), 2_000);
    assert_eq!(context.wall_time(1_000), WallTime { unix_ns: 1_500 });
    assert_eq!(context.cgroup_path(7), Some(b"/ai/code".as_slice()));
    assert_eq!(context.cgroup_path(8), None);
    assert_eq!(file.windows(8).filter(|bytes| *bytes == b"/ai/code").count(), 1);
}

#[test]
fn of_the_environment_only_the_persona_is_kept() {
    let environment =
        b"TOKEN=secret\0GENOME_PERSONA=Code\0XGENOME_ID=hidden\0GENOME_ID=a3\0TAIL=cut";
    let file = recorded(false, |encoder, file| {
        encoder.record(file, &exec(b"python3\0x.py\0", environment), &Machine);
        encoder.record(file, &exec(b"python3\0", b"GENOME_ID=cut of"), &Machine);
    });
    for secret in ["secret", "hidden", "TAIL", "cut of"] {
        assert!(!String::from_utf8_lossy(&file).contains(secret), "{secret}");
    }
    let Recording { context, items } = Recording::parse(&file).unwrap();
    let environments = items.iter().map(|item| {
        payload_of(item, &context, |payload| {
            let Payload::Exec(exec) = payload else { panic!("{payload:?}") };
            assert_eq!(exec.exe, Some(b"/bin/python3".as_slice()));
            assert!(exec.argv.unwrap().block.starts_with(b"python3\0"));
            exec.environment.unwrap().to_vec()
        })
    });
    assert!(environments.eq([b"GENOME_PERSONA=Code\0GENOME_ID=a3\0".to_vec(), Vec::new()]));
}

#[test]
fn an_oom_kill_keeps_what_its_stack_says_and_no_address() {
    let frames = [0xffff_ffff_8100_0000_u64, 0xffff_ffff_8200_0000, 0xffff_ffff_8300_0000];
    let file = recorded(false, |encoder, file| {
        for frame in frames {
            encoder.record(file, &oom(frame), &Machine);
        }
    });
    for address in frames.into_iter().chain([0xffff_ffff_8abc_def0]) {
        assert!(!file.windows(8).any(|bytes| bytes == address.to_ne_bytes()), "{address:x}");
    }
    let Recording { context, items } = Recording::parse(&file).unwrap();
    let constraints = items.iter().map(|item| {
        payload_of(item, &context, |payload| {
            let Payload::OomKill(kill) = payload else { panic!("{payload:?}") };
            assert_eq!(kill.memory_limit_bytes, Some(5 * 16384));
            kill.constraint
        })
    });
    assert!(constraints.eq([Some(MemoryConstraint::Memcg), Some(MemoryConstraint::Global), None]));
}

#[test]
fn others_than_the_tree_are_left_out() {
    let stranger = fork(0);
    let file = recorded(true, |encoder, file| {
        encoder.record(file, &stranger, &Machine);
        encoder.record(file, &fork(WATCH_TREE), &Machine);
        let count = FileCount { calls: 1, bytes: 1 };
        let counted = Counted { key: KEY, count, record: Some(&stranger), ktime_ns: 1 };
        encoder.count(file, &counted, &Machine);
    });
    assert_eq!(Recording::parse(&file).unwrap().items, [Item::Lifecycle(&fork(WATCH_TREE))]);
}

#[test]
fn each_ring_and_each_count_is_told_apart() {
    let create = bytes_of(&FileRecord {
        header: header(Kind::FileCreate, size_of::<FileRecord>(), 0),
        key: KEY,
        epoch: 1,
        path_flags: PATH_UNKNOWN,
        path_len: 0,
        user_len: 0,
    });
    let count = FileCount { calls: 11, bytes: 12 };
    let counts = [Some(create.as_slice()), None].map(|record| Counted {
        key: KEY,
        count,
        record,
        ktime_ns: 13,
    });
    let file = recorded(false, |encoder, file| {
        encoder.record(file, &fork(0), &Machine);
        encoder.record(file, &create, &Machine);
        counts.iter().for_each(|counted| encoder.count(file, counted, &Machine));
    });
    let items = Recording::parse(&file).unwrap().items;
    let [named, unnamed] = counts.map(Item::Count);
    assert_eq!(items, [Item::Lifecycle(&fork(0)), Item::Io(&create), named, unnamed]);
}

#[test]
fn what_is_no_recording_is_told_as_what_it_is() {
    let whole = recorded(false, |encoder, file| encoder.record(file, &fork(0), &Machine));
    let with = |at: usize, bytes: &[u8]| {
        let mut file = whole.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        Recording::parse(&file).unwrap_err()
    };
    assert_eq!(Recording::parse(b"").unwrap_err(), RecordingError::NotARecording);
    assert_eq!(with(0, b"x"), RecordingError::NotARecording);
    assert_eq!(with(8, &BYTE_ORDER.swap_bytes().to_ne_bytes()), RecordingError::ByteOrder);
    assert_eq!(with(12, &9_u16.to_ne_bytes()), RecordingError::Format(9));
    assert_eq!(with(14, &9_u16.to_ne_bytes()), RecordingError::Records(9));
    assert_eq!(with(40, &[99]), RecordingError::Item(40));
    let cut = Recording::parse(&whole[..whole.len() - 1]).unwrap_err();
    assert!(matches!(cut, RecordingError::Item(at) if at > 40), "{cut}");
}

fn record() -> impl Strategy<Value = Vec<u8>> {
    let block = || prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        block(),
        any::<u32>().prop_map(fork),
        any::<u64>().prop_map(oom),
        (block(), block()).prop_map(|(argv, environment)| exec(&argv, &environment)),
        // A length that lies.
        (block(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(argv, at, byte)| {
            let mut record = exec(&argv, b"A=b\0");
            let at = at.index(record.len());
            record[at] = byte;
            record
        }),
    ]
}

/// Decodes everything that can be: nothing of it may panic.
fn replay(recording: &Recording<'_>) {
    let mut decoder = Decoder::default();
    for item in &recording.items {
        match item {
            Item::Lifecycle(record) | Item::Io(record) => {
                let _ = decoder.decode(record, &recording.context);
            }
            Item::Count(counted) => {
                let _ = decoder.counted(*counted, &recording.context);
            }
        }
    }
}

proptest! {
    #[test]
    fn any_records_give_a_whole_file(
        records in prop::collection::vec(record(), 0..8),
        only_in_tree: bool,
    ) {
        let file = recorded(only_in_tree, |encoder, file| {
            records.iter().for_each(|record| encoder.record(file, record, &Machine));
        });
        let recording = Recording::parse(&file).unwrap();
        prop_assert!(recording.items.len() <= records.len());
        replay(&recording);
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        flip in any::<prop::sample::Index>(),
        records in prop::collection::vec(record(), 0..3),
    ) {
        let whole = recorded(false, |encoder, file| {
            records.iter().for_each(|record| encoder.record(file, record, &Machine));
        });
        let mut flipped = whole.clone();
        flipped[flip.index(whole.len())] ^= 0x41;
        let head = &whole[..40];
        for file in [&bytes, &flipped, &[head, &bytes].concat(), &whole[..flip.index(whole.len())].to_vec()] {
            if let Ok(recording) = Recording::parse(file) {
                replay(&recording);
            }
        }
    }
}

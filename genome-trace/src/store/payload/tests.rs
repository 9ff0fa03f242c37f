use proptest::{collection::vec, option, prelude::*};

use super::*;

/// The owned parts that a payload of any kind borrows.
type Bytes = Option<Vec<u8>>;

fn bytes() -> impl Strategy<Value = Bytes> {
    option::of(vec(any::<u8>(), 0..40))
}

fn count() -> impl Strategy<Value = Option<u64>> {
    option::of(prop_oneof![any::<u64>(), 0..300_u64, Just(u64::MAX)])
}

fn gpu(index: Option<u32>, names: &[Option<String>; 3]) -> GpuName<'_> {
    let [uuid, name, pci_bus_id] = names.each_ref().map(Option::as_deref);
    GpuName { index, uuid, name, pci_bus_id }
}

fn read_back(payload: &Payload<'_>) {
    let mut encoded = vec![0xaa; 3];
    encode(payload, &mut encoded);
    let encoded = encoded.split_off(3);
    let kind = kind_of(match payload {
        Payload::Exec(_) => 1,
        Payload::Fork => 2,
        Payload::Exit(_) => 3,
        Payload::Signal(_) => 4,
        Payload::OomKill(_) => 5,
        Payload::FileCreate(_) => 6,
        Payload::FileWrite(_) => 7,
        Payload::FileUnlink(_) => 8,
        Payload::Lost(_) => 9,
        Payload::GpuXid(_) => 10,
        Payload::VramSpike(_) => 11,
        Payload::Alert(_) => panic!("an alert has a table of its own"),
    });
    let decoded = decode(kind.unwrap(), name_of(payload), &encoded);
    assert_eq!(decoded.as_ref(), Some(payload));
    // Cut off anywhere it is an error, not another payload.
    for len in 0..encoded.len() {
        assert_eq!(decode(kind.unwrap(), name_of(payload), &encoded[..len]), None, "{len}");
    }
}

proptest! {
    #[test]
    fn exec(exe in bytes(), argv in bytes(), flags in any::<[bool; 2]>()) {
        read_back(&Payload::Exec(Exec {
            exe: exe.as_deref(),
            exe_truncated: flags[0],
            argv: argv.as_deref().map(|block| Argv { block }),
            argv_truncated: flags[1],
            environment: None,
            environment_truncated: false,
        }));
    }

    #[test]
    fn exit(
        code in any::<u8>(),
        signal in option::of((any::<u32>(), any::<bool>())),
        runtime_ns in any::<u64>(),
        counts in [count(), count(), count(), count(), count(), count()],
        ids in any::<[Option<u32>; 2]>(),
        vram in option::of((any::<bool>(), any::<u64>())),
    ) {
        let ending = match signal {
            Some((signal, core_dumped)) => {
                Ending::Signaled { signal: SignalNumber(signal), core_dumped }
            }
            None => Ending::Exited { code },
        };
        let [cpu_ns, peak_rss_bytes, write_calls, written_bytes, bytes, peak_bytes] = counts;
        let vram = vram.map(|(is_accounted, age_ns)| VramAtDeath {
            bytes,
            peak_bytes,
            peak_source: if is_accounted {
                VramPeakSource::Accounting
            } else {
                VramPeakSource::Samples
            },
            age_ns,
        });
        read_back(&Payload::Exit(Exit {
            ending, runtime_ns, cpu_ns, peak_rss_bytes, write_calls, written_bytes, vram,
            threads: ids[0], open_files: ids[1],
        }));
    }

    #[test]
    fn gpu_xid(
        xid in option::of(0..200_u32),
        ids in any::<[Option<u32>; 2]>(),
        names in any::<[Option<String>; 3]>(),
        comm in bytes(),
        message in bytes(),
        tie in option::of(prop_oneof![Just(XidTie::Driver), Just(XidTie::SoleHolder)]),
        vram_bytes in count(),
    ) {
        read_back(&Payload::GpuXid(GpuXid {
            xid,
            meaning: xid.and_then(xid_meaning),
            gpu: gpu(ids[0], &names),
            tie,
            driver_tgid: ids[1],
            driver_comm: comm.as_deref(),
            message: message.as_deref(),
            vram_bytes,
        }));
    }

    #[test]
    fn vram_spike(
        sizes in any::<[u64; 4]>(),
        index in any::<Option<u32>>(),
        names in any::<[Option<String>; 3]>(),
        counts in [count(), count()],
    ) {
        read_back(&Payload::VramSpike(VramSpike {
            vram_bytes: sizes[0],
            baseline_bytes: sizes[1],
            baseline_looks: sizes[2],
            window_ns: sizes[3],
            gpu: gpu(index, &names),
            gpu_used_bytes: counts[0],
            gpu_total_bytes: counts[1],
        }));
    }

    #[test]
    fn signal(
        signal in any::<u32>(),
        code in any::<i32>(),
        ids in any::<[Option<u32>; 3]>(),
        comm in bytes(),
        rss_bytes in count(),
        frames in bytes(),
    ) {
        read_back(&Payload::Signal(Signal {
            signal: SignalNumber(signal),
            code,
            sender_tgid: ids[0],
            sender_comm: comm.as_deref(),
            rss_bytes,
            threads: ids[1],
            open_files: ids[2],
            stack: frames.as_deref().map(|block| UserStack { block }),
        }));
    }

    #[test]
    fn oom_kill(
        constraint in option::of(prop_oneof![
            Just(MemoryConstraint::Memcg), Just(MemoryConstraint::Global)
        ]),
        counts in [count(), count(), count(), count(), count(), count()],
        oom_score_adj in any::<Option<i32>>(),
        cgroup in bytes(),
        invoker_tgid in any::<u32>(),
    ) {
        let [total, anon, file, shmem, limit, usage] = counts;
        read_back(&Payload::OomKill(OomKill {
            constraint,
            total_vm_bytes: total,
            anon_rss_bytes: anon,
            file_rss_bytes: file,
            shmem_rss_bytes: shmem,
            oom_score_adj,
            memory_cgroup_path: cgroup.as_deref(),
            memory_limit_bytes: limit,
            memory_usage_bytes: usage,
            invoker_tgid,
        }));
    }

    #[test]
    fn files(
        path in bytes(),
        path_truncated in any::<bool>(),
        device in any::<(u32, u32)>(),
        numbers in any::<[u64; 3]>(),
    ) {
        let path = path.as_deref();
        let [inode, write_calls, written_bytes] = numbers;
        read_back(&Payload::FileCreate(FileCreate { path, path_truncated, device, inode }));
        read_back(&Payload::FileWrite(FileWrite {
            path, path_truncated, device, inode, write_calls, written_bytes,
        }));
        read_back(&Payload::FileUnlink(FileUnlink {
            path, path_truncated, unlink_calls: write_calls,
        }));
    }

    #[test]
    fn lost(counts in any::<[u64; 11]>()) {
        let [exec, fork, exit, signal, oom_kill, file_create, file_write, file_unlink, file_path,
            cgroup, skipped] = counts;
        read_back(&Payload::Lost(Lost {
            exec, fork, exit, signal, oom_kill, file_create, file_write, file_unlink, file_path,
            cgroup, skipped,
        }));
    }

    #[test]
    fn any_bytes_are_read_or_refused(kind in 1..10_i64, bytes in vec(any::<u8>(), 0..60)) {
        let kind = kind_of(kind).unwrap();
        let _ = decode(kind, None, &bytes);
    }
}

#[test]
fn a_fork_is_two_bytes_and_every_kind_has_a_number() {
    read_back(&Payload::Fork);
    for kind in EventKind::ALL {
        assert_eq!(kind_of(kind_number(kind).into()), Some(kind));
    }
    assert_eq!(kind_of(0), None);
    assert_eq!(kind_of(13), None);
}

/// As they were written before the figures at the end were: bits 0 and no byte.
#[test]
fn payloads_without_the_later_figures_are_read() {
    let exit = [0, 0, 9, 5];
    let Some(Payload::Exit(exit)) = decode(EventKind::Exit, None, &exit) else { panic!() };
    assert_eq!((exit.runtime_ns, exit.threads, exit.open_files), (5, None, None));
    let with_vram = [0b1100_0000, 0b1, 0, 5, 8, 7];
    let Some(Payload::Exit(exit)) = decode(EventKind::Exit, None, &with_vram) else { panic!() };
    assert_eq!(exit.vram.unwrap().age_ns, 7);
    assert_eq!((exit.threads, exit.open_files), (None, None));
    let signal = [0b100, 0, 11, 2, 2, 1, 2];
    let signal = decode(EventKind::Signal, None, &signal);
    let Some(Payload::Signal(signal)) = signal else { panic!("{signal:?}") };
    assert_eq!(signal.stack.unwrap().block, [1, 2]);
    assert_eq!((signal.rss_bytes, signal.threads, signal.open_files), (None, None, None));
}

#[test]
fn an_environment_is_not_stored() {
    let exec = Exec {
        exe: None,
        exe_truncated: false,
        argv: None,
        argv_truncated: false,
        environment: Some(b"TOKEN=secret\0"),
        environment_truncated: true,
    };
    let mut encoded = Vec::new();
    encode(&Payload::Exec(exec), &mut encoded);
    assert_eq!(encoded, [0, 0]);
}

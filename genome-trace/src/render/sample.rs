//! Events for the tests of renderers: of each kind one with everything known,
//! one with as much unknown as can be, and any at all.

use std::sync::LazyLock;

use proptest::prelude::*;

use crate::model::{
    Alert, AlertChange, AlertFiles, AlertProcess, Anomaly, Argv, Basis, Ending, Event, Exec, Exit,
    FileCreate, FileUnlink, FileWrite, GpuName, GpuXid, Lost, MemoryConstraint, Metric, OomKill,
    Payload, Persona, Process, ProcessKey, Rule, Severity, Signal, SignalNumber, Unit, UserStack,
    VramAtDeath, VramPeakSource, VramSpike, WallTime, Watch, XidTie, xid_meaning,
};

/// 2026-11-20T11:31:35.123456789Z.
pub(super) const TIME: WallTime = WallTime { unix_ns: 1_795_174_295_123_456_789 };

pub(super) const PROCESS: Process<'static> = Process {
    key: ProcessKey { tgid: 47392, start_time: 812_345_678_901 },
    tid: Some(47393),
    ppid: Some(47100),
    uid: Some(1000),
    comm: Some(b"python3"),
    cgroup_path: Some(b"/ai/code"),
    watch: Watch { in_tree: true, is_candidate: false, value: 1 },
};

pub(super) const UNKNOWN_PROCESS: Process<'static> = Process {
    key: ProcessKey { tgid: 47392, start_time: 812_345_678_901 },
    tid: None,
    ppid: None,
    uid: None,
    comm: None,
    cgroup_path: None,
    watch: Watch { in_tree: false, is_candidate: false, value: 0 },
};

const LOST: Lost = Lost {
    exec: 7,
    fork: 0,
    exit: 1,
    signal: 2,
    oom_kill: 3,
    file_create: 30,
    file_write: 4,
    file_unlink: 5,
    file_path: 6,
    cgroup: 8,
    skipped: 11,
};

pub(super) const EXIT: Exit = Exit {
    ending: Ending::Signaled { signal: SignalNumber(9), core_dumped: false },
    runtime_ns: 8_200_000_000,
    cpu_ns: Some(7_900_000_000),
    peak_rss_bytes: Some(1_932_735_283),
    write_calls: Some(2_847),
    written_bytes: Some(31_457_280),
    threads: Some(12),
    open_files: Some(41),
    vram: Some(VramAtDeath {
        bytes: Some(3 << 30),
        peak_bytes: Some(5 << 30),
        peak_source: VramPeakSource::Samples,
        age_ns: 412_000_000,
    }),
};

/// A frame in a file and one that is nowhere.
pub(super) const STACK: UserStack<'static> = UserStack { block: &FRAMES };

const FRAMES: [u8; 64] = {
    let mut bytes = [7; 64];
    let mut at = 0;
    while at < 4 {
        bytes[at] = 1_u32.to_ne_bytes()[at];
        bytes[32 + at] = 2_u32.to_ne_bytes()[at];
        at += 1;
    }
    bytes
};

/// 31 is a fault of a program.
pub(super) fn xid(xid: Option<u32>, gpu: GpuName<'_>) -> GpuXid<'_> {
    GpuXid {
        xid,
        meaning: xid.and_then(xid_meaning),
        gpu,
        tie: Some(XidTie::Driver),
        driver_tgid: Some(47392),
        driver_comm: Some(b"python3"),
        message: Some(b"pid=47392, name=python3, Ch 00000008, intr 00000000. MMU Fault"),
        vram_bytes: Some(3 << 30),
    }
}

/// A GPU that tells everything.
pub(super) const GPU: GpuName<'static> = GpuName {
    index: Some(1),
    uuid: Some("GPU-8f2b6c2e-6f0a-4d0c-9d39-1c5a1f0e7b11"),
    name: Some("NVIDIA H100 80GB HBM3"),
    pci_bus_id: Some("00000000:65:00.0"),
};

/// With everything known that an alert can have, though no rule has it all.
pub(super) static ALERT: LazyLock<Alert> = LazyLock::new(|| Alert {
    id: TIME.unix_ns - 360_000_000_000,
    change: AlertChange::Ended,
    raised: WallTime { unix_ns: TIME.unix_ns - 360_000_000_000 },
    last: WallTime { unix_ns: TIME.unix_ns - 60_000_000_000 },
    ended: Some(TIME),
    severity: Severity::Error,
    count: 301,
    anomaly: Anomaly {
        wall_time: TIME,
        rule: Rule::MassCreate,
        severity: Severity::Error,
        persona: Some(Persona { name: "CodeExpert".to_owned(), genome_id: None }),
        process: Some(AlertProcess {
            key: PROCESS.key,
            comm: Some("python3".to_owned()),
            argv: Some(vec!["python3".to_owned(), "worker.py".to_owned()]),
        }),
        cause: Some("/srv/out".to_owned()),
        metric: Some(Metric::FilesCreatedPerSecond),
        unit: Unit::Count,
        measured: 2847.0,
        normal: Some(50.0),
        factor: Some(56.94),
        threshold: 150.0,
        window_ns: Some(300_000_000_000),
        slope_per_hour: Some(1.5),
        basis: Basis::Habit { samples: 300, centre: 50.0, spread: 9.5 },
        confidence: Some(0.97),
        files: Some(AlertFiles {
            folder: "/srv/out".to_owned(),
            files_created: 2847,
            files_unlinked: Some(3),
            files_equal: Some(2000),
            files_read: Some(2500),
            files_unread: Some(12),
            written_bytes: Some(31_457_280),
            files_per_second: Some(9.49),
            samples: vec!["a.json".to_owned(), "b.json".to_owned()],
        }),
    },
    text: "CodeExpert created 2,847 files below /srv/out".to_owned(),
    advice: vec!["see what is there: `ls -U -- /srv/out | head`".to_owned()],
});

/// With as little as an alert can have.
pub(super) static BARE_ALERT: LazyLock<Alert> = LazyLock::new(|| Alert {
    change: AlertChange::Raised,
    ended: None,
    severity: Severity::Warning,
    count: 1,
    anomaly: Anomaly {
        rule: Rule::SpawnStorm,
        severity: Severity::Warning,
        persona: None,
        process: None,
        cause: None,
        metric: None,
        unit: Unit::PerSecond,
        normal: None,
        factor: None,
        window_ns: None,
        slope_per_hour: None,
        basis: Basis::Threshold,
        confidence: None,
        files: None,
        ..ALERT.anomaly.clone()
    },
    advice: Vec::new(),
    ..ALERT.clone()
});

pub(super) const fn event<'a>(payload: Payload<'a>) -> Event<'a> {
    let process = if matches!(payload, Payload::Lost(_)) { None } else { Some(PROCESS) };
    Event { ktime_ns: 1, wall_time: TIME, process, persona: None, persona_root: None, payload }
}

/// One of each kind, in the order of `EventKind::ALL`, everything known.
pub(super) fn known() -> [Event<'static>; 12] {
    let (device, inode) = ((8, 1), 123_456);
    [
        Payload::Exec(Exec {
            exe: Some(b"/usr/bin/python3.11"),
            argv: Some(Argv { block: b"python3\0train.py\0--name=two words\0" }),
            exe_truncated: false,
            argv_truncated: false,
            environment: None,
            environment_truncated: false,
        }),
        Payload::Fork,
        Payload::Exit(EXIT),
        Payload::Signal(Signal {
            signal: SignalNumber(15),
            code: 0,
            sender_tgid: Some(1234),
            sender_comm: Some(b"bash"),
            rss_bytes: Some(1 << 30),
            threads: Some(12),
            open_files: Some(41),
            stack: Some(STACK),
        }),
        Payload::OomKill(OomKill {
            constraint: Some(MemoryConstraint::Memcg),
            total_vm_bytes: Some(2 << 30),
            anon_rss_bytes: Some(1_503_238_553),
            file_rss_bytes: Some(2 << 20),
            shmem_rss_bytes: Some(0),
            oom_score_adj: Some(-500),
            memory_cgroup_path: Some(b"/ai/code"),
            memory_limit_bytes: Some(3 << 29),
            memory_usage_bytes: Some(3 << 29),
            invoker_tgid: 47_400,
        }),
        Payload::FileCreate(FileCreate {
            path: Some(b"/data/out/part-0001.bin"),
            path_truncated: false,
            device,
            inode,
        }),
        Payload::FileWrite(FileWrite {
            path: Some(b"/data/out/part-0001.bin"),
            path_truncated: false,
            device,
            inode,
            write_calls: 2_847,
            written_bytes: 31_457_280,
        }),
        Payload::FileUnlink(FileUnlink {
            path: Some(b"/data/out/part-0001.bin"),
            path_truncated: false,
            unlink_calls: 1,
        }),
        Payload::GpuXid(xid(Some(31), GPU)),
        Payload::VramSpike(VramSpike {
            vram_bytes: 20 << 30,
            baseline_bytes: 6 << 30,
            baseline_looks: 60,
            window_ns: 60_000_000_000,
            gpu: GPU,
            gpu_used_bytes: Some(58 << 30),
            gpu_total_bytes: Some(80 << 30),
        }),
        Payload::Alert(&ALERT),
        Payload::Lost(LOST),
    ]
    .map(event)
}

/// One of each kind with everything unknown that can be.
pub(super) fn unknown() -> [Event<'static>; 12] {
    let (path, path_truncated, device, inode) = (None, true, (8, 1), 123_456);
    [
        Payload::Exec(Exec {
            exe: None,
            exe_truncated: false,
            argv: None,
            argv_truncated: true,
            environment: None,
            environment_truncated: false,
        }),
        Payload::Fork,
        Payload::Exit(Exit {
            cpu_ns: None,
            peak_rss_bytes: None,
            write_calls: None,
            written_bytes: None,
            threads: None,
            open_files: None,
            vram: None,
            ..EXIT
        }),
        Payload::Signal(Signal {
            signal: SignalNumber(37),
            code: 17,
            sender_tgid: None,
            sender_comm: None,
            rss_bytes: None,
            threads: None,
            open_files: None,
            stack: None,
        }),
        Payload::OomKill(OomKill {
            constraint: None,
            total_vm_bytes: None,
            anon_rss_bytes: None,
            file_rss_bytes: None,
            shmem_rss_bytes: None,
            oom_score_adj: None,
            memory_cgroup_path: None,
            memory_limit_bytes: None,
            memory_usage_bytes: None,
            invoker_tgid: 47_400,
        }),
        Payload::FileCreate(FileCreate { path, path_truncated, device, inode }),
        Payload::FileWrite(FileWrite {
            path,
            path_truncated,
            device,
            inode,
            write_calls: 1,
            written_bytes: 1,
        }),
        Payload::FileUnlink(FileUnlink { path, path_truncated, unlink_calls: 2 }),
        Payload::GpuXid(GpuXid {
            tie: None,
            driver_tgid: None,
            driver_comm: None,
            message: None,
            vram_bytes: None,
            ..xid(None, GpuName::default())
        }),
        Payload::VramSpike(VramSpike {
            vram_bytes: 20 << 30,
            baseline_bytes: 6 << 30,
            baseline_looks: 10,
            window_ns: 10_000_000_000,
            gpu: GpuName::default(),
            gpu_used_bytes: None,
            gpu_total_bytes: None,
        }),
        Payload::Alert(&BARE_ALERT),
        Payload::Lost(Lost::default()),
    ]
    .map(|payload| Event {
        process: match payload {
            Payload::GpuXid(_) | Payload::Alert(_) => None,
            payload => event(payload).process.map(|_| UNKNOWN_PROCESS),
        },
        ..event(payload)
    })
}

/// What an arbitrary event is made of; events borrow, strategies own.
#[derive(Debug)]
pub(super) struct Values {
    kind: usize,
    unix_ns: i64,
    texts: [Option<Vec<u8>>; 4],
    sizes: [Option<u64>; 7],
    ids: [Option<u32>; 4],
    code: i32,
    flag: bool,
}

pub(super) fn values() -> impl Strategy<Value = Values> {
    let bytes = prop_oneof![any::<Vec<u8>>(), any::<String>().prop_map(String::into_bytes)];
    let text = prop::option::of(bytes);
    (
        0..12_usize,
        any::<i64>(),
        [text.clone(), text.clone(), text.clone(), text],
        any::<[Option<u64>; 7]>(),
        any::<[Option<u32>; 4]>(),
        any::<i32>(),
        any::<bool>(),
    )
        .prop_map(|(kind, unix_ns, texts, sizes, ids, code, flag)| Values {
            kind,
            unix_ns,
            texts,
            sizes,
            ids,
            code,
            flag,
        })
}

impl Values {
    pub(super) fn event(&self) -> Event<'_> {
        let payload = self.payload();
        let process = Process {
            key: ProcessKey { tgid: self.id(0), start_time: self.size(0) },
            tid: self.ids[1],
            ppid: self.ids[2],
            uid: self.ids[3],
            comm: self.text(0),
            cgroup_path: self.text(1),
            watch: Watch { in_tree: self.flag, ..Watch::default() },
        };
        Event {
            ktime_ns: self.size(0),
            wall_time: WallTime { unix_ns: self.unix_ns },
            process: event(payload).process.map(|_| process),
            persona: None,
            persona_root: None,
            payload,
        }
    }

    fn payload(&self) -> Payload<'_> {
        let (path, path_truncated) = (self.text(2), self.flag);
        let (device, inode) = ((self.id(0), self.id(1)), self.size(1));
        match self.kind {
            0 => Payload::Exec(Exec {
                exe: path,
                argv: self.text(3).map(|block| Argv { block }),
                exe_truncated: self.flag,
                argv_truncated: self.flag,
                environment: None,
                environment_truncated: false,
            }),
            1 => Payload::Fork,
            2 => Payload::Exit(Exit {
                ending: Ending::from_wait_status(self.id(0)),
                runtime_ns: self.size(0),
                cpu_ns: self.sizes[1],
                peak_rss_bytes: self.sizes[2],
                write_calls: self.sizes[3],
                written_bytes: self.sizes[4],
                threads: self.ids[1],
                open_files: self.ids[0],
                vram: self.flag.then_some(VramAtDeath {
                    bytes: self.sizes[5],
                    peak_bytes: self.sizes[6],
                    peak_source: VramPeakSource::Accounting,
                    age_ns: self.size(1),
                }),
            }),
            3 => Payload::Signal(Signal {
                signal: SignalNumber(self.id(0)),
                code: self.code,
                sender_tgid: self.ids[1],
                sender_comm: self.text(3),
                rss_bytes: self.sizes[1],
                threads: self.ids[0],
                open_files: self.ids[1],
                stack: self.text(2).map(|block| UserStack { block }),
            }),
            4 => Payload::OomKill(OomKill {
                constraint: [None, Some(MemoryConstraint::Memcg), Some(MemoryConstraint::Global)]
                    [self.id(0) as usize % 3],
                total_vm_bytes: self.sizes[1],
                anon_rss_bytes: self.sizes[2],
                file_rss_bytes: self.sizes[3],
                shmem_rss_bytes: self.sizes[4],
                oom_score_adj: self.flag.then_some(self.code),
                memory_cgroup_path: self.text(3),
                memory_limit_bytes: self.sizes[5],
                memory_usage_bytes: self.sizes[6],
                invoker_tgid: self.id(1),
            }),
            5 => Payload::FileCreate(FileCreate { path, path_truncated, device, inode }),
            6 => Payload::FileWrite(FileWrite {
                path,
                path_truncated,
                device,
                inode,
                write_calls: self.size(2),
                written_bytes: self.size(3),
            }),
            7 => {
                Payload::FileUnlink(FileUnlink { path, path_truncated, unlink_calls: self.size(2) })
            }
            8 => Payload::GpuXid(GpuXid {
                tie: self.flag.then_some(XidTie::SoleHolder),
                driver_tgid: self.ids[1],
                driver_comm: self.text(2),
                message: self.text(3),
                vram_bytes: self.sizes[1],
                ..xid(self.ids[0].map(|id| id % 200), self.gpu())
            }),
            9 => Payload::VramSpike(VramSpike {
                vram_bytes: self.size(1),
                baseline_bytes: self.size(2),
                baseline_looks: self.size(3),
                window_ns: self.size(4),
                gpu: self.gpu(),
                gpu_used_bytes: self.sizes[5],
                gpu_total_bytes: self.sizes[6],
            }),
            10 => Payload::Alert(if self.flag { &ALERT } else { &BARE_ALERT }),
            // No machine counts so far that ten counts together overflow.
            _ => Payload::Lost(Lost {
                exec: self.size(1) >> 4,
                file_create: self.size(2) >> 4,
                file_path: self.size(3) >> 4,
                ..Lost::default()
            }),
        }
    }

    fn text(&self, index: usize) -> Option<&[u8]> {
        self.texts[index].as_deref()
    }

    fn gpu(&self) -> GpuName<'_> {
        GpuName {
            index: self.ids[1],
            uuid: self.flag.then_some("GPU-8f2b6c2e"),
            name: self.text(3).and_then(|name| std::str::from_utf8(name).ok()),
            pci_bus_id: None,
        }
    }

    fn size(&self, index: usize) -> u64 {
        self.sizes[index].unwrap_or_default()
    }

    fn id(&self, index: usize) -> u32 {
        self.ids[index].unwrap_or_default()
    }
}

//! Reports for the tests: several personas, none, gaps, everything known and
//! as much unknown as can be.

use crate::{
    model::{
        Advice, Crash, CrashActivity, CrashConstraint, CrashFiles, CrashKind, CrashMemory,
        CrashNeighbour, CrashOom, CrashPeer, CrashReport, CrashSignal, CrashTraceback, CrashXid,
        Ending, Evidence, Gap, GapReason, Known, ProcessKey, RecorderRun, ReportedCrash,
        SignalNumber, TimeRange, WallTime,
    },
    render::sample::TIME,
};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const SECOND: i64 = 1_000_000_000;

/// So many seconds before the report was asked for.
pub(super) const fn before(seconds: i64) -> WallTime {
    WallTime { unix_ns: TIME.unix_ns - seconds * SECOND }
}

fn line(known: Known, text: &str) -> Evidence {
    Evidence { known, text: text.to_owned() }
}

fn peer(tgid: u32, comm: &str) -> CrashPeer {
    CrashPeer { tgid, comm: Some(comm.to_owned()) }
}

/// Everything known, or nearly: not all of it can be true at once.
pub(super) fn whole() -> Crash {
    let key = ProcessKey { tgid: 47392, start_time: 812_345_678_901 };
    let reason = "the memory cgroup /ai/code was at its limit, 1.5 GiB used of 1.5 GiB";
    Crash {
        persona: Some("CodeExpert".to_owned()),
        genome_id: Some("a3f9".to_owned()),
        comm: Some("python3".to_owned()),
        argv: Some(["python3", "train.py", "--name=two words"].map(str::to_owned).into()),
        argv_truncated: true,
        exe: Some("/usr/bin/python3.11".to_owned()),
        uid: Some(1000),
        cgroup_path: Some("/ai/code".to_owned()),
        parent: Some(peer(47100, "sh")),
        ending: Some(Ending::Signaled { signal: SignalNumber(9), core_dumped: false }),
        evidence: vec![
            line(Known::Observed, "it ended by SIGKILL"),
            line(Known::Observed, "the OOM killer chose it"),
            line(Known::Inferred, "whose it is: process 47000 started it"),
            line(Known::Unknown, "files from before it was watched: it is older than the recorder"),
        ],
        memory: CrashMemory {
            rss_bytes: Some(3 * GIB / 2),
            peak_rss_bytes: Some(1_932_735_283),
            limit_bytes: Some(3 * GIB / 2),
            usage_bytes: Some(3 * GIB / 2),
            vram_bytes: Some(3 * GIB),
            peak_vram_bytes: Some(5 * GIB),
            peak_vram_is_sampled: Some(true),
            vram_age_ns: Some(412_000_000),
        },
        activity: CrashActivity {
            runtime_ns: Some(8_200_000_000),
            cpu_ns: Some(7_900_000_000),
            write_calls: Some(2_847),
            written_bytes: Some(30 * MIB),
            threads: Some(12),
            open_files: Some(41),
        },
        files: Some(CrashFiles {
            created: 4,
            since_start: false,
            last_written: vec!["/data/out\n.bin".to_owned(), "/var/log/train.log".to_owned()],
        }),
        signal: Some(CrashSignal {
            signal: SignalNumber(9),
            code: 0x80,
            sender: Some(peer(1234, "bash")),
        }),
        oom: Some(CrashOom {
            constraint: Some(CrashConstraint::Memcg),
            memory_cgroup_path: Some("/ai/code".to_owned()),
            invoker_tgid: Some(47393),
            total_vm_bytes: Some(4 * GIB),
            anon_rss_bytes: Some(GIB),
            file_rss_bytes: Some(7 * MIB),
            shmem_rss_bytes: Some(0),
            oom_score_adj: Some(-500),
        }),
        xid: Some(CrashXid {
            xid: Some(31),
            summary: Some("GPU memory page fault".to_owned()),
            gpu_index: Some(1),
            pci_bus_id: Some("00000000:65:00.0".to_owned()),
            is_named_by_driver: Some(true),
            age_ns: Some(400_000_000),
            message: Some("MMU Fault".to_owned()),
        }),
        largest: Some(vec![
            CrashNeighbour {
                process: peer(47392, "python3"),
                persona: Some("CodeExpert".to_owned()),
                rss_bytes: 3 * GIB / 2,
            },
            CrashNeighbour {
                process: CrashPeer { tgid: 900, comm: None },
                persona: None,
                rss_bytes: 200 * MIB,
            },
        ]),
        largest_after_ns: Some(-3_400_000),
        stack: Some(vec!["inner at a.c:3".to_owned(), "main at a.c:9".to_owned()]),
        stderr_tail: Some(
            "Traceback (most recent call last):\n  File \"train.py\", line 3\n\u{1b}[31mError\n"
                .to_owned(),
        ),
        traceback: Some(CrashTraceback {
            language: "Python".to_owned(),
            error: "\u{1b}[31mError".to_owned(),
            place: None,
            text:
                "Traceback (most recent call last):\n  File \"train.py\", line 3\n\u{1b}[31mError"
                    .to_owned(),
        }),
        ..Crash::new(before(200), 812_345_678_902, key, CrashKind::Oom, reason.to_owned())
    }
}

/// As little as can be.
pub(super) fn bare() -> Crash {
    let key = ProcessKey { tgid: 48001, start_time: 812_345_679_000 };
    let reason = "SIGSEGV: it touched memory that it does not have".to_owned();
    Crash {
        evidence: vec![line(Known::Unknown, "who sent SIGSEGV: no event told it")],
        ..Crash::new(before(7_300), 5, key, CrashKind::FatalSignal, reason)
    }
}

/// The same, with objects in it of which nothing is known.
pub(super) fn hollow() -> Crash {
    Crash {
        ending: Some(Ending::Exited { code: 1 }),
        parent: Some(CrashPeer { tgid: 1, comm: None }),
        signal: Some(CrashSignal {
            signal: SignalNumber(6),
            code: 0,
            sender: Some(CrashPeer { tgid: 1, comm: None }),
        }),
        oom: Some(CrashOom::default()),
        xid: Some(CrashXid::default()),
        files: Some(CrashFiles::default()),
        ..bare()
    }
}

fn killed() -> Crash {
    let key = ProcessKey { tgid: 47800, start_time: 812_345_678_950 };
    let reason = "SIGKILL from the kernel; who made it do so is unknown".to_owned();
    Crash {
        persona: Some("CodeExpert".to_owned()),
        genome_id: Some("a3f9".to_owned()),
        comm: Some("python3".to_owned()),
        ending: Some(Ending::Signaled { signal: SignalNumber(9), core_dumped: false }),
        signal: Some(CrashSignal { signal: SignalNumber(9), code: 0x80, sender: None }),
        ..Crash::new(before(4_000), 4, key, CrashKind::Killed, reason)
    }
}

/// A day without a crash.
pub(super) fn none() -> CrashReport {
    CrashReport {
        version: "0.1.0".to_owned(),
        host: "ai-box".to_owned(),
        now: TIME,
        store: "/var/lib/genome-trace/genome-trace.db".to_owned(),
        range: Some(TimeRange { from: before(86_400), until: TIME }),
        personas: Vec::new(),
        kinds: Vec::new(),
        crashes: Vec::new(),
        watched: vec![RecorderRun {
            from: before(200_000),
            until: before(0),
            ended_orderly: false,
        }],
        gaps: Vec::new(),
        advice: Vec::new(),
    }
}

fn with_gaps(report: CrashReport) -> CrashReport {
    CrashReport {
        gaps: vec![
            Gap {
                from: before(50_000),
                until: before(46_400),
                reason: GapReason::NotRunning,
                missing: None,
                note: None,
            },
            Gap {
                from: before(9_001),
                until: before(9_000),
                reason: GapReason::Lost,
                missing: Some([("exit".to_owned(), 3), ("file_write".to_owned(), 1_200)].into()),
                note: None,
            },
            Gap {
                from: before(8_000),
                until: before(7_940),
                reason: GapReason::NotStored,
                missing: Some([("exit".to_owned(), 7)].into()),
                note: Some("no space left on device".to_owned()),
            },
            Gap {
                from: before(7_000),
                until: before(6_999),
                reason: GapReason::SetAside,
                missing: None,
                note: Some("/var/lib/genome-trace/genome-trace.db.corrupt".to_owned()),
            },
        ],
        ..report
    }
}

/// A day without a crash, of which not all was watched.
pub(super) fn none_with_gaps() -> CrashReport {
    with_gaps(none())
}

/// A day that nobody watched.
pub(super) fn unwatched() -> CrashReport {
    CrashReport { watched: Vec::new(), ..with_gaps(none()) }
}

/// Two personas, and somebody who is nobody's.
pub(super) fn several() -> CrashReport {
    let other = Crash {
        persona: Some("Judge\u{202e}".to_owned()),
        genome_id: None,
        kind: CrashKind::GpuFault,
        oom: None,
        ..hollow()
    };
    let crashes = [(12, whole()), (11, killed()), (10, other), (9, bare())];
    CrashReport {
        crashes: crashes.map(|(id, crash)| ReportedCrash { id, crash }).into(),
        advice: vec![
            Advice {
                persona: Some("CodeExpert".to_owned()),
                genome_id: Some("a3f9".to_owned()),
                text: "limit of /ai/code 1.5 GiB, peak 1.8 GiB, 1 of 2 crashes by that limit: \
                       raise it to 2 GiB"
                    .to_owned(),
            },
            Advice {
                persona: None,
                genome_id: None,
                text: "the machine itself ran out of memory in 1 of 1 crashes: give it more"
                    .to_owned(),
            },
        ],
        ..none()
    }
}

/// The same, over gaps.
pub(super) fn several_with_gaps() -> CrashReport {
    with_gaps(several())
}

/// One crash alone.
pub(super) fn one(crash: Crash) -> CrashReport {
    CrashReport {
        range: None,
        crashes: vec![ReportedCrash { id: 12, crash }],
        watched: Vec::new(),
        ..none()
    }
}

//! What to do about crashes, where the evidence says so: no guess, and the
//! evidence is named.

use std::collections::BTreeMap;

use crate::{
    model::{Advice, Crash, CrashConstraint, CrashKind, Ending, SignalNumber, xid_meaning},
    render::units::Bytes,
};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
/// One part in so many of a peak is room for the next one.
const HEADROOM_SHARE: u64 = 10;
/// A process whose peak is less than this part of a limit did not fill it.
const SMALL_SHARE: u64 = 2;
const SIGXCPU: SignalNumber = SignalNumber(24);
const SIGXFSZ: SignalNumber = SignalNumber(25);

/// What follows from crashes, in the order of the personas in them.
#[must_use]
pub fn advise<'a>(crashes: impl IntoIterator<Item = &'a Crash>) -> Vec<Advice> {
    let mut order: Vec<Whose<'_>> = Vec::new();
    let mut by_persona: BTreeMap<Whose<'_>, Vec<&Crash>> = BTreeMap::new();
    for crash in crashes {
        let whose = (crash.persona.as_deref(), crash.genome_id.as_deref());
        let of = by_persona.entry(whose).or_default();
        if of.is_empty() {
            order.push(whose);
        }
        of.push(crash);
    }
    let mut advice = Vec::new();
    for whose @ (persona, genome_id) in order {
        let of = by_persona.get(&whose).map_or(&[][..], Vec::as_slice);
        let texts = limits(of).chain(machine(of)).chain(xids(of)).chain(own_limits(of));
        advice.extend(texts.map(|text| Advice {
            persona: persona.map(str::to_owned),
            genome_id: genome_id.map(str::to_owned),
            text,
        }));
    }
    advice
}

type Whose<'a> = (Option<&'a str>, Option<&'a str>);

/// OOM kills by the limit of a memory cgroup, limit by limit.
fn limits<'a>(crashes: &'a [&'a Crash]) -> impl Iterator<Item = String> + use<'a> {
    let mut by_limit: BTreeMap<(Option<&str>, u64), Vec<&Crash>> = BTreeMap::new();
    for crash in crashes.iter().filter(|crash| crash.kind == CrashKind::Oom) {
        let oom = crash.oom.as_ref();
        let is_memcg = oom.and_then(|oom| oom.constraint) == Some(CrashConstraint::Memcg);
        if let (true, Some(limit)) = (is_memcg, crash.memory.limit_bytes) {
            let path = oom.and_then(|oom| oom.memory_cgroup_path.as_deref());
            by_limit.entry((path, limit)).or_default().push(crash);
        }
    }
    let all = crashes.len();
    by_limit.into_iter().map(move |((path, limit), by)| {
        let peak = by.iter().filter_map(|crash| crash.memory.peak_rss_bytes).max();
        let count = format!("{} of {all} crashes by that limit", by.len());
        let place = path.map_or_else(String::new, |path| format!(" of {path}"));
        let limit_is = format!("limit{place} {}", Bytes(limit));
        match peak {
            Some(peak) if peak < limit / SMALL_SHARE => format!(
                "{limit_is}, peak {}, {count}: others in that cgroup took the rest; look who is \
                 in it before you raise it",
                Bytes(peak)
            ),
            Some(peak) => format!(
                "{limit_is}, peak {}, {count}: raise it to {}",
                Bytes(peak),
                Bytes(roomy(peak.max(limit)))
            ),
            None => format!(
                "{limit_is}, peak unknown, {count}: raise it to {} and look whether that is enough",
                Bytes(roomy(limit))
            ),
        }
    })
}

/// The next round size that has room for more than `bytes`.
fn roomy(bytes: u64) -> u64 {
    let wanted = bytes.saturating_add(bytes / HEADROOM_SHARE);
    let step = match wanted {
        0..GIB => 64 * MIB,
        _ if wanted < 16 * GIB => GIB / 2,
        _ => GIB,
    };
    wanted.checked_next_multiple_of(step).unwrap_or(bytes)
}

/// OOM kills since the machine had no memory left.
fn machine(crashes: &[&Crash]) -> Option<String> {
    let is_global = |crash: &&&Crash| {
        let constraint = crash.oom.as_ref().and_then(|oom| oom.constraint);
        crash.kind == CrashKind::Oom && constraint == Some(CrashConstraint::Global)
    };
    let (count, all) = (crashes.iter().filter(is_global).count(), crashes.len());
    (count > 0).then(|| {
        format!(
            "the machine itself ran out of memory in {count} of {all} crashes: give it more, or \
             give what grows a limit of its own (MemoryMax= of its unit)"
        )
    })
}

/// What NVIDIA says to do about an XID.
fn xids<'a>(crashes: &'a [&'a Crash]) -> impl Iterator<Item = String> + use<'a> {
    let mut by_xid: BTreeMap<u32, usize> = BTreeMap::new();
    for crash in crashes.iter().filter(|crash| crash.kind == CrashKind::GpuFault) {
        if let Some(xid) = crash.xid.as_ref().and_then(|xid| xid.xid) {
            *by_xid.entry(xid).or_default() += 1;
        }
    }
    let all = crashes.len();
    by_xid.into_iter().filter_map(move |(xid, count)| {
        let meaning = xid_meaning(xid)?;
        Some(format!(
            "XID {xid} ({}) before {count} of {all} crashes: {}",
            meaning.summary, meaning.remedy
        ))
    })
}

/// Limits that the process itself had (setrlimit(2)).
fn own_limits<'a>(crashes: &'a [&'a Crash]) -> impl Iterator<Item = String> + use<'a> {
    let all = crashes.len();
    let limits = [
        (SIGXCPU, "more CPU time than allowed", "LimitCPU="),
        (SIGXFSZ, "a file larger than allowed", "LimitFSIZE="),
    ];
    limits.into_iter().filter_map(move |(number, what, setting)| {
        let died = |crash: &&&Crash| {
            let raised_by_kernel =
                crash.signal.as_ref().is_some_and(|signal| signal.sender.is_none());
            let is_it =
                matches!(crash.ending, Some(Ending::Signaled { signal, .. }) if signal == number);
            is_it && raised_by_kernel
        };
        let count = crashes.iter().filter(died).count();
        (count > 0).then(|| {
            format!(
                "{number} ({what}) ended {count} of {all}: raise that limit ({setting} of its \
                 unit, or ulimit)"
            )
        })
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{CrashMemory, CrashOom, CrashSignal, CrashXid, ProcessKey, WallTime};

    fn crash(kind: CrashKind) -> Crash {
        let key = ProcessKey { tgid: 7, start_time: 8 };
        Crash {
            persona: Some("CodeExpert".to_owned()),
            ..Crash::new(WallTime { unix_ns: 1 }, 1, key, kind, String::new())
        }
    }

    fn oom(constraint: Option<CrashConstraint>, limit: Option<u64>, peak: Option<u64>) -> Crash {
        Crash {
            memory: CrashMemory {
                limit_bytes: limit,
                peak_rss_bytes: peak,
                ..CrashMemory::default()
            },
            oom: Some(CrashOom { constraint, ..CrashOom::default() }),
            ..crash(CrashKind::Oom)
        }
    }

    fn memcg(limit: u64, peak: u64) -> Crash {
        oom(Some(CrashConstraint::Memcg), Some(limit), Some(peak))
    }

    fn texts(crashes: &[Crash]) -> Vec<String> {
        advise(crashes).into_iter().map(|advice| advice.text).collect()
    }

    #[test]
    fn a_limit_that_is_too_low() {
        let five = vec![memcg(3 * GIB / 2, 9 * GIB / 5); 5];
        assert_eq!(
            texts(&five),
            ["limit 1.5 GiB, peak 1.8 GiB, 5 of 5 crashes by that limit: raise it to 2 GiB"]
        );
        let mut mixed = vec![memcg(8 * MIB, 8 * MIB), crash(CrashKind::ErrorExit)];
        if let Some(oom) = &mut mixed[0].oom {
            oom.memory_cgroup_path = Some("/ai/code".to_owned());
        }
        assert_eq!(
            texts(&mixed),
            [
                "limit of /ai/code 8 MiB, peak 8 MiB, 1 of 2 crashes by that limit: raise it to 64 MiB"
            ]
        );
    }

    #[test]
    fn each_limit_for_itself() {
        assert_eq!(texts(&[memcg(GIB, GIB), memcg(2 * GIB, 2 * GIB)]).len(), 2);
    }

    #[test]
    fn a_limit_that_others_filled_is_not_to_be_raised() {
        let told = texts(&[memcg(2 * GIB, 200 * MIB)]);
        assert!(told[0].contains("others in that cgroup") && !told[0].contains("to 2"), "{told:?}");
    }

    #[test]
    fn what_is_unknown_is_not_guessed() {
        assert!(texts(&[oom(Some(CrashConstraint::Memcg), None, Some(GIB))]).is_empty());
        assert!(texts(&[oom(None, Some(GIB), Some(GIB))]).is_empty());
        assert!(texts(&[crash(CrashKind::Killed), crash(CrashKind::FatalSignal)]).is_empty());
        let told = texts(&[oom(Some(CrashConstraint::Memcg), Some(GIB), None)]);
        assert!(told[0].contains("peak unknown"), "{told:?}");
    }

    #[test]
    fn the_machines_memory() {
        let told =
            texts(&[oom(Some(CrashConstraint::Global), None, None), crash(CrashKind::Killed)]);
        assert!(told[0].contains("in 1 of 2 crashes"), "{told:?}");
    }

    #[test]
    fn what_nvidia_says() {
        let fault = |xid| Crash {
            xid: Some(CrashXid { xid, ..CrashXid::default() }),
            ..crash(CrashKind::GpuFault)
        };
        let told = texts(&[fault(Some(31)), fault(Some(31)), fault(Some(999)), fault(None)]);
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with("XID 31 ("), "{told:?}");
        assert!(told[0].contains("2 of 4 crashes: ") && told[0].contains("compute-sanitizer"));
    }

    #[test]
    fn limits_of_the_process_itself() {
        let died = |sender| Crash {
            ending: Some(Ending::Signaled { signal: SIGXFSZ, core_dumped: false }),
            signal: Some(CrashSignal { signal: SIGXFSZ, code: 0x80, sender }),
            ..crash(CrashKind::FatalSignal)
        };
        let told = texts(&[died(None)]);
        assert!(told[0].contains("LimitFSIZE="), "{told:?}");
        let sender = crate::model::CrashPeer { tgid: 1, comm: None };
        assert!(texts(&[died(Some(sender))]).is_empty(), "somebody sent it");
    }

    #[test]
    fn personas_are_not_mixed() {
        let other = Crash { persona: None, ..memcg(GIB, GIB) };
        let told = advise([&memcg(GIB, GIB), &other]);
        let whose: Vec<_> = told.iter().map(|advice| advice.persona.as_deref()).collect();
        assert_eq!(whose, [Some("CodeExpert"), None]);
        assert!(told.iter().all(|advice| advice.text.contains("1 of 1")));
    }

    #[test]
    fn sizes_have_room_and_are_round() {
        for (bytes, roomy_bytes) in
            [(9 * GIB / 5, 2 * GIB), (3 * GIB / 2, 2 * GIB), (64 * GIB, 71 * GIB), (1, 64 * MIB)]
        {
            assert_eq!(roomy(bytes), roomy_bytes);
        }
        assert_eq!(roomy(u64::MAX), u64::MAX);
    }
}

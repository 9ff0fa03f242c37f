//! What a session comes to: per phase and persona, memory that was not given
//! back, and what else stands out.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    Extent, Finding, Metric, Persona, PhaseStretch, Released, Session, SessionRow, SessionSummary,
    StretchUsage, WallTime,
};

/// Near its limit is a persona from this share of it on.
const NEAR_LIMIT: f64 = 0.9;
/// Nearly full is a GPU from this share of its memory on.
const NEAR_FULL: f64 = 0.95;
/// Less than this is what an allocator keeps or a cache holds, in bytes.
const HELD_BYTES: f64 = 16.0 * 1_048_576.0;
/// So is less than this share of what was held before.
const HELD_SHARE: f64 = 0.1;
/// A gap is longer than so many times the usual time between two looks.
const GAP_FACTOR: u64 = 3;
/// What memory there is.
const MEMORY: [Metric; 2] = [Metric::RssBytes, Metric::VramBytes];

/// Sums a session up.
#[must_use]
pub fn summarize_session(session: &Session) -> SessionSummary {
    let looks = looks(session);
    let stretches = stretches(&looks);
    let released = released(&looks, &stretches);
    let interval_ns = interval(&looks);
    let mut findings = near_limit(session);
    findings.extend(near_full(session));
    let again = released.iter().filter(|of| is_again(of, &stretches) && is_more(of));
    findings.extend(again.cloned().map(Finding::HeldMore));
    findings.extend(lost(session));
    findings.extend(gaps(&looks, interval_ns));
    SessionSummary { usage: usage(session, &stretches), stretches, released, findings, interval_ns }
}

/// The rows of each look.
type Looks<'a> = BTreeMap<WallTime, Vec<&'a SessionRow>>;

fn looks(session: &Session) -> Looks<'_> {
    let mut looks = Looks::new();
    for row in &session.rows {
        looks.entry(row.wall_time).or_default().push(row);
    }
    looks
}

fn stretches(looks: &Looks<'_>) -> Vec<PhaseStretch> {
    let mut stretches: Vec<PhaseStretch> = Vec::new();
    for (at, rows) in looks {
        let Some(phase) = rows.first().map(|row| &row.phase) else { continue };
        match stretches.last_mut().filter(|last| last.name == *phase) {
            Some(last) => {
                last.until = *at;
                last.looks += 1;
            }
            None => stretches.push(PhaseStretch {
                name: phase.clone(),
                from: *at,
                until: *at,
                looks: 1,
            }),
        }
    }
    stretches
}

fn usage(session: &Session, stretches: &[PhaseStretch]) -> Vec<StretchUsage> {
    #[derive(Default)]
    struct Sum {
        count: f64,
        total: f64,
        peak: f64,
    }
    let mut sums: BTreeMap<(usize, Option<&Persona>), BTreeMap<Metric, Sum>> = BTreeMap::new();
    for row in &session.rows {
        let stretch = stretches.iter().position(|of| (of.from..=of.until).contains(&row.wall_time));
        let Some(stretch) = stretch else { continue };
        let sums = sums.entry((stretch, row.persona.as_ref())).or_default();
        for (metric, figure) in row.figures.iter() {
            let Some(figure) = figure else { continue };
            let sum = sums.entry(metric).or_default();
            sum.count += 1.0;
            sum.total += figure;
            sum.peak = sum.peak.max(figure);
        }
    }
    sums.into_iter()
        .map(|((stretch, persona), sums)| StretchUsage {
            stretch,
            persona: persona.cloned(),
            extents: Metric::ALL
                .into_iter()
                .map(|metric| {
                    let extent = sums.get(&metric);
                    let extent =
                        extent.map(|of| Extent { average: of.total / of.count, peak: of.peak });
                    (metric, extent)
                })
                .collect(),
        })
        .collect()
}

/// What a persona held at the end of a stretch: nothing where the last look has
/// no row of it, and unknown where the row does not say.
fn held(looks: &Looks<'_>, stretch: &PhaseStretch, whose: &Persona, metric: Metric) -> Option<f64> {
    let rows = looks.get(&stretch.until)?;
    match rows.iter().find(|row| row.persona.as_ref() == Some(whose)) {
        Some(row) => row.figures.get(metric),
        None => Some(0.0),
    }
}

fn released(looks: &Looks<'_>, stretches: &[PhaseStretch]) -> Vec<Released> {
    let rows = looks.values().flatten();
    let personas: BTreeSet<&Persona> = rows.filter_map(|row| row.persona.as_ref()).collect();
    let mut pairs: BTreeSet<(usize, usize)> = BTreeSet::new();
    for (to, stretch) in stretches.iter().enumerate().skip(1) {
        pairs.insert((to - 1, to));
        if let Some(first) = stretches.iter().position(|of| of.name == stretch.name)
            && first < to
        {
            pairs.insert((first, to));
        }
    }
    let mut released = Vec::new();
    for persona in personas {
        for metric in MEMORY {
            for (from, to) in &pairs {
                let held = |index: &usize| held(looks, stretches.get(*index)?, persona, metric);
                let (Some(before), Some(after)) = (held(from), held(to)) else { continue };
                let persona = persona.clone();
                released.push(Released { persona, metric, from: *from, to: *to, before, after });
            }
        }
    }
    released
}

/// The same phase came again. A persona that was not there the first time holds
/// more because it is there, and that is no leak.
fn is_again(of: &Released, stretches: &[PhaseStretch]) -> bool {
    let name = |index: usize| stretches.get(index).map(|stretch| &stretch.name);
    name(of.from) == name(of.to) && of.before > 0.0
}

fn is_more(of: &Released) -> bool {
    let more = of.after - of.before;
    more >= HELD_BYTES && more >= of.before * HELD_SHARE
}

/// The nearest that each persona came.
fn near_limit(session: &Session) -> Vec<Finding> {
    let mut nearest: BTreeMap<&Persona, (f64, &SessionRow, f64, f64)> = BTreeMap::new();
    for row in &session.rows {
        let (Some(persona), Some(rss), Some(limit)) =
            (&row.persona, row.figures.get(Metric::RssBytes), row.memory_limit_bytes)
        else {
            continue;
        };
        let share = rss / limit;
        if share >= NEAR_LIMIT && nearest.get(persona).is_none_or(|(most, ..)| share > *most) {
            nearest.insert(persona, (share, row, rss, limit));
        }
    }
    nearest
        .into_iter()
        .map(|(persona, (_, row, rss_bytes, limit_bytes))| Finding::NearLimit {
            persona: persona.clone(),
            at: row.wall_time,
            phase: row.phase.clone(),
            rss_bytes,
            limit_bytes,
        })
        .collect()
}

fn near_full(session: &Session) -> Vec<Finding> {
    let mut fullest: BTreeMap<u32, (f64, WallTime, f64, f64)> = BTreeMap::new();
    for row in &session.gpus {
        let (Some(used), Some(total)) = (row.vram_used_bytes, row.vram_total_bytes) else {
            continue;
        };
        let share = used / total;
        if share >= NEAR_FULL && fullest.get(&row.gpu).is_none_or(|(most, ..)| share > *most) {
            fullest.insert(row.gpu, (share, row.wall_time, used, total));
        }
    }
    fullest
        .into_iter()
        .map(|(gpu, (_, at, used_bytes, total_bytes))| Finding::GpuNearFull {
            gpu,
            at,
            used_bytes,
            total_bytes,
        })
        .collect()
}

/// The counter begins anew with each recorder.
fn lost(session: &Session) -> Option<Finding> {
    let mut events = 0_u64;
    let mut before: Option<u64> = None;
    for now in session.rows.iter().filter_map(|row| row.lost_events) {
        if let Some(before) = before {
            events += if now >= before { now - before } else { now };
        }
        before = Some(now);
    }
    (events > 0).then_some(Finding::Lost { events })
}

fn between(from: WallTime, until: WallTime) -> u64 {
    u64::try_from(until.unix_ns.saturating_sub(from.unix_ns)).unwrap_or_default()
}

/// The median.
fn interval(looks: &Looks<'_>) -> Option<u64> {
    let mut times: Vec<u64> = looks
        .keys()
        .zip(looks.keys().skip(1))
        .map(|(from, until)| between(*from, *until))
        .collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

fn gaps(looks: &Looks<'_>, interval_ns: Option<u64>) -> Vec<Finding> {
    let Some(interval_ns) = interval_ns else { return Vec::new() };
    let longest = interval_ns.saturating_mul(GAP_FACTOR);
    looks
        .keys()
        .zip(looks.keys().skip(1))
        .filter(|(from, until)| between(**from, **until) > longest)
        .map(|(from, until)| Finding::Gap { from: *from, until: *until })
        .collect()
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::panic)]
mod tests {
    use super::*;
    use crate::model::{Figures, SessionGpuRow};

    const MIB: f64 = 1_048_576.0;

    fn at(seconds: i64) -> WallTime {
        WallTime { unix_ns: seconds * 1_000_000_000 }
    }

    fn persona() -> Persona {
        Persona { name: "a".to_owned(), genome_id: None }
    }

    fn row(second: i64, phase: &str, rss_mib: Option<f64>, whose: Option<Persona>) -> SessionRow {
        let mut figures = Figures::default();
        figures.set(Metric::RssBytes, rss_mib.map(|mib| mib * MIB));
        SessionRow {
            wall_time: at(second),
            phase: phase.to_owned(),
            persona: whose,
            figures,
            memory_limit_bytes: Some(1000.0 * MIB),
            lost_events: None,
        }
    }

    /// A look each second, of the machine and of one persona that holds so many
    /// MiB; `None` where it has no process.
    fn session(looks: &[(&str, Option<f64>)]) -> Session {
        let rows = (0..).zip(looks).flat_map(|(second, (phase, rss))| {
            let machine = row(second, phase, None, None);
            let of = rss.map(|mib| row(second, phase, Some(mib), Some(persona())));
            [Some(machine), of].into_iter().flatten()
        });
        Session { id: "x".to_owned(), rows: rows.collect(), ..Session::default() }
    }

    #[test]
    fn a_phase_that_comes_again_is_another_stretch() {
        let summary = summarize_session(&session(&[
            ("idle", Some(10.0)),
            ("idle", Some(30.0)),
            ("active", Some(500.0)),
            ("idle", Some(20.0)),
        ]));
        let told: Vec<_> =
            summary.stretches.iter().map(|of| (of.name.as_str(), of.looks)).collect();
        assert_eq!(told, [("idle", 2), ("active", 1), ("idle", 1)]);
        let first = summary.usage.iter().find(|of| of.stretch == 0 && of.persona.is_some());
        let rss = first.and_then(|of| of.extents[0].1);
        assert_eq!(rss, Some(Extent { average: 20.0 * MIB, peak: 30.0 * MIB }));
        assert_eq!(summary.interval_ns, Some(1_000_000_000));
    }

    #[test]
    fn what_is_not_given_back_when_a_phase_comes_again_is_told() {
        let leaks =
            session(&[("idle", Some(100.0)), ("active", Some(500.0)), ("idle", Some(200.0))]);
        let summary = summarize_session(&leaks);
        let pairs: Vec<_> = summary.released.iter().map(|of| (of.from, of.to)).collect();
        assert_eq!(pairs, [(0, 1), (0, 2), (1, 2)]);
        let [Finding::HeldMore(more)] = summary.findings.as_slice() else {
            panic!("{:?}", summary.findings)
        };
        assert_eq!((more.before, more.after), (100.0 * MIB, 200.0 * MIB));
    }

    #[test]
    fn what_is_given_back_is_no_finding() {
        for last in [Some(105.0), Some(20.0), None] {
            let looks = [("idle", Some(100.0)), ("active", Some(500.0)), ("idle", last)];
            assert!(summarize_session(&session(&looks)).findings.is_empty(), "{last:?}");
        }
        // It was not there the first time.
        let looks = [("idle", None), ("active", Some(500.0)), ("idle", Some(500.0))];
        assert!(summarize_session(&session(&looks)).findings.is_empty());
    }

    #[test]
    fn who_is_gone_holds_nothing_and_who_is_unknown_is_not_compared() {
        let mut gone = session(&[("a", Some(100.0)), ("b", None)]);
        assert_eq!(summarize_session(&gone).released[0].after, 0.0);
        gone.rows.push(row(1, "b", None, Some(persona())));
        assert!(summarize_session(&gone).released.is_empty());
    }

    #[test]
    fn the_nearest_to_a_limit_is_told_once() {
        let near = session(&[("load", Some(910.0)), ("run", Some(990.0)), ("run", Some(950.0))]);
        let findings = summarize_session(&near).findings;
        let [Finding::NearLimit { phase, at: when, rss_bytes, .. }] = findings.as_slice() else {
            panic!("{findings:?}")
        };
        assert_eq!((phase.as_str(), *when, *rss_bytes), ("run", at(1), 990.0 * MIB));
    }

    #[test]
    fn a_full_gpu_lost_events_and_gaps_are_told() {
        let mut session = session(&[("a", None); 5]);
        for (index, lost) in [5, 5, 9, 2, 2].into_iter().enumerate() {
            session.rows[index].lost_events = Some(lost);
        }
        session.rows[4].wall_time = at(60);
        session.gpus.push(SessionGpuRow {
            wall_time: at(1),
            gpu: 3,
            vram_total_bytes: Some(100.0),
            vram_used_bytes: Some(96.0),
        });
        let findings = summarize_session(&session).findings;
        assert_eq!(
            findings,
            [
                Finding::GpuNearFull { gpu: 3, at: at(1), used_bytes: 96.0, total_bytes: 100.0 },
                Finding::Lost { events: 6 },
                Finding::Gap { from: at(3), until: at(60) },
            ]
        );
    }

    #[test]
    fn nothing_comes_to_nothing() {
        let summary = summarize_session(&Session::default());
        assert!(summary.stretches.is_empty() && summary.findings.is_empty());
        assert_eq!(summary.interval_ns, None);
    }
}

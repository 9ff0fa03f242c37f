//! What each process holds on GPUs, look by look: what it held at its end, its
//! peak, and whether it suddenly takes far more than it used to.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::{ProcessKey, VramAtDeath, VramPeakSource};

/// Looks that are kept of a process: two minutes at one a second.
const LOOKS_KEPT: usize = 120;
/// Looks before a process is known well enough to be judged: a model that is
/// being loaded is no spike.
const LOOKS_TO_LEARN: usize = 10;
/// A spike is this many times what the process used to hold...
const JUMP_FACTOR: u64 = 3;
/// ...and at least this much more, so that small change is left alone; or
const JUMP_MIN_BYTES: u64 = 256 << 20;
/// more by one part in so many of its card's memory, whatever it used to hold.
const JUMP_SHARE: u64 = 5;

/// What a process holds on all GPUs together, at one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Which.
    pub process: ProcessKey,
    /// GPU memory; `None` where the driver does not say.
    pub vram_bytes: Option<u64>,
    /// The most that it ever held, by the driver's accounting.
    pub accounted_peak_bytes: Option<u64>,
    /// Memory of the card on which it holds the most.
    pub card_bytes: Option<u64>,
}

/// A process takes far more than it used to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VramJump {
    /// Which.
    pub process: ProcessKey,
    /// What it holds now.
    pub vram_bytes: u64,
    /// What it used to hold: the median of the looks before.
    pub baseline_bytes: u64,
    /// How many looks those were.
    pub baseline_looks: usize,
    /// From the first of them to now, in nanoseconds.
    pub window_ns: u64,
}

/// What each process holds, look by look.
#[derive(Debug, Default)]
pub struct VramWatch {
    series: FxHashMap<ProcessKey, Series>,
    /// Those that have ended, as long as the driver still names them: it takes
    /// a while to clean up behind a process.
    ended: FxHashSet<ProcessKey>,
    /// When every GPU last told all its processes.
    last_whole_look: Option<u64>,
    /// Numbers that were named at the last look, without a process to go with.
    not_placed: FxHashSet<u32>,
}

#[derive(Debug, Default)]
struct Series {
    /// When, and how much, where that was told.
    looks: VecDeque<(u64, u64)>,
    /// The last look at all, and what it told.
    last: Option<(u64, Option<u64>)>,
    peak_bytes: Option<u64>,
    accounted_peak_bytes: Option<u64>,
    /// A spike was told, and has not ended.
    is_up: bool,
}

impl VramWatch {
    /// Begins with nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a look at `ktime_ns`; `is_whole` where every GPU told all its
    /// processes. Returns who has jumped.
    pub fn look(&mut self, ktime_ns: u64, is_whole: bool, held: &[Held]) -> Vec<VramJump> {
        if is_whole {
            self.last_whole_look = Some(ktime_ns);
            self.settle(ktime_ns, held);
        }
        held.iter()
            .filter(|now| !self.ended.contains(&now.process))
            // Before it began it was another process with its number.
            .filter(|now| now.process.start_time <= ktime_ns)
            .filter_map(|now| self.series.entry(now.process).or_default().add(ktime_ns, now))
            .collect()
    }

    /// Those that are no longer named hold nothing.
    fn settle(&mut self, ktime_ns: u64, held: &[Held]) {
        let named: FxHashSet<ProcessKey> = held.iter().map(|now| now.process).collect();
        self.ended.retain(|process| named.contains(process));
        for (process, series) in &mut self.series {
            if !named.contains(process) {
                let nothing = Held {
                    process: *process,
                    vram_bytes: Some(0),
                    accounted_peak_bytes: None,
                    card_bytes: None,
                };
                let _ = series.add(ktime_ns, &nothing);
            }
        }
    }

    /// The last look named these, too, and which processes they are is not
    /// known: of who has such a number nobody can say that it held nothing.
    pub fn not_placed(&mut self, tgids: impl Iterator<Item = u32>) {
        self.not_placed.clear();
        self.not_placed.extend(tgids);
    }

    /// A process ended: what it held when it was last looked at, where it was.
    pub fn ended(&mut self, process: ProcessKey, ktime_ns: u64) -> Option<VramAtDeath> {
        if let Some(series) = self.series.remove(&process) {
            self.ended.insert(process);
            return series.at_death(ktime_ns);
        }
        if self.not_placed.contains(&process.tgid) {
            return None;
        }
        // It was there when every GPU told all that it had.
        let look = self.last_whole_look.filter(|look| *look >= process.start_time)?;
        Some(VramAtDeath {
            bytes: Some(0),
            peak_bytes: Some(0),
            peak_source: VramPeakSource::Samples,
            age_ns: ktime_ns.saturating_sub(look),
        })
    }

    /// The driver has gone: what it told is no longer so, and what it does not
    /// tell is unknown.
    pub fn forget_looks(&mut self) {
        self.last_whole_look = None;
    }

    /// What a process held when it was last looked at.
    #[must_use]
    pub fn last(&self, process: ProcessKey) -> Option<u64> {
        self.series.get(&process)?.last?.1
    }
}

impl Series {
    fn add(&mut self, ktime_ns: u64, now: &Held) -> Option<VramJump> {
        self.last = Some((ktime_ns, now.vram_bytes));
        self.accounted_peak_bytes = self.accounted_peak_bytes.max(now.accounted_peak_bytes);
        let bytes = now.vram_bytes?;
        self.peak_bytes = self.peak_bytes.max(Some(bytes));
        let jump = self.judge(ktime_ns, bytes, now);
        if self.looks.len() == LOOKS_KEPT {
            self.looks.pop_front();
        }
        self.looks.push_back((ktime_ns, bytes));
        jump
    }

    /// Whether this is far more than the process used to hold. Told once, until
    /// it holds less again or has held so much for long.
    fn judge(&mut self, ktime_ns: u64, bytes: u64, now: &Held) -> Option<VramJump> {
        let baseline_bytes = self.median()?;
        let grown = bytes.saturating_sub(baseline_bytes);
        let by_factor = bytes >= baseline_bytes.saturating_mul(JUMP_FACTOR);
        let by_share = now.card_bytes.is_some_and(|card| grown >= card / JUMP_SHARE);
        let is_up = baseline_bytes > 0 && grown >= JUMP_MIN_BYTES && (by_factor || by_share);
        let is_new = is_up && !self.is_up;
        // Half of the way back ends it.
        self.is_up = is_up || self.is_up && grown >= JUMP_MIN_BYTES / 2;
        is_new.then(|| VramJump {
            process: now.process,
            vram_bytes: bytes,
            baseline_bytes,
            baseline_looks: self.looks.len(),
            window_ns: self.looks.front().map_or(0, |(first, _)| ktime_ns.saturating_sub(*first)),
        })
    }

    fn median(&self) -> Option<u64> {
        if self.looks.len() < LOOKS_TO_LEARN {
            return None;
        }
        let mut sorted = [0; LOOKS_KEPT];
        let kept = sorted.get_mut(..self.looks.len())?;
        for (place, (_, bytes)) in kept.iter_mut().zip(&self.looks) {
            *place = *bytes;
        }
        let middle = kept.len() / 2;
        Some(*kept.select_nth_unstable(middle).1)
    }

    fn at_death(&self, ktime_ns: u64) -> Option<VramAtDeath> {
        let (looked, bytes) = self.last?;
        // The accounting may lag behind what was seen.
        let (peak_bytes, peak_source) = match (self.accounted_peak_bytes, self.peak_bytes) {
            (Some(accounted), seen) if Some(accounted) >= seen => {
                (Some(accounted), VramPeakSource::Accounting)
            }
            (_, seen) => (seen, VramPeakSource::Samples),
        };
        Some(VramAtDeath {
            bytes,
            peak_bytes,
            peak_source,
            age_ns: ktime_ns.saturating_sub(looked),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "vram_tests.rs"]
mod tests;

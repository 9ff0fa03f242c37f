//! Whether memory has jumped: far above the normal, or by much of the machine's
//! at once, and not long ago.

use std::collections::VecDeque;

/// Looks that are kept.
const KEPT: usize = 32;
/// What is gone again after a look or two is no harm, in nanoseconds.
const AT_ONCE_UP_NS: u64 = 2_000_000_000;
/// More than half of it has come within this time; what took longer climbs.
const RECENT_NS: u64 = 30_000_000_000;
/// What has been up for so long is no jump any more, but a level.
const LASTS_NS: u64 = 300_000_000_000;

/// What a figure is held against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The normal, and from where on a figure is too far above it.
    pub(super) normal: Option<(f64, f64)>,
    /// For how long it has to stay there, in nanoseconds.
    pub(super) up_ns: u64,
    /// Growth that is too much, and the time within which.
    pub(super) at_once: Option<(f64, u64)>,
}

/// A jump.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Jumped {
    /// What it was before: the normal, or the lowest of the last seconds.
    pub(super) from: f64,
    /// From where on it is too much.
    pub(super) threshold: f64,
    /// It is told by the normal, and not by how fast it was.
    pub(super) by_normal: bool,
    /// Since when, and the most since then.
    since_ns: u64,
    most: f64,
}

/// One figure's last seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Jump {
    recent: VecDeque<(u64, f64)>,
    /// It has gone up, and may be told when it stays there.
    rising: Option<Jumped>,
    up: Option<Jumped>,
}

impl Jump {
    /// Takes in a figure; what it is far above of, as long as it is.
    pub(super) fn look(&mut self, now_ns: u64, value: f64, bounds: &Bounds) -> Option<Jumped> {
        if self.recent.len() >= KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back((now_ns, value));
        if let Some(up) = &mut self.up {
            up.most = up.most.max(value);
            // Half of the way back ends it.
            if value > up.from + (up.most - up.from) / 2.0 {
                let is_new = now_ns.saturating_sub(up.since_ns) <= LASTS_NS;
                return is_new.then_some(*up);
            }
            self.up = None;
        }
        self.rising = self.rising.filter(|rising| value >= rising.threshold);
        let rising = self.rising.or_else(|| self.judged(now_ns, value, bounds));
        self.rising = rising;
        let rising = rising?;
        let up_ns = if rising.by_normal { bounds.up_ns } else { AT_ONCE_UP_NS };
        if now_ns.saturating_sub(rising.since_ns) < up_ns {
            return None;
        }
        self.up = self.rising.take();
        self.up
    }

    fn judged(&self, now_ns: u64, value: f64, bounds: &Bounds) -> Option<Jumped> {
        let lowest_within = |within_ns: u64| {
            let recent = self.recent.iter();
            let recent = recent.filter(|(at, _)| now_ns.saturating_sub(*at) <= within_ns);
            recent.map(|(_, value)| *value).fold(f64::INFINITY, f64::min)
        };
        let jumped = |from, threshold, by_normal| {
            Some(Jumped { from, threshold, by_normal, since_ns: now_ns, most: value })
        };
        if let Some((normal, threshold)) = bounds.normal
            && value >= threshold
            && lowest_within(RECENT_NS) <= value - (value - normal) / 2.0
        {
            return jumped(normal, threshold, true);
        }
        if let Some((growth, within_ns)) = bounds.at_once {
            let from = lowest_within(within_ns);
            if value - from >= growth {
                return jumped(from, from + growth, false);
            }
        }
        None
    }

    /// Somebody else has seen a jump from there.
    pub(super) fn told(&mut self, now_ns: u64, from: f64, value: f64, threshold: f64) {
        if self.up.is_none() {
            let up = Jumped { from, threshold, by_normal: true, since_ns: now_ns, most: value };
            self.up = Some(up);
        }
    }

    /// It is up: what climbs meanwhile is a part of it.
    pub(super) const fn is_up(&self) -> bool {
        self.up.is_some()
    }

    /// It climbs, and what that leads to is a part of that.
    pub(super) const fn climbs(&mut self) {
        self.rising = None;
    }

    /// What was before says nothing of what comes.
    pub(super) fn clear(&mut self) {
        self.recent.clear();
        self.rising = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;
    const BOUNDS: Bounds =
        Bounds { normal: Some((100.0, 400.0)), up_ns: 2 * S, at_once: Some((1_000.0, 10 * S)) };

    fn told(values: impl IntoIterator<Item = f64>) -> Vec<u64> {
        let mut jump = Jump::default();
        let values = (0..).zip(values);
        values
            .filter_map(|(second, value)| jump.look(second * S, value, &BOUNDS).map(|_| second))
            .collect()
    }

    #[test]
    fn a_jump_is_told_once_it_stays_until_half_of_it_has_gone() {
        let up = |len: usize| std::iter::repeat_n(500.0, len);
        let values = std::iter::repeat_n(100.0, 5).chain(up(6)).chain([290.0, 500.0, 100.0]);
        assert_eq!(told(values), [7, 8, 9, 10]);
        assert!(told([100.0, 500.0, 500.0, 100.0, 500.0, 500.0]).is_empty());
        // After five minutes it is a level.
        let values = std::iter::repeat_n(100.0, 5).chain(up(1_000));
        assert_eq!(told(values).len(), 299);
    }

    #[test]
    fn what_takes_minutes_climbs_and_does_not_jump() {
        assert!(told((0..600).map(|second| 100.0 + f64::from(second) * 2.0)).is_empty());
    }

    #[test]
    fn much_at_once_is_a_jump_without_a_normal() {
        let bounds = Bounds { normal: None, ..BOUNDS };
        let mut jump = Jump::default();
        let mut look = |second: u64, value| jump.look(second * S, value, &bounds);
        assert_eq!(look(0, 50.0), None);
        assert_eq!(look(5, 1_050.0), None);
        assert_eq!(look(6, 1_060.0), None);
        let jumped = look(7, 1_070.0);
        assert!(jumped.is_some_and(|jumped| jumped.from == 50.0 && !jumped.by_normal));
    }
}

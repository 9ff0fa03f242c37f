//! Conditions over time: for how long something has been so, and zones that are
//! not left again at once.

use crate::model::Severity;

/// Looks waver: what has to be so for a time may be not so for this part of it,
/// and for no longer than this, without being over.
const PAUSE_PART: u64 = 20;
const PAUSE_NS: u64 = 3_000_000_000;
/// A zone is left this much below where it begins.
const BELOW: f64 = 0.02;

/// For how long something has been so.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    /// Since when, and when it was so last.
    since: Option<(u64, u64)>,
}

impl Held {
    /// For how long, where it is so now and has been for `for_ns`.
    pub(super) fn look(&mut self, now_ns: u64, is_so: bool, for_ns: u64) -> Option<u64> {
        if is_so {
            let (since, _) = self.since.unwrap_or((now_ns, now_ns));
            self.since = Some((since, now_ns));
            let held = now_ns.saturating_sub(since);
            return (held >= for_ns).then_some(held);
        }
        let pause_ns = PAUSE_NS.min(for_ns / PAUSE_PART);
        self.since = self.since.filter(|(_, last)| now_ns.saturating_sub(*last) <= pause_ns);
        None
    }
}

/// How close to a limit something is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Zone(Option<Severity>);

impl Zone {
    /// The zone that a part of the limit is in.
    pub(super) fn look(&mut self, part: f64, caution: f64, critical: f64) -> Option<Severity> {
        let from = |begin: f64, is_in: bool| if is_in { begin - BELOW } else { begin };
        let (was_in, was_critical) = (self.0.is_some(), self.0 == Some(Severity::Critical));
        self.0 = if part >= from(critical, was_critical) {
            Some(Severity::Critical)
        } else if part >= from(caution, was_in) {
            Some(Severity::Warning)
        } else {
            None
        };
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wavers_goes_on_and_what_pauses_begins_anew() {
        const S: u64 = 1_000_000_000;
        let mut held = Held::default();
        let mut look = |second: u64, is_so| held.look(second * S, is_so, 60 * S);
        assert_eq!(look(0, true), None);
        assert_eq!(look(40, true), None);
        assert_eq!(look(43, false), None);
        assert_eq!(look(60, true), Some(60 * S));
        assert_eq!(look(61, false), None);
        assert_eq!(look(64, false), None);
        assert_eq!(look(65, true), None);
        assert_eq!(look(125, true), Some(60 * S));
        let mut held = Held::default();
        let mut look = |second: u64, is_so| held.look(second * S, is_so, 5 * S);
        assert_eq!([look(0, true), look(1, false), look(6, true)], [None; 3]);
    }

    #[test]
    fn a_zone_is_not_left_at_once() {
        let mut zone = Zone::default();
        let mut look = |part| zone.look(part, 0.67, 0.83);
        assert_eq!(look(0.66), None);
        assert_eq!(look(0.67), Some(Severity::Warning));
        assert_eq!(look(0.655), Some(Severity::Warning));
        assert_eq!(look(0.83), Some(Severity::Critical));
        assert_eq!(look(0.82), Some(Severity::Critical));
        assert_eq!(look(0.80), Some(Severity::Warning));
        assert_eq!(look(0.64), None);
        assert_eq!(look(0.66), None);
    }
}

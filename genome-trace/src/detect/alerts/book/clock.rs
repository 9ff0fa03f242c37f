//! Time as alerts last: what has passed by the times that are heard, which may
//! come in any order and be set back.

use crate::model::WallTime;

/// Events are told up to this much late, a crash with all that is known of it
/// among them. What is older was told by a clock that was set back.
const LATE_NS: i64 = 10_000_000_000;

/// How much time has passed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    newest: Option<WallTime>,
    passed_ns: u64,
}

impl Clock {
    /// Hears a time, and says how much has passed since the first, in
    /// nanoseconds. It never gets less.
    pub(super) fn hear(&mut self, time: WallTime) -> u64 {
        match self.newest {
            Some(newest) if time > newest => {
                // The cast holds: the later less the earlier.
                let step = time.unix_ns.saturating_sub(newest.unix_ns) as u64;
                self.passed_ns = self.passed_ns.saturating_add(step);
                self.newest = Some(time);
            }
            Some(newest) if time.unix_ns >= newest.unix_ns.saturating_sub(LATE_NS) => {}
            _ => self.newest = Some(time),
        }
        self.passed_ns
    }
}

//! Gaps: when something may have happened that was not recorded.

use std::collections::BTreeMap;

use super::WallTime;

/// Why nothing, or not everything, was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GapReason {
    /// No recorder ran.
    NotRunning,
    /// The kernel side could not hand over all of it.
    Lost,
    /// The store could not take it: no room, or too slow.
    NotStored,
    /// The store was corrupt and was set aside; what it has is not in this one.
    SetAside,
}

impl GapReason {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::NotRunning, Self::Lost, Self::NotStored, Self::SetAside];

    /// The name in the store and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotRunning => "not_running",
            Self::Lost => "lost",
            Self::NotStored => "not_stored",
            Self::SetAside => "set_aside",
        }
    }
}

/// A stretch of time of which the store does not know all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// From when on.
    pub from: WallTime,
    /// Until when.
    pub until: WallTime,
    /// Why.
    pub reason: GapReason,
    /// How many of each kind are missing; `None` where nobody could count.
    pub missing: Option<BTreeMap<String, u64>>,
    /// More, in words: the error, or the name of a file.
    pub note: Option<String>,
}

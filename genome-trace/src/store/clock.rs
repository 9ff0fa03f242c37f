//! The wall clock, for what happens to the store itself.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::WallTime;

pub(super) fn now() -> WallTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime { unix_ns: i64::try_from(since.as_nanos()).unwrap_or(i64::MAX) }
}

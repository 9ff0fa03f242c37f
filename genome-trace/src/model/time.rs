//! Wall-clock time of events.

use serde::{Deserialize, Serialize};

/// Nanoseconds since the Unix epoch, from the boot clock of the event and the
/// offset between the two clocks at the time of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WallTime {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    pub unix_ns: i64,
}

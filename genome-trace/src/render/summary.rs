//! The last line of a run, on stderr: how much came, and how complete it is.

use std::{cmp::Reverse, fmt};

use super::units::Bytes;
use crate::model::Lost;

/// What a run delivered. Shown as
/// `genome-trace: 12345 events, 0 lost, busiest ring io at 12% of 4 MiB`, or
/// with losses `…, 37 lost (file_create 30, exec 7), …`: one line, without its
/// newline, in plain numbers, for scripts read it too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events written, `lost` ones not counted.
    pub events: u64,
    /// What the kernel side could not hand over.
    pub lost: Lost,
    /// The ring that was the fullest; `None` where none was watched.
    pub busiest: Option<RingFill>,
}

/// How full a ring buffer was at the worst moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingFill {
    /// Name of the ring, `lifecycle` or `io`.
    pub name: &'static str,
    /// Most bytes that were seen waiting in it.
    pub peak_bytes: u64,
    /// Its size in bytes.
    pub capacity_bytes: u64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.events == 1 { "" } else { "s" };
        write!(f, "genome-trace: {} event{plural}, {} lost", self.events, self.lost.total())?;
        if self.lost.total() > 0 {
            write!(f, " ({})", LostByKind(&self.lost))?;
        }
        match &self.busiest {
            Some(ring) => write!(f, ", busiest ring {ring}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for RingFill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = u128::from(self.peak_bytes) * 100 / u128::from(self.capacity_bytes.max(1));
        write!(f, "{} at {percent}% of {}", self.name, Bytes(self.capacity_bytes))
    }
}

/// The counts that are not 0, the largest first: `file_create 30, exec 7`.
pub(super) struct LostByKind<'a>(pub(super) &'a Lost);

impl fmt::Display for LostByKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts = self.0.by_name();
        counts.sort_by_key(|(_, count)| Reverse(*count));
        let some = counts.iter().filter(|(_, count)| *count > 0);
        for (index, (name, count)) in some.enumerate() {
            write!(f, "{}{name} {count}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_loss() {
        let busiest = Some(RingFill { name: "io", peak_bytes: 524_288, capacity_bytes: 4 << 20 });
        let summary = Summary { events: 12_345, lost: Lost::default(), busiest };
        assert_eq!(
            summary.to_string(),
            "genome-trace: 12345 events, 0 lost, busiest ring io at 12% of 4 MiB"
        );
    }

    #[test]
    fn losses_are_named_the_largest_first() {
        let lost = Lost { exec: 7, file_create: 30, ..Lost::default() };
        let summary = Summary { events: 5, lost, busiest: None };
        assert_eq!(summary.to_string(), "genome-trace: 5 events, 37 lost (file_create 30, exec 7)");
    }

    #[test]
    fn a_ring_without_size_is_no_division_by_zero() {
        let ring = RingFill { name: "io", peak_bytes: 0, capacity_bytes: 0 };
        assert_eq!(ring.to_string(), "io at 0% of 0 B");
    }
}

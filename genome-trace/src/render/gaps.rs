//! Of which time not all is known, for people.

use std::io;

use jiff::tz::TimeZone;

use super::{crashes::words::gap, layout::Page, time::LocalDateTime, units::Count};
use crate::model::{Gap, RecorderRun};

/// Gaps that are told one by one.
const TOLD: usize = 10;

/// Says that there was none of `what`, and how much that is worth: who watched,
/// and what is missing of that time.
pub(super) fn nothing(
    page: &mut Page<'_>,
    what: &str,
    watched: &[RecorderRun],
    gaps: &[Gap],
    zone: &TimeZone,
) -> io::Result<()> {
    let Some(first) = watched.first() else {
        return page.sentence(
            &format!(
                "{what} is known, but nobody watched: no recorder ran in that time. Start one \
                 with: sudo genome-trace record"
            ),
            0,
        );
    };
    let since = LocalDateTime(first.from, zone);
    if gaps.is_empty() {
        return page.sentence(
            &format!(
                "{what}: all is well. A recorder has watched this machine since {since}, and \
                 nothing of that time is missing."
            ),
            0,
        );
    }
    page.sentence(
        &format!("{what} is known. A recorder has watched this machine since {since}."),
        0,
    )?;
    write(page, gaps, zone, "But not all of that time was watched:")
}

/// Writes them below a heading; nothing where there are none.
pub(super) fn write(
    page: &mut Page<'_>,
    gaps: &[Gap],
    zone: &TimeZone,
    heading: &str,
) -> io::Result<()> {
    if gaps.is_empty() {
        return Ok(());
    }
    page.sentence("", 0)?;
    page.sentence(heading, 0)?;
    for one in gaps.iter().take(TOLD) {
        let (from, until) = (LocalDateTime(one.from, zone), LocalDateTime(one.until, zone));
        page.sentence(&format!("  {from} to {until}: {}", gap(one)), 2)?;
    }
    match gaps.len().checked_sub(TOLD) {
        Some(more @ 1..) => {
            page.sentence(&format!("  and {} more (--format=json has all)", Count(more as u64)), 2)
        }
        _ => Ok(()),
    }
}

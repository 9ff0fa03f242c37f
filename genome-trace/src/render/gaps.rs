//! Of which time not all is known, for people.

use std::io;

use jiff::tz::TimeZone;

use super::{crashes::words::gap, layout::Page, time::LocalDateTime, units::Count};
use crate::model::Gap;

/// Gaps that are told one by one.
const TOLD: usize = 10;

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

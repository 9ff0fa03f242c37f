//! The axis of time: round local times, as many as there is room for.

use jiff::{Timestamp, Zoned, civil::Time, tz::TimeZone};

use crate::model::TimeRange;

const S: i64 = 1_000_000_000;
const MIN: i64 = 60 * S;
const H: i64 = 60 * MIN;
const D: i64 = 24 * H;

/// Times between two labels.
const EVERY: [i64; 24] = [
    S,
    2 * S,
    5 * S,
    10 * S,
    15 * S,
    30 * S,
    MIN,
    2 * MIN,
    5 * MIN,
    10 * MIN,
    15 * MIN,
    30 * MIN,
    H,
    2 * H,
    3 * H,
    6 * H,
    12 * H,
    D,
    2 * D,
    7 * D,
    14 * D,
    28 * D,
    91 * D,
    364 * D,
];

/// Columns from one label to the next, at least.
const APART: usize = 11;

/// A label, and the column of the axis that it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tick {
    pub(super) column: usize,
    pub(super) label: String,
}

/// The labels of a range that is drawn in `width` columns.
pub(super) fn ticks(range: TimeRange, width: usize, zone: &TimeZone) -> Vec<Tick> {
    let (from, until) = (range.from.unix_ns, range.until.unix_ns);
    let length = until.saturating_sub(from);
    if length <= 0 || width == 0 {
        return Vec::new();
    }
    let room = i64::try_from((width / APART).max(1)).unwrap_or(1);
    let every = EVERY.into_iter().find(|every| length / every <= room);
    let every = every.unwrap_or(length / room);
    times(range, every, zone)
        .into_iter()
        .filter_map(|at| {
            let since = i128::from(at) - i128::from(from);
            let column = usize::try_from(since * width as i128 / i128::from(length)).ok()?;
            let label = label(&local(at, zone)?, every);
            (column < width).then_some(Tick { column, label })
        })
        .collect()
}

/// Round times in a range. Days begin at midnight, however long they are.
fn times(range: TimeRange, every: i64, zone: &TimeZone) -> Vec<i64> {
    const MOST: usize = 200;
    let (from, until) = (range.from.unix_ns, range.until.unix_ns);
    let Some(begin) = local(from, zone) else { return Vec::new() };
    if every >= D {
        let days = every / D;
        let mut date = begin.date();
        let mut times = Vec::new();
        while times.len() < MOST {
            let Ok(midnight) = date.to_datetime(Time::midnight()).to_zoned(zone.clone()) else {
                break;
            };
            let at = i64::try_from(midnight.timestamp().as_nanosecond()).unwrap_or(i64::MAX);
            if at >= until {
                break;
            }
            if at >= from {
                times.push(at);
            }
            let step = if times.is_empty() { 1 } else { days };
            let Ok(next) = date.checked_add(jiff::Span::new().days(step)) else { break };
            date = next;
        }
        return times;
    }
    let offset = i64::from(begin.offset().seconds()).saturating_mul(S);
    let over = from.saturating_add(offset).rem_euclid(every);
    let first = if over == 0 { from } else { from.saturating_add(every - over) };
    let next = |at: &i64| at.checked_add(every);
    std::iter::successors(Some(first), next).take_while(|at| *at < until).take(MOST).collect()
}

fn label(time: &Zoned, every: i64) -> String {
    let format = if every >= D || time.time() == Time::midnight() {
        "%b %-d"
    } else if every < MIN {
        "%H:%M:%S"
    } else {
        "%H:%M"
    };
    time.strftime(format).to_string()
}

fn local(unix_ns: i64, zone: &TimeZone) -> Option<Zoned> {
    let at = Timestamp::from_nanosecond(i128::from(unix_ns)).ok()?;
    Some(at.to_zoned(zone.clone()))
}

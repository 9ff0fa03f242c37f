//! A session as Markdown, for people, and its charts.

mod chart;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use super::{
    Utc,
    text::Escaped,
    units::{Bytes, Elapsed},
};
use crate::model::{
    Crash, Extent, Finding, Metric, Persona, PhaseStretch, Released, Session, SessionSummary,
    StretchUsage, Unit, WallTime,
};
use chart::{Chart, LINES, Line};

/// What a report tells.
#[derive(Debug)]
pub struct SessionReport<'a> {
    /// The session.
    pub session: &'a Session,
    /// What it comes to.
    pub summary: &'a SessionSummary,
    /// Crashes meanwhile; where they are not known, why not.
    pub crashes: Result<Crashes, String>,
}

/// Crashes that a recorder's store has of the session's time.
#[derive(Debug, Default)]
pub struct Crashes {
    /// By time.
    pub crashes: Vec<Crash>,
    /// A recorder ran all the time.
    pub is_complete: bool,
}

/// A chart, as a file beside the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartFile {
    /// Its name, without a folder.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// SVG.
    pub svg: String,
}

/// Columns of the tables of phases.
const COLUMNS: [Metric; 7] = [
    Metric::RssBytes,
    Metric::CpuPercent,
    Metric::VramBytes,
    Metric::GpuPercent,
    Metric::WrittenBytesPerSecond,
    Metric::Processes,
    Metric::OpenFiles,
];

/// What there are charts of.
const CHARTS: [(Metric, &str, &str); 4] = [
    (Metric::RssBytes, "memory.svg", "Resident memory by persona"),
    (Metric::VramBytes, "vram.svg", "GPU memory by persona"),
    (Metric::CpuPercent, "cpu.svg", "CPU by persona (100 % is one processor)"),
    (Metric::WrittenBytesPerSecond, "written.svg", "Bytes written a second by persona"),
];

/// Writes the report; `charts` are linked by their names.
#[must_use]
pub fn markdown(report: &SessionReport<'_>, charts: &[ChartFile]) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write(&mut out, report, charts);
    out
}

fn write(out: &mut String, report: &SessionReport<'_>, charts: &[ChartFile]) -> fmt::Result {
    let SessionReport { session, summary, crashes } = report;
    writeln!(out, "# Session {}\n", Plain(&session.id))?;
    let (Some(first), Some(last)) = (summary.stretches.first(), summary.stretches.last()) else {
        return writeln!(out, "It has no look.");
    };
    let looks: u64 = summary.stretches.iter().map(|of| of.looks).sum();
    write!(
        out,
        "From {} to {} UTC: {}, {looks} look{}",
        Short(first.from),
        Short(last.until),
        Elapsed(between(first.from, last.until)),
        if looks == 1 { "" } else { "s" }
    )?;
    match summary.interval_ns {
        Some(interval) => writeln!(out, ", one every {}.", Elapsed(interval))?,
        None => writeln!(out, ".")?,
    }
    to_look_at(out, report)?;
    phases(out, summary)?;
    released(out, summary)?;
    told_crashes(out, crashes, first.from)?;
    if !charts.is_empty() {
        writeln!(out, "\n## Charts\n")?;
        for chart in charts {
            writeln!(out, "![{}]({})\n", chart.title, chart.name)?;
        }
    }
    Ok(())
}

fn to_look_at(out: &mut String, report: &SessionReport<'_>) -> fmt::Result {
    let SessionReport { session, summary, crashes } = report;
    writeln!(out, "\n## What to look at\n")?;
    let mut is_any = false;
    for finding in &summary.findings {
        is_any = true;
        finding_line(out, finding, &summary.stretches)?;
    }
    if let Ok(of) = crashes
        && !of.crashes.is_empty()
    {
        is_any = true;
        writeln!(out, "- **{} crashed** meanwhile, see below.", Processes(of.crashes.len()))?;
    }
    if session.unreadable > 0 {
        is_any = true;
        writeln!(
            out,
            "- **{} of the session's files cannot be read**, and what was there is missing here.",
            match session.unreadable {
                1 => "1 row".to_owned(),
                rows => format!("{rows} rows"),
            }
        )?;
    }
    if !is_any {
        writeln!(out, "Nothing stands out of what was measured.")?;
    }
    Ok(())
}

fn finding_line(out: &mut String, finding: &Finding, stretches: &[PhaseStretch]) -> fmt::Result {
    match finding {
        Finding::NearLimit { persona, at, phase, rss_bytes, limit_bytes } => writeln!(
            out,
            "- **{} came near its memory limit**: {} of {} ({:.0} %) at {}, in phase {}. At the \
             limit the kernel kills.",
            Name(persona),
            size(*rss_bytes),
            size(*limit_bytes),
            rss_bytes / limit_bytes * 100.0,
            Short(*at),
            Plain(phase)
        ),
        Finding::GpuNearFull { gpu, at, used_bytes, total_bytes } => writeln!(
            out,
            "- **GPU {gpu} was nearly full**: {} of {} in use at {}. The next allocation may fail.",
            size(*used_bytes),
            size(*total_bytes),
            Short(*at)
        ),
        Finding::HeldMore(Released { persona, metric, from, to, before, after }) => writeln!(
            out,
            "- **{} did not give {} back**: {} at the end of {}, {} at the end of {}, which is {} \
             more. That may be a leak, or a cache that stays.",
            Name(persona),
            memory(*metric),
            size(*before),
            Stretch(stretches, *from),
            size(*after),
            Stretch(stretches, *to),
            size(after - before)
        ),
        Finding::Lost { events } => writeln!(
            out,
            "- **The recorder lost {events} events** meanwhile: figures that are counted from \
             events may be too low."
        ),
        Finding::Gap { from, until } => writeln!(
            out,
            "- **Nothing was looked at for {}**, from {} on: peaks of that time are not here.",
            Elapsed(between(*from, *until)),
            Short(*from)
        ),
    }
}

fn phases(out: &mut String, summary: &SessionSummary) -> fmt::Result {
    writeln!(out, "\n## Phases\n\n| phase | from | lasted | looks |\n|---|---|---|---|")?;
    for (index, stretch) in summary.stretches.iter().enumerate() {
        writeln!(
            out,
            "| {} | {} | {} | {} |",
            Stretch(&summary.stretches, index),
            Short(stretch.from),
            Elapsed(between(stretch.from, stretch.until)),
            stretch.looks
        )?;
    }
    for index in 0..summary.stretches.len() {
        let mut usage: Vec<_> = summary.usage.iter().filter(|of| of.stretch == index).collect();
        // The machine first, then the largest.
        usage.sort_by(|a, b| {
            let key = |of: &StretchUsage| (of.persona.is_some(), peak(of, Metric::RssBytes));
            let ((a_is, a_rss), (b_is, b_rss)) = (key(a), key(b));
            a_is.cmp(&b_is).then(b_rss.total_cmp(&a_rss))
        });
        writeln!(
            out,
            "\n### {}\n\nPeak, and average in brackets.\n",
            Stretch(&summary.stretches, index)
        )?;
        write!(out, "| persona |")?;
        for metric in COLUMNS {
            write!(out, " {} |", metric.title())?;
        }
        writeln!(out, "\n|---|{}", "---|".repeat(COLUMNS.len()))?;
        for of in usage {
            match &of.persona {
                Some(persona) => write!(out, "| {} |", Name(persona))?,
                None => write!(out, "| *the machine* |")?,
            }
            for metric in COLUMNS {
                write!(out, " {} |", Cell(metric, extent(of, metric)))?;
            }
            writeln!(out)?;
        }
    }
    Ok(())
}

fn released(out: &mut String, summary: &SessionSummary) -> fmt::Result {
    if summary.released.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n## Memory between phases\n\nWhat was held at the end of one phase and of a later one. A \
         phase that came again is compared with the first time, too: what is left over then was \
         not given back.\n\n| persona | memory | from | to | before | after | change |\n\
         |---|---|---|---|---|---|---|"
    )?;
    for Released { persona, metric, from, to, before, after } in &summary.released {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {}{} |",
            Name(persona),
            metric.title(),
            Stretch(&summary.stretches, *from),
            Stretch(&summary.stretches, *to),
            size(*before),
            size(*after),
            if after < before { "-" } else { "+" },
            size((after - before).abs())
        )?;
    }
    Ok(())
}

fn told_crashes(
    out: &mut String,
    crashes: &Result<Crashes, String>,
    from: WallTime,
) -> fmt::Result {
    writeln!(out, "\n## Crashes\n")?;
    let of = match crashes {
        Ok(of) => of,
        Err(reason) => return writeln!(out, "Unknown: {}.", Plain(reason)),
    };
    if of.crashes.is_empty() {
        writeln!(out, "None in the recorder's store.")?;
    } else {
        writeln!(out, "| after | persona | kind | reason |\n|---|---|---|---|")?;
        for crash in &of.crashes {
            writeln!(
                out,
                "| {} | {} | {} | {} |",
                Elapsed(between(from, crash.wall_time)),
                Plain(crash.persona.as_deref().unwrap_or("(unattributed)")),
                crash.kind,
                Plain(&crash.reason)
            )?;
        }
    }
    if !of.is_complete {
        writeln!(out, "\nNo recorder ran all the time, so there may have been more.")?;
    }
    Ok(())
}

/// The charts of all that was measured.
#[must_use]
pub fn charts(session: &Session, summary: &SessionSummary) -> Vec<ChartFile> {
    let (Some(first), Some(last)) = (summary.stretches.first(), summary.stretches.last()) else {
        return Vec::new();
    };
    let begin = first.from;
    let seconds = |at: WallTime| seconds(between(begin, at));
    let phases: Vec<_> =
        summary.stretches.iter().map(|of| (seconds(of.from), of.name.as_str())).collect();
    let breaks: Vec<f64> = summary
        .findings
        .iter()
        .filter_map(|finding| match finding {
            // Right after the last look before it.
            Finding::Gap { from, .. } => Some(seconds(*from) + f64::EPSILON),
            _ => None,
        })
        .collect();
    let file = |name: &str, title: &str, unit: fn(f64) -> String, lines: Vec<Line>| {
        let is_known = lines.iter().any(|line| line.points.iter().any(|(_, of)| of.is_some()));
        is_known.then(|| ChartFile {
            name: name.to_owned(),
            title: title.to_owned(),
            svg: Chart {
                title,
                unit,
                lines: &lines,
                phases: &phases,
                seconds: seconds(last.until),
            }
            .svg(),
        })
    };
    let mut times: Vec<f64> = session.rows.iter().map(|row| seconds(row.wall_time)).collect();
    times.dedup();
    let of_personas = CHARTS.into_iter().filter_map(|(metric, name, title)| {
        let mut points: BTreeMap<String, Vec<(f64, Option<f64>)>> = BTreeMap::new();
        for row in &session.rows {
            if let Some(persona) = &row.persona {
                let point = (seconds(row.wall_time), row.figures.get(metric));
                points.entry(label(persona)).or_default().push(point);
            }
        }
        file(name, title, unit(metric), largest(points, &times, &breaks))
    });
    let mut of_gpus: BTreeMap<String, Vec<(f64, Option<f64>)>> = BTreeMap::new();
    for row in &session.gpus {
        let point = (seconds(row.wall_time), row.vram_used_bytes);
        of_gpus.entry(format!("GPU {}", row.gpu)).or_default().push(point);
    }
    let title = "GPU memory in use";
    let gpus = file("gpus.svg", title, size, largest(of_gpus, &times, &breaks));
    of_personas.chain(gpus).collect()
}

/// As many lines as a chart can tell apart, those with the highest peaks. A
/// look without a point is a gap.
fn largest(
    points: BTreeMap<String, Vec<(f64, Option<f64>)>>,
    times: &[f64],
    breaks: &[f64],
) -> Vec<Line> {
    let mut lines: Vec<(f64, Line)> = points
        .into_iter()
        .map(|(label, mut points)| {
            let peak = points.iter().filter_map(|(_, of)| *of).fold(0.0, f64::max);
            let known: Vec<f64> = points.iter().map(|(second, _)| *second).collect();
            let absent = times
                .iter()
                .filter(|time| known.binary_search_by(|of| of.total_cmp(time)).is_err());
            points.extend(absent.chain(breaks).map(|second| (*second, None)));
            points.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            (peak, Line { label, points })
        })
        .collect();
    lines.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    lines.into_iter().take(LINES).map(|(_, line)| line).collect()
}

fn label(persona: &Persona) -> String {
    match &persona.genome_id {
        Some(id) => format!("{} {id}", persona.name),
        None => persona.name.clone(),
    }
}

fn unit(metric: Metric) -> fn(f64) -> String {
    match metric.unit() {
        Unit::Bytes => size,
        Unit::BytesPerSecond => |value| format!("{}/s", size(value)),
        Unit::Percent => |value| format!("{value:.0} %"),
        Unit::PerSecond => |value| format!("{value:.1}/s"),
        Unit::Count => |value| format!("{value:.0}"),
    }
}

/// Bytes that were measured as a float: none is negative.
fn size(bytes: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let bytes = bytes.round() as u64;
    Bytes(bytes).to_string()
}

/// For an axis, where a rounded second does no harm.
fn seconds(ns: u64) -> f64 {
    std::time::Duration::from_nanos(ns).as_secs_f64()
}

fn between(from: WallTime, until: WallTime) -> u64 {
    u64::try_from(until.unix_ns.saturating_sub(from.unix_ns)).unwrap_or_default()
}

fn extent(of: &StretchUsage, metric: Metric) -> Option<Extent> {
    of.extents.iter().find(|(of, _)| *of == metric).and_then(|(_, extent)| *extent)
}

fn peak(of: &StretchUsage, metric: Metric) -> f64 {
    extent(of, metric).map_or(-1.0, |of| of.peak)
}

const fn memory(metric: Metric) -> &'static str {
    match metric {
        Metric::VramBytes => "GPU memory",
        _ => "memory",
    }
}

struct Cell(Metric, Option<Extent>);

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = unit(self.0);
        match self.1 {
            Some(Extent { average, peak }) => write!(f, "{} ({})", unit(peak), unit(average)),
            None => f.write_str("unknown"),
        }
    }
}

/// `idle`, or `idle (2)` where it came again.
struct Stretch<'a>(&'a [PhaseStretch], usize);

impl fmt::Display for Stretch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(stretches, index) = *self;
        let Some(stretch) = stretches.get(index) else { return Ok(()) };
        let before = stretches.iter().take(index).filter(|of| of.name == stretch.name).count();
        Plain(&stretch.name).fmt(f)?;
        if before > 0 { write!(f, " ({})", before + 1) } else { Ok(()) }
    }
}

struct Name<'a>(&'a Persona);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Plain(&self.0.name).fmt(f)?;
        match &self.0.genome_id {
            Some(id) => write!(f, " ({})", Plain(id)),
            None => Ok(()),
        }
    }
}

struct Processes(usize);

impl fmt::Display for Processes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} process{}", self.0, if self.0 == 1 { "" } else { "es" })
    }
}

/// To the second.
struct Short(WallTime);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Utc(self.0).to_string();
        f.write_str(&text.get(..19).unwrap_or(&text).replace('T', " "))
    }
}

/// Text from outside that is no Markdown, whatever is in it.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in Escaped(self.0.as_bytes()).to_string().chars() {
            if matches!(
                c,
                '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' | '~' | '$'
            ) {
                f.write_char('\\')?;
            }
            f.write_char(c)?;
        }
        Ok(())
    }
}

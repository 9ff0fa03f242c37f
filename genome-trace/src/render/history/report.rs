//! The whole report, for people.

use std::io;

use anstyle::Style;

use crate::{
    model::{Course, HistoryReport, Metric, SampleSpan, Trend},
    render::{
        Figure,
        chart::{Chart, Glyphs, HEIGHT, sparkline},
        crashes::words::{between, escaped},
        gaps,
        layout::{Page, figures, words},
        line::LineStyle,
        text::columns,
        time::LocalDateTime,
        units::Elapsed,
    },
};

/// Columns where there is no terminal.
const COLUMNS: usize = 100;
/// A sparkline beside its figures has so many columns at least, and at most.
const SPARKLINE: (usize, usize) = (20, 70);

/// What is drawn, and with what.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// A whole chart for each metric of each source; else for CPU and memory
    /// of the machine alone.
    pub all_charts: bool,
    /// With which characters.
    pub glyphs: Glyphs,
}

/// Writes the report for people.
pub fn write_text(out: &mut Vec<u8>, report: &HistoryReport, look: Look, style: &LineStyle) {
    let mut page = Page { out, color: style.color, width: style.width };
    // Writing to a Vec does not fail.
    let _ = write(&mut page, report, look, style);
}

fn write(
    page: &mut Page<'_>,
    report: &HistoryReport,
    look: Look,
    style: &LineStyle,
) -> io::Result<()> {
    let zone = &style.time_zone;
    let (version, host) = (&report.version, escaped(&report.host));
    let time = LocalDateTime(report.now, zone);
    page.sentence(&format!("genome-trace {version} on {host}, {time}"), 0)?;
    let (from, until) = (report.range.from, report.range.until);
    let length = Elapsed(between(from, until));
    let (from, until) = (LocalDateTime(from, zone), LocalDateTime(until, zone));
    let read = read_by(report.span);
    page.sentence(&format!("How figures went from {from} to {until} ({length}), {read}"), 0)?;
    gaps::write(page, &report.gaps, zone, "Not all of that time was watched:")?;
    for courses in report.courses.chunk_by(|a, b| a.series.source == b.series.source) {
        let Some(first) = courses.first() else { continue };
        page.heading(&source(first))?;
        table(page, courses, look)?;
        for course in courses.iter().filter(|course| look.all_charts || is_main(course)) {
            chart(page, course, look, style)?;
        }
    }
    Ok(())
}

pub(in crate::render) const fn read_by(span: SampleSpan) -> &'static str {
    match span {
        SampleSpan::Moment => "from each sample",
        SampleSpan::Minute => "from figures by the minute",
        SampleSpan::Hour => "from figures by the hour",
    }
}

fn source(course: &Course) -> String {
    match &course.series.source.persona {
        None => "Machine".to_owned(),
        Some(persona) => match &persona.genome_id {
            Some(id) => format!("{} ({})", escaped(&persona.name), escaped(id)),
            None => escaped(&persona.name),
        },
    }
}

fn is_main(course: &Course) -> bool {
    course.series.source.persona.is_none()
        && matches!(course.series.metric, Metric::RssBytes | Metric::CpuPercent)
}

fn figure(course: &Course, value: f64) -> String {
    Figure { value, unit: course.series.metric.unit() }.to_string()
}

fn trend(course: &Course) -> String {
    match course.trend {
        Trend::Stable | Trend::Unknown => course.trend.name().to_owned(),
        Trend::Rising(slope) | Trend::Falling(slope) => {
            format!("{} {} per h", course.trend.name(), figure(course, slope.abs()))
        }
    }
}

fn table(page: &mut Page<'_>, courses: &[Course], look: Look) -> io::Result<()> {
    let mut rows: Vec<[String; 8]> = courses
        .iter()
        .map(|course| {
            let of = &course.summary;
            let cell = |value| figure(course, value);
            let title = course.series.metric.title().to_owned();
            let now = cell(of.last);
            [title, cell(of.min), cell(of.average), cell(of.p95), cell(of.max), now]
        })
        .zip(courses)
        .map(|([a, b, c, d, e, f], course)| [a, b, c, d, e, f, trend(course), String::new()])
        .collect();
    let heading = ["METRIC", "MIN", "AVG", "P95", "MAX", "LAST", "TREND"];
    let widest = heading.iter().enumerate().map(|(index, name)| {
        let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| columns(cell));
        cells.max().unwrap_or(0).max(name.len()) + 2
    });
    let room = page.width.unwrap_or(COLUMNS).saturating_sub(widest.sum());
    let is_beside = room >= SPARKLINE.0;
    if is_beside {
        for (row, course) in rows.iter_mut().zip(courses) {
            let [.., cell] = row;
            *cell = line(course, room.min(SPARKLINE.1), look);
        }
    }
    let [metric, min, average, p95, max, last, trend] = heading;
    page.table(
        [
            words(metric, usize::MAX),
            figures(min),
            figures(average),
            figures(p95),
            figures(max),
            figures(last),
            words(trend, usize::MAX),
            words("", usize::MAX),
        ],
        &rows,
    )?;
    if is_beside {
        return Ok(());
    }
    // Below, where there is no room beside.
    let titles = courses.iter().map(|course| course.series.metric.title());
    let title_width = titles.map(str::len).max().unwrap_or(0);
    let room = page.width.unwrap_or(COLUMNS).saturating_sub(title_width + 2);
    for course in courses {
        let title = course.series.metric.title();
        let line = line(course, room.min(SPARKLINE.1), look);
        page.line(format!("{title:<title_width$}  {line}").trim_end(), Style::new())?;
    }
    Ok(())
}

fn line(course: &Course, width: usize, look: Look) -> String {
    sparkline(&course.series.points, course.series.metric.unit(), width, look.glyphs)
}

fn chart(page: &mut Page<'_>, course: &Course, look: Look, style: &LineStyle) -> io::Result<()> {
    page.line("", Style::new())?;
    let metric = course.series.metric;
    page.line(&format!("{}: {}", metric.title(), metric.help()), Style::new())?;
    let chart = Chart {
        series: &course.series,
        width: page.width.unwrap_or(COLUMNS),
        height: HEIGHT,
        glyphs: look.glyphs,
        band: false,
        zone: &style.time_zone,
    };
    chart.lines().iter().try_for_each(|line| page.line(line, Style::new()))
}

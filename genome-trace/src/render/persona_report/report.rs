//! The whole report, for people.

use std::io;

use anstyle::Style;

use crate::{
    model::{
        Metric, ModelFile, ModelFileKind, NotableEvent, PersonaHour, PersonaReport, PersonaUsage,
        ReportedCrash, Sighting,
    },
    render::{
        Figure,
        chart::{Chart, Glyphs, HEIGHT},
        crashes::words::{UNATTRIBUTED, between, escaped},
        gaps,
        layout::{Page, figures, words},
        line::LineStyle,
        overview::{reasons, recommendations, score, table, whose},
        text::{Escaped, cut},
        time::LocalDateTime,
        units::{Bytes, Count, Elapsed},
        usage_table::{column::Row, lines, tree::tree},
    },
};

/// Columns where there is no terminal.
const COLUMNS: usize = 100;
/// What of the last hour is drawn.
pub(super) const CHARTS: [Metric; 5] = [
    Metric::RssBytes,
    Metric::VramBytes,
    Metric::CpuPercent,
    Metric::WriteCallsPerSecond,
    Metric::SpawnsPerSecond,
];
const UNKNOWN: &str = "unknown";

/// Writes the report for people.
pub fn write_text(out: &mut Vec<u8>, report: &PersonaReport, glyphs: Glyphs, style: &LineStyle) {
    let mut page = Page { out, color: style.color, width: style.width };
    // Writing to a Vec does not fail.
    let _ = write(&mut page, report, glyphs, style);
}

fn write(
    page: &mut Page<'_>,
    report: &PersonaReport,
    glyphs: Glyphs,
    style: &LineStyle,
) -> io::Result<()> {
    let time = LocalDateTime(report.now, &style.time_zone);
    let (version, host) = (&report.version, escaped(&report.host));
    page.sentence(&format!("genome-trace {version} on {host}, {time}"), 0)?;
    page.heading(&whose(Some(&report.persona)))?;
    let status = report.health.as_ref().map_or_else(
        || UNKNOWN.to_owned(),
        |health| format!("{}, {}", health.state().name(), score(health.score())),
    );
    page.line(&format!("Status: {status}"), Style::new())?;
    if let Some(health) = &report.health {
        reasons(page, health, report.now)?;
    }
    match &report.usage {
        Some(usage) => now(page, report, usage)?,
        None => page.sentence("It has no process now.", 0)?,
    }
    if let Some(reason) = &report.unknown_because {
        page.sentence(&escaped(reason), 0)?;
    }
    if let Some(usage) = &report.usage {
        processes(page, report, usage)?;
        model_files(page, report)?;
    }
    match &report.hour {
        Err(reason) => {
            page.heading("The last hour")?;
            page.sentence(&escaped(reason), 0)?;
        }
        Ok(hour) => last_hour(page, hour, glyphs, style)?,
    }
    recommendations(page, &report.advice)
}

/// Every figure that it has now.
fn now(page: &mut Page<'_>, report: &PersonaReport, usage: &PersonaUsage) -> io::Result<()> {
    let figure = |metric: Metric| {
        let figure = usage.figures.get(metric);
        figure.map_or_else(
            || UNKNOWN.to_owned(),
            |value| Figure { value, unit: metric.unit() }.to_string(),
        )
    };
    let limit = match (usage.rss_limit_bytes, usage.figures.get(Metric::RssBytes)) {
        (None, _) => "no limit in common".to_owned(),
        (Some(limit), None) => format!("limit {}", Bytes(limit)),
        (Some(limit), Some(rss)) => {
            let percent =
                Figure { value: rss * 100.0 / limit as f64, unit: crate::model::Unit::Percent };
            format!("limit {} ({percent} of it)", Bytes(limit))
        }
    };
    page.facts(
        "memory",
        vec![
            format!("RSS {}", figure(Metric::RssBytes)).into(),
            limit.into(),
            format!("VRAM {}", figure(Metric::VramBytes)).into(),
        ],
    )?;
    page.facts(
        "busy",
        vec![
            format!("CPU {}", figure(Metric::CpuPercent)).into(),
            format!("GPU {}", figure(Metric::GpuPercent)).into(),
        ],
    )?;
    let created = usage.figures.get(Metric::FilesCreatedPerSecond).map(|rate| rate * 60.0);
    let created = created.map_or_else(
        || UNKNOWN.to_owned(),
        |value| Figure { value, unit: crate::model::Unit::Count }.to_string(),
    );
    page.facts(
        "files",
        vec![
            format!("writes {}", figure(Metric::WriteCallsPerSecond)).into(),
            format!("written {}", figure(Metric::WrittenBytesPerSecond)).into(),
            format!("created {created}/min").into(),
            format!("open {}", figure(Metric::OpenFiles)).into(),
        ],
    )?;
    page.facts(
        "has",
        vec![
            format!("processes {}", figure(Metric::Processes)).into(),
            format!("threads {}", figure(Metric::Threads)).into(),
            format!("spawned {}", figure(Metric::SpawnsPerSecond)).into(),
        ],
    )?;
    let age = usage.started.map_or_else(
        || UNKNOWN.to_owned(),
        |started| Elapsed(between(started, report.now)).to_string(),
    );
    let crashes =
        report.crash_count.map_or_else(|| UNKNOWN.to_owned(), |count| Count(count).to_string());
    page.facts("age", vec![age.into(), format!("crashes in the last hour {crashes}").into()])
}

fn processes(page: &mut Page<'_>, report: &PersonaReport, usage: &PersonaUsage) -> io::Result<()> {
    page.heading("Processes")?;
    let branches = tree(&usage.processes);
    let rows: Vec<_> =
        branches.iter().map(|branch| Row::Process(branch.process, &branch.lead)).collect();
    let seen = Sighting { wall_time: report.now, crashes: None };
    table(page, &lines(&rows, seen, page.width, true))
}

fn model_files(page: &mut Page<'_>, report: &PersonaReport) -> io::Result<()> {
    page.heading("Models, layers and adapters")?;
    let all = report.usage.as_ref().map_or(0, |usage| usage.processes.len() as u64);
    if report.closed_processes > 0 {
        let which = match report.closed_processes {
            closed if closed >= all => "its processes".to_owned(),
            closed => format!("{} of its {} processes", Count(closed), Count(all)),
        };
        page.sentence(
            &format!("What {which} have open is unknown: run this as root, or as their user."),
            0,
        )?;
        if report.closed_processes >= all {
            return Ok(());
        }
    }
    if report.model_files.is_empty() {
        let others = if report.closed_processes > 0 { "The others have" } else { "It has" };
        return page.sentence(&format!("{others} no model's file open or mapped."), 0);
    }
    let rows: Vec<_> = report.model_files.iter().map(model_file).collect();
    page.table(
        [
            figures("SIZE"),
            words("KIND", usize::MAX),
            words("HOW", usize::MAX),
            words("FILE", usize::MAX),
        ],
        &rows,
    )
}

fn model_file(file: &ModelFile) -> [String; 4] {
    let how = match (file.is_mapped, file.is_open) {
        (true, true) => "mapped, open",
        (true, false) => "mapped",
        (false, _) => "open",
    };
    let kind = match file.kind {
        ModelFileKind::Weights => "weights",
        ModelFileKind::Adapter => "adapter",
    };
    let size = file.size_bytes.map_or_else(|| UNKNOWN.to_owned(), |of| Bytes(of).to_string());
    [size, kind.to_owned(), how.to_owned(), Escaped(&file.path).to_string()]
}

fn last_hour(
    page: &mut Page<'_>,
    hour: &PersonaHour,
    glyphs: Glyphs,
    style: &LineStyle,
) -> io::Result<()> {
    page.heading("The last hour")?;
    gaps::write(page, &hour.gaps, &style.time_zone, "Not all of that time was watched:")?;
    let courses = CHARTS
        .into_iter()
        .filter_map(|metric| hour.courses.iter().find(|course| course.series.metric == metric));
    let mut is_any = false;
    for course in courses {
        is_any = true;
        let metric = course.series.metric;
        page.line("", Style::new())?;
        let trend = match course.trend.slope_per_hour() {
            None => course.trend.name().to_owned(),
            Some(slope) => {
                let slope = Figure { value: slope.abs(), unit: metric.unit() };
                format!("{} {slope} per h", course.trend.name())
            }
        };
        page.line(&format!("{}: {}; trend: {trend}", metric.title(), metric.help()), Style::new())?;
        let chart = Chart {
            series: &course.series,
            width: page.width.unwrap_or(COLUMNS),
            height: HEIGHT,
            glyphs,
            band: false,
            zone: &style.time_zone,
        };
        chart.lines().iter().try_for_each(|line| page.line(line, Style::new()))?;
    }
    if !is_any {
        page.sentence("Nothing was measured in that time.", 0)?;
    }
    page.heading("Crashes of the last hour")?;
    if hour.crashes.is_empty() {
        page.sentence("None is known.", 0)?;
    }
    for crash in &hour.crashes {
        crash_line(page, crash, style)?;
    }
    page.heading("Events of the last hour")?;
    if hour.events.is_empty() {
        page.sentence("None that matters is known.", 0)?;
    }
    hour.events.iter().try_for_each(|event| event_line(page, event, style))
}

fn crash_line(page: &mut Page<'_>, reported: &ReportedCrash, style: &LineStyle) -> io::Result<()> {
    let crash = &reported.crash;
    let time = LocalDateTime(crash.wall_time, &style.time_zone);
    let comm = crash.comm.as_deref().map_or_else(|| UNATTRIBUTED.to_owned(), escaped);
    let reason = escaped(&crash.reason);
    page.sentence(
        &format!(
            "{time}  {}  {} {comm}: {reason} (--crash={})",
            crash.kind, crash.key.tgid, reported.id
        ),
        2,
    )
}

fn event_line(page: &mut Page<'_>, event: &NotableEvent, style: &LineStyle) -> io::Result<()> {
    let time = LocalDateTime(event.wall_time, &style.time_zone);
    let tgid = event.tgid.map_or_else(|| "-".to_owned(), |tgid| tgid.to_string());
    let line = format!("  {time}  {:11}  {tgid:>7}  {}", event.kind.name(), event.text);
    let line = page.width.map_or(line.as_str().into(), |width| cut(&line, width)).into_owned();
    page.line(&line, Style::new())
}

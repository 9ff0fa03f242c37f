//! The whole report, for people.

use std::io;

use anstyle::{AnsiColor, Style};

use crate::{
    model::{
        Active, Advice, Health, HealthState, MachineUsage, Metric, Outlook, Overview, Persona,
        Recent, Score, WallTime,
    },
    render::{
        Figure,
        crashes::words::{UNATTRIBUTED, between, escaped, gap},
        health::ReasonText,
        layout::{Page, figures, words},
        line::LineStyle,
        stats,
        time::LocalDateTime,
        units::{Bytes, Count, Elapsed},
        usage_table::{column::Row, lines},
    },
};

/// What is told of the last minutes.
const RECENT: [Metric; 5] = [
    Metric::CpuPercent,
    Metric::RssBytes,
    Metric::VramBytes,
    Metric::WriteCallsPerSecond,
    Metric::SpawnsPerSecond,
];
/// Gaps that are told one by one.
const GAPS_TOLD: usize = 3;
const UNKNOWN: &str = "unknown";

/// Writes the report for people.
pub fn write_text(out: &mut Vec<u8>, overview: &Overview, style: &LineStyle) {
    let mut page = Page { out, color: style.color, width: style.width };
    // Writing to a Vec does not fail.
    let _ = write(&mut page, overview, style);
}

fn write(page: &mut Page<'_>, overview: &Overview, style: &LineStyle) -> io::Result<()> {
    let gpus = &overview.gpus;
    let time = LocalDateTime(gpus.wall_time, &style.time_zone);
    page.sentence(&format!("genome-trace {} on {}, {time}", gpus.version, escaped(&gpus.host)), 0)?;
    status(page, overview.health.as_ref())?;
    if let Some(health) = &overview.health {
        reasons(page, health, gpus.wall_time)?;
    }
    if let Ok(active) = &overview.active {
        machine(page, &active.usage.machine, gpus.wall_time)?;
    }
    stats::write(page, gpus)?;
    personas(page, overview)?;
    recent(page, overview, style)?;
    outlook(page, &overview.outlook)
}

fn status(page: &mut Page<'_>, health: Option<&Health>) -> io::Result<()> {
    let Some(health) = health else {
        return page.line("Status: unknown", Style::new());
    };
    let state = health.state();
    page.line(&format!("Status: {}, {}", state.name(), score(health.score())), tone(state).bold())
}

const fn tone(state: HealthState) -> Style {
    Style::new().fg_color(Some(anstyle::Color::Ansi(match state {
        HealthState::Healthy => AnsiColor::Green,
        HealthState::Warning => AnsiColor::Yellow,
        HealthState::Critical => AnsiColor::Red,
    })))
}

/// As in `85 of 100 points (yellow)`.
pub(in crate::render) fn score(score: Score) -> String {
    format!("{} of 100 points ({})", score.points, score.light.name())
}

/// What speaks against the machine and how many points that takes, the worst
/// first.
pub(in crate::render) fn reasons(
    page: &mut Page<'_>,
    health: &Health,
    now: WallTime,
) -> io::Result<()> {
    for reason in &health.reasons {
        let (state, points) = (reason.state.name(), reason.points());
        page.sentence(&format!("{state} (-{points}): {}", ReasonText(reason, now)), 2)?;
    }
    Ok(())
}

fn machine(page: &mut Page<'_>, machine: &MachineUsage, now: WallTime) -> io::Result<()> {
    let unknown = || UNKNOWN.to_owned();
    let figure = |metric: Metric| {
        let figure = machine.figures.get(metric);
        figure.map_or_else(unknown, |value| Figure { value, unit: metric.unit() }.to_string())
    };
    let size = |bytes: Option<u64>| bytes.map_or_else(unknown, |bytes| Bytes(bytes).to_string());
    let count = |count: Option<u64>| count.map_or_else(unknown, |of| Count(of).to_string());
    let up = machine.uptime_ns.map_or_else(unknown, |ns| Elapsed(ns).to_string());
    let of = machine
        .processors
        .map_or_else(unknown, |count| format!("{} %", Count(u64::from(count) * 100)));
    let traced = machine.tracing_since.map_or_else(String::new, |since| {
        format!(" in {} of tracing", Elapsed(between(since, now)))
    });
    page.sentence(
        &format!(
            "up {up}; {} events seen, {} lost{traced}",
            count(machine.events),
            count(machine.lost_events)
        ),
        0,
    )?;
    page.sentence(
        &format!(
            "memory {} left of {}; CPU {} of {of}; {} processes",
            size(machine.available_bytes),
            size(machine.memory_bytes),
            figure(Metric::CpuPercent),
            figure(Metric::Processes)
        ),
        0,
    )
}

fn personas(page: &mut Page<'_>, overview: &Overview) -> io::Result<()> {
    match &overview.active {
        Err(reason) => {
            page.heading("Personas")?;
            page.sentence(&escaped(reason), 0)
        }
        Ok(active) => active_personas(page, active, overview),
    }
}

fn active_personas(page: &mut Page<'_>, active: &Active, overview: &Overview) -> io::Result<()> {
    page.heading(&format!("Personas, by {}", overview.sort))?;
    if active.usage.personas.is_empty() {
        return page.sentence(
            "No process belongs to a persona now; `genome-trace personas` says what decides.",
            0,
        );
    }
    let mut sorted: Vec<_> = active.usage.personas.iter().collect();
    sorted.sort_by(|a, b| overview.sort.order(a, b, active.seen(), false));
    let rows: Vec<_> = sorted.into_iter().map(Row::Persona).collect();
    table(page, &lines(&rows, active.seen(), page.width, false))
}

pub(in crate::render) fn table(page: &mut Page<'_>, lines: &[String]) -> io::Result<()> {
    for (index, line) in lines.iter().enumerate() {
        page.line(line, if index == 0 { Style::new().bold() } else { Style::new() })?;
    }
    Ok(())
}

fn recent(page: &mut Page<'_>, overview: &Overview, style: &LineStyle) -> io::Result<()> {
    match &overview.recent {
        Err(reason) => {
            page.heading("The last 5 minutes")?;
            page.sentence(&escaped(reason), 0)
        }
        Ok(recent) => last_minutes(page, recent, style),
    }
}

fn last_minutes(page: &mut Page<'_>, recent: &Recent, style: &LineStyle) -> io::Result<()> {
    let length = Elapsed(between(recent.range.from, recent.range.until));
    page.heading(&format!("The last {length}, of the machine"))?;
    let rows: Vec<_> = RECENT
        .into_iter()
        .filter_map(|metric| {
            let of = |figure: &&crate::model::RecentFigure| {
                figure.persona.is_none() && figure.metric == metric
            };
            let summary = recent.figures.iter().find(of)?.summary;
            let cell = |value| Figure { value, unit: metric.unit() }.to_string();
            Some([
                metric.title().to_owned(),
                cell(summary.min),
                cell(summary.average),
                cell(summary.p95),
                cell(summary.max),
            ])
        })
        .collect();
    if rows.is_empty() {
        page.sentence("Nothing was measured in that time.", 0)?;
    } else {
        page.table(
            [
                words("METRIC", usize::MAX),
                figures("MIN"),
                figures("AVG"),
                figures("P95"),
                figures("MAX"),
            ],
            &rows,
        )?;
    }
    for one in recent.gaps.iter().take(GAPS_TOLD) {
        let from = LocalDateTime(one.from, &style.time_zone);
        page.sentence(&format!("Not all is known: from {from} on {}.", gap(one)), 2)?;
    }
    Ok(())
}

fn outlook(page: &mut Page<'_>, outlook: &Outlook) -> io::Result<()> {
    if !outlook.warnings.is_empty() {
        page.heading("WARNINGS")?;
        for warning in &outlook.warnings {
            page.sentence(&format!("{}: {}", warning.state.name(), warning.text), 2)?;
        }
    }
    recommendations(page, &outlook.advice)
}

/// What to do; nothing where there is nothing.
pub(in crate::render) fn recommendations(page: &mut Page<'_>, advice: &[Advice]) -> io::Result<()> {
    if advice.is_empty() {
        return Ok(());
    }
    page.heading("RECOMMENDATIONS")?;
    for one in advice {
        let persona = one
            .persona
            .as_ref()
            .map(|name| Persona { name: name.clone(), genome_id: one.genome_id.clone() });
        let text = match &persona {
            Some(_) => format!("{}: {}", whose(persona.as_ref()), escaped(&one.text)),
            None => escaped(&one.text),
        };
        page.sentence(&text, 2)?;
    }
    Ok(())
}

/// As in `CodeExpert (a3f9)`.
pub(in crate::render) fn whose(persona: Option<&Persona>) -> String {
    match persona {
        None => UNATTRIBUTED.to_owned(),
        Some(persona) => match &persona.genome_id {
            Some(id) => format!("{} ({})", escaped(&persona.name), escaped(id)),
            None => escaped(&persona.name),
        },
    }
}

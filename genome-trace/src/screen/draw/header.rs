//! What is always on top: how the machine is, and its GPUs.

use ratatui_core::layout::Rect;

use super::canvas::{Canvas, Tone};
use crate::{
    model::{Figures, Gpu, GpuHealth, HealthState, Metric},
    render::{
        health::ReasonText,
        text::Escaped,
        time::LocalTime,
        units::{Bytes, Count, Elapsed},
    },
    screen::{
        figure::{self, UNKNOWN},
        state::State,
    },
};

/// Rows that reasons may take, and GPUs likewise: a small terminal is for the
/// table.
const fn rows_allowed(height: u16) -> usize {
    match height {
        ..30 => 2,
        30..45 => 4,
        _ => 8,
    }
}

/// Draws it; the rows that it took.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) -> u16 {
    let mut rows = 0;
    for line in lines(state, rows_allowed(area.height)) {
        canvas.pieces(area, area.y.saturating_add(rows), &line);
        rows += 1;
    }
    rows
}

/// A line of pieces that stand apart.
pub(super) type Line = Vec<(String, Tone)>;

/// Its lines, with so many reasons and GPUs at most.
pub(super) fn lines(state: &State, allowed: usize) -> Vec<Line> {
    let mut lines = vec![first(state), second(state)];
    lines.extend(reasons(state, allowed));
    lines.extend(gpus(state, allowed));
    lines.retain(|line| !line.is_empty());
    lines
}

fn plain(text: String) -> (String, Tone) {
    (text, Tone::Plain)
}

fn first(state: &State) -> Line {
    let setting = &state.setting;
    let mut line = Vec::new();
    match &state.look {
        Some(look) => {
            let health = look.health.state();
            // What is old says nothing of now.
            let tone = if state.trouble.is_some() { Tone::Faint } else { health.into() };
            line.push((health.name().to_owned(), tone));
            let time = LocalTime(look.usage.wall_time, &setting.time_zone).to_string();
            line.push(plain(time.split('.').next().unwrap_or_default().to_owned()));
        }
        None => line.push((UNKNOWN.to_owned(), Tone::Faint)),
    }
    if state.is_paused {
        line.push(("PAUSED".to_owned(), Tone::Warning));
    }
    line.push(plain(Escaped(setting.host.as_bytes()).to_string()));
    if let Some(uptime) = state.look.as_ref().and_then(|look| look.usage.machine.uptime_ns) {
        line.push(plain(format!("up {}", Elapsed(uptime))));
    }
    line.push(plain(format!("every {:?}", state.interval)));
    line.push((format!("genome-trace {}", setting.version), Tone::Faint));
    line
}

fn second(state: &State) -> Line {
    let Some(look) = &state.look else { return Vec::new() };
    let machine = &look.usage.machine;
    let of = |figures: &Figures, metric| figure::metric(figures, metric);
    let lost = machine.lost_events;
    let mut line = vec![
        plain(format!(
            "memory {} of {} left",
            figure::size(machine.available_bytes),
            figure::size(machine.memory_bytes)
        )),
        plain(format!(
            "CPU {} of {}",
            of(&machine.figures, Metric::CpuPercent),
            machine.processors.map_or_else(
                || UNKNOWN.to_owned(),
                |count| format!("{} %", Count(u64::from(count) * 100))
            )
        )),
        plain(format!("{} events", figure::count(machine.events))),
        (
            format!("{} lost", figure::count(lost)),
            if lost.is_some_and(|lost| lost > 0) { Tone::Warning } else { Tone::Plain },
        ),
        plain(format!("{} processes", of(&machine.figures, Metric::Processes))),
    ];
    if let Some(since) = machine.tracing_since {
        let ns = i128::from(look.usage.wall_time.unix_ns) - i128::from(since.unix_ns);
        if let Ok(ns) = u64::try_from(ns) {
            line.push(plain(format!("traced for {}", Elapsed(ns))));
        }
    }
    line
}

/// Why the figures are old, or what speaks against the machine.
fn reasons(state: &State, allowed: usize) -> Vec<Line> {
    if let Some(reason) = &state.trouble {
        let since = state.wall_time().map_or_else(
            || "no figures yet:".to_owned(),
            |time| format!("figures of {}:", LocalTime(time, &state.setting.time_zone)),
        );
        // Each has a row: the reason ends with what to do.
        let reason = Escaped(reason.as_bytes()).to_string();
        return vec![vec![(since, Tone::Critical)], vec![(reason, Tone::Critical)]];
    }
    let Some(look) = &state.look else { return vec![vec![plain("looking ...".to_owned())]] };
    let all = &look.health.reasons;
    // A row that says how many more there are is worth one reason.
    let shown = if all.len() > allowed { allowed - 1 } else { all.len() };
    let mut lines: Vec<Line> = all
        .iter()
        .take(shown)
        .map(|reason| {
            let tone = match reason.state {
                HealthState::Critical => Tone::Critical,
                HealthState::Warning | HealthState::Healthy => Tone::Warning,
            };
            vec![(format!("! {}", ReasonText(reason, look.usage.wall_time)), tone)]
        })
        .collect();
    if all.len() > shown {
        lines.push(vec![(format!("! and {} more", all.len() - shown), Tone::Warning)]);
    }
    lines
}

fn gpus(state: &State, allowed: usize) -> Vec<Line> {
    let Some(snapshot) = state.look.as_ref().and_then(|look| look.gpus.as_ref()) else {
        return Vec::new();
    };
    let gpus = &snapshot.gpus;
    let shown = if gpus.len() > allowed { allowed - 1 } else { gpus.len() };
    let mut lines: Vec<Line> = gpus.iter().take(shown).map(gpu).collect();
    if gpus.len() > shown {
        lines.push(vec![plain(format!("and {} more GPUs", gpus.len() - shown))]);
    }
    lines
}

fn gpu(gpu: &Gpu) -> Line {
    let name = gpu.identity.name.as_deref().unwrap_or(UNKNOWN);
    let mut line = vec![plain(format!("GPU {} {}", gpu.identity.index, Escaped(name.as_bytes())))];
    match &gpu.health {
        GpuHealth::Ok => {}
        GpuHealth::Lost => line.push(("LOST".to_owned(), Tone::Critical)),
        GpuHealth::Failed(reason) => {
            line.push((format!("FAILED: {}", Escaped(reason.as_bytes())), Tone::Critical));
        }
    }
    let details = gpu.details.as_deref();
    let percent = details.and_then(|details| details.gpu_percent);
    let known = |value: Option<String>| value.unwrap_or_else(|| UNKNOWN.to_owned());
    line.push(plain(format!("busy {}", known(percent.map(|percent| format!("{percent} %"))))));
    line.push(plain(format!(
        "VRAM {} of {}",
        known(gpu.vram.used_bytes.map(|bytes| Bytes(bytes).to_string())),
        known(gpu.vram.total_bytes.map(|bytes| Bytes(bytes).to_string()))
    )));
    if let Some(celsius) = details.and_then(|details| details.temperature_celsius) {
        line.push(plain(format!("{celsius} °C")));
    }
    if let Some(milliwatts) = details.and_then(|details| details.power_milliwatts) {
        line.push(plain(format!("{} W", (u64::from(milliwatts) + 500) / 1000)));
    }
    line
}

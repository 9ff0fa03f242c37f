//! One persona: its figures with how they went, and its processes.

use ratatui_core::layout::Rect;

use super::{
    canvas::{Canvas, Tone},
    table::{self, Table},
};
use crate::{
    model::{Metric, Persona, PersonaUsage},
    render::text::Escaped,
    screen::{
        column::{Column, Row},
        figure::{self, UNKNOWN},
        state::State,
        tree,
    },
};

/// Columns of a metric's name, and of its figure.
const NAME: u16 = 10;
const FIGURE: u16 = 11;
/// From so many columns on metrics stand in pairs.
const PAIRS: u16 = 72;

/// Draws it.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State, who: &Persona) {
    let usage = state.usage_of(who);
    canvas.pieces(area, area.y, &title(state, who, usage));
    let taken = metrics(canvas, below(area, 1), state, who, usage) + 2;
    let rest = below(area, taken);
    let (Some(usage), Some(look)) = (usage, &state.look) else {
        canvas.text(rest.x, rest.y, rest.width, "It has no process now.", Tone::Plain);
        return;
    };
    let branches = tree::tree(&usage.processes);
    let rows = if state.is_flat {
        tree::flat(&usage.processes).into_iter().map(|it| Row::Process(it, "")).collect()
    } else {
        branches.iter().map(|branch| Row::Process(branch.process, &branch.lead)).collect()
    };
    let sort = state.is_flat.then_some((Column::Rss, false));
    Table { rows, selected: Some(state.process_row), is_of_processes: true, sort }
        .draw(canvas, rest, state, look);
}

fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}

fn title(state: &State, who: &Persona, usage: Option<&PersonaUsage>) -> Vec<(String, Tone)> {
    let escaped = |text: &str| Escaped(text.as_bytes()).to_string();
    let genome = who.genome_id.as_deref().map_or_else(|| UNKNOWN.to_owned(), escaped);
    let mut line =
        vec![(escaped(&who.name), Tone::Heading), (format!("genome id {genome}"), Tone::Plain)];
    if let Some((usage, look)) = usage.zip(state.look.as_ref()) {
        let cell = |column: Column| column.cell(Row::Persona(usage), look.seen());
        line.push((format!("age {}", cell(Column::Age)), Tone::Plain));
        line.push((format!("memory limit {}", cell(Column::RssLimit)), Tone::Plain));
        line.push((format!("crashes in 1 h {}", cell(Column::Crashes)), Tone::Plain));
    }
    line
}

/// Each metric: its name, its figure, how it went. The rows that they took.
fn metrics(
    canvas: &mut Canvas<'_>,
    area: Rect,
    state: &State,
    who: &Persona,
    usage: Option<&PersonaUsage>,
) -> u16 {
    let in_row: u16 = if area.width >= PAIRS { 2 } else { 1 };
    let width = area.width / in_row;
    let mut rows = 0;
    let places = (0..).flat_map(|row| (0..in_row).map(move |column| (row, column)));
    for (metric, (row, column)) in Metric::ALL.into_iter().zip(places) {
        let (x, y) = (area.x + column * width, area.y.saturating_add(row));
        let shown = usage
            .map_or_else(|| UNKNOWN.to_owned(), |usage| figure::metric(&usage.figures, metric));
        canvas.text(x, y, NAME, metric.title(), Tone::Heading);
        canvas.text_right(x + NAME + 1, y, FIGURE, &shown, Tone::Plain);
        let room = width.saturating_sub(NAME + FIGURE + 4).min(60);
        let line = table::history(state, who, metric, room);
        canvas.text(x + NAME + FIGURE + 3, y, room, &line, Tone::Plain);
        rows = row + 1;
    }
    rows
}

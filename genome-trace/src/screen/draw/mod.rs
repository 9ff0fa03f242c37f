//! The screen as cells, from the state alone.

mod canvas;
mod detail;
mod events;
mod header;
mod help;
mod sparkline;
mod table;

use ratatui_core::{buffer::Buffer, layout::Rect};

use self::{
    canvas::{Canvas, Tone},
    table::Table,
};
use super::{
    column::Row,
    state::{Page, State},
    tree,
};

/// From so many rows on the last events stand below the personas.
const ROWS_FOR_EVENTS: u16 = 35;
/// Rows that they take, with their heading.
const EVENT_ROWS: u16 = 9;

/// Draws everything into the buffer.
pub fn draw(state: &State, buffer: &mut Buffer) {
    let area = *buffer.area();
    let canvas = &mut Canvas { buffer, color: state.setting.color };
    let Some(bottom) = area.bottom().checked_sub(1).filter(|_| area.height > 0) else { return };
    let page = Rect { height: bottom - area.y, ..area };
    // Help needs all the rows of a small terminal.
    if state.page == Page::Help {
        help::draw(canvas, page);
        return footer(canvas, Rect { y: bottom, height: 1, ..area }, state);
    }
    let taken = header::draw(canvas, page, state);
    // An empty row sets the header apart.
    let y = area.y.saturating_add(taken + 1).min(bottom);
    let rest = Rect { y, height: bottom - y, ..area };
    match &state.page {
        Page::Personas => personas(canvas, rest, area.height, state),
        Page::Detail(who) => detail::draw(canvas, rest, state, who),
        Page::Events => events::draw(canvas, rest, state, state.events_back),
        Page::Help => {}
    }
    // A header that is taller than the terminal ends where this begins.
    canvas.text(area.x, bottom, area.width, &" ".repeat(area.width.into()), Tone::Plain);
    footer(canvas, Rect { y: bottom, height: 1, ..area }, state);
}

/// The header as text, with everything that there is.
pub(super) fn header_lines(state: &State) -> impl Iterator<Item = String> {
    header::lines(state, usize::MAX)
        .into_iter()
        .map(|line| line.into_iter().map(|(text, _)| text).collect::<Vec<_>>().join("  "))
}

fn personas(canvas: &mut Canvas<'_>, area: Rect, height: u16, state: &State) {
    let Some(look) = &state.look else { return };
    let personas = state.personas();
    if personas.is_empty() {
        let text = match state.filter.as_str() {
            "" => "No persona has a process now. docs/personas.md says how a process gets one.",
            _ => "No persona's name or genome id has that in it: x shows all.",
        };
        canvas.text(area.x, area.y, area.width, text, Tone::Plain);
        return;
    }
    let below = if height >= ROWS_FOR_EVENTS { EVENT_ROWS.min(area.height) } else { 0 };
    let table = Rect { height: area.height - below, ..area };
    let trees: Vec<_> = personas
        .iter()
        .map(|usage| if state.has_trees { tree::tree(&usage.processes) } else { Vec::new() })
        .collect();
    let (mut rows, mut selected) = (Vec::new(), None);
    for (index, (usage, branches)) in personas.iter().zip(&trees).enumerate() {
        if index == state.row {
            selected = Some(rows.len());
        }
        rows.push(Row::Persona(usage));
        rows.extend(branches.iter().map(|branch| Row::Process(branch.process, &branch.lead)));
    }
    let sort = Some((state.sort, state.is_reversed));
    Table { rows, selected, is_of_processes: false, sort }.draw(canvas, table, state, look);
    if below > 0 {
        let y = table.bottom();
        canvas.text(area.x, y, area.width, "LAST EVENTS", Tone::Heading);
        let lines = Rect { y: y + 1, height: below - 1, ..area };
        events::draw(canvas, lines, state, 0);
    }
}

fn footer(canvas: &mut Canvas<'_>, row: Rect, state: &State) {
    if state.filter_before.is_some() {
        let text = format!("/{}", shown(&state.filter));
        let taken = canvas.text(row.x, row.y, row.width, &text, Tone::Heading);
        canvas.select(Rect { x: row.x + taken, width: 1.min(row.width), ..row });
        return;
    }
    let keys: &[&str] = match state.page {
        Page::Personas => &[
            "? help",
            "Enter detail",
            "s sort",
            "/ filter",
            "t tree",
            "e events",
            "p pause",
            "q quit",
        ],
        Page::Detail(_) => &["? help", "t tree or by memory", "p pause", "q back"],
        Page::Events => &["? help", "Up Down scroll", "p pause", "q back"],
        Page::Help => &["q back"],
    };
    let mut pieces = Vec::new();
    if !state.filter.is_empty() && state.page == Page::Personas {
        pieces.push((format!("filter: {} (x clears)", shown(&state.filter)), Tone::Warning));
    }
    pieces.extend(keys.iter().map(|text| ((*text).to_owned(), Tone::Faint)));
    canvas.pieces(row, row.y, &pieces);
}

fn shown(filter: &str) -> String {
    crate::render::text::Escaped(filter.as_bytes()).to_string()
}

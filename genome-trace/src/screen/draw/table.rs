//! A table of personas or processes: the columns that fit, and the rows around
//! the selected one.

use ratatui_core::layout::Rect;

use super::{
    canvas::{Canvas, Tone},
    sparkline::sparkline,
};
use crate::{
    model::{Metric, Persona},
    screen::{
        column::{Column, Row, fitting},
        look::Look,
        state::State,
    },
};

/// Columns between two cells.
const BETWEEN: u16 = 2;
/// Columns in front, for the mark of the selected row.
const MARK: u16 = 2;

/// A table, before it is laid out.
pub(super) struct Table<'a> {
    pub(super) rows: Vec<Row<'a>>,
    /// Which of them is selected.
    pub(super) selected: Option<usize>,
    /// Only what processes have.
    pub(super) is_of_processes: bool,
    /// What it is sorted by, and whether the other way round.
    pub(super) sort: Option<(Column, bool)>,
}

impl Table<'_> {
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>, area: Rect, state: &State, look: &Look) {
        let Some(height) = area.height.checked_sub(1) else { return };
        let columns = fitting(area.width.saturating_sub(MARK), BETWEEN, self.is_of_processes);
        self.heading(canvas, area, &columns);
        let skipped = first_row(self.rows.len(), self.selected, height.into());
        for (y, (index, row)) in
            (area.y + 1..area.bottom()).zip(self.rows.iter().enumerate().skip(skipped))
        {
            let mut x = area.x + MARK;
            for (column, width) in &columns {
                self.cell(canvas, (x, y, *width), (*column, *row), state, look);
                x = x.saturating_add(width + BETWEEN);
            }
            if self.selected == Some(index) {
                canvas.text(area.x, y, 1, ">", Tone::Heading);
                canvas.select(Rect::new(area.x, y, area.width, 1));
            }
        }
    }

    fn heading(&self, canvas: &mut Canvas<'_>, area: Rect, columns: &[(Column, u16)]) {
        let mut x = area.x + MARK;
        for (column, width) in columns {
            let title = match column {
                Column::Persona if self.is_of_processes => "PROCESS",
                column => column.title(),
            };
            let arrow =
                match self.sort {
                    // Figures fall and words rise, unless it is turned round.
                    Some((sort, is_reversed)) if sort == *column => {
                        if sort.is_word() == is_reversed { "▼" } else { "▲" }
                    }
                    _ => "",
                };
            if column.is_left() {
                let taken = canvas.text(x, area.y, *width, title, Tone::Heading);
                canvas.text(x.saturating_add(taken), area.y, 1, arrow, Tone::Heading);
            } else {
                let title = format!("{arrow}{title}");
                // The arrow may stand in the space before the column.
                canvas.text_right(x - 1, area.y, width + 1, &title, Tone::Heading);
            }
            x = x.saturating_add(width + BETWEEN);
        }
    }

    fn cell(
        &self,
        canvas: &mut Canvas<'_>,
        (x, y, width): (u16, u16, u16),
        (column, row): (Column, Row<'_>),
        state: &State,
        look: &Look,
    ) {
        if let (Column::RssHistory, Row::Persona(usage)) = (column, row) {
            let line = history(state, &usage.persona, Metric::RssBytes, width);
            canvas.text(x, y, width, &line, Tone::Plain);
            return;
        }
        let text = column.cell(row, look.seen());
        let tone = match (column, row) {
            (_, Row::Process(..)) if !self.is_of_processes => Tone::Faint,
            (Column::Crashes, _) if !matches!(text.as_str(), "0" | "-" | "") => Tone::Warning,
            _ => Tone::Plain,
        };
        if column.is_left() {
            canvas.text(x, y, width, &text, tone);
        } else {
            canvas.text_right(x, y, width, &text, tone);
        }
    }
}

/// The last figures that fit, the newest on the right.
pub(super) fn history(state: &State, who: &Persona, metric: Metric, width: u16) -> String {
    let line = sparkline(&state.history.last(who, metric, width.into()));
    format!("{line:>width$}", width = usize::from(width))
}

/// The first row that is shown, so that the selected one is in the middle as
/// far as the ends allow.
fn first_row(rows: usize, selected: Option<usize>, height: usize) -> usize {
    let last = rows.saturating_sub(height);
    selected.unwrap_or(0).saturating_sub(height / 2).min(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_row_is_in_view() {
        for rows in 0..30 {
            for selected in 0..rows {
                for height in 1..12 {
                    let first = first_row(rows, Some(selected), height);
                    assert!((first..first + height).contains(&selected));
                }
            }
        }
    }
}

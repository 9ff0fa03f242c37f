//! A table as lines of text: within the columns that there are, or on a pipe
//! with everything.

use super::column::{Column, Row, fitting};
use crate::{
    model::Sighting,
    render::text::{columns, cut},
};

/// Columns between two cells.
const BETWEEN: usize = 2;

/// The heading, then a line for each row. Where there is a width, the least
/// important columns are left out ([`fitting`]).
pub(crate) fn lines(
    rows: &[Row<'_>],
    seen: Sighting<'_>,
    width: Option<usize>,
    is_of_processes: bool,
) -> Vec<String> {
    let chosen: Vec<(Column, Option<u16>)> = match width {
        None => Column::ALL
            .into_iter()
            .filter(|column| column.is_of_processes() || !is_of_processes)
            .map(|column| (column, None))
            .collect(),
        Some(width) => {
            let room = u16::try_from(width).unwrap_or(u16::MAX);
            let fitting = fitting(room, BETWEEN as u16, is_of_processes);
            fitting.into_iter().map(|(column, width)| (column, Some(width))).collect()
        }
    };
    // A report is of one look, and has no line of the last ones.
    let chosen: Vec<_> = chosen.into_iter().filter(|(column, _)| column.is_sortable()).collect();
    let title = |column: Column| match column {
        Column::Persona if is_of_processes => "PROCESS",
        column => column.title(),
    };
    let mut table: Vec<Vec<String>> =
        vec![chosen.iter().map(|(column, _)| title(*column).to_owned()).collect()];
    table.extend(rows.iter().map(|row| {
        let cells = chosen.iter().map(|(column, limit)| {
            let cell = column.cell(*row, seen);
            match limit {
                Some(limit) if column.is_left() => cut(&cell, (*limit).into()).into_owned(),
                _ => cell,
            }
        });
        cells.collect()
    }));
    let widths: Vec<usize> = (0..chosen.len())
        .map(|at| table.iter().filter_map(|row| row.get(at)).map(|cell| columns(cell)).max())
        .map(Option::unwrap_or_default)
        .collect();
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for ((cell, (column, _)), width) in row.iter().zip(&chosen).zip(&widths) {
            let space = " ".repeat(width.saturating_sub(columns(cell)));
            line.push_str(&if column.is_left() {
                format!("{cell}{space}")
            } else {
                format!("{space}{cell}")
            });
            line.push_str(&" ".repeat(BETWEEN));
        }
        line.trim_end().to_owned()
    };
    table.iter().map(line).collect()
}

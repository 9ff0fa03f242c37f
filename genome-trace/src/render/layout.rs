//! Text in the columns that there are: facts that are broken between lines,
//! and tables whose long cells are cut.

use std::io::{self, Write};

use anstyle::Style;

use crate::render::text::{columns, cut};

/// Columns for facts and sentences where there is no terminal.
const COLUMNS: usize = 100;
/// Fewer are not laid out for, however narrow the terminal.
const COLUMNS_MIN: usize = 24;
/// Columns in front of facts: their indent, their label and the space behind.
const LABEL_COLUMNS: usize = 10;

/// Text and how it looks.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) style: Style,
}

impl From<String> for Piece {
    fn from(text: String) -> Self {
        Self { text, style: Style::new() }
    }
}

/// Where text goes, and how much room there is.
pub(super) struct Page<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) color: bool,
    /// Columns of the terminal; `None` cuts no table.
    pub(super) width: Option<usize>,
}

impl Page<'_> {
    /// One line, cut where it is too long.
    pub(super) fn line(&mut self, text: &str, style: Style) -> io::Result<()> {
        let text = self.width.map_or(text.into(), |width| cut(text, width.max(COLUMNS_MIN)));
        let style = self.shown(style);
        writeln!(self.out, "{style}{text}{style:#}")
    }

    /// A heading, with an empty line above.
    pub(super) fn heading(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out)?;
        self.line(text, Style::new().bold())
    }

    /// A label and its facts, as many on a line as fit.
    pub(super) fn facts(&mut self, label: &str, facts: Vec<Piece>) -> io::Result<()> {
        let last = facts.len().saturating_sub(1);
        let pieces = facts.into_iter().enumerate().map(|(index, mut fact)| {
            fact.text.push_str(if index == last { "" } else { "," });
            fact
        });
        let label = format!("  {label:<width$}", width = LABEL_COLUMNS - 2);
        self.flow(&label, LABEL_COLUMNS, pieces)
    }

    /// A label and a sentence, broken between words.
    pub(super) fn labelled(&mut self, label: &str, text: &str) -> io::Result<()> {
        let words = text.split(' ').map(|word| Piece::from(word.to_owned()));
        let label = format!("  {label:<width$}", width = LABEL_COLUMNS - 2);
        self.flow(&label, LABEL_COLUMNS, words)
    }

    /// A sentence, broken between words.
    pub(super) fn sentence(&mut self, text: &str, indent: usize) -> io::Result<()> {
        let words = text.split(' ').map(|word| Piece::from(word.to_owned()));
        self.flow(&" ".repeat(indent), indent, words)
    }

    /// Pieces with a space between them, that are not broken themselves.
    fn flow(
        &mut self,
        start: &str,
        indent: usize,
        pieces: impl Iterator<Item = Piece>,
    ) -> io::Result<()> {
        let width = self.width.unwrap_or(COLUMNS).max(COLUMNS_MIN);
        write!(self.out, "{start}")?;
        let mut used = indent;
        for piece in pieces {
            let text = cut(&piece.text, width - indent);
            let taken = columns(&text);
            if used > indent && used + 1 + taken > width {
                write!(self.out, "\n{:indent$}", "")?;
                used = indent;
            } else if used > indent {
                write!(self.out, " ")?;
                used += 1;
            }
            let style = self.shown(piece.style);
            write!(self.out, "{style}{text}{style:#}")?;
            used += taken;
        }
        writeln!(self.out)
    }

    /// A table with a heading. Columns are as wide as their widest cell, but no
    /// wider than their limit where the terminal is; what reaches beyond the
    /// terminal is cut.
    pub(super) fn table<const N: usize>(
        &mut self,
        columns_of: [Column; N],
        rows: &[[String; N]],
    ) -> io::Result<()> {
        let is_cut = self.width.is_some();
        let limits = columns_of.map(|column| if is_cut { column.limit } else { usize::MAX });
        let heading = columns_of.map(|column| column.name.to_owned());
        let all = || std::iter::once(&heading).chain(rows);
        let mut widths = limits;
        for (index, width) in widths.iter_mut().enumerate() {
            let widest = all().filter_map(|row| row.get(index)).map(|cell| columns(cell)).max();
            *width = widest.unwrap_or(0).min(*width);
        }
        for (index, row) in all().enumerate() {
            let mut line = String::new();
            for ((cell, column), width) in row.iter().zip(columns_of).zip(widths) {
                let cell = cut(cell, width);
                let space = " ".repeat(width.saturating_sub(columns(&cell)));
                line.push_str(&match column.align {
                    Align::Left => format!("{cell}{space}  "),
                    Align::Right => format!("{space}{cell}  "),
                });
            }
            let style = if index == 0 { Style::new().bold() } else { Style::new() };
            self.line(line.trim_end(), style)?;
        }
        Ok(())
    }

    /// Whether nothing of a table that is not cut is left out.
    pub(super) fn fits<const N: usize>(
        &self,
        columns_of: [Column; N],
        rows: &[[String; N]],
    ) -> bool {
        let widest = columns_of.iter().enumerate().map(|(index, column)| {
            let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| columns(cell));
            cells.chain([columns(column.name)]).max().unwrap_or(0)
        });
        let all = widest.sum::<usize>() + 2 * N.saturating_sub(1);
        self.width.is_none_or(|width| all <= width.max(COLUMNS_MIN))
    }

    const fn shown(&self, style: Style) -> Style {
        if self.color { style } else { Style::new() }
    }
}

/// On which side of its column a cell stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Align {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    name: &'static str,
    align: Align,
    limit: usize,
}

/// A column of words, that are cut beyond the limit.
pub(super) const fn words(name: &'static str, limit: usize) -> Column {
    Column { name, align: Align::Left, limit }
}

/// A column of figures, that are not cut.
pub(super) const fn figures(name: &'static str) -> Column {
    Column { name, align: Align::Right, limit: usize::MAX }
}

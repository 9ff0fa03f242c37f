//! A chart: figures on the left, the line, and times below.

use jiff::tz::TimeZone;

use super::{
    Glyphs,
    axis::{self, Tick},
    braille::Canvas,
    columns,
    scale::Scale,
    spread,
};
use crate::{
    model::{Point, Series, Unit},
    render::{Figure, text},
};

/// Rows of a chart's line, where nothing else is wanted.
pub const HEIGHT: usize = 7;

/// Narrower is not drawn for, and wider shows no more.
const WIDTHS: (usize, usize) = (40, 250);

/// How a series is drawn.
#[derive(Clone, Debug)]
pub struct Chart<'a> {
    /// What.
    pub series: &'a Series,
    /// Columns of all of it, from 40 to 250.
    pub width: usize,
    /// Rows of the line; the axis of time takes two more.
    pub height: usize,
    /// With what.
    pub glyphs: Glyphs,
    /// Shade the room between the lowest and the highest of each step. Columns
    /// of ASCII have none.
    pub band: bool,
    /// Where times are local.
    pub zone: &'a TimeZone,
}

impl Chart<'_> {
    /// The lines, without newlines; no space stands at their ends.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let height = self.height.clamp(2, 100);
        let unit = self.series.metric.unit();
        let (scale, labels) = self.scale(unit);
        let label_width = labels.iter().map(|label| text::columns(label)).max().unwrap_or(0);
        let width = self.width.clamp(WIDTHS.0, WIDTHS.1).saturating_sub(label_width + 2);
        let rows = match self.glyphs {
            Glyphs::Unicode => self.braille(scale, width, height),
            Glyphs::Ascii => {
                let points = spread(&self.series.points, width);
                let part = |point: &Option<Point>| point.map(|point| scale.place(point.average));
                columns::rows(&points.iter().map(part).collect::<Vec<_>>(), height)
            }
        };
        let (wall, corner, floor, mark) = match self.glyphs {
            Glyphs::Unicode => ('┤', '└', '─', '┬'),
            Glyphs::Ascii => ('|', '+', '-', '+'),
        };
        let [high, middle, low] = labels;
        let mut lines = Vec::with_capacity(height + 2);
        for (index, row) in rows.into_iter().enumerate() {
            let label = match index {
                0 => high.as_str(),
                of if of + 1 == height => low.as_str(),
                // An even number of rows has no middle one, and tells none.
                of if of == height / 2 && height % 2 == 1 => middle.as_str(),
                _ => "",
            };
            let space = " ".repeat(label_width.saturating_sub(text::columns(label)));
            lines.push(format!("{space}{label} {wall}{row}").trim_end().to_owned());
        }
        let ticks = axis::ticks(self.series.range, width, self.zone);
        let is_marked = |column| ticks.iter().any(|tick| tick.column == column);
        let floor: String =
            (0..width).map(|column| if is_marked(column) { mark } else { floor }).collect();
        let indent = " ".repeat(label_width + 1);
        lines.push(format!("{indent}{corner}{floor}"));
        lines.push(format!("{indent} {}", under(&ticks, width)).trim_end().to_owned());
        lines
    }

    /// The scale, with what stands at its top, its middle and its foot. Where
    /// those would read alike it begins at 0.
    fn scale(&self, unit: Unit) -> (Scale, [String; 3]) {
        let figure = |value| Figure { value, unit }.to_string();
        let labels = |of: Scale| [figure(of.high), figure(of.middle()), figure(of.low)];
        let scale = Scale::around(&self.series.points, unit, self.band);
        let told = labels(scale);
        let [high, middle, low] = &told;
        if high != middle && middle != low || scale.low <= 0.0 {
            return (scale, told);
        }
        let from_zero = scale.down_to_zero(unit);
        (from_zero, labels(from_zero))
    }

    fn braille(&self, scale: Scale, width: usize, height: usize) -> Vec<String> {
        let mut canvas = Canvas::new(width, height);
        let highest = (height * 4 - 1) as f64;
        let dot = |value: f64| (scale.place(value) * highest).round() as usize;
        let mut before = None;
        for (x, point) in spread(&self.series.points, width * 2).into_iter().enumerate() {
            let Some(point) = point else {
                before = None;
                continue;
            };
            let y = dot(point.average);
            // The dots between two neighbours belong to the line.
            let from = before.map_or(y, |before: usize| match before.cmp(&y) {
                std::cmp::Ordering::Less => before + 1,
                std::cmp::Ordering::Equal => y,
                std::cmp::Ordering::Greater => before - 1,
            });
            (from.min(y)..=from.max(y)).for_each(|y| canvas.set(x, y));
            if self.band {
                let shade = dot(point.min)..=dot(point.max);
                shade.filter(|y| (x + y) % 2 == 0 && x % 2 == 0).for_each(|y| canvas.set(x, y));
            }
            before = Some(y);
        }
        canvas.rows()
    }
}

/// Labels, each in the middle below its mark as far as there is room; one that
/// would touch the one before it is left out.
fn under(ticks: &[Tick], width: usize) -> String {
    let mut line = String::new();
    for Tick { column, label } in ticks {
        let len = label.len();
        let at = column.saturating_sub(len / 2).min(width.saturating_sub(len));
        let used = line.len();
        if used == 0 || at > used {
            line.push_str(&" ".repeat(at.saturating_sub(used)));
            line.push_str(label);
        }
    }
    line
}

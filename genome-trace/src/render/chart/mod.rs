//! Charts of figures over time, in text: a line for people's terminals, with
//! labelled axes, and a sparkline of one row. A gap is drawn as a gap.

mod axis;
mod braille;
mod columns;
mod glyphs;
mod line;
mod scale;
mod sparkline;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;

pub use glyphs::Glyphs;
pub use line::{Chart, HEIGHT};
pub use sparkline::sparkline;

use crate::model::Point;

/// The points that lie in each of `width` columns, put together; where there
/// are fewer points than columns, each has several.
fn spread(points: &[Option<Point>], width: usize) -> Vec<Option<Point>> {
    (0..width)
        .map(|column| {
            let from = column * points.len() / width;
            let until = ((column + 1) * points.len()).div_ceil(width);
            // Whole points alone, so that none is drawn twice where they are many.
            let until = if points.len() >= width {
                (column + 1) * points.len() / width
            } else {
                until.min(from + 1)
            };
            let inside = points.get(from..until).unwrap_or_default();
            inside.iter().flatten().copied().reduce(together)
        })
        .collect()
}

fn together(a: Point, b: Point) -> Point {
    let count = a.count + b.count;
    let weight = if count == 0 { 0.5 } else { b.count as f64 / count as f64 };
    Point {
        count,
        min: a.min.min(b.min),
        average: a.average + (b.average - a.average) * weight,
        max: a.max.max(b.max),
    }
}

//! How a figure went, in one row.

use super::{Glyphs, scale::Scale, spread};
use crate::model::{Point, Unit};

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];

/// One character for each of `width` columns, from the lowest figure or 0 to
/// the highest; a space where nothing was measured.
#[must_use]
pub fn sparkline(points: &[Option<Point>], unit: Unit, width: usize, glyphs: Glyphs) -> String {
    let steps = match glyphs {
        Glyphs::Unicode => BLOCKS,
        Glyphs::Ascii => ASCII,
    };
    let points = spread(points, width);
    let scale = Scale::around(&points, unit, false);
    let glyph = |point: &Option<Point>| {
        let Some(point) = point else { return ' ' };
        let step = (scale.place(point.average) * 7.0).round() as usize;
        steps.get(step).copied().unwrap_or('?')
    };
    points.iter().map(glyph).collect()
}

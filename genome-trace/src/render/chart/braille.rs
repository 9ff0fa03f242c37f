//! A canvas of Braille patterns: two dots a column, four a row.

/// Dots of a pattern by column and row (Unicode, U+2800).
const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Dots that are set or not.
pub(super) struct Canvas {
    width: usize,
    height: usize,
    cells: Vec<u32>,
}

impl Canvas {
    /// One of so many columns and rows of characters.
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, height, cells: vec![0; width * height] }
    }

    /// Sets a dot; `x` from the left, `y` from the bottom.
    pub(super) fn set(&mut self, x: usize, y: usize) {
        let Some(from_top) = (self.height * 4).checked_sub(y + 1) else { return };
        let dot = DOTS.get(x % 2).and_then(|rows| rows.get(from_top % 4));
        if x / 2 < self.width
            && let Some(dot) = dot
            && let Some(cell) = self.cells.get_mut(from_top / 4 * self.width + x / 2)
        {
            *cell |= dot;
        }
    }

    /// The rows, the upper one first.
    pub(super) fn rows(&self) -> Vec<String> {
        let row = |cells: &[u32]| {
            let glyph = |cell: &u32| match cell {
                0 => ' ',
                dots => char::from_u32(0x2800 + dots).unwrap_or(' '),
            };
            cells.iter().map(glyph).collect()
        };
        self.cells.chunks(self.width.max(1)).map(row).collect()
    }
}

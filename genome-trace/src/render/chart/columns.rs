//! Columns of `#`, for terminals that have no more than ASCII.

/// The rows, the upper one first. A column is as high as its part of 1; one
/// without anything in it is a gap.
pub(super) fn rows(parts: &[Option<f64>], height: usize) -> Vec<String> {
    (0..height)
        .rev()
        .map(|row| {
            let glyph = |part: &Option<f64>| match part {
                None => ' ',
                Some(part) => match part * height as f64 - row as f64 {
                    full if full >= 0.75 => '#',
                    half if half >= 0.25 => '.',
                    // The lowest row shows that something was measured.
                    _ if row == 0 => '_',
                    _ => ' ',
                },
            };
            parts.iter().map(glyph).collect()
        })
        .collect()
}

//! How a figure went, in one row.

/// From next to nothing to the highest.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A block for each figure, by its share of the highest one; a gap is empty.
/// Nothing is as low as zero, so that it is no gap.
pub(super) fn sparkline(figures: &[Option<f64>]) -> String {
    let highest = figures.iter().flatten().copied().fold(0.0, f64::max);
    figures
        .iter()
        .map(|figure| match figure {
            None => ' ',
            Some(figure) => {
                let share = if highest > 0.0 { figure / highest } else { 0.0 };
                let index = (share * (BLOCKS.len() - 1) as f64).round() as usize;
                BLOCKS.get(index).copied().unwrap_or('█')
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_gaps_and_zero_is_none() {
        assert_eq!(sparkline(&[Some(0.0), None, Some(4.0), Some(8.0)]), "▁ ▅█");
        assert_eq!(sparkline(&[Some(0.0), Some(0.0)]), "▁▁");
        assert_eq!(sparkline(&[]), "");
    }
}

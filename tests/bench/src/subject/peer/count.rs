//! Counts lines of peers' output.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::Context as _;

use crate::account::Tally;

/// Where a peer's own account of its losses is not read, it has told of none.
pub(super) fn tally(kind: &str, truth: u64, seen: u64, told_lost: u64) -> Vec<Tally> {
    vec![Tally { kind: kind.to_owned(), truth, seen, told_lost }]
}

/// The sum of what each line of a file counts for.
pub(super) fn sum(path: &Path, mut counts: impl FnMut(&str) -> u64) -> anyhow::Result<u64> {
    let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
    let mut reader = BufReader::new(file);
    let (mut line, mut sum) = (Vec::new(), 0);
    while reader.read_until(b'\n', &mut line).with_context(|| format!("read {}", path.display()))?
        > 0
    {
        sum += counts(&String::from_utf8_lossy(&line));
        line.clear();
    }
    Ok(sum)
}

/// The number in a column of a line, counted from 0.
pub(super) fn column(line: &str, column: usize) -> Option<u64> {
    line.split_whitespace().nth(column)?.parse().ok()
}

/// Whether a line has one of the numbers in it, as a word of digits.
pub(in crate::subject) fn mentions(line: &str, numbers: &[u64]) -> bool {
    line.split(|c: char| !c.is_ascii_digit())
        .filter_map(|word| word.parse().ok())
        .any(|number: u64| numbers.contains(&number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_words() {
        let line = "true             4712   4711   0 /bin/true storm-0";
        assert_eq!(
            (column(line, 1), column(line, 2), column(line, 9)),
            (Some(4712), Some(4711), None)
        );
        assert!(mentions(" 0.123 ( 0.002 ms): genome-trace-wo/4711 write(fd: 3", &[4711]));
        assert!(!mentions("47110", &[4711]));
    }
}

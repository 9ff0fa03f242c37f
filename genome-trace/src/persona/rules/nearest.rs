//! What somebody may have meant who misspelt a key.

/// The key that is spelt most like this one; `None` where none is close.
pub(super) fn nearest<'k>(written: &str, keys: &[&'k str]) -> Option<&'k str> {
    let written = written.to_lowercase();
    // A longer one is no misspelling, and the work grows with its length.
    if written.len() > 32 {
        return None;
    }
    keys.iter()
        .map(|key| (distance(&written, key), *key))
        .filter(|(distance, key)| *distance <= 2 && *distance < key.chars().count().div_ceil(2))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, key)| key)
}

/// How many characters to add, leave out or change (Levenshtein's distance).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (line, of_a) in a.chars().enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        let mut next = vec![left];
        for (of_b, above) in b.chars().zip(row.iter().skip(1)) {
            let change = diagonal + usize::from(of_a != of_b);
            diagonal = *above;
            left = change.min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn distances() {
        for (a, b, expected) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("exe", "exec", 1)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn only_what_is_close_is_suggested() {
        let keys = ["name", "genome_id", "exe", "argv", "uid", "container"];
        assert_eq!(nearest("genome-id", &keys), Some("genome_id"));
        assert_eq!(nearest("Exe", &keys), Some("exe"));
        assert_eq!(nearest("args", &keys), Some("argv"));
        assert_eq!(nearest("containers", &keys), Some("container"));
        assert_eq!(nearest("user", &keys), None);
        assert_eq!(nearest("", &keys), None);
        assert_eq!(nearest(&"x".repeat(100_000), &keys), None);
    }
}

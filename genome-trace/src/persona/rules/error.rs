//! What is wrong in a rule file, and in which line and column.

use std::fmt;

/// What is wrong in a rule file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The file, as it was named.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong and what would be right, in one sentence.
    pub message: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, message } = self;
        write!(f, "{file}:{line}:{column}: {message}")
    }
}

impl std::error::Error for RuleError {}

/// The errors of one file, while it is read.
pub(super) struct Problems<'t> {
    file: &'t str,
    text: &'t str,
    /// Byte in the text, and message.
    found: Vec<(usize, String)>,
}

impl<'t> Problems<'t> {
    pub(super) const fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, found: Vec::new() }
    }

    pub(super) fn add(&mut self, at: usize, message: impl Into<String>) {
        self.found.push((at, message.into()));
    }

    /// Line of a byte of the text, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        position(self.text, at).0
    }

    /// In the order of the file.
    pub(super) fn into_errors(mut self) -> Vec<RuleError> {
        self.found.sort_by_key(|(at, _)| *at);
        self.found
            .into_iter()
            .map(|(at, message)| {
                let (line, column) = position(self.text, at);
                RuleError { file: self.file.to_owned(), line, column, message: one_line(&message) }
            })
            .collect()
    }
}

/// Line and column of a byte, both from 1, the column in characters.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let begin = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let of_line = before.get(begin..).unwrap_or_default();
    (line, 1 + String::from_utf8_lossy(of_line).chars().count())
}

/// Messages quote the file, which may hold anything; they are shown as lines
/// on a terminal.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::{one_line, position};

    #[test]
    fn columns_are_counted_in_characters() {
        let text = "é = 1\n  ünï = 'x'\n";
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, text.find('=').unwrap()), (1, 3));
        assert_eq!(position(text, text.find('\'').unwrap()), (2, 9));
        assert_eq!(position(text, text.len()), (3, 1));
        assert_eq!(position(text, 1_000), (3, 1));
        assert_eq!(position("", 0), (1, 1));
    }

    #[test]
    fn control_characters_stay_in_the_line() {
        assert_eq!(one_line("a\nb\u{1b}[31mé"), "a\\nb\\u{1b}[31mé");
    }
}

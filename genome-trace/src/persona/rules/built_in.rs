//! Rules for AI workers that are recognised without being told.

use std::sync::LazyLock;

use super::file::{Origin, read};
use super::rule::Rule;

const TEXT: &str = include_str!("built_in.toml");

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    // A test reads the text; here there would be nobody to tell an error to.
    read("built_in.toml", TEXT, &Origin::BuiltIn).map(|file| file.rules).unwrap_or_default()
});

/// The built-in rules. They are read once: reloading the files of the user
/// leaves them alone.
pub(super) fn rules() -> &'static [Rule] {
    &RULES
}

#[cfg(test)]
#[path = "built_in_tests.rs"]
mod tests;

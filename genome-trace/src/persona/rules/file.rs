//! Rule files: TOML, read so that all that is wrong is told at once.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::error::{Problems, RuleError};
use super::nearest::nearest;
use super::read_rule::read_rule;
use super::rule::Rule;
use super::trust::{self, Trust};

/// The rules of one file.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// Who may say by its environment whose it is; `None` where the file says
    /// nothing about it.
    pub(super) trust: Option<Vec<Trust>>,
    pub(super) rules: Vec<Rule>,
}

/// Where rules come from.
pub(super) enum Origin {
    /// The file, as it was named.
    File(Arc<str>),
    /// genome-trace itself: only these rules have labels.
    BuiltIn,
}

impl RuleFile {
    /// Reads the text of a file.
    ///
    /// # Errors
    /// Everything that is wrong in it, in the order of the file.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<RuleError>> {
        read(file, text, &Origin::File(file.into()))
    }

    /// Its rules, in the order in which they are tried.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }
}

pub(super) fn read(file: &str, text: &str, origin: &Origin) -> Result<RuleFile, Vec<RuleError>> {
    let mut problems = Problems::new(file, text);
    let mut read = RuleFile { trust: None, rules: Vec::new() };
    let (document, syntax_errors) = DeTable::parse_recoverable(text);
    for error in &syntax_errors {
        let message = error.message();
        let message = message.strip_suffix(", expected nothing").unwrap_or(message);
        problems.add(error.span().map_or(0, |span| span.start), format!("not TOML: {message}"));
    }
    // What is left of a broken document may say what nobody wrote.
    if syntax_errors.is_empty() {
        for (key, value) in in_order(document.get_ref()) {
            match key.get_ref().as_ref() {
                "trust_env" => read.trust = Some(trust::read(value, &mut problems)),
                "persona" => read.rules = read_rules(value, origin, &mut problems),
                _ => unknown_key(key, "a rule file", &["trust_env", "persona"], &mut problems),
            }
        }
    }
    let errors = problems.into_errors();
    if errors.is_empty() { Ok(read) } else { Err(errors) }
}

fn read_rules(
    value: &Spanned<DeValue<'_>>,
    origin: &Origin,
    problems: &mut Problems<'_>,
) -> Vec<Rule> {
    const RIGHT: &str = "write `[[persona]]`, in double brackets, above each rule";
    let DeValue::Array(items) = value.get_ref() else {
        problems.add(value.span().start, format!("`persona` must be a list: {RIGHT}"));
        return Vec::new();
    };
    let mut rules = Vec::new();
    for item in items {
        let at = item.span().start;
        match item.get_ref() {
            DeValue::Table(table) => rules.extend(read_rule(table, at, origin, problems)),
            other => problems.add(at, format!("a rule cannot be {}: {RIGHT}", a_type(other))),
        }
    }
    rules
}

/// What a table holds, in the order of the file: toml sorts by key.
pub(super) fn in_order<'t, 'i>(
    table: &'t DeTable<'i>,
) -> Vec<(&'t Spanned<DeString<'i>>, &'t Spanned<DeValue<'i>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

/// Complains about a key that nobody asked for.
pub(super) fn unknown_key(
    key: &Spanned<DeString<'_>>,
    of_what: &str,
    keys: &[&str],
    problems: &mut Problems<'_>,
) {
    let written = key.get_ref();
    let message = match nearest(written, keys) {
        Some(meant) => format!("unknown key `{written}`: did you mean `{meant}`? The"),
        None => format!("unknown key `{written}`: the"),
    };
    let keys = keys.join(", ");
    problems.add(key.span().start, format!("{message} keys of {of_what} are {keys}"));
}

/// The type of a value, with its article.
pub(super) const fn a_type(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

//! Conditions: what a rule asks of one fact.

use std::fmt;

use regex::{Regex, RegexBuilder};

use super::error::one_line;
use super::values::Values;

/// What named groups took, in the order of the conditions.
pub(super) type Captured<'a> = Vec<(&'a str, &'a str)>;

/// A fact that is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Exe,
    Argv,
    Comm,
    Cgroup,
    Unit,
    Container,
    Cwd,
}

impl Field {
    const ALL: [Self; 7] =
        [Self::Exe, Self::Argv, Self::Comm, Self::Cgroup, Self::Unit, Self::Container, Self::Cwd];

    /// The field that a key of a rule asks about.
    pub(super) fn named(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.key() == key)
    }

    const fn key(self) -> &'static str {
        match self {
            Self::Exe => "exe",
            Self::Argv => "argv",
            Self::Comm => "comm",
            Self::Cgroup => "cgroup",
            Self::Unit => "unit",
            Self::Container => "container",
            Self::Cwd => "cwd",
        }
    }

    fn of<'v>(self, values: &'v Values<'_>) -> Option<&'v str> {
        match self {
            Self::Exe => values.exe.as_deref(),
            Self::Argv => values.argv,
            Self::Comm => values.comm.as_deref(),
            Self::Cgroup => values.cgroup.as_deref(),
            Self::Unit => values.unit(),
            Self::Container => values.container(),
            Self::Cwd => values.cwd.as_deref(),
        }
    }
}

/// What a rule asks of one fact.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    Text { field: Field, pattern: Box<str>, regex: Regex },
    Uid(Box<[u32]>),
}

impl Condition {
    /// A condition on text. The error says in one line what is wrong with the
    /// regular expression.
    pub(super) fn on_text(field: Field, pattern: &str) -> Result<Self, String> {
        let regex = if field == Field::Argv { compile(pattern) } else { compile_whole(pattern) };
        Ok(Self::Text { field, pattern: pattern.into(), regex: regex? })
    }

    /// The named groups.
    pub(super) fn groups(&self) -> impl Iterator<Item = &str> {
        let regex = match self {
            Self::Text { regex, .. } => Some(regex),
            Self::Uid(_) => None,
        };
        regex.into_iter().flat_map(|regex| regex.capture_names().flatten())
    }

    pub(super) fn needs_cwd(&self) -> bool {
        matches!(self, Self::Text { field: Field::Cwd, .. })
    }

    /// Whether it holds; what is unknown holds nothing. Adds what its named
    /// groups took: a group that took no part took nothing.
    pub(super) fn holds<'a>(&'a self, values: &'a Values<'_>, captured: &mut Captured<'a>) -> bool {
        let (field, regex) = match self {
            Self::Uid(uids) => return values.uid.is_some_and(|uid| uids.contains(&uid)),
            Self::Text { field, regex, .. } => (field, regex),
        };
        let Some(value) = field.of(values) else { return false };
        // Without a match, no room for groups is needed.
        if !regex.is_match(value) {
            return false;
        }
        if self.groups().next().is_none() {
            return true;
        }
        let Some(found) = regex.captures(value) else { return false };
        captured.extend(
            self.groups().map(|group| (group, found.name(group).map_or("", |part| part.as_str()))),
        );
        true
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { field, pattern, .. } => {
                write!(f, "{} = '{}'", field.key(), one_line(pattern))
            }
            Self::Uid(uids) => match uids.as_ref() {
                [uid] => write!(f, "uid = {uid}"),
                uids => write!(f, "uid = {uids:?}"),
            },
        }
    }
}

/// The values are no lines: a newline in one is a character like any other.
fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern).dot_matches_new_line(true).build().map_err(|error| reason(&error))
}

fn compile_whole(pattern: &str) -> Result<Regex, String> {
    // By itself first: `a)|(b` would be fine between the parentheses below.
    compile(pattern)?;
    // The newline ends a comment that the pattern ends in, in verbose mode;
    // out of verbose mode it would be part of the pattern.
    compile(&format!(r"\A(?:{pattern})\z")).or_else(|_| compile(&format!("\\A(?:{pattern}\n)\\z")))
}

/// regex draws its errors over several lines; the last one says what is wrong.
fn reason(error: &regex::Error) -> String {
    let drawn = error.to_string();
    let last = drawn.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persona::Facts;

    fn exe_matches(pattern: &str, exe: &[u8]) -> bool {
        let facts = Facts { exe: Some(exe.into()), ..Facts::default() };
        let condition = Condition::on_text(Field::Exe, pattern).unwrap();
        condition.holds(&Values::of(&facts, &mut String::new()), &mut Captured::new())
    }

    #[test]
    fn all_but_argv_match_as_a_whole() {
        assert!(exe_matches("/bin/a|/bin/b", b"/bin/b"));
        assert!(!exe_matches("/bin/a|/bin/b", b"/bin/bc"));
        assert!(!exe_matches("python", b"/usr/bin/python"));
        assert!(exe_matches("/srv/.*", b"/srv/\xff\nx"));
        assert!(exe_matches("(?x) /bin/ # folder\n a # name", b"/bin/a"));
        assert!(!exe_matches("(?x) /bin/a # name", b"/bin/ab"));
        assert!(!exe_matches("(?m)^a$", b"a\nb"));
    }

    #[test]
    fn argv_is_searched() {
        let facts = Facts { argv: Some(b"x\0--lora\0a3\0".as_slice().into()), ..Facts::default() };
        let condition = Condition::on_text(Field::Argv, r"--lora (?<id>\S+)(?<no>!)?").unwrap();
        let mut room = String::new();
        let values = Values::of(&facts, &mut room);
        let mut captured = Captured::new();
        assert!(condition.holds(&values, &mut captured));
        assert_eq!(captured, [("id", "a3"), ("no", "")]);
    }

    #[test]
    fn reasons_are_one_line() {
        let reason = |pattern| Condition::on_text(Field::Exe, pattern).unwrap_err();
        assert_eq!(reason("(a"), "unclosed group");
        assert_eq!(reason("a)|(b"), "unopened group");
        assert_eq!(
            reason("a{1000}{1000}{1000}"),
            "Compiled regex exceeds size limit of 10485760 bytes"
        );
    }
}

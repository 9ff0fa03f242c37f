//! Names with places for what the groups of a rule's conditions take.

use std::borrow::Cow;

use super::condition::Captured;

/// More of a name or id than anybody reads.
const LONGEST: usize = 128;

/// A name or id of a rule.
#[derive(Clone, Debug)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Group(String),
}

impl Template {
    /// The error says what is wrong and what would be right.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            parts.push(Part::Text(before.to_owned()));
            if let Some(after) = after.strip_prefix('$') {
                parts.push(Part::Text("$".to_owned()));
                rest = after;
                continue;
            }
            let (group, after) = reference(after)?;
            if group.starts_with(|c: char| c.is_ascii_digit()) {
                return Err(format!(
                    "`${group}` is a number: groups must be named, as in `(?<group>...)` and \
                     `${{group}}`"
                ));
            }
            parts.push(Part::Group(group.to_owned()));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Ok(Self(parts))
    }

    /// The groups that it takes.
    pub(super) fn groups(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Group(group) => Some(group.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The name or id; `None` where it comes out empty.
    pub(super) fn fill(&self, captured: &Captured<'_>) -> Option<Cow<'_, str>> {
        if let [Part::Text(text)] = self.0.as_slice() {
            return clean(Cow::Borrowed(text));
        }
        let mut filled = String::new();
        for part in &self.0 {
            filled.push_str(match part {
                Part::Text(text) => text,
                Part::Group(group) => {
                    captured.iter().find(|(name, _)| name == group).map_or("", |(_, taken)| taken)
                }
            });
        }
        clean(Cow::Owned(filled))
    }
}

/// What stands behind a dollar sign: the group, and what follows it.
fn reference(after: &str) -> Result<(&str, &str), String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    if let Some(braced) = after.strip_prefix('{') {
        return match braced.split_once('}') {
            Some(("", _)) => Err("`${}` names no group: write `${group}`".to_owned()),
            Some(found) => Ok(found),
            None => Err("`${` is not closed: write `${group}`".to_owned()),
        };
    }
    let end = after.find(|c| !is_part(c)).unwrap_or(after.len());
    match after.split_at_checked(end) {
        Some((group, rest)) if !group.is_empty() => Ok((group, rest)),
        _ => Err("`$` begins no group: write `${group}`, or `$$` for a dollar sign".to_owned()),
    }
}

/// A name or id without white space around it and not overly long; `None`
/// where nothing is left.
pub(super) fn clean(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    match text {
        Cow::Borrowed(text) => cleaned(text).map(Cow::Borrowed),
        Cow::Owned(text) => cleaned(&text).map(|kept| Cow::Owned(kept.to_owned())),
    }
}

fn cleaned(text: &str) -> Option<&str> {
    let trimmed = text.trim();
    let end = trimmed.char_indices().nth(LONGEST).map_or(trimmed.len(), |(at, _)| at);
    trimmed.get(..end).filter(|kept| !kept.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str) -> Option<String> {
        let captured = vec![("a", "x y"), ("b_1", "z"), ("none", "")];
        Template::parse(template).unwrap().fill(&captured).map(Cow::into_owned)
    }

    fn clean(text: &str) -> Option<String> {
        super::clean(text.into()).map(Cow::into_owned)
    }

    #[test]
    fn groups_are_filled_in() {
        assert_eq!(filled("plain").unwrap(), "plain");
        assert_eq!(filled("n-${a}-$b_1.$$1").unwrap(), "n-x y-z.$1");
        assert_eq!(filled("${a}${b_1}$$").unwrap(), "x yz$");
        assert_eq!(filled(" ${none} $none"), None);
        assert_eq!(filled("$$$a").unwrap(), "$x y");
        assert_eq!(Template::parse("$a${b}c").unwrap().groups().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn what_is_no_reference_is_an_error() {
        let error = |template| Template::parse(template).unwrap_err();
        assert!(error("$1").contains("must be named"));
        assert!(error("${12}").contains("must be named"));
        assert!(error("a$").contains("`$$` for a dollar sign"));
        assert!(error("$ a").contains("`$$` for a dollar sign"));
        assert!(error("${a").contains("not closed"));
        assert!(error("${}").contains("names no group"));
    }

    #[test]
    fn names_are_trimmed_and_cut() {
        assert_eq!(clean(" a b\n").unwrap(), "a b");
        assert_eq!(clean("\t \n"), None);
        assert_eq!(clean(&"é".repeat(200)).unwrap(), "é".repeat(128));
    }
}

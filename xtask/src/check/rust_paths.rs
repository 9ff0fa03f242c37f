//! Finds the paths in Rust source that begin at the crate's root.

use super::rust_tokens::{Token, tokens};

/// A path into the crate's root, or into genome-trace-common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RootPath {
    /// Line in the file, from 1.
    pub(crate) line: usize,
    /// What stands right below the root; `genome_trace_common` for that crate.
    pub(crate) head: String,
}

/// The record definitions' crate, as imports name it.
pub(crate) const COMMON: &str = "genome_trace_common";
/// Our own crate, as its binary names it.
const OURSELVES: &str = "genome_trace";

/// All such paths of a file that is module `module` (`["source", "ring"]`).
pub(crate) fn root_paths(source: &str, module: &[&str]) -> Vec<RootPath> {
    let tokens = tokens(source);
    let mut paths = Vec::new();
    let mut depth = module.len();
    let mut braces = 0_usize;
    // Brace level of every inline module that we are in.
    let mut inline = Vec::new();
    let mut rest = tokens.as_slice();
    while let Some((token, after)) = rest.split_first() {
        match token.text.as_str() {
            "mod" if text(after, 1) == Some("{") => {
                inline.push(braces);
                depth += 1;
            }
            "{" => braces += 1,
            "}" => {
                braces = braces.saturating_sub(1);
                if inline.last() == Some(&braces) {
                    inline.pop();
                    depth = depth.saturating_sub(1);
                }
            }
            "crate" | OURSELVES => heads(after, &mut paths),
            COMMON => paths.push(RootPath { line: token.line, head: COMMON.to_owned() }),
            "super" => {
                let (supers, after_supers) = count_supers(after);
                if supers == depth {
                    heads(after_supers, &mut paths);
                }
                rest = after_supers;
                continue;
            }
            _ => {}
        }
        rest = after;
    }
    paths
}

/// Length of a chain that begins with one `super`, and what follows it.
fn count_supers(mut after: &[Token]) -> (usize, &[Token]) {
    let mut count = 1;
    while text(after, 0) == Some("::") && text(after, 1) == Some("super") {
        count += 1;
        after = after.get(2..).unwrap_or_default();
    }
    (count, after)
}

/// The names after `crate`: one, or those of a group.
fn heads(after: &[Token], paths: &mut Vec<RootPath>) {
    if text(after, 0) != Some("::") {
        return;
    }
    let after = after.get(1..).unwrap_or_default();
    if text(after, 0) != Some("{") {
        paths.extend(after.first().and_then(RootPath::at));
        return;
    }
    let mut level = 0_usize;
    let mut begins = true;
    for token in after {
        match token.text.as_str() {
            "{" => level += 1,
            "}" => level = level.saturating_sub(1),
            "," => {}
            _ if level == 1 && begins => paths.extend(RootPath::at(token)),
            _ => {}
        }
        if level == 0 {
            return;
        }
        begins = level == 1 && matches!(token.text.as_str(), "{" | ",");
    }
}

impl RootPath {
    fn at(token: &Token) -> Option<Self> {
        let named = token.text.starts_with(|c: char| c.is_alphabetic() || c == '_');
        (named && token.text != "self").then(|| Self { line: token.line, head: token.text.clone() })
    }
}

fn text(tokens: &[Token], n: usize) -> Option<&str> {
    tokens.get(n).map(|token| token.text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str, module: &[&str]) -> Vec<(usize, String)> {
        root_paths(source, module).into_iter().map(|path| (path.line, path.head)).collect()
    }

    fn names(source: &str, module: &[&str]) -> Vec<String> {
        found(source, module).into_iter().map(|(_, head)| head).collect()
    }

    #[test]
    fn imports_and_inline_paths() {
        assert_eq!(
            found("use crate::model::Pid;\n\nfn f() -> crate::wire::Bytes {}\n", &["source"]),
            [(1, "model".to_owned()), (3, "wire".to_owned())]
        );
        assert_eq!(names("use genome_trace::commands;", &[]), ["commands"]);
        assert_eq!(names("use genome_trace_common::Kind;", &["wire"]), [COMMON]);
    }

    #[test]
    fn groups() {
        assert_eq!(
            names("use crate::{self, model::{Pid, units::*}, wire as w,\n render};", &["sink"]),
            ["model", "wire", "render"]
        );
    }

    #[test]
    fn super_reaches_the_root_by_depth() {
        assert_eq!(names("use super::probe::Plan;", &["source"]), ["probe"]);
        assert_eq!(names("use super::plan::Plan;", &["source", "ring"]), Vec::<String>::new());
        assert_eq!(
            names("use super::super::{probe, model};", &["source", "ring"]),
            ["probe", "model"]
        );
        assert_eq!(
            names(
                "mod tests { use super::helper; use super::super::probe; } use super::sink;",
                &["source"]
            ),
            ["probe", "sink"]
        );
    }
}

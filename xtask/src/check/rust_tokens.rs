//! Splits Rust source into tokens, without comments, strings and characters.

/// An identifier, `::`, or one other character.
pub(crate) struct Token {
    /// Line in the file, from 1.
    pub(crate) line: usize,
    /// What it says.
    pub(crate) text: String,
}

/// All tokens of a file.
pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let len = match skipped(rest) {
            Some(len) => len,
            None if is_word(first) => {
                let len = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                push(&mut tokens, line, rest, len);
                len
            }
            None if rest.starts_with("::") => {
                push(&mut tokens, line, rest, 2);
                2
            }
            None => {
                push(&mut tokens, line, rest, first.len_utf8());
                first.len_utf8()
            }
        };
        let (taken, left) = rest.split_at(len);
        line += taken.matches('\n').count();
        rest = left;
    }
    tokens
}

fn push(tokens: &mut Vec<Token>, line: usize, rest: &str, len: usize) {
    let text = rest.get(..len).unwrap_or_default().to_owned();
    tokens.push(Token { line, text });
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Length of the white space, comment or literal that `rest` begins with.
fn skipped(rest: &str) -> Option<usize> {
    let first = rest.chars().next()?;
    if first.is_whitespace() {
        return Some(rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len()));
    }
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    if let Some(len) = raw_string(rest) {
        return Some(len);
    }
    match first {
        '"' => Some(quoted(rest, '"')),
        '\'' => Some(character_or_lifetime(rest)),
        _ => None,
    }
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let mut level = 0_usize;
    let mut at = 0;
    while let Some(left) = rest.get(at..).filter(|left| !left.is_empty()) {
        if left.starts_with("/*") {
            level += 1;
            at += 2;
        } else if left.starts_with("*/") {
            level = level.saturating_sub(1);
            at += 2;
            if level == 0 {
                return at;
            }
        } else {
            at += left.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// `r"…"`, `r#"…"#` and the like, with any prefix.
fn raw_string(rest: &str) -> Option<usize> {
    let body = ["r", "br", "cr"].iter().find_map(|prefix| rest.strip_prefix(prefix))?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let content = body.get(hashes..)?.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = rest.len() - content.len();
    Some(content.find(&end).map_or(rest.len(), |at| start + at + end.len()))
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    rest.len()
}

/// `'a'` is a character, `'a` is not.
fn character_or_lifetime(rest: &str) -> usize {
    let mut chars = rest.chars().skip(1);
    let (second, third) = (chars.next(), chars.next());
    if second == Some('\\') || third == Some('\'') { quoted(rest, '\'') } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<String> {
        tokens(source).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_are_no_tokens() {
        let source = "a // b\n/// c\nd /* e /* f */ g */ h";
        assert_eq!(words(source), ["a", "d", "h"]);
    }

    #[test]
    fn literals_are_no_tokens() {
        let source = r##"a "b \" c" d r#"e " f"# g '"' h '\'' i"##;
        assert_eq!(words(source), ["a", "d", "g", "h", "i"]);
    }

    #[test]
    fn lifetimes_are_no_literals() {
        assert_eq!(words("&'a crate::b"), ["&", "a", "crate", "::", "b"]);
    }

    #[test]
    fn lines_are_counted_through_everything() {
        let lines: Vec<usize> =
            tokens("a\n/*\n*/ b \"\n\" c").iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 3, 4]);
    }
}

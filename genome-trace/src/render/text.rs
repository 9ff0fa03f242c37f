//! Names from outside as text that is safe in a terminal. A process name, a
//! path or an argument is data: nothing in it moves the cursor, changes the
//! colour or turns the writing direction.

use std::{
    borrow::Cow,
    fmt::{self, Write},
};

/// Bytes as text. What is not printable is written `\n`, `\x1b`, `\u{202e}`; a
/// backslash `\\`; a byte that is not UTF-8 `\xff`.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nearly all names are written as they are, in one piece.
        if let Some(plain) = plain(self.0) {
            return f.write_str(plain);
        }
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\\' => f.write_str("\\\\")?,
                    c if is_printable(c) => f.write_char(c)?,
                    c if c.is_ascii() => escape_ascii(f, c)?,
                    c => write!(f, "\\u{{{:x}}}", u32::from(c))?,
                }
            }
            escape_bytes(f, chunk.invalid())?;
        }
        Ok(())
    }
}

/// Text of nothing but printable ASCII, without a backslash.
fn plain(bytes: &[u8]) -> Option<&str> {
    let is_plain = |byte: u8| (byte.is_ascii_graphic() | (byte == b' ')) & (byte != b'\\');
    let plain = bytes.iter().fold(true, |plain, byte| plain & is_plain(*byte));
    plain.then(|| std::str::from_utf8(bytes).ok()).flatten()
}

/// Text that is for people already, names in it escaped: only what is not
/// printable is written as [`Escaped`] does, and a backslash stays one.
#[derive(Clone, Copy, Debug)]
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.chars().all(is_printable) {
            return f.write_str(self.0);
        }
        for c in self.0.chars() {
            match c {
                c if is_printable(c) => f.write_char(c)?,
                c => Escaped(c.encode_utf8(&mut [0; 4]).as_bytes()).fmt(f)?,
            }
        }
        Ok(())
    }
}

/// An argument as a shell (bash) would have to be given it: bare where that
/// is enough, else in `'…'`, or in `$'…'` where not all of it is printable.
#[derive(Clone, Copy, Debug)]
pub struct ShellWord<'a>(pub &'a [u8]);

impl fmt::Display for ShellWord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::str::from_utf8(self.0) {
            Ok(word) if !word.is_empty() && word.chars().all(is_bare) => f.write_str(word),
            Ok(word) if word.chars().all(is_printable) => single_quoted(f, word),
            _ => dollar_quoted(f, self.0),
        }
    }
}

/// Columns that printable text takes on a terminal: East Asian wide
/// characters and emoji take two, combining marks none.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.chars().map(char_columns).sum()
}

/// The longest beginning of `text` that takes no more than `limit` columns.
#[must_use]
pub fn fitting(text: &str, limit: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, c)| {
        used += char_columns(*c);
        used > limit
    });
    end.and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// The text in no more than `limit` columns; where it is cut, that is marked.
#[must_use]
pub fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    if fitting(text, limit).len() == text.len() {
        return Cow::Borrowed(text);
    }
    match limit {
        0 => Cow::Borrowed(""),
        _ => Cow::Owned(format!("{}…", fitting(text, limit - 1))),
    }
}

fn char_columns(c: char) -> usize {
    match u32::from(c) {
        ..0x300 => 1,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0xa4cf
        | 0xa960..=0xa97c
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff01..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ if is_combining(c) => 0,
        _ => 1,
    }
}

/// Whether the character shows as itself. Not so are controls, format
/// characters (which turn the writing direction, or are invisible), spaces
/// other than the ASCII one, private use and what is not assigned.
fn is_printable(c: char) -> bool {
    match c {
        ' '..='~' => true,
        c if c.is_ascii() => false,
        c => c.escape_debug().len() == 1 || is_combining(c),
    }
}

/// Whether the character is drawn onto the one before it. `str::escape_debug`
/// lets such a character stand after another, `char::escape_debug` does not.
fn is_combining(c: char) -> bool {
    if c.escape_debug().len() == 1 {
        return false;
    }
    let mut buffer = [b'a'; 1 + 4];
    let [_, rest @ ..] = &mut buffer;
    let len = 1 + c.encode_utf8(rest).len();
    buffer
        .get(..len)
        .and_then(|pair| std::str::from_utf8(pair).ok())
        .is_some_and(|pair| pair.escape_debug().nth(1) == Some(c))
}

/// Whether no shell gives the character a meaning, wherever in a word it is.
fn is_bare(c: char) -> bool {
    match c {
        '%' | '+' | ',' | '-' | '.' | '/' | ':' | '=' | '@' | '_' => true,
        c if c.is_ascii() => c.is_ascii_alphanumeric(),
        c => is_printable(c),
    }
}

fn single_quoted(f: &mut fmt::Formatter<'_>, word: &str) -> fmt::Result {
    f.write_char('\'')?;
    for (index, part) in word.split('\'').enumerate() {
        if index > 0 {
            f.write_str("'\\''")?;
        }
        f.write_str(part)?;
    }
    f.write_char('\'')
}

fn dollar_quoted(f: &mut fmt::Formatter<'_>, word: &[u8]) -> fmt::Result {
    f.write_str("$'")?;
    for chunk in word.utf8_chunks() {
        for c in chunk.valid().chars() {
            match (c, u32::from(c)) {
                ('\\' | '\'', _) => write!(f, "\\{c}")?,
                _ if is_printable(c) => f.write_char(c)?,
                _ if c.is_ascii() => escape_ascii(f, c)?,
                (_, code @ ..=0xffff) => write!(f, "\\u{code:04x}")?,
                (_, code) => write!(f, "\\U{code:08x}")?,
            }
        }
        escape_bytes(f, chunk.invalid())?;
    }
    f.write_char('\'')
}

fn escape_ascii(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        c => write!(f, "\\x{:02x}", u32::from(c)),
    }
}

fn escape_bytes(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn escaped(bytes: &[u8]) -> String {
        Escaped(bytes).to_string()
    }

    fn word(bytes: &[u8]) -> String {
        ShellWord(bytes).to_string()
    }

    #[test]
    fn text_stays_and_the_rest_is_escaped() {
        assert_eq!(escaped("modèle 日本 🎉".as_bytes()), "modèle 日本 🎉");
        assert_eq!(escaped(b"a\nb\tc\rd"), "a\\nb\\tc\\rd");
        assert_eq!(escaped(b"\x1b[31mred\x7f\0"), "\\x1b[31mred\\x7f\\x00");
        assert_eq!(escaped(b"\\n"), "\\\\n");
        assert_eq!(escaped(b"caf\xe9"), "caf\\xe9");
        // A C1 control, a change of direction, a space that cannot be seen.
        assert_eq!(escaped("\u{9b}31m".as_bytes()), "\\u{9b}31m");
        assert_eq!(escaped("a\u{202e}b\u{200b}".as_bytes()), "a\\u{202e}b\\u{200b}");
        // Decomposed, as names that come from a Mac are.
        assert_eq!(escaped("e\u{301}".as_bytes()), "e\u{301}");
    }

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(word(b"--lr=1e-4"), "--lr=1e-4");
        assert_eq!(word(b""), "''");
        assert_eq!(word(b"two words"), "'two words'");
        assert_eq!(word(b"it's"), r"'it'\''s'");
        assert_eq!(word(b"$HOME/*"), "'$HOME/*'");
        assert_eq!(word(b"a\nb'c\\"), r"$'a\nb\'c\\'");
        assert_eq!(word(b"caf\xe9"), r"$'caf\xe9'");
        assert_eq!(word("\u{9b}\u{202e}".as_bytes()), r"$'\u009b\u202e'");
        assert_eq!(word("日本".as_bytes()), "日本");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(columns("python3"), 7);
        assert_eq!(columns("日本"), 4);
        assert_eq!(columns("🎉"), 2);
        assert_eq!(columns("e\u{301}"), 1);
        assert_eq!(fitting("日本", 3), "日");
        assert_eq!(fitting("日本", 4), "日本");
        assert_eq!(fitting("abc", 0), "");
        assert_eq!(
            (cut("abc", 3), cut("abc", 2), cut("abc", 1)),
            ("abc".into(), "a…".into(), "…".into())
        );
        assert_eq!(
            (cut("日本", 3), cut("日本", 2), cut("abc", 0)),
            ("日…".into(), "…".into(), "".into())
        );
    }

    fn is_safe(text: &str) -> bool {
        text.chars().all(is_printable)
    }

    proptest! {
        #[test]
        fn nothing_unprintable_gets_through(bytes in any::<Vec<u8>>(), text in any::<String>()) {
            for bytes in [bytes.as_slice(), text.as_bytes()] {
                prop_assert!(is_safe(&escaped(bytes)));
                prop_assert!(is_safe(&word(bytes)));
            }
        }

        #[test]
        fn different_names_look_different(a in "[\\\\nx0\n]{0,4}", b in "[\\\\nx0\n]{0,4}") {
            prop_assert_eq!(a == b, escaped(a.as_bytes()) == escaped(b.as_bytes()));
        }

        #[test]
        fn a_cut_text_fits(text in "\\PC*", limit in 0_usize..40) {
            prop_assert!(columns(fitting(&text, limit)) <= limit);
            prop_assert!(columns(&cut(&text, limit)) <= limit);
        }
    }
}

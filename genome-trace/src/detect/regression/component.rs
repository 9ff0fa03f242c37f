//! What is random in one component of a path.

/// What stands for a random part.
const RANDOM: char = '*';
/// A run of hexadecimal digits from this length on, with a decimal one among
/// them, is a digest or an id.
const LONG_HEX: usize = 12;
/// A run of decimal digits from this length on is a time or an id.
const LONG_NUMBER: usize = 10;
/// So many letters with so many digits behind them are a name and a random
/// number.
const NUMBER_BEHIND: (usize, usize) = (3, 6);
/// Lengths of what mkdtemp(3) and its like put at the end of a name.
const SUFFIXES: [usize; 4] = [6, 8, 10, 12];
/// Folders below which objects lie by the first digits of their digest.
const FANNED_OUT: [&str; 5] = ["objects", "sha1", "sha256", "sha512", "go-build"];
/// In a folder of temporary files a hexadecimal name from this length on is one.
const SHORT_HEX: usize = 8;

/// Where a component stands.
pub(super) struct Context<'a> {
    /// The components above it, named already.
    pub(super) above: &'a [String],
    /// It lies right in a folder of temporary files.
    pub(super) is_temporary: bool,
    /// It lies somewhere below /proc.
    pub(super) is_in_proc: bool,
}

impl Context<'_> {
    /// The component's name.
    pub(super) fn name(&self, component: &str) -> String {
        let mut name = component.to_owned();
        // One rule may lay open what another knows. Each pass leaves less that
        // is not a mark, so it ends; more than a few are of no use.
        for _ in 0..8 {
            let next = self.pass(&name);
            if next == name {
                break;
            }
            name = next;
        }
        name
    }

    fn pass(&self, name: &str) -> String {
        if let Some(known) = self.known(name) {
            return known;
        }
        let name = without_ids(name);
        let has_digit = name.bytes().any(|byte| byte.is_ascii_digit());
        let is_hex = name.bytes().all(|byte| byte.is_ascii_hexdigit());
        if self.is_temporary && has_digit && is_hex && name.len() >= SHORT_HEX {
            return RANDOM.to_string();
        }
        let name =
            if self.is_temporary { without_suffix(&name) } else { without_mixed_suffix(&name) };
        without_numbers(&name)
    }

    /// Names that somebody is known to make.
    fn known(&self, name: &str) -> Option<String> {
        let above = |at: usize| self.above.iter().rev().nth(at).map(String::as_str);
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if self.is_in_proc && is_number(name) {
            return Some(RANDOM.to_string());
        }
        // pytest's tmp_path.
        if let Some(user) = name.strip_prefix("pytest-of-")
            && !user.is_empty()
        {
            return Some("pytest-of-*".to_owned());
        }
        if above(0) == Some("pytest-of-*")
            && let Some(number) = name.strip_prefix("pytest-")
            && is_number(number)
        {
            return Some("pytest-*".to_owned());
        }
        // rustc's incremental compilation: CRATE-DISAMBIGUATOR/s-TIME-RANDOM….
        if above(1) == Some("incremental") && name.starts_with("s-") {
            return Some("s-*".to_owned());
        }
        if above(0) == Some("incremental")
            && let Some((name, _)) = name.rsplit_once('-')
        {
            return Some(format!("{name}-{RANDOM}"));
        }
        // rustc again, for metadata, beside what it makes.
        let is_mkdtemps =
            |text: &str| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if name.strip_prefix("rmeta").is_some_and(is_mkdtemps) {
            return Some("rmeta*".to_owned());
        }
        // rustc and rustdoc: one in two hundred of theirs is small letters alone,
        // and looks like a word.
        let rusts = ["rustc", "rustdoctest"].into_iter().filter(|_| self.is_temporary);
        for prefix in rusts {
            if name.strip_prefix(prefix).is_some_and(is_mkdtemps) {
                return Some(format!("{prefix}{RANDOM}"));
            }
        }
        // npm moves a package aside before it puts another in its place.
        if name.starts_with('.')
            && above(0).is_some_and(|of| of == "node_modules" || of.starts_with('@'))
            && let Some((name, random)) = name.rsplit_once('-')
            && random.len() == 8
        {
            return Some(format!("{name}-{RANDOM}"));
        }
        let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
        let is_fan = |at| above(at).is_some_and(|of| FANNED_OUT.contains(&of));
        if name.len() == 2 && is_hex(name) && (is_fan(0) || is_fan(1) && above(0) == Some("*")) {
            return Some(RANDOM.to_string());
        }
        let (stem, end) = match name.char_indices().skip(4).find(|(_, c)| *c == '.') {
            Some((at, _)) => name.split_at(at),
            None => (name, ""),
        };
        // Rust's tempfile, and mktemp(1).
        for (prefix, length) in [(".tmp", 6), ("tmp.", 10)] {
            if let Some(random) = stem.strip_prefix(prefix)
                && random.len() == length
                && random.bytes().all(|b| b.is_ascii_alphanumeric())
            {
                return Some(format!("{prefix}{RANDOM}{end}"));
            }
        }
        // Python's tempfile.
        let random = stem.strip_prefix("tmp").filter(|random| random.len() == 8)?;
        random.bytes().all(is_pythons).then(|| format!("tmp{RANDOM}{end}"))
    }
}

/// Python's tempfile takes from these.
const fn is_pythons(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
}

const fn is_separator(byte: &u8) -> bool {
    matches!(byte, b'-' | b'.' | b'_')
}

/// The end of a name, in a folder of temporary files.
fn without_suffix(name: &str) -> String {
    // Python's, which may have separators in it.
    if let Some(at) = name.len().checked_sub(8).filter(|at| *at > 1)
        && let (Some(prefix), Some(random)) = (name.get(..at), name.get(at..))
        && prefix.as_bytes().last().is_some_and(is_separator)
        && random.bytes().all(is_pythons)
    {
        return format!("{prefix}{RANDOM}");
    }
    let start = name.bytes().rposition(|byte| !byte.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
    let (prefix, last) = name.split_at(start);
    if let Some(letters) = numbered(last) {
        return format!("{prefix}{letters}{RANDOM}");
    }
    if prefix.as_bytes().last().is_some_and(is_separator) && prefix.len() > 1 {
        let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
        return match is_number || SUFFIXES.contains(&last.len()) {
            true => format!("{prefix}{RANDOM}"),
            false => name.to_owned(),
        };
    }
    // Nothing stands between the name and what mkdtemp(3) made.
    match last.len().checked_sub(6).filter(|at| *at > 1).map(|at| last.split_at(at)) {
        Some((of, random)) if classes(random) > 1 => format!("{prefix}{of}{RANDOM}"),
        _ => name.to_owned(),
    }
}

/// The end of a name anywhere else: only where it has small and big letters and
/// digits.
fn without_mixed_suffix(name: &str) -> String {
    match name.rsplit_once(['-', '.', '_']) {
        Some((prefix, last))
            if !prefix.is_empty()
                && SUFFIXES.contains(&last.len())
                && last.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && classes(last) == 3 =>
        {
            let kept = name.len() - last.len();
            format!("{}{RANDOM}", name.get(..kept).unwrap_or_default())
        }
        _ => name.to_owned(),
    }
}

/// How many of small letters, big letters and digits are in it.
fn classes(text: &str) -> usize {
    let has = |is: fn(&u8) -> bool| usize::from(text.bytes().any(|byte| is(&byte)));
    has(u8::is_ascii_lowercase) + has(u8::is_ascii_uppercase) + has(u8::is_ascii_digit)
}

/// UUIDs and times, wherever they stand.
fn without_ids(name: &str) -> String {
    by_run(name, |out, rest, run| match uuid(rest).or_else(|| time(rest)) {
        Some(length) => {
            out.push(RANDOM);
            length
        }
        None => {
            out.push_str(run);
            run.len()
        }
    })
}

/// Digests and long numbers, wherever they stand.
fn without_numbers(name: &str) -> String {
    by_run(name, |out, _, run| {
        let has_digit = run.bytes().any(|byte| byte.is_ascii_digit());
        let is_hex = run.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_number = run.bytes().all(|byte| byte.is_ascii_digit());
        if has_digit && is_hex && run.len() >= LONG_HEX || is_number && run.len() >= LONG_NUMBER {
            out.push(RANDOM);
        } else if let Some(letters) = numbered(run) {
            out.push_str(letters);
            out.push(RANDOM);
        } else {
            out.push_str(run);
        }
        run.len()
    })
}

/// The name in front of a random number: `build` of `build1234567`.
fn numbered(run: &str) -> Option<&str> {
    let letters = run.trim_end_matches(|c: char| c.is_ascii_digit());
    let (least_letters, least_digits) = NUMBER_BEHIND;
    (letters.len() >= least_letters && run.len() - letters.len() >= least_digits).then_some(letters)
}

/// Has what is between separators replaced: `replace` is given the rest of the
/// name and the run of letters and digits that it begins with, and says how
/// much it took.
fn by_run(name: &str, replace: impl Fn(&mut String, &str, &str) -> usize) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        let run = leading(rest, |byte| byte.is_ascii_alphanumeric());
        let taken = if run.is_empty() {
            out.push(c);
            c.len_utf8()
        } else {
            replace(&mut out, rest, run)
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    out
}

fn leading(text: &str, is: impl Fn(u8) -> bool) -> &str {
    let end = text.bytes().position(|byte| !is(byte)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// The length of a UUID that the text begins with.
fn uuid(text: &str) -> Option<usize> {
    const LENGTH: usize = 36;
    let is = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    let id = text.get(..LENGTH)?;
    (id.bytes().enumerate().all(is) && is_end(text, LENGTH)).then_some(LENGTH)
}

/// The length of a date, and a time of day behind it, that the text begins
/// with: `2026-11-29`, `20261129-163112`, `2026-11-29T16-31-12Z`.
fn time(text: &str) -> Option<usize> {
    let number = |at: usize, length: usize, most: u32| {
        let digits = text.get(at..at + length)?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u32>().ok().filter(|of| is_number && *of <= most)
    };
    number(0, 4, 2100).filter(|year| *year >= 1970)?;
    let gap = usize::from(text.as_bytes().get(4) == Some(&b'-'));
    number(4 + gap, 2, 12).filter(|month| *month > 0)?;
    if gap == 1 && text.as_bytes().get(7) != Some(&b'-') {
        return None;
    }
    number(6 + 2 * gap, 2, 31).filter(|day| *day > 0)?;
    let date = 8 + 2 * gap;
    let of_day = || {
        let at = date + usize::from(matches!(text.as_bytes().get(date)?, b'T' | b'-' | b'_'));
        number(at, 2, 23)?;
        let gap = usize::from(matches!(text.as_bytes().get(at + 2)?, b'-' | b':' | b'.' | b'_'));
        number(at + 2 + gap, 2, 59)?;
        number(at + 4 + 2 * gap, 2, 60)?;
        let end = at + 6 + 2 * gap;
        Some(end + usize::from(text.as_bytes().get(end) == Some(&b'Z')))
    };
    of_day().filter(|end| is_end(text, *end)).or_else(|| is_end(text, date).then_some(date))
}

/// No letter and no digit follows.
fn is_end(text: &str, at: usize) -> bool {
    text.as_bytes().get(at).is_none_or(|byte| !byte.is_ascii_alphanumeric())
}

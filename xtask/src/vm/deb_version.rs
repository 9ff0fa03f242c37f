//! Debian's order of versions (deb-version(7)).

use std::cmp::Ordering;

/// Compares `[epoch:]upstream[-revision]`.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    let (left_epoch, left) = split_epoch(left);
    let (right_epoch, right) = split_epoch(right);
    let (left_upstream, left_revision) = split_revision(left);
    let (right_upstream, right_revision) = split_revision(right);
    left_epoch
        .cmp(&right_epoch)
        .then_with(|| compare_part(left_upstream, right_upstream))
        .then_with(|| compare_part(left_revision, right_revision))
}

fn split_epoch(version: &str) -> (u64, &str) {
    match version.split_once(':') {
        Some((epoch, rest)) => (epoch.parse().unwrap_or(0), rest),
        None => (0, version),
    }
}

fn split_revision(version: &str) -> (&str, &str) {
    version.rsplit_once('-').unwrap_or((version, ""))
}

/// Text and numbers by turns, text first.
fn compare_part(mut left: &str, mut right: &str) -> Ordering {
    while !left.is_empty() || !right.is_empty() {
        let (left_text, left_rest) = split_where(left, |c| c.is_ascii_digit());
        let (right_text, right_rest) = split_where(right, |c| c.is_ascii_digit());
        let (left_number, left_rest) = split_where(left_rest, |c| !c.is_ascii_digit());
        let (right_number, right_rest) = split_where(right_rest, |c| !c.is_ascii_digit());
        let order = compare_text(left_text, right_text)
            .then_with(|| compare_number(left_number, right_number));
        if order != Ordering::Equal {
            return order;
        }
        (left, right) = (left_rest, right_rest);
    }
    Ordering::Equal
}

fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

/// `~` comes before the end, the end before letters, letters before the rest.
fn compare_text(left: &str, right: &str) -> Ordering {
    let weight = |c: Option<char>| match c {
        Some('~') => -1,
        None => 0,
        Some(c) if c.is_ascii_alphabetic() => i64::from(u32::from(c)),
        Some(c) => i64::from(u32::from(c)) + 256,
    };
    let (mut left, mut right) = (left.chars(), right.chars());
    loop {
        let (l, r) = (left.next(), right.next());
        if l.is_none() && r.is_none() {
            return Ordering::Equal;
        }
        let order = weight(l).cmp(&weight(r));
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Numbers of any length, leading zeros aside.
fn compare_number(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascending() {
        for (lower, higher) in [
            ("5.10.9-1", "5.10.10-1"),
            ("6.1.99-2", "6.12.1-1"),
            ("7.2.12-1~bpo13+1", "7.2.12-1"),
            ("7.2.12-1~bpo13+1", "7.2.12-1~bpo13+2"),
            ("6.12.117-1~deb12u1", "6.12.117-1"),
            ("1.0~rc1-1", "1.0-1"),
            ("1.0-1", "1.0+b1-1"),
            ("1.0a", "1.0+"),
            ("9.0", "1:1.0"),
            ("1.0-9", "1.0-10"),
            ("1.2", "1.2.0"),
        ] {
            assert_eq!(compare(lower, higher), Ordering::Less, "{lower} {higher}");
            assert_eq!(compare(higher, lower), Ordering::Greater, "{higher} {lower}");
        }
    }

    #[test]
    fn equal() {
        for (one, other) in [("1.0-1", "1.0-1"), ("0:1.0", "1.0"), ("1.01", "1.1")] {
            assert_eq!(compare(one, other), Ordering::Equal, "{one} {other}");
        }
    }
}

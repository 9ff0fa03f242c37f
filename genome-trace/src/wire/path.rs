//! Paths, from the components that the kernel side walked.

use genome_trace_common::{PATH_ABSOLUTE, PATH_TRUNCATED, PATH_UNKNOWN, PATH_USER};

/// Writes the path that a record describes to `out`; `false` where it
/// describes none. `out` is empty then.
pub(super) fn build(flags: u32, components: &[u8], user: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    if flags & PATH_USER == 0 {
        if flags & PATH_UNKNOWN != 0 {
            return false;
        }
        append_components(components, out);
        return true;
    }
    let user = user.split(|byte| *byte == 0).next().unwrap_or_default();
    let absolute = flags & PATH_ABSOLUTE != 0;
    // A relative path says nothing without the folder that it begins in.
    if user.is_empty() || (!absolute && flags & PATH_UNKNOWN != 0) {
        return false;
    }
    if !absolute {
        append_components(components, out);
    }
    append_lexically(user, out);
    true
}

/// Whether the upper end of the path is missing.
pub(super) const fn is_truncated(flags: u32) -> bool {
    flags & PATH_TRUNCATED != 0
}

/// Components come leaf first, each ended by a NUL; none at all is the root.
fn append_components(components: &[u8], out: &mut Vec<u8>) {
    let components = components.strip_suffix(b"\0").unwrap_or(components);
    if !components.is_empty() {
        for component in components.rsplit(|byte| *byte == 0) {
            out.push(b'/');
            out.extend_from_slice(component);
        }
    }
    if out.is_empty() {
        out.push(b'/');
    }
}

/// Appends a path as a process wrote it, without `.`, `..` and doubled
/// slashes. A symbolic link in it stays as it was written.
fn append_lexically(path: &[u8], out: &mut Vec<u8>) {
    for component in path.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => out.truncate(out.iter().rposition(|byte| *byte == b'/').unwrap_or(0)),
            component => {
                if !out.ends_with(b"/") {
                    out.push(b'/');
                }
                out.extend_from_slice(component);
            }
        }
    }
    if out.is_empty() {
        out.push(b'/');
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn built(flags: u32, components: &[u8], user: &[u8]) -> Option<String> {
        let mut out = b"left over".to_vec();
        build(flags, components, user, &mut out).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn components_are_turned_round() {
        assert_eq!(built(0, b"c\0b\0a\0", b"").unwrap(), "/a/b/c");
        assert_eq!(built(0, b"", b"").unwrap(), "/");
        assert_eq!(built(PATH_UNKNOWN, b"c\0", b""), None);
    }

    #[test]
    fn a_users_path_stands_on_its_base_unless_it_is_absolute() {
        // The kernel side finds no components for an absolute path.
        let absolute = PATH_USER | PATH_ABSOLUTE | PATH_UNKNOWN;
        assert_eq!(built(absolute, b"", b"/x/../y//z/./w\0").unwrap(), "/y/z/w");
        assert_eq!(built(PATH_USER, b"b\0a\0", b"../c\0").unwrap(), "/a/c");
        assert_eq!(built(PATH_USER, b"", b"c\0").unwrap(), "/c");
        assert_eq!(built(PATH_USER, b"a\0", b"../../..\0").unwrap(), "/");
        assert_eq!(built(PATH_USER | PATH_UNKNOWN, b"", b"relative\0"), None);
        assert_eq!(built(PATH_USER, b"a\0", b"\0"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_absolute_path_or_none(
            flags in 0u32..32,
            components in prop::collection::vec(any::<u8>(), 0..64),
            user in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let mut out = Vec::new();
            if build(flags, &components, &user, &mut out) {
                prop_assert_eq!(out.first(), Some(&b'/'));
            }
        }
    }
}

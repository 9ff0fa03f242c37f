//! The facts of a process as text, as conditions see them.

use std::borrow::Cow;

use super::cgroup;
use crate::persona::Facts;

/// Bytes that are not UTF-8 are U+FFFD here, as in everything that is shown:
/// so `.` matches them too, and no process hides behind a name that is not
/// text.
pub(super) struct Values<'f> {
    pub(super) exe: Option<Cow<'f, str>>,
    pub(super) comm: Option<Cow<'f, str>>,
    /// The arguments, joined by single spaces.
    pub(super) argv: Option<String>,
    pub(super) cwd: Option<Cow<'f, str>>,
    pub(super) cgroup: Option<Cow<'f, str>>,
    pub(super) unit: Option<Cow<'f, str>>,
    pub(super) container: Option<Cow<'f, str>>,
    pub(super) uid: Option<u32>,
}

impl<'f> Values<'f> {
    pub(super) fn of(facts: &'f Facts) -> Self {
        let text = |bytes: &'f Option<Box<[u8]>>| bytes.as_deref().map(String::from_utf8_lossy);
        Self {
            exe: text(&facts.exe),
            comm: text(&facts.comm),
            argv: facts.argv.as_deref().map(joined),
            cwd: text(&facts.cwd),
            cgroup: text(&facts.cgroup_path),
            unit: facts.unit().map(String::from_utf8_lossy),
            container: facts.container().map(String::from_utf8_lossy),
            uid: facts.uid,
        }
    }
}

impl Facts {
    /// The container that the process is in, by its cgroup: the whole id, or
    /// the name where it is one of LXC.
    #[must_use]
    pub fn container(&self) -> Option<&[u8]> {
        cgroup::container(self.cgroup_path.as_deref()?)
    }

    /// The systemd unit that the process is in, by its cgroup, with `.service`.
    #[must_use]
    pub fn unit(&self) -> Option<&[u8]> {
        cgroup::unit(self.cgroup_path.as_deref()?)
    }
}

/// A program that writes its title over its arguments pads it with NULs, so
/// all of those at the end go.
fn joined(argv: &[u8]) -> String {
    let end = argv.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    String::from_utf8_lossy(argv.get(..end).unwrap_or_default()).replace('\0', " ")
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn arguments_are_joined_by_single_spaces() {
        assert_eq!(joined(b"python3\0-c\0a b\0"), "python3 -c a b");
        assert_eq!(joined(b"claude\0\0\0\0"), "claude");
        assert_eq!(joined(b"a\0\0b"), "a  b");
        assert_eq!(joined(b"\xff\0x\0"), "\u{fffd} x");
        assert_eq!(joined(b"\0\0"), "");
        assert_eq!(joined(b""), "");
    }
}

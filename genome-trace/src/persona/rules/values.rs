//! The facts of a process as text, as conditions see them.

use std::{borrow::Cow, cell::OnceCell};

use super::cgroup;
use crate::persona::Facts;

/// Bytes that are not UTF-8 are U+FFFD here, as in everything that is shown:
/// so `.` matches them too, and no process hides behind a name that is not
/// text.
pub struct Values<'f> {
    pub(super) exe: Option<Cow<'f, str>>,
    pub(super) comm: Option<Cow<'f, str>>,
    /// The arguments, joined by single spaces.
    pub(super) argv: Option<&'f str>,
    pub(super) cwd: Option<Cow<'f, str>>,
    pub(super) cgroup: Option<Cow<'f, str>>,
    pub(super) uid: Option<u32>,
    facts: &'f Facts<'f>,
    // Looked for where a rule asks.
    unit: OnceCell<Option<Cow<'f, str>>>,
    container: OnceCell<Option<Cow<'f, str>>>,
}

impl<'f> Values<'f> {
    /// The values of these facts; `room` is for the arguments, and keeps its
    /// memory from one process to the next.
    #[must_use]
    pub fn of(facts: &'f Facts<'_>, room: &'f mut String) -> Self {
        let text = |bytes: &'f Option<Cow<'_, [u8]>>| bytes.as_deref().map(String::from_utf8_lossy);
        let argv = facts.argv.as_deref().map(|argv| {
            join(argv, room);
            room.as_str()
        });
        Self {
            exe: text(&facts.exe),
            comm: text(&facts.comm),
            argv,
            cwd: text(&facts.cwd),
            cgroup: text(&facts.cgroup_path),
            uid: facts.uid,
            facts,
            unit: OnceCell::new(),
            container: OnceCell::new(),
        }
    }

    pub(super) fn unit(&self) -> Option<&str> {
        self.unit.get_or_init(|| self.facts.unit().map(String::from_utf8_lossy)).as_deref()
    }

    pub(super) fn container(&self) -> Option<&str> {
        self.container
            .get_or_init(|| self.facts.container().map(String::from_utf8_lossy))
            .as_deref()
    }
}

impl Facts<'_> {
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
fn join(argv: &[u8], out: &mut String) {
    out.clear();
    let end = argv.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    for chunk in argv.get(..end).unwrap_or_default().utf8_chunks() {
        for (index, word) in chunk.valid().split('\0').enumerate() {
            if index > 0 {
                out.push(' ');
            }
            out.push_str(word);
        }
        if !chunk.invalid().is_empty() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::join;

    fn joined(argv: &[u8]) -> String {
        let mut out = "left over".to_owned();
        join(argv, &mut out);
        out
    }

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

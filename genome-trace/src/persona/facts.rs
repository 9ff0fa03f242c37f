//! What is known of a process when its persona is decided on.

use std::borrow::Cow;

/// What a process is, as far as it is known. What is `None` matches no
/// condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts<'f> {
    /// Path of the executable.
    pub exe: Option<Cow<'f, [u8]>>,
    /// Its name, at most 15 bytes.
    pub comm: Option<Cow<'f, [u8]>>,
    /// Its arguments, NUL-separated, as they lie in its memory.
    pub argv: Option<Cow<'f, [u8]>>,
    /// `GENOME_PERSONA` of its environment; `None` too where it is empty.
    pub claimed_name: Option<Cow<'f, [u8]>>,
    /// `GENOME_ID` of its environment, likewise.
    pub claimed_id: Option<Cow<'f, [u8]>>,
    /// Path of its cgroup below the hierarchy's root.
    pub cgroup_path: Option<Cow<'f, [u8]>>,
    /// Real user id.
    pub uid: Option<u32>,
    /// Its working directory; only looked up where a rule asks for it.
    pub cwd: Option<Cow<'f, [u8]>>,
}

/// The two variables by which a process says whose it is, out of the block of
/// NUL-separated assignments that an environment is. The first of a name
/// counts, as for getenv(3); an empty one says nothing.
#[must_use]
pub fn claims(environment: &[u8]) -> (Option<&[u8]>, Option<&[u8]>) {
    let of = |name: &[u8]| {
        environment
            .split(|byte| *byte == 0)
            .find_map(|assignment| assignment.strip_prefix(name))
            .filter(|value| !value.is_empty())
    };
    (of(b"GENOME_PERSONA="), of(b"GENOME_ID="))
}

#[cfg(test)]
mod tests {
    use super::claims;

    #[test]
    fn the_two_variables_are_found_among_others() {
        let environment = b"PATH=/bin\0GENOME_PERSONA=Code Expert\0XGENOME_ID=no\0GENOME_ID=a3f9\0";
        assert_eq!(
            claims(environment),
            (Some(b"Code Expert".as_slice()), Some(b"a3f9".as_slice()))
        );
        assert_eq!(claims(b"GENOME_PERSONA=\0GENOME_ID="), (None, None));
        assert_eq!(claims(b"GENOME_PERSONA=a\0GENOME_PERSONA=b"), (Some(b"a".as_slice()), None));
        assert_eq!(claims(b""), (None, None));
    }
}

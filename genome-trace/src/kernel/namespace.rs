//! Namespaces: whether PIDs here are those of the whole machine.

use std::{fs, io, path::Path};

/// What the kernel calls the initial PID namespace (`PROC_PID_INIT_INO` in
/// include/linux/proc_ns.h).
const INITIAL_PIDS: &str = "pid:[4026531836]";

/// Whether this process is in the initial PID namespace, so that PIDs that the
/// kernel or a driver tells are those of /proc. Not so in most containers.
#[must_use]
pub fn pids_are_the_machines() -> bool {
    is_initial(fs::read_link("/proc/self/ns/pid").as_deref())
}

/// A kernel that has no such namespaces has no such file. Where the file cannot
/// be read for another reason, PIDs are not trusted.
fn is_initial(link: Result<&Path, &io::Error>) -> bool {
    match link {
        Ok(name) => name == Path::new(INITIAL_PIDS),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_initial_namespace_has_the_machines_pids() {
        assert!(is_initial(Ok(Path::new("pid:[4026531836]"))));
        assert!(!is_initial(Ok(Path::new("pid:[4026532281]"))));
        assert!(is_initial(Err(&io::ErrorKind::NotFound.into())));
        assert!(!is_initial(Err(&io::ErrorKind::PermissionDenied.into())));
    }
}

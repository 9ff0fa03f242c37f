//! Why a recorder cannot be attached to, and what to do about it.

use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use anyhow::{Context as _, bail};

use crate::{
    cli::DEFAULT_SOCKET,
    kernel::{capability::Effective, group::group_name},
    model::{ATTACH_PROTOCOL, AttachFailure},
};

pub(super) const SILENT: &str = "it does not answer; look at its log (journalctl -u \
    genome-trace), or use probes of your own (sudo, --own-probes)";
pub(super) const CLOSED: &str = "it closed without an answer; look at its log (journalctl -u \
    genome-trace), or use probes of your own (sudo, --own-probes)";
pub(super) const NO_RECORDER: &str = "what listens there is no recorder of genome-trace; name the \
    recorder's socket with --socket";
pub(super) const START_AGAIN: &str = "start it again (sudo systemctl start genome-trace), or use \
    probes of your own (sudo, --own-probes)";

/// An answer that is none.
pub(super) fn refused(failure: &AttachFailure) -> String {
    match failure {
        AttachFailure::OtherVersion(version) => format!(
            "it speaks version {version} of the protocol, and this genome-trace version \
             {ATTACH_PROTOCOL}: use the same genome-trace for both"
        ),
        AttachFailure::Nonsense(_) => NO_RECORDER.to_owned(),
    }
}

/// Why there is no recorder for somebody who may trace without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Without {
    /// None runs.
    Nobody,
    /// One does, and not for this user.
    ForOthers,
}

/// Whether another socket than the one that needs no naming was named: then
/// what listens there is meant, and nothing else will do.
pub(in crate::commands) fn is_chosen(socket: &Path) -> bool {
    socket != Path::new(DEFAULT_SOCKET)
}

/// What it comes to that nobody could be connected to.
///
/// # Errors
/// Own probes are no way out: a sentence with the remedy.
pub(in crate::commands) fn without(socket: &Path, error: io::Error) -> anyhow::Result<Without> {
    judge(socket, error, can_trace())
}

fn judge(socket: &Path, error: io::Error, can_trace: bool) -> anyhow::Result<Without> {
    let at = socket.display();
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused if is_chosen(socket) => bail!(
            "cannot attach to a recorder at {at}: nobody listens there; start it with \
             genome-trace record --socket={at}, or leave --socket out"
        ),
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => Ok(Without::Nobody),
        ErrorKind::PermissionDenied if can_trace && !is_chosen(socket) => Ok(Without::ForOthers),
        ErrorKind::PermissionDenied => Err(denied(socket)),
        _ => Err(error).with_context(|| format!("cannot attach to the recorder at {at}")),
    }
}

fn can_trace() -> bool {
    Effective::read().missing_required().next().is_none()
}

/// The recorder is there, and not for this user.
fn denied(socket: &Path) -> anyhow::Error {
    let at = socket.display();
    let group = group_of(socket);
    match group {
        Some(group) => anyhow::anyhow!(
            "cannot attach to the recorder at {at}: it is for root and the group {group}; join \
             that (sudo usermod -aG {group} $USER, then log in again), or use sudo"
        ),
        None => anyhow::anyhow!(
            "cannot attach to the recorder at {at}: it is for root alone; use sudo, or start it \
             with --group"
        ),
    }
}

/// Whose members may connect; `None` where it is root's alone.
pub(in crate::commands) fn group_of(socket: &Path) -> Option<String> {
    // Where the folder is closed, the socket in it cannot be looked at.
    let metadata = fs::metadata(socket)
        .or_else(|_| fs::metadata(socket.parent().unwrap_or(Path::new("."))))
        .ok()?;
    let id = metadata.gid();
    if id == 0 {
        return None;
    }
    Some(group_name(id).ok().flatten().unwrap_or_else(|| id.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(socket: &str, kind: ErrorKind, can_trace: bool) -> Result<Without, String> {
        judge(Path::new(socket), kind.into(), can_trace).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn own_probes_take_the_place_of_a_recorder_that_was_not_named() {
        for kind in [ErrorKind::NotFound, ErrorKind::ConnectionRefused] {
            assert_eq!(judged(DEFAULT_SOCKET, kind, false), Ok(Without::Nobody));
            let named = judged("/nonexistent/a", kind, true);
            assert!(named.is_err_and(|why| why.contains("record --socket=/nonexistent/a")));
        }
        let denied = ErrorKind::PermissionDenied;
        assert_eq!(judged(DEFAULT_SOCKET, denied, true), Ok(Without::ForOthers));
        for (socket, can_trace) in [(DEFAULT_SOCKET, false), ("/nonexistent/a", true)] {
            let told = judged(socket, denied, can_trace);
            assert!(told.is_err_and(|why| why.contains("use sudo")), "{socket}");
        }
        let other = judged(DEFAULT_SOCKET, ErrorKind::TimedOut, true);
        assert!(other.is_err_and(|why| why.contains("cannot attach to the recorder at ")));
    }
}

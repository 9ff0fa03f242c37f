//! Why a recorder cannot be attached to, and what to do about it.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use crate::{
    kernel::group::group_name,
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

/// The recorder is there, and not for this user.
pub(in crate::commands) fn denied(socket: &Path) -> anyhow::Error {
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
fn group_of(socket: &Path) -> Option<String> {
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

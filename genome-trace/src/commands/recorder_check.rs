//! Whether a recorder runs, since when, and who may read along: for the doctor.

use std::{io::ErrorKind, os::unix::net::UnixStream, path::Path};

use jiff::tz::TimeZone;

use super::attach::{ask_who, group_of};
use crate::{
    model::{AttachWelcome, Check, CheckState},
    render::{LocalDateTime, text::Escaped},
};

/// Asks whoever listens at `socket`.
pub(super) fn check(socket: &Path, time_zone: &TimeZone) -> Check {
    let at = socket.display();
    let (state, found, remedy) = match UnixStream::connect(socket) {
        Ok(stream) => match ask_who(&stream) {
            Ok(welcome) => (CheckState::Ok, running(&welcome, socket, time_zone), None),
            Err(why) => (
                CheckState::Gap,
                format!("somebody listens at {at}, and tells nothing"),
                Some(format!("{why:#}")),
            ),
        },
        Err(error) => match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => (
                CheckState::Gap,
                format!("none listens at {at}: nothing is kept, and --stats needs root"),
                Some(
                    "start one (sudo genome-trace record), or name its socket with --socket"
                        .to_owned(),
                ),
            ),
            ErrorKind::PermissionDenied => (
                CheckState::Gap,
                format!("the one at {at} is for {}, not for you", readers(socket)),
                Some(match group_of(socket) {
                    Some(group) => {
                        format!("sudo usermod -aG {group} $USER, then log in again; or use sudo")
                    }
                    None => "use sudo, or start it with --group".to_owned(),
                }),
            ),
            _ => (
                CheckState::Gap,
                format!("cannot ask the one at {at}: {error}"),
                Some("name a recorder's socket with --socket".to_owned()),
            ),
        },
    };
    Check { name: "recorder".to_owned(), state, found, remedy }
}

fn running(welcome: &AttachWelcome, socket: &Path, time_zone: &TimeZone) -> String {
    let files = match &welcome.mode {
        Some(mode) => format!("files in {} mode", Escaped(mode.as_bytes())),
        None => "without files".to_owned(),
    };
    format!(
        "version {} runs (pid {}) and records since {}, {files}; {} may read along at {}",
        Escaped(welcome.version.as_bytes()),
        welcome.pid,
        LocalDateTime(welcome.since, time_zone),
        readers(socket),
        socket.display()
    )
}

fn readers(socket: &Path) -> String {
    match group_of(socket) {
        Some(group) => format!("root and the group {group}"),
        None => "root alone".to_owned(),
    }
}

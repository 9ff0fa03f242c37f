//! A service manager's end of sd_notify(3).

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::Deadline;

/// A socket that services talk to.
pub struct Service {
    socket: UnixDatagram,
    path: PathBuf,
    deadline: Deadline,
}

impl Service {
    /// Listens in this folder.
    pub fn listen(folder: &Path, deadline: Deadline) -> anyhow::Result<Self> {
        let path = folder.join("notify");
        let socket =
            UnixDatagram::bind(&path).with_context(|| format!("listen at {}", path.display()))?;
        Ok(Self { socket, path, deadline })
    }

    /// What `NOTIFY_SOCKET` is to be.
    pub fn address(&self) -> &Path {
        &self.path
    }

    /// Waits for a message that begins so; those before it are gone.
    pub fn await_message(&self, beginning: &str) -> anyhow::Result<String> {
        let mut heard = Vec::new();
        let mut room = [0; 4096];
        loop {
            let left = self.deadline.remaining(format_args!("no {beginning} after {heard:?}"))?;
            self.socket.set_read_timeout(Some(left)).context("limit a wait")?;
            let len = self
                .socket
                .recv(&mut room)
                .with_context(|| format!("wait for {beginning} after {heard:?}"))?;
            let message = String::from_utf8_lossy(room.get(..len).unwrap_or_default()).into_owned();
            if message.starts_with(beginning) {
                return Ok(message);
            }
            heard.push(message);
        }
    }
}

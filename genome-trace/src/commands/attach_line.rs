//! The one line that each side of the recorder's socket reads before the
//! events.

use std::io::{self, ErrorKind};

use tokio::net::UnixStream;

use crate::model::ATTACH_LINE_MAX;

/// A line without its newline, and what came behind it.
pub(super) type Line = (Vec<u8>, Vec<u8>);

/// Reads a line; `None` where the other side closes before the end of one.
///
/// # Errors
/// `InvalidData`: it is too long. Else the socket's.
pub(super) async fn read_line(stream: &UnixStream) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut room = [0; 4096];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut room) {
            Ok(0) => return Ok(None),
            Ok(count) => {
                let searched = line.len();
                line.extend(room.iter().take(count));
                let new = line.get(searched..).unwrap_or_default();
                if let Some(at) = new.iter().position(|byte| *byte == b'\n') {
                    let mut rest = line.split_off(searched + at);
                    rest.remove(0);
                    return Ok(Some((line, rest)));
                }
                if line.len() > ATTACH_LINE_MAX {
                    let text = format!("longer than {ATTACH_LINE_MAX} bytes");
                    return Err(io::Error::new(ErrorKind::InvalidData, text));
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

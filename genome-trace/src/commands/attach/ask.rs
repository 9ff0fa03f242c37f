//! What is asked of a recorder without following it: who it is, and looks at
//! what everybody uses.

use std::{
    io::{Read as _, Write as _},
    os::unix::net::UnixStream,
};

use anyhow::bail;

use super::{
    PATIENCE,
    failure::{self, refused},
    line_form,
};
use crate::{
    commands::follow,
    model::{
        ATTACH_LINE_MAX, ATTACH_PROTOCOL, AttachAnswer, AttachRequest, AttachWelcome, EventKind,
    },
    render::{line::LineStyle, text::Escaped},
};

/// Asks for looks at what everybody uses, and for what happens to personas, as
/// lines without colour.
pub(in crate::commands) fn ask_for_looks(socket: &UnixStream) -> anyhow::Result<()> {
    let kinds = EventKind::ALL.into_iter().filter(|kind| kind.is_notable());
    ask(socket, &request(kinds, true)).map(|_| ())
}

/// Asks who it is. What comes behind the answer is nobody's.
pub(in crate::commands) fn ask_who(socket: &UnixStream) -> anyhow::Result<AttachWelcome> {
    // As little as can be asked for.
    ask(socket, &request([EventKind::OomKill], false))
}

fn request(kinds: impl IntoIterator<Item = EventKind>, looks: bool) -> AttachRequest {
    AttachRequest {
        v: ATTACH_PROTOCOL,
        kinds: kinds.into_iter().map(|kind| kind.name().to_owned()).collect(),
        comms: Vec::new(),
        uids: Vec::new(),
        personas: Vec::new(),
        cgroups: Vec::new(),
        exclude_self: true,
        form: line_form(&LineStyle { color: false, ..follow::style(true) }),
        looks,
    }
}

fn ask(mut socket: &UnixStream, request: &AttachRequest) -> anyhow::Result<AttachWelcome> {
    let mut line = request.to_line()?;
    line.push(b'\n');
    socket.write_all(&line)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    // Byte by byte, so that nothing behind the answer is taken.
    let mut answer = Vec::new();
    let mut byte = [0];
    while answer.len() <= ATTACH_LINE_MAX {
        if socket.read(&mut byte)? == 0 {
            bail!("{}", failure::CLOSED);
        }
        if byte == [b'\n'] {
            break;
        }
        answer.extend_from_slice(&byte);
    }
    socket.set_read_timeout(None)?;
    match AttachAnswer::from_line(&answer) {
        Ok(AttachAnswer::Welcome(welcome)) => Ok(welcome),
        Ok(AttachAnswer::Error(sentence)) => bail!("{}", Escaped(sentence.as_bytes())),
        Err(failure) => bail!("{}", refused(&failure)),
    }
}

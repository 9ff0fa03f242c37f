//! Looks at what everybody uses, every one of them, as a reader at a recorder's
//! socket is told them.

use std::io::Write as _;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail, ensure};
use genome_trace::model::{
    ATTACH_PROTOCOL, AttachAnswer, AttachForm, AttachNote, AttachRequest, EventKind, Usage,
    look_from_line,
};

use crate::Deadline;
use crate::lines::Lines;

/// A reader of looks.
pub struct Looks {
    socket: UnixStream,
    lines: Lines,
    deadline: Deadline,
}

impl Looks {
    /// Attaches to the recorder at that socket.
    pub fn attach(socket: &Path, deadline: Deadline) -> anyhow::Result<Self> {
        let mut socket = UnixStream::connect(socket).context("connect to the recorder")?;
        let request = AttachRequest {
            v: ATTACH_PROTOCOL,
            // Hardly any event, beside the looks.
            kinds: vec![EventKind::OomKill.name().to_owned()],
            comms: Vec::new(),
            uids: Vec::new(),
            personas: Vec::new(),
            cgroups: Vec::new(),
            exclude_self: true,
            form: AttachForm::Json,
            looks: true,
        };
        let mut line = request.to_line().context("ask for looks")?;
        line.push(b'\n');
        socket.write_all(&line).context("ask for looks")?;
        let lines = Lines::of("the recorder's socket", socket.try_clone()?)?;
        let looks = Self { socket, lines, deadline };
        let answer = looks.line()?;
        match AttachAnswer::from_line(answer.as_bytes()) {
            Ok(AttachAnswer::Welcome(_)) => Ok(looks),
            other => bail!("the recorder's answer is no welcome: {other:?}"),
        }
    }

    /// The next look. None was missed before it.
    pub fn next(&self) -> anyhow::Result<Usage> {
        loop {
            let line = self.line()?;
            if let Some(look) = look_from_line(line.as_bytes()) {
                return look.map_err(|failure| anyhow!("a look is none: {failure:?}"));
            }
            if let Some(note) = AttachNote::from_line(line.as_bytes()) {
                let note = note.map_err(|failure| anyhow!("a note is none: {failure:?}"))?;
                ensure!(note.missed == 0, "{} lines were missed", note.missed);
            }
        }
    }

    fn line(&self) -> anyhow::Result<String> {
        self.lines.next(&self.deadline)?.context("the recorder tells nothing more")
    }
}

impl Drop for Looks {
    fn drop(&mut self) {
        // The thread that reads ends by it.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

//! From what a recorder sends to what is shown: events as they are, notes in
//! words.

use std::io;

use super::account::Account;
use crate::{kernel::clock, model::AttachNote, render::Form};

/// No line of an event is nearly as long.
const LINE_MAX: usize = 4 << 20;

/// Writes what comes, in whole lines.
pub(super) struct Lines<W> {
    writer: W,
    form: Form,
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
    whole: Vec<u8>,
    account: Account,
}

/// Why nothing more can be shown.
#[derive(Debug)]
pub(super) enum Broken {
    /// Writing failed.
    Write(io::Error),
    /// What came is no recorder's.
    Nonsense,
}

impl<W: io::Write> Lines<W> {
    pub(super) fn new(writer: W, form: Form) -> Self {
        let account = Account::default();
        Self { writer, form, begun: Vec::new(), whole: Vec::new(), account }
    }

    pub(super) const fn account(&self) -> &Account {
        &self.account
    }

    /// Takes what came, and writes the lines that are whole now.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.begun.len() > LINE_MAX {
                return Err(Broken::Nonsense);
            }
            if !piece.ends_with(b"\n") {
                self.begun.extend_from_slice(piece);
            } else if self.begun.is_empty() {
                line(piece, &mut self.whole, &self.form, &mut self.account)?;
            } else {
                self.begun.extend_from_slice(piece);
                line(&self.begun, &mut self.whole, &self.form, &mut self.account)?;
                self.begun.clear();
            }
        }
        let written = self.writer.write_all(&self.whole).and_then(|()| self.writer.flush());
        self.whole.clear();
        written.map_err(Broken::Write)
    }
}

fn line(line: &[u8], out: &mut Vec<u8>, form: &Form, account: &mut Account) -> Result<(), Broken> {
    match AttachNote::from_line(line) {
        None => {
            account.shown += 1;
            out.extend_from_slice(line);
        }
        Some(Err(_)) => return Err(Broken::Nonsense),
        Some(Ok(note)) => {
            account.hear(&note);
            if note.missed > 0 {
                let until = note.missed_until.unwrap_or_else(clock::now);
                form.write_missed(out, note.missed, until);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::WallTime;

    fn form() -> Form {
        Form::Json { host: "box".to_owned() }
    }

    #[test]
    fn however_it_is_cut_whole_lines_are_shown_and_notes_are_counted() {
        let mut sent = b"{\"kind\":\"exec\"}\n".to_vec();
        let missed_until = Some(WallTime { unix_ns: 0 });
        AttachNote { missed: 3, missed_until, lost: 2, last: false }.write(&mut sent);
        AttachNote { lost: 1, ..AttachNote::default() }.write(&mut sent);
        sent.extend(b"{\"kind\":\"exit\"}\n");
        AttachNote { last: true, ..AttachNote::default() }.write(&mut sent);
        for size in 1..sent.len() + 1 {
            let mut shown = Vec::new();
            let mut lines = Lines::new(&mut shown, form());
            for piece in sent.chunks(size) {
                assert!(!lines.account().is_last);
                lines.take(piece).unwrap();
            }
            let account = Account { shown: 2, missed: 3, lost: 3, is_last: true };
            assert_eq!(*lines.account(), account);
            let shown = String::from_utf8(shown).unwrap();
            let lines: Vec<_> = shown.lines().collect();
            let [first, missed, last] = lines.as_slice() else { panic!("{shown}") };
            assert_eq!(*first, r#"{"kind":"exec"}"#);
            assert!(missed.ends_with(r#""kind":"missed","missed":{"events":3}}"#), "{missed}");
            assert_eq!(*last, r#"{"kind":"exit"}"#);
        }
    }

    #[test]
    fn what_is_no_recorders_ends_it() {
        let mut lines = Lines::new(Vec::new(), form());
        assert!(matches!(lines.take(b"\x1enothing\n"), Err(Broken::Nonsense)));
        let mut lines = Lines::new(Vec::new(), form());
        let endless = vec![b'x'; LINE_MAX + 1];
        lines.take(&endless).unwrap();
        assert!(matches!(lines.take(b"x"), Err(Broken::Nonsense)));
    }
}

//! A session's files: rows as they come, look by look, in phases that somebody
//! else names meanwhile.

mod mark;

pub use mark::{MarkFailure, Marked, mark_phase, runtime_folders};

use std::{
    fs::{self, File, OpenOptions},
    hash::{BuildHasher as _, RandomState},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::{
    model::{GpuSnapshot, Usage, WallTime},
    render::{Utc, session_rows},
};
use mark::Marks;

/// A file whose rows come a look at a time: all those of a look, or none.
#[derive(Debug)]
struct Rows {
    path: PathBuf,
    file: File,
    /// Up to where whole looks are in it.
    length: u64,
}

impl Rows {
    fn create(path: PathBuf, head: &[u8]) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create_new(true).open(&path)?;
        let mut rows = Self { path, file, length: 0 };
        match rows.append(head) {
            Ok(()) => Ok(rows),
            Err(error) => {
                rows.undo();
                Err(error)
            }
        }
    }

    /// Takes the file away again: a session that could not begin leaves nothing.
    fn undo(&self) {
        let _ = fs::remove_file(&self.path);
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let result = self.file.write_all(bytes);
        match result {
            Ok(()) => self.length += u64::try_from(bytes.len()).unwrap_or_default(),
            // Half a row is worse than none. Where even that fails, the reader
            // counts it as one that cannot be read.
            Err(_) => drop(self.file.set_len(self.length)),
        }
        result
    }
}

/// Writes a session.
#[derive(Debug)]
pub struct SessionWriter {
    id: String,
    personas: Rows,
    gpus: Rows,
    marks: Marks,
    unwritten: u64,
    is_failing: bool,
}

impl SessionWriter {
    /// Begins a session beside `output`: with `run.csv` its files are
    /// `run-ID-personas.csv`, `run-ID-gpus.csv` and `run-ID-phases.csv`.
    /// `runtime_folder` is where [`mark_phase`] finds it.
    ///
    /// # Errors
    /// A file cannot be made; the error names it, and none is left.
    pub fn begin(output: &Path, runtime_folder: &Path, now: WallTime) -> io::Result<Self> {
        let id = session_id(now);
        let file = |part| beside(output, &id, part);
        let make = |part, head: fn(&mut Vec<u8>)| {
            let path = file(part);
            let mut bytes = Vec::new();
            head(&mut bytes);
            Rows::create(path.clone(), &bytes).map_err(|error| named(&path, &error))
        };
        let personas = make("personas", session_rows::write_persona_head)?;
        let gpus = make("gpus", session_rows::write_gpu_head).inspect_err(|_| personas.undo())?;
        let marks = Marks::begin(runtime_folder, &id, &file("phases")).inspect_err(|_| {
            personas.undo();
            gpus.undo();
        })?;
        Ok(Self { id, personas, gpus, marks, unwritten: 0, is_failing: false })
    }

    /// The session's name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The file of personas, which stands for the session.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.personas.path
    }

    /// Looks of which not all could be written.
    #[must_use]
    pub const fn unwritten(&self) -> u64 {
        self.unwritten
    }

    /// Writes a look's rows. That they cannot be written is no error of the
    /// run: it is counted, and told by a sentence when it begins and when it
    /// ends.
    pub fn look(&mut self, usage: &Usage, gpus: Option<&GpuSnapshot>) -> Option<String> {
        self.marks.read();
        let phase = self.marks.phase();
        let mut rows = Vec::new();
        session_rows::write_personas(&mut rows, usage, phase);
        let mut gpu_rows = Vec::new();
        if let Some(snapshot) = gpus {
            session_rows::write_gpus(&mut gpu_rows, usage.wall_time, snapshot, phase);
        }
        let failure = [(&mut self.personas, rows), (&mut self.gpus, gpu_rows)]
            .into_iter()
            .filter_map(|(file, rows)| {
                file.append(&rows).err().map(|error| named(&file.path, &error))
            })
            .next();
        match failure {
            Some(error) => {
                self.unwritten += 1;
                let is_new = !std::mem::replace(&mut self.is_failing, true);
                is_new.then(|| {
                    format!(
                        "{error}; the session goes on, and looks that cannot be written are counted"
                    )
                })
            }
            None => std::mem::replace(&mut self.is_failing, false).then(|| {
                format!(
                    "the session is written again; of {} looks not all could be written",
                    self.unwritten
                )
            }),
        }
    }
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
}

/// UTC and four digits: two sessions of a second have two names.
fn session_id(now: WallTime) -> String {
    let time = Utc(now).to_string();
    let time: String = time.chars().take(19).filter(|c| !matches!(c, '-' | ':')).collect();
    // Keyed anew for each, from the system's randomness.
    format!("{time}Z-{:04x}", RandomState::new().hash_one(now.unix_ns) & 0xffff)
}

fn beside(output: &Path, id: &str, part: &str) -> PathBuf {
    let mut name = match output.extension() {
        Some(end) if end.eq_ignore_ascii_case("csv") => output.file_stem(),
        _ => output.file_name(),
    }
    .map(std::ffi::OsStr::to_owned)
    .unwrap_or_else(|| "session".into());
    name.push(format!("-{id}-{part}.csv"));
    output.with_file_name(name)
}

#[cfg(test)]
mod tests;

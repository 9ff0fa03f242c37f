//! The files of persona rules: which they are, reading them, and reading them
//! again when they change.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    kernel::file_watch::FileWatch,
    persona::{RuleError, RuleFile, Rules},
    render::text::Escaped,
};

/// Rules of the machine, read where the file is there.
pub const MACHINE_RULES: &str = "/etc/genome-trace/personas.toml";

/// Errors of a file that are told one by one.
const ERRORS_SHOWN: usize = 20;

/// Why rules cannot be used.
#[derive(Debug)]
pub enum RulesFailure {
    /// The file cannot be read.
    Read(PathBuf, io::Error),
    /// It is wrong.
    Rules(Vec<RuleError>),
}

impl std::fmt::Display for RulesFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Read(path, error) => {
                write!(f, "cannot read the persona rules in {}: {error}", path.display())
            }
            Self::Rules(errors) => {
                for (index, error) in errors.iter().take(ERRORS_SHOWN).enumerate() {
                    // It may quote what stands in the file.
                    let error = error.to_string();
                    let between = if index == 0 { "" } else { "\n" };
                    write!(f, "{between}{}", Escaped(error.as_bytes()))?;
                }
                match errors.len().saturating_sub(ERRORS_SHOWN) {
                    0 => Ok(()),
                    more => write!(f, "\nand {more} more errors in the same file"),
                }
            }
        }
    }
}

impl std::error::Error for RulesFailure {}

/// The files, the most telling first.
#[derive(Clone, Debug)]
pub struct RuleFiles {
    /// Files that were asked for, and must be there.
    asked_for: Vec<PathBuf>,
}

impl RuleFiles {
    /// Those that were asked for, then the machine's.
    #[must_use]
    pub const fn new(asked_for: Vec<PathBuf>) -> Self {
        Self { asked_for }
    }

    /// Reads them all.
    ///
    /// # Errors
    /// The first file that cannot be read, or is wrong.
    pub fn read(&self) -> Result<Rules, RulesFailure> {
        let mut files = Vec::new();
        for path in &self.asked_for {
            files.push(read_rule_file(path)?);
        }
        let machine = Path::new(MACHINE_RULES);
        match read_rule_file(machine) {
            Ok(file) => files.push(file),
            Err(RulesFailure::Read(_, error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(Rules::new(files))
    }

    /// Tells when one of them changes.
    ///
    /// # Errors
    /// The system's limit on watches.
    pub fn watch(&self) -> io::Result<FileWatch> {
        let mut files = self.asked_for.clone();
        files.push(MACHINE_RULES.into());
        FileWatch::new(&files)
    }
}

/// Reads one file.
///
/// # Errors
/// It cannot be read, or is wrong.
pub fn read_rule_file(path: &Path) -> Result<RuleFile, RulesFailure> {
    let text =
        fs::read_to_string(path).map_err(|error| RulesFailure::Read(path.to_owned(), error))?;
    RuleFile::parse(&path.display().to_string(), &text).map_err(RulesFailure::Rules)
}

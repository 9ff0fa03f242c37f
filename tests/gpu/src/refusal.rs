//! Why something was not checked, which is no failure of genome-trace, and no
//! success either.

use std::fmt;

/// Nothing can be checked on this machine.
#[derive(Debug)]
pub(crate) struct NotHere(pub(crate) String);

/// One check cannot be made, or its figures mean nothing.
#[derive(Debug)]
pub(crate) struct Skipped(pub(crate) String);

impl fmt::Display for NotHere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotHere {}
impl std::error::Error for Skipped {}

//! What folders and executables are called in a report.

use crate::usage::RunNames;

/// As they are.
pub(super) struct AsTheyAre;

impl RunNames for AsTheyAre {
    fn executable(&self, path: &[u8]) -> String {
        String::from_utf8_lossy(path).into_owned()
    }

    fn folder(&self, path: &[u8]) -> String {
        String::from_utf8_lossy(path).into_owned()
    }
}

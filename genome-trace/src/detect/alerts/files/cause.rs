//! What was found to be too much and goes on: one cause each, whatever folder
//! it turns out to be about.

use super::window::Counts;
use crate::model::Rule;

/// Causes that one persona may have at a time.
pub(super) const CAUSES: usize = 8;
/// So long after the last creation counts of bytes and unlinks are still told.
const SETTLES_NS: u64 = 3_000_000_000;

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Cause {
    pub(super) rule: Rule,
    /// By which its alert is told from others: the folder as it was told first.
    pub(super) name: String,
    pub(super) folder: Vec<u8>,
    told: Counts,
    /// The last creation that was told.
    last_ns: u64,
    /// It was found in this round.
    pub(super) is_found: bool,
}

/// Whether one folder is the other or lies below it. The root stands for itself
/// alone: what lies below it is not one thing.
pub(super) fn is_below(path: &[u8], folder: &[u8]) -> bool {
    if folder.is_empty() {
        return path.is_empty();
    }
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

impl Cause {
    pub(super) fn new(rule: Rule, folder: &[u8]) -> Self {
        Self {
            rule,
            name: shown(folder),
            folder: folder.to_vec(),
            told: Counts::default(),
            last_ns: 0,
            is_found: false,
        }
    }

    /// Whether this is about what was found.
    pub(super) fn is_about(&self, rule: Rule, folder: &[u8]) -> bool {
        self.rule == rule && (is_below(folder, &self.folder) || is_below(&self.folder, folder))
    }

    /// It was found again; whether there is anything new to tell.
    pub(super) fn found(&mut self, folder: &[u8], sum: Counts, last_ns: u64, now_ns: u64) -> bool {
        self.is_found = true;
        self.folder.clear();
        self.folder.extend_from_slice(folder);
        let settles = now_ns.saturating_sub(last_ns) <= SETTLES_NS;
        let is_new = last_ns > self.last_ns || (settles && sum != self.told);
        if is_new {
            (self.told, self.last_ns) = (sum, self.last_ns.max(last_ns));
        }
        is_new
    }

    /// Whether nothing has been created for so long.
    pub(super) const fn is_quiet(&self, now_ns: u64, quiet_ns: u64) -> bool {
        now_ns.saturating_sub(self.last_ns) > quiet_ns
    }
}

/// A folder as it is told. One whose path is not known from its root begins
/// with a mark.
pub(super) fn shown(folder: &[u8]) -> String {
    let text = String::from_utf8_lossy(folder);
    match folder.first() {
        None => "/".to_owned(),
        Some(b'/') => text.into_owned(),
        Some(_) => format!("…/{text}"),
    }
}

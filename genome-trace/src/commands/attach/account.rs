//! What a reader was shown, and what not.

use std::fmt;

use crate::model::AttachNote;

/// The last line of a run that was attached, without its newline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Account {
    /// Lines of events.
    pub(super) shown: u64,
    /// Events that came too fast.
    pub(super) missed: u64,
    /// What the recorder itself lost meanwhile.
    pub(super) lost: u64,
    /// Nothing more comes.
    pub(super) is_last: bool,
}

impl Account {
    pub(super) fn hear(&mut self, note: &AttachNote) {
        self.missed = self.missed.saturating_add(note.missed);
        self.lost = self.lost.saturating_add(note.lost);
        self.is_last |= note.last;
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shown, missed, lost, .. } = self;
        let plural = if *shown == 1 { "" } else { "s" };
        write!(
            f,
            "genome-trace: {shown} event{plural} shown, {missed} missed by this reader, {lost} \
             lost by the recorder meanwhile"
        )
    }
}

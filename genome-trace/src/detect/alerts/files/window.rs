//! Counts over a window that moves in twentieths: no memory for a single file.

/// Parts of the window. The window is as long as all of them, less what of the
/// newest is still to come.
pub(super) const BUCKETS: usize = 20;
/// The same, as a distance between two parts.
pub(super) const SPAN: u64 = BUCKETS as u64;

/// What happened in one part of the window, or in all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Files created.
    pub(super) created: u64,
    /// Of them, those that are not there any more.
    pub(super) gone: u64,
    /// Unlinks of such files.
    pub(super) unlinked: u64,
    /// Bytes written.
    pub(super) bytes: u64,
    /// Files whose content was looked at.
    pub(super) read: u32,
    /// Files that were to be looked at and were gone, or could not be read.
    pub(super) unread: u32,
}

impl Counts {
    /// Files that were created and are still there.
    pub(super) const fn kept(&self) -> u64 {
        self.created.saturating_sub(self.gone)
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.created = self.created.saturating_add(other.created);
        self.gone = self.gone.saturating_add(other.gone);
        self.unlinked = self.unlinked.saturating_add(other.unlinked);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.read = self.read.saturating_add(other.read);
        self.unread = self.unread.saturating_add(other.unread);
    }
}

/// The parts of a window, by their numbers, which grow with time.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    parts: [Counts; BUCKETS],
    newest: u64,
}

impl Window {
    /// Forgets everything that was counted.
    pub(super) fn clear(&mut self) {
        self.parts = [Counts::default(); BUCKETS];
    }

    /// Begins anew at a part, be it an earlier one.
    pub(super) fn begin(&mut self, part: u64) {
        self.clear();
        self.newest = part;
    }

    /// Lets go of what is too old at part `now`; by how many parts it moved.
    pub(super) fn advance(&mut self, now: u64) -> u64 {
        let by = now.saturating_sub(self.newest);
        if by >= SPAN {
            self.parts = [Counts::default(); BUCKETS];
        } else {
            for number in self.newest + 1..=now {
                if let Some(part) = self.parts.get_mut(place(number)) {
                    *part = Counts::default();
                }
            }
        }
        self.newest = self.newest.max(now);
        by
    }

    /// A part; `None` where it is not in the window any more.
    pub(super) fn part(&mut self, number: u64) -> Option<&mut Counts> {
        let is_inside = number <= self.newest && self.newest - number < SPAN;
        if is_inside { self.parts.get_mut(place(number)) } else { None }
    }

    /// All of it, and the number of the oldest part in which files were
    /// created.
    pub(super) fn sum(&self) -> (Counts, Option<u64>) {
        let (mut sum, mut oldest) = (Counts::default(), None);
        for number in self.newest.saturating_sub(SPAN - 1)..=self.newest {
            let Some(part) = self.parts.get(place(number)) else { continue };
            sum.add(part);
            if part.created > 0 && oldest.is_none() {
                oldest = Some(number);
            }
        }
        (sum, oldest)
    }

    /// Takes in what another window has; both are to be at the same part.
    pub(super) fn join(&mut self, other: &Self) {
        for (mine, theirs) in self.parts.iter_mut().zip(&other.parts) {
            mine.add(theirs);
        }
    }
}

fn place(number: u64) -> usize {
    // Smaller than BUCKETS.
    usize::try_from(number % SPAN).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_the_window_is_gone() {
        let mut window = Window::default();
        for number in 100..110 {
            window.advance(number);
            window.part(number).unwrap().created += 1;
        }
        assert_eq!(window.sum().0.created, 10);
        assert_eq!(window.sum().1, Some(100));
        window.advance(100 + SPAN);
        assert_eq!((window.sum().0.created, window.sum().1), (9, Some(101)));
        assert!(window.part(100).is_none() && window.part(101).is_some());
        window.advance(5000);
        assert_eq!(window.sum(), (Counts::default(), None));
    }
}

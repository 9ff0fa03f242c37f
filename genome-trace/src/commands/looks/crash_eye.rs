//! Crashes of the last hour and alerts that are open, from a store that stays open from look to look.

use super::super::last_hour::known_crashes;
use crate::{
    model::{Alert, Crash, TimeRange, WallTime},
    store::{AlertQuery, History as _, Place, Reader, StoreError},
};

/// An alert that nobody spoke of for so long is no longer open: the recorder
/// was killed.
const GOES_ON_NS: i64 = 2 * 60 * 1_000_000_000;
/// How far back crashes count.
const HOUR_NS: i64 = 60 * 60 * 1_000_000_000;

/// Looks into a store, which may be there later, or be another one then.
pub(super) struct CrashEye {
    place: Place,
    reader: Option<Reader>,
}

impl CrashEye {
    pub(super) const fn new(place: Place) -> Self {
        Self { place, reader: None }
    }

    /// The latest first; `None` where no store can be read, or nobody watched.
    pub(super) fn look(&mut self, now: WallTime) -> Option<Vec<Crash>> {
        let crashes = self.read(now);
        if crashes.is_err() {
            // Whatever is wrong with it, the next look begins anew.
            self.reader = None;
        }
        crashes.ok().flatten()
    }

    /// The alerts that are open, as far as the last look could be read: who
    /// writes them says so every few seconds as long as they go on.
    pub(super) fn open_alerts(&self, now: WallTime) -> Vec<Alert> {
        let from = WallTime { unix_ns: now.unix_ns.saturating_sub(GOES_ON_NS) };
        let range = TimeRange { from, until: WallTime { unix_ns: i64::MAX } };
        let query = AlertQuery { open: true, ..AlertQuery::all(range) };
        let read = |reader: &Reader| reader.alerts(&query);
        let mut alerts = self.reader.as_ref().and_then(|reader| read(reader).ok());
        if let Some(alerts) = &mut alerts {
            alerts.retain(|alert| alert.last >= from);
        }
        alerts.unwrap_or_default()
    }

    fn read(&mut self, now: WallTime) -> Result<Option<Vec<Crash>>, StoreError> {
        let reader = match self.reader.take().filter(Reader::is_current) {
            Some(reader) => self.reader.insert(reader),
            None => self.reader.insert(Reader::open(self.place.clone())?),
        };
        let from = WallTime { unix_ns: now.unix_ns.saturating_sub(HOUR_NS) };
        // One that came after the look is no secret.
        known_crashes(reader, TimeRange { from, until: WallTime { unix_ns: i64::MAX } })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;
    use crate::{
        kernel::clock,
        model::{CrashKind, ProcessKey},
        store::{Item, Store as _, Writer, WriterOptions},
    };

    fn write(place: &Place, crashes: usize) -> Writer {
        let writer = Writer::open(place.clone(), WriterOptions::new("boot")).unwrap();
        for _ in 0..crashes {
            let key = ProcessKey { tgid: 7, start_time: 9 };
            let crash = Crash::new(clock::now(), 9, key, CrashKind::Oom, "it did".to_owned());
            writer.push(Item::Crash(Box::new(crash)));
        }
        writer.flush(Duration::from_secs(60)).unwrap();
        writer
    }

    #[test]
    fn what_is_stored_after_the_first_look_is_seen_and_so_is_another_store() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path());
        let mut eye = CrashEye::new(place.clone());
        let mut count = || eye.look(clock::now()).map(|them| them.len());
        assert_eq!(count(), None, "there is no store yet");
        let first = write(&place, 0);
        assert_eq!(count(), Some(0));
        first.close().unwrap();
        let second = write(&place, 2);
        assert_eq!(count(), Some(2));
        second.close().unwrap();
        for end in ["", "-wal", "-shm"] {
            let name = format!("{}{end}", place.file().display());
            fs::rename(&name, format!("{name}.aside")).unwrap();
        }
        assert_eq!(count(), None, "it was set aside");
        let third = write(&place, 1);
        assert_eq!(count(), Some(1));
        third.close().unwrap();
    }

    #[test]
    fn an_hour_that_nobody_watched_has_no_count() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path());
        write(&place, 1).close().unwrap();
        let mut eye = CrashEye::new(place);
        let later = clock::now().unix_ns + 2 * HOUR_NS;
        assert_eq!(eye.look(WallTime { unix_ns: later }), None);
    }
}

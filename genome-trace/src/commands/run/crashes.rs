//! Where a run's crashes go: what a recorder would store of them, and nothing
//! else.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{
    model::{Crash, Event},
    store::{Item, Store, StoreError, StoreStatus},
};

/// Keeps crashes in memory.
#[derive(Debug, Default)]
pub(super) struct CrashList(Mutex<Vec<Crash>>);

impl CrashList {
    /// Those that there are.
    pub(super) fn take(&self) -> Vec<Crash> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store for CrashList {
    fn push(&self, item: Item) {
        if let Item::Crash(crash) = item {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(*crash);
        }
    }

    fn push_event(&self, _: &Event<'_>) {}

    fn flush(&self, _: Duration) -> Result<(), StoreError> {
        Ok(())
    }

    fn status(&self) -> StoreStatus {
        StoreStatus::default()
    }
}

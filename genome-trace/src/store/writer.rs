//! The side that writes: a thread that takes batches from the queue.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use super::{
    Item, Store, StoreState, StoreStatus,
    clock::now,
    error::StoreError,
    keeper::Keeper,
    place::Place,
    queue::{Queue, QueueLimits},
    retention::Retention,
    status::ForgetOrder,
};

/// How a store is written.
#[derive(Clone, Debug)]
pub struct WriterOptions {
    /// This boot, as in `/proc/sys/kernel/random/boot_id`: start times of
    /// processes are of one boot.
    pub boot_id: String,
    /// The group that may read it; `None` is that of who makes it.
    pub group: Option<u32>,
    /// How long what is kept.
    pub retention: Retention,
    /// How much may wait to be written.
    pub queue: QueueLimits,
}

impl WriterOptions {
    /// Defaults for this boot.
    #[must_use]
    pub fn new(boot_id: impl Into<String>) -> Self {
        Self {
            boot_id: boot_id.into(),
            group: None,
            retention: Retention::default(),
            queue: QueueLimits::default(),
        }
    }
}

/// Writes a store in SQLite. What was pushed is in it within 250 ms where the
/// disk is as quick, and stays there whatever kills the process. A power loss
/// may take the last minutes, but damages nothing.
#[derive(Debug)]
pub struct Writer {
    place: Place,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Seen by the thread and by those who push.
pub(super) struct Shared {
    pub(super) queue: Queue,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    status: StoreStatus,
    retention: Retention,
}

impl Writer {
    /// Opens the store at `place`, and makes it where there is none. Its folder
    /// is made, too, if the folder above is there.
    ///
    /// Where the disk is full, read-only or missing this is no error: the
    /// status says so, and the writer goes on trying.
    ///
    /// # Errors
    /// The store is of a later version or of another program, another recorder
    /// writes it, or no thread can be begun.
    pub fn open(place: Place, options: WriterOptions) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared {
            queue: Queue::new(options.queue),
            told: Mutex::new(Told { status: StoreStatus::default(), retention: options.retention }),
        });
        let mut keeper = Keeper::new(place.clone(), &options, Arc::clone(&shared));
        match keeper.open() {
            Err(
                refused @ (StoreError::Future { .. }
                | StoreError::Foreign { .. }
                | StoreError::InUse { .. }),
            ) => return Err(refused),
            Err(error) => {
                shared.tell(StoreState::Failing { since: now(), reason: error.to_string() })
            }
            Ok(()) => {}
        }
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || keeper.run())
            .map_err(|source| StoreError::Io {
                operation: "begin a thread that writes",
                path: place.file().to_owned(),
                source,
            })?;
        Ok(Self { place, shared, thread: Some(thread) })
    }

    /// Where it writes.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Keeps things for another time from now on.
    pub fn set_retention(&self, retention: Retention) {
        self.shared.lock().retention = retention;
    }

    /// Stores what waits, and says that the run is over.
    ///
    /// # Errors
    /// Not everything could be stored; one attempt was made.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.finish()
    }

    /// The same for who asks for the status afterwards. What is pushed from
    /// now on is counted as not stored.
    ///
    /// # Errors
    /// Not everything could be stored; one attempt was made.
    pub fn finish(&mut self) -> Result<(), StoreError> {
        self.end();
        match self.status().state {
            StoreState::Storing => Ok(()),
            StoreState::Failing { reason, .. } => Err(StoreError::Waiting { reason }),
        }
    }

    fn end(&mut self) {
        self.shared.queue.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            self.shared.tell(StoreState::Failing {
                since: now(),
                reason: "the thread that writes the store has panicked; start the recorder again"
                    .to_owned(),
            });
        }
    }
}

impl Store for Writer {
    fn push(&self, item: Item) {
        self.shared.queue.push(item);
    }

    fn flush(&self, timeout: Duration) -> Result<(), StoreError> {
        self.shared.queue.flush(timeout).map_err(|reason| StoreError::Waiting { reason })
    }

    fn status(&self) -> StoreStatus {
        let mut status = self.shared.lock().status.clone();
        status.unstored = self.shared.queue.unstored_ever();
        status
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn retention(&self) -> Retention {
        self.lock().retention
    }

    /// A failure that goes on keeps its beginning.
    pub(super) fn tell(&self, state: StoreState) {
        let mut told = self.lock();
        told.status.state = match (&told.status.state, state) {
            (StoreState::Failing { since, .. }, StoreState::Failing { reason, .. }) => {
                StoreState::Failing { since: *since, reason }
            }
            (_, state) => state,
        };
    }

    pub(super) fn tell_stored(&self, items: usize) {
        let mut told = self.lock();
        told.status.stored += items as u64;
        told.status.state = StoreState::Storing;
    }

    pub(super) fn tell_orders(&self, orders: Vec<ForgetOrder>) {
        self.lock().status.forget = orders;
    }

    pub(super) fn tell_set_aside(&self, path: PathBuf) {
        self.lock().status.set_aside.push(path);
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

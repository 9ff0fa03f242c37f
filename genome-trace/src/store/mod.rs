//! What is kept: events, processes, crashes, alerts, samples and gaps, in one SQLite
//! file that one recorder writes while others read it.
//!
//! Writing never holds up the tracer: items go into a bounded queue, and a
//! thread writes them in batches of at most 250 ms; another one syncs the disk.
//! What finds no room is counted, and becomes a gap. Whatever becomes of the disk, the thread goes on
//! trying, and [`Store::status`] says how it stands.

mod baselines;
mod batch;
mod clock;
mod error;
mod intern;
mod item;
mod keeper;
mod log;
mod open;
mod payload;
mod place;
mod process_row;
mod query;
mod queue;
mod reader;
mod retention;
mod roll_up;
mod schema;
mod session;
mod status;
mod unstored;
mod writer;

pub use baselines::forget_baselines;
pub use error::StoreError;
pub use item::{EventCopy, Item, ItemKind};
pub use place::Place;
pub use query::{
    AlertQuery, CrashId, CrashQuery, EventQuery, Resolution, SampleQuery, StoredCrash, TrackQuery,
};
pub use queue::QueueLimits;
pub use reader::Reader;
pub use retention::Retention;
pub use status::{ForgetOrder, StoreState, StoreStatus};
pub use writer::{Writer, WriterOptions};

use std::{ops::ControlFlow, time::Duration};

use crate::model::{
    Act, Alert, BaselineRow, Event, Gap, PersonaProgram, ProcessKey, ProcessRecord, RecorderRun,
    RollUp, RoomSample, TimeRange, Track,
};

/// Takes what is to be kept.
pub trait Store: Send + Sync {
    /// Takes an item. Returns at once: what finds no room is counted.
    fn push(&self, item: Item);

    /// Takes an event, likewise: a copy of it, where events are kept.
    fn push_event(&self, event: &Event<'_>) {
        self.push(Item::event(event));
    }

    /// Waits until all that was pushed before is stored.
    ///
    /// # Errors
    /// It could not be stored by now; it goes on waiting.
    fn flush(&self, timeout: Duration) -> Result<(), StoreError>;

    /// How it stands.
    fn status(&self) -> StoreStatus;
}

/// Answers questions about what was kept. Each answer is as of one moment, but
/// for that of [`History::events`], which goes on while others write.
pub trait History {
    /// Crashes, the latest first.
    ///
    /// # Errors
    /// The store cannot be read.
    fn crashes(&self, query: &CrashQuery) -> Result<Vec<StoredCrash>, StoreError>;

    /// Alerts, those that were raised last first.
    ///
    /// # Errors
    /// The store cannot be read.
    fn alerts(&self, query: &AlertQuery) -> Result<Vec<Alert>, StoreError>;

    /// One crash.
    ///
    /// # Errors
    /// The store cannot be read.
    fn crash(&self, id: CrashId) -> Result<Option<StoredCrash>, StoreError>;

    /// Hands events over, the earliest first, until `each` breaks.
    ///
    /// # Errors
    /// The store cannot be read.
    fn events(
        &self,
        query: &EventQuery,
        each: &mut dyn FnMut(&Event<'_>) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// Gaps that have a moment in common with a range, the earliest first.
    ///
    /// # Errors
    /// The store cannot be read.
    fn gaps(&self, range: TimeRange) -> Result<Vec<Gap>, StoreError>;

    /// When recorders ran, the earliest first.
    ///
    /// # Errors
    /// The store cannot be read.
    fn coverage(&self) -> Result<Vec<RecorderRun>, StoreError>;

    /// A process; where two boots had one with that key, the later one.
    ///
    /// # Errors
    /// The store cannot be read.
    fn process(&self, key: ProcessKey) -> Result<Option<ProcessRecord>, StoreError>;

    /// What personas are used to, by persona, as of a minute ago where a recorder
    /// runs.
    ///
    /// # Errors
    /// The store cannot be read.
    fn baselines(&self) -> Result<Vec<BaselineRow>, StoreError>;

    /// Samples, the earliest first.
    ///
    /// # Errors
    /// The store cannot be read.
    fn samples(&self, query: &SampleQuery) -> Result<Vec<RollUp>, StoreError>;

    /// Samples by their series: the machine's first, then those of personas by
    /// name and genome id. A series without any in the range is not among them.
    ///
    /// # Errors
    /// The store cannot be read.
    fn tracks(&self, query: &TrackQuery) -> Result<Vec<Track>, StoreError>;

    /// What was done about alerts, the earliest first.
    ///
    /// # Errors
    /// The store cannot be read.
    fn acts(&self, range: TimeRange) -> Result<Vec<Act>, StoreError>;

    /// How full file systems were, by mount and time.
    ///
    /// # Errors
    /// The store cannot be read.
    fn rooms(&self, range: TimeRange) -> Result<Vec<RoomSample>, StoreError>;

    /// The programs of personas that ran in a range, as far as their processes
    /// are kept, in order.
    ///
    /// # Errors
    /// The store cannot be read.
    fn programs(&self, range: TimeRange) -> Result<Vec<PersonaProgram>, StoreError>;

    /// When the first and the last sample are from, of those that are kept.
    ///
    /// # Errors
    /// The store cannot be read.
    fn sampled(&self) -> Result<Option<TimeRange>, StoreError>;
}

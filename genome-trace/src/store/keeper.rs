//! What the writing thread does: batches, attempts that fail and are made
//! again, and between batches a little upkeep.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Item, StoreState,
    batch::Known,
    clock::now,
    error::{Severity, StoreError, Told as _},
    open,
    place::Place,
    queue::Turn,
    retention::{Retirement, before},
    roll_up::RollUps,
    session::{Beginning, Session},
    writer::{Shared, WriterOptions},
};
use crate::model::WallTime;

/// How old a batch gets; with its commit and a step of upkeep it is 250 ms.
const AGE: Duration = Duration::from_millis(200);
/// How often the run is said to be alive where nothing happens.
const ALIVE: Duration = Duration::from_secs(5);
/// Before another attempt at what failed.
const PAUSE: Duration = Duration::from_secs(1);
/// A queue that runs over again and again makes a gap that often.
const GAP_EVERY: Duration = Duration::from_secs(1);
/// How often the upkeep is due where it has nothing left to do, and how long a
/// step of it takes.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
const UPKEEP: Duration = Duration::from_millis(20);

/// The state of the thread.
pub(super) struct Keeper {
    place: Place,
    boot_id: String,
    group: Option<u32>,
    shared: Arc<Shared>,
    session: Option<Session>,
    known: Known,
    roll_ups: RollUps,
    retirement: Retirement,
    /// What is at the place has been found to be damaged.
    is_damaged: bool,
    /// Where it was put, until a gap tells of it.
    aside: Option<PathBuf>,
    begun: WallTime,
    /// The latest commit.
    stored_at: Option<WallTime>,
    gap_told: Option<Instant>,
    /// Why attempts failed since the last gap was told.
    failure: Option<String>,
    upkept: Option<Instant>,
    has_more_upkeep: bool,
}

/// Answers those who wait, also when the thread panics.
struct Abandon(Arc<Shared>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.queue.abandon("the thread that writes the store has ended");
    }
}

impl Keeper {
    pub(super) fn new(place: Place, options: &WriterOptions, shared: Arc<Shared>) -> Self {
        Self {
            place,
            boot_id: options.boot_id.clone(),
            group: options.group,
            shared,
            session: None,
            known: Known::default(),
            roll_ups: RollUps::new(),
            retirement: Retirement::new(),
            is_damaged: false,
            aside: None,
            begun: now(),
            stored_at: None,
            gap_told: None,
            failure: None,
            upkept: None,
            has_more_upkeep: false,
        }
    }

    /// Works until the queue is closed.
    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        let _abandon = Abandon(Arc::clone(&shared));
        let mut batch = Vec::new();
        loop {
            let is_fresh = batch.is_empty();
            let Turn { flush, is_pressing, is_closed } = if is_fresh {
                let idle = if self.has_more_upkeep { AGE } else { ALIVE };
                shared.queue.take(&mut batch, AGE, idle)
            } else {
                shared.queue.rest(PAUSE)
            };
            let failed = self.attempt(&mut batch, is_pressing).err().map(|e| e.to_string());
            let is_failed = failed.is_some();
            // After another attempt at an old batch the queue's items are not
            // stored yet; they are next.
            if is_fresh || is_failed {
                shared.queue.answer(flush, failed);
            }
            if is_closed && (is_fresh || is_failed) {
                break;
            }
        }
        let mut rest = Vec::new();
        shared.queue.take(&mut rest, Duration::ZERO, Duration::ZERO);
        shared.queue.refuse(&batch);
        shared.queue.refuse(&rest);
        self.end();
    }

    /// Opens the store and writes down that a run has begun.
    pub(super) fn open(&mut self) -> Result<(), StoreError> {
        let (opened, aside) = open::open(&self.place, self.group, self.is_damaged)?;
        self.is_damaged = false;
        self.roll_ups = RollUps::new();
        self.known.forget();
        if let Some(aside) = aside {
            self.shared.tell_set_aside(aside.clone());
            self.aside = Some(aside);
        }
        let beginning = Beginning {
            boot_id: &self.boot_id,
            recorder_begun: self.begun,
            stored_at: self.stored_at,
            aside: self.aside.as_deref(),
        };
        let session = Session::begin(opened, &beginning)
            .told("begin a run in the store", self.place.file())?;
        self.aside = None;
        self.session = Some(session);
        Ok(())
    }

    /// Writes a batch, which is empty afterwards, or says why it could not.
    fn attempt(&mut self, batch: &mut Vec<Item>, is_pressing: bool) -> Result<(), StoreError> {
        let outcome = self.write(batch, is_pressing).or_else(|error| {
            // A damaged file is set aside at once, and a new one begun.
            self.fail(&error);
            if self.is_damaged { self.write(batch, is_pressing) } else { Err(error) }
        });
        match outcome {
            Ok(()) => {
                self.shared.tell_stored(batch.len());
                batch.clear();
                if let Err(error) = self.upkeep() {
                    self.fail(&error);
                }
                Ok(())
            }
            Err(error) => {
                self.fail(&error);
                Err(error)
            }
        }
    }

    /// Whatever failed, the connection is begun anew: what went wrong with the
    /// file may be other than SQLite thinks.
    fn fail(&mut self, error: &StoreError) {
        self.is_damaged = error.severity() == Severity::Corrupt;
        self.session = None;
        self.known.forget();
        self.failure = Some(error.to_string());
        self.shared.tell(StoreState::Failing { since: now(), reason: error.to_string() });
    }

    fn write(&mut self, batch: &mut Vec<Item>, is_pressing: bool) -> Result<(), StoreError> {
        if self.session.as_ref().is_some_and(|session| !session.opened.is_in_place(&self.place)) {
            self.session = None;
        }
        if self.session.is_none() {
            self.open()?;
        }
        let Some(session) = &self.session else { return Ok(()) };
        let is_gap_due =
            is_pressing || self.gap_told.is_none_or(|told| told.elapsed() >= GAP_EVERY);
        let unstored =
            if is_gap_due { self.shared.queue.take_unstored() } else { Default::default() };
        let reason = self.failure.as_deref().unwrap_or("the queue was full");
        let gap = unstored.gap(reason, now());
        match session.commit(&mut self.known, batch, gap.as_ref()) {
            Ok(()) => {}
            Err(error) => {
                self.shared.queue.give_back_unstored(&unstored);
                let error: Result<(), _> = Err(error);
                let error = error.told("write to the store", self.place.file());
                let is_rejected = error.as_ref().is_err_and(|e| e.severity() == Severity::Rejected);
                if !is_rejected {
                    return error;
                }
                self.known.forget();
                self.write_what_goes(batch)?;
            }
        }
        if gap.is_some() {
            self.gap_told = Some(Instant::now());
            self.failure = None;
        }
        if let Some(earliest) = self.known.take_earliest_sample_ns() {
            self.roll_ups.rewind(earliest);
        }
        if let Some(orders) = self.known.take_orders() {
            self.shared.tell_orders(orders);
        }
        self.stored_at = Some(now());
        Ok(())
    }

    /// Something in a batch will never be taken: finds it by halves, counts it
    /// and leaves it out.
    fn write_what_goes(&mut self, batch: &mut Vec<Item>) -> Result<(), StoreError> {
        let Some(session) = &self.session else { return Ok(()) };
        // What is in the store is taken out of the batch, so that an attempt
        // after a failure does not write it again.
        while !batch.is_empty() {
            let mut len = batch.len();
            loop {
                let Some(part) = batch.get(..len) else { return Ok(()) };
                match session
                    .commit(&mut self.known, part, None)
                    .told("write to the store", self.place.file())
                {
                    Ok(()) => {
                        self.shared.tell_stored(len);
                        break;
                    }
                    Err(error) if error.severity() == Severity::Rejected => {
                        self.known.forget();
                        self.failure = Some(error.to_string());
                        if len == 1 {
                            self.shared.queue.refuse(part);
                            break;
                        }
                        len /= 2;
                    }
                    Err(error) => return Err(error),
                }
            }
            batch.drain(..len);
        }
        Ok(())
    }

    fn upkeep(&mut self) -> Result<(), StoreError> {
        let is_due = self.upkept.is_none_or(|upkept| upkept.elapsed() >= UPKEEP_EVERY);
        if !is_due && !self.has_more_upkeep {
            return Ok(());
        }
        let Some(session) = &self.session else { return Ok(()) };
        let connection = &session.opened.connection;
        let retention = self.shared.retention();
        let now = now();
        let path = self.place.file();
        // Before samples go, their minutes are made.
        let rolled = self
            .roll_ups
            .step(connection, now, before(now, retention.events), UPKEEP / 2)
            .told("roll up samples in the store", path)?;
        let has_more = self
            .retirement
            .step(connection, &retention, session.boot, now, UPKEEP / 2)
            .told("let old records go from the store", path)?;
        self.has_more_upkeep = rolled || has_more;
        self.upkept = Some(Instant::now());
        Ok(())
    }

    fn end(&mut self) {
        let Some(session) = self.session.take() else { return };
        let over = session
            .end()
            .told("end a run in the store", self.place.file())
            .and_then(|()| session.opened.checkpoint(&self.place));
        // All items are stored. A run that is not marked as over looks like a
        // killed one, and a log that is not empty is read as any other.
        drop(over);
    }
}

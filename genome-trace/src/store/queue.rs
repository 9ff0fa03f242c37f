//! The queue between the tracer and the thread that writes. To push is to
//! take a lock for as long as a few moves take: it never waits for a disk.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    item::{Item, ItemKind},
    unstored::Unstored,
};
use crate::model::EventKind;

/// How much may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// Items.
    pub items: usize,
    /// Bytes that they hold.
    pub bytes: usize,
}

impl Default for QueueLimits {
    /// Two seconds of a storm of 30,000 events a second.
    fn default() -> Self {
        Self { items: 1 << 16, bytes: 32 << 20 }
    }
}

/// Items that are written before they are 250 ms old, since there are enough.
const ENOUGH: usize = 8192;
/// The most that is written at once where nobody waits: what is being written
/// takes memory beside the queue.
const MOST: usize = ENOUGH;

/// How much of the queue may be taken when an item still finds room: what is
/// rare finds some where a flood of something else has filled its part.
fn share(kind: ItemKind, limit: usize) -> usize {
    match kind {
        ItemKind::Crash | ItemKind::Alert | ItemKind::Act | ItemKind::Gap => limit,
        ItemKind::Event(EventKind::FileCreate | EventKind::FileWrite | EventKind::FileUnlink) => {
            limit - limit / 4
        }
        ItemKind::Event(_)
        | ItemKind::Process
        | ItemKind::Baselines
        | ItemKind::Sample
        | ItemKind::Room => limit - limit / 16,
    }
}

#[derive(Default)]
struct Waiting {
    items: VecDeque<Item>,
    bytes: usize,
    unstored: Unstored,
    unstored_ever: BTreeMap<ItemKind, u64>,
    flush_asked: u64,
    flush_done: u64,
    flush_failed: Option<String>,
    /// The writer waits for a batch to be old enough.
    is_gathering: bool,
    is_closed: bool,
    /// The writer is gone, and this is why nothing will be stored.
    abandoned: Option<String>,
}

impl Waiting {
    const fn turn(&self) -> Turn {
        Turn {
            flush: self.flush_asked,
            is_pressing: self.is_closed || self.flush_asked != self.flush_done,
            is_closed: self.is_closed,
        }
    }
}

/// Shared by those who push and the one who writes.
pub(super) struct Queue {
    limits: QueueLimits,
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    flushed: Condvar,
}

/// Why the writer was woken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// The last flush that was asked for before the items were taken.
    pub(super) flush: u64,
    /// Somebody waits for an answer.
    pub(super) is_pressing: bool,
    /// Nobody will push any more.
    pub(super) is_closed: bool,
}

impl Queue {
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self { limits, waiting: Mutex::default(), arrived: Condvar::new(), flushed: Condvar::new() }
    }

    /// Whoever panicked while it held the lock left counts and items behind
    /// that are as good as before.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an item, or counts it where there is no room.
    pub(super) fn push(&self, item: Item) {
        let size = item.size_bytes();
        let mut waiting = self.lock();
        let kind = item.kind();
        let has_room = waiting.items.len() < share(kind, self.limits.items)
            && waiting.bytes.saturating_add(size) <= share(kind, self.limits.bytes);
        if !has_room || waiting.is_closed {
            waiting.unstored.add(&item);
            *waiting.unstored_ever.entry(kind).or_default() += 1;
            return;
        }
        waiting.bytes += size;
        waiting.items.push_back(item);
        let len = waiting.items.len();
        let wakes = len == 1 || (waiting.is_gathering && len == ENOUGH);
        drop(waiting);
        if wakes {
            self.arrived.notify_one();
        }
    }

    /// Waits until something is there, then until it is as old as a batch
    /// gets, and takes it; takes what is there after `idle`. Where somebody
    /// waits for an answer this is all of it, else the first of very many.
    pub(super) fn take(&self, batch: &mut Vec<Item>, age: Duration, idle: Duration) -> Turn {
        let mut waiting = self.wait(self.lock(), idle, |waiting| waiting.items.is_empty());
        if !waiting.items.is_empty() {
            waiting.is_gathering = true;
            waiting = self.wait(waiting, age, |waiting| waiting.items.len() < ENOUGH);
            waiting.is_gathering = false;
        }
        let turn = waiting.turn();
        let len = waiting.items.len();
        let taken = if turn.is_pressing { len } else { len.min(MOST) };
        batch.extend(waiting.items.drain(..taken));
        waiting.bytes = if taken == len {
            0
        } else {
            let bytes = batch.iter().map(Item::size_bytes).sum();
            waiting.bytes.saturating_sub(bytes)
        };
        turn
    }

    /// Waits before another attempt at what could not be written; items go on
    /// waiting in the queue. Who wants a flush gets an attempt at once.
    pub(super) fn rest(&self, pause: Duration) -> Turn {
        self.wait(self.lock(), pause, |_| true).turn()
    }

    /// Waits as long as `goes_on`, no flush is asked for and nothing is
    /// closed.
    fn wait<'q>(
        &'q self,
        waiting: MutexGuard<'q, Waiting>,
        timeout: Duration,
        goes_on: impl Fn(&Waiting) -> bool,
    ) -> MutexGuard<'q, Waiting> {
        self.arrived
            .wait_timeout_while(waiting, timeout, |waiting| {
                goes_on(waiting) && !waiting.is_closed && waiting.flush_asked == waiting.flush_done
            })
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    /// What was not stored since the last such call.
    pub(super) fn take_unstored(&self) -> Unstored {
        std::mem::take(&mut self.lock().unstored)
    }

    /// What was taken could not be told, and is to be told later.
    pub(super) fn give_back_unstored(&self, unstored: &Unstored) {
        self.lock().unstored.merge(unstored);
    }

    /// Items that were taken will not be stored.
    pub(super) fn refuse(&self, items: &[Item]) {
        let mut refused = Unstored::default();
        items.iter().for_each(|item| refused.add(item));
        let mut waiting = self.lock();
        waiting.unstored.merge(&refused);
        for (kind, count) in refused.counts() {
            *waiting.unstored_ever.entry(*kind).or_default() += count;
        }
    }

    /// All that was not stored since the queue began.
    pub(super) fn unstored_ever(&self) -> BTreeMap<ItemKind, u64> {
        self.lock().unstored_ever.clone()
    }

    /// Waits until all that was pushed before is stored.
    pub(super) fn flush(&self, timeout: Duration) -> Result<(), String> {
        let deadline = Instant::now() + timeout;
        let mut waiting = self.lock();
        waiting.flush_asked += 1;
        let mine = waiting.flush_asked;
        self.arrived.notify_one();
        loop {
            if waiting.flush_done >= mine {
                return waiting.flush_failed.clone().map_or(Ok(()), Err);
            }
            if let Some(reason) = &waiting.abandoned {
                return Err(reason.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err("the disk is slow".to_owned());
            }
            waiting =
                self.flushed.wait_timeout(waiting, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Answers the flushes up to `flush`.
    pub(super) fn answer(&self, flush: u64, failed: Option<String>) {
        let mut waiting = self.lock();
        if waiting.flush_done < flush {
            waiting.flush_done = flush;
            waiting.flush_failed = failed;
            self.flushed.notify_all();
        }
    }

    /// Nothing more will be taken.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.arrived.notify_one();
    }

    /// Answers everybody who waits: the writer is gone.
    pub(super) fn abandon(&self, reason: &str) {
        let mut waiting = self.lock();
        waiting.is_closed = true;
        waiting.abandoned = Some(reason.to_owned());
        self.flushed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Event, FileUnlink, Gap, GapReason, Payload, WallTime};

    fn process(tgid: u32) -> Item {
        let key = crate::model::ProcessKey { tgid, start_time: 0 };
        Item::Process(Box::new(crate::model::ProcessRecord::unknown(key)))
    }

    fn gap(at: i64) -> Item {
        let at = WallTime { unix_ns: at };
        Item::Gap(Box::new(Gap {
            from: at,
            until: at,
            reason: GapReason::Lost,
            missing: None,
            note: None,
        }))
    }

    #[test]
    fn a_full_queue_counts_and_keeps_room_for_what_is_rare() {
        let queue = Queue::new(QueueLimits { items: 32, bytes: usize::MAX });
        (0..40).for_each(|tgid| queue.push(process(tgid)));
        (0..3).for_each(|at| queue.push(gap(at)));
        let unstored = queue.take_unstored();
        assert_eq!(
            unstored.counts(),
            &BTreeMap::from([(ItemKind::Process, 10), (ItemKind::Gap, 1)])
        );
        assert_eq!(queue.take_unstored(), Unstored::default());
        let mut batch = Vec::new();
        queue.take(&mut batch, Duration::ZERO, Duration::ZERO);
        // 30 processes, 1 gap, 1 gap; the third found no room.
        assert_eq!(batch.iter().filter(|item| item.kind() == ItemKind::Process).count(), 30);
    }

    fn event(payload: Payload<'_>) -> Item {
        Item::event(&Event {
            ktime_ns: 0,
            wall_time: WallTime { unix_ns: 0 },
            process: None,
            persona: None,
            persona_root: None,
            payload,
        })
    }

    #[test]
    fn a_flood_of_file_events_leaves_room_for_ends() {
        let unlink = || {
            event(Payload::FileUnlink(FileUnlink {
                path: Some(b"/tmp/a"),
                path_truncated: false,
                unlink_calls: 1,
            }))
        };
        let queue = Queue::new(QueueLimits { items: 32, bytes: usize::MAX });
        (0..40).for_each(|_| queue.push(unlink()));
        (0..10).for_each(|_| queue.push(event(Payload::Fork)));
        queue.push(unlink());
        let counts = BTreeMap::from([
            (ItemKind::Event(EventKind::FileUnlink), 17),
            (ItemKind::Event(EventKind::Fork), 4),
        ]);
        assert_eq!(queue.take_unstored().counts(), &counts);
        // By their bytes, too.
        let queue = Queue::new(QueueLimits { items: 1000, bytes: unlink().size_bytes() * 32 });
        (0..40).for_each(|_| queue.push(unlink()));
        queue.push(event(Payload::Fork));
        let counts = BTreeMap::from([(ItemKind::Event(EventKind::FileUnlink), 16)]);
        assert_eq!(queue.take_unstored().counts(), &counts);
    }

    #[test]
    fn very_many_are_taken_part_by_part_and_all_where_somebody_waits() {
        let queue = Queue::new(QueueLimits { items: 1 << 20, bytes: usize::MAX });
        let fill = || (0..MOST as u32 + 5).for_each(|tgid| queue.push(process(tgid)));
        let take = || {
            let mut batch = Vec::new();
            queue.take(&mut batch, Duration::ZERO, Duration::ZERO);
            batch.len()
        };
        fill();
        assert_eq!((take(), take(), take()), (MOST, 5, 0));
        assert_eq!(queue.lock().bytes, 0);
        fill();
        queue.close();
        assert_eq!(take(), MOST + 5);
    }

    #[test]
    fn bytes_are_bounded_too() {
        let size = process(0).size_bytes();
        let queue = Queue::new(QueueLimits { items: 1000, bytes: size * 32 });
        (0..40).for_each(|tgid| queue.push(process(tgid)));
        let unstored = queue.take_unstored();
        assert_eq!(unstored.counts(), &BTreeMap::from([(ItemKind::Process, 10)]));
    }

    #[test]
    fn what_was_not_stored_is_a_gap_from_the_first_to_the_last() {
        let queue = Queue::new(QueueLimits { items: 0, bytes: 0 });
        [5, 3, 9].into_iter().for_each(|at| queue.push(gap(at)));
        let taken = queue.take_unstored();
        queue.push(gap(1));
        queue.give_back_unstored(&taken);
        let gap = queue.take_unstored().gap("full", WallTime { unix_ns: 0 }).unwrap();
        assert_eq!((gap.from.unix_ns, gap.until.unix_ns), (1, 9));
        assert_eq!(gap.missing, Some(BTreeMap::from([("gap".to_owned(), 4)])));
        assert_eq!(queue.unstored_ever(), BTreeMap::from([(ItemKind::Gap, 4)]));
    }

    #[test]
    fn a_flush_that_nobody_answers_says_so() {
        let queue = Queue::new(QueueLimits::default());
        assert!(queue.flush(Duration::ZERO).is_err());
        queue.abandon("gone");
        assert_eq!(queue.flush(Duration::from_secs(3600)), Err("gone".to_owned()));
        queue.push(gap(1));
        assert_eq!(queue.unstored_ever(), BTreeMap::from([(ItemKind::Gap, 1)]));
    }
}

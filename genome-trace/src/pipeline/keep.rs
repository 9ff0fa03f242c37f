//! What a store is given of a trace: every event, whatever is shown of it, the
//! crashes among them, and what was lost.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::{
    detect::Ended,
    kernel::file_system::{Room, rooms},
    model::{
        Alert, BaselineRow, Event, Gap, GapReason, Lost, Payload, ProcessRecord, RecentCrash,
        RoomSample, Usage, WallTime,
    },
    source::StderrTails,
    store::{ForgetOrder, Item, Store},
    symbolize::{StackAnswer, Symbolizer},
};

use super::{
    Attribution, Known as Around,
    late::{Late, Phase},
    neighbours::Neighbours,
    stacks::Stacks,
};

/// File systems are looked at once in so many looks, and one.
const LOOKS_A_ROOM: u32 = 9;
/// How long the end of a run waits for the names of stacks.
const SETTLE: Duration = Duration::from_secs(2);

/// Hears every event in its order, and says which of them was the end of a
/// process that was a crash, or may turn out to have been one.
pub type CrashJudge = Box<dyn FnMut(&Event<'_>) -> Option<Box<Ended>>>;

/// Hands over to a store.
pub struct Keep {
    store: Arc<dyn Store>,
    judge: CrashJudge,
    stderr: Option<StderrTails>,
    stacks: Option<Stacks>,
    late: Late,
    neighbours: Option<Neighbours>,
    /// Looks until file systems are looked at again.
    looks_left: u32,
    /// Crashes that nobody was told of yet.
    crashes: Vec<RecentCrash>,
}

impl Keep {
    /// What happens goes to `store`, with what `judge` makes of it, and the end
    /// of what a process that crashed wrote to its standard error, where that
    /// is kept.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        judge: CrashJudge,
        stderr: Option<StderrTails>,
        symbolizer: Option<Symbolizer>,
    ) -> Self {
        let stacks = symbolizer.map(Stacks::new);
        Self {
            store,
            judge,
            stderr,
            stacks,
            late: Late::default(),
            neighbours: None,
            looks_left: 0,
            crashes: Vec::new(),
        }
    }

    /// At an OOM kill, `neighbours` says who else was big.
    pub(super) fn with_neighbours(self, neighbours: Option<Neighbours>) -> Self {
        Self { neighbours, ..self }
    }

    /// To be called with an event before [`Keep::event`].
    pub(super) fn look_around(&mut self, event: &Event<'_>, around: &Around, whose: &Attribution) {
        if let Some(neighbours) = &mut self.neighbours {
            neighbours.hear(event, around, whose);
        }
    }

    /// Something happened.
    pub(super) fn event(&mut self, event: &Event<'_>) {
        self.store.push_event(event);
        if let Some(stacks) = &mut self.stacks {
            stacks.hear(event);
        }
        self.late.hear(event);
        let ended = (self.judge)(event);
        let is_crash = ended.is_some();
        let stderr = self.stderr.as_mut().and_then(|stderr| follow(stderr, event, is_crash));
        if let Some(ended) = ended {
            self.late.add(ended, stderr, Instant::now());
        } else if let (Payload::Exit(_), Some(process), Some(stacks)) =
            (&event.payload, &event.process, &mut self.stacks)
        {
            stacks.take(process.key);
        }
        if is_crash {
            self.store_complete();
        }
    }

    /// Counts are about to be flushed; whether a crash waits for that.
    pub(super) fn flush_begins(&mut self) -> bool {
        self.late.flush_begins()
    }

    /// All that was counted before that flush began was told.
    pub(super) fn flushed(&mut self) {
        self.late.flushed();
        self.store_complete();
    }

    /// Ready when the names of a stack have come. Cancelling it loses none.
    pub(super) async fn named(&mut self) -> StackAnswer {
        match &mut self.stacks {
            Some(stacks) => stacks.next().await,
            None => std::future::pending().await,
        }
    }

    /// Takes such names in.
    pub(super) fn take_names(&mut self, answer: StackAnswer) {
        if let Some(stacks) = &mut self.stacks {
            stacks.answered(answer);
        }
        self.store_complete();
    }

    /// At a tick: what was waited for in vain is waited for no longer.
    pub(super) fn tick(&mut self) {
        self.store_complete();
        if let Some(stacks) = &mut self.stacks {
            stacks.tick();
        }
    }

    /// The run has ended: waits a little for the names that crashes still lack,
    /// then keeps all.
    pub(super) async fn settle(&mut self) {
        let until = Instant::now() + SETTLE;
        self.store_crashes(Phase::Ending);
        while !self.late.is_empty()
            && let Ok(answer) = tokio::time::timeout_at(until, self.named()).await
        {
            if let Some(stacks) = &mut self.stacks {
                stacks.answered(answer);
            }
            self.store_crashes(Phase::Ending);
        }
        self.store_crashes(Phase::Over);
    }

    fn store_complete(&mut self) {
        self.store_crashes(Phase::Running(Instant::now()));
    }

    fn store_crashes(&mut self, phase: Phase) {
        while let Some(mut crash) = self.late.next(&mut self.stacks, phase) {
            if let Some(neighbours) = &mut self.neighbours {
                neighbours.add_to(&mut crash);
            }
            self.crashes.push(RecentCrash::of(&crash));
            self.store.push(Item::Crash(crash));
        }
    }

    /// The crashes since the last such call.
    pub(super) fn take_crashes(&mut self) -> Vec<RecentCrash> {
        std::mem::take(&mut self.crashes)
    }

    /// Something has become of an alert.
    pub(super) fn alert(&self, alert: Alert) {
        self.store.push(Item::Alert(Box::new(alert)));
    }

    /// What personas are used to has changed.
    pub(super) fn baselines(&self, rows: Vec<BaselineRow>) {
        self.store.push(Item::Baselines(rows.into_boxed_slice()));
    }

    /// What of it was ordered to be forgotten.
    pub(super) fn forget_orders(&self) -> Vec<ForgetOrder> {
        self.store.status().forget
    }

    /// What everybody uses was looked at.
    pub(super) fn usage(&mut self, usage: &Usage) {
        for sample in usage.samples() {
            self.store.push(Item::Sample(Box::new(sample)));
        }
        match self.looks_left.checked_sub(1) {
            Some(left) => self.looks_left = left,
            None => {
                self.looks_left = LOOKS_A_ROOM;
                self.rooms(usage.wall_time);
            }
        }
    }

    /// How full file systems are.
    fn rooms(&self, wall_time: WallTime) {
        for Room { mount, used_bytes, total_bytes } in rooms() {
            let room = RoomSample { wall_time, mount, used_bytes, total_bytes };
            self.store.push(Item::Room(Box::new(room)));
        }
    }

    /// A process was there before the trace.
    pub(super) fn process(&mut self, record: ProcessRecord) {
        if let (Some(stderr), Some(_)) = (&mut self.stderr, &record.persona) {
            stderr.keep(record.key.tgid);
        }
        self.store.push(Item::Process(Box::new(record)));
    }

    /// Something was lost between two looks at the counters.
    pub(super) fn lost(&self, lost: &Lost, from: WallTime, until: WallTime) {
        let missing = lost.by_name().into_iter().filter(|(_, count)| *count > 0);
        let missing = missing.map(|(name, count)| (name.to_owned(), count)).collect();
        self.store.push(Item::Gap(Box::new(Gap {
            from,
            until,
            reason: GapReason::Lost,
            missing: Some(missing),
            note: None,
        })));
    }
}

/// Keeps the standard error of every process of a persona, or of the tree that
/// was asked for, from its fork or exec on; what it wrote last, where its end is a crash, or may be one.
/// It is taken at once: the next process with that PID begins anew.
fn follow(stderr: &mut StderrTails, event: &Event<'_>, is_crash: bool) -> Option<Vec<u8>> {
    let tgid = event.process.as_ref()?.key.tgid;
    match event.payload {
        Payload::Fork | Payload::Exec(_) if event.is_of_interest() => {
            stderr.keep(tgid);
            None
        }
        // Also of one that has lost its persona since.
        Payload::Exit(_) if is_crash => stderr.take(tgid),
        Payload::Exit(_) => {
            stderr.forget(tgid);
            None
        }
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;
    use crate::{
        detect::{CrashPolicy, CrashWatch},
        model::{Ending, Exit, Payload, Persona, Process, ProcessKey, SignalNumber, Watch},
        store::{ItemKind, StoreError, StoreStatus},
    };

    #[derive(Default)]
    struct Pushed(Mutex<Vec<Item>>);

    impl Store for Pushed {
        fn push(&self, item: Item) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(item);
        }

        fn flush(&self, _: Duration) -> Result<(), StoreError> {
            Ok(())
        }

        fn status(&self) -> StoreStatus {
            StoreStatus::default()
        }
    }

    const KEY: ProcessKey = ProcessKey { tgid: 7, start_time: 1 };

    fn event(payload: Payload<'_>) -> Event<'_> {
        Event {
            ktime_ns: 5,
            wall_time: WallTime { unix_ns: 6 },
            process: Some(Process {
                key: KEY,
                tid: None,
                ppid: None,
                uid: None,
                comm: None,
                cgroup_path: None,
                watch: Watch::default(),
            }),
            persona: None,
            persona_root: None,
            payload,
        }
    }

    const fn died() -> Payload<'static> {
        Payload::Exit(Exit {
            ending: Ending::Signaled { signal: SignalNumber(11), core_dumped: false },
            runtime_ns: 4,
            cpu_ns: None,
            peak_rss_bytes: None,
            write_calls: None,
            written_bytes: None,
            threads: None,
            open_files: None,
            vram: None,
        })
    }

    fn keep(pushed: &Arc<Pushed>) -> Keep {
        let mut watch = CrashWatch::new(CrashPolicy::default());
        let judge: CrashJudge = Box::new(move |event| watch.hear(event));
        Keep::new(Arc::clone(pushed) as Arc<dyn Store>, judge, None, None)
    }

    fn kinds(pushed: &Pushed) -> Vec<ItemKind> {
        pushed.0.lock().unwrap().iter().map(Item::kind).collect()
    }

    #[test]
    fn a_crash_comes_after_the_event_that_shows_it() {
        let pushed = Arc::new(Pushed::default());
        let mut keep = keep(&pushed);
        keep.event(&event(Payload::Fork));
        keep.event(&event(died()));
        keep.event(&event(Payload::Lost(Lost::default())));
        let of = ItemKind::Event;
        use crate::model::EventKind::{Exit, Fork, Lost as LostKind};
        assert_eq!(kinds(&pushed), [of(Fork), of(Exit), ItemKind::Crash, of(LostKind)]);
    }

    #[test]
    fn a_crash_of_a_worker_comes_after_the_flush_that_follows_it() {
        let pushed = Arc::new(Pushed::default());
        let mut keep = keep(&pushed);
        let persona = Persona { name: "CodeExpert".to_owned(), genome_id: None };
        assert!(!keep.flush_begins(), "nobody waits");
        keep.flushed();
        keep.event(&Event { persona: Some(&persona), ..event(died()) });
        assert_eq!(kinds(&pushed).len(), 1);
        assert!(keep.flush_begins());
        keep.flushed();
        assert_eq!(kinds(&pushed).get(1), Some(&ItemKind::Crash));
    }

    #[test]
    fn at_the_end_of_a_run_none_is_lost() {
        let pushed = Arc::new(Pushed::default());
        let mut keep = keep(&pushed);
        let persona = Persona { name: "CodeExpert".to_owned(), genome_id: None };
        keep.event(&Event { persona: Some(&persona), ..event(died()) });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(keep.settle());
        assert_eq!(kinds(&pushed).get(1), Some(&ItemKind::Crash));
    }

    #[test]
    fn a_gap_names_only_what_is_missing() {
        let pushed = Arc::new(Pushed::default());
        let keep = Keep::new(Arc::clone(&pushed) as Arc<dyn Store>, Box::new(|_| None), None, None);
        let (from, until) = (WallTime { unix_ns: 1 }, WallTime { unix_ns: 2 });
        keep.lost(&Lost { exit: 3, ..Lost::default() }, from, until);
        let items = pushed.0.lock().unwrap();
        let [Item::Gap(gap)] = items.as_slice() else { panic!("{items:?}") };
        assert_eq!((gap.from, gap.until, gap.reason), (from, until, GapReason::Lost));
        assert_eq!(gap.missing, Some([("exit".to_owned(), 3)].into()));
    }
}

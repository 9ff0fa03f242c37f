//! What goes wrong with a persona or the machine: a fold over events, looks and
//! crashes that finds anomalies, and makes one alert of all that have a cause
//! in common.
//!
//! Time is that of what is heard; nothing here asks a clock.

mod baselines;
mod book;
mod files;
mod levels;
mod loops;

pub use baselines::{Baselines, Habit, HabitPolicy, Normal, Quantity, ShownHabit};
pub use book::{BookPolicy, RulePolicy};
pub use files::FilePolicy;
pub use levels::LevelPolicy;
pub use loops::LoopPolicy;

use crate::model::{
    Alert, Anomaly, Event, FileRead, FileToRead, GpuSnapshot, Persona, PersonaSource, ProcessKey,
    ProcessRecord, RecentCrash, Usage, WallTime,
};
use book::Book;
use files::FileWatch;
use levels::LevelWatch;
use loops::LoopWatch;

/// When it is too much, and who is told how often.
#[derive(Clone, Debug, Default)]
pub struct DetectPolicy {
    /// Of files.
    pub files: FilePolicy,
    /// Of what is looked at.
    pub levels: LevelPolicy,
    /// Of what happens again and again.
    pub loops: LoopPolicy,
    /// Of habits.
    pub habits: HabitPolicy,
    /// Of alerts.
    pub book: BookPolicy,
}

/// All detectors, and the alerts that there are.
#[derive(Debug)]
pub struct Detectors {
    baselines: Baselines,
    files: FileWatch,
    levels: LevelWatch,
    loops: LoopWatch,
    book: Book,
    /// What was found and is not in the book yet.
    found: Vec<Anomaly>,
}

impl Detectors {
    /// Begins with what was learned before.
    #[must_use]
    pub fn new(policy: &DetectPolicy, baselines: Baselines) -> Self {
        Self {
            baselines: baselines.with_policy(&policy.habits),
            files: FileWatch::new(&policy.files),
            levels: LevelWatch::new(&policy.levels),
            loops: LoopWatch::new(&policy.loops),
            book: Book::new(&policy.book),
            found: Vec::new(),
        }
    }

    /// A process that was there before the first event.
    pub fn process(&mut self, record: &ProcessRecord) {
        self.files.process(record);
    }

    /// Hears of an event. To be called with every one, in their order.
    pub fn hear(&mut self, event: &Event<'_>) {
        self.files.hear(event);
        self.loops.hear(event, &mut self.found);
        self.levels.hear(event, &mut self.found);
        if !self.found.is_empty() {
            self.book.take(&mut self.found);
        }
    }

    /// What a persona was recognised by: the young are judged by others of the
    /// same. To be told before each look.
    pub fn recognised(&mut self, persona: &Persona, source: &PersonaSource) {
        self.baselines.recognised(persona, source);
    }

    /// What everybody uses, once a second, and the GPUs where there are any.
    pub fn look(&mut self, usage: &Usage, gpus: Option<&GpuSnapshot>) {
        self.levels.look(usage, gpus, &mut self.baselines, &mut self.found);
        self.tick_files(usage.machine.uptime_ns, usage.wall_time);
        self.loops.look(usage.wall_time, &mut self.found);
        self.book.take(&mut self.found);
        self.book.tick(usage.wall_time);
    }

    /// Time goes on, where nobody looks; all events and counts up to then were
    /// heard.
    pub fn tick(&mut self, boot_ns: u64, wall_time: WallTime) {
        self.tick_files(Some(boot_ns), wall_time);
        self.book.take(&mut self.found);
        self.book.tick(wall_time);
    }

    fn tick_files(&mut self, boot_ns: Option<u64>, wall_time: WallTime) {
        self.files.tick(boot_ns, wall_time, &mut self.baselines, &mut self.found);
    }

    /// Counts up to then are about to be taken.
    pub fn flushing(&mut self, boot_ns: u64) {
        self.files.flushing(boot_ns);
    }

    /// The next file whose content somebody is to look at.
    pub fn next_to_read(&mut self) -> Option<FileToRead> {
        self.files.next_to_read()
    }

    /// Nobody looks at files: those that wait for it are forgotten.
    pub fn drop_to_read(&mut self) {
        self.files.drop_to_read();
    }

    /// Somebody has looked.
    pub fn read(&mut self, read: &FileRead) {
        self.files.read(read);
    }

    /// The next process of which somebody is to say how many descriptors it may
    /// have. To be asked after a look.
    pub fn next_to_ask(&mut self) -> Option<ProcessKey> {
        self.levels.next_to_ask()
    }

    /// So many descriptors may a process have; `None` where that is not to be
    /// known.
    pub fn answer(&mut self, key: ProcessKey, open_files_limit: Option<u64>) {
        self.levels.answer(key, open_files_limit);
    }

    /// A process crashed.
    pub fn crashed(&mut self, crash: &RecentCrash) {
        self.loops.crashed(crash, &mut self.found);
        self.book.take(&mut self.found);
    }

    /// From now on; what was learned and found so far stays. The window of
    /// files and its tools are those of the start.
    pub fn set_policy(&mut self, policy: &DetectPolicy) {
        self.baselines.set_policy(&policy.habits);
        self.files.set_policy(&policy.files);
        self.levels.set_policy(&policy.levels);
        self.loops.set_policy(&policy.loops);
        self.book.set_policy(&policy.book);
    }

    /// Alerts that are not over.
    pub fn open_alerts(&self) -> impl Iterator<Item = &Alert> {
        self.book.open()
    }

    /// The next alert of which something has become.
    pub fn next_alert(&mut self) -> Option<Alert> {
        self.book.next()
    }

    /// What was learned, to be kept, or to be forgotten.
    pub const fn baselines_mut(&mut self) -> &mut Baselines {
        &mut self.baselines
    }

    /// What was learned.
    #[must_use]
    pub const fn baselines(&self) -> &Baselines {
        &self.baselines
    }
}

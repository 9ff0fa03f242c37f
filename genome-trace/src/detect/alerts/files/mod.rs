//! Files that are created, copied and thrown away in masses, by persona and
//! folder.
//!
//! Creations come one by one; what was written and unlinked comes in counts, a
//! second later at most. So nothing is judged when a file is created, but when
//! time goes on ([`FileWatch::tick`]), once the counts up to then were heard: a
//! temporary file is not one too many.
//!
//! What is kept is bounded, whatever comes: [`personas::PERSONAS`] personas with
//! [`FOLDERS`] folders each (some 900 bytes, its path and three names; 30 MiB
//! if all of them had the longest ones), `programs::KEPT` processes with at most
//! 1 KiB of arguments each, and one set of 512 KiB of the files that are still
//! there. No event allocates once what grows has grown, but for the paths of files
//! that are to be looked at.

mod cause;
mod contents;
mod folders;
mod personas;
mod policy;
mod present;
mod programs;
mod subtree;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
mod window;

pub use policy::FilePolicy;

use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_64;

use super::{Baselines, Normal, Quantity};
use crate::model::{
    AlertFiles, Anomaly, Basis, Event, FileCreate, FileRead, FileToRead, FileUnlink, FileWrite,
    Payload, Persona, Process, ProcessKey, ProcessRecord, Rule, Severity, Unit, WallTime,
};
use cause::{CAUSES, Cause, is_below, shown};
use contents::{Contents, Wishes};
use folders::{Folder, Folders, split};
use personas::Personas;
use present::{Creation, Present};
use programs::{Class, Programs};
use subtree::{Weighed, order, too_full};
use window::{Counts, SPAN};

/// Folders of one persona that are told apart, by class.
const FOLDERS: [usize; 3] = [128, 64, 64];
/// Names of files that an alert shows.
const SAMPLES: usize = 5;
/// Of what is created so, the content is looked at.
const LOOKED_INTO: Class = Class::Ordinary;
/// From so many times the threshold on it is an error, and critical.
const ERROR: u64 = 10;
const CRITICAL: u64 = 100;

/// Who creates what where.
#[derive(Debug)]
pub(super) struct FileWatch {
    policy: FilePolicy,
    build_folders: HashSet<Box<[u8]>>,
    /// The latest time that was heard of, on the boot clock.
    now_ns: u64,
    /// When counts were taken last; `None` where nobody takes any.
    flushed_ns: Option<u64>,
    programs: Programs,
    personas: Personas,
    present: Present,
    wishes: Wishes,
}

/// What one persona does.
#[derive(Debug)]
struct Watched {
    persona: Persona,
    /// No other one has had it, whoever had the place before.
    number: u64,
    heard_ns: u64,
    folders: [Folders; 3],
    contents: Contents,
    causes: Vec<Cause>,
    /// Files created since the last counts were taken, by class: their unlinks
    /// are not counted yet.
    fresh: [u64; 3],
    /// Something was heard since the last round.
    is_changed: bool,
    habit: HabitWindow,
}

/// What is learned of at the end of a window.
#[derive(Debug, Default)]
struct HabitWindow {
    begun_ns: u64,
    created: u64,
    /// There was too much of something: not what the persona is used to.
    is_unusual: bool,
}

/// Too much below one folder.
struct Finding {
    rule: Rule,
    folder: Vec<u8>,
    limit: u64,
    sum: Counts,
    /// The last creation.
    last_ns: u64,
    /// Times the threshold, for an order.
    excess: f64,
    class: Class,
}

impl FileWatch {
    pub(super) fn new(policy: &FilePolicy) -> Self {
        Self {
            policy: policy.clone(),
            build_folders: policy.build_folders.iter().map(|name| name.as_bytes().into()).collect(),
            now_ns: 0,
            flushed_ns: None,
            programs: Programs::new(policy),
            personas: Personas::default(),
            present: Present::default(),
            wishes: Wishes::default(),
        }
    }

    /// From now on. What was counted is in the window's parts, and a program's
    /// class is known from its exec on: those two stay.
    pub(super) fn set_policy(&mut self, policy: &FilePolicy) {
        let FilePolicy { window_ns, tools, .. } = self.policy.clone();
        self.policy = FilePolicy { window_ns, tools, ..policy.clone() };
        self.build_folders =
            self.policy.build_folders.iter().map(|name| name.as_bytes().into()).collect();
    }

    /// A process that was there before the first event.
    pub(super) fn process(&mut self, record: &ProcessRecord) {
        if record.persona.is_some() {
            self.programs.found(record);
        }
    }

    /// Hears of an event. Of nobody's, nothing is kept.
    pub(super) fn hear(&mut self, event: &Event<'_>) {
        let (Some(persona), Some(process)) = (event.persona, &event.process) else { return };
        match &event.payload {
            Payload::Fork => self.programs.forked(process),
            Payload::Exec(exec) => self.programs.executed(process, exec),
            Payload::Exit(_) => self.programs.ended(process.key),
            Payload::FileCreate(create) => {
                self.created(persona, process, create, event.ktime_ns);
            }
            Payload::FileWrite(write) => self.written(persona, process, write, event.ktime_ns),
            Payload::FileUnlink(unlink) => self.unlinked(persona, process, unlink, event.ktime_ns),
            _ => {}
        }
    }

    /// Time goes on: all events and counts up to now were heard. `boot_ns` is
    /// the boot clock's time; without it, it is that of the last event.
    pub(super) fn tick(
        &mut self,
        boot_ns: Option<u64>,
        wall_time: WallTime,
        baselines: &mut Baselines,
        found: &mut Vec<Anomaly>,
    ) {
        if let Some(boot_ns) = boot_ns {
            self.passes(boot_ns);
        }
        let a_second = usize::try_from(self.policy.reads_per_second).unwrap_or(usize::MAX);
        self.wishes.tick(self.now_ns, a_second);
        for index in 0..self.personas.all.len() {
            self.judge(index, wall_time, baselines, found);
            self.learn(index, wall_time, baselines);
        }
    }

    /// Counts up to now are about to be taken. Of a file that is created after
    /// this its unlink, if it has come already, is told with the next counts.
    pub(super) fn flushing(&mut self, ktime_ns: u64) {
        self.flushed_ns = Some(ktime_ns);
        self.personas.all.iter_mut().for_each(|watched| watched.fresh = [0; 3]);
    }

    /// The next file whose content is to be looked at.
    pub(super) fn next_to_read(&mut self) -> Option<FileToRead> {
        self.wishes.next()
    }

    /// Nobody looks at files.
    pub(super) fn drop_to_read(&mut self) {
        self.wishes.drop_ready();
    }

    /// What was found in a file.
    pub(super) fn read(&mut self, read: &FileRead) {
        // Whoever asked may not be watched any more.
        let (asked_by, part) = (read.file.asked_by, self.part());
        let watched = self.personas.all.iter_mut().find(|watched| watched.number == asked_by);
        if let Some(watched) = watched {
            let (folder, _) = split(&read.file.path);
            if let Some(table) = watched.folders.get_mut(LOOKED_INTO as usize)
                && let Some(folder) = table.nearest(folder).and_then(|at| table.get_mut(at))
            {
                folder.looked_at(read.found.is_ok(), part);
            }
            watched.contents.read(read, self.now_ns, self.policy.window_ns);
            watched.is_changed = true;
        }
    }

    fn part_ns(&self) -> u64 {
        (self.policy.window_ns / SPAN).max(1)
    }

    /// The part of the window that it is now.
    fn part(&self) -> u64 {
        self.now_ns / self.part_ns()
    }

    /// Time does not go back: what comes late happened now. Where it went back
    /// by more than a window, it is another clock, and all begins anew.
    fn passes(&mut self, ktime_ns: u64) {
        if ktime_ns >= self.now_ns {
            self.now_ns = ktime_ns;
        } else if self.now_ns - ktime_ns > self.policy.window_ns {
            self.now_ns = ktime_ns;
            self.present.clear();
            self.personas.all.iter_mut().for_each(|watched| watched.forget(ktime_ns));
        }
    }

    fn created(
        &mut self,
        persona: &Persona,
        process: &Process<'_>,
        create: &FileCreate<'_>,
        ktime_ns: u64,
    ) {
        self.passes(ktime_ns);
        // One whose name is not known lies somewhere below the root.
        let (folder, name) = create.path.map_or((b"".as_slice(), b"".as_slice()), split);
        if self.policy.passing_endings.iter().any(|ending| name.ends_with(ending.as_bytes())) {
            return;
        }
        let (part, now_ns) = (self.part(), self.now_ns);
        let mut subject = self.programs.subject(process);
        let hint = subject.as_ref().map(|subject| subject.persona);
        let place = self.personas.place(persona, hint, now_ns);
        let Some(watched) = self.personas.all.get_mut(place) else { return };
        let near = subject.as_mut().and_then(|subject| subject.near_of(place));
        let near = near.filter(|(class, near)| {
            watched.folders.get(*class as usize).is_some_and(|table| table.is_at(folder, *near))
        });
        let (class, at) = near.unwrap_or_else(|| {
            let class = subject.as_ref().map_or(Class::Ordinary, |subject| subject.class());
            let class = if is_for_builds(&self.build_folders, folder) {
                class.max(Class::Helper)
            } else {
                class
            };
            let table = watched.folders.get_mut(class as usize);
            (class, table.map_or(0, |table| table.enter(folder, part)))
        });
        if let Some(subject) = &mut subject {
            subject.near = Some((class, at));
        }
        if let Some(folder) = watched.folder(class, at) {
            folder.created(name, process.key, now_ns, part);
        }
        if self.flushed_ns.is_some_and(|flushed_ns| ktime_ns > flushed_ns)
            && let Some(fresh) = watched.fresh.get_mut(class as usize)
        {
            *fresh = fresh.saturating_add(1);
        }
        if class == LOOKED_INTO {
            watched.habit.created = watched.habit.created.saturating_add(1);
            self.wishes.created(watched.number, process.key, create, now_ns);
        }
        let Some(path) = create.path else { return };
        let creation =
            Creation { persona: u8::try_from(place).unwrap_or(u8::MAX), class: class as u8, part };
        // The one of that name that was there is not there any more.
        if let Some(Creation { persona, class, part }) = self.present.put(xxh3_64(path), creation) {
            self.gone(usize::from(persona), class, Some(part), folder, 1, 0);
        }
    }

    fn written(
        &mut self,
        persona: &Persona,
        process: &Process<'_>,
        write: &FileWrite<'_>,
        ktime_ns: u64,
    ) {
        // Only where files were created before.
        if self.personas.all.is_empty() {
            return;
        }
        self.passes(ktime_ns);
        let part = self.part();
        let mut subject = self.programs.subject(process);
        let hint = subject.as_ref().map(|subject| subject.persona);
        let place = self.personas.place(persona, hint, self.now_ns);
        let Some(watched) = self.personas.all.get_mut(place) else { return };
        let (folder, _) = write.path.map_or((b"".as_slice(), b"".as_slice()), split);
        let near = subject.as_mut().and_then(|subject| subject.near_of(place));
        let near = near.filter(|(class, near)| {
            watched.folders.get(*class as usize).is_some_and(|table| table.is_at(folder, *near))
        });
        let (class, at) = match near {
            Some(near) => near,
            None => {
                let class = subject.map_or(Class::Ordinary, |subject| subject.class());
                let class = if is_for_builds(&self.build_folders, folder) {
                    class.max(Class::Helper)
                } else {
                    class
                };
                let table = watched.folders.get(class as usize);
                match table.and_then(|table| table.nearest(folder)) {
                    Some(at) => (class, at),
                    None => return,
                }
            }
        };
        if let Some(folder) = watched.folder(class, at) {
            folder.advance(part);
            if let Some(counts) = folder.part(part) {
                counts.bytes = counts.bytes.saturating_add(write.written_bytes);
            }
        }
    }

    fn unlinked(
        &mut self,
        persona: &Persona,
        process: &Process<'_>,
        unlink: &FileUnlink<'_>,
        ktime_ns: u64,
    ) {
        let Some(path) = unlink.path else { return };
        self.passes(ktime_ns);
        let part = self.part();
        let (folder, _) = split(path);
        if let Some(Creation { persona, class, part }) = self.present.take(xxh3_64(path), part) {
            self.gone(usize::from(persona), class, Some(part), folder, 1, unlink.unlink_calls);
        } else if self.present.is_forgetful(part) {
            // So many files are there that this one may have been forgotten.
            let place = self.personas.place(persona, None, self.now_ns);
            let class = self.programs.subject(process).map_or(Class::Ordinary, |of| of.class());
            let calls = unlink.unlink_calls;
            self.gone(place, class as u8, None, folder, calls, calls);
        }
    }

    /// Files that were created are not there any more.
    fn gone(
        &mut self,
        place: usize,
        class: u8,
        created_at: Option<u64>,
        folder: &[u8],
        files: u64,
        unlinks: u64,
    ) {
        let now = self.part();
        let Some(watched) = self.personas.all.get_mut(place) else { return };
        watched.is_changed = true;
        let Some(table) = watched.folders.get_mut(usize::from(class)) else { return };
        let at = table.nearest(folder);
        if let Some(folder) = at.and_then(|at| table.get_mut(at)) {
            folder.gone(created_at, files, unlinks, now);
        }
    }

    /// From where on it is too much for an ordinary program.
    fn limit(&self, least: u64, habit: Option<&Normal>) -> u64 {
        let Some(habit) = habit else { return least.max(1) };
        let usual = (habit.centre + self.policy.habit_spreads * habit.spread)
            .max(self.policy.habit_factor * habit.centre)
            .max(self.policy.peak_factor * habit.peak);
        // More files than fit is more than anybody creates.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let usual = if usual.is_finite() { usual.ceil().max(0.0) as u64 } else { 0 };
        least.max(usual).max(1)
    }

    fn judge(
        &mut self,
        index: usize,
        wall_time: WallTime,
        baselines: &Baselines,
        found: &mut Vec<Anomaly>,
    ) {
        let (part, now_ns) = (self.part(), self.now_ns);
        let Some(watched) = self.personas.all.get_mut(index) else { return };
        if !std::mem::take(&mut watched.is_changed) && watched.causes.is_empty() {
            return;
        }
        // Those are judged when their counts have been taken.
        watched.is_changed = watched.fresh.iter().any(|fresh| *fresh > 0);
        for folder in watched.folders.iter_mut().flat_map(Folders::iter_mut) {
            folder.advance(part);
        }
        let habit = baselines.normal(&watched.persona, Quantity::FilesPerWindow);
        let files = self.limit(self.policy.files, habit.as_ref());
        let churned = self.limit(self.policy.churned_files, habit.as_ref());
        let Some(watched) = self.personas.all.get(index) else { return };
        let mut findings = Vec::new();
        for class in Class::ALL {
            let factor = match class {
                Class::Ordinary => 1,
                Class::Helper => self.policy.helper_factor,
                Class::Tool => self.policy.tool_factor,
            };
            let limit = files.saturating_mul(factor);
            watched.find(class, Rule::MassCreate, limit, |sum| sum.kept(), &mut findings);
            let fresh = watched.fresh.get(class as usize).copied().unwrap_or(0);
            findings.retain(|finding| {
                finding.class != class || finding.sum.kept().saturating_sub(fresh) >= limit
            });
            let limit = churned.saturating_mul(factor);
            let first = findings.len();
            watched.find(class, Rule::FileChurn, limit, |sum| sum.created, &mut findings);
            let share = self.policy.churned_share;
            let mut index = 0;
            findings.retain(|finding| {
                index += 1;
                index <= first || is_churn(&finding.sum, share)
            });
        }
        findings.sort_by(|a, b| b.excess.total_cmp(&a.excess));
        let Some(watched) = self.personas.all.get_mut(index) else { return };
        let mut told = Vec::new();
        for finding in findings {
            if watched.takes(&finding, now_ns) {
                told.push(finding);
            }
        }
        watched.close(now_ns, self.policy.quiet_ns);
        watched.habit.is_unusual |= !watched.causes.is_empty();
        let Some(watched) = self.personas.all.get(index) else { return };
        for finding in &told {
            let normal = habit.as_ref().map(|habit| habit.centre);
            let basis = habit.as_ref().map(|habit| habit.basis.clone());
            let basis = basis
                .unwrap_or_else(|| baselines.unlearned(&watched.persona, Quantity::FilesPerWindow));
            found.push(self.anomaly(watched, finding, wall_time, (normal, basis)));
        }
        self.judge_contents(index, wall_time, found);
    }

    fn anomaly(
        &self,
        watched: &Watched,
        finding: &Finding,
        wall_time: WallTime,
        (normal, basis): (Option<f64>, Basis),
    ) -> Anomaly {
        let is_churn = finding.rule == Rule::FileChurn;
        let measured = if is_churn { finding.sum.created } else { finding.sum.kept() };
        let cause =
            watched.causes.iter().find(|cause| cause.is_about(finding.rule, &finding.folder));
        let below = watched.below(&finding.folder, Some(finding.class));
        let process = below.maker.map(|key| self.programs.told(key));
        let measured_f = count(measured);
        Anomaly {
            wall_time,
            rule: finding.rule,
            severity: severity(measured, finding.limit),
            persona: Some(watched.persona.clone()),
            process,
            cause: cause.map(|cause| cause.name.clone()),
            metric: None,
            unit: Unit::Count,
            measured: measured_f,
            normal,
            factor: normal.filter(|normal| *normal > 0.0).map(|normal| measured_f / normal),
            threshold: count(finding.limit),
            window_ns: Some(self.policy.window_ns),
            slope_per_hour: None,
            basis,
            confidence: None,
            files: Some(AlertFiles {
                folder: shown(&finding.folder),
                files_created: finding.sum.created,
                files_unlinked: Some(finding.sum.unlinked.min(finding.sum.created)),
                written_bytes: Some(finding.sum.bytes),
                files_per_second: below.files_per_second(self.part_ns()),
                samples: below.samples,
                ..AlertFiles::default()
            }),
        }
    }

    /// The same content in too many files.
    fn judge_contents(&mut self, index: usize, wall_time: WallTime, found: &mut Vec<Anomaly>) {
        let limit = self.policy.equal_files.max(2);
        let Some(watched) = self.personas.all.get_mut(index) else { return };
        let mut equal: Vec<_> = watched
            .contents
            .iter_mut()
            .filter(|equal| equal.files >= limit && equal.files > equal.told)
            .collect();
        equal.sort_by_key(|equal| std::cmp::Reverse(equal.files));
        let mut told: Vec<contents::Equal> = Vec::new();
        for equal in equal {
            equal.told = equal.files;
            let name = equal.cause.get_or_insert_with(|| shown(&equal.folder)).clone();
            if told.iter().all(|other| other.cause.as_ref() != Some(&name)) && told.len() < CAUSES {
                told.push(equal.clone());
            }
        }
        watched.habit.is_unusual |= !told.is_empty();
        let Some(watched) = self.personas.all.get(index) else { return };
        for equal in told {
            let below = watched.below(&equal.folder, None);
            let samples = equal.names().map(|path| without_folder(path, &equal.folder)).collect();
            found.push(Anomaly {
                wall_time,
                rule: Rule::DuplicateFiles,
                severity: severity(equal.files, limit),
                persona: Some(watched.persona.clone()),
                process: equal.creator.map(|key| self.programs.told(key)),
                cause: equal.cause.clone(),
                metric: None,
                unit: Unit::Count,
                measured: count(equal.files),
                normal: None,
                factor: None,
                threshold: count(limit),
                window_ns: Some(self.policy.window_ns),
                slope_per_hour: None,
                basis: Basis::Threshold,
                confidence: None,
                files: Some(AlertFiles {
                    folder: shown(&equal.folder),
                    files_created: below.sum.created.max(equal.files),
                    files_unlinked: None,
                    files_equal: Some(equal.files),
                    files_read: Some(u64::from(below.sum.read).max(equal.files)),
                    files_unread: Some(below.sum.unread.into()),
                    written_bytes: Some(below.sum.bytes),
                    files_per_second: below.files_per_second(self.part_ns()),
                    samples,
                }),
            });
        }
    }

    fn learn(&mut self, index: usize, wall_time: WallTime, baselines: &mut Baselines) {
        let (now_ns, window_ns) = (self.now_ns, self.policy.window_ns);
        let Some(watched) = self.personas.all.get_mut(index) else { return };
        if now_ns.saturating_sub(watched.habit.begun_ns) < window_ns {
            return;
        }
        // Of one who was not there at all it says nothing.
        let was_there = watched.heard_ns >= watched.habit.begun_ns;
        let usual = std::mem::replace(
            &mut watched.habit,
            HabitWindow { begun_ns: now_ns, created: 0, is_unusual: !watched.causes.is_empty() },
        );
        if was_there && !usual.is_unusual {
            let files = count(usual.created);
            baselines.learn(&watched.persona, Quantity::FilesPerWindow, files, wall_time);
        }
    }
}

/// What lies below a folder.
#[derive(Default)]
struct Below {
    sum: Counts,
    oldest: Option<u64>,
    first_ns: u64,
    last_ns: u64,
    maker: Option<ProcessKey>,
    samples: Vec<String>,
}

impl Below {
    /// From the first to the last creation of the window.
    fn files_per_second(&self, part_ns: u64) -> Option<f64> {
        let first_ns = self.first_ns.max(self.oldest?.saturating_mul(part_ns));
        let ns = self.last_ns.checked_sub(first_ns).filter(|ns| *ns > 0)?;
        Some(count(self.sum.created.saturating_sub(1)) * 1e9 / count(ns))
            .filter(|_| self.sum.created > 1)
    }
}

impl Watched {
    fn new(persona: Persona, number: u64, now_ns: u64) -> Self {
        Self {
            persona,
            number,
            heard_ns: now_ns,
            folders: FOLDERS.map(Folders::new),
            contents: Contents::default(),
            causes: Vec::new(),
            fresh: [0; 3],
            is_changed: true,
            habit: HabitWindow { begun_ns: now_ns, ..HabitWindow::default() },
        }
    }

    fn forget(&mut self, now_ns: u64) {
        self.folders.iter_mut().for_each(Folders::clear);
        self.contents.clear();
        self.causes.clear();
        self.habit = HabitWindow { begun_ns: now_ns, ..HabitWindow::default() };
        self.heard_ns = now_ns;
        self.fresh = [0; 3];
        self.is_changed = false;
    }

    fn folder(&mut self, class: Class, at: usize) -> Option<&mut Folder> {
        self.folders.get_mut(class as usize)?.get_mut(at)
    }

    /// Where there is too much of what `weigh` counts.
    fn find(
        &self,
        class: Class,
        rule: Rule,
        limit: u64,
        weigh: impl Fn(&Counts) -> u64,
        findings: &mut Vec<Finding>,
    ) {
        let Some(table) = self.folders.get(class as usize) else { return };
        let mut sum = 0_u64;
        for folder in table.iter() {
            sum = sum.saturating_add(weigh(&folder.sum().0));
        }
        if sum < limit {
            return;
        }
        let mut weighed: Vec<_> = table
            .iter()
            .map(|folder| Weighed {
                path: folder.path(),
                weight: weigh(&folder.sum().0),
                maker: folder.maker().map(|(key, _)| key),
            })
            .collect();
        weighed.sort_by(|a, b| order(a.path, b.path));
        for (folder, _) in too_full(&weighed, limit) {
            let below = self.below(folder, Some(class));
            findings.push(Finding {
                rule,
                folder: folder.to_vec(),
                limit,
                sum: below.sum,
                last_ns: below.last_ns,
                excess: count(weigh(&below.sum)) / count(limit),
                class,
            });
        }
    }

    /// All that lies below a folder, of one class or all.
    fn below(&self, folder: &[u8], class: Option<Class>) -> Below {
        let mut below = Below { first_ns: u64::MAX, ..Below::default() };
        let mut makers: Vec<(ProcessKey, u64)> = Vec::new();
        let mut inside: Vec<&Folder> = Vec::new();
        let tables = self.folders.iter().zip(Class::ALL);
        for (table, _) in tables.filter(|(_, of)| class.is_none_or(|class| class == *of)) {
            inside.extend(table.iter().filter(|of| is_below(of.path(), folder)));
        }
        for of in &inside {
            let (sum, oldest) = of.sum();
            below.sum.add(&sum);
            below.oldest = [below.oldest, oldest].into_iter().flatten().min();
            if of.last_ns > 0 {
                below.first_ns = below.first_ns.min(of.first_ns);
                below.last_ns = below.last_ns.max(of.last_ns);
            }
            for (key, files) in of.makers() {
                match makers.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, count)) => *count = count.saturating_add(files),
                    None => makers.push((key, files)),
                }
            }
        }
        below.maker = makers.into_iter().max_by_key(|(_, count)| *count).map(|(key, _)| key);
        // The first ones of the oldest folder and the latest of the youngest.
        inside.retain(|of| of.last_ns > 0);
        inside.sort_by_key(|of| of.first_ns);
        let names = |of: &&Folder| {
            let above = of.path().get(folder.len()..).unwrap_or_default();
            let above = above.strip_prefix(b"/").unwrap_or(above);
            let names = of.names().map(|name| match above {
                b"" => name.to_vec(),
                _ => [above, b"/", name].concat(),
            });
            names.collect::<Vec<_>>()
        };
        let early = inside.first().map(&names).unwrap_or_default();
        let late = inside.iter().rev().take(SAMPLES).flat_map(&names);
        for name in early.into_iter().chain(late) {
            let name = String::from_utf8_lossy(&name).into_owned();
            if below.samples.len() < SAMPLES && !below.samples.contains(&name) {
                below.samples.push(name);
            }
        }
        below
    }

    /// Makes what was found part of a cause; whether it is to be told.
    fn takes(&mut self, finding: &Finding, now_ns: u64) -> bool {
        let is_about = |cause: &Cause| cause.is_about(finding.rule, &finding.folder);
        let at = match self.causes.iter().position(is_about) {
            Some(at) => at,
            None if self.causes.len() < CAUSES => {
                self.causes.push(Cause::new(finding.rule, &finding.folder));
                self.causes.len() - 1
            }
            None => return false,
        };
        // Others that turn out to be about the same folder end.
        let mut index = 0;
        self.causes.retain(|cause| {
            index += 1;
            index <= at + 1 || !is_about(cause)
        });
        let Some(cause) = self.causes.get_mut(at) else { return false };
        if cause.is_found {
            return false;
        }
        cause.found(&finding.folder, finding.sum, finding.last_ns, now_ns)
    }

    /// Ends what has been quiet for long: what was told is done with, and does
    /// not count any more.
    fn close(&mut self, now_ns: u64, quiet_ns: u64) {
        for cause in &mut self.causes {
            cause.is_found = false;
            if !cause.is_quiet(now_ns, quiet_ns) {
                continue;
            }
            for folder in self.folders.iter_mut().flat_map(Folders::iter_mut) {
                if is_below(folder.path(), &cause.folder) {
                    folder.forget();
                }
            }
        }
        self.causes.retain(|cause| !cause.is_quiet(now_ns, quiet_ns));
    }
}

/// Whether a folder lies below one for builds or caches, or is one.
fn is_for_builds(names: &HashSet<Box<[u8]>>, folder: &[u8]) -> bool {
    folder.split(|byte| *byte == b'/').any(|name| names.contains(name))
}

/// Whether enough of what was created was unlinked again.
fn is_churn(sum: &Counts, share: f64) -> bool {
    count(sum.unlinked) >= share * count(sum.created)
}

fn without_folder(path: &[u8], folder: &[u8]) -> String {
    let name = path.strip_prefix(folder).unwrap_or(path);
    String::from_utf8_lossy(name.strip_prefix(b"/").unwrap_or(name)).into_owned()
}

fn severity(measured: u64, limit: u64) -> Severity {
    match measured / limit.max(1) {
        CRITICAL.. => Severity::Critical,
        ERROR.. => Severity::Error,
        _ => Severity::Warning,
    }
}

#[allow(clippy::cast_precision_loss)]
fn count(number: u64) -> f64 {
    number as f64
}

//! The way of every event: rings and counts -> decoding -> filter -> sink,
//! and the account of what was lost on it.

mod alerts;
mod attribution;
mod filter;
mod gpus;
mod keep;
mod known;
mod late;
mod listeners;
mod neighbours;
mod replay;
mod rule_files;
mod sampling;
mod stacks;
mod tree;
mod xids;

pub use alerts::AlertParts;
pub use attribution::{Attribution, KernelFilter, facts_from_proc};
pub use filter::Filter;
pub use gpus::{GpuParts, SayOfGpus};
pub use keep::{CrashJudge, Keep};
pub use known::Known;
pub use replay::Replay;
pub use rule_files::{MACHINE_RULES, RuleFiles, RulesFailure, read_rule_file};
pub use sampling::{Publish, SamplingParts};
pub use tree::{LookedAtTree, TreeParts};

use std::{io, rc::Rc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, Interval, MissedTickBehavior, interval},
};

use alerts::Alerts;
use gpus::Gpus;
use listeners::Listeners;
use neighbours::Neighbours;
use sampling::{Around, Sampling};
use tree::Tree;

use crate::{
    detect::DetectPolicy,
    kernel::{clock::boot_ns, syscall::wait_for_programs},
    model::{Event, EventKind, Lost, Payload, ProcessRecord},
    probe::{Object, Tasks},
    sink::{RawRecording, Sink},
    source::{Counts, FLUSH_INTERVAL, Losses, Ring, Skips, Watched},
    symbolize::StackAnswer,
    wire::{DecodeError, Decoded, Decoder, Surroundings as _},
};

/// Records taken from the lifecycle ring before anything else is looked at.
const LIFECYCLE_BATCH: usize = 16384;
/// Records taken from the I/O ring before the lifecycle ring is looked at
/// again: files never make processes wait for long.
const IO_BATCH: usize = 1024;
/// How often, at most, losses are asked for while events come in.
const LOSS_INTERVAL: Duration = Duration::from_millis(100);
/// How often, at most, counts are flushed because a process ended.
const EXIT_FLUSH_INTERVAL: Duration = Duration::from_millis(100);
/// How long the rings are read before flushes and signals get their turn.
const DRAIN_SLICE: Duration = Duration::from_millis(20);
/// The same, while a flush waits for the names of its files, or new rules for
/// what came before them.
const NAMES_SLICE: Duration = Duration::from_millis(500);
/// How long the rings are left alone once they were read to their end. The
/// kernel wakes a reader at the first record after that, so without this rest
/// every event of a storm would cost a wake-up; with it, a lone event is still
/// passed on at once, and no event waits longer than this.
const REST: Duration = Duration::from_millis(10);
/// A ring that had filled by more than this share of its size while it was
/// left alone gets no rest: one part in so many.
const REST_SHARE: u64 = 8;
/// How often the distance between the clocks is measured.
const CLOCK_INTERVAL: Duration = Duration::from_secs(10);

/// Why the pipeline stopped before it was told to.
#[derive(Debug)]
pub enum Failure {
    /// A record could not be read: binary and BPF object do not match.
    Decode(DecodeError),
    /// Reading from the kernel failed.
    Read(io::Error),
    /// Writing an event failed; `BrokenPipe` where the reader went away.
    Write(io::Error),
    /// Writing the recording failed.
    Record(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

/// What a pipeline can be asked for while it runs.
#[derive(Debug)]
pub enum Request {
    /// Read the rules again; answered with whether they could be.
    ReadRules(oneshot::Sender<bool>),
    /// Pass on what has happened until now, counts included; answered when
    /// that is done.
    CatchUp(oneshot::Sender<()>),
    /// Watch for what is too much as this says, from now on.
    Watch(Box<DetectPolicy>),
}

/// Where they come in.
pub type Requests = mpsc::Receiver<Request>;

/// The parts that a pipeline is put together from.
pub struct Parts {
    /// Keeps the probes attached; they are detached when the pipeline ends.
    pub object: Object,
    /// Ring of processes.
    pub lifecycle: Ring,
    /// Ring of files.
    pub io: Ring,
    /// Counts of files.
    pub counts: Counts,
    /// Counters of losses.
    pub losses: Losses,
    /// What records refer to.
    pub known: Known,
    /// Whose an event is.
    pub attribution: Attribution,
    /// The rules that it goes by.
    pub rule_files: RuleFiles,
    /// What is shown.
    pub filter: Filter,
    /// Where everything is kept, whatever is shown, too.
    pub keep: Option<Keep>,
    /// Who may ask for something.
    pub requests: Option<Requests>,
    /// GPUs, where they are looked at.
    pub gpus: Option<GpuParts>,
    /// Where the records themselves are kept, too.
    pub recording: Option<RawRecording>,
    /// Whose files alone are counted, where it is processes with their
    /// descendants: once all have ended, nobody's will be.
    pub trees: Option<Watched>,
    /// Looks at those processes together, where somebody wants to know. Then
    /// their run is short, too, and the probes of files stay to its end.
    pub tree: Option<TreeParts>,
    /// What tells the processes that there are; `None` where the kernel does
    /// not let it.
    pub tasks: Option<Tasks>,
    /// Looks at what everybody uses, where they are wanted.
    pub sampling: Option<SamplingParts>,
    /// Detectors, where looks are taken for them.
    pub alerts: Option<AlertParts>,
}

/// What a run saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Events that passed the filter.
    pub events: u64,
    /// What was lost.
    pub lost: Lost,
    /// Peak fill and size of the lifecycle ring, in bytes.
    pub lifecycle: (u64, u64),
    /// Peak fill and size of the I/O ring, in bytes.
    pub io: (u64, u64),
}

/// Moves events until it is told to stop.
pub struct Pipeline<S> {
    object: Option<Object>,
    lifecycle: Ring,
    io: Ring,
    stage: Stage<S>,
    losses: Losses,
    skips: Skips,
    lost: Lost,
    /// When the counters of losses were read last, on the boot clock.
    losses_read_ns: u64,
    rule_files: RuleFiles,
    requests: Option<Requests>,
    /// Until the run begins.
    gpus: Option<GpuParts>,
    sample_interval: Option<Duration>,
    trees: Option<Watched>,
    tree: Option<Tree>,
}

/// What a record passes through once it is out of its ring.
struct Stage<S> {
    decoder: Decoder,
    known: Known,
    attribution: Attribution,
    filter: Filter,
    listeners: Listeners,
    gpus: Option<Gpus>,
    recording: Option<RawRecording>,
    counts: Counts,
    sink: S,
    events: u64,
    /// A process ended since the last flush of counts.
    exited: bool,
    /// A name did not arrive, so an empty list of names means nothing.
    names_were_lost: bool,
}

impl<S: Sink> Pipeline<S> {
    /// Puts the parts together; what passes goes to `sink`.
    #[must_use]
    pub fn new(parts: Parts, sink: S) -> Self {
        let Parts {
            object,
            lifecycle,
            io,
            counts,
            losses,
            known,
            attribution,
            rule_files,
            filter,
            keep,
            requests,
            gpus,
            recording,
            trees,
            tree,
            tasks,
            sampling,
            alerts,
        } = parts;
        let tasks = tasks.map(Rc::new);
        let neighbours = tasks.clone().map(Neighbours::new);
        let keep = keep.map(|keep| {
            known.read_symbols();
            keep.with_neighbours(neighbours)
        });
        let tree = tree.zip(tasks.clone()).map(|(parts, tasks)| Tree::new(parts, tasks));
        let sample_interval = sampling.as_ref().map(|sampling| sampling.interval);
        let sampling = sampling
            .zip(tasks)
            .map(|(parts, tasks)| Sampling::new(tasks, parts.hierarchy, parts.publish));
        let losses_read_ns = known.tracing_since();
        Self {
            object: Some(object),
            lifecycle,
            io,
            stage: Stage {
                decoder: Decoder::default(),
                known,
                attribution,
                filter,
                listeners: Listeners { keep, sampling, alerts: alerts.map(Alerts::new) },
                gpus: None,
                recording,
                counts,
                sink,
                events: 0,
                exited: false,
                names_were_lost: false,
            },
            losses,
            skips: Skips::default(),
            lost: Lost::default(),
            losses_read_ns,
            rule_files,
            requests,
            gpus,
            sample_interval,
            trees,
            tree,
        }
    }

    /// Runs until `stop` is ready; then detaches the probes and hands over
    /// what is still in the rings and the maps.
    ///
    /// # Errors
    /// A [`Failure`]; the outcome up to then is told all the same.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> (Outcome, Result<(), Failure>) {
        let result = self.follow(stop).await;
        let result = result.and_then(|()| self.finish());
        if let Some(keep) = &mut self.stage.listeners.keep {
            keep.settle().await;
        }
        let outcome = Outcome {
            events: self.stage.events,
            lost: self.lost,
            lifecycle: (self.lifecycle.peak(), self.lifecycle.capacity()),
            io: (self.io.peak(), self.io.capacity()),
        };
        (outcome, result)
    }

    async fn follow(&mut self, stop: impl Future<Output = ()>) -> Result<(), Failure> {
        let lifecycle = self.lifecycle.waitable()?;
        let io = self.io.waitable()?;
        let mut stop = std::pin::pin!(stop);
        let mut flush = every(FLUSH_INTERVAL);
        let mut rules = self.rule_files.watch()?;
        let mut requests = self.requests.take();
        self.stage.keep_processes();
        self.stage.gpus = self.gpus.take().map(Gpus::new);
        let mut samples = self.sample_interval.map(every);
        let mut clock_measured = Instant::now();
        let mut losses_read = Instant::now();
        let mut flushed = Instant::now();
        let mut more = false;
        let mut rest_until = Instant::now();
        loop {
            let (mut flush_now, mut look_now) = (false, false);
            let is_resting = Instant::now() < rest_until;
            // Readiness is cleared before the rings are read to their end, so
            // what comes in meanwhile is announced again.
            tokio::select! {
                biased;
                () = &mut stop => return Ok(()),
                changed = rules.changed() => {
                    changed?;
                    // What happened before the change goes by the old rules.
                    self.drain(NAMES_SLICE)?;
                    self.read_rules_again("have changed and were");
                }
                asked = next_request(requests.as_mut()) => {
                    self.drain(NAMES_SLICE)?;
                    // Whoever asked may have gone.
                    match asked {
                        Request::ReadRules(answer) => {
                            let _ = answer.send(self.read_rules_again("were"));
                        }
                        Request::Watch(policy) => {
                            if let Some(alerts) = &mut self.stage.listeners.alerts {
                                alerts.set_policy(&policy);
                            }
                            self.stage.pass_alerts()?;
                        }
                        Request::CatchUp(answer) => {
                            self.flush_counts()?;
                            flushed = Instant::now();
                            let _ = answer.send(());
                        }
                    }
                }
                _ = flush.tick() => flush_now = true,
                () = tick(samples.as_mut()) => look_now = true,
                () = tree::due(self.tree.as_ref()) => {}
                () = gpus_changed(self.stage.gpus.as_mut()) => {}
                answer = names_of_a_stack(self.stage.listeners.keep.as_mut()) => {
                    if let Some(keep) = &mut self.stage.listeners.keep {
                        keep.take_names(answer);
                    }
                }
                () = tokio::time::sleep_until(rest_until), if is_resting => {}
                ready = lifecycle.readable(), if !is_resting => ready?.clear_ready(),
                ready = io.readable(), if !is_resting => ready?.clear_ready(),
                () = std::future::ready(()), if more => {}
            }
            let waiting = [self.lifecycle.fill(), self.io.fill()];
            more = self.drain(DRAIN_SLICE)?;
            let was_idle = waiting.iter().all(|(bytes, _)| *bytes == 0);
            let was_busy = waiting.iter().any(|(bytes, capacity)| bytes * REST_SHARE > *capacity);
            if !more && !was_idle && !was_busy {
                rest_until = Instant::now() + REST;
            }
            self.stage.pass_gpus(self.trees.as_ref())?;
            if let Some(tree) = &mut self.tree {
                tree.look(&self.stage.known, self.stage.gpus.as_ref());
            }
            let now = Instant::now();
            let exit_flush = self.stage.exited && now - flushed >= EXIT_FLUSH_INTERVAL;
            if flush_now || look_now || exit_flush || self.stage.counts.is_pressing() {
                self.flush_counts()?;
                flushed = now;
            }
            if flush_now || now - losses_read >= LOSS_INTERVAL {
                self.look_for_skips()?;
                if flush_now {
                    if let Some(gpus) = &mut self.stage.gpus {
                        gpus.tick();
                    }
                    if let Some(keep) = &mut self.stage.listeners.keep {
                        keep.tick();
                    }
                    self.skips.settle();
                    self.leave_files();
                }
                self.tell_losses()?;
                losses_read = now;
            }
            if look_now {
                self.stage.look(&self.lost);
            }
            self.stage.pass_alerts()?;
            if now - clock_measured >= CLOCK_INTERVAL {
                self.stage.known.set_clock();
                clock_measured = now;
            }
            self.stage.sink.flush().map_err(Failure::Write)?;
        }
    }

    /// Takes the probes of files away once nobody is left whose files are
    /// counted: they cost everybody else.
    fn leave_files(&mut self) {
        if self.tree.is_none()
            && self.trees.take_if(|trees| trees.is_empty()).is_some()
            && let Some(object) = &mut self.object
        {
            object.detach_files();
            eprintln!(
                "genome-trace: the processes asked for have all ended, so the probes of files \
                 are taken away"
            );
        }
    }

    /// Goes by the rules as they are now; where they cannot be used, by those
    /// that were read before. Whether they can be used.
    fn read_rules_again(&mut self, how: &str) -> bool {
        match self.rule_files.read() {
            Ok(rules) => {
                self.stage.attribution.replace_rules(rules, boot_ns());
                eprintln!("genome-trace: the persona rules {how} read again");
                true
            }
            Err(failure) => {
                eprintln!("{failure}\ngenome-trace: the persona rules read before this are kept");
                false
            }
        }
    }

    /// Reads the rings until both are empty, or `slice` has passed; tells
    /// whether more may be left.
    ///
    /// No file event is passed on before every process event that came before
    /// it: those that are in the I/O ring now were caused by processes whose
    /// beginnings are in the lifecycle ring now.
    fn drain(&mut self, slice: Duration) -> Result<bool, Failure> {
        let begun = Instant::now();
        loop {
            let stage = &mut self.stage;
            let io_end = self.io.end();
            let lifecycle_end = self.lifecycle.end();
            let lifecycle = self.lifecycle.drain(LIFECYCLE_BATCH, |record| stage.pass(record))?;
            if self.lifecycle.is_past(lifecycle_end) {
                let io = self.io.drain_to(io_end, IO_BATCH, |record| stage.pass(record))?;
                if lifecycle.empty && io.empty {
                    return Ok(false);
                }
            } else if lifecycle.empty {
                // A record is still being written; its end will wake us.
                return Ok(false);
            }
            if begun.elapsed() >= slice {
                return Ok(true);
            }
        }
    }

    /// Takes the counts since the last flush out of the kernel.
    fn flush_counts(&mut self) -> Result<(), Failure> {
        self.stage.exited = false;
        // Its last names may be on their way still.
        let is_awaited = self.stage.listeners.keep.as_mut().is_some_and(Keep::flush_begins);
        if !self.stage.counts.has_any() && !self.stage.names_were_lost && !is_awaited {
            self.stage.attribution.flushed();
            return Ok(());
        }
        self.stage.names_were_lost = false;
        if let Some(alerts) = &mut self.stage.listeners.alerts {
            alerts.flushing();
        }
        self.stage.counts.flip()?;
        // Every name of the map that is read now was sent before the flip.
        let more = self.drain(NAMES_SLICE)?;
        self.stage.pass_counts()?;
        if !more {
            self.stage.attribution.flushed();
            if let Some(keep) = &mut self.stage.listeners.keep {
                keep.flushed();
            }
        }
        Ok(())
    }

    /// Asks the kernel which calls it skipped. Once the probes are gone, what
    /// they last said stands.
    fn look_for_skips(&mut self) -> Result<(), Failure> {
        let Some(object) = &self.object else { return Ok(()) };
        let skipped = object.skipped_calls();
        let rescued = self.losses.rescued();
        self.skips.look(skipped, rescued.map_err(|error| Failure::Read(io::Error::other(error)))?);
        Ok(())
    }

    /// Shows what was lost since the last time.
    fn tell_losses(&mut self) -> Result<(), Failure> {
        let failed = |error| Failure::Read(io::Error::other(error));
        let since_ns = std::mem::replace(&mut self.losses_read_ns, boot_ns());
        let mut lost = self.losses.read().map_err(failed)?;
        lost.skipped = self.skips.told();
        let new = lost.since(&self.lost);
        if new.total() == 0 {
            return Ok(());
        }
        self.lost = lost;
        self.stage.names_were_lost |= new.file_path != 0 || new.file_create != 0;
        self.stage.show_lost(new, since_ns)
    }

    /// Detaches the probes, then hands over what they left.
    fn finish(&mut self) -> Result<(), Failure> {
        self.look_for_skips()?;
        self.skips.settle();
        self.object = None;
        // An error only means that a program may still be ending; the maps
        // are read twice below, which takes longer than any program runs.
        let _ = wait_for_programs();
        self.drain(Duration::MAX)?;
        for _ in 0..2 {
            self.stage.counts.flip()?;
            self.drain(Duration::MAX)?;
            self.stage.pass_counts()?;
        }
        self.stage.last_alerts()?;
        if let Listeners { keep: Some(keep), alerts: Some(alerts), .. } = &mut self.stage.listeners
        {
            alerts.keep_learned(keep, true);
        }
        self.tell_losses()?;
        if let Some(recording) = &mut self.stage.recording {
            recording.flush().map_err(Failure::Record)?;
        }
        self.stage.sink.flush().map_err(Failure::Write)
    }
}

impl<S: Sink> Stage<S> {
    /// One record, from its bytes to the sink.
    fn pass(&mut self, record: &[u8]) -> Result<(), Failure> {
        if let Some(recording) = &mut self.recording {
            recording.record(record, &self.known).map_err(Failure::Record)?;
        }
        match self.decoder.decode(record, &self.known).map_err(Failure::Decode)? {
            Decoded::Event(mut event, named) => {
                if let Some(file) = named {
                    self.counts.name(file, record);
                }
                self.exited |= event.kind() == EventKind::Exit;
                self.attribution.hear(&event);
                (event.persona, event.persona_root) = self.attribution.persona(&event).unzip();
                if let (Payload::Exit(exit), Some(process), Some(gpus)) =
                    (&mut event.payload, &event.process, &mut self.gpus)
                {
                    let whose = event.persona.zip(event.persona_root);
                    exit.vram = gpus.ended(process, whose, event.ktime_ns);
                }
                if let Some(keep) = &mut self.listeners.keep {
                    keep.look_around(&event, &self.known, &self.attribution);
                }
                let listeners = Some(&mut self.listeners);
                show(&event, listeners, &self.filter, &mut self.sink, &mut self.events)?;
                if let (Payload::Exit(_), Some(process)) = (&event.payload, &event.process) {
                    self.attribution.ended(process.key);
                }
                Ok(())
            }
            Decoded::File(file) => {
                self.counts.name(file, record);
                Ok(())
            }
            Decoded::Cgroup { id, hierarchy_id, path } => {
                let path = path.into();
                self.known.add_cgroup(hierarchy_id, id, path);
                Ok(())
            }
        }
    }

    /// The counts of the map that is not current.
    fn pass_counts(&mut self) -> Result<(), Failure> {
        let Self {
            decoder,
            known,
            attribution,
            filter,
            listeners,
            recording,
            counts,
            sink,
            events,
            ..
        } = self;
        counts.take(boot_ns(), |counted| {
            if let Some(recording) = recording {
                recording.count(&counted, known).map_err(Failure::Record)?;
            }
            let event = decoder.counted(counted, known);
            attribution.hear(&event);
            let (persona, persona_root) = attribution.persona(&event).unzip();
            let event = Event { persona, persona_root, ..event };
            show(&event, Some(&mut *listeners), filter, sink, events)
        })
    }

    /// What the GPUs have told.
    fn pass_gpus(&mut self, trees: Option<&Watched>) -> Result<(), Failure> {
        let Self { known, attribution, filter, listeners, gpus, sink, events, .. } = self;
        let Some(gpus) = gpus else { return Ok(()) };
        let in_tree = |tgid| trees.is_some_and(|trees| trees.value(tgid).is_some());
        gpus.take(attribution, in_tree, |event| {
            let event = Event { wall_time: known.wall_time(event.ktime_ns), ..*event };
            show(&event, Some(&mut *listeners), filter, sink, events)
        })
    }

    /// The processes that were there before the trace.
    fn keep_processes(&mut self) {
        let Listeners { keep, alerts, .. } = &mut self.listeners;
        if keep.is_none() && alerts.is_none() {
            return;
        }
        for record in self.attribution.records() {
            if let Some(alerts) = alerts {
                alerts.process(&record);
            }
            if let Some(keep) = keep {
                let started = Some(self.known.wall_time(record.key.start_time));
                keep.process(ProcessRecord { started, ..record });
            }
        }
    }

    /// Looks at what everybody uses.
    fn look(&mut self, lost: &Lost) {
        let Listeners { keep, sampling, alerts } = &mut self.listeners;
        let Some(sampling) = sampling else { return };
        let around = Around {
            known: &self.known,
            attribution: &self.attribution,
            gpus: self.gpus.as_ref(),
            lost_events: lost.total(),
        };
        let Some(usage) = sampling.look(&around) else { return };
        if let Some(alerts) = alerts {
            alerts.look(&usage, around.gpus.and_then(Gpus::snapshot), around.attribution);
        }
        if let Some(keep) = keep {
            keep.usage(&usage);
            if let Some(alerts) = alerts {
                alerts.keep_learned(keep, false);
            }
        }
    }

    /// What has become of alerts.
    fn pass_alerts(&mut self) -> Result<(), Failure> {
        let Self { listeners: Listeners { keep, alerts, .. }, filter, sink, events, .. } = self;
        let crashes = keep.as_mut().map(Keep::take_crashes).unwrap_or_default();
        let Some(alerts) = alerts else { return Ok(()) };
        for crash in &crashes {
            alerts.crashed(crash);
        }
        while let Some(alert) = alerts.next() {
            if alert.change.is_told() {
                show(&alerts::event(&alert), None, filter, sink, events)?;
            }
            if let Some(keep) = keep {
                keep.alert(alert);
            }
        }
        Ok(())
    }

    /// What the last counts have shown.
    fn last_alerts(&mut self) -> Result<(), Failure> {
        if let Some(alerts) = &mut self.listeners.alerts {
            alerts.tick(self.known.wall_time(boot_ns()));
        }
        self.pass_alerts()
    }

    /// `since_ns` is when the counters were read before this.
    fn show_lost(&mut self, lost: Lost, since_ns: u64) -> Result<(), Failure> {
        let ktime_ns = boot_ns();
        let event = Event {
            ktime_ns,
            wall_time: self.known.wall_time(ktime_ns),
            process: None,
            persona: None,
            persona_root: None,
            payload: Payload::Lost(lost),
        };
        if let Some(keep) = &mut self.listeners.keep {
            keep.event(&event);
            keep.lost(&lost, self.known.wall_time(since_ns), event.wall_time);
        }
        self.sink.event(&event).map_err(Failure::Write)
    }
}

/// Ready when somebody asks for something; never where nobody can.
async fn next_request(requests: Option<&mut Requests>) -> Request {
    if let Some(requests) = requests
        && let Some(asked) = requests.recv().await
    {
        return asked;
    }
    std::future::pending().await
}

/// Ready when it is time; never where no time is set.
async fn tick(interval: Option<&mut Interval>) {
    match interval {
        Some(interval) => {
            interval.tick().await;
        }
        None => std::future::pending().await,
    }
}

/// Ticks, the first at once. One that is late moves those after it.
fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Ready when a crash's stack has its names; never where nothing is kept.
async fn names_of_a_stack(keep: Option<&mut Keep>) -> StackAnswer {
    match keep {
        Some(keep) => keep.named().await,
        None => std::future::pending().await,
    }
}

/// Ready when the GPUs have something to tell; never where there are none.
async fn gpus_changed(gpus: Option<&mut Gpus>) {
    match gpus {
        Some(gpus) => gpus.changed().await,
        None => std::future::pending().await,
    }
}

/// Lets everybody hear of an event, hands it to the sink where it passes the
/// filter, and counts it then.
fn show(
    event: &Event<'_>,
    listeners: Option<&mut Listeners>,
    filter: &Filter,
    sink: &mut impl Sink,
    events: &mut u64,
) -> Result<(), Failure> {
    if let Some(listeners) = listeners {
        listeners.hear(event);
    }
    if filter.passes(event) {
        *events += 1;
        sink.event(event).map_err(Failure::Write)?;
    }
    Ok(())
}

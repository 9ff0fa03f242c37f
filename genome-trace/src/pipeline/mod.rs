//! The way of every event: rings and counts -> decoding -> filter -> sink,
//! and the account of what was lost on it.

mod attribution;
mod filter;
mod known;
mod rule_files;

pub use attribution::{Attribution, KernelFilter, facts_from_proc};
pub use filter::Filter;
pub use known::Known;
pub use rule_files::{MACHINE_RULES, RuleFiles, RulesFailure, read_rule_file};

use std::{io, time::Duration};

use tokio::time::Instant;

use crate::{
    kernel::{clock::boot_ns, syscall::wait_for_programs},
    model::{Event, EventKind, Lost, Payload},
    probe::Object,
    sink::Sink,
    source::{Counts, FLUSH_INTERVAL, Losses, Ring, Skips},
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
/// The same, while a flush waits for the names of its files.
const NAMES_SLICE: Duration = Duration::from_millis(500);
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
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

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
    rule_files: RuleFiles,
}

/// What a record passes through once it is out of its ring.
struct Stage<S> {
    decoder: Decoder,
    known: Known,
    attribution: Attribution,
    filter: Filter,
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
        let Parts { object, lifecycle, io, counts, losses, known, attribution, rule_files, filter } =
            parts;
        Self {
            object: Some(object),
            lifecycle,
            io,
            stage: Stage {
                decoder: Decoder::default(),
                known,
                attribution,
                filter,
                counts,
                sink,
                events: 0,
                exited: false,
                names_were_lost: false,
            },
            losses,
            skips: Skips::default(),
            lost: Lost::default(),
            rule_files,
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
        let mut flush = tokio::time::interval(FLUSH_INTERVAL);
        flush.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut rules = self.rule_files.watch()?;
        let mut clock_measured = Instant::now();
        let mut losses_read = Instant::now();
        let mut flushed = Instant::now();
        let mut more = false;
        loop {
            let mut flush_now = false;
            // Readiness is cleared before the rings are read to their end, so
            // what comes in meanwhile is announced again.
            tokio::select! {
                biased;
                () = &mut stop => return Ok(()),
                changed = rules.changed() => {
                    changed?;
                    self.read_rules_again();
                }
                _ = flush.tick() => flush_now = true,
                ready = lifecycle.readable() => ready?.clear_ready(),
                ready = io.readable() => ready?.clear_ready(),
                () = std::future::ready(()), if more => {}
            }
            more = self.drain(DRAIN_SLICE)?;
            let now = Instant::now();
            let exit_flush = self.stage.exited && now - flushed >= EXIT_FLUSH_INTERVAL;
            if flush_now || exit_flush || self.stage.counts.is_pressing() {
                self.flush_counts()?;
                flushed = now;
            }
            if flush_now || now - losses_read >= LOSS_INTERVAL {
                self.look_for_skips()?;
                if flush_now {
                    self.skips.settle();
                }
                self.tell_losses()?;
                losses_read = now;
            }
            if now - clock_measured >= CLOCK_INTERVAL {
                self.stage.known.set_clock();
                clock_measured = now;
            }
            self.stage.sink.flush().map_err(Failure::Write)?;
        }
    }

    /// Goes by the rules as they are now; where they cannot be used, by those
    /// that were read before.
    fn read_rules_again(&mut self) {
        match self.rule_files.read() {
            Ok(rules) => {
                self.stage.attribution.replace_rules(rules, boot_ns());
                eprintln!("genome-trace: the persona rules have changed and were read again");
            }
            Err(failure) => {
                eprintln!("{failure}\ngenome-trace: the persona rules read before this are kept");
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
        if !self.stage.counts.has_any() && !self.stage.names_were_lost {
            self.stage.attribution.flushed();
            return Ok(());
        }
        self.stage.names_were_lost = false;
        self.stage.counts.flip()?;
        // Every name of the map that is read now was sent before the flip.
        let more = self.drain(NAMES_SLICE)?;
        self.stage.pass_counts()?;
        if !more {
            self.stage.attribution.flushed();
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
        let mut lost = self.losses.read().map_err(failed)?;
        lost.skipped = self.skips.told();
        let new = lost.since(&self.lost);
        if new.total() == 0 {
            return Ok(());
        }
        self.lost = lost;
        self.stage.names_were_lost |= new.file_path != 0 || new.file_create != 0;
        self.stage.show_lost(new)
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
        self.tell_losses()?;
        self.stage.sink.flush().map_err(Failure::Write)
    }
}

impl<S: Sink> Stage<S> {
    /// One record, from its bytes to the sink.
    fn pass(&mut self, record: &[u8]) -> Result<(), Failure> {
        match self.decoder.decode(record, &self.known).map_err(Failure::Decode)? {
            Decoded::Event(event, named) => {
                if let Some(file) = named {
                    self.counts.name(file, record);
                }
                self.exited |= event.kind() == EventKind::Exit;
                self.attribution.hear(&event);
                let event = Event { persona: self.attribution.persona(&event), ..event };
                show(&event, &self.filter, &mut self.sink, &mut self.events)?;
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
        let Self { decoder, known, attribution, filter, counts, sink, events, .. } = self;
        counts.take(boot_ns(), |counted| {
            let event = decoder.counted(counted, known);
            attribution.hear(&event);
            show(&Event { persona: attribution.persona(&event), ..event }, filter, sink, events)
        })
    }

    fn show_lost(&mut self, lost: Lost) -> Result<(), Failure> {
        let ktime_ns = boot_ns();
        let event = Event {
            ktime_ns,
            wall_time: self.known.wall_time(ktime_ns),
            process: None,
            persona: None,
            payload: Payload::Lost(lost),
        };
        self.sink.event(&event).map_err(Failure::Write)
    }
}

/// Hands an event to the sink where it passes the filter, and counts it.
fn show(
    event: &Event<'_>,
    filter: &Filter,
    sink: &mut impl Sink,
    events: &mut u64,
) -> Result<(), Failure> {
    if filter.passes(event) {
        *events += 1;
        sink.event(event).map_err(Failure::Write)?;
    }
    Ok(())
}

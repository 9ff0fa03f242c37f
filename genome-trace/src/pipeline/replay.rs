//! Recordings, passed on as a run passes on what comes out of the kernel: the
//! same decoding, attribution, filter and sinks, without a kernel.

use super::{Attribution, Failure, Filter, show};
use crate::{
    detect::Detectors,
    model::{Event, Payload, WallTime},
    sink::Sink,
    wire::{
        Decoded, Decoder,
        recording::{Context, Item},
    },
};

/// A run looks once a second, when it has taken the counts, which it does more
/// often where processes end.
const LOOK_NS: u64 = 900_000_000;
/// Where a recording has no counts for longer than that, there were none.
const TICK_NS: u64 = 1_500_000_000;

/// What an item of a recording passes through.
pub struct Replay<S> {
    decoder: Decoder,
    attribution: Attribution,
    filter: Filter,
    sink: S,
    events: u64,
    detectors: Option<(Detectors, Ticks)>,
}

/// When detectors hear that time goes on: by the events' own time, since there
/// is no other.
#[derive(Debug, Default)]
struct Ticks {
    /// The last event's time, on both clocks.
    last: Option<(u64, WallTime)>,
    ticked_ns: u64,
    is_in_counts: bool,
}

impl Ticks {
    /// An event is next: the time to be told before it, if any. All counts of
    /// one flush are to be heard before the time after it.
    fn before(&mut self, ktime_ns: u64, is_count: bool) -> Option<(u64, WallTime)> {
        let counts_end = std::mem::replace(&mut self.is_in_counts, is_count) && !is_count;
        let (last_ns, wall_time) = self.last?;
        let since_ns = ktime_ns.saturating_sub(self.ticked_ns);
        let is_late = !is_count && since_ns >= TICK_NS;
        let is_look = counts_end && since_ns >= LOOK_NS;
        let told_ns = if counts_end { last_ns } else { ktime_ns };
        (is_look || is_late).then(|| {
            self.ticked_ns = told_ns;
            (told_ns, wall_time)
        })
    }
}

impl<S: Sink> Replay<S> {
    /// What passes goes to `sink`. The attribution is to be one
    /// [`Attribution::of_recording`].
    #[must_use]
    pub fn new(attribution: Attribution, filter: Filter, sink: S) -> Self {
        Self { decoder: Decoder::default(), attribution, filter, sink, events: 0, detectors: None }
    }

    /// Lets detectors hear of everything, too; their alerts go to the sink.
    /// Recordings have no looks: what is found in looks is not found.
    #[must_use]
    pub fn with_detectors(self, detectors: Detectors) -> Self {
        Self { detectors: Some((detectors, Ticks::default())), ..self }
    }

    /// Passes one item on. Items are to come in their order.
    ///
    /// # Errors
    /// A record that cannot be decoded, or the sink's failure.
    pub fn pass(&mut self, item: &Item<'_>, context: &Context) -> Result<(), Failure> {
        let Self { decoder, attribution, filter, sink, events, detectors } = self;
        let event = match item {
            Item::Lifecycle(record) | Item::Io(record) => {
                match decoder.decode(record, context).map_err(Failure::Decode)? {
                    Decoded::Event(event, _) => event,
                    // Counts have their names with them, and the context its
                    // cgroups.
                    Decoded::File(_) | Decoded::Cgroup { .. } => return Ok(()),
                }
            }
            Item::Count(counted) => decoder.counted(*counted, context),
        };
        attribution.hear(&event);
        let (persona, persona_root) = attribution.persona(&event).unzip();
        let event = Event { persona, persona_root, ..event };
        if let Some((detectors, ticks)) = detectors {
            let is_count = matches!(item, Item::Count(_));
            if let Some((boot_ns, wall_time)) = ticks.before(event.ktime_ns, is_count) {
                detectors.tick(boot_ns, wall_time);
            }
            ticks.last = Some((event.ktime_ns, event.wall_time));
            detectors.hear(&event);
            show_alerts(detectors, event.ktime_ns, filter, sink, events)?;
        }
        show(&event, None, filter, sink, events)?;
        if let (Payload::Exit(_), Some(process)) = (&event.payload, &event.process) {
            attribution.ended(process.key);
        }
        Ok(())
    }

    /// Forgets those that ended, as after a flush of counts: a run has one at
    /// least every second.
    ///
    /// # Errors
    /// The sink's failure.
    pub fn flush(&mut self) -> Result<(), Failure> {
        let Self { attribution, filter, sink, events, detectors, .. } = self;
        attribution.flushed();
        if let Some((detectors, ticks)) = detectors
            && let Some((boot_ns, wall_time)) = ticks.last
        {
            detectors.tick(boot_ns, wall_time);
            (ticks.ticked_ns, ticks.is_in_counts) = (boot_ns, false);
            show_alerts(detectors, boot_ns, filter, sink, events)?;
        }
        sink.flush().map_err(Failure::Write)
    }

    /// Events that passed the filter.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// The sink, with what it took.
    #[must_use]
    pub fn into_sink(self) -> S {
        self.sink
    }
}

/// What has become of alerts, as a run shows it.
fn show_alerts(
    detectors: &mut Detectors,
    boot_ns: u64,
    filter: &Filter,
    sink: &mut impl Sink,
    events: &mut u64,
) -> Result<(), Failure> {
    while let Some(alert) = detectors.next_alert() {
        if alert.change.is_told() {
            show(&alert.event(boot_ns), None, filter, sink, events)?;
        }
    }
    Ok(())
}

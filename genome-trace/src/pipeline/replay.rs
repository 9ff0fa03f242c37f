//! Recordings, passed on as a run passes on what comes out of the kernel: the
//! same decoding, attribution, filter and sinks, without a kernel.

use super::{Attribution, Failure, Filter, show};
use crate::{
    model::{Event, Payload},
    sink::Sink,
    wire::{
        Decoded, Decoder,
        recording::{Context, Item},
    },
};

/// What an item of a recording passes through.
pub struct Replay<S> {
    decoder: Decoder,
    attribution: Attribution,
    filter: Filter,
    sink: S,
    events: u64,
}

impl<S: Sink> Replay<S> {
    /// What passes goes to `sink`. The attribution is to be one
    /// [`Attribution::of_recording`].
    #[must_use]
    pub fn new(attribution: Attribution, filter: Filter, sink: S) -> Self {
        Self { decoder: Decoder::default(), attribution, filter, sink, events: 0 }
    }

    /// Passes one item on. Items are to come in their order.
    ///
    /// # Errors
    /// A record that cannot be decoded, or the sink's failure.
    pub fn pass(&mut self, item: &Item<'_>, context: &Context) -> Result<(), Failure> {
        let Self { decoder, attribution, filter, sink, events } = self;
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
        self.attribution.flushed();
        self.sink.flush().map_err(Failure::Write)
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

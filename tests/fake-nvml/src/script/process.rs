//! `[[gpu.process]]`: who holds memory on a GPU.

use std::time::Duration;

use serde::Deserialize;

use super::amount::Bytes;
use super::offset::Offset;
use super::vram::Vram;

/// A process on a GPU.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Process {
    /// Process id, as the host has it.
    pub(crate) pid: u32,
    /// In which lists it is.
    #[serde(rename = "type", default)]
    pub(crate) kind: Kind,
    /// What it holds.
    pub(crate) vram: Vram,
    /// From when on it is there.
    #[serde(default)]
    pub(crate) from: Offset,
    /// Until when it is there; for ever where left out.
    pub(crate) until: Option<Offset>,
    pub(crate) sm_percent: Option<u32>,
    pub(crate) memory_percent: Option<u32>,
    pub(crate) encoder_percent: Option<u32>,
    pub(crate) decoder_percent: Option<u32>,
    /// What accounting says that it has held at most.
    pub(crate) accounted_peak: Option<Bytes>,
    pub(crate) gpu_instance_id: Option<u32>,
    pub(crate) compute_instance_id: Option<u32>,
}

/// What a process does on a GPU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    #[default]
    Compute,
    Graphics,
    Both,
}

/// One of the driver's lists of processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    Compute,
    Graphics,
}

impl Process {
    /// Whether it is there at that time.
    pub(crate) fn runs_at(&self, elapsed: Duration) -> bool {
        self.from.0 <= elapsed && self.until.is_none_or(|until| elapsed < until.0)
    }

    /// Whether that list has it.
    pub(crate) fn is_in(&self, list: List) -> bool {
        match self.kind {
            Kind::Both => true,
            Kind::Compute => list == List::Compute,
            Kind::Graphics => list == List::Graphics,
        }
    }

    /// Whether the script says how busy it keeps anything.
    pub(crate) fn has_utilization(&self) -> bool {
        [self.sm_percent, self.memory_percent, self.encoder_percent, self.decoder_percent]
            .iter()
            .any(Option::is_some)
    }
}

//! What is measured of genome-trace alone, without a ratio: how soon it tells,
//! what it takes while nothing happens, and what it stands.

pub(crate) mod crashes_query;
pub(crate) mod detectors;
pub(crate) mod flood;
pub(crate) mod gpus;
pub(crate) mod idle;
pub(crate) mod latency;
pub(crate) mod record;
pub(crate) mod samples;
pub(crate) mod startup;
pub(crate) mod suites;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::machine::{Cpus, Place};

/// What `--only` calls those that are measured in each mode.
pub(crate) const NAMES: [&str; 7] =
    ["startup", "idle", "samples", "gpus", "flood", "record", "latency"];

/// What every row is measured with.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a> {
    /// genome-trace.
    pub(crate) tracer: &'a Path,
    /// Its mode.
    pub(crate) mode: &'a str,
    /// `genome-trace-workload`.
    pub(crate) workload: &'a Path,
    /// A driver of GPUs, where there is one to look at.
    pub(crate) fake_nvml: Option<&'a Path>,
    /// Who runs where.
    pub(crate) cpus: &'a Cpus,
    /// A folder on a disk.
    pub(crate) disk: &'a Path,
    /// The folder of other people's test suites, where there is one.
    pub(crate) suites: Option<&'a Path>,
    /// A folder in memory.
    pub(crate) scratch: &'a Place,
    /// Whether peers are wanted.
    pub(crate) peers: bool,
    /// Whether there is little time.
    pub(crate) quick: bool,
}

/// All rows of one mode; `None` is what was not asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rows {
    /// The mode.
    pub(crate) mode: String,
    /// How soon the first event comes.
    pub(crate) startup: Option<startup::Startup>,
    /// What a quiet machine costs.
    pub(crate) idle: Option<idle::Idle>,
    /// What looking at all processes costs.
    #[serde(default)]
    pub(crate) samples: Option<samples::Samples>,
    /// What looking at GPUs costs.
    #[serde(default)]
    pub(crate) gpus: Option<gpus::Gpus>,
    /// What a flood costs.
    pub(crate) flood: Option<flood::Flood>,
    /// What recording costs.
    #[serde(default)]
    pub(crate) record: Option<record::Record>,
    /// What recording 10,000 exits a second costs.
    #[serde(default)]
    pub(crate) record_exits: Option<record::Record>,
    /// How late events are.
    pub(crate) latency: Option<latency::Latency>,
}

impl Rows {
    /// Measures what `wanted` says yes to.
    pub(crate) fn measure(
        ground: Ground<'_>,
        wanted: impl Fn(&str) -> bool,
        progress: impl Fn(&str),
    ) -> anyhow::Result<Self> {
        fn one<T>(
            name: &str,
            wanted: &impl Fn(&str) -> bool,
            progress: &impl Fn(&str),
            measure: impl FnOnce() -> anyhow::Result<T>,
        ) -> anyhow::Result<Option<T>> {
            if !wanted(name) {
                return Ok(None);
            }
            progress(name);
            measure().map(Some)
        }
        Ok(Self {
            mode: ground.mode.to_owned(),
            startup: one("startup", &wanted, &progress, || startup::measure(ground))?,
            idle: one("idle", &wanted, &progress, || idle::measure(ground))?,
            samples: one("samples", &wanted, &progress, || samples::measure(ground))?,
            gpus: one("gpus", &wanted, &progress, || gpus::measure(ground))?.flatten(),
            flood: one("flood", &wanted, &progress, || flood::measure(ground))?,
            record: one("record", &wanted, &progress, || record::programs(ground))?,
            record_exits: one("record", &wanted, &progress, || record::exits(ground))?,
            latency: one("latency", &wanted, &progress, || latency::measure(ground))?,
        })
    }
}

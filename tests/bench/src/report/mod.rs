//! The report: what was measured, as JSON and as a table.

pub(crate) mod table;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use crate::account::{Tally, Verdict, worst};
use crate::machine::Machine;
use crate::row::Rows;
use crate::row::crashes_query::CrashesQuery;
use crate::row::detectors::Detectors;
use crate::row::suites::Suites;
use crate::stats::Spread;
use crate::subject::peer::Installed;

/// The version of the format; raised when the meaning of a field changes.
const VERSION: u32 = 1;

/// Everything that one run of the benchmark found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The version of this format.
    pub(crate) v: u32,
    /// What it was found on.
    pub(crate) machine: Machine,
    /// Whether it was a short one.
    pub(crate) quick: bool,
    /// The peers, installed or not.
    pub(crate) peers: Vec<Installed>,
    /// The scenarios.
    pub(crate) scenarios: Vec<ScenarioReport>,
    /// What genome-trace does alone, mode by mode.
    pub(crate) rows: Vec<Rows>,
    /// What other people's test suites take under `run`; `None` where that was
    /// not wanted.
    #[serde(default)]
    pub(crate) suites: Option<Suites>,
    /// What a question costs that a store is asked; `None` where that was not
    /// wanted.
    #[serde(default)]
    pub(crate) crashes_query: Option<CrashesQuery>,
    /// What detectors cost a recorder; `None` where that was not wanted.
    #[serde(default)]
    pub(crate) detectors: Option<Detectors>,
}

/// One scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScenarioReport {
    /// Its name.
    pub(crate) name: String,
    /// What it is.
    pub(crate) title: String,
    /// What its files are on; `None` where it has none.
    pub(crate) file_system: Option<String>,
    /// Why it was not measured; `None` where it was.
    pub(crate) skipped: Option<String>,
    /// The subjects.
    pub(crate) rows: Vec<Row>,
}

/// One subject in one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) subject: String,
    /// genome-trace's mode; `None` for a peer.
    pub(crate) mode: Option<String>,
    /// Why it was not measured; `None` where it was.
    pub(crate) skipped: Option<String>,
    /// What was measured; `None` where nothing was.
    pub(crate) figures: Option<Figures>,
}

/// What pairs of runs told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Pairs of runs.
    pub(crate) runs: u32,
    /// Operations in each run.
    pub(crate) operations: u64,
    /// Time with over time without, pair by pair.
    pub(crate) ratio: Spread,
    /// Nanoseconds of one operation without.
    pub(crate) baseline_ns: Spread,
    /// CPU seconds of the subject for a million events that happened; for a
    /// million operations where the subject tells no events that are counted.
    pub(crate) cpu_seconds_per_million: f64,
    /// The most memory of the subject.
    pub(crate) peak_rss_bytes: u64,
    /// What it told, against the truth, in all runs together.
    pub(crate) tallies: Vec<Tally>,
    /// The worst of the tallies; `None` where nothing was counted.
    pub(crate) verdict: Option<Verdict>,
}

impl Report {
    /// An empty one.
    pub(crate) fn new(machine: Machine, quick: bool, peers: Vec<Installed>) -> Self {
        Self {
            v: VERSION,
            machine,
            quick,
            peers,
            scenarios: Vec::new(),
            rows: Vec::new(),
            suites: None,
            crashes_query: None,
            detectors: None,
        }
    }

    /// Reads one that was written before.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        let report: Self =
            serde_json::from_str(&text).with_context(|| format!("parse {}", path.display()))?;
        ensure!(
            report.v == VERSION,
            "read {}: it is of version {}, this program knows {VERSION}; make it anew by \
             `cargo xtask bench --json FILE`",
            path.display(),
            report.v
        );
        Ok(report)
    }

    /// Writes it.
    pub(crate) fn save(&self, path: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(self).context("format the report")?;
        text.push('\n');
        fs::write(path, text).with_context(|| format!("write {}", path.display()))
    }

    /// The figures of one subject in one scenario.
    pub(crate) fn figures(&self, scenario: &str, row: &Row) -> Option<&Figures> {
        let scenario = self.scenarios.iter().find(|entry| entry.name == scenario)?;
        let same = |entry: &&Row| entry.subject == row.subject && entry.mode == row.mode;
        scenario.rows.iter().find(same)?.figures.as_ref()
    }

    /// Whether genome-trace counted wrongly anywhere, changed what a suite came
    /// to, or lost of how processes begin and end in the flood.
    pub(crate) fn has_wrong_counts(&self) -> bool {
        let ours = self.scenarios.iter().flat_map(|scenario| &scenario.rows);
        let ours = ours.filter(|row| row.mode.is_some());
        let pairs = ours.filter_map(|row| row.figures.as_ref()?.verdict);
        let floods = self.rows.iter().filter_map(|rows| rows.flood.as_ref());
        let lost: u64 = floods.clone().map(|flood| flood.lifecycle_lost).sum();
        let records = self.rows.iter().flat_map(|rows| [&rows.record, &rows.record_exits]);
        let records = records.filter_map(|record| record.as_ref()?.verdict);
        let samples = self.rows.iter().filter_map(|rows| Some(rows.samples.as_ref()?.verdict));
        let verdicts = pairs.chain(floods.filter_map(|flood| flood.verdict));
        let detectors = self.detectors.iter().filter_map(|detectors| detectors.verdict);
        let suites = self.suites.iter().flat_map(Suites::verdicts);
        let verdicts = verdicts.chain(records).chain(samples).chain(detectors).chain(suites);
        lost > 0 || worst(verdicts) == Some(Verdict::Wrong)
    }
}

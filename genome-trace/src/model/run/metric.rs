//! What is counted of a run: one definition of each metric, by which it is
//! kept, compared, asked for in a rule and shown.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is counted of a run. A figure is a whole number of its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunMetric {
    /// Processes that the tree had, the command's own among them.
    Processes,
    /// Programs that were executed (execve(2) that succeeded).
    Execs,
    /// Processes that exited with a code that is not 0.
    FailedExits,
    /// Processes that crashed.
    Crashes,
    /// Signals that ended a process.
    Signals,
    /// Processes that the OOM killer chose.
    OomKills,
    /// Files that an open created.
    FilesCreated,
    /// Unlinks that succeeded.
    FilesUnlinked,
    /// Different paths of files that were written to.
    FilesWritten,
    /// Calls that wrote to files.
    WriteCalls,
    /// Bytes that those took.
    WrittenBytes,
    /// The highest resident set of a single process.
    PeakRssBytes,
    /// The highest resident memory of all processes together that a look saw.
    PeakTreeRssBytes,
    /// The highest GPU memory of all processes together that a look saw.
    PeakVramBytes,
    /// The most threads of all processes together that a look saw.
    PeakThreads,
    /// CPU time of all processes.
    CpuNs,
    /// From the command's start to its end.
    WallNs,
}

/// How two figures of a metric are held against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunClass {
    /// A count of what the program did: equal or not.
    Exact,
    /// An amount: equal within a tolerance.
    Stable,
    /// A time: judged by repetition alone.
    Noisy,
}

/// What a metric of a run is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunUnit {
    /// Just a number.
    Count,
    /// Bytes.
    Bytes,
    /// Nanoseconds.
    Nanoseconds,
}

impl RunMetric {
    /// Every metric, in the order in which they are shown.
    pub const ALL: [Self; 17] = [
        Self::Processes,
        Self::Execs,
        Self::FailedExits,
        Self::Crashes,
        Self::Signals,
        Self::OomKills,
        Self::FilesCreated,
        Self::FilesUnlinked,
        Self::FilesWritten,
        Self::WriteCalls,
        Self::WrittenBytes,
        Self::PeakRssBytes,
        Self::PeakTreeRssBytes,
        Self::PeakVramBytes,
        Self::PeakThreads,
        Self::CpuNs,
        Self::WallNs,
    ];

    /// The name in JSON and in rules.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Processes => "processes",
            Self::Execs => "execs",
            Self::FailedExits => "failed_exits",
            Self::Crashes => "crashes",
            Self::Signals => "signals",
            Self::OomKills => "oom_kills",
            Self::FilesCreated => "files_created",
            Self::FilesUnlinked => "files_unlinked",
            Self::FilesWritten => "files_written",
            Self::WriteCalls => "write_calls",
            Self::WrittenBytes => "written_bytes",
            Self::PeakRssBytes => "peak_rss_bytes",
            Self::PeakTreeRssBytes => "peak_tree_rss_bytes",
            Self::PeakVramBytes => "peak_vram_bytes",
            Self::PeakThreads => "peak_threads",
            Self::CpuNs => "cpu_ns",
            Self::WallNs => "wall_ns",
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Processes => "Processes that the tree had, the command's own among them",
            Self::Execs => "Programs that were executed",
            Self::FailedExits => "Processes that exited with a code that is not 0",
            Self::Crashes => "Processes that crashed",
            Self::Signals => "Signals that ended a process",
            Self::OomKills => "Processes that the OOM killer chose",
            Self::FilesCreated => "Files that an open created",
            Self::FilesUnlinked => "Unlinks that succeeded",
            Self::FilesWritten => "Different files that were written to",
            Self::WriteCalls => "Calls that wrote to files",
            Self::WrittenBytes => "Bytes that were written to files",
            Self::PeakRssBytes => "The highest resident set of a single process, in bytes",
            Self::PeakTreeRssBytes => {
                "The highest resident memory of all processes together, as sampled, in bytes"
            }
            Self::PeakVramBytes => {
                "The highest GPU memory of all processes together, as sampled, in bytes"
            }
            Self::PeakThreads => "The most threads of all processes together, as sampled",
            Self::CpuNs => "CPU time of all processes, in nanoseconds",
            Self::WallNs => "From the command's start to its end, in nanoseconds",
        }
    }

    /// How two figures of it are held against each other.
    #[must_use]
    pub const fn class(self) -> RunClass {
        match self {
            Self::Processes
            | Self::Execs
            | Self::FailedExits
            | Self::Crashes
            | Self::Signals
            | Self::OomKills
            | Self::FilesCreated
            | Self::FilesUnlinked
            | Self::FilesWritten => RunClass::Exact,
            Self::WriteCalls | Self::WrittenBytes | Self::PeakRssBytes | Self::PeakVramBytes => {
                RunClass::Stable
            }
            // Whether a look falls into the moment of a fork, in which all of a
            // process' memory counts twice, is chance.
            Self::PeakTreeRssBytes | Self::PeakThreads | Self::CpuNs | Self::WallNs => {
                RunClass::Noisy
            }
        }
    }

    /// What it is counted in.
    #[must_use]
    pub const fn unit(self) -> RunUnit {
        match self {
            Self::WrittenBytes
            | Self::PeakRssBytes
            | Self::PeakTreeRssBytes
            | Self::PeakVramBytes => RunUnit::Bytes,
            Self::CpuNs | Self::WallNs => RunUnit::Nanoseconds,
            Self::Processes
            | Self::Execs
            | Self::FailedExits
            | Self::Crashes
            | Self::Signals
            | Self::OomKills
            | Self::FilesCreated
            | Self::FilesUnlinked
            | Self::FilesWritten
            | Self::WriteCalls
            | Self::PeakThreads => RunUnit::Count,
        }
    }

    /// Its place in [`RunMetric::ALL`].
    const fn index(self) -> usize {
        self as usize
    }
}

impl RunClass {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Stable => "stable",
            Self::Noisy => "noisy",
        }
    }
}

impl RunUnit {
    /// The name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Bytes => "bytes",
            Self::Nanoseconds => "nanoseconds",
        }
    }
}

impl fmt::Display for RunMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no metric's of a run.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownRunMetric(pub String);

impl fmt::Display for UnknownRunMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no metric of a run is called {:?}; there are", self.0)?;
        for (index, metric) in RunMetric::ALL.into_iter().enumerate() {
            write!(f, "{} {metric}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownRunMetric {}

impl FromStr for RunMetric {
    type Err = UnknownRunMetric;

    fn from_str(name: &str) -> Result<Self, UnknownRunMetric> {
        Self::ALL
            .into_iter()
            .find(|metric| metric.name() == name)
            .ok_or_else(|| UnknownRunMetric(name.to_owned()))
    }
}

/// A figure for each metric of a run, where it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunFigures([Option<u64>; RunMetric::ALL.len()]);

impl RunFigures {
    /// The figure, in the metric's unit; `None` where it is unknown.
    #[must_use]
    pub fn get(&self, metric: RunMetric) -> Option<u64> {
        self.0.get(metric.index()).copied().flatten()
    }

    /// Sets it.
    pub fn set(&mut self, metric: RunMetric, figure: Option<u64>) {
        if let Some(slot) = self.0.get_mut(metric.index()) {
            *slot = figure;
        }
    }

    /// Each metric with its figure.
    pub fn iter(&self) -> impl Iterator<Item = (RunMetric, Option<u64>)> {
        RunMetric::ALL.into_iter().zip(self.0)
    }
}

/// An object with every metric's name; unknown is null.
impl Serialize for RunFigures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(metric, figure)| (metric.name(), figure)))
    }
}

/// Metrics of a newer version are passed over; one that is not there is
/// unknown.
impl<'de> Deserialize<'de> for RunFigures {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = BTreeMap::<String, Option<u64>>::deserialize(deserializer)?;
        let mut figures = Self::default();
        for (name, figure) in map {
            if let Ok(metric) = name.parse() {
                figures.set(metric, figure);
            }
        }
        Ok(figures)
    }
}

/// Reads a map by metric; metrics of a newer version are passed over.
pub(super) fn by_metric<'de, D, T>(deserializer: D) -> Result<BTreeMap<RunMetric, T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let map = BTreeMap::<String, T>::deserialize(deserializer)?;
    let known = map.into_iter().filter_map(|(name, of)| Some((name.parse().ok()?, of)));
    Ok(known.collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_has_a_place_and_a_name_of_its_own() {
        for (index, metric) in RunMetric::ALL.into_iter().enumerate() {
            assert_eq!(metric.index(), index);
            assert_eq!(metric.name().parse(), Ok(metric));
            assert_eq!(serde_json::to_string(&metric).unwrap(), format!("{:?}", metric.name()));
        }
        let error = "files".parse::<RunMetric>().unwrap_err().to_string();
        assert!(error.contains("\"files\"; there are processes, execs, failed_exits"), "{error}");
    }

    #[test]
    fn a_name_says_the_unit_and_the_class_fits_it() {
        for metric in RunMetric::ALL {
            let unit = match metric.name().rsplit('_').next().unwrap() {
                "bytes" => RunUnit::Bytes,
                "ns" => RunUnit::Nanoseconds,
                _ => RunUnit::Count,
            };
            assert_eq!(metric.unit(), unit, "{metric}");
            assert!(metric.class() == RunClass::Noisy || unit != RunUnit::Nanoseconds, "{metric}");
            assert!(metric.class() != RunClass::Exact || unit == RunUnit::Count, "{metric}");
        }
        for class in [RunClass::Exact, RunClass::Stable, RunClass::Noisy] {
            assert_eq!(serde_json::to_string(&class).unwrap(), format!("{:?}", class.name()));
        }
        for unit in [RunUnit::Count, RunUnit::Bytes, RunUnit::Nanoseconds] {
            assert_eq!(serde_json::to_string(&unit).unwrap(), format!("{:?}", unit.name()));
        }
    }

    #[test]
    fn figures_keep_what_is_unknown_and_pass_over_what_is_new() {
        let mut figures = RunFigures::default();
        figures.set(RunMetric::WrittenBytes, Some(u64::MAX));
        figures.set(RunMetric::Crashes, Some(0));
        let json = serde_json::to_string(&figures).unwrap();
        assert!(json.contains("\"crashes\":0") && json.contains("\"cpu_ns\":null"), "{json}");
        assert_eq!(serde_json::from_str::<RunFigures>(&json).unwrap(), figures);
        let newer = r#"{"crashes": 0, "written_bytes": 18446744073709551615, "dreams": 3}"#;
        assert_eq!(serde_json::from_str::<RunFigures>(newer).unwrap(), figures);
        assert!(serde_json::from_str::<RunFigures>(r#"{"crashes": -1}"#).is_err());
    }
}

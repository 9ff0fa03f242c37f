//! What is measured again and again: one definition of each, by which it is
//! sampled, stored, sorted by, shown and exported.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a figure measures. Rates are over the time since the look before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Resident memory.
    RssBytes,
    /// CPU time; 100 is one processor.
    CpuPercent,
    /// GPU memory.
    VramBytes,
    /// How busy it keeps GPUs; 100 is one GPU.
    GpuPercent,
    /// Calls that write to files.
    WriteCallsPerSecond,
    /// Bytes that those took.
    WrittenBytesPerSecond,
    /// Files created.
    FilesCreatedPerSecond,
    /// Processes created.
    SpawnsPerSecond,
    /// Processes.
    Processes,
    /// Threads.
    Threads,
    /// Open file descriptors.
    OpenFiles,
}

/// What a metric is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Percent of one processor or GPU.
    Percent,
    /// So many a second.
    PerSecond,
    /// Bytes a second.
    BytesPerSecond,
    /// Just a number.
    Count,
}

impl Metric {
    /// Every metric, in the order in which they are shown.
    pub const ALL: [Self; 11] = [
        Self::RssBytes,
        Self::CpuPercent,
        Self::VramBytes,
        Self::GpuPercent,
        Self::WriteCallsPerSecond,
        Self::WrittenBytesPerSecond,
        Self::FilesCreatedPerSecond,
        Self::SpawnsPerSecond,
        Self::Processes,
        Self::Threads,
        Self::OpenFiles,
    ];

    /// The name in the store, in JSON and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RssBytes => "rss_bytes",
            Self::CpuPercent => "cpu_percent",
            Self::VramBytes => "vram_bytes",
            Self::GpuPercent => "gpu_percent",
            Self::WriteCallsPerSecond => "write_calls_per_second",
            Self::WrittenBytesPerSecond => "written_bytes_per_second",
            Self::FilesCreatedPerSecond => "files_created_per_second",
            Self::SpawnsPerSecond => "spawns_per_second",
            Self::Processes => "processes",
            Self::Threads => "threads",
            Self::OpenFiles => "open_files",
        }
    }

    /// What people call it, short enough for the head of a column.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::RssBytes => "RSS",
            Self::CpuPercent => "CPU",
            Self::VramBytes => "VRAM",
            Self::GpuPercent => "GPU",
            Self::WriteCallsPerSecond => "WRITES/S",
            Self::WrittenBytesPerSecond => "WRITTEN/S",
            Self::FilesCreatedPerSecond => "CREATED/S",
            Self::SpawnsPerSecond => "SPAWNS/S",
            Self::Processes => "PROCESSES",
            Self::Threads => "THREADS",
            Self::OpenFiles => "OPEN FILES",
        }
    }

    /// What it is, in a few words, for help and for `# HELP`.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::RssBytes => "Resident memory, in bytes",
            Self::CpuPercent => "CPU time, in percent of one processor",
            Self::VramBytes => "GPU memory, in bytes",
            Self::GpuPercent => "GPU use, in percent of one GPU",
            Self::WriteCallsPerSecond => "Calls that write to files, a second",
            Self::WrittenBytesPerSecond => "Bytes written, a second",
            Self::FilesCreatedPerSecond => "Files created, a second",
            Self::SpawnsPerSecond => "Processes created, a second",
            Self::Processes => "Processes",
            Self::Threads => "Threads",
            Self::OpenFiles => "Open file descriptors",
        }
    }

    /// What it is counted in.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::RssBytes | Self::VramBytes => Unit::Bytes,
            Self::CpuPercent | Self::GpuPercent => Unit::Percent,
            Self::WriteCallsPerSecond | Self::FilesCreatedPerSecond | Self::SpawnsPerSecond => {
                Unit::PerSecond
            }
            Self::WrittenBytesPerSecond => Unit::BytesPerSecond,
            Self::Processes | Self::Threads | Self::OpenFiles => Unit::Count,
        }
    }

    /// Its place in [`Metric::ALL`].
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no metric's.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownMetric(pub String);

impl fmt::Display for UnknownMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no metric is called {:?}; there are", self.0)?;
        for (index, metric) in Metric::ALL.into_iter().enumerate() {
            write!(f, "{} {metric}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownMetric {}

impl FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(name: &str) -> Result<Self, UnknownMetric> {
        Self::ALL
            .into_iter()
            .find(|metric| metric.name() == name)
            .ok_or_else(|| UnknownMetric(name.to_owned()))
    }
}

/// A figure for each metric, where it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures([Option<f64>; Metric::ALL.len()]);

impl Figures {
    /// The figure; `None` where it is unknown.
    #[must_use]
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.0.get(metric.index()).copied().flatten()
    }

    /// Sets it.
    pub fn set(&mut self, metric: Metric, figure: Option<f64>) {
        if let Some(slot) = self.0.get_mut(metric.index()) {
            *slot = figure;
        }
    }

    /// Each metric with its figure.
    pub fn iter(&self) -> impl Iterator<Item = (Metric, Option<f64>)> {
        Metric::ALL.into_iter().zip(self.0)
    }
}

/// An object with every metric's name; unknown is null.
impl Serialize for Figures {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(metric, figure)| (metric.name(), figure)))
    }
}

/// Metrics of a newer version are passed over.
impl<'de> Deserialize<'de> for Figures {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = std::collections::BTreeMap::<String, Option<f64>>::deserialize(deserializer)?;
        let mut figures = Self::default();
        for (name, figure) in map {
            if let Ok(metric) = name.parse() {
                figures.set(metric, figure);
            }
        }
        Ok(figures)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_metric_has_a_place_and_a_name_of_its_own() {
        for (index, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric.index(), index);
            assert_eq!(metric.name().parse(), Ok(metric));
            assert_eq!(serde_json::to_string(&metric).unwrap(), format!("{:?}", metric.name()));
        }
        let error = "vram".parse::<Metric>().unwrap_err().to_string();
        assert!(
            error.contains("\"vram\"; there are rss_bytes, cpu_percent, vram_bytes"),
            "{error}"
        );
    }

    #[test]
    fn figures_keep_what_is_unknown_and_pass_over_what_is_new() {
        let mut figures = Figures::default();
        figures.set(Metric::Threads, Some(8.0));
        let json = serde_json::to_string(&figures).unwrap();
        assert!(json.contains("\"threads\":8.0") && json.contains("\"open_files\":null"), "{json}");
        assert_eq!(serde_json::from_str::<Figures>(&json).unwrap(), figures);
        let newer = r#"{"threads": 8, "dreams": 3}"#;
        assert_eq!(serde_json::from_str::<Figures>(newer).unwrap(), figures);
    }
}

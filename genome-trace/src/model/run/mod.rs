//! What a command did to the machine in a run, or in several of the same, as
//! it is kept in a file: `run --save`, `--baseline` and `compare`.

mod metric;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Crash, Ending, WallTime};

pub use metric::{RunClass, RunFigures, RunMetric, RunUnit, UnknownRunMetric};

/// Version of a report's layout: raised when a reader of this one would
/// misunderstand the next. A field or a metric more does not raise it.
pub const RUN_SCHEMA_VERSION: u32 = 1;

/// Says of a file that it is such a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunReportType {
    /// The only one that there is.
    #[default]
    Run,
}

/// The runs of one command on one machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunReport {
    /// [`RUN_SCHEMA_VERSION`] of who wrote it.
    pub schema_version: u32,
    /// What it is.
    #[serde(rename = "type")]
    pub report_type: RunReportType,
    /// Version of genome-trace that wrote it.
    pub genome_trace: String,
    /// The command and its arguments; what is not UTF-8 is replaced.
    pub command: Vec<String>,
    /// The folder that it was started in; what is not UTF-8 is replaced.
    pub directory: String,
    /// The persona that it was given.
    #[serde(default)]
    pub persona: Option<String>,
    /// What that persona is made of.
    #[serde(default)]
    pub genome_id: Option<String>,
    /// Real user id of the command, in the initial user namespace.
    #[serde(default)]
    pub uid: Option<u32>,
    /// Where it ran.
    #[serde(default)]
    pub machine: RunMachine,
    /// Metrics that could not be observed, and why not: a sentence without its
    /// full stop. They are null in every run. The names in a run belong to
    /// metrics, and are as little known as those: executables to `execs`,
    /// endings to `failed_exits`, signals to `signals`, crashes to `crashes`,
    /// folders to `files_created`, `files_unlinked` and `files_written`.
    #[serde(default, deserialize_with = "metric::by_metric")]
    pub unobserved: BTreeMap<RunMetric, String>,
    /// Each run, the earliest first: one, or as many as `--repeat` says.
    pub runs: Vec<Run>,
}

/// Where a command ran: what may explain that another run has other figures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunMachine {
    /// Release of the kernel, as `uname -r` has it.
    pub kernel: Option<String>,
    /// Its architecture, as `uname -m` has it.
    pub architecture: Option<String>,
    /// The mode in which files were seen: `fexit`, `kprobe`, `syscall` or
    /// `tracepoint`.
    pub mode: Option<String>,
    /// Processors that the command could use.
    pub processors: Option<u32>,
}

/// What one run did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// When it began.
    pub started: WallTime,
    /// How the command itself ended.
    pub outcome: Ending,
    /// What was counted. What is unknown has its reason in
    /// [`RunReport::unobserved`].
    pub figures: RunFigures,
    /// By path of the executable, its random parts as `*`; what is not UTF-8 is
    /// replaced. A process that executed nothing has its parent's.
    #[serde(default)]
    pub executables: BTreeMap<String, RunExecutable>,
    /// How many processes ended how: by [`Ending::name`].
    #[serde(default)]
    pub endings: BTreeMap<String, u64>,
    /// Signals that ended a process, by name.
    #[serde(default)]
    pub signals: BTreeMap<String, u64>,
    /// The crashes, the earliest first.
    #[serde(default)]
    pub crashes: Vec<Crash>,
    /// What was done to files, by their folder, its random parts as `*`; what
    /// is not UTF-8 is replaced.
    #[serde(default)]
    pub folders: BTreeMap<String, RunFolder>,
    /// Processes of the tree that were still there when the run was over: how
    /// many, by path of the executable.
    #[serde(default)]
    pub left_running: BTreeMap<String, u64>,
    /// What is not in the lists above, since there was too much of it.
    #[serde(default)]
    pub unlisted: RunUnlisted,
    /// Events that were lost, by name of their kind; empty where none was.
    #[serde(default)]
    pub lost: BTreeMap<String, u64>,
}

/// What the processes of one executable did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunExecutable {
    /// Times that it was executed.
    pub execs: u64,
    /// Processes whose last program it was.
    pub processes: u64,
    /// Of those that ended: with a code that is not 0.
    pub failed_exits: u64,
    /// Of those that ended: by a signal.
    pub signaled: u64,
    /// The highest resident set of one of them, in bytes.
    pub peak_rss_bytes: Option<u64>,
    /// CPU time of all of them, in nanoseconds.
    pub cpu_ns: Option<u64>,
}

/// What was done to the files of one folder, those of its subfolders not among
/// them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunFolder {
    /// Files that an open created.
    pub created: u64,
    /// Unlinks that succeeded.
    pub unlinked: u64,
    /// Different files that were written to.
    pub written_files: u64,
    /// Calls that wrote to them.
    pub write_calls: u64,
    /// Bytes that those took.
    pub written_bytes: u64,
}

/// How many of each have no place in a run's lists. Figures count them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunUnlisted {
    /// Execs of executables that have none.
    pub execs: u64,
    /// Crashes.
    pub crashes: u64,
    /// What was done to files of folders that have none.
    pub folders: RunFolder,
}

impl RunReport {
    /// Every run's figure of a metric, in the metric's unit; `None` where that
    /// of one is unknown, or there is no run.
    #[must_use]
    pub fn figures(&self, metric: RunMetric) -> Option<Vec<u64>> {
        let figures: Option<Vec<_>> = self.runs.iter().map(|run| run.figures.get(metric)).collect();
        figures.filter(|figures| !figures.is_empty())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::{
        collection::{btree_map, vec},
        option,
        prelude::*,
    };

    use super::*;
    use crate::model::{CrashKind, ProcessKey, SignalNumber};

    prop_compose! {
        fn executable()(
            execs: u64, processes: u64, failed_exits: u64, signaled: u64,
            peak_rss_bytes: Option<u64>, cpu_ns: Option<u64>,
        ) -> RunExecutable {
            RunExecutable { execs, processes, failed_exits, signaled, peak_rss_bytes, cpu_ns }
        }
    }

    prop_compose! {
        fn folder()(
            created: u64, unlinked: u64, written_files: u64, write_calls: u64, written_bytes: u64,
        ) -> RunFolder {
            RunFolder { created, unlinked, written_files, write_calls, written_bytes }
        }
    }

    fn outcome() -> impl Strategy<Value = Ending> {
        prop_oneof![
            any::<u8>().prop_map(|code| Ending::Exited { code }),
            (1..65_u32, any::<bool>()).prop_map(|(signal, core_dumped)| Ending::Signaled {
                signal: SignalNumber(signal),
                core_dumped
            }),
        ]
    }

    fn counts() -> impl Strategy<Value = BTreeMap<String, u64>> {
        btree_map(any::<String>(), any::<u64>(), 0..3)
    }

    fn crash() -> impl Strategy<Value = Crash> {
        (any::<i64>(), any::<u64>(), any::<u32>(), any::<String>()).prop_map(
            |(unix_ns, start_time, tgid, reason)| {
                let key = ProcessKey { tgid, start_time };
                Crash::new(WallTime { unix_ns }, 1, key, CrashKind::FatalSignal, reason)
            },
        )
    }

    prop_compose! {
        fn run()(
            unix_ns: i64,
            outcome in outcome(),
            numbers in vec(any::<Option<u64>>(), RunMetric::ALL.len()),
            executables in btree_map(any::<String>(), executable(), 0..3),
            endings in counts(),
            signals in counts(),
            crashes in vec(crash(), 0..2),
            folders in btree_map(any::<String>(), folder(), 0..3),
            left_running in counts(),
            unlisted in folder(),
            lost in counts(),
        ) -> Run {
            let mut figures = RunFigures::default();
            for (metric, figure) in RunMetric::ALL.into_iter().zip(numbers) {
                figures.set(metric, figure);
            }
            Run {
                started: WallTime { unix_ns },
                outcome, figures, executables, endings, signals, crashes, folders, left_running,
                unlisted: RunUnlisted { execs: 1, crashes: 2, folders: unlisted },
                lost,
            }
        }
    }

    prop_compose! {
        fn report()(
            command in vec(any::<String>(), 1..3),
            directory: String,
            persona: Option<String>,
            uid: Option<u32>,
            kernel: Option<String>,
            processors: Option<u32>,
            reasons in btree_map(0..RunMetric::ALL.len(), any::<String>(), 0..3),
            genome_id in option::of(any::<String>()),
            runs in vec(run(), 0..3),
        ) -> RunReport {
            let metric = |index: usize| *RunMetric::ALL.get(index).unwrap();
            RunReport {
                schema_version: RUN_SCHEMA_VERSION,
                report_type: RunReportType::Run,
                genome_trace: "1.2.3".to_owned(),
                command, directory, persona, genome_id, uid,
                machine: RunMachine { kernel, processors, ..RunMachine::default() },
                unobserved: reasons.into_iter().map(|(at, why)| (metric(at), why)).collect(),
                runs,
            }
        }
    }

    proptest! {
        #[test]
        fn a_report_is_read_back(report in report()) {
            let json = serde_json::to_string(&report).unwrap();
            let begins = json.starts_with(r#"{"schema_version":1,"type":"run","#);
            prop_assert!(begins, "{}", json);
            prop_assert_eq!(serde_json::from_str::<RunReport>(&json).unwrap(), report);
        }
    }

    #[test]
    fn what_a_later_version_adds_is_passed_over_and_what_is_missing_is_unknown() {
        let text = r#"{"schema_version":1,"type":"run","genome_trace":"9.0.0","mood":"good",
            "command":["true"],"directory":"/","unobserved":{"dreams":"asleep","cpu_ns":"why"},
            "runs":[{"started":5,"outcome":{"exited":{"code":0}},"figures":{"execs":1}}]}"#;
        let report: RunReport = serde_json::from_str(text).unwrap();
        assert_eq!(report.unobserved.len(), 1);
        assert_eq!(report.figures(RunMetric::Execs), Some(vec![1]));
        assert_eq!(report.figures(RunMetric::Crashes), None);
        assert_eq!(RunReport::default().figures(RunMetric::Execs), None);
    }

    #[test]
    fn another_thing_is_no_report() {
        let text = r#"{"schema_version":1,"type":"crash","genome_trace":"1","command":[],
            "directory":"/","runs":[]}"#;
        assert!(serde_json::from_str::<RunReport>(text).unwrap_err().to_string().contains("crash"));
    }
}

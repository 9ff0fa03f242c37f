//! The file of a report of runs: JSON (docs/regression.md).

use serde::Deserialize;
use serde_json::Value;

use crate::model::{RUN_SCHEMA_VERSION, RunReport};

/// Why a file is no report that can be used.
#[derive(Debug, PartialEq, Eq)]
pub enum RunReportError {
    /// There is nothing in it.
    Empty,
    /// It is the beginning of JSON, of so many bytes.
    Truncated(usize),
    /// It is no JSON, from this line and column on.
    NoJson {
        /// From 1 on.
        line: usize,
        /// Likewise.
        column: usize,
    },
    /// It is JSON, and no report of runs.
    Other,
    /// A later version wrote it.
    Newer {
        /// The version of its schema.
        schema: u64,
        /// The version of genome-trace that wrote it, where it says.
        written_by: Option<String>,
    },
    /// A field is not what it should be; which, in words.
    Field(String),
    /// There is no run in it.
    NoRuns,
}

impl std::fmt::Display for RunReportError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::Truncated(bytes) => {
                write!(f, "it was cut off: it ends in the middle, after {bytes} bytes")
            }
            Self::NoJson { line, column } => {
                write!(f, "it is no JSON, from line {line}, column {column} on")
            }
            Self::Other => f.write_str("it is JSON, and no report of runs"),
            Self::Newer { schema, written_by } => {
                write!(f, "it has version {schema} of the schema")?;
                if let Some(version) = written_by {
                    write!(f, ", by genome-trace {version:?}")?;
                }
                write!(f, ", and this one knows versions up to {RUN_SCHEMA_VERSION}")
            }
            Self::Field(what) => write!(f, "it is damaged: {what}"),
            Self::NoRuns => f.write_str("it has no run in it"),
        }
    }
}

impl std::error::Error for RunReportError {}

/// What says which schema the rest has.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    schema_version: Value,
    #[serde(default, rename = "type")]
    report_type: Value,
    #[serde(default)]
    genome_trace: Value,
}

/// Reads a file's content.
///
/// # Errors
/// It is no report, or one of a later version.
pub fn read_run_report(content: &[u8]) -> Result<RunReport, RunReportError> {
    if content.iter().all(u8::is_ascii_whitespace) {
        return Err(RunReportError::Empty);
    }
    let head: Head = serde_json::from_slice(content).map_err(|error| match error.classify() {
        serde_json::error::Category::Eof => RunReportError::Truncated(content.len()),
        // JSON that is no object.
        serde_json::error::Category::Data => RunReportError::Other,
        _ => RunReportError::NoJson { line: error.line(), column: error.column() },
    })?;
    let (Some(schema), Some("run")) = (head.schema_version.as_u64(), head.report_type.as_str())
    else {
        return Err(RunReportError::Other);
    };
    if schema > u64::from(RUN_SCHEMA_VERSION) {
        let written_by = head.genome_trace.as_str().map(str::to_owned);
        return Err(RunReportError::Newer { schema, written_by });
    }
    let report: RunReport = serde_json::from_slice(content)
        .map_err(|error| RunReportError::Field(error.to_string().replace('\n', " ")))?;
    if report.runs.is_empty() {
        return Err(RunReportError::NoRuns);
    }
    Ok(report)
}

/// The file's content: JSON in lines, so that two of them can be compared by
/// other tools, too.
#[must_use]
pub fn write_run_report(report: &RunReport) -> Vec<u8> {
    let mut content = Vec::new();
    // Neither a Vec nor these types can fail.
    let _ = serde_json::to_writer_pretty(&mut content, report);
    content.push(b'\n');
    content
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Ending, Run, RunFigures, RunMetric, RunUnlisted, WallTime};

    fn report() -> RunReport {
        let mut figures = RunFigures::default();
        figures.set(RunMetric::Execs, Some(3));
        RunReport {
            schema_version: RUN_SCHEMA_VERSION,
            genome_trace: "0.1.0".to_owned(),
            command: vec!["make".to_owned(), "é\u{1b}\n".to_owned()],
            directory: "/src".to_owned(),
            runs: vec![Run {
                started: WallTime { unix_ns: 5 },
                outcome: Ending::Exited { code: 0 },
                figures,
                executables: [("/bin/sh".to_owned(), Default::default())].into(),
                endings: Default::default(),
                signals: Default::default(),
                crashes: Vec::new(),
                folders: Default::default(),
                left_running: Default::default(),
                unlisted: RunUnlisted::default(),
                lost: Default::default(),
            }],
            ..RunReport::default()
        }
    }

    fn content() -> Vec<u8> {
        write_run_report(&report())
    }

    #[test]
    fn what_is_written_is_read_back() {
        assert_eq!(read_run_report(&content()), Ok(report()));
    }

    #[test]
    fn what_is_no_report_is_said() {
        let text = String::from_utf8(content()).unwrap();
        let newer = text.replace("\"schema_version\": 1", "\"schema_version\": 2, \"new\": []");
        let other = text.replace("\"type\": \"run\"", "\"type\": \"crash\"");
        let damaged = text.replace("\"execs\": 3", "\"execs\": \"three\"");
        let no_runs = write_run_report(&RunReport { runs: Vec::new(), ..report() });
        for (content, words) in [
            (&b""[..], "it is empty"),
            (b" \n", "it is empty"),
            (b"make: 3 files\n", "it is no JSON, from line 1, column 1 on"),
            (b"{\"schema_version\": 1}\n{}", "it is no JSON, from line 2, column 1 on"),
            (b"[]", "no report of runs"),
            (b"7", "no report of runs"),
            (b"{}", "no report of runs"),
            (b"{\"type\": \"run\", \"schema_version\": -1}", "no report of runs"),
            (b"\xff\xfe{}", "it is no JSON"),
            (newer.as_bytes(), "version 2 of the schema, by genome-trace \"0.1.0\", and this one"),
            (other.as_bytes(), "no report of runs"),
            (damaged.as_bytes(), "invalid type: string \"three\""),
            (&no_runs, "no run in it"),
        ] {
            let error = read_run_report(content).unwrap_err().to_string();
            assert!(error.contains(words), "{words}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    proptest! {
        #[test]
        fn a_cut_file_is_said_to_be_cut(share in 0.0..1.0) {
            let content = content();
            // Without the brace and the newline at the end.
            let length = ((content.len() - 2) as f64 * share) as usize;
            let cut = read_run_report(&content[..length]);
            let is_told = match length {
                0 => cut == Err(RunReportError::Empty),
                // The middle of a character is no JSON in any case.
                _ => matches!(cut, Err(RunReportError::Truncated(at)) if at == length)
                    || matches!(cut, Err(RunReportError::NoJson { .. }))
                        && std::str::from_utf8(&content[..length]).is_err(),
            };
            prop_assert!(is_told, "{:?}", cut);
        }

        #[test]
        fn any_bytes_are_read_without_harm(content: Vec<u8>) {
            prop_assert!(read_run_report(&content).is_err());
        }
    }
}

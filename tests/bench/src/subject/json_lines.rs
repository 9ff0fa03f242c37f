//! Counts what genome-trace's JSON lines tell of one workload.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

/// What the lines of one trace tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Processes that the workload started itself, by kind of event.
    pub(crate) children: BTreeMap<String, u64>,
    /// Calls of its workers, by kind of event.
    pub(crate) workers: BTreeMap<String, u64>,
    /// What was lost, by kind of event, `skipped` among them.
    pub(crate) lost: BTreeMap<String, u64>,
    /// Events, of anybody.
    pub(crate) events: u64,
}

impl Told {
    /// Reads a file of JSON lines.
    pub(crate) fn read(path: &Path, workload: u64, workers: &[u64]) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
        let mut told = Self::default();
        // One buffer: this process must stay smaller than those it measures.
        let mut reader = BufReader::new(file);
        let mut line = String::new();
        while reader.read_line(&mut line).with_context(|| format!("read {}", path.display()))? > 0 {
            let event =
                serde_json::from_str(&line).with_context(|| format!("read an event: {line}"))?;
            told.add(&event, workload, workers);
            line.clear();
        }
        Ok(told)
    }

    fn add(&mut self, event: &Value, workload: u64, workers: &[u64]) {
        let Some(kind) = event.get("kind").and_then(Value::as_str) else { return };
        let number = |name: &str| event.get(name).and_then(Value::as_u64);
        let payload = event.get(kind);
        if kind == "lost" {
            for (kind, count) in payload.and_then(Value::as_object).into_iter().flatten() {
                add(&mut self.lost, kind, count.as_u64().unwrap_or(0));
            }
            return;
        }
        self.events += 1;
        if number("ppid") == Some(workload) {
            add(&mut self.children, kind, 1);
        }
        if number("tgid").is_some_and(|tgid| workers.contains(&tgid)) {
            let calls = |name: &str| payload?.get(name)?.as_u64();
            let count = calls("write_calls").filter(|_| kind == "file_write").unwrap_or(1);
            add(&mut self.workers, kind, count);
        }
    }

    /// Events of a kind that may have been lost.
    pub(crate) fn lost(&self, kind: &str) -> u64 {
        let of = |kind: &str| self.lost.get(kind).copied().unwrap_or(0);
        of(kind) + of("skipped")
    }
}

fn add(counts: &mut BTreeMap<String, u64>, kind: &str, more: u64) {
    *counts.entry(kind.to_owned()).or_default() += more;
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn lines_are_counted_by_whose_they_are() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for line in [
            r#"{"kind":"exec","tgid":8,"ppid":7,"exec":{}}"#,
            r#"{"kind":"exec","tgid":9,"ppid":1,"exec":{}}"#,
            r#"{"kind":"file_write","tgid":8,"ppid":null,"file_write":{"write_calls":5}}"#,
            r#"{"kind":"file_write","tgid":8,"ppid":7,"file_write":{"write_calls":6}}"#,
            r#"{"kind":"exit","tgid":8,"ppid":7,"exit":{"write_calls":99}}"#,
            r#"{"kind":"lost","tgid":null,"lost":{"file_write":3,"skipped":2}}"#,
        ] {
            writeln!(file, "{line}").unwrap();
        }
        let told = Told::read(file.path(), 7, &[8]).unwrap();
        assert_eq!(told.children.get("exec"), Some(&1));
        assert_eq!(told.workers.get("file_write"), Some(&11));
        assert_eq!(told.workers.get("exit"), Some(&1));
        assert_eq!((told.lost("file_write"), told.lost("exec")), (5, 2));
        assert_eq!(told.events, 5);
    }
}

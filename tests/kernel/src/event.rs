//! The tracer's events, and the questions that trials ask of them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde_json::Value;

/// The kinds that stream in their own ring and may not be lost.
pub const LIFECYCLE: [&str; 5] = ["exec", "fork", "exit", "signal", "oom_kill"];

/// One line of the tracer's JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Event(Value);

impl Event {
    /// Reads one line.
    pub fn parse(line: &str) -> anyhow::Result<Self> {
        let value: Value =
            serde_json::from_str(line).with_context(|| format!("not JSON: {line}"))?;
        anyhow::ensure!(value.is_object(), "not a JSON object: {line}");
        Ok(Self(value))
    }

    /// The whole line.
    pub fn json(&self) -> &Value {
        &self.0
    }

    /// The kind, empty where there is none.
    pub fn kind(&self) -> &str {
        self.text("kind").unwrap_or("")
    }

    /// The process that it happened to.
    pub fn tgid(&self) -> Option<u64> {
        self.number("tgid")
    }

    /// A header field that is a number.
    pub fn number(&self, field: &str) -> Option<u64> {
        self.0.get(field)?.as_u64()
    }

    /// A header field that is a text.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field)?.as_str()
    }

    /// A field of the payload, which stands under the kind's own name.
    pub fn payload(&self, field: &str) -> Option<&Value> {
        self.0.get(self.kind())?.get(field)
    }

    /// A payload field that is a number.
    pub fn payload_number(&self, field: &str) -> Option<u64> {
        self.payload(field)?.as_u64()
    }

    /// A payload field that is a text.
    pub fn payload_text(&self, field: &str) -> Option<&str> {
        self.payload(field)?.as_str()
    }

    /// `argv` of an exec.
    pub fn argv(&self) -> Vec<&str> {
        let words = self.payload("argv").and_then(Value::as_array);
        words.into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

/// All events of one trace, in the order in which they were written.
#[derive(Clone, Debug, Default)]
pub struct Events(Vec<Event>);

impl Events {
    /// Reads every line.
    pub fn parse(lines: &[String]) -> anyhow::Result<Self> {
        lines.iter().map(|line| Event::parse(line)).collect()
    }

    /// Every event.
    pub fn iter(&self) -> impl Iterator<Item = &Event> {
        self.0.iter()
    }

    /// Every event that happened to a process: all but `lost`.
    pub fn of_processes(&self) -> impl Iterator<Item = &Event> {
        self.iter().filter(|event| event.kind() != "lost")
    }

    /// Every event of one kind.
    pub fn kind(&self, kind: &str) -> impl Iterator<Item = &Event> {
        self.iter().filter(move |event| event.kind() == kind)
    }

    /// Every event of one kind that happened to one process.
    pub fn of(&self, kind: &str, tgid: u64) -> impl Iterator<Item = &Event> {
        self.kind(kind).filter(move |event| event.tgid() == Some(tgid))
    }

    /// The kinds that occur.
    pub fn kinds(&self) -> BTreeSet<&str> {
        self.iter().map(Event::kind).collect()
    }

    /// What all `lost` events together say, by kind.
    pub fn lost(&self) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for event in self.kind("lost") {
            let counts = event.json().get("lost").and_then(Value::as_object);
            for (kind, count) in counts.into_iter().flatten() {
                let count = count.as_u64().unwrap_or(0);
                if count > 0 {
                    *sums.entry(kind.clone()).or_insert(0) += count;
                }
            }
        }
        sums
    }
}

impl FromIterator<Event> for Events {
    fn from_iter<I: IntoIterator<Item = Event>>(events: I) -> Self {
        Self(events.into_iter().collect())
    }
}

/// The sum of a payload field over some events.
pub fn sum<'a>(events: impl Iterator<Item = &'a Event>, field: &str) -> u64 {
    events.filter_map(|event| event.payload_number(field)).sum()
}

#[cfg(test)]
mod tests {
    use super::{Event, Events, sum};

    fn events(lines: &[&str]) -> anyhow::Result<Events> {
        lines.iter().map(|line| Event::parse(line)).collect()
    }

    #[test]
    fn the_payload_stands_under_the_kind() -> anyhow::Result<()> {
        let event = Event::parse(
            r#"{"kind":"exec","tgid":7,"exec":{"exe":"/bin/true","argv":["true","x"]}}"#,
        )?;
        assert_eq!(event.tgid(), Some(7));
        assert_eq!(event.payload_text("exe"), Some("/bin/true"));
        assert_eq!(event.argv(), ["true", "x"]);
        Ok(())
    }

    #[test]
    fn losses_add_up() -> anyhow::Result<()> {
        let events = events(&[
            r#"{"kind":"lost","lost":{"exec":2,"exit":0}}"#,
            r#"{"kind":"lost","lost":{"exec":3}}"#,
        ])?;
        assert_eq!(events.lost().get("exec"), Some(&5));
        assert_eq!(events.lost().get("exit"), None);
        Ok(())
    }

    #[test]
    fn writes_add_up_by_process() -> anyhow::Result<()> {
        let events = events(&[
            r#"{"kind":"file_write","tgid":1,"file_write":{"path":null,"write_calls":2}}"#,
            r#"{"kind":"file_write","tgid":1,"file_write":{"path":"/a","write_calls":3}}"#,
            r#"{"kind":"file_write","tgid":2,"file_write":{"path":"/a","write_calls":9}}"#,
        ])?;
        assert_eq!(sum(events.of("file_write", 1), "write_calls"), 5);
        Ok(())
    }
}

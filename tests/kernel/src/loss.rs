//! The tracer's last word on stderr: how much it saw and how much it lost.

use std::collections::BTreeMap;

/// The final line, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LossLine {
    /// How many events were seen.
    pub events: u64,
    /// How many records a full ring or map refused.
    pub lost: u64,
    /// The same by kind; empty where nothing was lost.
    pub lost_by_kind: BTreeMap<String, u64>,
}

impl LossLine {
    /// Reads `genome-trace: 9 events, 3 lost (exec 1, exit 2), busiest ring io
    /// at 12% of 4 MiB`; nothing if the line is another.
    pub fn parse(line: &str) -> Option<Self> {
        let (events, rest) = line.strip_prefix("genome-trace: ")?.split_once(' ')?;
        let rest = rest.strip_prefix("events, ").or_else(|| rest.strip_prefix("event, "))?;
        let (lost, rest) = rest.split_once(" lost")?;
        let (by_kind, rest) = match rest.strip_prefix(" (") {
            Some(rest) => rest.split_once(')')?,
            None => ("", rest),
        };
        rest.strip_prefix(", busiest ring ")?;
        Some(Self {
            events: events.parse().ok()?,
            lost: lost.parse().ok()?,
            lost_by_kind: by_kind
                .split(", ")
                .filter(|part| !part.is_empty())
                .map(|part| {
                    let (kind, count) = part.split_once(' ')?;
                    Some((kind.to_owned(), count.parse().ok()?))
                })
                .collect::<Option<_>>()?,
        })
    }

    /// How many records of one kind were lost.
    pub fn of(&self, kind: &str) -> u64 {
        self.lost_by_kind.get(kind).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::LossLine;

    #[test]
    fn nothing_lost() {
        let line = "genome-trace: 12345 events, 0 lost, busiest ring io at 12% of 4 MiB";
        let parsed = LossLine::parse(line);
        assert_eq!(parsed.as_ref().map(|parsed| parsed.events), Some(12345));
        assert_eq!(parsed.as_ref().map(|parsed| parsed.lost), Some(0));
        assert!(parsed.is_some_and(|parsed| parsed.lost_by_kind.is_empty()));
    }

    #[test]
    fn losses_by_kind() {
        let line = "genome-trace: 1 event, 37 lost (file_create 30, exec 7), \
                    busiest ring io at 100% of 64 KiB";
        let parsed = LossLine::parse(line);
        assert_eq!(parsed.as_ref().map(|parsed| parsed.of("exec")), Some(7));
        assert_eq!(parsed.as_ref().map(|parsed| parsed.of("exit")), Some(0));
        assert_eq!(parsed.map(|parsed| parsed.of("file_create")), Some(30));
    }

    #[test]
    fn another_line() {
        assert_eq!(LossLine::parse("genome-trace: tracing by fexit"), None);
        assert_eq!(LossLine::parse("genome-trace: x events, 0 lost, busiest ring"), None);
    }
}

//! Metrics as OpenMetrics text, which Prometheus and most others read
//! (<https://prometheus.io/docs/specs/om/open_metrics_spec/>). Values are in
//! base units: seconds, bytes, watts, ratios.

use std::fmt::{self, Write as _};

/// What a metric's value means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// It only grows; its samples are called `…_total`.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// A value, exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A number of things, or of bytes.
    Whole(u64),
    /// Nanoseconds, which are written as seconds.
    Seconds {
        /// How many.
        ns: u64,
    },
    /// Thousandths, such as milliwatts.
    Milli(u64),
    /// Hundredths: percent, which are written as a ratio.
    Percent(u32),
    /// What was measured; what is no finite number has no sample.
    Number(f64),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NS: u64 = 1_000_000_000;
        match self {
            Self::Whole(value) => write!(f, "{value}"),
            Self::Seconds { ns } => write!(f, "{}.{:09}", ns / NS, ns % NS),
            Self::Milli(thousandths) => {
                write!(f, "{}.{:03}", thousandths / 1000, thousandths % 1000)
            }
            Self::Percent(percent) => write!(f, "{}.{:02}", percent / 100, percent % 100),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// How the text is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// OpenMetrics 1.0.
    #[default]
    OpenMetrics,
    /// Prometheus' text format 0.0.4, for readers that know nothing newer: a
    /// counter is called `…_total` from its type on, units have no line, and
    /// the end has no mark.
    Plain,
}

/// Text in the making.
#[derive(Debug, Default)]
pub struct OpenMetrics {
    text: String,
    dialect: Dialect,
}

/// A metric of that text, which takes its samples.
#[derive(Debug)]
pub struct Metric<'a> {
    text: &'a mut String,
    name: &'static str,
    suffix: &'static str,
}

impl OpenMetrics {
    /// An empty text.
    #[must_use]
    pub const fn new(dialect: Dialect) -> Self {
        Self { text: String::new(), dialect }
    }

    /// Begins a metric. `name` is without `_total`, and ends in `_` and the
    /// unit where it has one.
    pub fn metric(&mut self, name: &'static str, kind: Type, unit: &str, help: &str) -> Metric<'_> {
        let (word, suffix) = match kind {
            Type::Counter => ("counter", "_total"),
            Type::Gauge => ("gauge", ""),
        };
        let is_plain = self.dialect == Dialect::Plain;
        let family = if is_plain { suffix } else { "" };
        // Writing to a String does not fail.
        let _ = writeln!(self.text, "# TYPE {name}{family} {word}");
        if !unit.is_empty() && !is_plain {
            let _ = writeln!(self.text, "# UNIT {name} {unit}");
        }
        let _ = writeln!(self.text, "# HELP {name}{family} {}", Quotable(help));
        Metric { text: &mut self.text, name, suffix }
    }

    /// The whole text, with its end mark.
    #[must_use]
    pub fn finish(mut self) -> String {
        if self.dialect == Dialect::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

impl Metric<'_> {
    /// Adds a sample. One whose value is unknown is left out: a reader tells
    /// an absent series from 0.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: Option<Value>) {
        let Some(value) = value else { return };
        if matches!(value, Value::Number(number) if !number.is_finite()) {
            return;
        }
        let Self { text, name, suffix } = self;
        // Writing to a String does not fail.
        let _ = write!(text, "{name}{suffix}");
        for (index, (label, of)) in labels.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            let _ = write!(text, "{before}{label}=\"{}\"", Quotable(of));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(text, "{end} {value}");
    }
}

/// Text as it may stand between quotation marks.
struct Quotable<'a>(&'a str);

impl fmt::Display for Quotable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_two_metrics() {
        let mut metrics = OpenMetrics::default();
        let mut runs = metrics.metric("gt_runs", Type::Counter, "", "Runs.");
        runs.sample(&[("program", "a"), ("hook", "tp_btf")], Some(Value::Whole(3)));
        runs.sample(&[("program", "b"), ("hook", "tp_btf")], None);
        let mut window = metrics.metric("gt_window_seconds", Type::Gauge, "seconds", "Length.");
        window.sample(&[], Some(Value::Seconds { ns: 5_000_000_001 }));
        assert_eq!(
            metrics.finish(),
            "# TYPE gt_runs counter\n# HELP gt_runs Runs.\n\
             gt_runs_total{program=\"a\",hook=\"tp_btf\"} 3\n\
             # TYPE gt_window_seconds gauge\n# UNIT gt_window_seconds seconds\n\
             # HELP gt_window_seconds Length.\ngt_window_seconds 5.000000001\n# EOF\n"
        );
    }

    #[test]
    fn what_would_end_a_label_is_escaped() {
        let mut metrics = OpenMetrics::default();
        let mut metric = metrics.metric("gt", Type::Gauge, "", "a\nb");
        metric.sample(&[("name", "x\"} 1\ny\\")], Some(Value::Whole(0)));
        let text = metrics.finish();
        assert_eq!(
            text,
            "# TYPE gt gauge\n# HELP gt a\\nb\ngt{name=\"x\\\"} 1\\ny\\\\\"} 0\n# EOF\n"
        );
    }

    #[test]
    fn plain_text_names_a_counter_as_its_samples_are_named() {
        let mut metrics = OpenMetrics::new(Dialect::Plain);
        metrics.metric("gt_runs", Type::Counter, "", "Runs.").sample(&[], Some(Value::Whole(3)));
        let mut size = metrics.metric("gt_size_bytes", Type::Gauge, "bytes", "Size.");
        size.sample(&[], Some(Value::Number(f64::NAN)));
        size.sample(&[], Some(Value::Number(0.25)));
        assert_eq!(
            metrics.finish(),
            "# TYPE gt_runs_total counter\n# HELP gt_runs_total Runs.\ngt_runs_total 3\n\
             # TYPE gt_size_bytes gauge\n# HELP gt_size_bytes Size.\ngt_size_bytes 0.25\n"
        );
    }

    #[test]
    fn seconds_lose_nothing() {
        assert_eq!(Value::Seconds { ns: u64::MAX }.to_string(), "18446744073.709551615");
        assert_eq!(Value::Seconds { ns: 1 }.to_string(), "0.000000001");
    }

    #[test]
    fn fractions_keep_their_zeros() {
        assert_eq!(Value::Milli(512_007).to_string(), "512.007");
        assert_eq!(Value::Percent(7).to_string(), "0.07");
        assert_eq!(Value::Percent(100).to_string(), "1.00");
    }
}

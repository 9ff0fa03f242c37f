//! A line for each alert, as CSV. What is unknown is empty.

use crate::{
    model::{Alert, AlertReport},
    render::{csv::line, text::ShellWord, time::Utc},
};

type Column = (&'static str, fn(&Alert) -> Option<String>);

/// Every column: name and value.
pub(super) const COLUMNS: [Column; 22] = [
    ("id", |of| Some(of.id.to_string())),
    ("raised", |of| Some(Utc(of.raised).to_string())),
    ("last", |of| Some(Utc(of.last).to_string())),
    ("ended", |of| Some(Utc(of.ended?).to_string())),
    ("severity", |of| Some(of.severity.name().to_owned())),
    ("rule", |of| Some(of.anomaly.rule.name().to_owned())),
    ("persona", |of| Some(of.anomaly.persona.as_ref()?.name.clone())),
    ("genome_id", |of| of.anomaly.persona.as_ref()?.genome_id.clone()),
    ("count", |of| Some(of.count.to_string())),
    ("cause", |of| of.anomaly.cause.clone()),
    ("measured", |of| Some(of.anomaly.measured.to_string())),
    ("normal", |of| Some(of.anomaly.normal?.to_string())),
    ("factor", |of| Some(of.anomaly.factor?.to_string())),
    ("threshold", |of| Some(of.anomaly.threshold.to_string())),
    ("basis", |of| Some(of.anomaly.basis.name().to_owned())),
    ("confidence", |of| Some(of.anomaly.confidence?.to_string())),
    ("tgid", |of| Some(of.anomaly.process.as_ref()?.key.tgid.to_string())),
    ("comm", |of| of.anomaly.process.as_ref()?.comm.clone()),
    ("command", command),
    ("folder", |of| Some(of.anomaly.files.as_ref()?.folder.clone())),
    ("files_created", |of| Some(of.anomaly.files.as_ref()?.files_created.to_string())),
    ("text", |of| Some(of.text.clone())),
];

/// Writes a line of names, and one for each alert, the latest first.
pub fn write_csv(out: &mut Vec<u8>, report: &AlertReport) {
    line(out, COLUMNS.iter().map(|(name, _)| Some((*name).to_owned())));
    for alert in &report.alerts {
        line(out, COLUMNS.iter().map(|(_, value)| value(alert)));
    }
}

fn command(alert: &Alert) -> Option<String> {
    let words = alert.anomaly.process.as_ref()?.argv.as_ref()?.iter();
    Some(words.map(|word| ShellWord(word.as_bytes()).to_string()).collect::<Vec<_>>().join(" "))
}

//! A line for each crash, as CSV. What is unknown is empty.

use super::words;
use crate::{
    model::{Crash, CrashReport, ReportedCrash},
    render::{csv::line, text::ShellWord, time::Utc},
};

type Column = (&'static str, fn(&ReportedCrash) -> Option<String>);

/// Every column: name and value.
pub(super) const COLUMNS: [Column; 24] = [
    ("id", |of| Some(of.id.to_string())),
    ("time", |of| Some(Utc(of.crash.wall_time).to_string())),
    ("persona", |of| of.crash.persona.clone()),
    ("genome_id", |of| of.crash.genome_id.clone()),
    ("kind", |of| Some(of.crash.kind.name().to_owned())),
    ("ending", |of| of.crash.ending.map(words::ending)),
    ("reason", |of| Some(of.crash.reason.clone())),
    ("tgid", |of| Some(of.crash.key.tgid.to_string())),
    ("comm", |of| of.crash.comm.clone()),
    ("command", |of| command(&of.crash)),
    ("exe", |of| of.crash.exe.clone()),
    ("parent_tgid", |of| of.crash.parent.as_ref().map(|parent| parent.tgid.to_string())),
    ("sender_tgid", |of| Some(of.crash.signal.as_ref()?.sender.as_ref()?.tgid.to_string())),
    ("sender_comm", |of| of.crash.signal.as_ref()?.sender.as_ref()?.comm.clone()),
    ("xid", |of| Some(of.crash.xid.as_ref()?.xid?.to_string())),
    ("peak_rss_bytes", |of| number(of.crash.memory.peak_rss_bytes)),
    ("limit_bytes", |of| number(of.crash.memory.limit_bytes)),
    ("usage_bytes", |of| number(of.crash.memory.usage_bytes)),
    ("vram_bytes", |of| number(of.crash.memory.vram_bytes)),
    ("runtime_ns", |of| number(of.crash.activity.runtime_ns)),
    ("cpu_ns", |of| number(of.crash.activity.cpu_ns)),
    ("write_calls", |of| number(of.crash.activity.write_calls)),
    ("written_bytes", |of| number(of.crash.activity.written_bytes)),
    ("files_created", |of| Some(of.crash.files.as_ref()?.created.to_string())),
];

/// Writes a line of names, and one for each crash, the latest first.
pub fn write_csv(out: &mut Vec<u8>, report: &CrashReport) {
    line(out, COLUMNS.iter().map(|(name, _)| Some((*name).to_owned())));
    for reported in &report.crashes {
        line(out, COLUMNS.iter().map(|(_, value)| value(reported)));
    }
}

fn number(value: Option<u64>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn command(crash: &Crash) -> Option<String> {
    let words = crash.argv.as_ref()?.iter();
    Some(words.map(|word| ShellWord(word.as_bytes()).to_string()).collect::<Vec<_>>().join(" "))
}

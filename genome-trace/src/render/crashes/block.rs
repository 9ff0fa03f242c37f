//! One crash, for people: every fact that is known, what speaks for the
//! reason, and what is not known.

use std::io;

use anstyle::Style;

use super::words::{Ago, UNATTRIBUTED, UNKNOWN, between, ending, escaped, peer};
use crate::{
    model::{
        Crash, CrashConstraint, CrashFiles, CrashOom, CrashXid, Known, ReportedCrash, WallTime,
    },
    render::{
        layout::{Page, Piece},
        line::LineStyle,
        text::ShellWord,
        time::LocalDateTime,
        units::{Bytes, Count, Elapsed},
    },
};

/// Lines of a stack and of stderr that are shown where a crash is one of many.
const FEW_LINES: usize = 8;

/// Writes one crash; all of its stack and its neighbours where it `is_whole`.
pub(super) fn write(
    page: &mut Page<'_>,
    reported: &ReportedCrash,
    now: WallTime,
    style: &LineStyle,
    is_whole: bool,
) -> io::Result<()> {
    let ReportedCrash { id, crash } = reported;
    let persona = crash.persona.as_deref().map_or_else(|| UNATTRIBUTED.to_owned(), escaped);
    let genome = crash
        .genome_id
        .as_deref()
        .map_or_else(String::new, |genome| format!(" ({})", escaped(genome)));
    let ago = Ago(between(crash.wall_time, now));
    let time = LocalDateTime(crash.wall_time, &style.time_zone);
    page.heading(&format!("Crash {id}: {persona}{genome}, {}, {ago} ({time})", crash.kind))?;
    page.labelled("reason", &escaped(&crash.reason))?;
    process(page, crash)?;
    page.facts("ended", ended(crash))?;
    page.facts("memory", memory(crash))?;
    if let Some(facts) = vram(crash) {
        page.facts("VRAM", facts)?;
    }
    if let Some(oom) = &crash.oom {
        page.facts("OOM", of_oom(oom))?;
    }
    if let Some(xid) = &crash.xid {
        page.labelled("XID", &of_xid(xid))?;
    }
    page.facts("wrote", wrote(crash))?;
    if let Some(files) = crash.files.as_ref().filter(|files| !files.last_written.is_empty()) {
        let paths = files.last_written.iter().map(|path| Piece::from(escaped(path)));
        page.facts("files", paths.collect())?;
    }
    lines(page, "stack", crash.stack.as_deref().unwrap_or_default(), is_whole)?;
    if let Some(found) = &crash.traceback {
        let text: Vec<_> = found.text.lines().collect();
        // What matters in it stands at its end.
        let from = if is_whole { 0 } else { text.len().saturating_sub(2 * FEW_LINES) };
        lines(page, &found.language, text.get(from..).unwrap_or_default(), true)?;
    }
    let said: Vec<_> = crash.stderr_tail.iter().flat_map(|tail| tail.lines()).collect();
    if is_whole || crash.traceback.is_none() {
        let from = if is_whole { 0 } else { said.len().saturating_sub(FEW_LINES) };
        lines(page, "stderr", said.get(from..).unwrap_or_default(), is_whole)?;
    }
    if is_whole {
        neighbours(page, crash)?;
    }
    for (index, line) in crash.evidence.iter().enumerate() {
        let label = if index == 0 { "because" } else { "" };
        page.labelled(label, &format!("{}: {}", known(line.known), escaped(&line.text)))?;
    }
    let unknown = unknown(crash);
    if unknown.is_empty() {
        return Ok(());
    }
    page.facts("unknown", unknown.into_iter().map(|what| Piece::from(what.to_owned())).collect())
}

const fn known(known: Known) -> &'static str {
    match known {
        Known::Observed => "observed",
        Known::Inferred => "inferred",
        Known::Unknown => UNKNOWN,
    }
}

fn process(page: &mut Page<'_>, crash: &Crash) -> io::Result<()> {
    let comm = crash.comm.as_deref().map_or_else(|| UNKNOWN.to_owned(), escaped);
    let mut facts = vec![format!("{comm} ({})", crash.key.tgid)];
    facts.extend(crash.parent.as_ref().map(|parent| format!("child of {}", peer(parent))));
    facts.extend(crash.uid.map(|uid| format!("uid {uid}")));
    facts.extend(crash.cgroup_path.as_deref().map(|path| format!("cgroup {}", escaped(path))));
    page.facts("process", facts.into_iter().map(Piece::from).collect())?;
    if let Some(argv) = &crash.argv {
        let mut words: Vec<_> =
            argv.iter().map(|word| ShellWord(word.as_bytes()).to_string()).collect();
        if crash.argv_truncated {
            words.push("…".to_owned());
        }
        page.labelled("command", &words.join(" "))?;
    }
    match &crash.exe {
        Some(exe) => page.labelled("program", &escaped(exe)),
        None => Ok(()),
    }
}

fn ended(crash: &Crash) -> Vec<Piece> {
    let mut facts = vec![crash.ending.map_or_else(|| UNKNOWN.to_owned(), ending)];
    if let Some(sender) = crash.signal.as_ref().and_then(|signal| signal.sender.as_ref()) {
        facts.push(format!("sent by {}", peer(sender)));
    }
    facts.extend(crash.activity.runtime_ns.map(|ns| format!("after {}", Elapsed(ns))));
    facts.extend(crash.activity.cpu_ns.map(|ns| format!("CPU time {}", Elapsed(ns))));
    facts.extend(crash.activity.threads.map(|count| counted(count, "thread")));
    facts.extend(crash.activity.open_files.map(|count| counted(count, "open file")));
    facts.into_iter().map(Piece::from).collect()
}

fn memory(crash: &Crash) -> Vec<Piece> {
    let memory = &crash.memory;
    let facts: Vec<_> = [
        ("", memory.rss_bytes, " at death"),
        ("peak ", memory.peak_rss_bytes, ""),
        ("limit ", memory.limit_bytes, ""),
        ("usage ", memory.usage_bytes, " of that limit"),
    ]
    .into_iter()
    .filter_map(|(before, bytes, after)| Some(format!("{before}{}{after}", Bytes(bytes?))))
    .map(Piece::from)
    .collect();
    if facts.is_empty() { vec![UNKNOWN.to_owned().into()] } else { facts }
}

fn vram(crash: &Crash) -> Option<Vec<Piece>> {
    let memory = &crash.memory;
    let age = memory.vram_age_ns?;
    let held = memory.vram_bytes.map_or_else(|| UNKNOWN.to_owned(), |b| Bytes(b).to_string());
    let mut facts = vec![format!("{held} when last looked at ({} before)", Elapsed(age))];
    if let Some(peak) = memory.peak_vram_bytes {
        let sampled = memory.peak_vram_is_sampled == Some(true);
        let how = if sampled { " (highest sample)" } else { "" };
        facts.push(format!("peak {}{how}", Bytes(peak)));
    }
    Some(facts.into_iter().map(Piece::from).collect())
}

fn of_oom(oom: &CrashOom) -> Vec<Piece> {
    let mut facts = vec![
        match oom.constraint {
            Some(CrashConstraint::Memcg) => "a memory cgroup's limit",
            Some(CrashConstraint::Global) => "the whole machine",
            None => "of what is unknown",
        }
        .to_owned(),
    ];
    facts.extend(oom.memory_cgroup_path.as_deref().map(|path| format!("of {}", escaped(path))));
    facts.extend(oom.invoker_tgid.map(|tgid| format!("allocation by {tgid}")));
    for (name, bytes) in [
        ("anonymous", oom.anon_rss_bytes),
        ("file", oom.file_rss_bytes),
        ("shared", oom.shmem_rss_bytes),
        ("virtual", oom.total_vm_bytes),
    ] {
        facts.extend(bytes.map(|bytes| format!("{name} {}", Bytes(bytes))));
    }
    facts.extend(oom.oom_score_adj.map(|adjustment| format!("oom_score_adj {adjustment}")));
    facts.into_iter().map(Piece::from).collect()
}

fn of_xid(xid: &CrashXid) -> String {
    let mut text = xid.xid.map_or_else(|| UNKNOWN.to_owned(), |number| number.to_string());
    if let Some(summary) = &xid.summary {
        text.push_str(&format!(" ({})", escaped(summary)));
    }
    if let Some(index) = xid.gpu_index {
        text.push_str(&format!(" on GPU {index}"));
    }
    if let Some(place) = &xid.pci_bus_id {
        text.push_str(&format!(" at {}", escaped(place)));
    }
    if let Some(age) = xid.age_ns {
        text.push_str(&format!(", {} before the end", Elapsed(age)));
    }
    if let Some(message) = &xid.message {
        text.push_str(&format!(": {}", escaped(message)));
    }
    text
}

fn wrote(crash: &Crash) -> Vec<Piece> {
    let activity = &crash.activity;
    let mut facts = Vec::new();
    facts.extend(activity.written_bytes.map(|bytes| Bytes(bytes).to_string()));
    facts.extend(activity.write_calls.map(|calls| counted(calls, "call")));
    facts.extend(crash.files.as_ref().map(created));
    if facts.is_empty() {
        facts.push(UNKNOWN.to_owned());
    }
    facts.into_iter().map(Piece::from).collect()
}

fn created(files: &CrashFiles) -> String {
    let since = if files.since_start { "" } else { " since it was watched" };
    format!("{} created{since}", counted(files.created, "file"))
}

/// `1 file`, `2 files`.
fn counted(count: u64, what: &str) -> String {
    format!("{} {what}{}", Count(count), if count == 1 { "" } else { "s" })
}

fn lines<T: AsRef<str>>(
    page: &mut Page<'_>,
    label: &str,
    lines: &[T],
    is_whole: bool,
) -> io::Result<()> {
    let shown = if is_whole { lines.len() } else { lines.len().min(FEW_LINES) };
    for (index, line) in lines.iter().take(shown).enumerate() {
        let label = if index == 0 { label } else { "" };
        page.line(&format!("  {label:<8}{}", escaped(line.as_ref())), Style::new())?;
    }
    Ok(())
}

fn neighbours(page: &mut Page<'_>, crash: &Crash) -> io::Result<()> {
    let Some(largest) = &crash.largest else { return Ok(()) };
    for (index, neighbour) in largest.iter().enumerate() {
        let label = if index == 0 { "biggest" } else { "" };
        let persona = neighbour.persona.as_deref().map(|name| format!(", of {}", escaped(name)));
        page.labelled(
            label,
            &format!(
                "{} {}{}",
                Bytes(neighbour.rss_bytes),
                peer(&neighbour.process),
                persona.unwrap_or_default()
            ),
        )?;
    }
    match crash.largest_after_ns {
        Some(after) => page.labelled("", &looked_at(after)),
        None => Ok(()),
    }
}

/// When the biggest were looked at, from the OOM killer's choice.
fn looked_at(after_ns: i64) -> String {
    let side = if after_ns < 0 { "before" } else { "after" };
    format!("(looked at {} {side} the OOM killer's choice)", Elapsed(after_ns.unsigned_abs()))
}

/// What nobody told, of what there is to know of any crash.
fn unknown(crash: &Crash) -> Vec<&'static str> {
    let Crash { memory, activity, .. } = crash;
    [
        (crash.argv.is_some(), "command"),
        (crash.parent.is_some(), "parent"),
        (memory.rss_bytes.is_some(), "memory at death"),
        (memory.peak_rss_bytes.is_some(), "peak memory"),
        (memory.vram_age_ns.is_some(), "GPU memory"),
        (activity.cpu_ns.is_some(), "CPU time"),
        (activity.written_bytes.is_some(), "bytes written"),
        (crash.files.is_some(), "files"),
        (activity.threads.is_some(), "threads"),
        (activity.open_files.is_some(), "open files"),
        (crash.largest.is_some(), "who else was big"),
        (crash.stack.is_some(), "stack"),
        (crash.stderr_tail.is_some(), "stderr"),
    ]
    .into_iter()
    .filter_map(|(is_known, what)| (!is_known).then_some(what))
    .collect()
}

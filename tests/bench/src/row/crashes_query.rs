//! `--crashes --last=1h` of a store with very many events, against sqlite3's
//! own command line with the bare query: whole processes, from their start to
//! their end.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use genome_trace::model::{
    Crash, CrashKind, Ending, Event, Evidence, Exit, FileWrite, Known, Payload, Process,
    ProcessKey, SignalNumber, WallTime, Watch,
};
use genome_trace::store::{
    Item, Place as StorePlace, Retention, Store as _, Writer, WriterOptions,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::child::Running;
use crate::deadline::Deadline;
use crate::machine::{Place, file_system_of};
use crate::stats::Spread;
use crate::subject::peer;

/// What `--only` calls it.
pub(crate) const NAME: &str = "crashes-query";

const MINUTE_NS: i64 = 60_000_000_000;
/// Less than the day after which events go.
const LENGTH_NS: i64 = 23 * 60 * MINUTE_NS;
/// Events for each crash.
const CRASH_EVERY: u64 = 10_000;
/// What may wait while the store is made.
const PART: u64 = 20_000;
const PATIENCE: Duration = Duration::from_secs(600);

/// What the question costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CrashesQuery {
    /// Why it was not measured; `None` where it was.
    pub(crate) skipped: Option<String>,
    /// What was measured; `None` where nothing was.
    pub(crate) figures: Option<Figures>,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// What the store is on.
    pub(crate) file_system: String,
    /// Events in the store.
    pub(crate) events: u64,
    /// Crashes of the last hour among all.
    pub(crate) crashes: u64,
    /// Events that the writer stored in a second when the store was made.
    pub(crate) events_stored_per_second: f64,
    /// Bytes of the store for an event, processes, names and crashes included.
    pub(crate) store_bytes_per_event: f64,
    /// Pairs of runs.
    pub(crate) runs: u32,
    /// genome-trace, in milliseconds.
    pub(crate) genome_trace_ms: Spread,
    /// sqlite3, in milliseconds.
    pub(crate) sqlite3_ms: Spread,
    /// genome-trace over sqlite3, pair by pair.
    pub(crate) ratio: Spread,
}

/// Makes a store under `disk`, asks it, and takes it away.
pub(crate) fn measure(tracer: &Path, disk: &Path, quick: bool) -> anyhow::Result<CrashesQuery> {
    let Some(sqlite3) = peer::find("sqlite3") else {
        let reason = "no sqlite3 here; run `cargo xtask setup --bench`".to_owned();
        return Ok(CrashesQuery { skipped: Some(reason), figures: None });
    };
    let place = Place::under(disk)?;
    let file = place.path("store.db");
    let (events, runs) = if quick { (1_000_000, 21) } else { (10_000_000, 101) };
    let started = Instant::now();
    let made = make(&file, events)?;
    let seconds = started.elapsed().as_secs_f64();

    let query = format!(
        "SELECT * FROM crashes WHERE wall_ns >= {} ORDER BY wall_ns DESC, id DESC",
        made.now_ns - 60 * MINUTE_NS
    );
    let ours = || {
        let mut command = Command::new(tracer);
        command.args(["--crashes", "--last=1h", "--store"]).arg(&file);
        command
    };
    let bare = || {
        let mut command = Command::new(&sqlite3);
        command.arg("-readonly").arg(&file).arg(&query);
        command
    };
    // The first run of each finds nothing in memory, and says what it finds.
    ensure!(
        told_by_json(ours().arg("--format=json"))? == made.crashes
            && lines_of(&mut bare())? == made.crashes,
        "the store of {} crashes in the last hour does not tell of as many",
        made.crashes
    );
    let (mut ours_ms, mut bare_ms, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..runs {
        let (our, their) = if run % 2 == 0 {
            let our = milliseconds(&mut ours())?;
            (our, milliseconds(&mut bare())?)
        } else {
            let their = milliseconds(&mut bare())?;
            (milliseconds(&mut ours())?, their)
        };
        ours_ms.push(our);
        bare_ms.push(their);
        ratios.push(our / their);
    }
    let spread = |numbers: &[f64]| Spread::of(numbers).context("no run was made");
    let bytes = std::fs::metadata(&file).context("look at the store")?.len();
    let figures = Figures {
        file_system: file_system_of(disk)?,
        events,
        crashes: made.crashes,
        events_stored_per_second: events as f64 / seconds,
        store_bytes_per_event: bytes as f64 / events as f64,
        runs,
        genome_trace_ms: spread(&ours_ms)?,
        sqlite3_ms: spread(&bare_ms)?,
        ratio: spread(&ratios)?,
    };
    Ok(CrashesQuery { skipped: None, figures: Some(figures) })
}

/// How long a process takes, from before it starts until it has ended.
fn milliseconds(command: &mut Command) -> anyhow::Result<f64> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let started = Instant::now();
    let mut running = Running::start_fast("a question", command)?;
    let ended = running.wait(&Deadline::after(PATIENCE))?;
    let took = started.elapsed();
    ensure!(ended.status.success(), "{command:?} ended with {}", ended.status);
    Ok(took.as_secs_f64() * 1000.0)
}

fn output(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let output = command.output().with_context(|| format!("start {command:?}"))?;
    let talk = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} ended with {}: {talk}", output.status);
    Ok(output.stdout)
}

fn told_by_json(command: &mut Command) -> anyhow::Result<u64> {
    let report: Value = serde_json::from_slice(&output(command)?).context("read the report")?;
    let crashes = report.get("crashes").and_then(Value::as_array);
    Ok(crashes.context("the report has no crashes")?.len() as u64)
}

fn lines_of(command: &mut Command) -> anyhow::Result<u64> {
    Ok(output(command)?.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() as u64)
}

/// A store that was made.
struct Made {
    now_ns: i64,
    /// In the last hour.
    crashes: u64,
}

/// A day of processes that begin, write and end, with crashes among them.
fn make(file: &Path, events: u64) -> anyhow::Result<Made> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("read the clock")?;
    let now_ns = i64::try_from(now.as_nanos()).context("read the clock")?;
    let options = WriterOptions {
        retention: Retention { size_bytes: None, ..Retention::default() },
        ..WriterOptions::new("benchmark")
    };
    let writer = Writer::open(StorePlace::new(file), options)?;
    let step_ns = LENGTH_NS / i64::try_from(events).unwrap_or(i64::MAX).max(1);
    let mut crashes = 0;
    for number in 0..events {
        let age_ns = LENGTH_NS - step_ns * i64::try_from(number).unwrap_or(i64::MAX);
        let wall_time = WallTime { unix_ns: now_ns - age_ns };
        push(&writer, number, wall_time);
        // None near the hour's end: it moves on while questions are asked.
        let is_clear = (age_ns - 60 * MINUTE_NS).abs() > 15 * MINUTE_NS;
        if number % CRASH_EVERY == 0 && is_clear {
            writer.push(Item::Crash(Box::new(crash(number, wall_time))));
            crashes += u64::from(age_ns < 60 * MINUTE_NS);
        }
        if number % PART == 0 {
            writer.flush(PATIENCE)?;
        }
    }
    writer.flush(PATIENCE)?;
    let unstored: u64 = writer.status().unstored.values().sum();
    ensure!(unstored == 0, "{unstored} of {events} events were not stored");
    writer.close()?;
    Ok(Made { now_ns, crashes })
}

/// The process that an event is of, three events each.
fn key(number: u64) -> ProcessKey {
    let process = number / 3;
    ProcessKey {
        tgid: 1000 + u32::try_from(process % 4_000_000).unwrap_or(0),
        start_time: 1_000_000_000 + process * 1000,
    }
}

fn push(writer: &Writer, number: u64, wall_time: WallTime) {
    let path = format!("/srv/workers/out/part-{}.jsonl", number / 3 % 500);
    let payload = match number % 3 {
        0 => Payload::Fork,
        1 => Payload::FileWrite(FileWrite {
            path: Some(path.as_bytes()),
            path_truncated: false,
            device: (259, 2),
            inode: 1_000_000 + number / 3 % 500,
            write_calls: 12,
            written_bytes: 48_000,
        }),
        _ => Payload::Exit(Exit {
            ending: Ending::Exited { code: 0 },
            runtime_ns: 8_200_000_000,
            cpu_ns: Some(7_900_000_000),
            peak_rss_bytes: Some(812 << 20),
            write_calls: Some(12),
            written_bytes: Some(48_000),
            threads: None,
            open_files: None,
            vram: None,
        }),
    };
    let key = key(number);
    writer.push(Item::event(&Event {
        ktime_ns: key.start_time + number % 3,
        wall_time,
        process: Some(Process {
            key,
            tid: Some(key.tgid),
            ppid: Some(1000),
            uid: Some(1000),
            comm: Some(b"python3"),
            cgroup_path: Some(b"/workers.slice/code.service"),
            watch: Watch::default(),
        }),
        persona: None,
        persona_root: None,
        payload,
    }));
}

fn crash(number: u64, wall_time: WallTime) -> Crash {
    let key = key(number);
    let reason = "the memory cgroup /workers.slice/code.service was at its limit".to_owned();
    let observed = |text: &str| Evidence { known: Known::Observed, text: text.to_owned() };
    Crash {
        persona: Some("CodeExpert".to_owned()),
        comm: Some("python3".to_owned()),
        argv: Some(vec!["python3".to_owned(), "/srv/workers/expert.py".to_owned()]),
        ending: Some(Ending::Signaled { signal: SignalNumber(9), core_dumped: false }),
        evidence: vec![
            observed("the OOM killer chose the process (mark_victim)"),
            observed("SIGKILL came from the kernel"),
        ],
        ..Crash::new(wall_time, key.start_time, key, CrashKind::Oom, reason)
    }
}

#[cfg(test)]
mod tests {
    use genome_trace::model::TimeRange;
    use genome_trace::store::{CrashQuery, EventQuery, History as _, Reader};

    use super::*;

    #[test]
    fn the_store_has_as_many_as_it_is_said_to_have() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.db");
        let made = make(&file, 30 * CRASH_EVERY).unwrap();
        let reader = Reader::open(StorePlace::new(&file)).unwrap();
        let mut events = 0;
        reader
            .events(&EventQuery::all(TimeRange::ALL), &mut |_| {
                events += 1;
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(events, 30 * CRASH_EVERY);
        let hour = WallTime { unix_ns: made.now_ns - 60 * MINUTE_NS };
        let range = TimeRange { from: hour, ..TimeRange::ALL };
        let crashes = reader.crashes(&CrashQuery::all(range)).unwrap();
        assert_eq!(crashes.len() as u64, made.crashes);
    }
}

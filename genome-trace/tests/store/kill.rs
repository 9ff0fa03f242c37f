//! Killed at any moment, a store opens again with all that it said it has.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    ops::ControlFlow,
    path::Path,
    process::{Child, Command, Stdio},
};

use genome_trace::{
    model::{GapReason, TimeRange, WallTime},
    store::{EventQuery, History as _, Store as _},
};
use rusqlite::Connection;

use crate::parts::{LONG, exit, now, reader, writer};

const FOLDER: &str = "GENOME_TRACE_TEST_STORE";
const ROUND: &str = "GENOME_TRACE_TEST_ROUND";
/// 50 kills.
const STORES: u32 = 5;
const ROUNDS: u32 = 10;

#[test]
#[ignore = "started by the test that kills it"]
fn writes_until_it_is_killed() {
    let folder = std::env::var_os(FOLDER).expect("a folder");
    let round: u32 = std::env::var(ROUND).expect("a round").parse().unwrap();
    let writer = writer(Path::new(&folder));
    std::thread::scope(|scope| {
        // What is stored is told at once, also in the middle of a commit.
        scope.spawn(|| {
            let mut told = 0;
            loop {
                let stored = writer.status().stored;
                if stored == told {
                    std::thread::yield_now();
                } else {
                    told = stored;
                    writeln!(std::io::stdout(), "stored {stored}").unwrap();
                }
            }
        });
        for number in 1.. {
            writer.push(exit(round, number));
            if number % 500 == 0 {
                writeln!(std::io::stdout(), "pushed {number}").unwrap();
                // The load is as high as the disk allows, and no higher.
                if number - writer.status().stored > 5_000 {
                    writer.flush(LONG).unwrap();
                }
            }
        }
    });
}

fn start(folder: &Path, round: u32) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::writes_until_it_is_killed", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What the line says is stored.
fn stored(line: &str) -> Option<usize> {
    line.trim_end().strip_prefix("stored ")?.parse().ok()
}

#[test]
fn nothing_that_is_stored_is_lost_by_a_kill() {
    for store in 0..STORES {
        let folder = tempfile::tempdir().unwrap();
        let killed: Vec<Killed> = (1..=ROUNDS)
            .map(|round| {
                let killed = kill(folder.path(), round, store * ROUNDS + round);
                check(folder.path(), &killed);
                killed
            })
            .collect();
        // What was there stays there, and each death but the last is a gap.
        let reader = reader(folder.path());
        let mut found = BTreeMap::<u32, usize>::new();
        reader
            .events(&EventQuery::all(TimeRange::ALL), &mut |event| {
                *found.entry(event.process.unwrap().key.tgid).or_default() += 1;
                ControlFlow::Continue(())
            })
            .unwrap();
        for Killed { round, stored, .. } in killed {
            assert!(found[&round] >= stored, "store {store}, round {round}");
        }
        let gaps = reader.gaps(TimeRange::ALL).unwrap();
        assert!(gaps.iter().all(|gap| gap.reason == GapReason::NotRunning), "{gaps:?}");
        assert_eq!(gaps.len(), ROUNDS as usize - 1);
        let runs = reader.coverage().unwrap();
        assert_eq!(runs.len(), ROUNDS as usize);
        assert!(runs.iter().all(|run| !run.ended_orderly && run.from < run.until));
    }
}

/// A writer that was killed.
struct Killed {
    round: u32,
    /// When it was begun.
    begun: WallTime,
    /// How many items it had said to be stored.
    stored: usize,
}

/// Kills a writer at a moment of its own for each `seed`, after it has said
/// that something is stored.
fn kill(folder: &Path, round: u32, seed: u32) -> Killed {
    let begun = now();
    let mut child = start(folder, round);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let moment = seed.wrapping_mul(2_654_435_761) % 37;
    let (mut last, mut seen) = (0, 0);
    loop {
        let line = lines.next().expect("it is killed, and does not end").unwrap();
        let told = stored(&line);
        last = told.unwrap_or(last);
        seen += u32::from(last > 0);
        // Half of them right after they have said that something is stored.
        if seen > moment && (seed.is_multiple_of(2) || told.is_some()) {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // Lines that it had written before; the last may be cut off.
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    let whole = rest.len().saturating_sub(1);
    let said = rest.iter().take(whole).filter_map(|line| stored(line)).max();
    Killed { round, begun, stored: said.unwrap_or(0).max(last) }
}

/// The store opens, and has the first so many items without a hole.
fn check(folder: &Path, Killed { round, begun, stored }: &Killed) {
    let mut found = Vec::new();
    let range = TimeRange { from: *begun, until: now() };
    reader(folder)
        .events(&EventQuery::all(range), &mut |event| {
            assert_eq!(event.process.unwrap().key.tgid, *round);
            found.push(event.ktime_ns);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert!(found.len() >= *stored, "round {round}: {} of {stored} are there", found.len());
    found.sort_unstable();
    assert!(found.iter().copied().eq(1..=found.len() as u64), "round {round}");
    let connection = Connection::open(folder.join("genome-trace.db")).unwrap();
    let verdict: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok", "round {round}");
}

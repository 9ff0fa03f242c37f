//! A worker that lives quietly for a while, and then goes wrong in one way.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::ErrorKind;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::cli::{GoWrong, Wrong};
use crate::sys::process;
use crate::sys::shared::SharedTable;

/// How often there is something to do.
const STEP: Duration = Duration::from_millis(100);
const STEPS_A_SECOND: u32 = 10;
/// What every worker holds.
const OWN_BYTES: usize = 32 << 20;
/// A quarter of these would not be a jump of three times and 256 MiB.
const SPIKE_BYTES: usize = 400 << 20;
/// Numbers of a [`SharedTable`] that are a page.
const PAGE_SLOTS: usize = 4096 / size_of::<u32>();
/// Descriptors, threads and processes in a step.
const DESCRIPTORS: usize = 1;
const THREADS: usize = 2;
const SPAWNS: usize = 10;
/// Threads are no more than that: the kernel has few PIDs on a small machine.
const THREADS_MAX: usize = 400;

pub(crate) fn run(args: &GoWrong) -> anyhow::Result<Value> {
    let own = memory(OWN_BYTES);
    // To live quietly is the work: nothing is waited for.
    thread::sleep(Duration::from_secs(args.quiet_seconds));
    let began = unix_ns()?;
    let until = Instant::now() + Duration::from_secs(args.wrong_seconds);
    let mut kept = Kept { chance: Chance(args.seed), ..Kept::default() };
    let mut next = Instant::now();
    if matches!(args.how, Wrong::Spin | Wrong::Spawns) {
        let nice = rustix::process::nice(-20).context("take precedence (root needed)")?;
        precede(nice)?;
    }
    if args.how == Wrong::Spike {
        kept.memory.push(memory(SPIKE_BYTES));
    }
    while Instant::now() < until {
        step(args, &mut kept)?;
        next += STEP;
        if args.how == Wrong::Spin {
            while Instant::now() < next {
                black_box(&own);
            }
        } else {
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }
    black_box(&own);
    if matches!(args.how, Wrong::Spin | Wrong::Spawns) {
        precede(0)?;
    }
    Ok(json!({
        "began_unix_ns": began,
        "memory_bytes": kept.memory.iter().map(Vec::len).sum::<usize>(),
        "descriptors": kept.files.len(),
        "threads": kept.threads,
        "spawned": kept.spawned,
    }))
}

/// A busy machine is not to make half of it. Where the scheduler shares the
/// processors out by session (sched(7)), precedence is the session's, which the
/// test has, too; it is given back at the end.
fn precede(nice: i32) -> anyhow::Result<()> {
    match fs::write("/proc/self/autogroup", nice.to_string()) {
        // There is none, or this session has none.
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput) => {
            Err(error).context("give the session precedence (root needed)")
        }
        _ => Ok(()),
    }
}

/// What is not given back.
#[derive(Default)]
struct Kept {
    memory: Vec<Vec<u8>>,
    files: Vec<File>,
    threads: usize,
    spawned: usize,
    /// This is given back.
    passing: Option<SharedTable>,
    steps: u32,
    chance: Chance,
}

/// Numbers that look like chance, the same at every run (splitmix64).
#[derive(Default)]
struct Chance(u64);

impl Chance {
    /// More than 0, and no more than 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let upper = u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or(u32::MAX);
        (f64::from(upper) + 1.0) / (f64::from(u32::MAX) + 1.0)
    }
}

/// A tenth of a second of a leak.
fn leak(args: &GoWrong, kept: &mut Kept) -> anyhow::Result<()> {
    let even = f64::from(args.bytes_per_second) / f64::from(STEPS_A_SECOND);
    // As far apart as what comes at any time is: most pieces are small.
    let factor = if args.uneven { -kept.chance.next().ln() } else { 1.0 };
    kept.memory.push(memory((even * factor) as usize));
    if args.passing_bytes > 0 && kept.steps.is_multiple_of(STEPS_A_SECOND) {
        // Not two of them at a time.
        kept.passing = None;
        let bytes = f64::from(args.passing_bytes) * kept.chance.next();
        let table = SharedTable::new(bytes as usize / size_of::<u32>());
        let table = table.context("map memory that is given back")?;
        table.slots().iter().step_by(PAGE_SLOTS).for_each(|slot| slot.store(1, Ordering::Relaxed));
        kept.passing = Some(table);
    }
    kept.steps = kept.steps.wrapping_add(1);
    Ok(())
}

fn step(args: &GoWrong, kept: &mut Kept) -> anyhow::Result<()> {
    match args.how {
        Wrong::Leak => leak(args, kept)?,
        Wrong::Spike | Wrong::Spin | Wrong::Nothing => {}
        Wrong::Descriptors => {
            for _ in 0..DESCRIPTORS {
                kept.files.push(File::open("/dev/null").context("open /dev/null")?);
            }
        }
        Wrong::Threads => {
            let more = THREADS.min(THREADS_MAX.saturating_sub(kept.threads));
            for _ in 0..more {
                let sleeper = thread::Builder::new().stack_size(64 << 10);
                // It ends with the process.
                let _ = sleeper
                    .spawn(|| {
                        loop {
                            thread::park()
                        }
                    })
                    .context("start a thread")?;
            }
            kept.threads += more;
        }
        Wrong::Spawns => {
            let children: Vec<_> = (0..SPAWNS)
                .map(|_| process::fork(|| Ok(0)).context("fork a child"))
                .collect::<anyhow::Result<_>>()?;
            for child in children {
                child.finish()?;
            }
            kept.spawned += SPAWNS;
        }
    }
    Ok(())
}

/// Memory that is really there.
fn memory(bytes: usize) -> Vec<u8> {
    vec![1; bytes]
}

fn unix_ns() -> anyhow::Result<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    u64::try_from(since.as_nanos()).context("the clock is after 2554")
}

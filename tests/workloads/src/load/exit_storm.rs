//! Processes that do nothing but end, at a pace or as fast as it goes: more of
//! them in a second than programs can be started.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::cli::ExitStorm;
use crate::sys::brief::Brief;
use crate::sys::process;

/// How often those that are due are started. Shorter, and the sleep between
/// two would be most of it.
const TICK: Duration = Duration::from_millis(10);

pub(crate) fn run(args: &ExitStorm) -> anyhow::Result<Value> {
    let mut brief = Brief::new();
    let started = Instant::now();
    let (mut ended, mut tick) = (0, 0);
    while ended < args.count {
        tick += 1;
        let due = due(args, tick);
        while ended < due {
            let pid = brief.start().context("start a process")?;
            let code = process::wait_for(pid).context("wait for a process")?.code();
            ensure!(code == Some(0), "process {pid} ended with {code:?}");
            ended += 1;
        }
        // The pace is the work. Who is late makes up for it at once.
        thread::sleep((TICK * tick).saturating_sub(started.elapsed()));
    }
    let elapsed = started.elapsed();
    Ok(json!({
        "exits": ended,
        "elapsed_ns": u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX),
        "exits_per_second": f64::from(ended) / elapsed.as_secs_f64(),
    }))
}

/// How many shall have ended by the end of a tick, the first being 1.
fn due(args: &ExitStorm, tick: u32) -> u32 {
    if args.rate == 0 {
        return args.count;
    }
    let ticks_a_second = u64::from(1000 / TICK.subsec_millis());
    let due = u64::from(args.rate) * u64::from(tick) / ticks_a_second;
    u32::try_from(due).unwrap_or(u32::MAX).min(args.count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_as_many_as_the_rate_says() {
        let args = ExitStorm { count: 3000, rate: 250 };
        assert_eq!([1, 2, 100, 1200, 5000].map(|tick| due(&args, tick)), [2, 5, 250, 3000, 3000]);
        assert_eq!(due(&ExitStorm { count: 7, rate: 0 }, 1), 7);
    }

    #[test]
    fn as_many_end_as_are_told() {
        let told = run(&ExitStorm { count: 30, rate: 0 }).unwrap();
        assert_eq!(told["exits"], 30);
    }
}

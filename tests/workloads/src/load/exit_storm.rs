//! Processes that do nothing but end, at a pace or as fast as it goes: more of
//! them in a second than programs can be started.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::cli::ExitStorm;
use crate::load::pace::Pace;
use crate::sys::brief::Brief;
use crate::sys::process;

pub(crate) fn run(args: &ExitStorm) -> anyhow::Result<Value> {
    let mut brief = Brief::new();
    let mut pace = Pace::begin(args.count.into(), args.rate.into());
    let mut ended: u32 = 0;
    while ended < args.count {
        let due = pace.due();
        while u64::from(ended) < due {
            let pid = brief.start().context("start a process")?;
            let code = process::wait_for(pid).context("wait for a process")?.code();
            ensure!(code == Some(0), "process {pid} ended with {code:?}");
            ended += 1;
        }
        pace.rest();
    }
    let elapsed = pace.elapsed();
    Ok(json!({
        "exits": ended,
        "elapsed_ns": u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX),
        "exits_per_second": f64::from(ended) / elapsed.as_secs_f64(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_end_as_are_told() {
        let told = run(&ExitStorm { count: 30, rate: 0 }).unwrap();
        assert_eq!(told["exits"], 30);
    }
}

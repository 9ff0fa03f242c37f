//! What looking at GPUs costs: the same quiet machine with and without it. The
//! driver is a fake one, so this is genome-trace's own part; a real driver's
//! calls come on top.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use super::Ground;
use super::idle::attached;
use crate::child::Running;
use crate::clock::cpu_time;
use crate::deadline::Deadline;
use crate::subject::genome_trace::follow;

/// GPUs that are looked at.
const GPUS: u32 = 8;
/// Processes that hold memory on them, as many on each.
const PROCESSES: u32 = 64;
/// Looks a second.
const INTERVAL: &str = "1s";
/// A tracer that has not looked by then never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// What looking costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Gpus {
    /// GPUs.
    pub(crate) gpus: u32,
    /// Processes on them.
    pub(crate) processes: u32,
    /// For how long, each way.
    pub(crate) seconds: f64,
    /// CPU time with looks, in percent of one processor.
    pub(crate) cpu_percent: f64,
    /// The same without.
    pub(crate) cpu_percent_without: f64,
    /// Resident memory with looks, at the end.
    pub(crate) rss_bytes: u64,
}

/// `None` where there is no fake driver to look at.
pub(super) fn measure(ground: Ground<'_>) -> anyhow::Result<Option<Gpus>> {
    let Some(library) = ground.fake_nvml else { return Ok(None) };
    let sleepers = (0..PROCESSES)
        .map(|_| {
            let mut command = Command::new("sleep");
            Running::start("a worker", command.arg("3600").stdin(Stdio::null()))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let script = ground.scratch.path("gpus.toml");
    let tgids: Vec<u32> = sleepers.iter().map(Running::tgid).collect();
    fs::write(&script, text(&tgids)).with_context(|| format!("write {}", script.display()))?;
    let length = Duration::from_secs(if ground.quick { 3 } else { 10 });
    let with = run(ground, library, &script, INTERVAL, length)?;
    let without = run(ground, library, &script, "off", length)?;
    drop(sleepers);
    Ok(Some(Gpus {
        gpus: GPUS,
        processes: PROCESSES,
        seconds: length.as_secs_f64(),
        cpu_percent: with.cpu_percent,
        cpu_percent_without: without.cpu_percent,
        rss_bytes: with.rss_bytes,
    }))
}

struct Cost {
    cpu_percent: f64,
    rss_bytes: u64,
}

fn run(
    ground: Ground<'_>,
    library: &Path,
    script: &Path,
    interval: &str,
    length: Duration,
) -> anyhow::Result<Cost> {
    let mut command = follow(ground.tracer, ground.mode);
    command.env("FAKE_NVML_SCRIPT", script).arg("--nvml-library").arg(library);
    command.args(["--gpu-interval", interval]).stdout(Stdio::null());
    let (mut tracer, talk) = attached(&mut command)?;
    if interval != "off" {
        // What is not looked at costs nothing, and would look like a success.
        let words = format!("VRAM of {GPUS} GPUs");
        let deadline = Deadline::after(PATIENCE);
        while !talk
            .next(&deadline)?
            .context("genome-trace ended before it looked")?
            .text
            .contains(&words)
        {}
    }
    let tgid = tracer.tgid();
    let (started, before) = (Instant::now(), cpu_time(tgid)?);
    ensure!(!tracer.ends_within(length)?, "genome-trace ended while it looked");
    let (seconds, cpu) = (started.elapsed().as_secs_f64(), cpu_time(tgid)? - before);
    let rss_bytes = super::idle::rss_bytes(tgid)?;
    tracer.signal(rustix::process::Signal::INT)?;
    tracer.wait(&Deadline::after(PATIENCE))?;
    Ok(Cost { cpu_percent: cpu.as_secs_f64() / seconds * 100.0, rss_bytes })
}

/// The script of the fake driver: everybody holds a GiB.
fn text(tgids: &[u32]) -> String {
    let mut text = String::from("driver_version = \"580.82.07\"\n");
    let share = tgids.len().div_ceil(GPUS as usize).max(1);
    for (gpu, tgids) in tgids.chunks(share).enumerate() {
        // Writing to a String does not fail.
        let _ = write!(
            text,
            "\n[[gpu]]\nname = \"GPU\"\nuuid = \"GPU-{gpu}\"\n\
             pci_bus_id = \"00000000:{gpu:02x}:00.0\"\nmemory = {{ total = \"80 GiB\" }}\n"
        );
        for tgid in tgids {
            let _ = write!(text, "\n[[gpu.process]]\npid = {tgid}\nvram = \"1 GiB\"\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_are_spread_over_the_gpus() {
        let text = text(&(1..=PROCESSES).collect::<Vec<_>>());
        assert_eq!(text.matches("[[gpu]]").count(), GPUS as usize);
        assert_eq!(text.matches("[[gpu.process]]").count(), PROCESSES as usize);
    }
}

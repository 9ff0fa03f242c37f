//! A run's report: begun, kept in a file, told on stderr.

use std::{env, fs, path::Path, thread::available_parallelism};

use anyhow::Context as _;

use super::invoker::Invoker;
use crate::{
    cli::{Run as Options, RunFormat},
    kernel::machine,
    model::{RUN_SCHEMA_VERSION, Run, RunMachine, RunMetric, RunReport, RunReportType, RunUnit},
    render::{
        text::Escaped,
        units::{Bytes, Elapsed},
    },
};

/// A report without a run.
pub(super) fn report(options: &Options, invoker: &Invoker) -> RunReport {
    let directory = env::current_dir().unwrap_or_default();
    let word = |word: &std::ffi::OsString| word.to_string_lossy().into_owned();
    RunReport {
        schema_version: RUN_SCHEMA_VERSION,
        report_type: RunReportType::Run,
        genome_trace: env!("CARGO_PKG_VERSION").to_owned(),
        command: options.command.iter().map(word).collect(),
        directory: directory.to_string_lossy().into_owned(),
        persona: options.persona.clone(),
        genome_id: options.genome_id.clone(),
        uid: Some(invoker.uid()),
        machine: RunMachine {
            kernel: Some(machine::kernel_release()),
            architecture: Some(env::consts::ARCH.to_owned()),
            mode: None,
            processors: available_parallelism().ok().and_then(|n| u32::try_from(n.get()).ok()),
        },
        ..RunReport::default()
    }
}

/// Keeps it where `--save` says.
pub(super) fn save(options: &Options, report: &RunReport) -> anyhow::Result<()> {
    let Some(path) = &options.save else { return Ok(()) };
    write(path, report).with_context(|| {
        format!("cannot save the report in {}: choose another file with --save", path.display())
    })
}

fn write(path: &Path, report: &RunReport) -> anyhow::Result<()> {
    let mut text = serde_json::to_vec(report)?;
    text.push(b'\n');
    fs::write(path, text)?;
    Ok(())
}

/// Tells it on stderr: the one place where what is shown is chosen.
pub(super) fn tell(options: &Options, report: &RunReport) -> anyhow::Result<()> {
    match options.format.unwrap_or_default() {
        RunFormat::Json => eprintln!("{}", serde_json::to_string(report)?),
        RunFormat::Table | RunFormat::Junit | RunFormat::Markdown | RunFormat::Github => {
            for run in &report.runs {
                summary(run);
            }
            for (metric, why) in &report.unobserved {
                eprintln!("genome-trace: {metric} is unknown: {}", Escaped(why.as_bytes()));
            }
        }
    }
    Ok(())
}

fn summary(run: &Run) {
    let figure = |metric: RunMetric| match (run.figures.get(metric), metric.unit()) {
        (None, _) => "unknown".to_owned(),
        (Some(figure), RunUnit::Count) => figure.to_string(),
        (Some(figure), RunUnit::Bytes) => Bytes(figure).to_string(),
        (Some(figure), RunUnit::Nanoseconds) => Elapsed(figure).to_string(),
    };
    eprintln!("genome-trace: the command ended with {}", run.outcome.name());
    for metric in RunMetric::ALL {
        eprintln!("  {:<20} {:>12}", metric.name(), figure(metric));
    }
    for crash in &run.crashes {
        let comm = crash.comm.as_deref().unwrap_or("unknown");
        eprintln!("  crash: {} ({}): {}", Escaped(comm.as_bytes()), crash.key.tgid, crash.reason);
    }
    for (name, count) in &run.left_running {
        eprintln!("  left running: {count} of {}", Escaped(name.as_bytes()));
    }
    for (name, count) in &run.lost {
        eprintln!("  lost: {count} of {name}");
    }
}

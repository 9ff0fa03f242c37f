//! A run's report: begun, kept in a file, told on stderr or in another file.

use std::{
    env,
    io::{self, Write as _},
    thread::available_parallelism,
};

use super::{
    super::{
        follow, run_file,
        run_view::{add_step_summary, told},
    },
    invoker::Invoker,
};
use crate::{
    cli::{Run as Options, RunFormat},
    kernel::machine,
    model::{RUN_SCHEMA_VERSION, RunMachine, RunReport, RunReportType, RunView},
    render::line::LineStyle,
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

/// Whether the files that are asked for could be written, by trying.
pub(super) fn check(options: &Options) -> anyhow::Result<()> {
    for (option, path) in [("--save", &options.save), ("--output", &options.output)] {
        if let Some(path) = path {
            run_file::check(option, path)?;
        }
    }
    Ok(())
}

/// Keeps it where `--save` says.
pub(super) fn save(options: &Options, report: &RunReport, invoker: &Invoker) -> anyhow::Result<()> {
    options.save.as_deref().map_or(Ok(()), |path| run_file::save(path, report, invoker.owner()))
}

/// Tells it: where `--output` says, else on stderr.
pub(super) fn tell(options: &Options, view: RunView<'_>, invoker: &Invoker) -> anyhow::Result<()> {
    let format = options.format.unwrap_or_default();
    match &options.output {
        Some(path) => {
            let style = LineStyle { color: false, width: None, ..style(options) };
            run_file::keep("--output", path, &told(view, format, &style), invoker.owner())?;
        }
        None => {
            let mut text = Vec::new();
            // What stands above it is the command's.
            if format == RunFormat::Table {
                text.extend_from_slice(b"genome-trace: what the command did\n\n");
            }
            text.extend(told(view, format, &style(options)));
            // Where nobody reads it any more there is nobody to tell that, either.
            drop(io::stderr().write_all(&text));
        }
    }
    if format == RunFormat::Github {
        add_step_summary(view)?;
    }
    Ok(())
}

fn style(options: &Options) -> LineStyle {
    follow::style_of(&io::stderr(), options.no_color)
}

//! `genome-trace-bench`: what genome-trace costs those it watches.
//!
//! Workloads run with no tracer, with genome-trace in each mode that the
//! kernel has, and with its peers; in pairs, so that what is told is how many
//! times longer the same work took a moment later. The workload says what it
//! did and how long its loop took; the tracer's cost is read from outside.
//!
//! Exit codes: 0 done, 1 failed or genome-trace counted wrongly, 2 wrong usage.

mod account;
mod child;
mod cli;
mod clock;
mod deadline;
mod lines;
mod machine;
mod report;
mod row;
mod scenario;
mod stats;
mod subject;
mod trial;
mod workload;

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Parser as _;

use crate::account::{Tally, worst};
use crate::cli::Cli;
use crate::machine::{Cpus, Machine, Place};
use crate::report::table::{self, Look};
use crate::report::{Figures, Report, Row, ScenarioReport};
use crate::row::{Ground, Rows, crashes_query, detectors, suites};
use crate::scenario::{Load, Scenario, Stage};
use crate::subject::peer::Installed;
use crate::subject::{Subject, genome_trace, peer};
use crate::trial::{Bench, Measured};

/// Rows that are not measured in each mode.
const ONCE: [&str; 3] = [suites::NAME, crashes_query::NAME, detectors::NAME];

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("genome-trace-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    ensure!(rustix::process::geteuid().is_root(), "trace: this is not root; start it as root");
    for name in &cli.only {
        ensure!(
            Scenario::of(name).is_some()
                || row::NAMES.contains(&name.as_str())
                || ONCE.contains(&name.as_str()),
            "--only {name}: there is no such scenario or row; there are {}, {}, {}",
            scenario::ALL.map(|scenario| scenario.name).join(", "),
            row::NAMES.join(", "),
            ONCE.join(", ")
        );
    }
    let earlier = cli.baseline.as_deref().map(Report::load).transpose()?;
    let cpus = Cpus::divide()?;
    let mut machine = Machine::look(&cli.tracer, &cpus)?;
    if cli.first_mode {
        // It comes first.
        machine.modes.truncate(1);
    }
    ensure!(!machine.modes.is_empty(), "trace: no mode is usable here; see genome-trace doctor");
    let look =
        Look { colour: io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() };
    let scratch = Place::under(&scratch_base())?;
    let bench = Bench { workload: &cli.workload, cpus: &cpus, scratch: &scratch };
    let subjects: Vec<Subject> =
        machine.modes.iter().map(|mode| genome_trace::subject(&cli.tracer, mode)).collect();

    let mut report = Report::new(machine, cli.quick, peers(cli));
    let wanted = |name: &str| cli.only.is_empty() || cli.only.iter().any(|only| only == name);
    for scenario in scenario::ALL.iter().filter(|scenario| wanted(scenario.name)) {
        let entry = measure(cli, &bench, scenario, &subjects)?;
        print(&table::scenario(&entry, earlier.as_ref(), look))?;
        report.scenarios.push(entry);
    }
    let modes = report.machine.modes.clone();
    let ground_of = |mode| Ground {
        tracer: &cli.tracer,
        mode,
        workload: &cli.workload,
        fake_nvml: cli.fake_nvml.as_deref(),
        cpus: &cpus,
        disk: &cli.disk,
        suites: cli.suites.as_deref(),
        scratch: &scratch,
        peers: !cli.no_peers,
        quick: cli.quick,
    };
    if row::NAMES.into_iter().any(wanted) {
        for mode in &modes {
            let ground = ground_of(mode);
            let rows =
                Rows::measure(ground, wanted, |name| progress(&format!("{name}: {mode} ...")))
                    .with_context(|| format!("measure genome-trace alone in {mode} mode"))?;
            print(&table::rows(&rows, look))?;
            report.rows.push(rows);
        }
    }
    if wanted(suites::NAME) {
        // `run` has an order of modes of its own.
        let found = suites::measure(ground_of("auto"), |name| {
            progress(&format!("{}: {name} ...", suites::NAME));
        })?;
        print(&table::suites(&found, earlier.as_ref(), look))?;
        report.suites = Some(found);
    }
    // The last of all: this process grows by them, and what it starts afterwards
    // would seem to.
    if wanted(crashes_query::NAME) {
        progress(&format!("{} ...", crashes_query::NAME));
        let query = crashes_query::measure(&cli.tracer, &cli.disk, cli.quick)
            .context("measure a question to a store")?;
        print(&table::crashes_query(&query, look))?;
        report.crashes_query = Some(query);
    }
    if wanted(detectors::NAME)
        && let Some(mode) = modes.first()
    {
        progress(&format!("{}: {mode} ...", detectors::NAME));
        let found = detectors::measure(ground_of(mode)).context("measure the detectors")?;
        print(&table::detectors(&found, look))?;
        report.detectors = Some(found);
    }
    if let Some(path) = &cli.json {
        report.save(path)?;
        progress(&format!("report: {}", path.display()));
    }
    Ok(if report.has_wrong_counts() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn peers(cli: &Cli) -> Vec<Installed> {
    if cli.no_peers { Vec::new() } else { peer::installed() }
}

/// Memory, where there is a file system in it: a subject's output must not
/// compete for the disk that is measured.
fn scratch_base() -> std::path::PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

fn measure(
    cli: &Cli,
    bench: &Bench<'_>,
    scenario: &Scenario,
    subjects: &[Subject],
) -> anyhow::Result<ScenarioReport> {
    let mut report = ScenarioReport {
        name: scenario.name.to_owned(),
        title: scenario.title.to_owned(),
        file_system: None,
        skipped: None,
        rows: Vec::new(),
    };
    let stage = match Stage::set(scenario, &cli.disk) {
        Ok(stage) => stage,
        Err(reason) => {
            report.skipped = Some(format!("{reason:#}"));
            return Ok(report);
        }
    };
    report.file_system.clone_from(&stage.file_system);
    let runs = cli.runs.unwrap_or(if cli.quick { 3 } else { 7 });
    let length = Duration::from_millis(cli.run_ms.unwrap_or(if cli.quick { 150 } else { 400 }));
    // A process takes a thousand times as long as a write: there shall be
    // enough of them to tell what each costs.
    let length = if scenario.load == Load::Processes { length * 3 } else { length };
    let operations = bench
        .operations_in(&stage, scenario.load, length)
        .with_context(|| format!("run {} without a tracer", scenario.name))?;
    let mut run = Run { bench, scenario, stage, operations, runs, report };
    for subject in subjects {
        run.add(subject)?;
    }
    if !cli.no_peers {
        for (name, found) in peer::of(scenario, cli.quick) {
            match found {
                Ok(subject) => run.add(&subject)?,
                Err(reason) => run.report.rows.push(skipped(name, reason)),
            }
        }
    }
    Ok(run.report)
}

/// A scenario while it is measured.
struct Run<'a> {
    bench: &'a Bench<'a>,
    scenario: &'a Scenario,
    stage: Stage,
    operations: u64,
    runs: u32,
    report: ScenarioReport,
}

impl Run<'_> {
    fn add(&mut self, subject: &Subject) -> anyhow::Result<()> {
        let mode = subject.mode.as_deref().map(|mode| format!(" {mode}")).unwrap_or_default();
        progress(&format!("{}: {}{mode} ...", self.scenario.name, subject.name));
        let operations = (self.operations / subject.slowness).max(1);
        let measured =
            self.bench.pairs(subject, &self.stage, self.scenario.aim, operations, self.runs);
        let row = match measured {
            Ok(measured) => Row {
                subject: subject.name.clone(),
                mode: subject.mode.clone(),
                skipped: None,
                figures: Some(figures(measured, self.runs)),
            },
            // A peer that does not work here is no failure; genome-trace is.
            Err(error) if subject.mode.is_none() => {
                skipped(subject.name.clone(), format!("{error:#}"))
            }
            Err(error) => return Err(error.context(format!("measure {}", self.scenario.name))),
        };
        self.report.rows.push(row);
        Ok(())
    }
}

fn skipped(subject: String, reason: String) -> Row {
    Row { subject, mode: None, skipped: Some(reason), figures: None }
}

fn figures(measured: Measured, runs: u32) -> Figures {
    let told: u64 = measured.tallies.iter().map(|tally| tally.truth).sum();
    let events = if told > 0 { told } else { measured.operations * u64::from(runs) };
    Figures {
        runs,
        operations: measured.operations,
        ratio: measured.ratio,
        baseline_ns: measured.baseline_ns,
        cpu_seconds_per_million: measured.cpu.as_secs_f64() * 1e6 / events.max(1) as f64,
        peak_rss_bytes: measured.peak_rss_bytes,
        verdict: worst(measured.tallies.iter().map(Tally::verdict)),
        tallies: measured.tallies,
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("print to stdout")
}

fn progress(text: &str) {
    eprintln!("bench: {text}");
}

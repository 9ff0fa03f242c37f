//! `run`: a command, and what it did to the machine.
//!
//! The command runs as the user who wants it, in this process' place: its
//! terminal, its signals, its status. It waits before its first instruction
//! until it is watched, and when it has ended the run is over.
//!
//! Nothing is said while it runs, not even on a terminal: its standard error is
//! ours, and what we write there would stand among what it writes.

mod attend;
mod crashes;
mod gaps;
mod gate;
mod invoker;
mod names;
mod once;
mod told;
mod untraced;

use std::{collections::BTreeSet, process::ExitCode};

use anyhow::Context as _;

use self::{attend::Conductor, gate::Gate, invoker::Invoker, names::Names, once::Ran};
use super::{
    config::Config,
    run_view::{gate_status, or_ours, tell_unjudged},
    session::Granted,
};
use crate::{
    cli::Run,
    kernel::{held::Held, signals::end_by},
    model::{Ending, RunReport, RunRuleState},
};

/// What a shell adds to the number of a signal.
const BY_SIGNAL: u8 = 128;

/// Runs the command; the status is its own, where it has one.
pub(super) fn run(options: &Run) -> anyhow::Result<ExitCode> {
    Ok(or_ours(attempt(options)))
}

fn attempt(options: &Run) -> anyhow::Result<ExitCode> {
    let invoker = Invoker::find(options.user.as_deref())?;
    if options.name_only {
        return untraced::run(options, &invoker);
    }
    // What is wrong with a rule, a baseline or a file is told before the command
    // runs.
    let gate = Gate::read(options)?;
    told::check(options)?;
    let granted = match once::grant(options) {
        Ok(granted) => granted,
        Err(error) => return without(options, &gate, &invoker, error),
    };
    let config = Config::read(options.config.as_deref())?;
    traced(options, &config, &invoker, granted, &gate)
}

/// Who asks for no report wants the command above all: it runs, and is not
/// traced.
fn without(
    options: &Run,
    gate: &Gate,
    invoker: &Invoker,
    why: anyhow::Error,
) -> anyhow::Result<ExitCode> {
    if options.asks_for_a_report() || gate.asks_for_a_report() || options.config.is_some() {
        return Err(why);
    }
    eprintln!("genome-trace: the command runs, and is not traced: {why:#}");
    untraced::run(options, invoker)
}

fn traced(
    options: &Run,
    config: &Config,
    invoker: &Invoker,
    granted: Granted,
    gate: &Gate,
) -> anyhow::Result<ExitCode> {
    let conductor = Conductor::new()?;
    // All of them now, while this process is small: what it has is counted among
    // the peak memory of what it forks.
    let held = (0..gate.times()).map(|_| {
        let (command, identity) = invoker.command(options)?;
        Held::start(command, identity, conductor.mask())
            .context("cannot start a process for the command")
    });
    let mut waiting = held.collect::<anyhow::Result<Vec<_>>>()?.into_iter();
    let mut report = told::report(options, invoker);
    let names = Names::of(invoker);
    let mut granted = Some(granted);
    let mut status = None;
    let mut uncounted = BTreeSet::new();
    while let Some(held) = waiting.next() {
        let granted = match granted.take() {
            Some(granted) => granted,
            None => once::grant(options)?,
        };
        let watch = match once::watch(options, config, granted, &held) {
            Ok(watch) => watch,
            Err(error) => {
                drop(held);
                drop(waiting);
                drop(conductor);
                return without(options, gate, invoker, error);
            }
        };
        match once::run(options, config, watch, held, (&conductor, &names))? {
            Ran::Not(error) => return Ok(untraced::cannot_run(options, &error)),
            Ran::Run(ran) => {
                let outcome = ran.run.outcome;
                uncounted.extend(once::add(&mut report, *ran));
                // The first that failed is what there is to tell.
                if is_failure(status.unwrap_or(outcome)) {
                    status.get_or_insert(outcome);
                } else {
                    status = Some(outcome);
                }
                if conductor.was_interrupted() {
                    break;
                }
            }
        }
    }
    drop(waiting);
    for what in uncounted {
        eprintln!("genome-trace: writes that are not counted here: {what}");
    }
    conclude(options, &report, gate, invoker, status)
}

/// Tells what the command did, and what its status is.
fn conclude(
    options: &Run,
    report: &RunReport,
    gate: &Gate,
    invoker: &Invoker,
    status: Option<Ending>,
) -> anyhow::Result<ExitCode> {
    told::save(options, report, invoker)?;
    let judgement = gate.judge(report);
    told::tell(options, judgement.view(report), invoker)?;
    let state = judgement.state();
    if state == RunRuleState::NotJudged {
        let baseline = gate.baseline.as_ref();
        tell_unjudged(&judgement.gate, &gate.rules, baseline, report.runs.len());
    }
    Ok(match status {
        // The command's own failure comes before what the gate says of it.
        Some(Ending::Exited { code: 0 }) | None => gate_status(state),
        Some(Ending::Exited { code }) => ExitCode::from(code),
        Some(Ending::Signaled { signal, .. }) => {
            // Whoever waits for this process sees what the command's parent
            // would have seen.
            end_by(signal.0.cast_signed());
            let number = u8::try_from(signal.0).unwrap_or(0);
            ExitCode::from(BY_SIGNAL.saturating_add(number))
        }
    })
}

fn is_failure(ending: Ending) -> bool {
    ending != Ending::Exited { code: 0 }
}

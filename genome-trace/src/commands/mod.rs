//! The views and actions, one a file: the only place where parts are put
//! together.

mod alerting;
mod alerts;
mod alerts_test;
mod approvals;
mod attach;
mod attach_line;
mod baseline;
mod compare;
mod compare_runs;
mod config;
mod cost;
mod crashes;
mod current;
mod doctor;
mod door;
mod exposition;
mod follow;
mod gpus;
mod history;
mod last_hour;
mod looks;
mod notifying;
mod one_persona;
mod personas;
mod phase;
mod predict;
mod record;
mod recorder_check;
mod recording;
mod remedies;
mod remedy;
mod remedy_options;
mod report;
mod run;
mod run_file;
mod run_view;
mod session;
mod setup;
mod shell;
mod stats;
mod watch;
mod watched;
mod who;
mod written;

use std::process::ExitCode;

use crate::cli::{Action, AlertsAction, Cli};

/// Does what the command line asks for; the exit status where that is not an
/// error.
///
/// # Errors
/// A sentence that names the operation, the object and the remedy.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.action {
        Some(Action::Doctor(options)) => match options.cost {
            Some(time) => cost::run(&options, time),
            None => doctor::run(&options),
        },
        Some(Action::Personas(options)) => personas::run(&options),
        Some(Action::Run(options)) => run::run(&options),
        Some(Action::Compare(options)) => compare_runs::run(&options),
        Some(Action::Record(options)) => record::run(&options),
        Some(Action::Alerts(options)) => match options.action {
            AlertsAction::Test(options) => alerts_test::run(&options),
        },
        Some(Action::Baseline(options)) => baseline::run(&options),
        Some(Action::Phase(options)) => phase::run(&options),
        Some(Action::Report(options)) => report::run(&options),
        Some(Action::Remedy(options)) => remedy::run(&options),
        Some(Action::Completions { shell }) => shell::completions(shell),
        Some(Action::Man) => shell::manual(),
        None if cli.view.history_options.history.is_some() => history::run(&cli.view),
        None if cli.view.history_options.compare.is_some() => compare::run(&cli.view),
        None if cli.view.predict_options.predict.is_some() => predict::run(&cli.view),
        None if cli.view.alert_options.alerts => alerts::run(&cli.view),
        None if cli.view.crashes => crashes::run(&cli.view),
        None if cli.view.watch_options.watch => watch::run(&cli.view),
        None if cli.view.stats_options.genome_id.is_some() => one_persona::run(&cli.view),
        None if cli.view.stats => stats::run(&cli.view),
        None => follow::run(&cli.view),
    }
}

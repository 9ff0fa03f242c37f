//! `baseline`: what personas are used to, shown and forgotten.

use std::process::ExitCode;

use anyhow::bail;

use super::{config::Config, follow, shell};
use crate::{
    cli::{Baseline, BaselineAction, BaselineFormat, BaselineReset, BaselineShow},
    detect::{Baselines, ShownHabit},
    kernel::clock,
    model::{HabitReport, HabitsReport},
    render::{baselines, text::Escaped},
    store::{History as _, Place, Reader, forget_baselines},
};

/// Shows or forgets.
pub(super) fn run(options: &Baseline) -> anyhow::Result<ExitCode> {
    match &options.action {
        BaselineAction::Show(options) => show(options),
        BaselineAction::Reset(options) => reset(options),
    }
}

fn show(options: &BaselineShow) -> anyhow::Result<ExitCode> {
    let policy = Config::read(options.config.as_deref())?.detect_policy().habits;
    let place = Place::new(&options.store);
    let mut rows = Reader::open(place.clone())?.baselines()?;
    if let Some(name) = &options.persona {
        rows.retain(|row| row.persona.name == *name);
        if rows.is_empty() {
            bail!("{}", unknown(name, &place));
        }
    }
    let learned = Baselines::from_rows(&rows, &policy);
    let report = HabitsReport {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        now: clock::now(),
        store: place.file().display().to_string(),
        samples_to_learn: policy.samples_to_learn,
        habits: learned.iter().map(|habit| shown(&habit)).collect(),
    };
    let mut out = Vec::new();
    match options.format {
        BaselineFormat::Json => baselines::write_json(&mut out, &report),
        BaselineFormat::Csv => baselines::write_csv(&mut out, &report),
        BaselineFormat::Table => {
            baselines::write_text(&mut out, &report, &follow::style(options.no_color));
        }
    }
    shell::print(&out)
}

fn shown(habit: &ShownHabit<'_>) -> HabitReport {
    HabitReport {
        persona: habit.persona.clone(),
        quantity: habit.quantity.name(),
        samples: habit.samples,
        centre: habit.habit.map(|of| of.centre),
        spread: habit.habit.map(|of| of.spread),
        peak: habit.habit.map(|of| of.peak),
        since: habit.since,
        updated: habit.updated,
        speaks: habit.speaks,
    }
}

fn unknown(name: &str, place: &Place) -> String {
    format!(
        "nothing was learned of the persona {} in the store {}; `genome-trace baseline show` \
         lists whom something is known of",
        Escaped(name.as_bytes()),
        place.file().display()
    )
}

/// A recorder that runs finds the order in the store: whoever may write there
/// may give it.
fn reset(options: &BaselineReset) -> anyhow::Result<ExitCode> {
    let place = Place::new(&options.store);
    let name = options.persona.as_deref();
    if let Some(name) = name {
        // A name that is mistyped is told, and not obeyed.
        let rows = Reader::open(place.clone())?.baselines()?;
        if rows.iter().all(|row| row.persona.name != name) {
            bail!("{}", unknown(name, &place));
        }
    }
    let gone = forget_baselines(&place, name, clock::now())?;
    let whose =
        name.map_or_else(|| "everybody".to_owned(), |name| Escaped(name.as_bytes()).to_string());
    let plural = if gone == 1 { "habit" } else { "habits" };
    eprintln!(
        "genome-trace: {gone} {plural} of {whose} forgotten; a recorder that runs begins to learn \
         anew within about a minute"
    );
    Ok(ExitCode::SUCCESS)
}

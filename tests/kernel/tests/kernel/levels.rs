//! Workers that live quietly and then go wrong, each in a way of its own: each
//! is found in time, by its rule, and once.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use genome_trace::model::{Alert, Metric, Rule, TimeRange};
use genome_trace::store::{AlertQuery, History as _, Place, Reader, Resolution, SampleQuery};
use genome_trace_tests_kernel::{Checks, Context, Recorder, Suite};

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("levels::each_way_to_go_wrong_is_found_once", each_way);
}

/// Habits are learned sooner than by default, for the trial is to end; all the
/// rest is as it comes.
const CONFIG: &str = "[alerts.habits]\nsamples_to_learn = 30\n";
/// For so long a worker lives quietly: more than it takes to learn, and to be
/// watched by itself.
const QUIET_SECONDS: u64 = 45;
const WRONG_SECONDS: u64 = 85;

/// How, what it is called, and within which time.
const WAYS: [(&str, Rule, u64); 5] = [
    ("spike", Rule::MemorySpike, 45),
    // A minute of it is what makes it a stuck loop.
    ("spin", Rule::StuckCpu, 75),
    ("descriptors", Rule::OpenFiles, 60),
    ("threads", Rule::ThreadGrowth, 60),
    ("spawns", Rule::SpawnStorm, 45),
];
const LEAK_SECONDS: u64 = 60;
const LEAKS_MAX: u64 = 10;

fn each_way(context: &Context) -> anyhow::Result<()> {
    // Detectors are folds over looks, which other trials hold on every kernel;
    // this one takes minutes of its own.
    context.at_full_scale_only()?;
    let folder = context.folder()?;
    let config = folder.path().join("config.toml");
    fs::write(&config, CONFIG).context("write a configuration")?;
    let store = folder.path().join("store");
    let launch = context.recorder(&store).option("--config", config.display());
    let recorder = Recorder(launch.start_into(Stdio::null())?);

    let leaks = context.setup.scale.rounds.min(LEAKS_MAX);
    let leaks = (0..leaks).map(|number| ("leak", Rule::MemoryLeak, LEAK_SECONDS, number));
    let ways = WAYS.into_iter().map(|(how, rule, seconds)| (how, rule, seconds, 0));
    let mut workers = Vec::new();
    for (how, rule, seconds, number) in leaks.chain(ways) {
        let persona = format!("{how}-{number}");
        workers.push((persona.clone(), rule, seconds, start(context, how, &persona)?));
    }
    let quiet = start(context, "nothing", "quiet")?;
    let mut began = Vec::new();
    for (persona, rule, seconds, worker) in workers {
        let truth = worker.finish_or_else(Duration::from_secs(1), || Ok(()))?;
        began.push((persona, rule, seconds, truth.number("/began_unix_ns")?));
    }
    quiet.finish_or_else(Duration::from_secs(1), || Ok(()))?;
    recorder.stop(&store)?;

    let alerts = Reader::open(Place::new(&store))?.alerts(&AlertQuery::all(TimeRange::ALL))?;
    let mut by_persona: BTreeMap<&str, Vec<&Alert>> = BTreeMap::new();
    for alert in &alerts {
        // The machine may be short of memory by itself.
        if let Some(persona) = &alert.anomaly.persona {
            by_persona.entry(&persona.name).or_default().push(alert);
        }
    }
    let mut checks = Checks::new();
    let (mut leaks, mut found_leaks) = (0, 0);
    for (persona, rule, seconds, began) in &began {
        let of = by_persona.remove(persona.as_str()).unwrap_or_default();
        let rules: Vec<_> = of.iter().map(|alert| alert.anomaly.rule).collect();
        let delay = of.first().map(|alert| (alert.raised.unix_ns as f64 - *began as f64) / 1e9);
        let is_found =
            rules == [*rule] && delay.is_some_and(|delay| (0.0..=*seconds as f64).contains(&delay));
        eprintln!("{persona}: {rules:?} after {delay:?} s");
        if *rule == Rule::MemoryLeak {
            leaks += 1;
            found_leaks += u64::from(is_found);
        } else {
            let text = format!("{persona}: {rules:?} after {delay:?} s");
            checks.holds(is_found, if is_found { text } else { with_cpu(text, &store, persona)? });
        }
    }
    // Eight of ten.
    checks.holds(
        found_leaks * 10 >= leaks * 8,
        format_args!("{found_leaks} of {leaks} leaks were found in time, and once"),
    );
    checks.holds(by_persona.is_empty(), format_args!("alerts of others: {by_persona:?}"));
    checks.verdict()
}

/// What the worker used, second by second: on a busy machine that is the reason.
fn with_cpu(text: String, store: &Path, persona: &str) -> anyhow::Result<String> {
    let query = SampleQuery {
        metric: Some(Metric::CpuPercent),
        persona: Some(persona.to_owned()),
        ..SampleQuery::all(TimeRange::ALL, Resolution::Moment)
    };
    let samples = Reader::open(Place::new(store))?.samples(&query)?;
    let percent: Vec<_> = samples.iter().map(|of| of.last.round()).collect();
    Ok(format!("{text}; CPU {percent:?}"))
}

fn start(
    context: &Context,
    how: &str,
    persona: &str,
) -> anyhow::Result<genome_trace_tests_kernel::Held> {
    context
        .workload("go-wrong")
        .option("--how", how)
        .option("--quiet-seconds", QUIET_SECONDS)
        .option("--wrong-seconds", WRONG_SECONDS)
        .env("GENOME_PERSONA", persona)
        .start_free()
}

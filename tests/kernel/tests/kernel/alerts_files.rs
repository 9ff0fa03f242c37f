//! Files in masses: the alert comes within two seconds of the file that was one
//! too many, and is right in every field, whatever else goes on.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use genome_trace_tests_kernel::{Checks, Context, Event, Suite, Truth, Workload};
use serde_json::Value;

use crate::listening::{Listening, is_of};

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("alerts_files::json_loops", json_loops);
    suite.once("alerts_files::churn_and_duplicates", churn_and_duplicates);
    suite.once("alerts_files::ordinary_work_is_no_alarm", ordinary_work);
}

/// From when on it is too much, by default.
const TOO_MANY: u64 = 50;
/// An alert is to come so soon after that.
const SOON_NS: u64 = 2_000_000_000;
/// The files of the loop that nobody noticed.
const NOBODY_NOTICED: u64 = 3000;

/// A loop with what is known of it beforehand.
struct Loop<'a> {
    workload: Workload<'a>,
    argv: Vec<String>,
    persona: &'static str,
    folder: PathBuf,
    count: u64,
}

impl<'a> Loop<'a> {
    fn new(context: &'a Context, persona: &'static str, folder: &Path, count: u64) -> Self {
        let words = ["json-loop", "--keep", "--count", &count.to_string(), "--dir"];
        let words = words.map(str::to_owned).into_iter().chain([folder.display().to_string()]);
        let words: Vec<String> = words.collect();
        let program = context.setup.workload.display().to_string();
        let workload = words.iter().skip(1).fold(
            context.workload("json-loop").env("GENOME_PERSONA", persona),
            |workload, word| workload.flag(word),
        );
        Self {
            workload,
            argv: std::iter::once(program).chain(words).collect(),
            persona,
            folder: folder.to_owned(),
            count,
        }
    }

    fn flag(mut self, flag: &str) -> Self {
        self.workload = self.workload.flag(flag);
        self.argv.push(flag.to_owned());
        self
    }
}

/// What an alert is held against, once it is over.
struct Told {
    argv: Vec<String>,
    persona: &'static str,
    folder: PathBuf,
    count: u64,
    truth: Truth,
}

/// Lets a loop run, and says how long it took until its alert was read.
fn run(checks: &mut Checks, listening: &mut Listening, of: Loop<'_>) -> anyhow::Result<Told> {
    let Loop { workload, argv, persona, folder, count } = of;
    let started = workload.start_free()?;
    let (came_ns, raised) =
        listening.alert(|event| is_of(event, "raised", "mass_create", persona))?;
    let truth = started.finish_or_else(std::time::Duration::from_secs(1), || Ok(()))?;
    let marked_ns = truth.number("/marked_ns")?;
    let late_ns = came_ns.saturating_sub(marked_ns);
    println!("    {persona}: told {} ms after file {TOO_MANY} of {count}", late_ns / 1_000_000);
    checks.holds(
        late_ns <= SOON_NS,
        format_args!("{persona}: told {late_ns} ns after file {TOO_MANY}"),
    );
    let told = Told { argv, persona, folder, count, truth };
    check_fields(checks, &raised, &told)?;
    Ok(told)
}

/// What does not change while it goes on.
fn check_fields(checks: &mut Checks, event: &Event, told: &Told) -> anyhow::Result<()> {
    let who = told.persona;
    let number = |field: &str| event.payload(field).and_then(Value::as_f64);
    let words = |field: &str| {
        let words = event.payload(field).and_then(Value::as_array);
        words.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>()
    };
    let worker = told.truth.workers().first().copied();
    checks.equal(format_args!("{who}: the process"), event.tgid(), worker);
    checks.equal(format_args!("{who}: its name"), event.text("comm"), Some("genome-trace-wo"));
    checks.equal(
        format_args!("{who}: its arguments"),
        words("argv"),
        told.argv.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let folder = told.folder.to_str();
    checks.equal(format_args!("{who}: the folder"), event.payload_text("folder"), folder);
    let cause = event.payload_text("cause");
    checks.equal(format_args!("{who}: the cause"), cause, folder);
    checks.equal(format_args!("{who}: the threshold"), number("threshold"), Some(50.0));
    let basis = event.payload_text("basis");
    checks.equal(format_args!("{who}: the basis"), basis, Some("threshold"));
    checks.equal(format_args!("{who}: the window"), number("window_ns"), Some(300e9));
    let rate = number("files_per_second");
    checks.holds(rate.is_some_and(|rate| rate > 1.0), format_args!("{who}: a rate of {rate:?}"));
    let samples = words("sample_names");
    checks.holds(samples.len() >= 2, format_args!("{who}: samples {samples:?}"));
    for sample in samples {
        let path = told.folder.join(sample);
        checks.holds(path.is_file(), format_args!("{who}: no file {}", path.display()));
    }
    Ok(())
}

/// What it has come to when it is over.
fn check_end(checks: &mut Checks, listening: &mut Listening, told: &Told) -> anyhow::Result<()> {
    let who = told.persona;
    let (_, ended) = listening.alert(|event| is_of(event, "ended", "mass_create", who))?;
    check_fields(checks, &ended, told)?;
    let number = |field: &str| ended.payload_number(field);
    let files = ended.payload("measured").and_then(Value::as_f64);
    #[allow(clippy::cast_precision_loss)]
    checks.equal(format_args!("{who}: files"), files, Some(told.count as f64));
    checks.equal(format_args!("{who}: created"), number("files_created"), Some(told.count));
    checks.equal(format_args!("{who}: unlinked"), number("files_unlinked"), Some(0));
    checks.equal(
        format_args!("{who}: bytes"),
        number("written_bytes"),
        Some(told.truth.number("/written_bytes")?),
    );
    let severity = match told.count / TOO_MANY {
        0..10 => "warning",
        10..100 => "error",
        _ => "critical",
    };
    checks.equal(format_args!("{who}: severity"), ended.payload_text("severity"), Some(severity));
    Ok(())
}

/// The loop alone; in a storm of others', of nobody's and of its own persona's
/// work; one folder for each file; and very many files.
fn json_loops(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    let files = context.folder()?;
    let at = |name: &str| files.path().join(name);
    let scale = &context.setup.scale;
    let mut checks = Checks::new();
    let mut listening = Listening::begin(context, "")?;
    let alone = Loop::new(context, "gt-alone", &at("alone"), NOBODY_NOTICED);
    let mut told = vec![run(&mut checks, &mut listening, alone)?];

    let creating = |folder: &str| {
        context
            .workload("create-files")
            .path("--dir", &at(folder))
            .option("--count", scale.files / 10)
    };
    let storm = [
        context.workload("spawn-storm").option("--count", scale.processes / 4).start_free()?,
        creating("nobody").option("--procs", 2).start_free()?,
        creating("other").env("GENOME_PERSONA", "gt-other").start_free()?,
        creating("own").env("GENOME_PERSONA", "gt-storm").start_free()?,
    ];
    let amid = Loop::new(context, "gt-amid", &at("amid"), NOBODY_NOTICED);
    told.push(run(&mut checks, &mut listening, amid)?);
    for work in storm {
        work.finish_or_else(std::time::Duration::from_secs(1), || Ok(()))?;
    }

    let apart = Loop::new(context, "gt-apart", &at("apart"), NOBODY_NOTICED).flag("--folders");
    told.push(run(&mut checks, &mut listening, apart)?);
    let many = Loop::new(context, "gt-many", &at("many"), scale.files * 2);
    told.push(run(&mut checks, &mut listening, many)?);

    for told in &told {
        check_end(&mut checks, &mut listening, told)?;
    }
    // One message for one cause.
    for told in &told {
        let raised = listening
            .heard
            .iter()
            .filter(|(_, event)| is_of(event, "raised", "mass_create", told.persona));
        checks.equal(format_args!("{}: alerts", told.persona), raised.count(), 1);
    }
    listening.end()?;
    checks.verdict()
}

fn churn_and_duplicates(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    let files = context.folder()?;
    let mut checks = Checks::new();
    let mut listening = Listening::begin(context, "")?;
    let folder = files.path().join("churn");
    let churned = context
        .workload("churn")
        .env("GENOME_PERSONA", "gt-churn")
        .path("--dir", &folder)
        .option("--count", 2000)
        .flag("--names")
        .run()?;
    let (_, churn) = listening.alert(|event| is_of(event, "raised", "file_churn", "gt-churn"))?;
    checks.equal("folder of the churn", churn.payload_text("folder"), folder.to_str());
    checks.equal("its process", churn.tgid(), churned.workers().first().copied());
    checks.equal("files in circles", churn.payload_number("files_created"), Some(2000));
    checks.equal("of them unlinked", churn.payload_number("files_unlinked"), Some(2000));
    let told =
        listening.heard.iter().any(|(_, event)| event.payload_text("rule") == Some("mass_create"));
    checks.holds(!told, "files that are gone are told as too many");

    let folder = files.path().join("equal");
    let equal = context
        .workload("json-loop")
        .env("GENOME_PERSONA", "gt-equal")
        .path("--dir", &folder)
        .option("--count", 40)
        .option("--mark", 10)
        .flag("--equal")
        .flag("--keep")
        .run()?;
    let is_equal = |event: &Event| is_of(event, "raised", "duplicate_files", "gt-equal");
    let (_, equal_files) = listening.alert(is_equal)?;
    checks.equal("folder of duplicates", equal_files.payload_text("folder"), folder.to_str());
    checks.equal("equal files", equal_files.payload_number("files_equal"), Some(40));
    checks.equal("their process", equal_files.tgid(), equal.workers().first().copied());
    checks.equal("looked at", equal_files.payload_number("files_read"), Some(40));
    checks.equal("not to be read", equal_files.payload_number("files_unread"), Some(0));

    // Too many of them are one cause, and one alert.
    let folder = files.path().join("both");
    context
        .workload("json-loop")
        .env("GENOME_PERSONA", "gt-both")
        .path("--dir", &folder)
        .option("--count", 150)
        .flag("--equal")
        .flag("--keep")
        .run()?;
    let is_worse = |event: &Event| is_of(event, "escalated", "mass_create", "gt-both");
    let (_, both) = listening.alert(is_worse)?;
    checks.equal("too many that are equal", both.payload_number("files_equal"), Some(150));
    checks.equal("of so many", both.payload_number("files_created"), Some(150));
    let told = listening.heard.iter().any(|(_, event)| {
        event.payload_text("rule") == Some("duplicate_files")
            && event.text("persona") == Some("gt-both")
    });
    checks.holds(!told, "equal files that are too many are told twice");
    listening.end()?;
    checks.verdict()
}

/// What tools create under a persona's name is no alarm, and a loop beside it
/// is.
fn ordinary_work(context: &Context) -> anyhow::Result<()> {
    const FILES: u64 = 2000;
    context.at_full_scale_only()?;
    let files = context.folder()?;
    let source = files.path().join("source");
    context
        .workload("create-files")
        .path("--dir", &source)
        .option("--count", FILES)
        .flag("--keep")
        .run()?;
    let mut checks = Checks::new();
    let mut listening = Listening::begin(context, "")?;
    let named = |program: &str| context.program(program).env("GENOME_PERSONA", "gt-busy");
    let copy = files.path().join("copy");
    named("cp").arg("-r").arg(&source).arg(&copy).succeed()?;
    let archive = files.path().join("a.tar");
    named("tar").arg("-cf").arg(&archive).arg("-C").arg(&source).arg(".").succeed()?;
    let unpacked = files.path().join("unpacked");
    std::fs::create_dir(&unpacked).context("make a folder")?;
    named("sh")
        .args(["-c", "tar -xf \"$1\" -C \"$2\"", "sh"])
        .arg(&archive)
        .arg(&unpacked)
        .succeed()?;
    let folder = files.path().join("loop");
    let planted = Loop::new(context, "gt-busy", &folder, NOBODY_NOTICED);
    let told = run(&mut checks, &mut listening, planted)?;
    check_end(&mut checks, &mut listening, &told)?;
    let raised: Vec<_> = listening
        .heard
        .iter()
        .filter(|(_, event)| event.payload_text("change") == Some("raised"))
        .map(|(_, event)| event.payload_text("folder").unwrap_or_default().to_owned())
        .collect();
    ensure!(folder.to_str().is_some(), "the folder's name is no text");
    checks.equal("folders that were told", raised, vec![folder.display().to_string()]);
    listening.end()?;
    checks.verdict()
}

//! `doctor --cost`: traces for a while as `--follow` does, and says what each
//! probe cost meanwhile, by the kernel's own account.

use std::{
    io::{self, IsTerminal as _, Write as _},
    pin::pin,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context as _;

use super::{
    follow,
    session::{self, Session, Wishes},
    setup, shell,
};
use crate::{
    cli::{Doctor, ReportFormat},
    kernel::{
        machine,
        own_usage::{self, OwnUsage},
        program_stats::{ProgramStats, RunTimeMeasured},
    },
    model::{Cost, ModeCost, ProgramCost, TotalCost, TracerCost},
    pipeline::{Filter, Outcome, Pipeline},
    probe::{LoadedProgram, ModeChoice, Plan},
    render::cost,
    sink::JsonLines,
};

/// How often the time that is left is shown.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// Measures for `time`, or until Ctrl-C, and prints what was found.
pub(super) fn run(options: &Doctor, time: Duration) -> anyhow::Result<ExitCode> {
    let granted = wishes(options).grant()?;
    let runtime = session::event_loop()?;
    let stop = runtime.block_on(async { session::stop(Some(time)) })?;
    let Session { parts, plan, .. } = granted.attach()?;
    let programs = parts
        .object
        .loaded_programs(&plan)
        .context("cannot hold the programs to ask what they cost: raise ulimit -n")?;
    let measuring = RunTimeMeasured::start();

    // Events are laid out and then dropped: all of the work but the writing.
    let sink = JsonLines::new(io::sink(), machine::host_name());
    let begun = Look::take(&programs);
    // Whoever waits for this line can count on what comes after it.
    follow::announce(&plan, options.probe_mode, &options.pid, &options.persona);
    let mut ended = None;
    let window = async {
        with_progress(stop, time).await;
        // Before the probes are detached, which is no part of the window.
        ended = Some(Look::take(&programs));
    };
    let (outcome, result) = runtime.block_on(Pipeline::new(parts, sink).run(window));
    session::told(result)?;
    let ended = ended.context("cannot say what the probes cost: the run ended before it began")?;

    let window = ended.at - begun.at;
    let cost = Cost {
        ended_early: window < time,
        mode_forced: options.probe_mode != ModeChoice::Auto,
        ..found(&programs, &plan, window, (&begun, &ended), measuring.as_ref().err(), &outcome)
    };
    drop(measuring);
    let mut out = Vec::new();
    match options.format {
        ReportFormat::Json => cost::write_json(&mut out, &cost).context("cannot lay out JSON")?,
        ReportFormat::Prometheus => cost::write_metrics(&mut out, &cost),
        ReportFormat::Table => {
            cost::write_text(&mut out, &cost, follow::style(options.no_color).color);
        }
    }
    shell::print(&out)
}

/// What `--follow` with these options asks for.
fn wishes(options: &Doctor) -> Wishes {
    let excluded_tgid = Some(std::process::id());
    Wishes {
        mode: options.probe_mode,
        file_kinds: follow::file_kinds(&[]),
        pids: options.pid.clone(),
        personas: options.persona.clone(),
        rule_files: options.personas.clone(),
        excluded_tgid,
        keeps_stderr: false,
        rings: setup::default_rings(),
        filter: Filter {
            kinds: Vec::new(),
            comms: Vec::new(),
            uids: Vec::new(),
            cgroups: Vec::new(),
            only_in_tree: !options.pid.is_empty(),
            personas: options.persona.clone(),
            excluded_tgid,
        },
    }
}

/// All counters at one moment.
struct Look {
    at: Instant,
    programs: Vec<ProgramStats>,
    usage: Option<OwnUsage>,
    rss_bytes: Option<u64>,
}

impl Look {
    fn take(programs: &[LoadedProgram]) -> Self {
        Self {
            at: Instant::now(),
            // What the kernel refuses to tell is unknown.
            programs: programs.iter().map(|program| program.stats().unwrap_or_default()).collect(),
            usage: OwnUsage::read().ok(),
            rss_bytes: own_usage::rss_bytes(),
        }
    }
}

/// Shows on a terminal how long it takes yet.
async fn with_progress(stop: impl Future<Output = ()>, time: Duration) {
    let mut stop = pin!(stop);
    if !io::stderr().is_terminal() {
        return stop.await;
    }
    let begun = Instant::now();
    let mut shown = tokio::time::interval(PROGRESS_INTERVAL);
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            _ = shown.tick() => {
                let left = time.saturating_sub(begun.elapsed()).as_secs_f64().ceil();
                progress(&format!("genome-trace: {left} s left, Ctrl-C shows what there is"));
            }
        }
    }
    progress("");
}

/// Puts this in place of the line that is there. A terminal that went away
/// misses nothing.
fn progress(line: &str) {
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "\r\x1b[K{line}").and_then(|()| stderr.flush());
}

fn found(
    programs: &[LoadedProgram],
    plan: &Plan,
    window: Duration,
    (begun, ended): (&Look, &Look),
    refusal: Option<&io::Error>,
    outcome: &Outcome,
) -> Cost {
    let looks = begun.programs.iter().zip(&ended.programs);
    let mut programs: Vec<_> = programs
        .iter()
        .zip(looks)
        .map(|(program, (begun, ended))| {
            program_cost(program, ended.since(*begun), refusal.is_none())
        })
        .collect();
    programs.sort_by_key(|program| std::cmp::Reverse((program.run_time_ns, program.runs)));
    let spent =
        |part: fn(OwnUsage) -> u64| Some(part(ended.usage?).saturating_sub(part(begun.usage?)));
    Cost {
        v: Cost::FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: machine::host_name(),
        kernel: machine::kernel_release(),
        arch: std::env::consts::ARCH.to_owned(),
        window_ns: u64::try_from(window.as_nanos()).unwrap_or(u64::MAX),
        ended_early: false,
        unmeasured: refusal.map(|error| {
            format!(
                "the kernel does not measure run times: {error} (it takes Linux 5.8 and \
                 CAP_SYS_ADMIN, or kernel.bpf_stats_enabled=1)"
            )
        }),
        selected_mode: plan.mode.map(|mode| mode.to_string()),
        mode_forced: false,
        modes: modes(plan),
        total: TotalCost::of(&programs),
        programs,
        tracer: TracerCost {
            user_ns: spent(|usage| usage.user_ns),
            system_ns: spent(|usage| usage.system_ns),
            rss_bytes: ended.rss_bytes,
            events: outcome.events,
            lost: outcome.lost.total(),
        },
    }
}

fn program_cost(program: &LoadedProgram, stats: ProgramStats, is_measured: bool) -> ProgramCost {
    // The counters stand still where nothing is measured.
    let measured = |figure: Option<u64>| figure.filter(|_| is_measured);
    ProgramCost {
        program: program.program.to_owned(),
        hook: program.hook.to_owned(),
        target: program.target.clone(),
        runs: measured(stats.runs),
        run_time_ns: measured(stats.run_time_ns),
        skipped_calls: stats.skipped_calls,
        verified_instructions: stats.verified_instructions,
    }
}

fn modes(plan: &Plan) -> Vec<ModeCost> {
    plan.modes
        .iter()
        .map(|(mode, usable)| ModeCost {
            mode: mode.to_string(),
            usable: usable.is_ok(),
            reason: usable.clone().err(),
            cost: mode.cost().to_owned(),
        })
        .collect()
}

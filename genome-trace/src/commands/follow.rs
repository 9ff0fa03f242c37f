//! `--follow`: events as they happen.

use std::{
    convert::Infallible,
    fs,
    io::{self, IsTerminal},
    os::fd::{AsFd, AsRawFd as _, BorrowedFd},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};

use super::{
    alerting, attach,
    config::Config,
    gpus,
    recording::Recording,
    session::{self, Session, Wishes},
    setup,
};
use crate::{
    cli::{Size, View, ViewFormat},
    kernel::{cgroup::Hierarchy, machine},
    model::EventKind,
    pipeline::{Failure, Filter, Known, Outcome, Pipeline, SamplingParts},
    probe::{ModeChoice, Plan, Rings},
    render::{RingFill, Summary, line::LineStyle, text::Escaped},
    sink::{JsonLines, RawRecording, Terminal},
};

/// How often the store is asked how it stands.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// Follows until Ctrl-C, SIGTERM, `--duration` or the reader's end.
pub(super) fn run(view: &View) -> anyhow::Result<ExitCode> {
    if let Some(code) = attach::run(view)? {
        return Ok(code);
    }
    let mut granted = wishes(view).grant().map_err(or_a_recorder)?;
    let runtime = session::event_loop()?;
    // Before the probes, so that a Ctrl-C from here on ends the run in order.
    let stop = runtime.block_on(async { session::stop(view.duration) })?;
    let config = Config::read(None)?;
    let mut recording = recording(view, &config)?;
    granted.keep_stderr(recording.is_some() && config.captures_stderr());
    let Session { mut parts, plan, stderr } = granted.attach()?;
    parts.recording = raw_recording(view, &parts.known)?;
    if gpus::is_wanted(&view.event_kinds()) || recording.is_some() {
        parts.gpus = gpus::parts(view.gpu_interval, &view.nvml_library, &view.kernel_log)?;
    }
    if recording.is_some() {
        parts.sampling = Some(SamplingParts {
            interval: LOOK,
            hierarchy: Hierarchy::find(),
            publish: Box::new(|_, _| {}),
        });
        parts.alerts = Some(alerting::parts(&config, &view.store, |_| {}));
    }
    parts.keep = recording.as_ref().map(|recording| recording.keep(stderr, None)).transpose()?;
    announce(&plan, view.probe_mode, &view.pid, &view.persona);
    let (outcome, result) = match view.format {
        ViewFormat::Prometheus | ViewFormat::Csv => {
            bail!("cannot follow events as metrics or CSV: give --format=json")
        }
        ViewFormat::Json => {
            let sink = JsonLines::new(io::stdout(), machine::host_name());
            let run = Pipeline::new(parts, sink).run(stop);
            runtime.block_on(session::beside(run, attend(recording.as_mut())))
        }
        ViewFormat::Table => {
            let sink = Terminal::new(io::stdout(), style(view.no_color));
            let run = Pipeline::new(parts, sink).run(stop);
            runtime.block_on(session::beside(run, attend(recording.as_mut())))
        }
    };
    let closed = recording.map_or(Ok(()), Recording::close_quietly);
    let code = finish(&outcome, result)?;
    closed.map(|()| code)
}

/// Whoever may not trace may perhaps read what a recorder traces.
fn or_a_recorder(error: anyhow::Error) -> anyhow::Error {
    if error.is::<setup::MissingPrivileges>() {
        anyhow!(
            "{error}. Where a recorder runs (sudo systemctl start genome-trace), the members of \
             its group need neither"
        )
    } else {
        error
    }
}

fn wishes(view: &View) -> Wishes {
    Wishes {
        mode: view.probe_mode,
        file_kinds: file_kinds(&view.event_kinds()),
        pids: view.pid.clone(),
        personas: view.persona.clone(),
        rule_files: view.personas.clone(),
        excluded_tgid: view.exclude_self.then(std::process::id),
        keeps_stderr: false,
        rings: rings(view.ring_size, view.lifecycle_ring_size),
        filter: filter(view),
    }
}

/// With `--pid`, of those processes alone.
fn raw_recording(view: &View, known: &Known) -> anyhow::Result<Option<RawRecording>> {
    let Some(path) = &view.record_raw else { return Ok(None) };
    let file = fs::File::create(path)
        .with_context(|| format!("cannot create the recording {}", path.display()))?;
    Ok(Some(RawRecording::new(file, known, !view.pid.is_empty())))
}

/// Where what happens is kept, too. A trace of a part of the machine is not: a
/// store that says that it knows of a time must know all of it.
fn recording(view: &View, config: &Config) -> anyhow::Result<Option<Recording>> {
    let is_whole = view.pid.is_empty()
        && view.persona.is_empty()
        && file_kinds(&view.event_kinds()).len() == file_kinds(&[]).len();
    if view.no_store || !is_whole {
        return Ok(None);
    }
    let opened = Recording::open(&view.store, None, config.retention(), config.crash_policy());
    let why = match opened {
        Ok(recording) => match recording.failure() {
            None => {
                let file = recording.file().display();
                eprintln!("genome-trace: recording into {file}, too (--no-store: do not)");
                return Ok(Some(recording));
            }
            Some(reason) => reason,
        },
        Err(error) => error.to_string(),
    };
    eprintln!("genome-trace: this run is not recorded: {why} (--no-store asks for that)");
    Ok(None)
}

/// Tells how the store stands, where there is one.
async fn attend(recording: Option<&mut Recording>) -> Infallible {
    let Some(recording) = recording else { return std::future::pending().await };
    loop {
        tokio::time::sleep(LOOK).await;
        recording.tell();
    }
}

/// Sizes that were asked for, else such as fit the machine.
pub(super) fn rings(io: Option<Size>, lifecycle: Option<Size>) -> Rings {
    let default = setup::default_rings();
    Rings {
        lifecycle_bytes: lifecycle.map_or(default.lifecycle_bytes, ring_bytes),
        io_bytes: io.map_or(default.io_bytes, ring_bytes),
        ..default
    }
}

/// The kernel wants a power of two that is a multiple of the page. The command
/// line takes sizes up to 1 GiB, which is one.
fn ring_bytes(size: Size) -> u32 {
    let bytes = size.bytes.max(machine::page_size()).min(1 << 30);
    u32::try_from(bytes.next_power_of_two()).unwrap_or(1 << 30)
}

pub(super) fn file_kinds(kinds: &[EventKind]) -> Vec<EventKind> {
    EventKind::ALL
        .into_iter()
        .filter(|kind| kind.is_file() && (kinds.is_empty() || kinds.contains(kind)))
        .collect()
}

fn filter(view: &View) -> Filter {
    Filter {
        kinds: view.event_kinds(),
        comms: view.comm.iter().map(|comm| comm.clone().into_bytes()).collect(),
        uids: view.uid.clone(),
        cgroups: view.cgroup.iter().map(|path| path.clone().into_bytes()).collect(),
        only_in_tree: !view.pid.is_empty(),
        personas: view.persona.clone(),
        excluded_tgid: view.exclude_self.then(std::process::id),
    }
}

/// One line that says what is traced and how, and one for each thing that was
/// expected and is not there.
pub(super) fn announce(plan: &Plan, choice: ModeChoice, pids: &[u32], personas: &[String]) {
    if choice == ModeChoice::Auto
        && let Some(mode) = plan.mode
    {
        for (other, usable) in plan.modes.iter().take_while(|(other, _)| *other != mode) {
            if let Err(reason) = usable {
                eprintln!("genome-trace: no {other} mode here: {reason}");
            }
        }
    }
    for probe in &plan.probes {
        if let crate::probe::Verdict::Refused(reason) = &probe.verdict {
            eprintln!(
                "genome-trace: not seen: {} ({} was refused: {reason})",
                probe.purpose(),
                probe.program()
            );
        }
    }
    if !personas.is_empty() {
        let names = personas.join(" or ");
        eprintln!("genome-trace: only personas called {}", Escaped(names.as_bytes()));
    }
    let whom = match pids {
        [] => "the whole machine".to_owned(),
        [pid] => format!("process {pid} and its descendants"),
        pids => format!("{} processes and their descendants", pids.len()),
    };
    match plan.mode {
        Some(mode) => eprintln!("genome-trace: tracing {whom}, files in {mode} mode"),
        None => eprintln!("genome-trace: tracing {whom}, without files"),
    }
}

pub(super) fn style(no_color: bool) -> LineStyle {
    style_of(&io::stdout(), no_color)
}

/// The same on what may be another terminal.
pub(super) fn style_of(output: &(impl IsTerminal + AsFd), no_color: bool) -> LineStyle {
    let terminal = output.is_terminal();
    let allowed = !no_color && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    LineStyle {
        color: terminal && allowed,
        width: if terminal { terminal_width(output.as_fd()) } else { None },
        time_zone: jiff::tz::TimeZone::system(),
    }
}

fn terminal_width(terminal: BorrowedFd<'_>) -> Option<usize> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCGWINSZ writes one winsize to the address given.
    let result = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    (result == 0 && size.ws_col > 0).then(|| size.ws_col.into())
}

/// The last line of a run.
pub(super) fn summary(outcome: &Outcome) -> Summary {
    let fills = [("lifecycle", outcome.lifecycle), ("io", outcome.io)];
    // The fullest by share, not by bytes: the rings differ in size.
    let busiest = fills
        .into_iter()
        .map(|(name, (peak_bytes, capacity_bytes))| RingFill { name, peak_bytes, capacity_bytes })
        .max_by_key(|fill| fill.peak_bytes.saturating_mul(1000) / fill.capacity_bytes.max(1));
    Summary { events: outcome.events, lost: outcome.lost, busiest }
}

fn finish(outcome: &Outcome, result: Result<(), Failure>) -> anyhow::Result<ExitCode> {
    match result {
        // Whoever read the events has gone; there is nobody to tell more.
        Err(Failure::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            return Ok(ExitCode::SUCCESS);
        }
        _ => eprintln!("{}", summary(outcome)),
    }
    session::told(result).map(|()| ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ring_sizes_are_rounded_up_to_what_the_kernel_takes() {
        assert_eq!(u64::from(ring_bytes(Size { bytes: 1 })), machine::page_size());
        assert_eq!(ring_bytes(Size { bytes: 100_000 }), 131_072);
        assert_eq!(ring_bytes(Size { bytes: u64::MAX }), 1 << 30);
    }

    #[test]
    fn lifecycle_kinds_alone_want_no_file_probe() {
        assert!(file_kinds(&[EventKind::Exec, EventKind::Exit]).is_empty());
        assert_eq!(file_kinds(&[EventKind::FileWrite]), [EventKind::FileWrite]);
        assert_eq!(file_kinds(&[]).len(), 3);
    }
}

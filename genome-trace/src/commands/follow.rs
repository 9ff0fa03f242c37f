//! `--follow`: events as they happen.

use std::{
    fs,
    io::{self, IsTerminal as _},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, bail};
use tokio::signal::unix::{SignalKind, signal};

use super::setup;
use crate::{
    cli::{Format, Size, View},
    kernel::{cgroup::Hierarchy, machine},
    model::EventKind,
    pipeline::{
        Attribution, Failure, Filter, KernelFilter, Known, Outcome, Parts, Pipeline, RuleFiles,
    },
    probe::{ModeChoice, Plan, Request, Rings, Scope},
    render::{RingFill, Summary, line::LineStyle, text::Escaped},
    sink::{JsonLines, Terminal},
    source::{Counts, Losses, Ring, Watched},
    wire::tasks,
};

/// Follows until Ctrl-C, SIGTERM, `--duration` or the reader's end.
pub(super) fn run(view: &View) -> anyhow::Result<ExitCode> {
    let rings = rings(view);
    require_processes(&view.pid)?;
    let rule_files = RuleFiles::new(view.personas.clone());
    let rules = rule_files.read()?;
    setup::require_version()?;
    setup::require_privileges()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the event loop")?;
    // Before the probes, so that a Ctrl-C from here on ends the run in order.
    let stop = runtime.block_on(async { stop(view.duration) })?;

    let hierarchy = Hierarchy::find();
    let in_v1_memory = hierarchy.as_ref().is_some_and(|hierarchy| hierarchy.is_v1_memory);
    let hierarchy_id = hierarchy.as_ref().map_or(0, |hierarchy| hierarchy.id);
    let file_kinds = file_kinds(&view.kind);
    let request = Request { mode: view.probe_mode, file_kinds: file_kinds.clone() };
    let mut kernel = setup::examine(true)?;
    let scope = Scope {
        excluded_tgid: view.exclude_self.then(std::process::id),
        only_watched: !view.pid.is_empty() || !view.persona.is_empty(),
        cgroup_v1_memory: in_v1_memory,
        file_kinds,
        has_backups: kernel.support.preemption.is_any(),
        wants_candidates: !view.persona.is_empty(),
    };
    let (mut object, plan) = setup::attach(&mut kernel, &request, &scope, rings)?;
    require_mode(&plan, &request)?;
    // After the probes, which tell who comes later.
    let task_records = object.read_tasks();
    let probes = object.into_probes()?;
    let mut watched = Watched::new(probes.watched);
    for pid in &view.pid {
        watched
            .add_tree(*pid)
            .with_context(|| format!("cannot watch process {pid} and its descendants"))?;
    }
    // After the probes, so that a cgroup made meanwhile is in one or the other.
    let cgroups = hierarchy.map(|hierarchy| hierarchy.scan()).unwrap_or_default();
    let known = Known::new(cgroups, hierarchy_id, machine::page_size());
    let kernel_filter =
        (!view.persona.is_empty()).then(|| KernelFilter::new(watched, view.persona.clone()));
    let mut attribution = Attribution::new(rules, kernel_filter);
    match task_records {
        Ok(records) => attribution.found(tasks(&records, &known)),
        Err(error) => eprintln!(
            "genome-trace: {error}; processes that run already get their personas at their first \
             event"
        ),
    }
    announce(&plan, view);

    let page_size = machine::page_size();
    let ring = |map, bytes| Ring::new(map, bytes, page_size).context("cannot map a ring buffer");
    let parts = Parts {
        object: probes.object,
        lifecycle: ring(probes.lifecycle, rings.lifecycle_bytes)?,
        io: ring(probes.io, rings.io_bytes)?,
        counts: Counts::new(probes.counts, probes.epoch, rings.counts),
        losses: Losses::new(probes.lost, probes.rescued),
        known,
        attribution,
        rule_files,
        filter: filter(view),
    };
    let (outcome, result) = match view.format {
        Format::Json => {
            let sink = JsonLines::new(io::stdout(), machine::host_name());
            runtime.block_on(Pipeline::new(parts, sink).run(stop))
        }
        Format::Table => {
            let sink = Terminal::new(io::stdout(), style(view.no_color));
            runtime.block_on(Pipeline::new(parts, sink).run(stop))
        }
    };
    finish(&outcome, result)
}

fn rings(view: &View) -> Rings {
    let default = setup::default_rings();
    Rings {
        lifecycle_bytes: view.lifecycle_ring_size.map_or(default.lifecycle_bytes, ring_bytes),
        io_bytes: view.ring_size.map_or(default.io_bytes, ring_bytes),
        counts: default.counts,
    }
}

/// The kernel wants a power of two that is a multiple of the page. The command
/// line takes sizes up to 1 GiB, which is one.
fn ring_bytes(size: Size) -> u32 {
    let bytes = size.bytes.max(machine::page_size()).min(1 << 30);
    u32::try_from(bytes.next_power_of_two()).unwrap_or(1 << 30)
}

fn require_processes(pids: &[u32]) -> anyhow::Result<()> {
    for pid in pids {
        if !fs::exists(format!("/proc/{pid}")).unwrap_or(true) {
            bail!("cannot follow process {pid}: there is no process with this PID");
        }
    }
    Ok(())
}

fn file_kinds(kinds: &[EventKind]) -> Vec<EventKind> {
    EventKind::ALL
        .into_iter()
        .filter(|kind| kind.is_file() && (kinds.is_empty() || kinds.contains(kind)))
        .collect()
}

/// Files were asked for, so there must be a way to see them.
fn require_mode(plan: &Plan, request: &Request) -> anyhow::Result<()> {
    if plan.mode.is_some() || request.file_kinds.is_empty() {
        return Ok(());
    }
    let reasons: Vec<_> = plan
        .modes
        .iter()
        .filter(|(mode, _)| match request.mode {
            ModeChoice::Auto => true,
            ModeChoice::Forced(forced) => forced == *mode,
        })
        .filter_map(|(mode, usable)| Some(format!("{mode}: {}", usable.as_ref().err()?)))
        .collect();
    bail!(
        "cannot see files in mode {}: {}. Use --probe-mode=auto, or leave files out with \
         --kind=exec,fork,exit,signal,oom_kill",
        request.mode,
        reasons.join("; ")
    );
}

fn filter(view: &View) -> Filter {
    Filter {
        kinds: view.kind.clone(),
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
fn announce(plan: &Plan, view: &View) {
    if view.probe_mode == ModeChoice::Auto
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
    if !view.persona.is_empty() {
        let names = view.persona.join(" or ");
        eprintln!("genome-trace: only personas called {}", Escaped(names.as_bytes()));
    }
    let whom = match view.pid.as_slice() {
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
    let terminal = io::stdout().is_terminal();
    let allowed = !no_color && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    LineStyle {
        color: terminal && allowed,
        width: if terminal { terminal_width() } else { None },
        time_zone: jiff::tz::TimeZone::system(),
    }
}

fn terminal_width() -> Option<usize> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCGWINSZ writes one winsize to the address given.
    let result = unsafe { libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    (result == 0 && size.ws_col > 0).then(|| size.ws_col.into())
}

/// Ready when the run is to end: Ctrl-C, SIGTERM, or the time is up. The
/// handlers are in place when this returns.
fn stop(duration: Option<Duration>) -> anyhow::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot handle SIGTERM")?;
    Ok(async move {
        let timeout = async {
            match duration {
                Some(duration) => tokio::time::sleep(duration).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = timeout => {}
        }
    })
}

fn finish(outcome: &Outcome, result: Result<(), Failure>) -> anyhow::Result<ExitCode> {
    let fills = [("lifecycle", outcome.lifecycle), ("io", outcome.io)];
    // The fullest by share, not by bytes: the rings differ in size.
    let busiest = fills
        .into_iter()
        .map(|(name, (peak_bytes, capacity_bytes))| RingFill { name, peak_bytes, capacity_bytes })
        .max_by_key(|fill| fill.peak_bytes.saturating_mul(1000) / fill.capacity_bytes.max(1));
    let summary = Summary { events: outcome.events, lost: outcome.lost, busiest };
    match result {
        // Whoever read the events has gone; there is nobody to tell more.
        Err(Failure::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            return Ok(ExitCode::SUCCESS);
        }
        _ => eprintln!("{summary}"),
    }
    match result {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(Failure::Write(error)) => Err(error).context("cannot write events to stdout"),
        Err(Failure::Read(error)) => Err(error).context("cannot read events from the kernel"),
        Err(Failure::Decode(error)) => Err(error).context(
            "cannot read a record: the BPF object and this binary are of different builds; \
             build again with cargo xtask build-ebpf",
        ),
    }
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

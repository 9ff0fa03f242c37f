//! `--follow` where a recorder runs: its events, without probes of one's own,
//! and so without privileges.

mod account;
mod ask;
mod failure;
mod lines;

use std::{
    env,
    io::{self, ErrorKind},
    net::Shutdown,
    os::{fd::AsFd as _, unix::net::UnixStream as StdStream},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, bail};
use jiff::tz::TimeZone;
use tokio::{
    net::UnixStream,
    time::{Instant, sleep_until, timeout},
};

use self::{
    account::Account,
    failure::refused,
    lines::{Broken, Lines},
};
pub(super) use self::{
    ask::{ask_for_looks, ask_who},
    failure::{Without, group_of, is_chosen, without},
};
use super::{attach_line::read_line, follow, session};
use crate::{
    cli::{DEFAULT_STORE, Interval, View, ViewFormat},
    gpu::DEFAULT_LIBRARY,
    kernel::{log::KERNEL_LOG, machine},
    model::{ATTACH_PROTOCOL, AttachAnswer, AttachForm, AttachRequest, AttachWelcome},
    probe::ModeChoice,
    render::{Form, LocalDateTime, line::LineStyle, text::Escaped},
};

/// How long a recorder may take to answer: it may be about to attach its own
/// probes.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may take for the rest when the reader ends.
const LAST_LINES: Duration = Duration::from_secs(5);
/// Bytes that are read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// Follows what a recorder tells, where there is one and the options leave it
/// to that; `None` where own probes are to be used.
pub(super) fn run(view: &View) -> anyhow::Result<Option<ExitCode>> {
    if needs_own_probes(view) {
        return Ok(None);
    }
    let runtime = session::event_loop()?;
    let at = view.socket.display();
    let connected =
        runtime.block_on(async { timeout(PATIENCE, UnixStream::connect(&view.socket)).await });
    match connected {
        Ok(Ok(stream)) => {
            let stop = runtime.block_on(async { session::stop(view.duration) })?;
            runtime.block_on(follow_along(view, stream, stop)).map(Some)
        }
        Ok(Err(error)) => {
            if without(&view.socket, error)? == Without::ForOthers {
                eprintln!(
                    "genome-trace: not attached to the recorder at {at}, which is for others; \
                     own probes are used"
                );
            }
            Ok(None)
        }
        Err(_) => bail!("cannot attach to the recorder at {at}: {}", failure::SILENT),
    }
}

/// What only probes of one's own can do.
fn needs_own_probes(view: &View) -> bool {
    view.own_probes
        || !view.pid.is_empty()
        || !view.personas.is_empty()
        || view.probe_mode != ModeChoice::Auto
        || view.ring_size.is_some()
        || view.lifecycle_ring_size.is_some()
        || view.record_raw.is_some()
        || view.store != Path::new(DEFAULT_STORE)
        || view.gpu_interval != Interval::Every(Duration::from_secs(1))
        || view.nvml_library != Path::new(DEFAULT_LIBRARY)
        || view.kernel_log != Path::new(KERNEL_LOG)
}

async fn follow_along(
    view: &View,
    stream: UnixStream,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<ExitCode> {
    let style = follow::style(view.no_color);
    let time_zone = style.time_zone.clone();
    let (request, form) = match view.format {
        ViewFormat::Prometheus | ViewFormat::Csv => {
            bail!("cannot follow events as metrics or CSV: give --format=json")
        }
        ViewFormat::Json => (AttachForm::Json, Form::Json { host: machine::host_name() }),
        ViewFormat::Table => (line_form(&style), Form::Line(style)),
    };
    let request = request_of(view, request);
    let mut stop = std::pin::pin!(stop);
    let greeted = tokio::select! {
        greeted = timeout(PATIENCE, greet(&stream, &request)) => greeted,
        // Nothing was shown yet, and nothing was missed.
        () = &mut stop => return Ok(ExitCode::SUCCESS),
    };
    let at = view.socket.display();
    let (welcome, rest) = match greeted {
        Ok(greeted) => greeted
            .map_err(|why| anyhow::anyhow!("cannot attach to the recorder at {at}: {why}"))?,
        Err(_) => bail!("cannot attach to the recorder at {at}: {}", failure::SILENT),
    };
    announce(&welcome, view, &time_zone);
    let mut lines = Lines::new(io::stdout(), form);
    let ended = copy(&stream, &mut lines, &rest, stop).await;
    conclude(ended, lines.account())
}

fn request_of(view: &View, form: AttachForm) -> AttachRequest {
    AttachRequest {
        v: ATTACH_PROTOCOL,
        kinds: view.event_kinds().into_iter().map(|kind| kind.name().to_owned()).collect(),
        comms: view.comm.clone(),
        uids: view.uid.clone(),
        personas: view.persona.clone(),
        cgroups: view.cgroup.clone(),
        exclude_self: view.exclude_self,
        form,
        looks: false,
    }
}

fn line_form(style: &LineStyle) -> AttachForm {
    let name = style.time_zone.iana_name().map(str::to_owned);
    // Where it has no name it may be described; else it is the machine's.
    let described = || env::var("TZ").ok().filter(|zone| TimeZone::posix(zone).is_ok());
    let time_zone = name.or_else(described);
    AttachForm::Line { color: style.color, width: style.width, time_zone }
}

/// Says what is wanted and reads the answer; the reason where it is no welcome.
async fn greet(
    stream: &UnixStream,
    request: &AttachRequest,
) -> Result<(AttachWelcome, Vec<u8>), String> {
    let mut line = request.to_line().map_err(|error| error.to_string())?;
    line.push(b'\n');
    let mut rest = line.as_slice();
    while !rest.is_empty() {
        let written = match stream.writable().await {
            Ok(()) => stream.try_write(rest),
            Err(error) => Err(error),
        };
        match written {
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // It has closed; perhaps it said why.
            Err(_) => break,
        }
    }
    match read_line(stream).await {
        Ok(Some((line, rest))) => match AttachAnswer::from_line(&line) {
            Ok(AttachAnswer::Welcome(welcome)) => Ok((welcome, rest)),
            Ok(AttachAnswer::Error(sentence)) => Err(Escaped(sentence.as_bytes()).to_string()),
            Err(failure) => Err(refused(&failure)),
        },
        Ok(None) => Err(failure::CLOSED.to_owned()),
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            Err(failure::NO_RECORDER.to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn announce(welcome: &AttachWelcome, view: &View, time_zone: &TimeZone) {
    if !view.persona.is_empty() {
        let names = view.persona.join(" or ");
        eprintln!("genome-trace: only personas called {}", Escaped(names.as_bytes()));
    }
    let files = match &welcome.mode {
        Some(mode) => format!("files in {} mode", Escaped(mode.as_bytes())),
        None => "without files".to_owned(),
    };
    eprintln!(
        "genome-trace: attached to the recorder (pid {}, recording since {}, {files})",
        welcome.pid,
        LocalDateTime(welcome.since, time_zone),
    );
}

/// How the events came to an end.
enum End {
    /// As was asked for; the recorder has told all.
    Asked,
    /// As was asked for, and the recorder did not tell the rest.
    Cut,
    /// The recorder has ended in order.
    Recorder,
    /// It is gone.
    Gone,
    /// Nobody reads what is shown any more.
    Unheard,
}

async fn copy(
    stream: &UnixStream,
    lines: &mut Lines<impl io::Write>,
    rest: &[u8],
    stop: impl Future<Output = ()>,
) -> Result<End, Broken> {
    let mut stop = std::pin::pin!(stop);
    let mut room = vec![0; CHUNK_BYTES];
    let mut asked = None;
    let mut taken = lines.take(rest);
    loop {
        match taken {
            Ok(()) => {}
            Err(Broken::Write(error)) if error.kind() == ErrorKind::BrokenPipe => {
                return Ok(End::Unheard);
            }
            Err(broken) => return Err(broken),
        }
        if lines.account().is_last {
            return Ok(if asked.is_some() { End::Asked } else { End::Recorder });
        }
        let patience = async {
            match asked {
                Some(until) => sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = &mut stop, if asked.is_none() => {
                asked = Some(Instant::now() + LAST_LINES);
                say_goodbye(stream);
            }
            () = patience => return Ok(End::Cut),
            ready = stream.readable() => if ready.is_err() { return Ok(End::Gone) },
        }
        taken = match stream.try_read(&mut room) {
            Ok(0) => return Ok(if asked.is_some() { End::Cut } else { End::Gone }),
            Ok(count) => lines.take(room.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(_) => return Ok(End::Gone),
        };
    }
}

/// What happened until now is still told after this.
fn say_goodbye(stream: &UnixStream) {
    // A recorder that is gone is seen at the next read.
    if let Ok(socket) = stream.as_fd().try_clone_to_owned() {
        let _ = StdStream::from(socket).shutdown(Shutdown::Write);
    }
}

fn conclude(ended: Result<End, Broken>, account: &Account) -> anyhow::Result<ExitCode> {
    if !matches!(ended, Ok(End::Unheard)) {
        eprintln!("{account}");
    }
    match ended {
        Ok(End::Asked | End::Unheard) => Ok(ExitCode::SUCCESS),
        Ok(End::Cut) => {
            eprintln!("genome-trace: the recorder did not tell what happened last");
            Ok(ExitCode::SUCCESS)
        }
        Ok(End::Recorder) => bail!("the recorder has ended: {}", failure::START_AGAIN),
        Ok(End::Gone) => {
            bail!("the recorder is gone, and did not say that it ends: {}", failure::START_AGAIN)
        }
        Err(Broken::Write(error)) => Err(error).context("cannot write events to stdout"),
        Err(Broken::Nonsense) => bail!("cannot go on: {}", failure::NO_RECORDER),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    fn own(options: &[&str]) -> bool {
        let line = ["genome-trace", "--follow"].into_iter().chain(options.iter().copied());
        needs_own_probes(&Cli::try_parse_from(line).unwrap().view)
    }

    #[test]
    fn what_a_recorder_can_tell_is_left_to_it() {
        for options in [
            &[][..],
            &["--kind=exec", "--comm=a", "--uid=7", "--cgroup=/a", "--persona=P"],
            &["--format=json", "--no-color", "--duration=1s", "--exclude-self=false"],
            &["--no-store"],
            &["--socket=/a"],
        ] {
            assert!(!own(options), "{options:?}");
        }
    }

    #[test]
    fn what_only_own_probes_can_do_is_not() {
        for option in [
            "--own-probes",
            "--pid=1",
            "--personas=rules.toml",
            "--probe-mode=tracepoint",
            "--ring-size=1M",
            "--lifecycle-ring-size=1M",
            "--record-raw=a",
            "--store=/a",
            "--gpu-interval=2s",
            "--nvml-library=/a",
            "--kernel-log=/a",
        ] {
            assert!(own(&[option]), "{option}");
        }
    }
}

//! The loop: keys, looks and signals go into the state, and the state onto the
//! terminal, or its tables onto a pipe.

use std::{
    io::{self, Write as _},
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail};
use ratatui_crossterm::crossterm::event::{self, Event};
use rustix::process::{Signal as Sent, kill_current_process_group};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};

use super::{
    draw::draw, keys::Wish, look::Looks, looker::Looker, plain::write_plain, state::Setting,
    state::State, terminal::Screen,
};
use crate::kernel::suspend::suspend;

/// Why there will be no more looks.
const NO_SOURCE: &str = "cannot look any more: the thread that does has ended";

/// Signals that end it in order.
struct Ends([Signal; 4]);

impl Ends {
    fn new() -> anyhow::Result<Self> {
        Ok(Self([
            handled(SignalKind::interrupt(), "SIGINT")?,
            handled(SignalKind::terminate(), "SIGTERM")?,
            handled(SignalKind::hangup(), "SIGHUP")?,
            handled(SignalKind::quit(), "SIGQUIT")?,
        ]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup, quit] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
            _ = quit.recv() => {}
        }
    }
}

fn handled(kind: SignalKind, name: &str) -> anyhow::Result<Signal> {
    signal(kind).with_context(|| format!("cannot handle {name}"))
}

/// Shows the screen on the terminal until its reader ends it, or a signal does.
/// The terminal is as before whichever way this ends.
///
/// # Errors
/// The terminal cannot be used, or the source's thread has ended.
pub async fn run(
    source: Box<dyn Looks + Send>,
    setting: Setting,
    interval: Duration,
) -> anyhow::Result<()> {
    // Before the terminal changes, so that no signal finds it changed.
    let mut ends = Ends::new()?;
    let mut stop = handled(SignalKind::from_raw(libc::SIGTSTP), "SIGTSTP")?;
    let mut goes_on = handled(SignalKind::from_raw(libc::SIGCONT), "SIGCONT")?;
    let mut state = State::new(setting, interval);
    let mut screen = Screen::enter().context("cannot use the terminal")?;
    let mut keys = keys()?;
    let mut looker = Looker::start(source, interval)?;
    let mut is_due = true;
    loop {
        // A terminal that has not taken the last frame gets none: it is told
        // how things are when it takes more.
        if is_due && screen.is_free() {
            screen.draw(|buffer| draw(&state, buffer)).context("cannot write to the terminal")?;
            is_due = false;
        }
        tokio::select! {
            () = ends.next() => return Ok(()),
            written = screen.written() => {
                written.context("cannot write to the terminal")?;
                continue;
            }
            look = looker.next() => match look {
                Some(look) => state.look(look),
                None => bail!(NO_SOURCE),
            },
            event = keys.recv() => match event {
                Some(Event::Key(key)) => match state.key(key) {
                    Wish::Draw => {}
                    Wish::Quit => return Ok(()),
                    // The others of a pipeline stop, too; our turn comes below.
                    Wish::Suspend => kill_current_process_group(Sent::TSTP)
                        .context("cannot stop the process group")?,
                    Wish::Redraw => screen.clear().context("cannot write to the terminal")?,
                    Wish::Interval(interval) => looker.interval(interval),
                    Wish::Pause(is_paused) => looker.pause(is_paused),
                },
                // A new size is asked for at each frame.
                Some(_) => {}
                // The terminal has gone.
                None => return Ok(()),
            },
            _ = stop.recv() => screen.away(suspend).context("cannot stop")?,
            // Somebody stopped it by SIGSTOP: the shell has had the terminal.
            _ = goes_on.recv() => {
                screen.away(|| Ok(())).context("cannot use the terminal")?;
            }
        }
        is_due = true;
    }
}

/// Reads keys on a thread of its own, which blocks in that until the process
/// ends.
fn keys() -> anyhow::Result<mpsc::Receiver<Event>> {
    let (sender, receiver) = mpsc::channel(16);
    thread::Builder::new()
        .name("keys".to_owned())
        .spawn(move || {
            while let Ok(event) = event::read() {
                if sender.blocking_send(event).is_err() {
                    return;
                }
            }
        })
        .context("cannot start the thread that reads keys")?;
    Ok(receiver)
}

/// Writes a table of each look to stdout, until a signal ends it or its reader
/// has gone. What fails is told on stderr, once as long as it is the same.
///
/// # Errors
/// stdout cannot be written to, or the source's thread has ended.
pub async fn run_plain(
    source: Box<dyn Looks + Send>,
    setting: Setting,
    interval: Duration,
) -> anyhow::Result<()> {
    let mut ends = Ends::new()?;
    let mut state = State::new(setting, interval);
    let mut looker = Looker::start(source, interval)?;
    let mut told = None;
    loop {
        let look = tokio::select! {
            () = ends.next() => return Ok(()),
            look = looker.next() => look,
        };
        match look {
            None => bail!(NO_SOURCE),
            Some(Err(reason)) => {
                if told.as_ref() != Some(&reason) {
                    eprintln!("genome-trace: {reason}");
                }
                told = Some(reason);
            }
            Some(Ok(look)) => {
                told = None;
                state.look(Ok(look));
                let mut out = Vec::new();
                write_plain(&mut out, &state);
                let mut stdout = io::stdout().lock();
                match stdout.write_all(&out).and_then(|()| stdout.flush()) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                    Err(error) => return Err(error).context("cannot write to stdout"),
                }
            }
        }
    }
}

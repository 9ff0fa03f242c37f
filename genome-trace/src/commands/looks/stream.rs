//! What comes from a recorder's socket, read to its end by a thread, so that
//! nothing waits there: the latest look, and the events since the one before.

use std::{
    collections::VecDeque,
    io::{BufRead as _, BufReader},
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use crate::{
    model::{AttachNote, EventKind, Usage, look_from_line},
    screen::ToldEvent,
};

/// How long a look may take to come: the first with rates takes two.
const PATIENCE: Duration = Duration::from_secs(10);
/// Events that wait for the next look, the last ones.
const EVENTS_MAX: usize = 200;

/// The reading end.
pub(super) struct Stream {
    shared: Arc<Shared>,
    socket: UnixStream,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    look: Option<Usage>,
    events: VecDeque<ToldEvent>,
    /// Nothing more comes.
    is_over: bool,
}

impl Stream {
    /// Reads what comes from now on.
    pub(super) fn start(socket: UnixStream) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (state, reads) = (Arc::clone(&shared), socket.try_clone()?);
        let thread = thread::Builder::new()
            .name("looks-reader".to_owned())
            .spawn(move || state.read(&reads))
            .context("cannot start the thread that reads looks")?;
        Ok(Self { shared, socket, thread: Some(thread) })
    }

    /// The latest look that was not taken yet, and the events before it.
    pub(super) fn next(&mut self) -> anyhow::Result<(Usage, Vec<ToldEvent>)> {
        let until = Instant::now() + PATIENCE;
        let mut state = self.shared.lock();
        loop {
            if let Some(usage) = state.look.take() {
                return Ok((usage, state.events.drain(..).collect()));
            }
            if state.is_over {
                bail!("no more looks come: the recorder has ended; start again when it is back");
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!("no look came within {} s: the recorder is busy", PATIENCE.as_secs());
            }
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // The thread's read ends; whether it had ended already is all the same.
        let _ = self.socket.shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, socket: &UnixStream) {
        let mut reader = BufReader::new(socket);
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line), Ok(1..)) {
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            self.take(text);
            line.clear();
        }
        self.lock().is_over = true;
        self.changed.notify_all();
    }

    fn take(&self, line: &[u8]) {
        if let Some(look) = look_from_line(line) {
            // The first of a trace has no rates; the next comes soon.
            if let Ok(usage) = look
                && usage.interval_ns.is_some()
            {
                self.lock().look = Some(usage);
                self.changed.notify_all();
            }
            return;
        }
        if AttachNote::from_line(line).is_some() {
            return;
        }
        let line = String::from_utf8_lossy(line).into_owned();
        let Some(kind) = line.split_whitespace().find_map(|word| word.parse::<EventKind>().ok())
        else {
            return;
        };
        let mut state = self.lock();
        if state.events.len() == EVENTS_MAX {
            state.events.pop_front();
        }
        state.events.push_back(ToldEvent { kind, line });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::model::{MachineUsage, WallTime, write_look};

    fn look(second: i64, interval_ns: Option<u64>) -> Vec<u8> {
        let mut line = Vec::new();
        let usage = Usage {
            wall_time: WallTime { unix_ns: second },
            interval_ns,
            machine: MachineUsage::default(),
            personas: Vec::new(),
        };
        write_look(&mut line, &usage);
        line
    }

    #[test]
    fn the_latest_look_comes_with_the_events_before_it() {
        let (reads, mut writes) = UnixStream::pair().unwrap();
        let mut stream = Stream::start(reads).unwrap();
        writes.write_all(&look(1, None)).unwrap();
        writes.write_all(b"12:00:00.000  sh  7  exec  sh -c true\n").unwrap();
        AttachNote::default().write(&mut Vec::new());
        writes.write_all(b"no event's line\n").unwrap();
        writes.write_all(&look(2, Some(5))).unwrap();
        let (usage, events) = stream.next().unwrap();
        assert_eq!(usage.wall_time.unix_ns, 2);
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(event.kind, EventKind::Exec);
        writes.write_all(&look(3, Some(5))).unwrap();
        assert_eq!(stream.next().unwrap().0.wall_time.unix_ns, 3);
        drop(writes);
        let error = stream.next().unwrap_err().to_string();
        assert!(error.contains("has ended"), "{error}");
    }
}

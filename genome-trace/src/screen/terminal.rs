//! The terminal while the screen is up, and its way back: on an orderly end, an
//! error and a panic alike, and also where the terminal takes nothing any more.

use std::{
    io::{self, Write},
    panic,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use ratatui_core::{buffer::Buffer, terminal::Terminal};
use ratatui_crossterm::{
    CrosstermBackend,
    crossterm::{
        cursor::{Hide, Show},
        execute, queue,
        terminal::{
            BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen,
            LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
        },
    },
};
use rustix::termios::{Action, QueueSelector, tcflow, tcflush};
use tokio::sync::mpsc;

/// Whether the terminal is the screen's. There is one terminal.
static IS_ENTERED: AtomicBool = AtomicBool::new(false);
/// How long a terminal that takes nothing is waited for before it is left.
const PATIENCE: Duration = Duration::from_millis(500);

/// The terminal, entered as long as this is there. What is written to it goes
/// through a thread of its own: where it takes nothing (its other end is
/// stopped), keys and signals are heard all the same.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Frame>>,
    pieces: Sender<Vec<u8>>,
    written: mpsc::UnboundedReceiver<io::Result<()>>,
    /// Pieces on their way.
    waiting: usize,
}

impl Screen {
    /// Enters it. A panic from here on leaves it first, so that its message can
    /// be read.
    pub(super) fn enter() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                leave();
                before(info);
            }));
        });
        let (pieces, received) = channel();
        let (told, written) = mpsc::unbounded_channel();
        thread::Builder::new()
            .name("terminal".to_owned())
            .spawn(move || write(&received, &told))?;
        let frame = Frame { bytes: Vec::new(), pieces: pieces.clone() };
        let terminal = Terminal::new(CrosstermBackend::new(frame))?;
        let mut screen = Self { terminal, pieces, written, waiting: 0 };
        screen.take_over()?;
        Ok(screen)
    }

    /// Whether all that was drawn has been taken; before that nothing more may
    /// be drawn.
    pub(super) const fn is_free(&self) -> bool {
        self.waiting == 0
    }

    /// Ready when a piece was taken; never where none is on its way.
    pub(super) async fn written(&mut self) -> io::Result<()> {
        if self.waiting == 0 {
            return std::future::pending().await;
        }
        let result = self.written.recv().await;
        self.waiting -= 1;
        result.unwrap_or_else(|| Err(io::ErrorKind::BrokenPipe.into()))
    }

    /// Draws a frame: what has changed, in one piece.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| draw(frame.buffer_mut()))?;
        self.waiting += 1;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    /// Draws everything anew next time.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        // Not `Terminal::clear`: that asks the terminal where its cursor is, and
        // the thread that reads keys would get the answer.
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())
    }

    /// Gives the terminal back meanwhile.
    pub(super) fn away(&mut self, meanwhile: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        leave();
        let result = meanwhile();
        self.take_over()?;
        result.and_then(|()| self.clear())
    }

    fn take_over(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        IS_ENTERED.store(true, Ordering::SeqCst);
        let mut piece = Vec::new();
        queue!(piece, EnterAlternateScreen, Hide)?;
        self.waiting += 1;
        send(&self.pieces, piece)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

/// Once for each time that it was entered. What fails here fails because the
/// terminal has gone.
fn leave() {
    if !IS_ENTERED.swap(false, Ordering::SeqCst) {
        return;
    }
    let (told, done) = channel();
    let last = move || {
        // What is being written comes before it, and nothing after it.
        let left = execute!(io::stdout(), EndSynchronizedUpdate, Show, LeaveAlternateScreen);
        // Who waited for it may have gone.
        let _ = told.send(left.is_ok());
    };
    let is_begun = thread::Builder::new().name("leave".to_owned()).spawn(last).is_ok();
    if is_begun && done.recv_timeout(PATIENCE).is_err() {
        make_room();
        let _ = done.recv_timeout(PATIENCE);
    }
    let _ = disable_raw_mode();
}

/// Drops what the terminal's other end has not read, half a frame most likely,
/// and wakes who waits for room.
fn make_room() {
    let terminal = io::stdout();
    let _ = tcflush(&terminal, QueueSelector::OFlush);
    let _ = tcflow(&terminal, Action::OOff);
    let _ = tcflow(&terminal, Action::OOn);
}

/// Writes pieces to the terminal, each whole, as long as it is the screen's.
fn write(pieces: &Receiver<Vec<u8>>, told: &mpsc::UnboundedSender<io::Result<()>>) {
    for piece in pieces {
        let mut stdout = io::stdout().lock();
        // Asked with the lock held: who leaves says so before it takes that.
        let written = if IS_ENTERED.load(Ordering::SeqCst) {
            stdout.write_all(&piece).and_then(|()| stdout.flush())
        } else {
            Ok(())
        };
        drop(stdout);
        if told.send(written).is_err() {
            return;
        }
    }
}

fn send(pieces: &Sender<Vec<u8>>, piece: Vec<u8>) -> io::Result<()> {
    pieces.send(piece).map_err(|_| io::ErrorKind::BrokenPipe.into())
}

/// The last bytes of a frame: [`EndSynchronizedUpdate`].
const END: &[u8] = b"\x1b[?2026l";

/// Keeps a frame until it is whole. Half a frame that a panic leaves behind is
/// written nowhere.
#[derive(Debug)]
struct Frame {
    bytes: Vec<u8>,
    pieces: Sender<Vec<u8>>,
}

impl Write for Frame {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// ratatui flushes parts of a frame, too: they go out with its end.
    fn flush(&mut self) -> io::Result<()> {
        if !self.bytes.ends_with(END) {
            return Ok(());
        }
        send(&self.pieces, std::mem::take(&mut self.bytes))
    }
}

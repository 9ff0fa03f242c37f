//! The terminal while the screen is up, and its way back: on an orderly end, an
//! error and a panic alike.

use std::{
    io::{self, Write},
    panic,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
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

/// Whether the terminal is the screen's. There is one terminal.
static IS_ENTERED: AtomicBool = AtomicBool::new(false);

/// The terminal, entered as long as this is there.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Frame>>,
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
        enter()?;
        match Terminal::new(CrosstermBackend::new(Frame::default())) {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                leave();
                Err(error)
            }
        }
    }

    /// Draws a frame: what has changed, in one write.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| draw(frame.buffer_mut()))?;
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
        enter()?;
        result.and_then(|()| self.clear())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    IS_ENTERED.store(true, Ordering::SeqCst);
    let entered = execute!(io::stdout(), EnterAlternateScreen, Hide);
    if entered.is_err() {
        leave();
    }
    entered
}

/// Once for each time that it was entered. What fails here fails because the
/// terminal has gone.
fn leave() {
    if IS_ENTERED.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), EndSynchronizedUpdate, Show, LeaveAlternateScreen);
        let _ = disable_raw_mode();
    }
}

/// The last bytes of a frame: [`EndSynchronizedUpdate`].
const END: &[u8] = b"\x1b[?2026l";

/// Keeps a frame until it is whole. Half a frame that a panic leaves behind is
/// written nowhere.
#[derive(Debug, Default)]
struct Frame(Vec<u8>);

impl Write for Frame {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// ratatui flushes parts of a frame, too: they go out with its end.
    fn flush(&mut self) -> io::Result<()> {
        if !self.0.ends_with(END) {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(&self.0).and_then(|()| stdout.flush());
        self.0.clear();
        written
    }
}

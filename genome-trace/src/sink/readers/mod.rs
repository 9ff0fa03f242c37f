//! Those who read along: each behind a socket, with a filter and a form of its
//! own. None of them ever makes the pipeline wait.

mod reader;
mod waiting;

use std::{
    cell::{Cell, RefCell},
    io,
    os::unix::net::UnixStream,
    rc::Rc,
};

use tokio::sync::Notify;

use self::reader::{ROOM, Reader};
use super::Sink;
use crate::{
    model::{Event, Usage, write_look},
    render::Form,
};

/// A reader that comes in.
pub struct NewReader {
    /// Where it reads; it must not make a writer wait.
    pub socket: UnixStream,
    /// What it is told before all events.
    pub greeting: Vec<u8>,
    /// Which events it wants.
    pub wants: Box<dyn Fn(&Event<'_>) -> bool>,
    /// How it wants them.
    pub form: Form,
    /// It wants to be told what everybody uses, too.
    pub looks: bool,
}

/// The readers there are: the sink of the pipeline, and the same, cloned, of
/// those who let readers in. All of it belongs to one thread.
#[derive(Clone, Default)]
pub struct Readers {
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    readers: RefCell<Vec<Reader>>,
    came: Cell<u64>,
    left: Notify,
}

/// A reader's place; it goes with this value.
pub struct Place {
    readers: Readers,
    number: u64,
    wake: Rc<Notify>,
}

/// How it stands with a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// All that there is was written.
    Idle,
    /// More can be written when the socket takes it.
    Waits,
    /// It is gone, or has been told all that it will be.
    Done,
}

impl Readers {
    /// Lets a reader in.
    #[must_use]
    pub fn add(&self, new: NewReader) -> Place {
        self.add_with_room(new, ROOM)
    }

    fn add_with_room(&self, new: NewReader, room: usize) -> Place {
        let number = self.shared.came.get();
        self.shared.came.set(number.wrapping_add(1));
        let wake = Rc::new(Notify::new());
        let reader = Reader::new(number, new, room, Rc::clone(&wake));
        self.shared.readers.borrow_mut().push(reader);
        Place { readers: self.clone(), number, wake }
    }

    /// Tells those that want to know what everybody uses.
    pub fn look(&self, usage: &Usage) {
        let mut line = Vec::new();
        for reader in self.shared.readers.borrow_mut().iter_mut().filter(|it| it.looks) {
            if line.is_empty() {
                write_look(&mut line, usage);
            }
            reader.look(&line);
        }
    }

    /// Tells all of them that nothing more comes.
    pub fn end(&self) {
        for reader in self.shared.readers.borrow_mut().iter_mut() {
            reader.end();
            // Whoever looks after it is to see that it is done.
            reader.wake();
        }
    }

    /// Ready when no reader is left.
    pub async fn all_left(&self) {
        while !self.shared.readers.borrow().is_empty() {
            self.shared.left.notified().await;
        }
    }
}

impl Place {
    /// Ready when the reader is to be looked after: its socket took no more,
    /// it is gone, or nothing more comes.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Writes what can be written without waiting.
    #[must_use]
    pub fn write(&self) -> Standing {
        self.with(Reader::try_again)
    }

    /// Tells it that nothing more comes.
    #[must_use]
    pub fn end(&self) -> Standing {
        self.with(Reader::end)
    }

    fn with(&self, act: impl FnOnce(&mut Reader)) -> Standing {
        let mut readers = self.readers.shared.readers.borrow_mut();
        let reader = readers.iter_mut().find(|reader| reader.number == self.number);
        let Some(reader) = reader else { return Standing::Done };
        act(reader);
        match (reader.is_done(), reader.waits()) {
            (true, _) => Standing::Done,
            (false, true) => Standing::Waits,
            (false, false) => Standing::Idle,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut readers = self.readers.shared.readers.borrow_mut();
        readers.retain(|reader| reader.number != self.number);
        self.readers.shared.left.notify_one();
    }
}

impl Sink for Readers {
    fn event(&mut self, event: &Event<'_>) -> io::Result<()> {
        for reader in self.shared.readers.borrow_mut().iter_mut() {
            reader.take(event);
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        for reader in self.shared.readers.borrow_mut().iter_mut() {
            reader.try_again();
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

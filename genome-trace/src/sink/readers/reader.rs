//! One reader: what it wants, what waits for it, what it missed.

use std::{io, os::unix::net::UnixStream, rc::Rc};

use tokio::sync::Notify;

use super::{NewReader, waiting::Waiting};
use crate::{
    model::{AttachNote, Event, Payload, WallTime},
    render::Form,
};

/// Bytes that wait for one reader at most, but for notes.
pub(super) const ROOM: usize = 1 << 20;

pub(super) struct Reader {
    pub(super) number: u64,
    socket: UnixStream,
    wants: Box<dyn Fn(&Event<'_>) -> bool>,
    form: Form,
    pub(super) looks: bool,
    waiting: Waiting,
    missed: u64,
    missed_until: Option<WallTime>,
    lost: u64,
    /// It was told that nothing more comes.
    is_last: bool,
    /// The socket took no more when it was tried last.
    is_blocked: bool,
    failure: Option<io::ErrorKind>,
    wake: Rc<Notify>,
}

impl Reader {
    pub(super) fn new(number: u64, new: NewReader, room: usize, wake: Rc<Notify>) -> Self {
        let NewReader { socket, greeting, wants, form, looks } = new;
        let mut waiting = Waiting::new(room);
        waiting.append_always(|out| out.extend_from_slice(&greeting));
        Self {
            number,
            socket,
            wants,
            form,
            looks,
            waiting,
            missed: 0,
            missed_until: None,
            lost: 0,
            is_last: false,
            is_blocked: false,
            failure: None,
            wake,
        }
    }

    /// Takes an event; where there is no room for it, counts it.
    pub(super) fn take(&mut self, event: &Event<'_>) {
        if self.is_last || self.failure.is_some() {
            return;
        }
        if let Payload::Lost(lost) = &event.payload {
            self.lost = self.lost.saturating_add(lost.total());
        }
        if !(self.wants)(event) {
            return;
        }
        if self.append(event) {
            return;
        }
        // A socket that took no more this turn is not asked for every event.
        if !self.is_blocked {
            self.write();
            if self.append(event) {
                return;
            }
        }
        self.missed += 1;
        self.missed_until = Some(event.wall_time);
    }

    fn append(&mut self, event: &Event<'_>) -> bool {
        self.settle();
        // Nothing comes before what was missed before it was told.
        self.missed == 0 && self.waiting.append(|out| self.form.write_event(out, event))
    }

    /// Takes a look. One that finds no room is left out: the next comes soon.
    pub(super) fn look(&mut self, line: &[u8]) {
        if !self.is_last && self.failure.is_none() {
            self.waiting.append(|out| out.extend_from_slice(line));
            self.write();
        }
    }

    /// Tells what was missed and lost, once there is room again.
    fn settle(&mut self) {
        if (self.missed > 0 || self.lost > 0) && self.waiting.has_room() {
            self.note(false);
        }
    }

    fn note(&mut self, last: bool) {
        let note = AttachNote {
            missed: std::mem::take(&mut self.missed),
            missed_until: self.missed_until.take(),
            lost: std::mem::take(&mut self.lost),
            last,
        };
        self.waiting.append_always(|out| note.write(out));
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self) {
        if !self.is_last {
            self.is_last = true;
            self.note(true);
        }
        self.try_again();
    }

    /// Writes what can be written without waiting, whatever was before.
    pub(super) fn try_again(&mut self) {
        self.settle();
        self.write();
        if self.missed > 0 {
            self.settle();
        }
    }

    fn write(&mut self) {
        let was_blocked = self.is_blocked;
        self.is_blocked = match self.waiting.write_to(&self.socket) {
            Ok(all) => !all,
            Err(error) => {
                self.failure = Some(error.kind());
                false
            }
        };
        // Once: who looks after it writes, too, and would wake itself for ever.
        if (self.is_blocked && !was_blocked) || self.failure.is_some() {
            self.wake();
        }
    }

    /// Lets whoever looks after it look.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Whether something waits for the socket to take more.
    pub(super) fn waits(&self) -> bool {
        self.waiting.len() > 0
    }

    /// Whether there is nothing left to do for it.
    pub(super) fn is_done(&self) -> bool {
        self.failure.is_some() || self.is_last && !self.waits()
    }
}

//! A process that has ended, and what is heard of it only after that: a GPU's
//! error, and its last files.

use super::{
    reason, record,
    subject::HeardFiles,
    xids::{HeardXid, held_vram},
};
use crate::model::{Crash, CrashKind, Event, Exit, Payload};

/// The end of a process that was a crash, or may turn out to have been one.
#[derive(Debug)]
pub struct Ended {
    crash: Box<Crash>,
    /// It is a crash without a GPU's error, too.
    is_crash: bool,
    awaits_driver: bool,
    /// Where they are listened to.
    files: Option<HeardFiles>,
}

/// What an end is, as far as it was heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdicts {
    /// By what was heard until then.
    pub(super) now: Option<CrashKind>,
    /// If a GPU's error is heard besides.
    pub(super) with_xid: Option<CrashKind>,
}

impl Verdicts {
    /// What it is called until it is known; `None` where it can be no crash. An
    /// error is waited for only where the process held GPU memory, or may have:
    /// who never held any has no part in it.
    pub(super) fn kind(self, exit: &Exit) -> Option<CrashKind> {
        if self.awaits_driver(exit) { self.now.or(self.with_xid) } else { self.now }
    }

    fn awaits_driver(self, exit: &Exit) -> bool {
        self.now != self.with_xid && held_vram(exit)
    }
}

impl Ended {
    pub(super) fn new(
        crash: Crash,
        verdicts: Verdicts,
        exit: &Exit,
        files: Option<HeardFiles>,
    ) -> Self {
        Self {
            crash: Box::new(crash),
            is_crash: verdicts.now.is_some(),
            awaits_driver: verdicts.awaits_driver(exit),
            files,
        }
    }

    /// The crash as far as it is known; whether it was one may be open.
    #[must_use]
    pub fn so_far(&self) -> &Crash {
        &self.crash
    }

    /// The driver may still tell of an error that explains it.
    #[must_use]
    pub const fn awaits_driver(&self) -> bool {
        self.awaits_driver
    }

    /// Its last files may still be told: those of nobody are not listened to.
    #[must_use]
    pub const fn awaits_files(&self) -> bool {
        self.files.is_some()
    }

    /// Hears of an event that came after the end.
    pub fn hear(&mut self, event: &Event<'_>) {
        let Some(process) = &event.process else { return };
        if let Payload::GpuXid(xid) = &event.payload {
            let heard = HeardXid::new(process.key, xid, event.ktime_ns);
            if let Some(xid) = heard.filter(|xid| self.awaits_driver && xid.is_of(self.crash.key)) {
                self.explained_by(&xid);
            }
        } else if process.key == self.crash.key
            && let Some(files) = &mut self.files
            && files.hear(&event.payload)
        {
            self.crash.files = Some(record::files(files));
        }
    }

    fn explained_by(&mut self, xid: &HeardXid) {
        let crash = &mut self.crash;
        crash.kind = CrashKind::GpuFault;
        if let Some(ending) = crash.ending {
            crash.reason = reason::of_xid(xid, ending, crash.ktime_ns);
        }
        crash.evidence.extend(reason::xid_evidence(xid, crash.ktime_ns));
        crash.xid = Some(xid.record(crash.ktime_ns));
        (self.is_crash, self.awaits_driver) = (true, false);
    }

    /// The crash, when nothing more is waited for; `None` where it was none.
    #[must_use]
    pub fn crash(self) -> Option<Box<Crash>> {
        self.is_crash.then_some(self.crash)
    }
}

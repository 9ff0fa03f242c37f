//! Whether an end is a crash, and of which kind: pure, and nothing else.

use super::{
    CrashPolicy,
    subject::{HeardOom, HeardSignal},
};
use crate::model::{CrashKind, Ending, ProcessKey, SignalNumber};

/// Signals that a process raises by a mistake of its own, or by a limit of its
/// own (signal(7), those whose default action is a core dump, but for SIGQUIT).
const FATAL: [u32; 9] = [ILL, TRAP, ABRT, BUS, FPE, SEGV, XCPU, XFSZ, SYS];
pub(super) const ILL: u32 = 4;
pub(super) const TRAP: u32 = 5;
pub(super) const ABRT: u32 = 6;
pub(super) const BUS: u32 = 7;
pub(super) const FPE: u32 = 8;
pub(super) const KILL: u32 = 9;
pub(super) const SEGV: u32 = 11;
pub(super) const XCPU: u32 = 24;
pub(super) const XFSZ: u32 = 25;
pub(super) const SYS: u32 = 31;
/// SIGHUP, SIGINT, SIGPIPE, SIGTERM: how one asks a process to end.
const POLITE: [u32; 4] = [1, 2, 13, 15];
/// The service manager, or what stands for it in a container's place.
const SERVICE_MANAGER: u32 = 1;

/// Whether a signal is one of those that are raised by a mistake.
pub(super) fn is_fatal(signal: SignalNumber) -> bool {
    FATAL.contains(&signal.0)
}

/// What an end is judged by.
#[derive(Clone, Copy)]
pub(super) struct End<'a> {
    pub(super) key: ProcessKey,
    pub(super) ending: Ending,
    pub(super) persona: Option<&'a str>,
    pub(super) persona_root: Option<ProcessKey>,
    /// The signal that ended it, as it was told before.
    pub(super) signal: Option<&'a HeardSignal>,
    pub(super) oom: Option<&'a HeardOom>,
    /// A GPU's error shortly before.
    pub(super) had_xid: bool,
}

impl End<'_> {
    /// The kind of crash that it was; `None` for an ordinary end.
    pub(super) fn kind(
        &self,
        policy: &CrashPolicy,
        is_ancestor: impl Fn(u32) -> bool,
    ) -> Option<CrashKind> {
        match self.ending {
            Ending::Signaled { signal: SignalNumber(KILL), .. } if self.is_oom() => {
                Some(CrashKind::Oom)
            }
            Ending::Signaled { signal, .. } if is_fatal(signal) => {
                Some(if self.had_xid { CrashKind::GpuFault } else { CrashKind::FatalSignal })
            }
            Ending::Signaled { signal, .. } => {
                let is_ordinary = self.persona.is_none()
                    || POLITE.contains(&signal.0) && self.is_from_within(is_ancestor);
                (!is_ordinary).then_some(CrashKind::Killed)
            }
            Ending::Exited { code: 0 } => None,
            Ending::Exited { .. } if self.had_xid => Some(CrashKind::GpuFault),
            Ending::Exited { code } => {
                let persona = self.persona?;
                // What a worker runs says no by its code, as grep does.
                let is_worker = self.persona_root == Some(self.key);
                (is_worker && !policy.is_ordinary(persona, code)).then_some(CrashKind::ErrorExit)
            }
        }
    }

    /// The OOM killer marks one that is dying anyway, too. Where somebody had
    /// sent the SIGKILL before, it was he.
    fn is_oom(&self) -> bool {
        self.oom.is_some_and(|oom| {
            let sent_before = |signal: &HeardSignal| {
                signal.sender_tgid.is_some() && signal.code <= 0 && signal.ktime_ns < oom.ktime_ns
            };
            !self.signal.is_some_and(sent_before)
        })
    }

    /// Sent by whoever may well ask it to end: itself, an ancestor, the service
    /// manager, the terminal (for which the kernel sends it). Where nothing
    /// told who sent it, nothing speaks against that.
    fn is_from_within(&self, is_ancestor: impl Fn(u32) -> bool) -> bool {
        match self.signal.and_then(|signal| signal.sender_tgid) {
            None => true,
            Some(sender) => {
                sender == self.key.tgid
                    || sender == SERVICE_MANAGER
                    || self.persona_root.is_some_and(|root| root.tgid == sender)
                    || is_ancestor(sender)
            }
        }
    }
}

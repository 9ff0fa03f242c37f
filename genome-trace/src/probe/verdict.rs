//! What became of a probe.

use super::{Mode, spec::ProbeSpec};
use crate::model::EventKind;

/// A probe's state, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is known against it; not tried yet.
    Planned,
    /// It is attached.
    Attached,
    /// It would tell nothing that was asked for.
    NotNeeded,
    /// This kernel lacks something that it needs.
    Unavailable(String),
    /// The kernel refused it.
    Refused(String),
}

impl Verdict {
    /// One word for tables and JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Attached => "attached",
            Self::NotNeeded => "not needed",
            Self::Unavailable(_) => "unavailable",
            Self::Refused(_) => "refused",
        }
    }

    /// Why it is not attached, where there is a reason.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Unavailable(reason) | Self::Refused(reason) => Some(reason),
            Self::Planned | Self::Attached | Self::NotNeeded => None,
        }
    }

    /// Whether it works, or may be expected to.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::Planned | Self::Attached)
    }
}

/// One probe of a plan.
#[derive(Clone, Debug)]
pub struct ProbeVerdict {
    /// Which.
    pub(super) spec: &'static ProbeSpec,
    /// What it is attached to on this kernel.
    pub target: String,
    /// Its state.
    pub verdict: Verdict,
    /// Programs that stand in for it while it is preempted: planned, and once
    /// it is attached, attached.
    pub backups: usize,
}

impl ProbeVerdict {
    /// Name of the BPF program.
    #[must_use]
    pub const fn program(&self) -> &'static str {
        self.spec.program
    }

    /// Sort of attachment: `tp_btf`, `fexit`, `fentry`, `kprobe`, `kretprobe`.
    #[must_use]
    pub const fn hook(&self) -> &'static str {
        self.spec.hook.name()
    }

    /// What it is for.
    #[must_use]
    pub const fn purpose(&self) -> &'static str {
        self.spec.purpose
    }

    /// Which kinds of event it is needed for; empty for every run.
    #[must_use]
    pub const fn kinds(&self) -> &'static [EventKind] {
        self.spec.kinds
    }

    /// The mode that it belongs to; `None` for those of every mode.
    #[must_use]
    pub const fn mode(&self) -> Option<Mode> {
        self.spec.mode
    }

    /// Whether its mode, or genome-trace, is of no use without it.
    #[must_use]
    pub const fn is_essential(&self) -> bool {
        self.spec.essential
    }
}

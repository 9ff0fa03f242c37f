//! What this kernel offers to probes, as plain facts: everything that the plan
//! rests on.

use std::collections::BTreeSet;

use genome_trace_common::{ABSENT, KernelFacts};

use super::{Mode, spec::PROBES};
use crate::kernel::machine::Preemption;

/// The facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Support {
    /// Functions that probes are attached to, and which this kernel has.
    pub functions: BTreeSet<&'static str>,
    /// Tracepoints that probes are attached to, and which this kernel has.
    pub tracepoints: BTreeSet<&'static str>,
    /// Fields that this kernel lacks.
    pub missing: Vec<&'static str>,
    /// Whether `io_uring_complete` tells the request.
    pub io_uring_tells_request: bool,
    /// Where programs can be preempted.
    pub preemption: Preemption,
    /// Why a mode is out of the question, for those that are.
    pub unusable: Vec<(Mode, String)>,
}

impl Support {
    /// Puts the facts together. `has_function` and `has_tracepoint` answer
    /// from the kernel's BTF.
    pub fn new(
        facts: &KernelFacts,
        missing: Vec<&'static str>,
        preemption: Preemption,
        has_function: impl Fn(&str) -> bool,
        has_tracepoint: impl Fn(&str) -> bool,
    ) -> Self {
        let functions = PROBES
            .iter()
            .flat_map(|probe| probe.hook.functions().iter().copied())
            .filter(|name| has_function(name))
            .collect();
        let tracepoints = PROBES
            .iter()
            .filter_map(|probe| match probe.hook {
                super::spec::Hook::TracepointBtf(name) => Some(name),
                _ => None,
            })
            .filter(|name| has_tracepoint(name))
            .collect();
        let mut unusable = Vec::new();
        if facts.has_task_pt_regs == ABSENT {
            unusable.push((
                Mode::Syscall,
                "the kernel does not hand programs the registers of a system call \
                 (bpf_task_pt_regs, since 5.15)"
                    .to_owned(),
            ));
        }
        Self {
            functions,
            tracepoints,
            missing,
            io_uring_tells_request: facts.io_complete_req_arg != ABSENT,
            preemption,
            unusable,
        }
    }

    /// Takes a mode out of the question, unless it is already.
    pub fn rule_out(&mut self, mode: Mode, reason: String) {
        if self.why_unusable(mode).is_none() {
            self.unusable.push((mode, reason));
        }
    }

    /// Why a mode is out of the question.
    #[must_use]
    pub fn why_unusable(&self, mode: Mode) -> Option<&str> {
        self.unusable.iter().find(|(other, _)| *other == mode).map(|(_, why)| why.as_str())
    }
}

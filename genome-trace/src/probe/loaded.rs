//! The programs of a run that are in the kernel, so that it can be asked what
//! each costs, also while the object is another's.

use std::{
    io,
    os::fd::{AsFd as _, OwnedFd},
};

use super::{Object, Plan, Verdict, attach::TASKS};
use crate::kernel::program_stats::ProgramStats;

/// A program in the kernel. It can be asked while this value lives; it is
/// attached only while the object lives.
#[derive(Debug)]
pub struct LoadedProgram {
    /// Its name.
    pub program: &'static str,
    /// Sort of attachment, as in [`super::ProbeVerdict::hook`], or `iter`.
    pub hook: &'static str,
    /// What it is attached to on this kernel.
    pub target: String,
    descriptor: OwnedFd,
}

impl LoadedProgram {
    /// What the kernel says of it.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn stats(&self) -> io::Result<ProgramStats> {
        ProgramStats::read(self.descriptor.as_fd())
    }
}

impl Object {
    /// The programs that are loaded, in the order of `plan`, each before its
    /// backups; the task iterator, where it was read, is the last.
    ///
    /// # Errors
    /// No descriptor is left (EMFILE).
    pub fn loaded_programs(&self, plan: &Plan) -> io::Result<Vec<LoadedProgram>> {
        let attached = plan.probes.iter().filter(|probe| probe.verdict == Verdict::Attached);
        let of_plan = attached.flat_map(|probe| {
            std::iter::once(&probe.spec.program)
                .chain(probe.spec.backups)
                .map(|program| (*program, probe.hook(), probe.target.as_str()))
        });
        of_plan
            .chain([(TASKS, "iter", TASKS)])
            .filter_map(|(program, hook, target)| {
                let descriptor = self.loaded(program)?.try_clone_to_owned();
                Some(descriptor.map(|descriptor| LoadedProgram {
                    program,
                    hook,
                    target: target.to_owned(),
                    descriptor,
                }))
            })
            .collect()
    }
}

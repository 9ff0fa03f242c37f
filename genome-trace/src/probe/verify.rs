//! Loading programs, several at once: the kernel verifies each one when it is
//! loaded, which is most of the time that a start takes.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    thread,
};

use aya::{
    Btf, Ebpf,
    programs::{Program, ProgramError},
};

use super::{attach::TASKS, spec::Hook};

/// Programs that are verified at once, at most.
const THREADS: usize = 4;

/// The programs that take longest to verify, the longest last; `doctor` tells
/// how many instructions that is. They begin first, so that none of them is
/// left over when the others are done. The order decides about nothing else.
const LONGEST: &[&str] = &[
    "mark_victim",
    "sched_process_exec",
    "io_uring_complete",
    "syscall_splice",
    "syscall_open",
    "syscall_write",
    "syscall_unlink",
    "sched_process_exit",
    "sys_exit",
];

/// How a program is to be loaded.
#[derive(Clone, Copy)]
pub(super) enum Purpose<'a> {
    /// To be attached there, to this function or tracepoint.
    Hook(Hook, &'a str),
    /// As an iterator over tasks.
    Tasks,
}

/// Loads those of the object's programs that `wanted` names; what the kernel
/// refused is told by name.
pub(super) fn load(
    ebpf: &mut Ebpf,
    wanted: &HashMap<&str, Purpose<'_>>,
    btf: &Btf,
) -> HashMap<String, ProgramError> {
    let mut jobs: Vec<_> = ebpf
        .programs_mut()
        .filter_map(|(name, program)| Some((name.to_owned(), *wanted.get(name)?, program)))
        .filter(|(_, _, program)| program.fd().is_err())
        .collect();
    jobs.sort_by_key(|(name, ..)| LONGEST.iter().position(|longest| longest == name));
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let jobs = Mutex::new(jobs);
    let refused = Mutex::new(HashMap::new());
    thread::scope(|scope| {
        // One less, since this thread works, too: more than there are processors
        // would only take turns with the longest.
        for _ in 1..threads {
            // One that cannot be started leaves its work to the others, and to
            // this thread.
            let _ = thread::Builder::new().spawn_scoped(scope, || work(&jobs, &refused, btf));
        }
        work(&jobs, &refused, btf);
    });
    refused.into_inner().unwrap_or_else(PoisonError::into_inner)
}

type Job<'a> = (String, Purpose<'a>, &'a mut Program);

fn work(jobs: &Mutex<Vec<Job<'_>>>, refused: &Mutex<HashMap<String, ProgramError>>, btf: &Btf) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some((name, purpose, program)) = job else { return };
        if let Err(error) = load_one(program, purpose, btf) {
            refused.lock().unwrap_or_else(PoisonError::into_inner).insert(name, error);
        }
    }
}

fn load_one(program: &mut Program, purpose: Purpose<'_>, btf: &Btf) -> Result<(), ProgramError> {
    match (purpose, program) {
        (Purpose::Tasks, Program::Iter(program)) => program.load(TASKS, btf),
        (Purpose::Hook(Hook::TracepointBtf(name), _), Program::BtfTracePoint(program)) => {
            program.load(name, btf)
        }
        (Purpose::Hook(Hook::Fentry(_), target), Program::FEntry(program)) => {
            program.load(target, btf)
        }
        (Purpose::Hook(Hook::Fexit(_), target), Program::FExit(program)) => {
            program.load(target, btf)
        }
        (Purpose::Hook(Hook::Kprobe(_) | Hook::Kretprobe(_), _), Program::KProbe(program)) => {
            program.load()
        }
        (Purpose::Hook(Hook::SyscallExits(_), _), Program::TracePoint(program)) => program.load(),
        _ => Err(ProgramError::UnexpectedProgramType),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::spec::PROBES;

    #[test]
    fn what_takes_longest_is_there() {
        for name in LONGEST {
            assert!(PROBES.iter().any(|spec| spec.program == *name), "{name}");
        }
    }
}

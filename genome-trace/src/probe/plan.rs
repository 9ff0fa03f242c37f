//! The plan: which probes are attached, in which mode. A pure function of what
//! the kernel offers and what was asked for.

use std::{fmt, str::FromStr};

use super::{
    Mode, ProbeVerdict, Support, Verdict,
    spec::{HEADER, Hook, PROBES, ProbeSpec},
};
use crate::model::EventKind;

/// Which mode the user wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ModeChoice {
    /// The first that this kernel accepts.
    #[default]
    Auto,
    /// The same for a trace of a single command, which may be over soon: what
    /// takes long to detach comes last.
    Brief,
    /// This one or none.
    Forced(Mode),
}

impl FromStr for ModeChoice {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        if name == "auto" {
            return Ok(Self::Auto);
        }
        name.parse()
            .map(Self::Forced)
            .map_err(|error| format!("{error}; there are auto, fexit, kprobe, syscall, tracepoint"))
    }
}

impl fmt::Display for ModeChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto | Self::Brief => f.write_str("auto"),
            Self::Forced(mode) => mode.fmt(f),
        }
    }
}

impl ModeChoice {
    /// The modes that will do, the first choice first.
    pub fn candidates(self) -> impl Iterator<Item = Mode> {
        // Each tracepoint of syscall mode is waited for when it is detached
        // (tracepoint_synchronize_unregister() in kernel/trace/trace_event_perf.c),
        // one after the other: a second for all of them. That of tracepoint mode
        // is not. By then a bystander has to have made millions of system calls
        // before it would have been better off.
        let order = match self {
            Self::Brief => [Mode::Fexit, Mode::Kprobe, Mode::Tracepoint, Mode::Syscall],
            Self::Auto | Self::Forced(_) => Mode::ALL,
        };
        order.into_iter().filter(move |mode| match self {
            Self::Auto | Self::Brief => true,
            Self::Forced(forced) => forced == *mode,
        })
    }
}

/// What a run asks of the probes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// How to see files.
    pub mode: ModeChoice,
    /// Which file kinds are wanted; processes are always told.
    pub file_kinds: Vec<EventKind>,
}

/// The plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The mode; `None` where no file kind is wanted, or no mode can be used.
    pub mode: Option<Mode>,
    /// Each mode, with the reason where it cannot be used.
    pub modes: Vec<(Mode, Result<(), String>)>,
    /// Each probe of the run, in the order of attachment.
    pub probes: Vec<ProbeVerdict>,
}

impl Plan {
    /// Why the main job cannot run at all, or cannot see files: each essential
    /// probe that is not good, with its reason.
    pub fn gaps(&self) -> impl Iterator<Item = &ProbeVerdict> {
        self.probes.iter().filter(|p| p.is_essential() && p.verdict.reason().is_some())
    }
}

/// Plans a run.
#[must_use]
pub fn plan(request: &Request, support: &Support) -> Plan {
    let modes: Vec<_> = Mode::ALL.into_iter().map(|mode| (mode, usable(mode, support))).collect();
    let mode = request
        .mode
        .candidates()
        .find(|wanted| modes.iter().any(|(mode, usable)| mode == wanted && usable.is_ok()))
        .filter(|_| !request.file_kinds.is_empty());
    let probes = PROBES
        .iter()
        .filter(|spec| spec.mode.is_none() || spec.mode == mode)
        .map(|spec| verdict(spec, &request.file_kinds, support))
        .collect();
    Plan { mode, modes, probes }
}

/// Whether a mode can be used: nothing rules it out, and its essential probes
/// have what they need.
fn usable(mode: Mode, support: &Support) -> Result<(), String> {
    if let Some(reason) = support.why_unusable(mode) {
        return Err(reason.to_owned());
    }
    for spec in PROBES.iter().filter(|spec| spec.mode == Some(mode) && spec.essential) {
        if let Verdict::Unavailable(reason) = availability(spec, support) {
            return Err(reason);
        }
    }
    Ok(())
}

fn verdict(spec: &'static ProbeSpec, file_kinds: &[EventKind], support: &Support) -> ProbeVerdict {
    let wanted = spec.kinds.is_empty() || spec.kinds.iter().any(|kind| file_kinds.contains(kind));
    ProbeVerdict {
        spec,
        target: target(spec, support).unwrap_or(spec.program).to_owned(),
        verdict: if wanted { availability(spec, support) } else { Verdict::NotNeeded },
        backups: if spec.hook.is_preemptible(support.preemption) { spec.backups.len() } else { 0 },
    }
}

/// What the probe is attached to on this kernel.
fn target(spec: &ProbeSpec, support: &Support) -> Option<&'static str> {
    match spec.hook {
        Hook::TracepointBtf(name) => support.tracepoints.get(name).copied(),
        // Which of them the kernel has shows when they are attached.
        Hook::SyscallExits(events) => {
            events.first().map(|event| event.rsplit_once('/').map_or(*event, |(_, name)| name))
        }
        hook => hook.functions().iter().copied().find(|name| support.functions.contains(name)),
    }
}

fn availability(spec: &ProbeSpec, support: &Support) -> Verdict {
    if target(spec, support).is_none() {
        return Verdict::Unavailable(match spec.hook {
            Hook::TracepointBtf(name) => format!("this kernel has no tracepoint {name}"),
            hook => format!("this kernel has no function {}", hook.functions().join(" or ")),
        });
    }
    let lacking = HEADER.iter().chain(spec.needs).find(|need| support.missing.contains(need));
    if let Some(field) = lacking {
        return Verdict::Unavailable(format!("this kernel has no {field}"));
    }
    if spec.program == "io_uring_complete" && !support.io_uring_tells_request {
        return Verdict::Unavailable(
            "this kernel's io_uring_complete does not tell the request".to_owned(),
        );
    }
    Verdict::Planned
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kernel::machine::Preemption;
    use genome_trace_common::KernelFacts;

    const FILES: [EventKind; 3] =
        [EventKind::FileCreate, EventKind::FileWrite, EventKind::FileUnlink];

    fn request(mode: ModeChoice) -> Request {
        Request { mode, file_kinds: FILES.to_vec() }
    }

    fn everything() -> Support {
        let facts =
            KernelFacts { io_complete_req_arg: 1, has_task_pt_regs: 1, ..KernelFacts::ABSENT };
        let calm = Preemption { of_tracepoints: false, of_trampolines: false };
        Support::new(&facts, Vec::new(), calm, |_| true, |_| true)
    }

    #[test]
    fn of_a_brief_trace_what_is_quickly_detached() {
        let mut support = everything();
        assert_eq!(plan(&request(ModeChoice::Brief), &support).mode, Some(Mode::Fexit));
        support.rule_out(Mode::Fexit, "EPERM".to_owned());
        support.rule_out(Mode::Kprobe, "no kprobes".to_owned());
        assert_eq!(plan(&request(ModeChoice::Brief), &support).mode, Some(Mode::Tracepoint));
        support.rule_out(Mode::Tracepoint, "no sys_exit".to_owned());
        assert_eq!(plan(&request(ModeChoice::Brief), &support).mode, Some(Mode::Syscall));
    }

    #[test]
    fn the_cheapest_usable_mode_is_taken() {
        let mut support = everything();
        assert_eq!(plan(&request(ModeChoice::Auto), &support).mode, Some(Mode::Fexit));
        support.rule_out(Mode::Fexit, "EPERM".to_owned());
        assert_eq!(plan(&request(ModeChoice::Auto), &support).mode, Some(Mode::Kprobe));
        support.rule_out(Mode::Kprobe, "no kprobes".to_owned());
        assert_eq!(plan(&request(ModeChoice::Auto), &support).mode, Some(Mode::Syscall));
        support.rule_out(Mode::Syscall, "no tracefs".to_owned());
        let plan = plan(&request(ModeChoice::Auto), &support);
        assert_eq!(plan.mode, Some(Mode::Tracepoint));
        assert_eq!(plan.modes[0].1, Err("EPERM".to_owned()));
        assert!(plan.gaps().next().is_none());
    }

    #[test]
    fn a_forced_mode_is_taken_or_none() {
        let mut support = everything();
        let forced = request(ModeChoice::Forced(Mode::Kprobe));
        assert_eq!(plan(&forced, &support).mode, Some(Mode::Kprobe));
        support.rule_out(Mode::Kprobe, "no kprobes".to_owned());
        assert_eq!(plan(&forced, &support).mode, None);
    }

    #[test]
    fn a_function_that_moved_is_found_under_its_new_name() {
        let mut support = everything();
        support.functions.remove("do_filp_open");
        let plan = plan(&request(ModeChoice::Auto), &support);
        assert_eq!(plan.mode, Some(Mode::Fexit));
        let open = plan.probes.iter().find(|p| p.program() == "do_filp_open_exit").unwrap();
        assert_eq!(open.target, "do_file_open");
    }

    #[test]
    fn a_mode_without_its_main_function_is_not_usable() {
        let mut support = everything();
        support.functions.remove("vfs_write");
        let plan = plan(&request(ModeChoice::Auto), &support);
        assert_eq!(plan.mode, Some(Mode::Syscall));
        assert!(plan.modes[0].1.as_ref().unwrap_err().contains("vfs_write"));
    }

    #[test]
    fn what_is_optional_is_left_out_with_a_reason() {
        let mut support = everything();
        support.functions.remove("do_splice");
        support.io_uring_tells_request = false;
        support.missing.push("signal_struct.flags");
        let plan = plan(&request(ModeChoice::Auto), &support);
        assert_eq!(plan.mode, Some(Mode::Fexit));
        let reason = |program| {
            let probe = plan.probes.iter().find(|p| p.program() == program).unwrap();
            probe.verdict.reason().map(str::to_owned)
        };
        assert!(reason("do_splice_exit").unwrap().contains("do_splice"));
        assert!(reason("io_uring_complete").unwrap().contains("request"));
        assert!(reason("signal_generate").unwrap().contains("signal_struct.flags"));
        assert_eq!(reason("vfs_write_exit"), None);
    }

    #[test]
    fn no_file_kind_means_no_file_probe() {
        let request = Request { mode: ModeChoice::Auto, file_kinds: Vec::new() };
        let plan = plan(&request, &everything());
        assert_eq!(plan.mode, None);
        assert!(plan.probes.iter().all(|p| p.mode().is_none()));
        let uring = plan.probes.iter().find(|p| p.program() == "io_uring_complete").unwrap();
        assert_eq!(uring.verdict, Verdict::NotNeeded);
    }

    #[test]
    fn backups_stand_where_programs_can_be_preempted() {
        let backups = |of_tracepoints, of_trampolines| {
            let mut support = everything();
            support.preemption = Preemption { of_tracepoints, of_trampolines };
            let plan = plan(&request(ModeChoice::Auto), &support);
            ["sched_process_exec", "vfs_write_exit", "sched_wakeup_new"].map(|program| {
                plan.probes.iter().find(|probe| probe.program() == program).unwrap().backups
            })
        };
        assert_eq!(backups(false, false), [0, 0, 0]);
        assert_eq!(backups(false, true), [0, 1, 0]);
        assert_eq!(backups(true, true), [1, 1, 0]);
    }

    #[test]
    fn needs_are_names_of_facts() {
        let known: Vec<_> = crate::kernel::facts::names().collect();
        for need in PROBES.iter().flat_map(|probe| probe.needs).chain(HEADER) {
            assert!(known.contains(need), "{need} is no fact");
        }
    }
}

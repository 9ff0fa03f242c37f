//! `doctor`: what this kernel and machine allow. It attaches the probes as
//! `--follow` would, looks at what became of them, and detaches them again.

use std::{collections::HashMap, process::ExitCode};

use anyhow::{Context as _, bail};

use super::{follow, gpus, recorder_check, setup, shell};
use crate::{
    cli::{Doctor, ReportFormat},
    gpu::Library,
    kernel::{
        capability::{CAPABILITIES, Effective},
        cgroup::Hierarchy,
        machine::{self, KernelVersion},
        symbol::OomSymbols,
    },
    model::{
        Check, CheckState, Diagnosis, EventKind, ModeState, ProbeState, RingState, RouteState,
    },
    probe::{
        AttachError, LoadedProgram, Mode, ModeChoice, Object, Plan, Request, RouteVerdict, Scope,
        plan, routes,
    },
    render::doctor,
};

/// Prints the diagnosis; exit status 1 where tracing does not work.
pub(super) fn run(options: &Doctor) -> anyhow::Result<ExitCode> {
    let library = Library::new(options.nvml_library.clone());
    let style = follow::style(options.no_color);
    let recorder = recorder_check::check(&options.socket, &style.time_zone);
    let diagnosis = diagnose(options.probe_mode, library, recorder);
    let mut out = Vec::new();
    match options.format {
        ReportFormat::Json => {
            doctor::write_json(&mut out, &diagnosis).context("cannot lay out JSON")?;
        }
        ReportFormat::Table => {
            doctor::write_text(&mut out, &diagnosis, &style);
        }
        ReportFormat::Prometheus => {
            bail!("cannot give metrics of what is not measured: give --cost with it")
        }
    }
    shell::print(&out)?;
    Ok(if diagnosis.can_trace { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn diagnose(choice: ModeChoice, library: Library, recorder: Check) -> Diagnosis {
    let effective = Effective::read();
    let privileged = effective.missing_required().next().is_none();
    let mut checks = vec![version_check()];
    checks.extend(capability_checks(effective));
    let request = Request {
        mode: choice,
        file_kinds: EventKind::ALL.into_iter().filter(|kind| kind.is_file()).collect(),
    };
    let mut outcome = None;
    let mut verified = Verified::new();
    match setup::examine(privileged) {
        Err(error) => checks.push(check_btf(Err(format!("{error:#}")))),
        Ok(mut kernel) => {
            checks.push(check_btf(Ok(kernel.found.missing.as_slice())));
            let used = if privileged {
                let (plan, loaded) = try_probes(&mut kernel, &request, &mut checks);
                verified = loaded;
                plan
            } else {
                plan(&request, &kernel.support)
            };
            // The other modes are only planned: one run attaches one.
            let others: Vec<_> = Mode::ALL
                .into_iter()
                .filter(|mode| Some(*mode) != used.mode)
                .map(|mode| {
                    let mode = ModeChoice::Forced(mode);
                    plan(&Request { mode, ..request.clone() }, &kernel.support)
                })
                .collect();
            outcome = Some((used, others));
        }
    }
    checks.push(cgroup_check());
    checks.push(symbol_check());
    checks.extend(gpus::checks(library));
    checks.push(recorder);
    checks.push(Check {
        name: "tracefs".to_owned(),
        state: CheckState::Ok,
        found: "not needed, mounted or not".to_owned(),
        remedy: None,
    });
    if privileged && let Some((plan, _)) = &outcome {
        checks.extend(mode_check(plan, choice));
    }
    let can_trace = checks.iter().all(|check| check.state != CheckState::Failed);
    let rings = setup::default_rings();
    let every_route = outcome
        .iter()
        .filter(|_| privileged)
        .flat_map(|(plan, others)| std::iter::once(plan).chain(others).flat_map(routes).map(route));
    let every_route = every_route.collect();
    let outcome = outcome.map(|(plan, _)| plan);
    Diagnosis {
        v: Diagnosis::FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: machine::host_name(),
        kernel: machine::kernel_release(),
        arch: std::env::consts::ARCH.to_owned(),
        can_trace,
        checks,
        modes: outcome.as_ref().map(|plan| modes(plan, privileged)).unwrap_or_default(),
        selected_mode: outcome
            .as_ref()
            .and_then(|plan| plan.mode)
            .filter(|_| privileged)
            .map(|mode| mode.to_string()),
        // Without privileges nothing was tried, so nothing is known.
        probes: outcome
            .as_ref()
            .filter(|_| privileged)
            .map(|plan| probes(plan, &verified))
            .unwrap_or_default(),
        write_routes: every_route,
        rings: [("lifecycle", rings.lifecycle_bytes), ("io", rings.io_bytes)]
            .into_iter()
            .map(|(name, bytes)| RingState { name: name.to_owned(), bytes: bytes.into() })
            .collect(),
    }
}

/// Instructions that the verifier went through, by program.
type Verified = HashMap<&'static str, u64>;

/// Attaches everything, as `--follow` would; the probes go with this call.
fn try_probes(
    kernel: &mut setup::Kernel,
    request: &Request,
    checks: &mut Vec<Check>,
) -> (Plan, Verified) {
    let in_v1_memory = Hierarchy::find().is_some_and(|hierarchy| hierarchy.is_v1_memory());
    let scope = Scope {
        excluded_tgid: None,
        // Nobody's files are counted while the doctor looks.
        only_watched: true,
        cgroup_v1_memory: in_v1_memory,
        file_kinds: request.file_kinds.clone(),
        has_backups: kernel.support.preemption.is_any(),
        processors: setup::possible_processors(),
        wants_candidates: false,
        keeps_stderr: false,
    };
    match setup::attach(kernel, request, &scope, setup::default_rings()) {
        Ok((object, plan)) => {
            checks.push(Check {
                name: "probes".to_owned(),
                state: CheckState::Ok,
                found: "the essential ones are accepted".to_owned(),
                remedy: None,
            });
            let verified = verified(&object, &plan);
            (plan, verified)
        }
        Err(error) => {
            let remedy = match &error {
                AttachError::Load(_) => {
                    "see whether the kernel is locked down \
                                         (/sys/kernel/security/lockdown) or BPF is off"
                }
                _ => "report this with the output of genome-trace doctor --format=json",
            };
            checks.push(Check {
                name: "probes".to_owned(),
                state: CheckState::Failed,
                found: error.to_string(),
                remedy: Some(remedy.to_owned()),
            });
            (plan(request, &kernel.support), Verified::new())
        }
    }
}

/// Those that the kernel does not tell are not in it.
fn verified(object: &Object, plan: &Plan) -> Verified {
    let programs = object.loaded_programs(plan).unwrap_or_default();
    let count = |loaded: &LoadedProgram| loaded.stats().ok()?.verified_instructions;
    programs.iter().filter_map(|loaded| Some((loaded.program, count(loaded)?))).collect()
}

fn version_check() -> Check {
    let release = machine::kernel_release();
    let old = KernelVersion::parse(&release).is_some_and(|v| v < KernelVersion::OLDEST);
    Check {
        name: "kernel".to_owned(),
        state: if old { CheckState::Failed } else { CheckState::Ok },
        found: format!("{release}{}", if old { ", which has no BPF ring buffers" } else { "" }),
        remedy: old.then(|| format!("use kernel {} or newer", KernelVersion::OLDEST)),
    }
}

fn capability_checks(effective: Effective) -> impl Iterator<Item = Check> {
    CAPABILITIES.into_iter().map(move |capability| {
        let has = effective.has(capability);
        let state = match (has, capability.required) {
            (true, _) => CheckState::Ok,
            (false, true) => CheckState::Failed,
            (false, false) => CheckState::Gap,
        };
        let word = if has { "held" } else { "missing" };
        Check {
            name: capability.name.to_owned(),
            state,
            found: format!("{word}: {}", capability.purpose),
            remedy: (!has).then(|| {
                "run with sudo, or: sudo setcap cap_bpf,cap_perfmon,cap_syslog+ep \
                 $(command -v genome-trace)"
                    .to_owned()
            }),
        }
    })
}

fn check_btf(found: Result<&[&str], String>) -> Check {
    let name = "BTF".to_owned();
    match found {
        Ok([]) => Check {
            name,
            state: CheckState::Ok,
            found: format!("{} has every field that is needed", setup::BTF_PATH),
            remedy: None,
        },
        Ok(missing) => Check {
            name,
            state: CheckState::Gap,
            found: format!("this kernel has no {}", missing.join(", ")),
            remedy: Some("see below which probes do without".to_owned()),
        },
        Err(error) => Check {
            name,
            state: CheckState::Failed,
            found: error,
            remedy: Some("use a kernel built with CONFIG_DEBUG_INFO_BTF=y".to_owned()),
        },
    }
}

fn cgroup_check() -> Check {
    let (state, found, remedy) = match Hierarchy::find() {
        Some(hierarchy) => {
            let which =
                if hierarchy.is_v1_memory() { "v1, the memory hierarchy" } else { "v2, unified" };
            let mount = hierarchy.mount_point.display();
            (CheckState::Ok, format!("{which}, at {mount}"), None)
        }
        None => (
            CheckState::Gap,
            "no hierarchy is mounted: cgroup paths are unknown but for new cgroups".to_owned(),
            Some("mount -t cgroup2 none /sys/fs/cgroup".to_owned()),
        ),
    };
    Check { name: "cgroups".to_owned(), state, found, remedy }
}

fn symbol_check() -> Check {
    let (state, found, remedy) = match OomSymbols::read() {
        Ok(_) => (
            CheckState::Ok,
            "readable: an OOM kill says whether a cgroup or the machine ran out".to_owned(),
            None,
        ),
        Err(error) => (
            CheckState::Gap,
            format!("{error}: an OOM kill's constraint is unknown"),
            Some("give CAP_SYSLOG, and set kernel.kptr_restrict to 1 or 0".to_owned()),
        ),
    };
    Check { name: "kernel symbols".to_owned(), state, found, remedy }
}

/// Files are part of the main job, so that no mode means it cannot run.
fn mode_check(plan: &Plan, choice: ModeChoice) -> Option<Check> {
    plan.mode.is_none().then(|| Check {
        name: "files".to_owned(),
        state: CheckState::Failed,
        found: format!("mode {choice} does not work here"),
        remedy: Some(match choice {
            ModeChoice::Auto | ModeChoice::Brief => {
                "follow processes alone: --kind=exec,fork,exit,signal,oom_kill".to_owned()
            }
            ModeChoice::Forced(_) => "use --probe-mode=auto".to_owned(),
        }),
    })
}

fn modes(plan: &Plan, privileged: bool) -> Vec<ModeState> {
    plan.modes
        .iter()
        .map(|(mode, usable)| ModeState {
            mode: mode.to_string(),
            usable: match usable {
                Ok(()) if !privileged => None,
                usable => Some(usable.is_ok()),
            },
            reason: match usable {
                Ok(()) if !privileged => Some("not tried without privileges".to_owned()),
                Ok(()) => None,
                Err(reason) => Some(reason.clone()),
            },
        })
        .collect()
}

fn probes(plan: &Plan, verified: &Verified) -> Vec<ProbeState> {
    plan.probes
        .iter()
        .map(|probe| ProbeState {
            program: probe.program().to_owned(),
            hook: probe.hook().to_owned(),
            target: probe.target.clone(),
            purpose: probe.purpose().to_owned(),
            verdict: probe.verdict.name().to_owned(),
            backups: probe.backups as u64,
            verified_instructions: verified.get(probe.program()).copied(),
            reason: probe.verdict.reason().map(str::to_owned),
        })
        .collect()
}

fn route(verdict: RouteVerdict) -> RouteState {
    RouteState {
        route: verdict.route.name().to_owned(),
        mode: verdict.mode.to_string(),
        counted: verdict.counted.is_ok(),
        reason: verdict.counted.err(),
    }
}

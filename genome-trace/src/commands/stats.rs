//! `--stats`: how the machine is, its GPUs, who uses what, the last minutes, and
//! what follows.

use std::{cmp::Reverse, collections::HashMap, process::ExitCode};

use anyhow::bail;

use super::{
    current, follow,
    gpus::PATIENCE,
    last_hour::{LastHour, recent_crashes},
    shell, who,
};
use crate::{
    cli::{View, ViewFormat},
    detect::{HealthFacts, OutlookFacts, health, outlook},
    gpu::{Library, read_once},
    kernel::{
        clock::{ClockOffset, boot_ns},
        machine, namespace,
    },
    model::{
        Active, Crash, GpuAccess, GpuProcess, GpuSnapshot, Health, Holder, MachineUsage, Overview,
        Stats, Usage, WallTime,
    },
    persona::{Member, Registry},
    pipeline::RuleFiles,
    render::overview,
    store::Place,
};

/// Prints the report; exit status 1 where there is an NVIDIA library, but the
/// GPUs could not be looked at.
pub(super) fn run(view: &View) -> anyhow::Result<ExitCode> {
    let gpus = look(view)?;
    let is_told = gpus.snapshot.is_some() || gpus.access == GpuAccess::NoLibrary;
    let overview = overview(view, gpus);
    let mut out = Vec::new();
    match view.format {
        ViewFormat::Csv => match &overview.active {
            Ok(active) => overview::write_csv(&mut out, active, overview.sort),
            Err(reason) => bail!("{reason}"),
        },
        ViewFormat::Json => overview::write_json(&mut out, &overview),
        ViewFormat::Prometheus => overview::write_metrics(&mut out, &overview),
        ViewFormat::Table => {
            overview::write_text(&mut out, &overview, &follow::style(view.no_color));
        }
    }
    shell::print(&out)?;
    Ok(if is_told { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All that is known, and what follows from it.
fn overview(view: &View, gpus: Stats) -> Overview {
    let current = current::look(view);
    let now = ClockOffset::now().wall_time(boot_ns());
    let kept = LastHour::open(Place::new(&view.store), now);
    let crashes = kept.as_ref().ok().and_then(|kept| kept.crashes().ok());
    let memory = kept.as_ref().ok().and_then(|kept| kept.memory().ok()).unwrap_or_default();
    let (health, active) = match current {
        Ok(look) => {
            let counted = || kept.as_ref().ok()?.crash_counts().ok().flatten();
            let crashes = look.crashes.or_else(counted);
            let mut health = look.health;
            if look.gpus.is_none() {
                add_gpus(&mut health, &gpus, now);
            }
            (Some(health), Ok(Active { usage: look.usage, crashes }))
        }
        Err(reason) => {
            let health = partial_health(&gpus, crashes.as_deref().unwrap_or_default(), now);
            (health, Err(reason))
        }
    };
    let outlook = outlook(&OutlookFacts {
        now,
        health: health.as_ref(),
        usage: active.as_ref().ok().map(|active: &Active| &active.usage),
        gpus: Some(&gpus),
        memory: &memory,
        crashes: crashes.as_deref().unwrap_or_default(),
    });
    let recent = kept
        .and_then(|kept| kept.recent())
        .map_err(|error| format!("How the last minutes went is unknown: {error}."));
    Overview { gpus, health, active, sort: view.stats_options.sort, recent, outlook }
}

/// What the GPUs say, where the look came before their answer.
fn add_gpus(health: &mut Health, gpus: &Stats, now: WallTime) {
    let reasons = partial_health(gpus, &[], now).into_iter().flat_map(|health| health.reasons);
    health.reasons.extend(reasons);
    health.reasons.sort_by_key(|reason| Reverse(reason.state));
}

/// What speaks against the machine as far as GPUs and crashes tell; where
/// nothing does, nobody knows that it is healthy.
fn partial_health(gpus: &Stats, crashes: &[Crash], now: WallTime) -> Option<Health> {
    let usage = Usage {
        wall_time: now,
        interval_ns: None,
        machine: MachineUsage::default(),
        personas: Vec::new(),
    };
    let health = health(&HealthFacts {
        usage: &usage,
        gpus: gpus.snapshot.as_ref(),
        crashes: &recent_crashes(crashes),
        alerts: &[],
        store_failure: None,
    });
    (!health.reasons.is_empty()).then_some(health)
}

fn look(view: &View) -> anyhow::Result<Stats> {
    let began = boot_ns();
    let library = Library::new(view.nvml_library.clone());
    let (access, snapshot) = read_once(library, PATIENCE, boot_ns);
    let foreign_pids = !namespace::pids_are_the_machines();
    let is_anybody = snapshot.as_ref().is_some_and(|snapshot| named(snapshot).next().is_some());
    let registry = if is_anybody && !foreign_pids {
        Some(who::registry(&view.personas)?)
    } else {
        // Wrong rules are told, whether they are needed or not.
        RuleFiles::new(view.personas.clone()).read()?;
        None
    };
    let ktime_ns = snapshot.as_ref().map_or(began, |snapshot| snapshot.ktime_ns);
    Ok(Stats {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: machine::host_name(),
        wall_time: ClockOffset::now().wall_time(ktime_ns),
        access,
        library: view.nvml_library.display().to_string(),
        holders: snapshot
            .as_ref()
            .map_or_else(Vec::new, |snapshot| holders(snapshot, registry.as_ref())),
        snapshot,
        foreign_pids,
    })
}

/// Each process on each GPU, with the GPU's index.
fn named(snapshot: &GpuSnapshot) -> impl Iterator<Item = (u32, GpuProcess)> {
    snapshot.gpus.iter().flat_map(|gpu| {
        let processes = gpu.processes.iter().flatten();
        processes.map(|process| (gpu.identity.index, *process))
    })
}

/// What is known of each process that the driver names.
fn holders(snapshot: &GpuSnapshot, registry: Option<&Registry>) -> Vec<Holder> {
    let members: HashMap<u32, Member<'_>> = registry
        .into_iter()
        .flat_map(Registry::members)
        .map(|member| (member.key.tgid, member))
        .collect();
    let end = snapshot.ktime_ns.saturating_add(snapshot.took_ns);
    named(snapshot)
        .map(|(gpu_index, process)| {
            // One that began after the look has the PID of one that has ended.
            let member = members.get(&process.tgid).filter(|found| found.key.start_time <= end);
            let facts = member.map(|member| &member.facts);
            Holder {
                gpu_index,
                process,
                persona: member
                    .and_then(|member| member.grant)
                    .map(|grant| grant.decision.persona.clone()),
                comm: facts.and_then(|facts| facts.comm.as_deref()).map(<[u8]>::to_vec),
                argv: facts.and_then(|facts| facts.argv.as_deref()).map(<[u8]>::to_vec),
                uid: facts.and_then(|facts| facts.uid),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Gpu, GpuHealth, GpuIdentity, GpuProcessType, ProcessKey, Vram},
        persona::{Facts, Rules},
    };

    fn snapshot(tgids: &[u32]) -> GpuSnapshot {
        let process = |tgid: &u32| GpuProcess {
            tgid: *tgid,
            process_type: GpuProcessType::Compute,
            vram_bytes: Some(1),
            accounted_peak_bytes: None,
            gpu_instance_id: None,
            compute_instance_id: None,
            utilization: None,
        };
        GpuSnapshot {
            ktime_ns: 1_000,
            took_ns: 100,
            driver_version: None,
            cuda_version: None,
            gpus: vec![Gpu {
                identity: GpuIdentity { index: 3, ..GpuIdentity::default() },
                health: GpuHealth::Ok,
                vram: Vram::default(),
                processes: Some(tgids.iter().map(process).collect()),
                details: None,
            }],
        }
    }

    fn registry() -> Registry {
        let mut registry = Registry::new(Rules::new(Vec::new()));
        let process = |tgid, start_time| {
            let facts = Facts {
                comm: Some(b"python3".into()),
                claimed_name: Some(b"CodeExpert".into()),
                uid: Some(1000),
                ..Facts::default()
            };
            (ProcessKey { tgid, start_time }, None, facts)
        };
        registry.found([process(10, 500), process(11, 1_101)]);
        registry
    }

    #[test]
    fn a_process_that_proc_knows_has_its_persona() {
        let holders = holders(&snapshot(&[10]), Some(&registry()));
        let told: Vec<_> = holders
            .iter()
            .map(|holder| {
                let persona = holder.persona.as_ref().map(|persona| persona.name.as_str());
                (holder.gpu_index, persona, holder.comm.as_deref(), holder.uid)
            })
            .collect();
        assert_eq!(told, [(3, Some("CodeExpert"), Some(&b"python3"[..]), Some(1000))]);
    }

    /// Neither one that is gone nor its PID's next owner is named, nor anybody
    /// where PIDs mean nothing.
    #[test]
    fn who_is_not_known_stays_unknown() {
        let (registry, all) = (registry(), snapshot(&[9, 10, 11]));
        let named = |registry| {
            let holders = holders(&all, registry);
            holders.iter().map(|holder| holder.comm.is_some()).collect::<Vec<_>>()
        };
        assert_eq!(named(Some(&registry)), [false, true, false]);
        assert_eq!(named(None), [false, false, false]);
    }
}

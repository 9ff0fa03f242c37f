//! `--genome-id`: one persona, with all that is known of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    process::ExitCode,
};

use anyhow::anyhow;

use super::{current, follow, history::glyphs, last_hour::LastHour, shell, who};
use crate::{
    cli::{View, ViewFormat},
    detect::{OutlookFacts, outlook},
    kernel::{
        clock::{ClockOffset, boot_ns},
        machine, namespace,
        open_files::model_files,
    },
    model::{
        Advice, Figures, Health, Metric, ModelFile, Persona, PersonaHour, PersonaReport,
        PersonaUsage, ProcessUsage,
    },
    persona::Registry,
    pipeline::RuleFiles,
    render::{persona_report, text::Escaped},
    screen::Look,
    store::Place,
};

/// Candidates that are listed.
const LISTED: usize = 20;

/// Prints the report.
pub(super) fn run(view: &View) -> anyhow::Result<ExitCode> {
    let prefix = view.stats_options.genome_id.as_deref().unwrap_or_default();
    let current = current::look(view);
    let there = match &current {
        Ok(look) => look.usage.personas.clone(),
        Err(_) => personas_of_proc(view)?,
    };
    let now = ClockOffset::now().wall_time(boot_ns());
    let kept = LastHour::open(Place::new(&view.store), now);
    let mut known: BTreeSet<Persona> = there.iter().map(|usage| usage.persona.clone()).collect();
    known.extend(kept.as_ref().ok().and_then(|kept| kept.personas().ok()).into_iter().flatten());
    let counted = kept.as_ref().ok().and_then(|kept| kept.crash_counts().ok().flatten());
    // One that has crashed at once left no figure.
    known.extend(counted.iter().flat_map(BTreeMap::keys).cloned());
    let persona = choose(prefix, &view.persona, &known).map_err(|reason| anyhow!(reason))?;
    let usage = there.into_iter().find(|usage| usage.persona == persona);
    let hour = kept
        .and_then(|kept| kept.of(&persona))
        .map_err(|error| format!("How the last hour went is unknown: {error}."));
    let look = current.as_ref().ok();
    let health = look.map(|look| health(look, &persona));
    let (model_files, closed_processes) = files(usage.as_ref());
    let report = PersonaReport {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: machine::host_name(),
        now,
        crash_count: crash_count(look, counted.as_ref(), &persona),
        advice: advice(look, health.as_ref(), hour.as_ref().ok(), &persona),
        interval_ns: look.and_then(|look| look.usage.interval_ns),
        persona,
        health,
        usage,
        unknown_because: current.err(),
        model_files,
        closed_processes,
        hour,
    };
    let mut out = Vec::new();
    match view.format {
        ViewFormat::Csv => persona_report::write_csv(&mut out, &report),
        ViewFormat::Json => persona_report::write_json(&mut out, &report),
        ViewFormat::Prometheus => persona_report::write_metrics(&mut out, &report),
        ViewFormat::Table => {
            let style = follow::style(view.no_color);
            persona_report::write_text(&mut out, &report, glyphs(), &style);
        }
    }
    shell::print(&out)
}

/// The one persona whose genome id begins so, or is so.
fn choose(prefix: &str, names: &[String], known: &BTreeSet<Persona>) -> Result<Persona, String> {
    let has_id = |persona: &&Persona| persona.genome_id.is_some();
    let with_id: Vec<&Persona> = known.iter().filter(has_id).collect();
    let is_asked = |persona: &&&Persona| {
        let begins = persona.genome_id.as_ref().is_some_and(|id| id.starts_with(prefix));
        begins && (names.is_empty() || names.contains(&persona.name))
    };
    let mut found: Vec<&Persona> = with_id.iter().filter(is_asked).copied().collect();
    let is_whole = |persona: &&Persona| persona.genome_id.as_deref() == Some(prefix);
    if found.iter().any(is_whole) {
        found.retain(is_whole);
    }
    let asked = Escaped(prefix.as_bytes());
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] if with_id.is_empty() => Err(format!(
            "no persona with a genome id runs now or was recorded in the last hour, so none begins \
             with {asked}; `genome-trace personas` lists who runs, and a process has an id by \
             GENOME_ID or by a rule (docs/personas.md)"
        )),
        [] => Err(format!(
            "no persona that runs now or was recorded in the last hour has a genome id that begins \
             with {asked}; there are {}",
            list(&with_id)
        )),
        several => {
            let ids: BTreeSet<_> = several.iter().map(|persona| &persona.genome_id).collect();
            let remedy = if ids.len() == 1 { "add --persona=NAME" } else { "give more of it" };
            Err(format!(
                "{asked} begins the genome ids of several personas: {}; {remedy}",
                list(several)
            ))
        }
    }
}

/// As in `a3f9c2 (CodeExpert), b1 (MathExpert) and 3 more`.
fn list(personas: &[&Persona]) -> String {
    let one = |persona: &&Persona| {
        let id = persona.genome_id.as_deref().unwrap_or_default();
        format!("{} ({})", Escaped(id.as_bytes()), Escaped(persona.name.as_bytes()))
    };
    let mut text = personas.iter().take(LISTED).map(one).collect::<Vec<_>>().join(", ");
    if let Some(more @ 1..) = personas.len().checked_sub(LISTED) {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// Who is there by /proc, for those whom nobody tells figures.
fn personas_of_proc(view: &View) -> anyhow::Result<Vec<PersonaUsage>> {
    let mut registry = Registry::new(RuleFiles::new(view.personas.clone()).read()?);
    registry.found(who::processes()?);
    Ok(personas_of(&registry, ClockOffset::now()))
}

fn personas_of(registry: &Registry, clock: ClockOffset) -> Vec<PersonaUsage> {
    let mut personas: BTreeMap<Persona, Vec<ProcessUsage>> = BTreeMap::new();
    for member in registry.members() {
        let Some(grant) = member.grant else { continue };
        let mut figures = Figures::default();
        figures.set(Metric::Processes, Some(1.0));
        let comm = member.facts.comm.as_deref();
        personas.entry(grant.decision.persona.clone()).or_default().push(ProcessUsage {
            key: member.key,
            ppid: member.parent.map(|parent| parent.tgid),
            comm: comm.map(|comm| String::from_utf8_lossy(comm).into_owned()),
            uid: member.facts.uid,
            started: Some(clock.wall_time(member.key.start_time)),
            figures,
        });
    }
    let usage = |(persona, mut processes): (Persona, Vec<ProcessUsage>)| {
        processes.sort_by_key(|process| process.key);
        let mut figures = Figures::default();
        figures.set(Metric::Processes, Some(processes.len() as f64));
        let started = processes.iter().filter_map(|process| process.started).min();
        PersonaUsage { persona, figures, rss_limit_bytes: None, started, processes }
    };
    personas.into_iter().map(usage).collect()
}

/// What speaks against the persona.
fn health(look: &Look, persona: &Persona) -> Health {
    let mut health = look.health.clone();
    health.reasons.retain(|reason| reason.evidence.persona() == Some(persona));
    health
}

fn crash_count(
    look: Option<&Look>,
    counted: Option<&BTreeMap<Persona, u64>>,
    persona: &Persona,
) -> Option<u64> {
    let told = look.and_then(|look| look.seen().crashes_of(persona));
    told.or_else(|| counted.map(|counts| counts.get(persona).copied().unwrap_or(0)))
}

fn advice(
    look: Option<&Look>,
    health: Option<&Health>,
    hour: Option<&PersonaHour>,
    persona: &Persona,
) -> Vec<Advice> {
    let crashes: Vec<_> =
        hour.iter().flat_map(|hour| &hour.crashes).map(|of| of.crash.clone()).collect();
    let outlook = outlook(&OutlookFacts {
        now: hour.map_or_else(|| ClockOffset::now().wall_time(boot_ns()), |hour| hour.range.until),
        health,
        usage: look.map(|look| &look.usage),
        gpus: None,
        memory: hour.map_or(&[][..], |hour| &hour.courses),
        crashes: &crashes,
    });
    let is_its_own = |advice: &Advice| {
        advice.persona.as_ref() == Some(&persona.name) && advice.genome_id == persona.genome_id
    };
    outlook.advice.into_iter().filter(is_its_own).collect()
}

/// Models' files of all processes, and of how many processes nothing is known.
fn files(usage: Option<&PersonaUsage>) -> (Vec<ModelFile>, u64) {
    let mut files: BTreeMap<Box<[u8]>, ModelFile> = BTreeMap::new();
    let mut closed = 0;
    // PIDs of the machine mean nothing in a container that has its own.
    let is_readable = namespace::pids_are_the_machines();
    for process in usage.iter().flat_map(|usage| &usage.processes) {
        let found = if is_readable {
            model_files(process.key)
        } else {
            Err(io::ErrorKind::PermissionDenied.into())
        };
        match found {
            Ok(found) => found.into_iter().for_each(|file| add(&mut files, file)),
            Err(error) if is_gone(&error) => {}
            Err(_) => closed += 1,
        }
    }
    (files.into_values().collect(), closed)
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

fn add(files: &mut BTreeMap<Box<[u8]>, ModelFile>, file: ModelFile) {
    match files.get_mut(&file.path) {
        Some(known) => {
            known.is_mapped |= file.is_mapped;
            known.is_open |= file.is_open;
            known.size_bytes = known.size_bytes.or(file.size_bytes);
        }
        None => {
            files.insert(file.path.clone(), file);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{
        model::ProcessKey,
        persona::{Facts, Rules},
    };

    fn known() -> BTreeSet<Persona> {
        let persona = |name: &str, id: Option<&str>| Persona {
            name: name.to_owned(),
            genome_id: id.map(str::to_owned),
        };
        BTreeSet::from([
            persona("CodeExpert", Some("a3f9c2")),
            persona("MathExpert", Some("a3ff")),
            persona("Short", Some("a3")),
            persona("Judge", Some("b1")),
            persona("Twin", Some("b1")),
            persona("Nameless", None),
        ])
    }

    fn chosen(prefix: &str, names: &[&str]) -> Result<String, String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        choose(prefix, &names, &known()).map(|persona| persona.name)
    }

    #[test]
    fn a_prefix_is_enough_where_it_is_one_personas() {
        assert_eq!(chosen("a3f9", &[]).as_deref(), Ok("CodeExpert"));
        assert_eq!(chosen("a3", &[]).as_deref(), Ok("Short"), "all of it is one's");
        assert_eq!(chosen("b1", &["Twin"]).as_deref(), Ok("Twin"));
    }

    #[test]
    fn several_are_listed_and_none_is_told() {
        assert_eq!(
            chosen("a3f", &[]).unwrap_err(),
            "a3f begins the genome ids of several personas: a3f9c2 (CodeExpert), a3ff \
             (MathExpert); give more of it"
        );
        let twins = chosen("b", &[]).unwrap_err();
        assert!(twins.ends_with("b1 (Judge), b1 (Twin); add --persona=NAME"), "{twins}");
        let none = chosen("zz\u{1b}", &[]).unwrap_err();
        assert!(none.contains("begins with zz\\x1b; there are a3f9c2 (CodeExpert)"), "{none}");
        let nobody = choose("a", &[], &BTreeSet::new()).unwrap_err();
        assert!(nobody.contains("genome-trace personas"), "{nobody}");
    }

    #[test]
    fn who_is_there_by_proc_has_processes_and_no_figures() {
        let mut registry = Registry::new(Rules::new(Vec::new()));
        let process = |tgid, ppid| {
            let facts = Facts { claimed_name: Some(b"CodeExpert".into()), ..Facts::default() };
            (ProcessKey { tgid, start_time: u64::from(tgid) }, ppid, facts)
        };
        registry.found([process(11, Some(10)), process(10, None)]);
        let personas = personas_of(&registry, ClockOffset::now());
        let told: Vec<_> = personas
            .iter()
            .map(|usage| {
                let tgids: Vec<_> = usage.processes.iter().map(|of| of.key.tgid).collect();
                (usage.persona.name.as_str(), tgids, usage.figures.get(Metric::RssBytes))
            })
            .collect();
        assert_eq!(told, [("CodeExpert", vec![10, 11], None)]);
    }

    #[test]
    fn a_file_of_several_processes_is_told_once() {
        let file = |is_mapped, is_open, size_bytes| ModelFile {
            path: b"/m/x.gguf".as_slice().into(),
            kind: crate::model::ModelFileKind::Weights,
            size_bytes,
            is_mapped,
            is_open,
        };
        let mut files = BTreeMap::new();
        add(&mut files, file(true, false, None));
        add(&mut files, file(false, true, Some(7)));
        assert_eq!(files.into_values().collect::<Vec<_>>(), [file(true, true, Some(7))]);
    }
}

//! `personas`: who is who now, and what a rule file would make of it.

use std::{cmp::Reverse, collections::BTreeMap, path::Path, process::ExitCode};

use super::{follow, shell, who};
use crate::{
    cli::{Format, Personas, PersonasAction},
    kernel::clock::ClockOffset,
    model::{Persona, RosterEntry, RosterProcess},
    persona::Registry,
    pipeline::{RulesFailure, read_rule_file},
    render::{roster, text::Escaped},
};

/// Lists, or checks a file.
pub(super) fn run(options: &Personas) -> anyhow::Result<ExitCode> {
    match &options.action {
        Some(PersonasAction::Check { file }) => check(file),
        None => list(options),
    }
}

fn list(options: &Personas) -> anyhow::Result<ExitCode> {
    let registry = who::registry(&options.personas)?;
    let entries = entries(&registry);
    let mut out = Vec::new();
    match options.format {
        Format::Json => roster::write_json(&mut out, &entries),
        Format::Table => {
            let style = follow::style(options.no_color);
            roster::write_table(&mut out, &entries, &style.time_zone, style.color);
        }
    }
    shell::print(&out)
}

/// One entry a persona, the largest first.
fn entries(registry: &Registry) -> Vec<RosterEntry> {
    let clock = ClockOffset::now();
    let mut members: Vec<_> = registry.members().collect();
    members.sort_by_key(|member| (member.key.start_time, member.key.tgid));
    let mut entries: BTreeMap<Option<&Persona>, RosterEntry> = BTreeMap::new();
    for member in members {
        let persona = member.grant.map(|grant| &grant.decision.persona);
        let entry = entries.entry(persona).or_insert_with(|| RosterEntry {
            persona: persona.cloned(),
            source: member.grant.map(|grant| grant.decision.source.clone()),
            since: member.grant.map(|grant| clock.wall_time(grant.since)),
            processes: Vec::new(),
        });
        entry.processes.push(RosterProcess {
            tgid: member.key.tgid,
            comm: member.facts.comm.as_deref().unwrap_or_default().to_vec(),
            inherited: member.grant.is_some_and(|grant| grant.from != member.key),
        });
    }
    let mut entries: Vec<_> = entries.into_values().collect();
    entries.sort_by_key(|entry| Reverse(entry.processes.len()));
    entries
}

/// Says what is wrong in a file, or what each of its rules matches now.
fn check(path: &Path) -> anyhow::Result<ExitCode> {
    let file = match read_rule_file(path) {
        Ok(file) => file,
        Err(failure @ RulesFailure::Rules(_)) => {
            eprintln!("{failure}");
            return Ok(ExitCode::FAILURE);
        }
        Err(failure) => return Err(failure.into()),
    };
    let processes = who::processes()?;
    let mut out = String::new();
    let mut rules = 0;
    for rule in file.rules() {
        rules += 1;
        let matches: Vec<_> = processes
            .iter()
            .filter_map(|(key, _, facts)| Some((key.tgid, facts, rule.decide(facts)?)))
            .collect();
        let noun = if matches.len() == 1 { "process" } else { "processes" };
        out.push_str(&format!(
            "{}:{}: {} matches {} {noun} now\n",
            path.display(),
            rule.line(),
            Escaped(rule.text().as_bytes()),
            matches.len(),
        ));
        for (tgid, facts, decision) in matches {
            let Persona { name, genome_id } = decision.persona;
            let comm = facts.comm.as_deref().unwrap_or_default();
            let id = genome_id
                .map_or_else(String::new, |id| format!(", genome id {}", Escaped(id.as_bytes())));
            out.push_str(&format!(
                "  {tgid:>7} {:15} -> {}{id}\n",
                Escaped(comm).to_string(),
                Escaped(name.as_bytes()),
            ));
        }
    }
    let noun = if rules == 1 { "rule" } else { "rules" };
    out.push_str(&format!("{}: {rules} {noun}, nothing wrong\n", path.display()));
    shell::print(out.as_bytes())
}

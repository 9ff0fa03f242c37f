//! What was different between two times, beside the figures.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Difference, PersonaProgram};

/// What is known of one of two times.
#[derive(Clone, Debug, Default)]
pub struct Times {
    /// There are figures of it at all: else nobody is new or gone.
    pub is_known: bool,
    /// Personas that were there, with their genome ids, as figures tell.
    pub personas: BTreeMap<String, BTreeSet<String>>,
    /// What they ran.
    pub programs: Vec<PersonaProgram>,
    /// Memory limits that the OOM killer found, by persona.
    pub limits: BTreeMap<Option<String>, BTreeSet<u64>>,
}

impl Times {
    fn genomes(&self, persona: &str) -> BTreeSet<String> {
        let ran = self.programs.iter().filter(|of| of.persona.name == persona);
        let ran = ran.filter_map(|of| of.persona.genome_id.clone());
        self.personas.get(persona).into_iter().flatten().cloned().chain(ran).collect()
    }

    fn executables(&self, persona: &str) -> BTreeSet<String> {
        let ran = self.programs.iter().filter(|of| of.persona.name == persona);
        let exes = ran.filter_map(|of| of.exe.as_deref());
        exes.map(|exe| String::from_utf8_lossy(exe).into_owned()).collect()
    }
}

/// What was different: personas, then of each that was there both times its
/// genome ids and executables, then memory limits.
#[must_use]
pub fn differences(now: &Times, then: &Times) -> Vec<Difference> {
    let new = now.personas.keys().filter(|name| !then.personas.contains_key(*name));
    let gone = then.personas.keys().filter(|name| !now.personas.contains_key(*name));
    let is_told = now.is_known && then.is_known;
    let (new, gone) = (new.filter(|_| is_told), gone.filter(|_| is_told));
    let mut found: Vec<Difference> = new.cloned().map(Difference::NewPersona).collect();
    found.extend(gone.cloned().map(Difference::GonePersona));
    for persona in now.personas.keys().filter(|name| then.personas.contains_key(*name)) {
        let (ids, ids_then) = (now.genomes(persona), then.genomes(persona));
        if ids != ids_then {
            found.push(Difference::GenomeIds {
                persona: persona.clone(),
                now: ids.into_iter().collect(),
                then: ids_then.into_iter().collect(),
            });
        }
        let (ran, ran_then) = (now.executables(persona), then.executables(persona));
        // Of a time of which no process is kept, nothing is known.
        if ran != ran_then && !ran.is_empty() && !ran_then.is_empty() {
            found.push(Difference::Executables {
                persona: persona.clone(),
                now: ran.difference(&ran_then).cloned().collect(),
                then: ran_then.difference(&ran).cloned().collect(),
            });
        }
    }
    let whose: BTreeSet<&Option<String>> = now.limits.keys().chain(then.limits.keys()).collect();
    for persona in whose {
        let limits = |times: &Times| times.limits.get(persona).cloned().unwrap_or_default();
        let (limits, limits_then) = (limits(now), limits(then));
        if limits != limits_then {
            found.push(Difference::MemoryLimits {
                persona: persona.clone(),
                now: limits.into_iter().collect(),
                then: limits_then.into_iter().collect(),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Persona;

    fn program(name: &str, genome_id: Option<&str>, exe: Option<&str>) -> PersonaProgram {
        let genome_id = genome_id.map(str::to_owned);
        let exe = exe.map(|exe| exe.as_bytes().into());
        PersonaProgram { persona: Persona { name: name.to_owned(), genome_id }, exe }
    }

    fn times(personas: &[&str], programs: Vec<PersonaProgram>, limits: &[u64]) -> Times {
        let personas = personas.iter().map(|name| ((*name).to_owned(), BTreeSet::new()));
        let limits: BTreeSet<u64> = limits.iter().copied().collect();
        let limits = (!limits.is_empty()).then_some((None, limits)).into_iter().collect();
        Times { is_known: true, personas: personas.collect(), programs, limits }
    }

    #[test]
    fn what_is_different_is_told() {
        let now = times(
            &["A", "B", "C"],
            vec![program("A", Some("2"), Some("/new")), program("A", None, Some("/both"))],
            &[5],
        );
        let then = times(
            &["A", "B", "D"],
            vec![program("A", Some("1"), Some("/both")), program("B", None, Some("/b"))],
            &[],
        );
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let wanted = [
            Difference::NewPersona("C".to_owned()),
            Difference::GonePersona("D".to_owned()),
            Difference::GenomeIds {
                persona: "A".to_owned(),
                now: texts(&["2"]),
                then: texts(&["1"]),
            },
            Difference::Executables {
                persona: "A".to_owned(),
                now: texts(&["/new"]),
                then: Vec::new(),
            },
            Difference::MemoryLimits { persona: None, now: vec![5], then: Vec::new() },
        ];
        assert_eq!(differences(&now, &then), wanted);
        assert_eq!(differences(&now, &now), []);
        let unknown = Times { limits: now.limits.clone(), ..Times::default() };
        assert_eq!(differences(&now, &unknown), []);
    }
}

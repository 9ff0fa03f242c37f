//! Crashes of a stretch of time, with how well that was watched.

use super::{Crash, CrashKind, Gap, RecorderRun, TimeRange, WallTime};

/// A crash with its number in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedCrash {
    /// That number.
    pub id: i64,
    /// All of it.
    pub crash: Crash,
}

/// What to do, and what speaks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// Whose crashes it follows from; `None` for those of nobody.
    pub persona: Option<String>,
    /// What that persona is made of.
    pub genome_id: Option<String>,
    /// In words.
    pub text: String,
}

/// The crashes of a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrashReport {
    /// Version of genome-trace.
    pub version: String,
    /// Name of the host.
    pub host: String,
    /// When it was asked for.
    pub now: WallTime,
    /// The store that was read.
    pub store: String,
    /// The stretch of time; `None` where one crash was asked for.
    pub range: Option<TimeRange>,
    /// Personas that it is narrowed to; empty for all.
    pub personas: Vec<String>,
    /// Kinds that it is narrowed to; empty for all.
    pub kinds: Vec<CrashKind>,
    /// The crashes, the latest first.
    pub crashes: Vec<ReportedCrash>,
    /// When a recorder ran, as far as that is within the range, the earliest
    /// first.
    pub watched: Vec<RecorderRun>,
    /// Of which time not all is known, the earliest first.
    pub gaps: Vec<Gap>,
    /// What to do.
    pub advice: Vec<Advice>,
}

/// The crashes of one persona.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonaCrashes<'a> {
    /// Its name; `None` for those of nobody.
    pub persona: Option<&'a str>,
    /// What it is made of.
    pub genome_id: Option<&'a str>,
    /// How many.
    pub count: u64,
    /// How many of each kind that there are.
    pub by_kind: Vec<(CrashKind, u64)>,
    /// The latest.
    pub last: &'a ReportedCrash,
}

impl CrashReport {
    /// The crashes by persona and genome id, those with the latest crash first.
    #[must_use]
    pub fn by_persona(&self) -> Vec<PersonaCrashes<'_>> {
        let mut all: Vec<PersonaCrashes<'_>> = Vec::new();
        for reported in &self.crashes {
            let crash = &reported.crash;
            let (persona, genome_id) = (crash.persona.as_deref(), crash.genome_id.as_deref());
            let known =
                all.iter_mut().find(|of| (of.persona, of.genome_id) == (persona, genome_id));
            let Some(of) = known else {
                all.push(PersonaCrashes {
                    persona,
                    genome_id,
                    count: 1,
                    by_kind: vec![(crash.kind, 1)],
                    last: reported,
                });
                continue;
            };
            of.count += 1;
            match of.by_kind.iter_mut().find(|(kind, _)| *kind == crash.kind) {
                Some((_, count)) => *count += 1,
                None => of.by_kind.push((crash.kind, 1)),
            }
        }
        for of in &mut all {
            of.by_kind.sort_by_key(|(kind, count)| (std::cmp::Reverse(*count), *kind));
        }
        all
    }
}

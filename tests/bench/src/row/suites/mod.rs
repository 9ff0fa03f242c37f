//! Other people's own test suites under genome-trace's `run`, and under peers
//! that count what a command does: whole processes, from their start to their
//! end, and whether status and output are as they are without a tracer.

mod runs;
mod trial;

use std::iter;

use anyhow::Context as _;
use genome_trace_suites::{CLICK, MV, Project, WALKDIR};
use serde::{Deserialize, Serialize};

use self::runs::{Runs, Who};
use self::trial::Trial;
use super::Ground;
use crate::account::{Tally, Verdict};
use crate::stats::Spread;
use crate::subject::genome_trace::run;
use crate::subject::peer::{LAUNCHERS, Launcher};

/// What `--only` calls it.
pub(crate) const NAME: &str = "suites";

/// What it costs to start a tracer and to end it, whatever there is to trace.
const NOTHING: Project = Project { name: "true", dir: "", command: &["true"], env: &[] };

/// All suites.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Suites {
    /// Rounds, in each of which every subject has a turn.
    pub(crate) rounds: u32,
    /// The suites, and one command that does nothing.
    pub(crate) suites: Vec<Suite>,
}

/// One suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Suite {
    /// Its name.
    pub(crate) name: String,
    /// Why it was not measured; `None` where it was.
    pub(crate) skipped: Option<String>,
    /// Seconds without a tracer; `None` where it was not measured.
    pub(crate) seconds: Option<Spread>,
    /// The subjects.
    pub(crate) rows: Vec<Row>,
}

/// One subject with one suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) subject: String,
    /// genome-trace's mode; `None` for a peer.
    pub(crate) mode: Option<String>,
    /// Why it was not measured; `None` where it was.
    pub(crate) skipped: Option<String>,
    /// What was measured; `None` where nothing was.
    pub(crate) figures: Option<Figures>,
}

/// What a subject did to a suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Time with the subject over time without, round by round.
    pub(crate) ratio: Spread,
    /// Seconds with the subject.
    pub(crate) seconds: Spread,
    /// Runs, and those whose status and stdout were as without a tracer.
    pub(crate) tally: Tally,
    /// What it comes to.
    pub(crate) verdict: Verdict,
    /// How the first run that was not as without a tracer differed.
    pub(crate) difference: Option<String>,
}

impl Suites {
    /// The figures of one subject with one suite.
    pub(crate) fn figures(&self, suite: &str, row: &Row) -> Option<&Figures> {
        let suite = self.suites.iter().find(|entry| entry.name == suite)?;
        let same = |entry: &&Row| entry.subject == row.subject && entry.mode == row.mode;
        suite.rows.iter().find(same)?.figures.as_ref()
    }

    /// The middle time with a subject, less what it takes to start and to end
    /// it, over the middle time without; `None` where one of them is unknown.
    pub(crate) fn ratio_past_start(&self, suite: &Suite, row: &Row) -> Option<f64> {
        let start = self.figures(NOTHING.name, row).filter(|_| suite.name != NOTHING.name)?;
        let with = row.figures.as_ref()?.seconds.median - start.seconds.median;
        Some(with / suite.seconds?.median)
    }

    /// What genome-trace's runs come to.
    pub(crate) fn verdicts(&self) -> impl Iterator<Item = Verdict> {
        let rows = self.suites.iter().flat_map(|suite| &suite.rows);
        let ours = rows.filter(|row| row.mode.is_some());
        ours.filter_map(|row| Some(row.figures.as_ref()?.verdict))
    }
}

impl Suite {
    fn skipped(project: &Project, reason: String) -> Self {
        let name = project.name.to_owned();
        Self { name, skipped: Some(reason), seconds: None, rows: Vec::new() }
    }
}

/// Runs them all, each on all processors, as people have it.
pub(crate) fn measure(ground: Ground<'_>, progress: impl Fn(&str)) -> anyhow::Result<Suites> {
    let (projects, rounds): (&[Project], _) =
        if ground.quick { (&[NOTHING, MV], 3) } else { (&[NOTHING, WALKDIR, CLICK, MV], 5) };
    let suites = ground.cpus.undivided(|| {
        let suite = |project: &Project| {
            progress(project.name);
            one(ground, project, rounds)
                .with_context(|| format!("run the tests of {}", project.name))
        };
        projects.iter().map(suite).collect::<anyhow::Result<_>>()
    })??;
    Ok(Suites { rounds, suites })
}

fn one(ground: Ground<'_>, project: &Project, rounds: u32) -> anyhow::Result<Suite> {
    let trial = match Trial::of(project, ground.suites, ground.scratch) {
        Ok(trial) => trial,
        Err(reason) => return Ok(Suite::skipped(project, reason)),
    };
    // The first run builds and caches, and says what the others must say.
    let first = match trial.run(&[]) {
        Ok(first) if first.status.success() => first,
        Ok(first) => return Ok(Suite::skipped(project, format!("it fails: {}", first.end()))),
        Err(error) => return Ok(Suite::skipped(project, format!("{error:#}"))),
    };
    let mut nobody = Runs::of(Who::Nobody, "no tracer", Ok(Vec::new()));
    let mut subjects = vec![Runs::of(
        Who::GenomeTrace(ground.mode.to_owned()),
        "genome-trace run",
        Ok(run(ground.tracer, ground.mode)),
    )];
    if ground.peers && !ground.quick {
        let output = ground.scratch.path("counts");
        let peer = |peer: &Launcher| Runs::of(Who::Peer, peer.name, peer.line(&output));
        subjects.extend(LAUNCHERS.iter().map(peer));
    }
    for round in 0..rounds {
        // There and back again, so genome-trace is always beside nobody, now
        // before it and now after it.
        let mut turns: Vec<&mut Runs> = iter::once(&mut nobody).chain(&mut subjects).collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        for runs in turns {
            if let Some(line) = runs.line() {
                runs.add(trial.run(line), &first)?;
            }
        }
    }
    Ok(Suite {
        name: project.name.to_owned(),
        skipped: None,
        seconds: Spread::of(nobody.seconds()),
        rows: subjects.into_iter().map(|runs| runs.row(&nobody)).collect(),
    })
}

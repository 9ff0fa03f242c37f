//! The checks, one a file. Each works on processes of its own, which it ends.

mod cost;
mod death;
mod fault;
mod holdings;
mod spike;

use crate::ground::Ground;
use crate::refusal::Skipped;
use crate::report::{CheckReport, Findings, Outcome};

/// The body of a check: what was found so far stays, however it ends.
type Body = fn(&Ground, &mut Findings) -> anyhow::Result<()>;

/// All of them. The one that makes the GPU fail comes last, so that the others
/// do not find it failing.
pub(crate) const ALL: &[(&str, Body)] = &[
    ("holdings: who holds what, and the GPU itself", holdings::check),
    ("death: memory of a process that is killed", death::check),
    ("spike: a process that suddenly takes far more", spike::check),
    ("cost: CPU time of the tracer", cost::check),
    ("fault: an error on the GPU, and whose it was", fault::check),
];

/// Makes one.
pub(crate) fn run(name: &str, check: Body, ground: &Ground) -> CheckReport {
    let mut findings = Findings::default();
    let (outcome, reason) = match check(ground, &mut findings) {
        Ok(()) => (findings.outcome(), None),
        Err(error) => match error.downcast_ref() {
            // What differed before differs.
            Some(Skipped(reason)) if findings.outcome() != Outcome::Differs => {
                (Outcome::Skipped, Some(reason.clone()))
            }
            _ => (Outcome::Failed, Some(format!("{error:#}"))),
        },
    };
    CheckReport { name: name.to_owned(), outcome, reason, findings }
}

//! What was done about an alert, or was not, in one sentence.

use super::text::{Escaped, Printable, ShellWord};
use crate::model::{Act, ActOutcome};

/// The sentence. Names in it are escaped.
#[must_use]
pub fn sentence(act: &Act) -> String {
    let persona = act.persona.as_ref().map_or("nobody", |persona| persona.name.as_str());
    let comm = act.process.comm.as_deref().unwrap_or("unknown");
    let whom = format!(
        "{} of {} ({})",
        Escaped(comm.as_bytes()),
        Escaped(persona.as_bytes()),
        act.process.key.tgid
    );
    let (rule, remedy) = (act.rule, act.remedy);
    // Names in it are escaped already; a store is a file, so once more.
    let why = Printable(act.outcome.why().unwrap_or_default());
    match &act.outcome {
        ActOutcome::Done => format!("remedy: {remedy} {whom} for {rule}: done"),
        ActOutcome::Ended => format!("remedy: {remedy} {whom} for {rule}: it has ended"),
        ActOutcome::Forced => {
            format!(
                "remedy: {remedy} {whom} for {rule}: it did not end by itself, SIGKILL was sent"
            )
        }
        ActOutcome::Undone => format!("remedy: {remedy} {whom} for {rule}: taken back"),
        ActOutcome::DryRun => format!("remedy: would {remedy} {whom} for {rule} (dry run)"),
        ActOutcome::AwaitsApproval => format!(
            "remedy: would {remedy} {whom} for {rule}, when you approve it: sudo genome-trace \
             remedy approve {rule} {remedy} {}",
            ShellWord(persona.as_bytes())
        ),
        ActOutcome::Refused(_) => format!("remedy: will not {remedy} {whom} for {rule}: {why}"),
        ActOutcome::Failed(_) => format!("remedy: cannot {remedy} {whom} for {rule}: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AlertProcess, Persona, ProcessKey, Remedy, Rule, WallTime};

    #[test]
    fn each_outcome_in_words() {
        let outcomes = [
            ActOutcome::AwaitsApproval,
            ActOutcome::Done,
            ActOutcome::Ended,
            ActOutcome::Forced,
            ActOutcome::Undone,
            ActOutcome::DryRun,
            ActOutcome::Refused("its persona is in [remedies] deny".to_owned()),
            ActOutcome::Failed("it has ended".to_owned()),
        ];
        let act = |outcome| Act {
            wall_time: WallTime { unix_ns: 0 },
            alert: 1,
            rule: Rule::MassCreate,
            persona: Some(Persona { name: "Code\nExpert".to_owned(), genome_id: None }),
            process: AlertProcess {
                key: ProcessKey { tgid: 4_711, start_time: 1 },
                comm: Some("python3".to_owned()),
                argv: None,
            },
            remedy: Remedy::Kill,
            outcome,
        };
        let words: Vec<_> = outcomes.map(|outcome| sentence(&act(outcome))).into();
        insta::assert_snapshot!(words.join("\n"));
    }
}

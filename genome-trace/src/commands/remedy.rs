//! `remedy`: what the recorder may do about alerts, and what it did.

use std::{os::unix::ffi::OsStrExt as _, path::Path, process::ExitCode};

use super::{approvals::Approvals, shell};
use crate::{
    cli::{DEFAULT_STORE, OneApproval, RemedyAction, RemedyOptions},
    kernel::clock::{ClockOffset, boot_ns},
    model::{Act, ActOutcome, Approval, TimeRange, WallTime},
    render::{
        act::sentence,
        text::{Escaped, ShellWord},
        time::LocalDateTime,
    },
    store::{History as _, Place, Reader},
};

/// Does it, and says what has changed.
pub(super) fn run(options: &RemedyOptions) -> anyhow::Result<ExitCode> {
    let approvals = Approvals::of(&options.store);
    match &options.action {
        RemedyAction::Approve(one) => {
            let approval = approval(one);
            let is_new = approvals.add(approval.clone())?;
            eprintln!(
                "genome-trace: {} {}",
                said(&approval),
                if is_new { "is approved" } else { "was approved before" }
            );
            Ok(ExitCode::SUCCESS)
        }
        RemedyAction::Revoke(one) => {
            let approval = approval(one);
            let was_there = approvals.remove(&approval)?;
            eprintln!(
                "genome-trace: {} {}",
                said(&approval),
                if was_there { "is no longer approved" } else { "was not approved" }
            );
            Ok(ExitCode::SUCCESS)
        }
        RemedyAction::List { last } => {
            let now = ClockOffset::now().wall_time(boot_ns());
            let length = i64::try_from(last.duration.as_nanos()).unwrap_or(i64::MAX);
            let from = WallTime { unix_ns: now.unix_ns.saturating_sub(length) };
            let reader = Reader::open(Place::new(&options.store))?;
            let acts = reader.acts(TimeRange { from, until: now })?;
            let approved: Vec<_> = approvals.shown()?.into_iter().collect();
            let zone = jiff::tz::TimeZone::system();
            shell::print(list(&approved, &acts, &options.store, &zone).as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn approval(one: &OneApproval) -> Approval {
    Approval { rule: one.rule, persona: one.persona.clone(), remedy: one.remedy }
}

fn said(approval: &Approval) -> String {
    let Approval { rule, persona, remedy } = approval;
    format!("{remedy} {} for {rule}", Escaped(persona.as_bytes()))
}

fn list(approved: &[Approval], acts: &[Act], store: &Path, zone: &jiff::tz::TimeZone) -> String {
    let store = match store == Path::new(DEFAULT_STORE) {
        true => String::new(),
        false => format!(" --store {}", ShellWord(store.as_os_str().as_bytes())),
    };
    let mut text = String::new();
    let mut section = |title: &str, none: &str, lines: Vec<String>| {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("{title}\n"));
        let lines = if lines.is_empty() { vec![none.to_owned()] } else { lines };
        for line in lines {
            text.push_str(&format!("  {line}\n"));
        }
    };
    section("Approved", "nothing", approved.iter().map(said).collect());
    let mut awaited: Vec<Approval> = acts
        .iter()
        .filter(|act| act.outcome == ActOutcome::AwaitsApproval)
        .filter_map(|act| {
            let persona = act.persona.as_ref()?.name.clone();
            Some(Approval { rule: act.rule, persona, remedy: act.remedy })
        })
        .filter(|asked| !approved.contains(asked))
        .collect();
    awaited.sort();
    awaited.dedup();
    let awaited = awaited.iter().map(|asked| {
        let persona = ShellWord(asked.persona.as_bytes());
        format!(
            "{} (sudo genome-trace remedy approve {} {} {persona}{store})",
            said(asked),
            asked.rule,
            asked.remedy
        )
    });
    section("Awaits approval", "nothing", awaited.collect());
    let done = acts
        .iter()
        .rev()
        .map(|act| format!("{}  {}", LocalDateTime(act.wall_time, zone), sentence(act)));
    section("Done, or not", "nothing", done.collect());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AlertProcess, Persona, ProcessKey, Remedy, Rule};

    fn act(unix_ns: i64, outcome: ActOutcome) -> Act {
        Act {
            wall_time: WallTime { unix_ns },
            alert: 1,
            rule: Rule::MassCreate,
            persona: Some(Persona { name: "Code Expert".to_owned(), genome_id: None }),
            process: AlertProcess {
                key: ProcessKey { tgid: 4_711, start_time: 1 },
                comm: Some("python3".to_owned()),
                argv: None,
            },
            remedy: Remedy::Stop,
            outcome,
        }
    }

    #[test]
    fn what_is_approved_is_awaited_no_longer() {
        let acts = [
            act(0, ActOutcome::AwaitsApproval),
            act(1_000_000_000, ActOutcome::Refused("its persona is in [remedies] deny".to_owned())),
            act(2_000_000_000, ActOutcome::Done),
        ];
        let approval = Approval {
            rule: Rule::MassCreate,
            persona: "Code Expert".to_owned(),
            remedy: Remedy::Stop,
        };
        let zone = jiff::tz::TimeZone::UTC;
        let store = Path::new(DEFAULT_STORE);
        insta::assert_snapshot!(list(&[], &acts, store, &zone));
        insta::assert_snapshot!(list(&[approval], &[], store, &zone));
        let elsewhere = list(&[], &acts, Path::new("/srv/my store"), &zone);
        assert!(elsewhere.contains("'Code Expert' --store '/srv/my store')"), "{elsewhere}");
    }
}

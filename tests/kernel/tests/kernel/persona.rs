//! For whom a process works: every event of it says so, whatever else happens
//! on the machine, and no event of another one does.

mod bare_program;
mod filter;
mod inheritance;
mod listing;
mod pid_reuse;
mod rules;
mod trees;

use std::collections::BTreeMap;

use anyhow::Context as _;
use genome_trace_tests_kernel::{Checks, Context, Event, Events, Program, Suite, Workload};

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("persona::trees_of_three", trees::of_three);
    suite.once("persona::ten_thousand_children", |context| {
        inheritance::ten_thousand_children(context, false)
    });
    suite.once("persona::ten_thousand_children_without_environment", |context| {
        inheritance::ten_thousand_children(context, true)
    });
    suite.once("persona::started_before_the_tracer", inheritance::started_before);
    suite.once("persona::started_before_the_tracer_by_rule", inheritance::started_before_by_rule);
    suite.of_userspace("persona::control_characters_in_a_name", inheritance::control_characters);
    suite.once("persona::a_pid_used_again", pid_reuse::a_pid_used_again);
    suite.per_mode("persona::filter_in_the_kernel", filter::in_the_kernel);
    suite.per_mode("persona::filter_counts_exactly", filter::counts_exactly);
    suite.of_userspace("persona::rules_are_read_again", rules::read_again);
    suite.of_userspace("persona::own_rule_beats_parent", rules::own_beats_parent);
    suite.of_userspace("persona::environment_not_trusted", rules::environment_not_trusted);
    suite.of_userspace("persona::environment_of_one_user_trusted", rules::environment_of_one_user);
    suite.of_userspace("persona::a_broken_rule_file_ends_the_start", rules::broken_from_the_start);
    suite.of_userspace("persona::run_names_a_command", listing::run_names_a_command);
    suite.of_userspace("persona::those_of_now_are_listed", listing::those_of_now);
}

/// One process, told apart from all that had or will have its pid.
type Life = (u64, u64);

/// Whose a process is: a name and an id.
type Whose<'a> = (Option<&'a str>, Option<&'a str>);

/// A name, and an id.
#[derive(Clone, Copy, Debug)]
struct Persona {
    name: &'static str,
    id: &'static str,
}

impl Persona {
    fn whose(self) -> Whose<'static> {
        (Some(self.name), Some(self.id))
    }

    /// Lets the workload claim it.
    fn claimed_by<'a>(self, workload: Workload<'a>) -> Workload<'a> {
        workload.env("GENOME_PERSONA", self.name).env("GENOME_ID", self.id)
    }

    /// Lets the program claim it.
    fn claimed_by_program<'a>(self, program: Program<'a>) -> Program<'a> {
        program.env("GENOME_PERSONA", self.name).env("GENOME_ID", self.id)
    }
}

fn whose(event: &Event) -> Whose<'_> {
    (event.text("persona"), event.text("genome_id"))
}

fn life(event: &Event) -> Option<Life> {
    Some((event.tgid()?, event.number("start_time")?))
}

/// Runs a program that does nothing, with a word that finds it again.
fn exit_with_word<'a>(context: &'a Context, word: &str) -> Program<'a> {
    context.program(&context.setup.workload).args(["exit", word])
}

/// The one exec event with such a word among its arguments.
fn exec_with_word<'a>(events: &'a Events, word: &str) -> anyhow::Result<&'a Event> {
    let mut found = events
        .kind("exec")
        .filter(|event| event.argv().iter().any(|argument| argument.ends_with(word)));
    let first = found.next().with_context(|| format!("no exec has the word {word}"))?;
    anyhow::ensure!(found.next().is_none(), "more than one exec has the word {word}");
    Ok(first)
}

/// Every event of one process, by kind.
fn events_of(events: &Events, wanted: Life) -> BTreeMap<&str, Vec<&Event>> {
    let mut by_kind: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    for event in events.of_processes().filter(|event| life(event) == Some(wanted)) {
        by_kind.entry(event.kind()).or_default().push(event);
    }
    by_kind
}

/// The process was forked with the first persona, and had the second one from
/// its exec to its exit; each of the three is told once.
fn check_life(
    checks: &mut Checks,
    events: &Events,
    exec: &Event,
    at_birth: Whose<'_>,
    then: Whose<'_>,
) {
    let argv = exec.argv().join(" ");
    let Some(process) = life(exec) else {
        checks.fail(format_args!("the exec of {argv} does not tell its process"));
        return;
    };
    let by_kind = events_of(events, process);
    for (kind, wanted) in [("fork", at_birth), ("exec", then), ("exit", then)] {
        let told: Vec<Whose<'_>> =
            by_kind.get(kind).into_iter().flatten().map(|event| whose(event)).collect();
        checks.equal(format_args!("whose {kind} of {argv} is"), told, vec![wanted]);
    }
}

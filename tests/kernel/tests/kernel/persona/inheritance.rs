//! Personas that processes say by their environment, and hand on.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;

use anyhow::Context as _;
use genome_trace_tests_kernel::{Checks, Context, Event, Held, Launch, Workload};
use rustix::process::Signal;

use super::{Life, Persona, check_life, exec_with_word, exit_with_word, life, whose};

const OURS: Persona = Persona { name: "gt-launcher", id: "gen-launcher" };
const EARLY: Persona = Persona { name: "gt-early", id: "gen-early" };
const BY_RULE: Persona = Persona { name: "gt-early-by-rule", id: "gen-rule" };

/// Only the launcher says whose it is; with an empty environment its children
/// have it by their birth alone.
pub(super) fn ten_thousand_children(context: &Context, cleared: bool) -> anyhow::Result<()> {
    let count = context.setup.scale.processes;
    let tracer = context.tracer().start()?;
    let storm = context.workload("spawn-storm").option("--count", count).option("--jobs", 4);
    let storm = if cleared { storm.flag("--clear-env") } else { storm };
    let truth = OURS.claimed_by(storm).run()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let launcher = truth.pid()?;
    let forks = trace.events.kind("fork").filter(|event| event.number("ppid") == Some(launcher));
    let children: BTreeSet<Life> = forks.filter_map(life).collect();
    checks.equal("children", children.len() as u64, count);
    for kind in ["fork", "exec", "exit"] {
        let of_children: Vec<&Event> = trace
            .events
            .kind(kind)
            .filter(|event| life(event).is_some_and(|life| children.contains(&life)))
            .collect();
        checks.equal(format_args!("{kind} of children"), of_children.len() as u64, count);
        let others = of_children.iter().filter(|event| whose(event) != OURS.whose()).count();
        checks.equal(format_args!("{kind} of children that are not ours"), others, 0);
    }
    for kind in ["exec", "exit"] {
        let told: Vec<_> = trace.events.of(kind, launcher).map(whose).collect();
        checks.equal(format_args!("whose {kind} of the launcher is"), told, vec![OURS.whose()]);
    }
    for event in trace.events.of_processes().filter(|event| whose(event) == OURS.whose()) {
        checks.holds(
            event.tgid() == Some(launcher) || life(event).is_some_and(|it| children.contains(&it)),
            format_args!("another's event: {}", event.json()),
        );
    }
    trace.check_no_lifecycle_lost(&mut checks);
    checks.verdict()
}

pub(super) fn started_before(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let tree = tree(context).path("--dir", &folder.path().join("tree"));
    let held = EARLY.claimed_by(tree).hold()?;
    grow_under(context.tracer(), held, EARLY)
}

pub(super) fn started_before_by_rule(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let (rules, dir) = (folder.path().join("rules.toml"), folder.path().join("tree"));
    fs::write(
        &rules,
        format!(
            "[[persona]]\nname = '{}'\ngenome_id = '{}'\nargv = '{}'\n",
            BY_RULE.name,
            BY_RULE.id,
            dir.display()
        ),
    )
    .context("write the rules")?;
    let held = tree(context).path("--dir", &dir).hold()?;
    grow_under(context.tracer().option("--personas", rules.display()), held, BY_RULE)
}

fn tree(context: &Context) -> Workload<'_> {
    context.workload("tree").option("--depth", 2).option("--width", 3)
}

/// Lets a waiting tree grow under a new tracer: all of it is the persona's.
fn grow_under(launch: Launch<'_>, held: Held, persona: Persona) -> anyhow::Result<()> {
    let tracer = launch.start()?;
    let truth = held.release()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let launcher = truth.pid()?;
    let told: Vec<_> = trace.events.of("exit", launcher).map(whose).collect();
    checks.equal("whose exit of the launcher is", told, vec![persona.whose()]);
    let pids = truth.numbers("/pids");
    checks.equal("processes of the tree", pids.len(), 1 + 3 + 9);
    for pid in pids {
        for kind in ["fork", "file_create", "exit"] {
            let told: Vec<_> = trace.events.of(kind, pid).map(whose).collect();
            checks.equal(format_args!("whose {kind} of {pid} is"), told, vec![persona.whose()]);
        }
    }
    checks.verdict()
}

/// A name is data: JSON keeps every byte, a terminal is told none that it
/// would obey.
pub(super) fn control_characters(context: &Context) -> anyhow::Result<()> {
    const NAME: &str = "a\u{1b}[31mb\n\u{9b}2Jgt-forged \r\u{7f}";
    const WORD: &str = "gt-control-characters";
    let program = || exit_with_word(context, WORD).env("GENOME_PERSONA", NAME);

    let tracer = context.tracer().start()?;
    program().succeed()?;
    let trace = tracer.stop()?;
    let mut checks = Checks::new();
    let exec = exec_with_word(&trace.events, WORD)?;
    checks.equal("the name", exec.text("persona"), Some(NAME));
    let forked = trace.events.of("fork", exec.tgid().unwrap_or(0)).next();
    let at_birth = forked.map(whose).unwrap_or_default();
    check_life(&mut checks, &trace.events, exec, at_birth, (Some(NAME), None));

    let folder = context.folder()?;
    let output = folder.path().join("output");
    let stdout = fs::File::create(&output).context("create the tracer's output")?;
    let tracer = context.tracer().without_json().start_into(Stdio::from(stdout))?;
    program().succeed()?;
    tracer.signal(Signal::INT)?;
    tracer.finish()?;
    let text = fs::read_to_string(&output).context("read the tracer's output")?;
    let lines: Vec<&str> = text.split('\n').collect();
    let told: Vec<&&str> = lines.iter().filter(|line| line.contains("[31mb")).collect();
    checks.holds(!told.is_empty(), "the name is not shown");
    for line in told {
        // The name's later half is on the same line, or was left out.
        checks.holds(
            !line.ends_with("[31mb") && !line.contains(|letter: char| letter.is_control()),
            format_args!("not escaped: {line:?}"),
        );
    }
    for line in lines {
        checks.holds(
            !line.trim_start_matches(|letter: char| letter.is_control()).starts_with("gt-forged"),
            format_args!("a line of the name's making: {line:?}"),
        );
        checks.holds(!line.contains(['\u{1b}', '\u{9b}', '\r']), format_args!("raw: {line:?}"));
    }
    checks.verdict()
}

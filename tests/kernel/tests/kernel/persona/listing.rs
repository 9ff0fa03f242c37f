//! The two commands that deal with personas and trace nothing.

use anyhow::Context as _;
use genome_trace_tests_kernel::{Checks, Context, Unsupported, find};
use serde_json::Value;

use super::{Persona, whose};

/// `genome-trace run` becomes the command itself, with a persona.
pub(super) fn run_names_a_command(context: &Context) -> anyhow::Result<()> {
    const GIVEN: Persona = Persona { name: "gt-given", id: "gen-given" };
    let tracer = context.tracer().start()?;
    let ended = context
        .program(&context.setup.tracer)
        .args(["run", "--name-only", "--persona", GIVEN.name, "--genome-id", GIVEN.id, "--"])
        .arg(&context.setup.workload)
        .args(["exit", "--code", "7", "gt-run"])
        .run()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    checks.equal("the exit status", ended.status.code(), Some(7));
    let execs: Vec<_> = trace
        .events
        .of("exec", ended.pid)
        .map(|event| (whose(event) == GIVEN.whose(), event.argv().last() == Some(&"gt-run")))
        .collect();
    // First genome-trace, whose arguments end alike, then the command.
    checks.equal("execs: the persona's, with the word", execs, vec![(false, true), (true, true)]);
    let exits: Vec<_> = trace
        .events
        .of("exit", ended.pid)
        .map(|event| (whose(event), event.payload_number("code")))
        .collect();
    checks.equal("exits", exits, vec![(GIVEN.whose(), Some(7))]);
    checks.verdict()
}

/// `genome-trace personas` finds a process by its environment, and a child
/// that has none by its parent.
pub(super) fn those_of_now(context: &Context) -> anyhow::Result<()> {
    const LISTED: Persona = Persona { name: "gt-listed", id: "gen-listed" };
    let tool = |name: &str| find(name).ok_or_else(|| Unsupported(format!("there is no {name}")));
    let (shell, env) = (tool("sh")?, tool("env")?);
    // A second command, so that the shell does not become the first one.
    let parent = context
        .program(shell)
        .args(["-c", r#""$1" -i "$2" --hold spawn-storm --count 0; exit $?"#, "sh"])
        .args([&env, &context.setup.workload]);
    let parent = LISTED.claimed_by_program(parent).hold()?;
    let held: Value = serde_json::from_str(&parent.next_line()?).context("the held child")?;
    let child = held.get("pid").and_then(Value::as_u64).context("the child's pid")?;
    let listing = context.program(&context.setup.tracer).args(["personas", "--format=json"]);
    let listed = listing.run()?;
    let parent = parent.succeed()?;

    let mut checks = Checks::new();
    checks.equal("the exit status", listed.status.code(), Some(0));
    let lines: Vec<Value> = listed
        .stdout
        .iter()
        .map(|line| serde_json::from_str(line).with_context(|| format!("not JSON: {line}")))
        .collect::<Result<_, _>>()?;
    let text =
        |value: &Value, field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let ours: Vec<&Value> =
        lines.iter().filter(|line| text(line, "persona").as_deref() == Some(LISTED.name)).collect();
    checks.equal("lines of the persona", ours.len(), 1);
    for line in ours {
        checks.equal("version", line.get("v").and_then(Value::as_u64), Some(1));
        checks.equal("id", text(line, "genome_id").as_deref(), Some(LISTED.id));
        checks.equal("source", text(line, "source").as_deref(), Some("environment"));
        for field in ["decided_by", "since"] {
            checks.holds(
                text(line, field).is_some_and(|text| !text.is_empty()),
                format_args!("{field} is missing: {line}"),
            );
        }
        let mut processes: Vec<_> = line
            .get("processes")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|process| {
                let inherited = process.get("inherited").and_then(Value::as_bool);
                (process.get("tgid").and_then(Value::as_u64), inherited)
            })
            .collect();
        processes.sort_unstable();
        let mut wanted = [(Some(parent), Some(false)), (Some(child), Some(true))];
        wanted.sort_unstable();
        checks.equal("processes", processes, wanted.to_vec());
    }
    checks.verdict()
}

//! Pids come again; personas do not come with them.

use genome_trace_tests_kernel::{Checks, Context, Event, Trace};

use super::{Whose, events_of, life, whose};

const DEAD: &str = "gt-dead-one";
const MOST_ROUNDS: u64 = 20;

/// A process with a persona, and a child of it, end; others get their pids,
/// by fork alone and with an exec.
pub(super) fn a_pid_used_again(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let rounds = context.setup.scale.rounds.min(MOST_ROUNDS);
    let tracer = context.tracer().start()?;
    let truth = context
        .workload("pid-reuse")
        .path("--dir", folder.path())
        .option("--persona", DEAD)
        .option("--rounds", rounds)
        .run()?;
    let trace = tracer.stop()?;
    eprintln!("pids were chosen by {}", truth.text("/by")?);

    let mut checks = Checks::new();
    // What processes have that nobody speaks for, such as the launcher.
    let exit = trace.events.of("exit", truth.pid()?).next();
    let nobody = exit.map(whose).unwrap_or_default();
    checks.holds(nobody.0 != Some(DEAD), "the launcher has the persona");
    let dead: Whose<'_> = (Some(DEAD), None);
    let (owners, heirs) = (truth.numbers("/owners"), truth.numbers("/heirs"));
    checks.equal("owners", owners.len() as u64, rounds);
    checks.equal("heirs", heirs.len() as u64, rounds);
    for (round, (owner, heir)) in owners.into_iter().zip(heirs).enumerate() {
        let mut check = |who: &str, pid: u64, kinds: &[(&str, Whose<'_>)]| {
            let path = folder.path().join(format!("{who}-{round}"));
            let path = path.to_string_lossy();
            match creation(&trace, &path) {
                Some(event) => check_process(&mut checks, &trace, event, pid, kinds),
                None => checks.fail(format_args!("{path} was not created")),
            }
        };
        let owned = [("fork", nobody), ("exec", dead), ("file_create", dead), ("exit", dead)];
        check("owner", owner, &owned);
        check("heir", heir, &[("fork", dead), ("file_create", dead), ("exit", dead)]);
        let forked = [("fork", nobody), ("file_create", nobody), ("exit", nobody)];
        let executed = [forked.as_slice(), &[("exec", nobody)]].concat();
        for (who, pid) in [("owner", owner), ("heir", heir)] {
            check(&format!("{who}-forked"), pid, &forked);
            check(&format!("{who}-executed"), pid, &executed);
        }
    }
    trace.check_no_lifecycle_lost(&mut checks);
    checks.verdict()
}

fn creation<'a>(trace: &'a Trace, path: &str) -> Option<&'a Event> {
    trace.events.kind("file_create").find(|event| event.payload_text("path") == Some(path))
}

/// The process that created the file had that pid, each of these kinds once,
/// and nothing of another persona.
fn check_process(
    checks: &mut Checks,
    trace: &Trace,
    created: &Event,
    pid: u64,
    kinds: &[(&str, Whose<'_>)],
) {
    let path = created.payload_text("path").unwrap_or("");
    checks.equal(format_args!("the pid that created {path}"), created.tgid(), Some(pid));
    let Some(process) = life(created) else {
        checks.fail(format_args!("no process created {path}"));
        return;
    };
    let by_kind = events_of(&trace.events, process);
    for (kind, wanted) in kinds {
        let told: Vec<Whose<'_>> =
            by_kind.get(kind).into_iter().flatten().map(|event| whose(event)).collect();
        checks.equal(format_args!("whose {kind} of {path}'s creator is"), told, vec![*wanted]);
    }
    let writes = by_kind.get("file_write").into_iter().flatten();
    let wanted = whose(created);
    for event in writes.filter(|event| whose(event) != wanted) {
        checks.fail(format_args!("another's write than {wanted:?}: {}", event.json()));
    }
}

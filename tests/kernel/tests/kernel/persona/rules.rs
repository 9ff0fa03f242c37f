//! Personas by rules: which rule wins, and what becomes of a rule file that
//! changes.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use genome_trace_tests_kernel::{Checks, Context, Tracer, Unsupported, find};

use super::{Persona, check_life, exec_with_word, exit_with_word, whose};

const UID: u64 = 47_110;
const FEW: u64 = 20;
/// What the tracer says of the rules that it had, where the new ones are broken.
const KEPT: &str = " kept";
const BROKEN: &str = "[[persona]]\nname = \n";

/// A file that takes the place of another at once, as editors do it.
fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, text).with_context(|| format!("write {}", new.display()))?;
    fs::rename(&new, path).with_context(|| format!("put {} in place", path.display()))
}

pub(super) fn read_again(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let file = folder.path().join("rules.toml");
    let naming = |name: &str| {
        format!("[[persona]]\nname = '{name}'\ngenome_id = 'of-{name}'\nargv = 'gt-rule-word'\n")
    };
    put(&file, &naming("gt-before"))?;
    let tracer = context.tracer().option("--personas", file.display()).start()?;
    exit_with_word(context, "gt-rule-word-1").succeed()?;
    change(&tracer, &file, &naming("gt-after"), &["read again"])?;
    exit_with_word(context, "gt-rule-word-2").succeed()?;
    let place = format!("{}:2:", file.display());
    change(&tracer, &file, BROKEN, &[&place, KEPT])?;
    exit_with_word(context, "gt-rule-word-3").succeed()?;
    // A file that is right again is read like any other.
    change(&tracer, &file, &naming("gt-last"), &["read again"])?;
    exit_with_word(context, "gt-rule-word-4").succeed()?;
    let nobody = exit_with_word(context, "gt-no-rule").succeed()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let at_birth = trace.events.of("fork", nobody).next().map(whose).unwrap_or_default();
    for (word, name) in [
        ("gt-rule-word-1", "gt-before"),
        ("gt-rule-word-2", "gt-after"),
        ("gt-rule-word-3", "gt-after"),
        ("gt-rule-word-4", "gt-last"),
    ] {
        let exec = exec_with_word(&trace.events, word)?;
        let id = format!("of-{name}");
        check_life(&mut checks, &trace.events, exec, at_birth, (Some(name), Some(&id)));
    }
    let exec = exec_with_word(&trace.events, "gt-no-rule")?;
    check_life(&mut checks, &trace.events, exec, at_birth, at_birth);
    checks.verdict()
}

fn change(tracer: &Tracer, file: &Path, text: &str, words: &[&str]) -> anyhow::Result<()> {
    put(file, text)?;
    tracer.process().await_words(words)?;
    Ok(())
}

/// A child that a rule speaks of is that rule's, and so are its children; its
/// brothers stay the parent's.
pub(super) fn own_beats_parent(context: &Context) -> anyhow::Result<()> {
    const PARENT: Persona = Persona { name: "gt-parent", id: "gen-parent" };
    const CHILD: Persona = Persona { name: "gt-child", id: "gen-child" };
    let shell = find("sh").ok_or_else(|| Unsupported("there is no sh".to_owned()))?;
    let folder = context.folder()?;
    let file = |name: &str| folder.path().join(name);
    let rule = |persona: Persona, argv: &str| {
        let Persona { name, id } = persona;
        format!("[[persona]]\nname = '{name}'\ngenome_id = '{id}'\nargv = '{argv}'\n")
    };
    let rules = rule(PARENT, r"gt-parent\.sh") + &rule(CHILD, r"gt-child\.sh");
    fs::write(file("rules.toml"), rules).context("write the rules")?;
    let parent = r#""$1" exit gt-elder; "$2" "$3/gt-child.sh" "$1"; "$1" exit gt-younger; exit 0"#;
    fs::write(file("gt-parent.sh"), parent).context("write the parent")?;
    fs::write(file("gt-child.sh"), r#""$1" exit gt-grandchild; exit 0"#)
        .context("write the child")?;
    let tracer = context.tracer().option("--personas", file("rules.toml").display()).start()?;
    context
        .program(&shell)
        .arg(file("gt-parent.sh"))
        .args([&context.setup.workload, &shell])
        .arg(folder.path())
        .succeed()?;
    exit_with_word(context, "gt-stranger").succeed()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let (parent, child) = (PARENT.whose(), CHILD.whose());
    let stranger = exec_with_word(&trace.events, "gt-stranger")?;
    let nobody = whose(stranger);
    checks.holds(nobody != parent && nobody != child, "a stranger has a persona of the rules");
    for (word, at_birth, then) in [
        ("gt-parent.sh", nobody, parent),
        ("gt-elder", parent, parent),
        ("gt-child.sh", parent, child),
        ("gt-grandchild", child, child),
        ("gt-younger", parent, parent),
        ("gt-stranger", nobody, nobody),
    ] {
        let exec = exec_with_word(&trace.events, word)?;
        check_life(&mut checks, &trace.events, exec, at_birth, then);
    }
    checks.verdict()
}

pub(super) fn environment_not_trusted(context: &Context) -> anyhow::Result<()> {
    const CLAIMED: Persona = Persona { name: "gt-impostor", id: "gen-impostor" };
    let folder = context.folder()?;
    let file = folder.path().join("rules.toml");
    fs::write(&file, "trust_env = []\n").context("write the rules")?;
    let claiming = |word| CLAIMED.claimed_by_program(exit_with_word(context, word));
    let tracer = context.tracer().option("--personas", file.display()).start()?;
    exit_with_word(context, "gt-honest").succeed()?;
    claiming("gt-claiming").succeed()?;
    let untrusting = tracer.stop()?;
    // The same claim where it is believed: what is tested above is the rule.
    let tracer = context.tracer().start()?;
    claiming("gt-believed").succeed()?;
    let trusting = tracer.stop()?;

    let mut checks = Checks::new();
    let nobody = whose(exec_with_word(&untrusting.events, "gt-honest")?);
    let exec = exec_with_word(&untrusting.events, "gt-claiming")?;
    check_life(&mut checks, &untrusting.events, exec, nobody, nobody);
    for event in untrusting.events.of_processes() {
        checks.holds(
            event.text("persona") != Some(CLAIMED.name)
                && event.text("genome_id") != Some(CLAIMED.id),
            format_args!("a claim was believed: {}", event.json()),
        );
    }
    let exec = exec_with_word(&trusting.events, "gt-believed")?;
    check_life(&mut checks, &trusting.events, exec, nobody, CLAIMED.whose());
    checks.verdict()
}

/// Root's claim is not believed, the claim of one other user is.
pub(super) fn environment_of_one_user(context: &Context) -> anyhow::Result<()> {
    const CLAIMED: Persona = Persona { name: "gt-of-one-user", id: "gen-user" };
    let folder = context.folder()?;
    let file = folder.path().join("rules.toml");
    fs::write(&file, format!("trust_env = [\"uid:{UID}\"]\n")).context("write the rules")?;
    let tracer = context.tracer().option("--personas", file.display()).start()?;
    let storm = || CLAIMED.claimed_by(context.workload("spawn-storm").option("--count", FEW));
    let roots = storm().run()?;
    let users = storm().option("--as-uid", UID).run()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    for (truth, wanted) in [(roots, false), (users, true)] {
        let launcher = Some(truth.pid()?);
        for kind in ["exec", "exit"] {
            let events = trace.events.kind(kind);
            let children: Vec<_> =
                events.filter(|event| event.number("ppid") == launcher).map(whose).collect();
            checks.equal(format_args!("{kind} of children"), children.len() as u64, FEW);
            let believed = children.iter().filter(|told| **told == CLAIMED.whose()).count() as u64;
            let wanted = if wanted { FEW } else { 0 };
            checks.equal(format_args!("believed {kind} of {launcher:?}"), believed, wanted);
        }
    }
    checks.verdict()
}

/// Nothing is traced by rules that nobody wrote.
pub(super) fn broken_from_the_start(context: &Context) -> anyhow::Result<()> {
    let folder = context.folder()?;
    let file = folder.path().join("rules.toml");
    fs::write(&file, BROKEN).context("write the rules")?;
    let ended = context
        .program(&context.setup.tracer)
        .args(["--follow", "--format=json", "--duration=10s", "--personas"])
        .arg(&file)
        .run()?;

    let mut checks = Checks::new();
    checks.equal("the exit status", ended.status.code(), Some(1));
    checks.equal("stdout", &ended.stdout, &Vec::<String>::new());
    let place = format!("{}:2:", file.display());
    checks.holds(
        ended.stderr.iter().any(|line| line.contains(&place)),
        format_args!("no line has {place}: {:?}", ended.stderr),
    );
    checks.holds(
        !ended.stderr.iter().any(|line| line.starts_with("genome-trace: tracing")),
        format_args!("it traced before it ended: {:?}", ended.stderr),
    );
    checks.verdict()
}

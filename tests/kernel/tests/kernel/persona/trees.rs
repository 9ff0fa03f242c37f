//! Whole trees of real programs, three at once, amid others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use genome_trace_tests_kernel::{
    Checks, Context, Event, Events, Program, Started, Trace, Unsupported, find,
};

use super::{Life, Persona, life, whose};

const PERSONAS: [Persona; 3] = [
    Persona { name: "gt-architect", id: "gen-a1" },
    // One name begins like another: nothing shorter than the whole tells them.
    Persona { name: "gt-architect of tests", id: "gen-b2" },
    Persona { name: "gt-Prüfer", id: "gen-c3" },
];
/// Other processes in each round, and how many of them live at once.
const OTHERS: u64 = 100;
const OTHERS_AT_ONCE: u64 = 8;

/// `$1` the folder, `$2` sort, `$3` python or nothing, `$4` a compiler or
/// nothing, `$5` the second stage's program. Every stage reports its pid.
const FIRST_STAGE: &str = r#"
echo $$ >>"$1/pids"
if [ -n "$3" ]; then
    "$3" -S -E -B -c "$5" "$1" "$2" || exit 1
else
    "$0" -c "$5" "$0" "$1" "$2" || exit 1
fi
if [ -n "$4" ]; then
    TMPDIR=$1 "$4" -c -o "$1/object" "$1/source.c" || exit 1
fi
exit 0
"#;

const PYTHON_STAGE: &str = r#"
import os, sys
folder, sort = sys.argv[1:]

def report(pid):
    with open(folder + "/pids", "a") as pids:
        pids.write(f"{pid}\n")

report(os.getpid())
with open(folder + "/unsorted", "w") as unsorted:
    unsorted.write("c\nb\na\n")
child = os.fork()
if child == 0:
    out = os.open(folder + "/sorted", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.dup2(out, 1)
    os.execv(sort, [sort, folder + "/unsorted"])
report(child)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

const SHELL_STAGE: &str = r#"
echo $$ >>"$1/pids"
printf 'c\nb\na\n' >"$1/unsorted"
"$2" "$1/unsorted" >"$1/sorted" &
echo $! >>"$1/pids"
wait $!
"#;

/// The programs that a tree is made of.
struct Tools {
    shell: PathBuf,
    sort: PathBuf,
    python: Option<PathBuf>,
    compiler: Option<PathBuf>,
}

/// One tree: whose it is, its folder, and its root while it runs.
struct Tree {
    persona: Persona,
    folder: PathBuf,
    root: u64,
}

pub(super) fn of_three(context: &Context) -> anyhow::Result<()> {
    let tools = Tools::of_this_machine(context)?;
    let folder = context.folder()?;
    // Before the tracer: what is created in a tree's folder afterwards is the
    // tree's own.
    let mut rounds = Vec::new();
    for round in 0..context.setup.scale.rounds {
        let mut folders = Vec::new();
        for index in 0..PERSONAS.len() {
            let path = folder.path().join(format!("round-{round}-{index}"));
            fs::create_dir(&path).context("make a tree's folder")?;
            fs::write(path.join("source.c"), "int answer(void) { return 42; }\n")
                .context("write a source file")?;
            folders.push(path);
        }
        rounds.push(folders);
    }
    let tracer = context.tracer().start()?;
    let mut trees = Vec::new();
    for folders in rounds {
        let others = context
            .workload("spawn-storm")
            .option("--count", OTHERS)
            .option("--jobs", OTHERS_AT_ONCE)
            .start_free()?;
        let mut running: Vec<(Persona, PathBuf, Started)> = Vec::new();
        for (persona, folder) in PERSONAS.into_iter().zip(folders) {
            let root = persona.claimed_by_program(tools.tree(context, &folder)).start()?;
            running.push((persona, folder, root));
        }
        for (persona, folder, root) in running {
            trees.push(Tree { persona, root: root.succeed()?, folder });
        }
        others.finish_or_else(context.setup.patience, || Ok(()))?;
    }
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    check_lives(&mut checks, &trace.events, &trees)?;
    check_files(&mut checks, &trace, &trees, &tools);
    trace.check_no_lifecycle_lost(&mut checks);
    checks.verdict()
}

impl Tools {
    fn of_this_machine(context: &Context) -> anyhow::Result<Self> {
        let needed = |name: &str| {
            find(name).ok_or_else(|| Unsupported(format!("there is no {name} on this machine")))
        };
        let python = find("python3").map(|python| real_python(context, &python)).transpose()?;
        let compiler = find("gcc");
        eprintln!("trees of sh, {python:?}, sort and {compiler:?}");
        Ok(Self { shell: needed("sh")?, sort: needed("sort")?, python, compiler })
    }

    fn tree<'a>(&self, context: &'a Context, folder: &Path) -> Program<'a> {
        let or_nothing = |tool: &Option<PathBuf>| tool.clone().unwrap_or_default();
        let second = if self.python.is_some() { PYTHON_STAGE } else { SHELL_STAGE };
        context
            .program(&self.shell)
            .args(["-c", FIRST_STAGE])
            .args([&self.shell, folder, &self.sort])
            .args([or_nothing(&self.python), or_nothing(&self.compiler)])
            .arg(second)
    }
}

/// The interpreter itself: what stands on `PATH` may be a script that starts
/// dozens of programs first, in every round.
fn real_python(context: &Context, python: &Path) -> anyhow::Result<PathBuf> {
    let ended = context.program(python).args(["-c", "import sys; print(sys.executable)"]).run()?;
    let path = ended.stdout.first().filter(|_| ended.status.success());
    path.map(PathBuf::from).with_context(|| format!("python3 does not work: {ended:?}"))
}

/// Every event of a tree's processes is its persona's, and none of any other.
fn check_lives(checks: &mut Checks, events: &Events, trees: &[Tree]) -> anyhow::Result<()> {
    let owners = descent(checks, events, trees);
    let of_ours = PERSONAS.map(|persona| persona.name);
    for event in events.of_processes() {
        let owner = life(event).and_then(|life| owners.get(&life));
        match owner.and_then(|owner| trees.get(*owner)) {
            // The shell is forked by this program, which works for nobody.
            Some(tree) if event.tgid() == Some(tree.root) && event.kind() == "fork" => checks
                .holds(
                    whose(event) != tree.persona.whose(),
                    format_args!("the fork of a root: {}", event.json()),
                ),
            Some(tree) => checks.holds(
                whose(event) == tree.persona.whose(),
                format_args!("not {}'s: {}", tree.persona.name, event.json()),
            ),
            None => checks.holds(
                event.text("persona").is_none_or(|name| !of_ours.contains(&name)),
                format_args!("outside of every tree: {}", event.json()),
            ),
        }
    }
    let mut kinds: BTreeMap<(usize, &str), BTreeMap<u64, u64>> = BTreeMap::new();
    for event in events.of_processes() {
        if let (Some(owner), Some(tgid)) =
            (life(event).and_then(|life| owners.get(&life)), event.tgid())
        {
            *kinds.entry((*owner, event.kind())).or_default().entry(tgid).or_default() += 1;
        }
    }
    for (index, tree) in trees.iter().enumerate() {
        let of_kind = |kind: &str| kinds.get(&(index, kind)).cloned().unwrap_or_default();
        let name = format!("{}", tree.folder.display());
        let (forked, exited) = (of_kind("fork"), of_kind("exit"));
        checks.equal(format_args!("exits of {name} against its forks"), &exited, &forked);
        for pid in tree.reported()? {
            checks.equal(format_args!("forks of {pid} in {name}"), forked.get(&pid), Some(&1));
            checks.holds(
                of_kind("exec").contains_key(&pid),
                format_args!("no exec of {pid} in {name}"),
            );
        }
    }
    Ok(())
}

/// Whose each process is by its parents alone, back to the roots: what the
/// tracer says of personas is not asked.
fn descent(checks: &mut Checks, events: &Events, trees: &[Tree]) -> BTreeMap<Life, usize> {
    let mut owners = BTreeMap::new();
    for (index, tree) in trees.iter().enumerate() {
        // The folder's name tells the root from others that had its pid.
        let folder = tree.folder.to_string_lossy();
        let root = events
            .of("exec", tree.root)
            .find(|event| event.argv().iter().any(|word| *word == folder));
        match root.and_then(life) {
            Some(life) => {
                owners.insert(life, index);
            }
            None => checks.fail(format_args!("no exec of the root in {folder}")),
        }
    }
    let mut forks: Vec<&Event> = events.kind("fork").collect();
    forks.sort_by_key(|event| event.text("time"));
    let mut alive: BTreeMap<u64, Life> = BTreeMap::new();
    for fork in forks {
        let Some(child) = life(fork) else {
            checks.fail(format_args!("a fork without a process: {}", fork.json()));
            continue;
        };
        let parent = fork.number("ppid").and_then(|ppid| alive.get(&ppid));
        if let Some(owner) = parent.and_then(|parent| owners.get(parent)).copied() {
            owners.entry(child).or_insert(owner);
        }
        alive.insert(child.0, child);
    }
    owners
}

impl Tree {
    /// The pids that its stages left.
    fn reported(&self) -> anyhow::Result<BTreeSet<u64>> {
        let path = self.folder.join("pids");
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let pids: BTreeSet<u64> =
            text.lines().map(str::parse).collect::<Result<_, _>>().context("a reported pid")?;
        anyhow::ensure!(pids.len() == 3, "{} has not three pids: {text}", path.display());
        Ok(pids)
    }
}

/// What happened in a tree's folder is its persona's.
fn check_files(checks: &mut Checks, trace: &Trace, trees: &[Tree], tools: &Tools) {
    let by_folder: BTreeMap<&Path, &Tree> =
        trees.iter().map(|tree| (tree.folder.as_path(), tree)).collect();
    let mut seen: BTreeMap<(&str, &Path), u64> = BTreeMap::new();
    for event in trace.events.of_processes().filter(|event| event.kind().starts_with("file_")) {
        let Some(path) = event.payload_text("path").map(Path::new) else { continue };
        let Some(tree) = path.parent().and_then(|folder| by_folder.get(folder)) else { continue };
        checks.holds(
            whose(event) == tree.persona.whose(),
            format_args!("not {}'s file: {}", tree.persona.name, event.json()),
        );
        *seen.entry((event.kind(), path)).or_default() += 1;
    }
    let object = tools.compiler.iter().map(|_| "object");
    let files: Vec<&str> = ["pids", "unsorted", "sorted"].into_iter().chain(object).collect();
    for kind in ["file_create", "file_write"] {
        let mut missing = Vec::new();
        for file in trees.iter().flat_map(|tree| files.iter().map(|file| tree.folder.join(file))) {
            match seen.get(&(kind, file.as_path())) {
                None => missing.push(file),
                Some(1) => {}
                Some(count) => checks.holds(
                    kind != "file_create",
                    format_args!("{count} creations of {}", file.display()),
                ),
            }
        }
        let told = trace.loss.of(kind) + trace.loss.of("skipped");
        checks.holds(
            missing.len() as u64 <= told,
            format_args!("no {kind} of {missing:?}, but {told} are told as lost"),
        );
    }
}

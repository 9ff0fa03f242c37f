//! Ordinary work under the default settings: who compiles, installs, clones,
//! loads a database and runs tests is no alarm.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use genome_trace::model::{Alert, TimeRange};
use genome_trace::store::{AlertQuery, History as _, Place, Reader};
use genome_trace_tests_kernel::{Checks, Context, Recorder, Suite, find};

pub(crate) fn add_to(suite: &mut Suite) {
    suite.of_userspace("alerts::ordinary_work_is_no_alarm", ordinary_work);
}

/// Some work: its name, the programs that it takes, and a shell's script. `$N`
/// is how much of it there is, and the working directory is empty.
struct Work {
    name: &'static str,
    needs: &'static [&'static str],
    prepare: &'static str,
    script: &'static str,
}

const WORKS: [Work; 6] = [
    Work {
        name: "a compile",
        needs: &["cc", "make", "ar"],
        prepare: r#"
            mkdir src
            for i in $(seq "$N"); do
                printf '#include <stdio.h>\nint f%s(int a) { printf("%%d", a); return a * %s; }\n' \
                    "$i" "$i" > "src/f$i.c"
            done
            printf 'OBJECTS = $(patsubst src/%%.c,build/%%.o,$(wildcard src/*.c))\n' > Makefile
            printf 'build/all.a: $(OBJECTS)\n\tar rcs $@ $^\n' >> Makefile
            printf 'build/%%.o: src/%%.c\n\t@mkdir -p build\n\tcc -O1 -c -o $@ $<\n' >> Makefile
        "#,
        script: "make -s -j2",
    },
    Work {
        name: "a package install",
        needs: &["python3"],
        prepare: "",
        // pip and what it needs, out of the wheels that come with Python.
        script: "python3 -m venv environment",
    },
    Work {
        name: "a clone",
        needs: &["git"],
        prepare: r#"
            git init -q origin
            cd origin
            for i in $(seq "$N"); do
                mkdir -p "part$((i % 50))"
                echo "file $i" > "part$((i % 50))/file$i.txt"
            done
            git add .
            git -c user.name=test -c user.email=test@example.org commit -qm all
        "#,
        script: "git clone -q --no-local origin copy",
    },
    Work {
        name: "an archive unpacked",
        needs: &["tar"],
        prepare: r#"
            mkdir tree
            for i in $(seq "$N"); do
                mkdir -p "tree/part$((i % 50))"
                echo "file $i" > "tree/part$((i % 50))/file$i.txt"
            done
            tar cf tree.tar tree
        "#,
        script: "mkdir unpacked && tar xf tree.tar -C unpacked",
    },
    Work {
        name: "a database load",
        needs: &["python3"],
        prepare: "",
        // A journal is made and unlinked for each transaction.
        script: r#"python3 - "$N" <<'PYTHON'
import sqlite3, sys
database = sqlite3.connect("load.db")
database.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, name TEXT)")
for batch in range(int(sys.argv[1])):
    with database:
        rows = ((batch * 100 + row, "row") for row in range(100))
        database.executemany("INSERT INTO rows VALUES (?, ?)", rows)
PYTHON
"#,
    },
    Work {
        name: "a test suite",
        needs: &["python3"],
        // Each test has a folder of its own, with files and processes in it.
        prepare: r#"cat > test_files.py <<'PYTHON'
import os, pathlib, subprocess, tempfile, unittest

class Files(unittest.TestCase):
    pass

def test(number):
    def run(self):
        with tempfile.TemporaryDirectory(dir=".") as folder:
            for name in range(5):
                pathlib.Path(folder, f"{name}.txt").write_text("x" * name)
            self.assertEqual(len(list(pathlib.Path(folder).iterdir())), 5)
            if number % 20 == 0:
                subprocess.run(["true"], check=True)
    return run

for number in range(int(os.environ["N"])):
    setattr(Files, f"test_{number}", test(number))
PYTHON
"#,
        script: "python3 -m unittest -q test_files",
    },
];

/// Each work once by a persona and once by nobody.
fn ordinary_work(context: &Context) -> anyhow::Result<()> {
    let (store, place) = (context.folder()?, context.folder()?);
    let amount = (context.setup.scale.files / 50).to_string();
    let recorder = context.recorder(store.path()).start_into(Stdio::null()).map(Recorder)?;
    let mut done = Vec::new();
    for work in &WORKS {
        if let Some(missing) = work.needs.iter().find(|program| find(program).is_none()) {
            eprintln!("{} is left out: there is no {missing}", work.name);
            continue;
        }
        for persona in [Some("Builder"), None] {
            let folder =
                place.path().join(format!("{}-{}", work.name, persona.unwrap_or("nobody")));
            std::fs::create_dir(&folder)?;
            shell(context, &folder, work.prepare, &amount, None)?;
            shell(context, &folder, work.script, &amount, persona)
                .with_context(|| format!("do {}", work.name))?;
        }
        done.push(work.name);
    }
    ensure!(!done.is_empty(), "no work could be done: none of its programs is here");
    let recorded = recorder.stop(store.path())?;
    let alerts =
        Reader::open(Place::new(store.path()))?.alerts(&AlertQuery::all(TimeRange::ALL))?;
    let alerts: Vec<&Alert> = alerts.iter().collect();
    for alert in &alerts {
        eprintln!("alert: {}", alert.text);
    }
    eprintln!(
        "{} of {} works were done, {} events, {} alerts",
        done.len(),
        WORKS.len(),
        recorded.trace.loss.events,
        alerts.len()
    );
    let mut checks = Checks::new();
    checks.holds(recorded.trace.loss.events > 0, "nothing was seen");
    checks.holds(
        alerts.len() <= 1,
        format_args!("{} alerts for ordinary work: {alerts:#?}", alerts.len()),
    );
    checks.verdict()
}

fn shell(
    context: &Context,
    folder: &Path,
    script: &str,
    amount: &str,
    persona: Option<&str>,
) -> anyhow::Result<()> {
    let script = format!("set -e\ncd \"$0\"\n{script}");
    let mut shell = context.program("sh").arg("-c").arg(script).arg(folder).env("N", amount);
    if let Some(persona) = persona {
        shell = shell.env("GENOME_PERSONA", persona);
    }
    let ended = shell.run()?;
    ensure!(ended.status.success(), "it ended with {}: {:?}", ended.status, ended.stderr);
    Ok(())
}

//! What the command, its user and its terminal notice of being traced: nothing.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use anyhow::{Context as _, ensure};
use genome_trace_tests_kernel::{Checks, Context, Ended, Suite, Terminal};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};

/// A user that no list has.
const NOBODYS_UID: u32 = 54_321;

pub(crate) fn add_to(suite: &mut Suite) {
    suite.of_userspace("run::status", status);
    suite.once("run::invoking_user", invoking_user);
    suite.once("run::output", output);
    suite.once("run::output_in_terminal", output_in_terminal);
    suite.once("run::ctrl_c", ctrl_c);
    suite.once("run::job_control", job_control);
    suite.once("run::stopped_and_continued", stopped_and_continued);
    suite.once("run::signals_are_handed_on", signals_are_handed_on);
    suite.once("run::left_running", left_running);
    suite.once("run::waits_for_the_tree", waits_for_the_tree);
    suite.once("run::closes_descriptors", closes_descriptors);
    suite.once("run::persona", persona);
}

/// The command's own status, where it has one, however it comes to it.
fn status(context: &Context) -> anyhow::Result<()> {
    let mut checks = Checks::new();
    for code in [0, 1, 3, 125, 255] {
        let run = context.command_run()?;
        let (ended, report) = run.run(&["sh", "-c", &format!("exit {code}")])?;
        checks.equal("status", ended.status.code(), Some(code));
        checks.equal("outcome", report.of_run("outcome"), &json!({ "exited": { "code": code } }));
    }
    for signal in [9, 11, 15] {
        let run = context.command_run()?;
        let (ended, report) = run.run(&["sh", "-c", &format!("ulimit -c 0; kill -{signal} $$")])?;
        checks.equal("signal", ended.status.signal(), Some(signal));
        checks.holds(!ended.status.core_dumped(), "there is a core dump of genome-trace");
        let outcome = report.of_run("outcome").pointer("/signaled/signal");
        checks.equal("outcome", outcome.and_then(Value::as_i64), Some(signal.into()));
        checks.equal("signals", report.figure("signals"), Some(1));
    }
    for (command, status) in
        [("genome-trace-no-such-command", 127), ("/no/such/command", 127), ("/dev/null", 126)]
    {
        let ended = context.command_run()?.end(&[command])?;
        checks.equal(command, ended.status.code(), Some(status));
        let [told] = ended.stderr.as_slice() else { anyhow::bail!("not one line: {ended:?}") };
        checks.holds(told.contains(command), format_args!("{ended:?}"));
        checks.equal("stdout", ended.stdout.len(), 0);
    }
    checks.verdict()
}

/// Tracing takes root; the command does not get it.
fn invoking_user(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    const SAY: &str = "id -u; id -G; echo \"$HOME|$LOGNAME|$SUDO_UID|$SUDO_COMMAND\"; grep CapEff /proc/self/status";
    let uid = NOBODYS_UID.to_string();
    let sudo = |run: genome_trace_tests_kernel::CommandRun<'_>, uid: &str| -> anyhow::Result<_> {
        let run = run.env("SUDO_UID", uid).env("SUDO_GID", uid).env("SUDO_COMMAND", "x");
        run.env("HOME", "/of-root").env("LOGNAME", "root").run(&["sh", "-c", SAY])
    };
    const NO_CAPABILITIES: &str = "CapEff:\t0000000000000000";

    let mut checks = Checks::new();
    // One that no list has keeps what there is.
    let (ended, report) = sudo(context.command_run()?, &uid)?;
    let wanted = [uid.as_str(), &uid, "/of-root|root||", NO_CAPABILITIES];
    checks.equal("by sudo", ended.stdout, wanted);
    checks.equal("uid", report.count("/uid"), u64::from(NOBODYS_UID));
    // nobody is in every list.
    let passwd = fs::read_to_string("/etc/passwd").context("read the list of users")?;
    let entry = passwd.lines().find(|line| line.starts_with("nobody:"));
    if let Some(entry) = entry {
        let fields: Vec<_> = entry.split(':').collect();
        let [_, _, uid, gid, _, home, ..] = fields.as_slice() else {
            anyhow::bail!("the list of users is none: {entry}")
        };
        let said = format!("{home}|nobody||");
        let wanted = [*uid, gid, &said, NO_CAPABILITIES];
        checks.equal("by sudo, known", sudo(context.command_run()?, uid)?.0.stdout, wanted);
        let run = context.command_run()?.option("--user=nobody");
        let (ended, _) = run.run(&["sh", "-c", SAY])?;
        checks.equal("by --user", ended.stdout, wanted);
    }
    // Whoever is root without sudo stays so.
    let (ended, _) = context.command_run()?.run(&["id", "-u"])?;
    checks.equal("without sudo", ended.stdout, ["0"]);
    checks.verdict()
}

/// Byte for byte, in its order, and nothing of ours before its end.
const NOISE: &str = "i=0; while [ $i -lt 300 ]; do printf 'out %s\\0\\377\\n' $i; \
    printf 'err\\t%s\\r' $i >&2; i=$((i+1)); done; test -t 0; echo tty $?; test -t 2; echo tty $?";

fn output(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    let run = context.command_run()?;
    let folder = context.folder()?;
    let path = |name: &str| folder.path().join(name);
    // Into files, since what a trial reads are lines of text.
    let script =
        format!("\"$@\" > {} 2> {}; echo $?", path("out").display(), path("err").display());
    let shown = run.in_shell(&script, &["sh", "-c", NOISE])?.finish()?.1;
    let without = Command::new("sh").args(["-c", NOISE]).output().context("run a shell")?;

    let mut checks = Checks::new();
    checks.equal("status", String::from_utf8_lossy(&shown).trim(), "0");
    let (out, err) = (fs::read(path("out"))?, fs::read(path("err"))?);
    // Of the three terminals only stdin is one here.
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let without_out = text(&without.stdout).replacen("tty 1", "tty 0", 1);
    checks.equal("stdout", text(&out), without_out);
    checks.holds(err.starts_with(&without.stderr), "stderr does not begin with the command's");
    let rest = text(err.get(without.stderr.len()..).unwrap_or_default());
    checks.holds(rest.starts_with("genome-trace: "), format_args!("stderr goes on: {rest}"));
    checks.verdict()
}

fn output_in_terminal(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    let run = context.command_run()?;
    let (status, shown) = run.in_terminal(&["sh", "-c", NOISE])?.finish()?;
    let mut without = Command::new("sh");
    without.args(["-c", NOISE]);
    let (_, without) = Terminal::start(without, context.deadline)?.finish()?;

    let mut checks = Checks::new();
    checks.holds(status.success(), format_args!("it ended with {status}"));
    checks.holds(shown.starts_with(&without), "the terminal was shown something else");
    let rest = String::from_utf8_lossy(shown.get(without.len()..).unwrap_or_default());
    checks.holds(rest.starts_with("genome-trace: "), format_args!("it goes on: {rest}"));
    checks.verdict()
}

/// It reaches the command once, which may do as it likes about it.
fn ctrl_c(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    const OBSTINATE: &str = "trap 'echo caught' INT; echo ready; read line; \
        while [ \"$line\" != end ]; do read line; done; exit 5";
    let run = context.command_run()?;
    let mut terminal = run.in_terminal(&["sh", "-c", OBSTINATE])?;
    terminal.await_text("ready")?;
    for _ in 0..2 {
        terminal.type_in(b"\x03")?;
        terminal.await_text("caught")?;
    }
    terminal.type_in(b"end\n")?;
    let (status, shown) = terminal.finish()?;

    let mut checks = Checks::new();
    checks.equal("status", status.code(), Some(5));
    let shown = String::from_utf8_lossy(&shown);
    // What genome-trace says in the end has the command's words, too.
    let (of_command, _) = shown.split_once("genome-trace: ").context("it says nothing")?;
    let caught = of_command.matches("caught").count();
    checks.equal("SIGINT caught", caught, 2);

    let mut terminal = run.in_terminal(&["sh", "-c", "echo ready; exec sleep 1000"])?;
    terminal.await_text("ready")?;
    terminal.type_in(b"\x03")?;
    let (status, _) = terminal.finish()?;
    checks.equal("signal", status.signal(), Some(2));
    checks.equal("told", run.report()?.of_run("signals"), &json!({ "SIGINT": 1 }));
    checks.verdict()
}

/// The shell whose job it is sees it stop, and continues it.
fn job_control(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    const SHELL: &str = "set -m; \"$@\"; echo stopped with $?; fg > /dev/null; echo over with $?";
    let mut checks = Checks::new();
    // Ctrl-Z, and a command that stops itself alone.
    for (command, key) in [
        ("echo ready; read line; echo \"read $line\"; exit 4", Some(b"\x1a")),
        ("kill -STOP $$; read line; echo \"read $line\"; exit 4", None),
        ("kill -TSTP $$; read line; echo \"read $line\"; exit 4", None),
    ] {
        let run = context.command_run()?;
        let mut terminal = run.in_shell(SHELL, &["sh", "-c", command])?;
        if let Some(key) = key {
            terminal.await_text("ready")?;
            terminal.type_in(key)?;
        }
        // 128 and the signal's number.
        terminal.await_text("stopped with 148")?;
        terminal.type_in(b"a line\n")?;
        terminal.await_text("read a line")?;
        terminal.await_text("over with 4")?;
        terminal.finish()?;
        checks.equal("processes", run.report()?.figure("processes"), Some(1));
    }
    checks.verdict()
}

/// By somebody who is not its shell, and without a terminal: nobody else stops.
fn stopped_and_continued(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    let run = context.command_run()?;
    let script = "echo $$; read line; echo \"$line\"; exit 6";
    let mut started = run.start(&["sh", "-c", script])?;
    let pid: i32 = started.next_line()?.parse().context("read a pid")?;
    let pid = Pid::from_raw(pid).context("read a pid")?;
    kill_process(pid, Signal::STOP).context("stop the command")?;
    started.say("while it was stopped")?;
    kill_process(pid, Signal::CONT).context("continue the command")?;
    ensure!(started.next_line()? == "while it was stopped");
    let ended = started.finish()?;

    let mut checks = Checks::new();
    checks.equal("status", ended.status.code(), Some(6));
    checks.equal("processes", run.report()?.figure("processes"), Some(1));
    checks.verdict()
}

/// What somebody sends to genome-trace alone is meant for the command.
fn signals_are_handed_on(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    let mut checks = Checks::new();
    for (signal, name) in [
        (Signal::INT, "INT"),
        (Signal::TERM, "TERM"),
        (Signal::HUP, "HUP"),
        (Signal::QUIT, "QUIT"),
        (Signal::USR1, "USR1"),
    ] {
        let run = context.command_run()?;
        let script =
            format!("trap 'echo got {name}; exit 8' {name}; echo ready; read line; exit 9");
        let started = run.start(&["sh", "-c", &script])?;
        ensure!(started.next_line()? == "ready");
        started.signal(signal)?;
        checks.equal("the command says", started.next_line()?, format!("got {name}"));
        checks.equal(name, started.finish()?.status.code(), Some(8));
    }
    checks.verdict()
}

/// The run is over when the command is.
fn left_running(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    let run = context.command_run()?;
    // It is a daemon: nobody's child, without our descriptors.
    let script = "(sleep 1000 < /dev/null > /dev/null 2>&1 & echo $!)";
    let (ended, report) = run.run(&["sh", "-c", script])?;
    let pid: i32 = ended.stdout.first().context("no pid")?.parse().context("read a pid")?;
    let pid = Pid::from_raw(pid).context("read a pid")?;
    let is_there = test_kill_process(pid).is_ok();
    let _ = kill_process(pid, Signal::KILL);

    let mut checks = Checks::new();
    checks.holds(ended.status.success(), format_args!("{ended:?}"));
    checks.holds(is_there, "the daemon was not left alone");
    let left = report.of_run("left_running").as_object();
    let sleeps = left.into_iter().flatten().filter(|(name, _)| !name.ends_with("/sh"));
    let sleeps: Vec<_> = sleeps.map(|(_, count)| count.as_u64()).collect();
    checks.equal("left running", sleeps, [Some(1)]);
    checks.verdict()
}

fn waits_for_the_tree(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    let folder = context.folder()?;
    let (go, late) = (folder.path().join("go"), folder.path().join("late"));
    let script = format!(
        "mkfifo {0}; (read line < {0}; echo late > {1}; exit 3) < /dev/null > /dev/null 2>&1 & \
         echo over",
        go.display(),
        late.display()
    );
    let run = context.command_run()?.option("--wait");
    let started = run.start(&["sh", "-c", &script])?;
    ensure!(started.next_line()? == "over");
    // Opening it waits for the one that reads.
    fs::write(&go, "go\n").context("let it go")?;
    let ended = started.finish()?;
    let report = run.report()?;

    let mut checks = Checks::new();
    checks.holds(ended.status.success(), format_args!("{ended:?}"));
    checks.equal("what was left wrote", fs::read_to_string(&late)?, "late\n");
    checks.equal("left running", report.of_run("left_running"), &json!({}));
    checks.equal("ended with 3", report.count("/runs/0/endings/exit 3"), 1);
    checks.equal("files created", report.figure("files_created"), Some(1));
    checks.verdict()
}

fn closes_descriptors(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    let folder = context.folder()?;
    let path = folder.path().join("created");
    let script = format!(
        "exec 0<&- 1>&- 2>&-; for fd in 3 4 5 6 7 8 9; do eval \"exec $fd>&-\"; done; \
         echo a > {}; exit 4",
        path.display()
    );
    let (ended, report): (Ended, _) = context.command_run()?.run(&["sh", "-c", &script])?;

    let mut checks = Checks::new();
    checks.equal("status", ended.status.code(), Some(4));
    checks.equal("files created", report.figure("files_created"), Some(1));
    checks.equal("stdout", ended.stdout.len(), 0);
    checks.verdict()
}

/// It has the name in its environment, and its crash is a worker's.
fn persona(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    let run = context.command_run()?.option("--persona=Prüfer").option("--genome-id=g1");
    let script = "echo \"$GENOME_PERSONA|$GENOME_ID\"; exit 2";
    let (ended, report) = run.run(&["sh", "-c", script])?;

    let mut checks = Checks::new();
    checks.equal("environment", ended.stdout, ["Prüfer|g1"]);
    checks.equal("persona", report.at("/persona").and_then(Value::as_str), Some("Prüfer"));
    let crash = report.of_run("crashes").get(0).context("no crash is listed")?;
    checks.equal("kind", crash.get("kind").and_then(Value::as_str), Some("error_exit"));
    checks.equal("whose", crash.get("persona").and_then(Value::as_str), Some("Prüfer"));
    checks.verdict()
}

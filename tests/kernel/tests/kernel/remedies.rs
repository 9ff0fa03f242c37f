//! What is done about alerts, to real processes: nothing before somebody has
//! approved it, then just that, to the one that did it, and all of it is told.

use std::fs;
use std::io::{Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use genome_trace::kernel::{clock, pidfd::HeldProcess, process::ProcProcess};
use genome_trace::model::{Act, ActOutcome, ProcessKey, Remedy, Rule, TimeRange};
use genome_trace::store::{History as _, Place as Store, Reader};
use genome_trace_tests_kernel::{
    Checks, Context, Place, Program, Recorder, Started, Suite, Unsupported, cpu_ns,
};
use rustix::process::Signal;
use serde_json::Value;

use crate::cgroup::{Cgroup, Hierarchy};

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("remedies::a_worker_is_stopped_once_that_is_approved", stopped);
    suite.once("remedies::a_worker_is_killed_at_last", killed);
    suite.once("remedies::a_throttled_cgroup_gets_less_and_then_all", throttled);
    suite.once("remedies::a_dry_run_and_a_denied_persona", not_done);
    suite.once("remedies::the_recorder_does_nothing_to_itself", never_itself);
    suite.once("remedies::a_pid_that_is_anothers_by_now", recycled);
}

/// From so many files on it is too much, and critical from a hundred times that.
const FILES: u64 = 5;
/// What a worker creates.
const CREATED: &str = "600";
/// A few, which is no alarm.
const FEW: &str = "3";

/// What the recorder says when an alert is over.
const OVER: &str = "alert, critical ended: ";

/// It waits for a line, creates files, says so, and waits until its stdin ends.
const WORKER: &str = r#"
read -r go
i=0
while [ "$i" -lt "$1" ]; do i=$((i + 1)); : > "$0/$i"; done
echo made
read -r end
"#;
/// The same, with a child, and it goes on when it is asked to end.
const STUBBORN: &str = r#"
trap '' TERM
sleep 1000 &
echo $!
read -r go
i=0
while [ "$i" -lt "$1" ]; do i=$((i + 1)); : > "$0/$i"; done
echo made
read -r end
"#;
/// The same, and then it takes all the CPU time that it can get.
const BUSY: &str = r#"
read -r go
i=0
while [ "$i" -lt "$1" ]; do i=$((i + 1)); : > "$0/$i"; done
echo made
while :; do :; done
"#;

/// A recorder with a configuration of its own, and what is asked of its store.
struct Trial<'a> {
    context: &'a Context,
    place: Place,
    recorder: Recorder,
}

impl<'a> Trial<'a> {
    fn new(context: &'a Context, remedies: &str) -> anyhow::Result<Self> {
        Self::with(context, remedies, &[])
    }

    fn with(context: &'a Context, remedies: &str, flags: &[&str]) -> anyhow::Result<Self> {
        let place = Place::new(context)?;
        let config = place.folder().join("config.toml");
        let text = format!(
            "[alerts]\ncooldown = \"5s\"\n\n[alerts.files]\nfiles = {FILES}\nquiet = \"5s\"\n\n\
             [remedies]\nenabled = true\n{remedies}"
        );
        fs::write(&config, text).context("write a configuration")?;
        let launch = context.recorder(&place.store()).option("--config", config.display());
        let launch = flags.iter().fold(launch, |launch, flag| launch.flag(flag));
        let recorder = Recorder(launch.start_into(Stdio::null())?);
        Ok(Self { context, place, recorder })
    }

    fn store(&self) -> PathBuf {
        self.place.store()
    }

    /// `genome-trace remedy ACTION ...`, as somebody at a terminal.
    fn remedy(&self, words: &[&str]) -> anyhow::Result<Vec<String>> {
        let program = self.context.program(&self.context.setup.tracer).arg("remedy").args(words);
        let ended = program.arg("--store").arg(self.store()).run()?;
        ensure!(ended.status.success(), "remedy {words:?} did not succeed: {ended:?}");
        Ok(ended.stdout.into_iter().chain(ended.stderr).collect())
    }

    fn approve(&self, remedy: &str, persona: &str) -> anyhow::Result<()> {
        let said = self.remedy(&["approve", "mass_create", remedy, persona])?;
        ensure!(said.iter().any(|line| line.ends_with("is approved")), "{said:?}");
        Ok(())
    }

    /// A worker that has not begun.
    fn worker(&self, persona: Option<&str>, script: &str, files: &str) -> anyhow::Result<Started> {
        let folder = self.place.folder().join(format!("out-{}", persona.unwrap_or("nobody")));
        fs::create_dir_all(&folder).context("make a folder")?;
        let program = self.context.program("sh").args(["-c", script]).arg(folder).arg(files);
        claim(program, persona).hold()
    }

    /// The lines of stderr up to one that has all these words.
    fn await_line(&self, words: &[&str]) -> anyhow::Result<String> {
        let said = self.recorder.0.await_line(words)?;
        said.last().cloned().context("no line")
    }

    /// What was done, as soon as the store has so much of it.
    fn acts(&self, count: usize) -> anyhow::Result<Vec<Act>> {
        loop {
            let acts = acts(&self.store())?;
            if acts.len() >= count {
                return Ok(acts);
            }
            self.context.deadline.remaining(format_args!("{count} acts: {acts:?}"))?;
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// The one alert, as `--alerts` tells it.
    fn alert(&self) -> anyhow::Result<Value> {
        let report = self.ask("json")?;
        let report: Value = serde_json::from_str(&report).context("--alerts is no JSON")?;
        let alerts = report.get("alerts").and_then(Value::as_array).context("no alerts")?;
        let [alert] = alerts.as_slice() else { anyhow::bail!("not one alert: {report}") };
        Ok(alert.clone())
    }

    fn ask(&self, format: &str) -> anyhow::Result<String> {
        let program = self.context.program(&self.context.setup.tracer).arg("--alerts");
        let program = program.arg("--rule=mass_create").arg(format!("--format={format}"));
        let ended = program.arg("--store").arg(self.store()).run()?;
        ensure!(ended.status.success(), "--alerts did not succeed: {ended:?}");
        Ok(ended.stdout.join("\n"))
    }
}

/// Nothing tells when the store has something, or the kernel a process' state.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

fn claim<'a>(program: Program<'a>, persona: Option<&str>) -> Program<'a> {
    match persona {
        Some(persona) => program.env("GENOME_PERSONA", persona),
        None => program,
    }
}

fn acts(store: &Path) -> anyhow::Result<Vec<Act>> {
    Ok(Reader::open(Store::new(store))?.acts(TimeRange::ALL)?)
}

/// The letter of a process' state (proc_pid_stat(5)).
fn state(pid: u64) -> anyhow::Result<char> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()).context("a stat without state")
}

fn await_state(
    context: &Context,
    pid: u64,
    is_wanted: impl Fn(char) -> bool,
) -> anyhow::Result<()> {
    loop {
        let state = state(pid)?;
        if is_wanted(state) {
            return Ok(());
        }
        context.deadline.remaining(format_args!("process {pid} is in state {state}"))?;
        thread::sleep(LOOK_AGAIN);
    }
}

fn goes_on(pid: u64) -> anyhow::Result<bool> {
    Ok(!matches!(state(pid)?, 'T' | 't' | 'Z' | 'X'))
}

fn begin(worker: &mut Started) -> anyhow::Result<()> {
    worker.say("go")?;
    let line = worker.next_line()?;
    ensure!(line == "made", "the worker said {line:?}");
    Ok(())
}

fn outcomes(acts: &[Act]) -> Vec<&'static str> {
    acts.iter().map(|act| act.outcome.name()).collect()
}

fn key(pid: u64) -> anyhow::Result<ProcessKey> {
    let tgid = u32::try_from(pid)?;
    let found = ProcProcess::read(tgid).with_context(|| format!("there is no process {pid}"))?;
    Ok(ProcessKey { tgid, start_time: found.start_ns() })
}

/// Whether the tick of the clock is still that in which a process began.
fn in_tick_of(key: ProcessKey) -> bool {
    /// USER_HZ is 100 on every architecture but one (time(7)).
    const TICK_NS: u64 = 10_000_000;
    clock::boot_ns() / TICK_NS == key.start_time / TICK_NS
}

/// Who did it is asked for, approved, and stopped; nobody else is.
fn stopped(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    let trial = Trial::new(context, "[remedies.rule]\nmass_create = \"stop\"\n")?;
    let mut offender = trial.worker(Some("gt-offender"), WORKER, CREATED)?;
    // Of the same persona, and without a file.
    let idle = trial.worker(Some("gt-offender"), WORKER, FEW)?;
    let mut sibling = trial.worker(Some("gt-sibling"), WORKER, FEW)?;
    let mut stranger = trial.worker(None, WORKER, CREATED)?;
    begin(&mut sibling)?;
    begin(&mut stranger)?;
    begin(&mut offender)?;
    let mut checks = Checks::new();

    let pid = offender.pid();
    let asked = trial.await_line(&["would stop"])?;
    let command = "genome-trace remedy approve mass_create stop gt-offender";
    checks.holds(asked.contains(command), format_args!("asked: {asked}"));
    checks.holds(asked.contains(&format!("({pid})")), format_args!("of whom: {asked}"));
    checks.equal("before anybody asked", outcomes(&trial.acts(1)?), vec!["awaits_approval"]);
    let listed = trial.remedy(&["list"])?.join("\n");
    checks.holds(listed.contains(&format!("sudo {command}")), format_args!("listed: {listed}"));
    checks.holds(goes_on(pid)?, "it was stopped before anybody approved");

    // Its work is done, so no further finding comes: the approval counts all
    // the same.
    trial.approve("stop", "gt-offender")?;
    let done = trial.await_line(&["remedy: stop", "done"])?;
    checks.holds(done.contains(&format!("({pid})")), format_args!("to whom: {done}"));
    await_state(context, pid, |state| state == 'T')?;
    for (who, other) in
        [("the idle one", &idle), ("the sibling", &sibling), ("a stranger", &stranger)]
    {
        checks.holds(goes_on(other.pid())?, format_args!("{who} was stopped, too"));
    }

    let acts = trial.acts(2)?;
    checks.equal("what was done", outcomes(&acts), vec!["awaits_approval", "done"]);
    let alert = trial.alert()?;
    let key = key(pid)?;
    for act in &acts {
        checks.equal("the rule", act.rule, Rule::MassCreate);
        checks.equal("the remedy", act.remedy, Remedy::Stop);
        let persona = act.persona.as_ref().map(|persona| persona.name.as_str());
        checks.equal("the persona", persona, Some("gt-offender"));
        checks.equal("the process", act.process.key.tgid, key.tgid);
        // /proc has whole ticks.
        let apart = act.process.key.start_time.abs_diff(key.start_time);
        checks.holds(apart <= 10_000_000, format_args!("its start is {apart} ns off"));
        checks.equal("the alert", Some(act.alert), alert.get("id").and_then(Value::as_i64));
    }
    checks.equal("its severity", alert.get("severity"), Some(&Value::from("critical")));
    let told = alert.get("acts").and_then(Value::as_array).cloned().unwrap_or_default();
    let told: Vec<_> = told
        .iter()
        .map(|act| (act["remedy"].clone(), act["outcome"].clone(), act["tgid"].clone()))
        .collect();
    let one = |outcome: &str| (Value::from("stop"), Value::from(outcome), Value::from(pid));
    checks.equal("--alerts", told, vec![one("awaits_approval"), one("done")]);
    let text = trial.ask("table")?;
    checks.holds(text.contains("for mass_create: done"), format_args!("--alerts: {text}"));
    let listed = trial.remedy(&["list"])?.join("\n");
    let approved = "Approved\n  stop gt-offender for mass_create\n";
    checks.holds(listed.contains(approved), format_args!("listed: {listed}"));
    checks.holds(listed.contains("Awaits approval\n  nothing"), format_args!("listed: {listed}"));

    // Whoever lets it go on is not contradicted while the alert lasts.
    offender.signal(Signal::CONT)?;
    await_state(context, pid, |state| state == 'S')?;
    trial.await_line(&[OVER, "gt-offender"])?;
    checks.holds(goes_on(pid)?, "it was stopped again");
    for worker in [offender, idle, sibling, stranger] {
        worker.finish()?;
    }
    let store = trial.store();
    trial.recorder.stop(&store)?;
    checks.equal("in all", acts_of(&store)?, vec!["awaits_approval", "done"]);
    checks.verdict()
}

fn acts_of(store: &Path) -> anyhow::Result<Vec<&'static str>> {
    Ok(outcomes(&acts(store)?))
}

/// One that ends when it is asked to, and one that does not; its child is let
/// alone.
fn killed(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    const GRACE: Duration = Duration::from_secs(10);
    let trial = Trial::new(context, "[remedies.rule]\nmass_create = \"kill\"\n")?;
    trial.approve("kill", "gt-soft")?;
    trial.approve("kill", "gt-hard")?;
    let mut checks = Checks::new();
    let mut soft = trial.worker(Some("gt-soft"), WORKER, CREATED)?;
    begin(&mut soft)?;
    trial.await_line(&["remedy: kill", "gt-soft", "it has ended"])?;
    let ended = soft.finish()?;
    checks.equal("the signal that ended it", signal(&ended.status), Some(15));

    let mut hard = trial.worker(Some("gt-hard"), STUBBORN, CREATED)?;
    let child: u64 = hard.next_line()?.parse().context("the child's pid")?;
    begin(&mut hard)?;
    trial.await_line(&["remedy: kill", "gt-hard", "done"])?;
    let asked = Instant::now();
    trial.await_line(&["remedy: kill", "gt-hard", "SIGKILL was sent"])?;
    let waited = asked.elapsed();
    trial.await_line(&["remedy: kill", "gt-hard", "it has ended"])?;
    // A second for the look at those that are to end.
    let due = GRACE.saturating_sub(Duration::from_secs(1))..=GRACE + Duration::from_secs(3);
    checks.holds(due.contains(&waited), format_args!("SIGKILL came after {waited:?}"));
    checks.holds(goes_on(child)?, "its child was ended, too");
    HeldProcess::open(key(child)?)?.signal(Signal::KILL)?;
    let ended = hard.finish()?;
    checks.equal("the signal that ended it", signal(&ended.status), Some(9));
    let (store, recorder) = (trial.store(), trial.recorder.0.pid());
    let recorded = trial.recorder.stop(&store)?;
    checks.equal("in all", acts_of(&store)?, vec!["done", "ended", "done", "forced", "ended"]);
    // The recorder sees its own signal like any other's.
    let mut signals = recorded.trace.events.of("signal", ended.pid);
    let kill = signals.find(|event| event.payload_text("signal") == Some("SIGKILL"));
    let sender = kill.and_then(|event| event.payload_number("sender_tgid"));
    checks.equal("who sent SIGKILL", sender, Some(recorder.into()));
    checks.verdict()
}

fn signal(status: &std::process::ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(status)
}

/// The limit binds while the alert lasts, and is gone after it, or when the
/// recorder ends; and nobody else is limited with it.
fn throttled(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    let hierarchy = Hierarchy::of_cpu()?;
    let cgroup = hierarchy.new_cgroup("throttled")?;
    let before = cgroup.cpu_limit()?;
    let trial = Trial::new(context, "[remedies.rule]\nmass_create = \"throttle\"\n")?;
    for persona in ["gt-busy", "gt-later", "gt-mixed"] {
        trial.approve("throttle", persona)?;
    }
    let mut checks = Checks::new();
    let start = |persona: &str, cgroup: &Cgroup| {
        let mut worker = trial.worker(Some(persona), BUSY, CREATED)?;
        cgroup.take_in(u32::try_from(worker.pid())?)?;
        begin(&mut worker)?;
        anyhow::Ok(worker)
    };
    let worker = start("gt-busy", &cgroup)?;
    trial.await_line(&["remedy: throttle", "gt-busy", "done"])?;
    checks.equal("the limit", cgroup.cpu_limit()?.percent(), Some(20));
    let (share, throttled) = share(&cgroup, worker.pid(), Duration::from_secs(3))?;
    println!("    throttled: {share:.1} % of a processor, {throttled} periods cut short");
    // What a period's end lets through, and /proc's ticks.
    checks.holds(share <= 25.0, format_args!("it got {share:.1} % of a processor"));
    checks.holds(throttled > 0, "the kernel held it up in no period");
    trial.await_line(&["remedy: throttle", "gt-busy", "taken back"])?;
    checks.equal("the limit afterwards", cgroup.cpu_limit()?, before.clone());
    checks.equal("held up afterwards", held_up_in_a_second(&cgroup)?, 0);
    worker.signal(Signal::KILL)?;
    worker.finish()?;

    // Somebody else is in there, too.
    let mut other = trial.worker(None, WORKER, FEW)?;
    cgroup.take_in(u32::try_from(other.pid())?)?;
    begin(&mut other)?;
    let worker = start("gt-mixed", &cgroup)?;
    let refused = trial.await_line(&["cannot throttle", "gt-mixed"])?;
    let who = format!("process {} is in it, too", other.pid());
    checks.holds(refused.contains(&who), format_args!("refused: {refused}"));
    checks.equal("the limit of both", cgroup.cpu_limit()?, before.clone());
    worker.signal(Signal::KILL)?;
    worker.finish()?;
    other.finish()?;

    let worker = start("gt-later", &cgroup)?;
    trial.await_line(&["remedy: throttle", "gt-later", "done"])?;
    checks.equal("the limit", cgroup.cpu_limit()?.percent(), Some(20));
    let store = trial.store();
    trial.recorder.stop(&store)?;
    checks.equal("the limit after the end", cgroup.cpu_limit()?, before);
    worker.signal(Signal::KILL)?;
    worker.finish()?;
    let in_all = vec!["done", "undone", "failed", "done", "undone"];
    checks.equal("in all", acts_of(&store)?, in_all);
    checks.verdict()
}

/// What a process gets of a processor, in percent, and in how many periods its
/// cgroup was held up meanwhile.
fn share(cgroup: &Cgroup, pid: u64, time: Duration) -> anyhow::Result<(f64, u64)> {
    let pid = u32::try_from(pid)?;
    let (used, held_up, since) = (cpu_ns(pid)?, cgroup.times_throttled()?, Instant::now());
    thread::sleep(time);
    let (used, time) = (cpu_ns(pid)?.saturating_sub(used), since.elapsed());
    #[allow(clippy::cast_precision_loss)]
    let share = used as f64 / time.as_nanos() as f64 * 100.0;
    Ok((share, cgroup.times_throttled()?.saturating_sub(held_up)))
}

/// In how many periods a cgroup is held up in a second that begins with the
/// next period.
fn held_up_in_a_second(cgroup: &Cgroup) -> anyhow::Result<u64> {
    thread::sleep(Duration::from_millis(200));
    let before = cgroup.times_throttled()?;
    thread::sleep(Duration::from_secs(1));
    Ok(cgroup.times_throttled()?.saturating_sub(before))
}

/// A dry run says what it would do; a persona that is denied is never touched.
fn not_done(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    let remedies = "deny = [\"gt-denied\"]\n[remedies.rule]\nmass_create = \"stop\"\n";
    let mut checks = Checks::new();
    let dry = Trial::with(context, remedies, &["--dry-run"])?;
    dry.approve("stop", "gt-dry")?;
    let mut worker = dry.worker(Some("gt-dry"), WORKER, CREATED)?;
    begin(&mut worker)?;
    let told = dry.await_line(&["would stop", "(dry run)"])?;
    checks.holds(told.contains(&format!("({})", worker.pid())), format_args!("dry: {told}"));
    dry.await_line(&[OVER, "gt-dry"])?;
    checks.holds(goes_on(worker.pid())?, "a dry run has stopped it");
    worker.finish()?;
    let store = dry.store();
    dry.recorder.stop(&store)?;
    checks.equal("a dry run's acts", acts_of(&store)?, vec!["dry_run"]);

    let trial = Trial::new(context, remedies)?;
    trial.approve("stop", "gt-denied")?;
    let mut worker = trial.worker(Some("gt-denied"), WORKER, CREATED)?;
    begin(&mut worker)?;
    trial.await_line(&["will not stop", "gt-denied", "[remedies] deny"])?;
    trial.await_line(&[OVER, "gt-denied"])?;
    checks.holds(goes_on(worker.pid())?, "one that is denied was stopped");
    worker.finish()?;
    let store = trial.store();
    trial.recorder.stop(&store)?;
    let acts = acts(&store)?;
    let why = acts.first().and_then(|act| act.outcome.why()).unwrap_or_default().to_owned();
    checks.equal("a denied one's acts", outcomes(&acts), vec!["refused"]);
    checks.holds(why.contains("deny"), format_args!("why: {why}"));
    checks.verdict()
}

/// A recorder that is a persona's, and close to its cgroup's memory limit.
fn never_itself(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    const LIMIT_BYTES: u64 = 1 << 30;
    let cgroup = Hierarchy::told_by()?.new_cgroup("recorder")?;
    cgroup.limit_memory(LIMIT_BYTES)?;
    let place = Place::new(context)?;
    let config = place.folder().join("config.toml");
    let text = "[alerts.levels]\nram_caution = 0.001\nram_critical = 0.002\n\n\
                [remedies]\nenabled = true\n[remedies.rule]\nmemory_limit = \"stop\"\n";
    fs::write(&config, text).context("write a configuration")?;
    fs::create_dir_all(place.store()).context("make the store's folder")?;
    let approve = context.program(&context.setup.tracer);
    let approve = approve.args(["remedy", "approve", "memory_limit", "stop", "gt-recorder"]);
    approve.arg("--store").arg(place.store()).succeed()?;
    let launch = context.recorder(&place.store()).option("--config", config.display());
    let recorder = Recorder(launch.env("GENOME_PERSONA", "gt-recorder").start_into(Stdio::null())?);
    let pid = recorder.0.pid();
    cgroup.take_in(pid)?;
    let refused = recorder.0.await_line(&["will not stop", "gt-recorder"])?;
    let refused = refused.last().cloned().unwrap_or_default();
    let mut checks = Checks::new();
    checks.holds(refused.contains(&format!("({pid})")), format_args!("whom: {refused}"));
    checks.holds(refused.contains("it is the recorder itself"), format_args!("why: {refused}"));
    checks.holds(goes_on(pid.into())?, "it has stopped itself");
    recorder.stop(&place.store())?;
    checks.equal("in all", acts_of(&place.store())?, vec!["refused"]);
    checks.verdict()
}

/// The worker has ended by the time that somebody approves, and its PID is a
/// stranger's.
fn recycled(context: &Context) -> anyhow::Result<()> {
    context.at_full_scale_only()?;
    let mut last_pid = LastPid::open()?;
    let mut checks = Checks::new();

    // A pidfd that was opened in time is of nobody any more.
    let first = context.program("sh").args(["-c", "read -r end"]).hold()?;
    let (pid, first_key) = (first.pid(), key(first.pid())?);
    let held = HeldProcess::open(first_key)?;
    // /proc tells those apart that began in different ticks of the clock.
    while in_tick_of(first_key) {
        std::thread::yield_now();
    }
    first.finish()?;
    let stranger = last_pid.give(context, pid)?;
    let refused = held.signal(Signal::STOP).err().and_then(|error| error.raw_os_error());
    checks.equal("a signal through the pidfd", refused, Some(libc::ESRCH));
    let refused = HeldProcess::open(first_key).err().and_then(|error| error.raw_os_error());
    checks.equal("a pidfd by the earlier start", refused, Some(libc::ESRCH));
    checks.holds(goes_on(pid)?, "the stranger was hit");
    stranger.finish()?;

    let trial = Trial::new(context, "[remedies.rule]\nmass_create = \"stop\"\n")?;
    let mut worker = trial.worker(Some("gt-gone"), WORKER, CREATED)?;
    begin(&mut worker)?;
    trial.await_line(&["would stop", "gt-gone"])?;
    let pid = worker.pid();
    worker.finish()?;
    let stranger = last_pid.give(context, pid)?;
    trial.approve("stop", "gt-gone")?;
    let told = trial.await_line(&["cannot stop", "gt-gone"])?;
    checks.holds(told.contains(&format!("({pid})")), format_args!("whom: {told}"));
    checks.holds(told.contains("it has ended"), format_args!("why: {told}"));
    trial.await_line(&[OVER, "gt-gone"])?;
    checks.holds(goes_on(pid)?, "the stranger was stopped");
    stranger.finish()?;
    let store = trial.store();
    trial.recorder.stop(&store)?;
    let acts = acts(&store)?;
    checks.equal("in all", outcomes(&acts), vec!["awaits_approval", "failed"]);
    let why = acts.last().map(|act| act.outcome.clone());
    checks.equal("why", why, Some(ActOutcome::Failed("it has ended".to_owned())));
    checks.verdict()
}

/// The kernel's last PID, after which it looks for the next.
struct LastPid(fs::File);

impl LastPid {
    fn open() -> anyhow::Result<Self> {
        let path = "/proc/sys/kernel/ns_last_pid";
        let file = fs::File::options().write(true).open(path);
        let file =
            file.map_err(|error| Unsupported(format!("no PID can be chosen: {path}: {error}")))?;
        Ok(Self(file))
    }

    /// A process with that PID, which has nothing to do with the one before.
    fn give(&mut self, context: &Context, pid: u64) -> anyhow::Result<Started> {
        loop {
            self.0.rewind()?;
            self.0.write_all((pid - 1).to_string().as_bytes()).context("choose a PID")?;
            let stranger = context.program("sh").args(["-c", "read -r end"]).hold()?;
            if stranger.pid() == pid {
                return Ok(stranger);
            }
            // Somebody else's fork came between the two.
            stranger.finish()?;
            context.deadline.remaining(format_args!("PID {pid} is not to be had"))?;
        }
    }
}

//! Parents that begin again what crashes: each loop is one alert, from the
//! crash that was one too many until all of them are long ago.

use anyhow::{Context as _, ensure};
use genome_trace_tests_kernel::{Checks, Context, Event, Started, Suite};
use serde_json::Value;

use crate::cgroup::Hierarchy;
use crate::crashes::crashes;
use crate::listening::{Listening, is_of};

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("loops::each_loop_is_one_alert", each_loop);
}

/// All is as it comes, but that the trial is to end: by default crashes count
/// for ten minutes.
const CONFIG: &str = "\
    [alerts]\ncooldown = \"2s\"\n\
    [alerts.loops]\ncrashes_within = \"12s\"\nooms_within = \"12s\"\n";
const WINDOW_NS: i64 = 12_000_000_000;
const COOLDOWN_NS: i64 = 2_000_000_000;
/// Looks are a second apart, and one may be late on a busy machine.
const LOOKS_NS: i64 = 3_000_000_000;

/// A worker that leaks until the OOM killer comes has no more than that.
const LIMIT_BYTES: u64 = 96 << 20;

/// What a parent begins again, and what is to come of it.
struct Loop {
    persona: &'static str,
    /// The worker's words, for a shell.
    worker: &'static str,
    times: usize,
    /// As a shell has it: 128 and the signal's number.
    status: &'static str,
    kind: &'static str,
    told: Option<Told>,
}

/// The alert of a loop.
struct Told {
    rule: &'static str,
    severity: &'static str,
    threshold: usize,
}

const CRASH_LOOP: Told = Told { rule: "crash_loop", severity: "error", threshold: 3 };
const OOM_LOOP: Told = Told { rule: "oom_loop", severity: "critical", threshold: 2 };
const LEAK: &str = "go-wrong --how leak --quiet-seconds 0 --wrong-seconds 100 \
                    --bytes-per-second 300000000";

const LOOPS: [Loop; 5] = [
    Loop {
        persona: "gt-segv",
        worker: "crash --here --how segv",
        times: 5,
        status: "139",
        kind: "fatal_signal",
        told: Some(CRASH_LOOP),
    },
    Loop {
        persona: "gt-abort",
        worker: "crash --here --how abort",
        times: 3,
        status: "134",
        kind: "fatal_signal",
        told: Some(CRASH_LOOP),
    },
    // One less is none.
    Loop {
        persona: "gt-twice",
        worker: "crash --here --how segv",
        times: 2,
        status: "139",
        kind: "fatal_signal",
        told: None,
    },
    Loop {
        persona: "gt-eater",
        worker: LEAK,
        times: 4,
        status: "137",
        kind: "oom",
        told: Some(OOM_LOOP),
    },
    Loop { persona: "gt-glutton", worker: LEAK, times: 1, status: "137", kind: "oom", told: None },
];

fn each_loop(context: &Context) -> anyhow::Result<()> {
    // Loops are folds over crashes, which other trials hold on every kernel.
    context.at_full_scale_only()?;
    let hierarchy = Hierarchy::told_by()?;
    let mut listening = Listening::begin(context, CONFIG)?;
    // Before the parents, so that they go after them.
    let mut cgroups = Vec::new();
    let mut parents = Vec::new();
    for of in &LOOPS {
        let mut parent = parent(context, of)?;
        let cgroup = hierarchy.new_cgroup(of.persona)?;
        cgroup.limit_memory_and_swap(LIMIT_BYTES)?;
        cgroup.take_in(u32::try_from(parent.pid())?)?;
        cgroups.push(cgroup);
        parent.say("")?;
        parents.push(parent);
    }
    let mut ends = Vec::new();
    for (of, parent) in LOOPS.iter().zip(&parents) {
        ends.push(ends_of(of, parent)?);
    }
    let mut checks = Checks::new();
    let mut over = Vec::new();
    for of in &LOOPS {
        let told = of.told.as_ref();
        over.push(told.map(|told| check_told(&mut checks, &mut listening, of, told)).transpose()?);
    }
    let found = crashes(context, &listening.store())?;
    for ((of, pids), over) in LOOPS.iter().zip(&ends).zip(&over) {
        let times = check_crashes(&mut checks, of, pids, &found)?;
        if let (Some(told), Some(over)) = (&of.told, over) {
            check_end(&mut checks, of, told, over, &times)?;
        }
        let raised = |(_, event): &&(u64, Event)| {
            event.text("persona") == Some(of.persona)
                && event.payload_text("change") == Some("raised")
        };
        let rules = listening.heard.iter().filter(raised);
        // Who is killed for want of memory was close to its limit, too.
        let rules = rules.filter_map(|(_, event)| event.payload_text("rule"));
        let rules: Vec<_> = rules.filter(|rule| *rule != "memory_limit").collect();
        let wanted: Vec<_> = of.told.iter().map(|told| told.rule).collect();
        checks.equal(format_args!("alerts of {}", of.persona), rules, wanted);
    }
    for parent in parents {
        parent.succeed()?;
    }
    listening.end()?;
    checks.verdict()
}

/// A shell that begins the worker again and again, says whom and how it ended,
/// and rests then.
fn parent(context: &Context, of: &Loop) -> anyhow::Result<Started> {
    let script = format!(
        "read -r line; for time in $(seq {}); do \"$0\" {} > /dev/null & wait $!; \
         echo $! $?; done; read -r line; exit 0",
        of.times, of.worker
    );
    let program = context.program("sh").args(["-c", &script]).arg(&context.setup.workload);
    program.env("GENOME_PERSONA", of.persona).env("GENOME_ID", "a3f9").hold()
}

/// The PIDs of those that ended as they were to.
fn ends_of(of: &Loop, parent: &Started) -> anyhow::Result<Vec<u64>> {
    let mut pids = Vec::new();
    for _ in 0..of.times {
        let line = parent.next_line()?;
        let (pid, status) = line.split_once(' ').with_context(|| format!("no status: {line}"))?;
        ensure!(status == of.status, "{}: {line}", of.persona);
        pids.push(pid.parse().with_context(|| format!("no PID: {line}"))?);
    }
    Ok(pids)
}

fn check_told(
    checks: &mut Checks,
    listening: &mut Listening,
    of: &Loop,
    told: &Told,
) -> anyhow::Result<Event> {
    let who = of.persona;
    let (_, raised) = listening.alert(|event| is_of(event, "raised", told.rule, who))?;
    let (_, ended) = listening.alert(|event| is_of(event, "ended", told.rule, who))?;
    eprintln!("{who}: {}", ended.payload_text("text").unwrap_or_default());
    for (event, count) in [(&raised, told.threshold), (&ended, of.times)] {
        let what = |what: &str| {
            format!("{what} of {who}, {}", event.payload_text("change").unwrap_or_default())
        };
        let number = |field: &str| event.payload(field).and_then(Value::as_f64);
        checks.equal(what("count"), number("measured"), Some(count as f64));
        checks.equal(what("threshold"), number("threshold"), Some(told.threshold as f64));
        checks.equal(what("severity"), event.payload_text("severity"), Some(told.severity));
        checks.equal(what("basis"), event.payload_text("basis"), Some("threshold"));
        checks.equal(what("window"), number("window_ns"), Some(WINDOW_NS as f64));
        checks.equal(what("genome id"), event.text("genome_id"), Some("a3f9"));
        checks.equal(what("process"), event.tgid(), None);
        let text = event.payload_text("text").unwrap_or_default();
        let times = format!("{count} times");
        checks.holds(
            text.starts_with(who) && text.contains(&times),
            format_args!("{}: {text}", what("text")),
        );
    }
    checks.equal(
        format_args!("alert of {who}"),
        ended.payload_number("id"),
        raised.payload_number("id"),
    );
    Ok(ended)
}

/// It goes on until so few crashes are left of the window that they are no loop.
fn check_end(
    checks: &mut Checks,
    of: &Loop,
    told: &Told,
    ended: &Event,
    times: &[i64],
) -> anyhow::Result<()> {
    let at = |field: &str| time(ended.payload_text(field));
    let (raised, last, over) = (at("raised")?, at("last")?, at("ended")?);
    let crash = |index: usize| times.get(index).copied().context("there are fewer crashes");
    let (needed, leaves) = (crash(told.threshold - 1)?, crash(of.times - told.threshold)?);
    for (what, late_ns) in [
        ("raised after the crash that was one too many", raised - needed),
        ("last found before its crashes are long ago", leaves + WINDOW_NS - last),
        ("over after the cooldown", over - last - COOLDOWN_NS),
    ] {
        checks.holds(
            (0..=LOOKS_NS).contains(&late_ns),
            format_args!("{}: {what} by {late_ns} ns", of.persona),
        );
    }
    Ok(())
}

fn time(text: Option<&str>) -> anyhow::Result<i64> {
    let text = text.context("no time")?;
    let time: jiff::Timestamp = text.parse().with_context(|| format!("no time: {text}"))?;
    Ok(i64::try_from(time.as_nanosecond())?)
}

/// The crashes that it is made of are those that there were; gives when.
fn check_crashes(
    checks: &mut Checks,
    of: &Loop,
    pids: &[u64],
    found: &[Value],
) -> anyhow::Result<Vec<i64>> {
    let text = |crash: &Value, field: &str| Some(crash.get(field)?.as_str()?.to_owned());
    let its = found.iter().filter(|crash| text(crash, "persona").as_deref() == Some(of.persona));
    let its: Vec<_> = its.collect();
    let mut told: Vec<_> =
        its.iter().filter_map(|crash| crash.pointer("/key/tgid")?.as_u64()).collect();
    told.sort_unstable();
    let mut wanted = pids.to_vec();
    wanted.sort_unstable();
    checks.equal(format_args!("processes of {}", of.persona), told, wanted);
    let mut times = Vec::new();
    for crash in its {
        let kind = text(crash, "kind");
        checks.equal(format_args!("kind of {}", of.persona), kind.as_deref(), Some(of.kind));
        times.push(
            crash.get("wall_time").and_then(Value::as_i64).context("a crash without a time")?,
        );
    }
    times.sort_unstable();
    Ok(times)
}

//! Workers that leak until the kernel ends them: the moment lies in the interval
//! that `--predict` told long before.

use std::process::Stdio;
use std::thread;

use anyhow::{Context as _, ensure};
use genome_trace::kernel::clock;
use genome_trace_tests_kernel::{Checks, Context, Ended, Looks, Place, Recorder, Started, Suite};
use rustix::process::Signal;
use serde_json::Value;
use std::os::unix::process::ExitStatusExt as _;

use crate::cgroup::{Cgroup, Hierarchy};

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("predictions::leaks_reach_their_limit_when_it_was_said", leaks);
}

/// How a worker leaks.
struct Leak {
    bytes_per_second: u64,
    /// In pieces by chance.
    is_uneven: bool,
    /// What comes and goes beside.
    passing_bytes: u64,
    quiet_seconds: u64,
    /// From the leak's begin to the limit, or nearly so.
    lasts_seconds: u64,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
/// What every worker has before it leaks, nearly.
const OWN_BYTES: u64 = 33 * MIB;

const fn leak(bytes_per_second: u64, quiet_seconds: u64, lasts_seconds: u64) -> Leak {
    Leak { bytes_per_second, is_uneven: false, passing_bytes: 0, quiet_seconds, lasts_seconds }
}

const fn uneven(leak: Leak) -> Leak {
    Leak { is_uneven: true, ..leak }
}

const fn passing(bytes: u64, leak: Leak) -> Leak {
    Leak { passing_bytes: bytes, ..leak }
}

/// Half as fast to three times as fast as a MiB a second.
const LEAKS: [Leak; 10] = [
    leak(512 * KIB, 4, 105),
    leak(MIB, 4, 110),
    leak(MIB, 8, 125),
    leak(3 * MIB, 6, 115),
    uneven(leak(768 * KIB, 5, 120)),
    uneven(leak(MIB, 4, 130)),
    uneven(leak(2 * MIB, 7, 110)),
    passing(2 * MIB, leak(MIB, 5, 115)),
    passing(4 * MIB, leak(1536 * KIB, 6, 125)),
    passing(2 * MIB, uneven(leak(MIB, 4, 120))),
];
/// It is asked when the recorder has seen them for so long, about five seconds
/// of it before they leak.
const ASKED_AT_SECONDS: [i64; 3] = [50, 65, 95];
/// Eight of ten are to be right when they have leaked for a minute.
const JUDGED: usize = 1;
/// Ten a second are opened, after five seconds.
const DESCRIPTORS: u64 = 1_100;
const LONGER_THAN_ANY_SECONDS: u64 = 1_000;

/// A worker that is on its way to its end.
struct Doomed {
    persona: String,
    waiter: thread::JoinHandle<anyhow::Result<(i64, Ended)>>,
}

/// What was said of a worker at one time.
struct Said {
    asked_unix_ns: i64,
    of: Value,
}

fn leaks(context: &Context) -> anyhow::Result<()> {
    // Predictions are folds over looks; this takes minutes of its own.
    context.at_full_scale_only()?;
    let place = Place::new(context)?;
    let hierarchy = Hierarchy::told_by()?;
    // Before the workers, so that they go after them.
    let mut cgroups = Vec::new();
    let recorder = Recorder(place.recorder(context).start_into(Stdio::null())?);
    let looks = Looks::attach(&place.socket(), context.deadline)?;

    let mut doomed = Vec::new();
    for (number, leak) in LEAKS.iter().enumerate() {
        let limit = OWN_BYTES + leak.bytes_per_second * leak.lasts_seconds;
        let persona = format!("leak-{number}");
        let worker = hold(context, &persona, "leak", leak, number as u64)?;
        cgroups.push(limited(&hierarchy, &persona, limit, &worker)?);
        doomed.push(set_off(persona, worker)?);
    }
    let files = leak(0, 5, 0);
    let worker = hold(context, "descriptors", "descriptors", &files, 0)?;
    doomed.push(set_off("descriptors".to_owned(), worker)?);
    let mut quiet = hold(context, "quiet", "nothing", &files, 0)?;
    cgroups.push(limited(&hierarchy, "quiet", 2 * OWN_BYTES, &quiet)?);
    quiet.say("")?;

    let began = clock::now().unix_ns;
    let mut answers = Vec::new();
    for seconds in ASKED_AT_SECONDS {
        while looks.next()?.wall_time.unix_ns < began + seconds * 1_000_000_000 {}
        answers.push(place.ask(context, &["--predict"])?);
    }
    let mut checks = Checks::new();
    let mut held = [0; ASKED_AT_SECONDS.len()];
    for Doomed { persona, waiter } in doomed {
        let (ended_unix_ns, ended) =
            waiter.join().map_err(|_| anyhow::anyhow!("a thread has panicked"))??;
        let is_memory = persona != "descriptors";
        if is_memory {
            ensure!(
                ended.status.signal() == Some(Signal::KILL.as_raw()),
                "{persona} was not killed for want of memory: {ended:?}"
            );
        } else {
            ensure!(ended.status.code() == Some(1), "{persona} had no end: {ended:?}");
        }
        let supply = if is_memory { "memory_limit" } else { "open_files" };
        for ((seconds, answer), held) in ASKED_AT_SECONDS.iter().zip(&answers).zip(&mut held) {
            let said = said(answer, &persona, supply)?;
            let is_held = said.holds(ended_unix_ns);
            eprintln!("{persona} at {seconds} s: {}", said.told(ended_unix_ns));
            if is_memory {
                *held += usize::from(is_held);
            } else {
                checks.holds(is_held, format_args!("{persona}: {}", said.told(ended_unix_ns)));
            }
        }
    }
    for (seconds, held) in ASKED_AT_SECONDS.iter().zip(held) {
        eprintln!("at {seconds} s: {held} of {} in their interval", LEAKS.len());
    }
    for (seconds, answer) in ASKED_AT_SECONDS.iter().zip(&answers) {
        let of = said(answer, "quiet", "memory_limit")?.of;
        let why = of.get("no_forecast").and_then(Value::as_str);
        checks.equal(format_args!("quiet at {seconds} s"), why, Some("not_rising"));
    }
    quiet.signal(Signal::KILL)?;
    quiet.finish()?;
    recorder.stop(&place.store())?;
    checks.holds(
        held.get(JUDGED).is_some_and(|held| held * 10 >= LEAKS.len() * 8),
        format_args!("{held:?} of {} reached their limit in the interval", LEAKS.len()),
    );
    checks.verdict()
}

fn hold(
    context: &Context,
    persona: &str,
    how: &str,
    leak: &Leak,
    seed: u64,
) -> anyhow::Result<Started> {
    // The soft limit alone: a hard one could not be taken back.
    let script = format!("ulimit -Sn {DESCRIPTORS}; exec \"$0\" \"$@\"");
    let mut program = context
        .program("sh")
        .args(["-c", &script])
        .arg(&context.setup.workload)
        .args(["--hold", "go-wrong", "--how", how]);
    for (name, value) in [
        ("--quiet-seconds", leak.quiet_seconds),
        ("--wrong-seconds", LONGER_THAN_ANY_SECONDS),
        ("--bytes-per-second", leak.bytes_per_second),
        ("--passing-bytes", leak.passing_bytes),
        ("--seed", seed),
    ] {
        program = program.arg(name).arg(value.to_string());
    }
    if leak.is_uneven {
        program = program.arg("--uneven");
    }
    let worker = program.env("GENOME_PERSONA", persona).hold()?;
    worker.next_line().context("a worker is not held")?;
    Ok(worker)
}

fn limited(
    hierarchy: &Hierarchy,
    persona: &str,
    bytes: u64,
    worker: &Started,
) -> anyhow::Result<Cgroup> {
    let cgroup = hierarchy.new_cgroup(persona)?;
    cgroup.limit_memory_and_swap(bytes)?;
    cgroup.take_in(u32::try_from(worker.pid())?)?;
    Ok(cgroup)
}

/// Lets it begin; when it ends is noted at once.
fn set_off(persona: String, mut worker: Started) -> anyhow::Result<Doomed> {
    worker.say("")?;
    let waiter = thread::Builder::new().name(persona.clone()).spawn(move || {
        let ended = worker.finish()?;
        Ok((clock::now().unix_ns, ended))
    });
    Ok(Doomed { persona, waiter: waiter.context("start a thread")? })
}

fn said(answer: &Value, persona: &str, supply: &str) -> anyhow::Result<Said> {
    let asked = answer.get("time").and_then(Value::as_str).context("no time")?;
    let asked: jiff::Timestamp = asked.parse().with_context(|| format!("no time: {asked}"))?;
    let all = answer.get("predictions").and_then(Value::as_array).context("no predictions")?;
    let is_it = |of: &&Value| {
        of.get("persona").and_then(Value::as_str) == Some(persona)
            && of.get("supply").and_then(Value::as_str) == Some(supply)
    };
    let of = all.iter().find(is_it).with_context(|| format!("nothing of {persona}: {answer}"))?;
    Ok(Said { asked_unix_ns: i64::try_from(asked.as_nanosecond())?, of: of.clone() })
}

impl Said {
    /// From when asked to what a figure says, in seconds.
    fn seconds(&self, figure: &str) -> Option<f64> {
        Some(self.of.get("forecast")?.get(figure)?.as_f64()? / 1e9)
    }

    fn truth(&self, ended_unix_ns: i64) -> f64 {
        (ended_unix_ns - self.asked_unix_ns) as f64 / 1e9
    }

    /// One without an end says nothing.
    fn holds(&self, ended_unix_ns: i64) -> bool {
        let truth = self.truth(ended_unix_ns);
        self.seconds("earliest_ns").is_some_and(|earliest| earliest <= truth)
            && self.seconds("latest_ns").is_some_and(|latest| latest >= truth)
    }

    fn told(&self, ended_unix_ns: i64) -> String {
        let truth = self.truth(ended_unix_ns);
        let Some(reached) = self.seconds("reached_in_ns") else {
            let why = self.of.get("no_forecast");
            return format!("no forecast: {}, it was {truth:.2} s", why.unwrap_or(&Value::Null));
        };
        let is = |figure| self.seconds(figure).map_or("?".to_owned(), |of| format!("{of:.2}"));
        format!(
            "{reached:.2} s, {} to {}, it was {truth:.2} s ({:+.2}){}",
            is("earliest_ns"),
            is("latest_ns"),
            truth - reached,
            if self.holds(ended_unix_ns) { "" } else { ": NOT HELD" }
        )
    }
}

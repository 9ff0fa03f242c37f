//! A process that the kernel kills because its cgroup has no memory left.

use genome_trace_tests_kernel::{Checks, Context, Event, Suite, Truth};

use crate::exit_event::check_exit;

const LIMIT_BYTES: u64 = 32 << 20;
const OOM_SCORE_ADJ: i64 = 123;
/// Since 6.8 the kernel's own event tells the victim's memory; what an older
/// one does not tell may be null, but never wrong.
const TOLD_SINCE: (u32, u32) = (6, 8);

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("ending::oom_in_a_cgroup", oom_in_a_cgroup);
}

fn oom_in_a_cgroup(context: &Context) -> anyhow::Result<()> {
    let tracer = context.tracer().start()?;
    let truth = context
        .workload("oom")
        .option("--limit-bytes", LIMIT_BYTES)
        .option("--oom-score-adj", OOM_SCORE_ADJ)
        .run()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    let victim = truth.number("/victim")?;
    check_exit(&mut checks, &trace, &truth, victim, "/wait");

    let kills: Vec<&Event> = trace.events.of("oom_kill", victim).collect();
    checks.equal("oom_kill events", kills.len(), 1);
    if let Some(event) = kills.first() {
        check_kill(&mut checks, event, &truth)?;
    }

    let mut kill_signals = trace
        .events
        .of("signal", victim)
        .filter(|event| event.payload_text("signal") == Some("SIGKILL"))
        .peekable();
    checks.holds(kill_signals.peek().is_some(), "no SIGKILL was seen");
    for event in kill_signals {
        let sender = event.payload_number("sender_tgid");
        checks.equal("sender of the kernel's own SIGKILL", sender, None);
    }
    checks.verdict()
}

fn check_kill(checks: &mut Checks, event: &Event, truth: &Truth) -> anyhow::Result<()> {
    let limit = truth.number("/limit_bytes")?;
    checks.equal("constraint", event.payload_text("constraint"), Some("memcg"));
    checks.equal("limit", event.payload_number("memory_limit_bytes"), Some(limit));
    let usage = event.payload_number("memory_usage_bytes");
    checks.holds(
        usage.is_some_and(|usage| usage <= limit && usage >= limit - limit / 10),
        format_args!("usage {usage:?} is not close to the limit {limit}"),
    );
    let invoker = event.payload_number("invoker_tgid");
    checks.equal("invoker", invoker, Some(truth.number("/victim")?));
    if truth.number("/cgroup_version")? == 2 {
        let path = Some(truth.text("/cgroup_path")?);
        checks.equal("cgroup path", event.text("cgroup_path"), path);
    }

    let may_be_null = kernel_version().is_some_and(|version| version < TOLD_SINCE);
    let mut told = |field: &str, is_right: &dyn Fn(i64) -> bool| {
        let value = event.payload(field).and_then(serde_json::Value::as_i64);
        let holds = value.map_or(may_be_null, is_right);
        checks.holds(holds, format_args!("{field} is {value:?}"));
    };
    let half_the_limit = i64::try_from(limit / 2)?;
    told("anon_rss_bytes", &|bytes| bytes > half_the_limit);
    told("total_vm_bytes", &|bytes| bytes > half_the_limit);
    told("file_rss_bytes", &|bytes| bytes >= 0);
    told("shmem_rss_bytes", &|bytes| bytes >= 0);
    told("oom_score_adj", &|adjust| adjust == OOM_SCORE_ADJ);
    Ok(())
}

fn kernel_version() -> Option<(u32, u32)> {
    let release = rustix::system::uname().release().to_str().ok()?.to_owned();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

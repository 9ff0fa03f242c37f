//! Thousands of processes that live for a moment: each one is seen whole.

use std::collections::BTreeSet;

use genome_trace_tests_kernel::{Checks, Context, Event, Suite, Trace, Truth};

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("storm::every_short_process_is_seen", |context| every_short_process(context, 4));
    // So many that a process which is preempted in a probe stays there while
    // others come by.
    suite.once("storm::a_crowd_is_seen", |context| every_short_process(context, 40));
}

fn every_short_process(context: &Context, jobs: u64) -> anyhow::Result<()> {
    let count = context.setup.scale.processes;
    let tracer = context.tracer().start()?;
    let truth =
        context.workload("spawn-storm").option("--count", count).option("--jobs", jobs).run()?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    check(&mut checks, &trace, &truth, count)?;
    checks.verdict()
}

/// Each of so many children of the workload is there with its beginning, its
/// program and its end.
pub(crate) fn check(
    checks: &mut Checks,
    trace: &Trace,
    truth: &Truth,
    count: u64,
) -> anyhow::Result<()> {
    checks.equal("the workload's zeros", truth.number("/exit_codes/0")?, count);
    let launcher = Some(truth.pid()?);
    let of_launcher = |event: &&Event| event.number("ppid") == launcher;
    let (program, exe) = (truth.text("/program")?, truth.text("/exe")?);

    let execs: Vec<&Event> = trace.events.kind("exec").filter(of_launcher).collect();
    checks.equal("exec events", execs.len() as u64, count);
    let mut words = BTreeSet::new();
    for event in &execs {
        match event.argv().as_slice() {
            [first, word] if *first == program && word.starts_with("storm-") => {
                checks
                    .holds(words.insert((*word).to_owned()), format_args!("{word} is told twice"));
            }
            argv => checks.fail(format_args!("exec has argv {argv:?}")),
        }
        checks.equal("exe", event.payload_text("exe"), Some(exe));
    }
    let wanted: BTreeSet<String> = (0..count).map(|index| format!("storm-{index}")).collect();
    let missing = wanted.difference(&words).take(5).collect::<Vec<_>>();
    checks.holds(missing.is_empty(), format_args!("argv never seen: {missing:?}, …"));

    let children = tgids(execs.iter().copied());
    checks.equal("processes that called exec", children.len() as u64, count);
    let forked = tgids(trace.events.kind("fork").filter(of_launcher));
    checks.holds(
        forked == children,
        format_args!("{} processes were forked, {} called exec", forked.len(), children.len()),
    );
    let exits: Vec<&Event> = trace
        .events
        .kind("exit")
        // By the parent too: a process that was there before may end in the
        // middle of the storm, and its PID be used again by a child.
        .filter(of_launcher)
        .filter(|event| event.tgid().is_some_and(|tgid| children.contains(&tgid)))
        .collect();
    checks.equal("exit events", exits.len() as u64, count);
    for event in exits {
        checks.equal("exit code", event.payload_number("code"), Some(0));
        checks.holds(event.payload_text("signal").is_none(), "an exit by signal");
    }
    trace.check_no_lifecycle_lost(checks);
    Ok(())
}

fn tgids<'a>(events: impl Iterator<Item = &'a Event>) -> BTreeSet<u64> {
    events.filter_map(Event::tgid).collect()
}

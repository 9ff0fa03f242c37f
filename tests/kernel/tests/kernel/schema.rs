//! Every event line has every field that its kind promises, with the right
//! type: null where the value is unknown, never missing.

use std::collections::BTreeSet;

use genome_trace_tests_kernel::{Checks, Context, Event, Suite, Unsupported, Workload};
use serde_json::Value;

use Type::{Flag, List, Number, Text};

pub(crate) fn add_to(suite: &mut Suite) {
    suite.once("schema::every_field_is_there", every_field);
}

#[derive(Clone, Copy, Debug)]
enum Type {
    Number,
    Text,
    Flag,
    List,
}

/// A field of the header; `true` if it is known for every event.
const HEADER: [(&str, Type, bool); 13] = [
    ("v", Number, true),
    ("time", Text, true),
    ("host", Text, true),
    ("kind", Text, true),
    ("persona", Text, false),
    ("genome_id", Text, false),
    ("tgid", Number, true),
    ("tid", Number, true),
    ("ppid", Number, false),
    ("start_time", Number, false),
    ("comm", Text, false),
    ("uid", Number, false),
    ("cgroup_path", Text, false),
];

/// What a `lost` event has of the header: it happened to no process.
const HEADER_OF_LOST: usize = 4;

const PAYLOADS: [(&str, &[(&str, Type)]); 8] = [
    ("exec", &[("exe", Text), ("argv", List)]),
    ("fork", &[]),
    (
        "exit",
        &[
            ("code", Number),
            ("signal", Text),
            ("core_dumped", Flag),
            ("runtime_ns", Number),
            ("cpu_ns", Number),
            ("peak_rss_bytes", Number),
            ("write_calls", Number),
            ("written_bytes", Number),
            ("vram_bytes", Number),
        ],
    ),
    (
        "signal",
        &[
            ("signal", Text),
            ("code", Number),
            ("code_name", Text),
            ("sender_tgid", Number),
            ("sender_comm", Text),
        ],
    ),
    (
        "oom_kill",
        &[
            ("constraint", Text),
            ("total_vm_bytes", Number),
            ("anon_rss_bytes", Number),
            ("file_rss_bytes", Number),
            ("shmem_rss_bytes", Number),
            ("oom_score_adj", Number),
            ("memory_limit_bytes", Number),
            ("memory_usage_bytes", Number),
            ("invoker_tgid", Number),
        ],
    ),
    ("file_create", &[("path", Text), ("device", Text), ("inode", Number)]),
    ("file_write", &[("path", Text), ("write_calls", Number), ("written_bytes", Number)]),
    ("file_unlink", &[("path", Text), ("unlink_calls", Number)]),
];

fn every_field(context: &Context) -> anyhow::Result<()> {
    let tracer = context.tracer().start()?;
    context.workload("mixed").option("--rounds", 5).run()?;
    context.workload("kill-victim").run()?;
    context.workload("crash").option("--how", "segv").run()?;
    let oom_was_made = was_made(context.workload("oom").option("--limit-bytes", 32 << 20))?;
    let trace = tracer.stop()?;

    let mut checks = Checks::new();
    for event in trace.events.iter() {
        check_header(&mut checks, event);
        check_payload(&mut checks, event);
    }
    let seen = trace.events.kinds();
    let missing: BTreeSet<&str> = PAYLOADS
        .iter()
        .map(|(kind, _)| *kind)
        .filter(|kind| !seen.contains(kind) && (oom_was_made || *kind != "oom_kill"))
        .collect();
    checks.equal("kinds that never came", missing, BTreeSet::new());
    checks.verdict()
}

fn was_made(workload: Workload<'_>) -> anyhow::Result<bool> {
    match workload.run() {
        Ok(_) => Ok(true),
        Err(error) if error.is::<Unsupported>() => Ok(false),
        Err(error) => Err(error),
    }
}

fn check_header(checks: &mut Checks, event: &Event) {
    let length = match event.kind() {
        "lost" => HEADER_OF_LOST,
        _ => HEADER.len(),
    };
    for (field, wanted, known) in HEADER.into_iter().take(length) {
        check_field(checks, event, field, event.json().get(field), wanted);
        let null = event.json().get(field).is_some_and(Value::is_null);
        // A count is the process', not one thread's.
        let known = known && !(field == "tid" && event.kind().starts_with("file_"));
        checks.holds(!(known && null), format_args!("{field} is null: {}", event.json()));
    }
    checks.equal("schema version", event.number("v"), Some(1));
    let time = event.text("time").unwrap_or("");
    checks.holds(
        time.len() == "2026-11-20T11:31:35.123456789Z".len() && time.ends_with('Z'),
        format_args!("time {time} is not UTC with nanoseconds"),
    );
    checks.holds(
        event.json().get(event.kind()).is_some_and(Value::is_object),
        format_args!("no payload under the kind's name: {}", event.json()),
    );
}

fn check_payload(checks: &mut Checks, event: &Event) {
    let fields = PAYLOADS.iter().find(|(kind, _)| *kind == event.kind());
    for (field, wanted) in fields.into_iter().flat_map(|(_, fields)| fields.iter()) {
        check_field(checks, event, field, event.payload(field), *wanted);
    }
}

fn check_field(
    checks: &mut Checks,
    event: &Event,
    field: &str,
    value: Option<&Value>,
    wanted: Type,
) {
    let Some(value) = value else {
        checks.fail(format_args!("{field} is missing: {}", event.json()));
        return;
    };
    let is_right = match wanted {
        Number => value.is_i64() || value.is_u64(),
        Text => value.is_string(),
        Flag => value.is_boolean(),
        List => value.is_array(),
    };
    checks.holds(
        is_right || value.is_null(),
        format_args!("{field} is no {wanted:?}: {}", event.json()),
    );
}

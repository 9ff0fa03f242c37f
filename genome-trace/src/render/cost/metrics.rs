//! What tracing costs, as metrics.

use crate::{
    model::{Cost, ProgramCost},
    render::open_metrics::{OpenMetrics, Type, Value},
};

/// Writes OpenMetrics text. What is unknown has no sample.
pub fn write_metrics(out: &mut Vec<u8>, cost: &Cost) {
    let mut metrics = OpenMetrics::default();
    let mut of_programs = |name, kind, unit, help, figure: fn(&ProgramCost) -> Option<Value>| {
        let mut metric = metrics.metric(name, kind, unit, help);
        for program in &cost.programs {
            let labels = [("program", program.program.as_str()), ("hook", program.hook.as_str())];
            metric.sample(&labels, figure(program));
        }
    };
    of_programs(
        "genome_bpf_program_run_seconds",
        Type::Counter,
        "seconds",
        "Time in the BPF program within the window, on all processors.",
        |program| program.run_time_ns.map(|ns| Value::Seconds { ns }),
    );
    of_programs(
        "genome_bpf_program_runs",
        Type::Counter,
        "",
        "Runs of the BPF program within the window.",
        |program| program.runs.map(Value::Whole),
    );
    of_programs(
        "genome_bpf_program_skipped",
        Type::Counter,
        "",
        "Calls within the window that the kernel skipped, because the program was already running \
         on that processor.",
        |program| program.skipped_calls.map(Value::Whole),
    );
    of_programs(
        "genome_bpf_program_verified_instructions",
        Type::Gauge,
        "",
        "Instructions that the kernel's verifier went through to accept the BPF program.",
        |program| program.verified_instructions.map(Value::Whole),
    );
    let seconds = |ns: Option<u64>| ns.map(|ns| Value::Seconds { ns });
    let mut cpu = metrics.metric(
        "genome_tracer_cpu_seconds",
        Type::Counter,
        "seconds",
        "Processor time of the tracer's own process within the window.",
    );
    cpu.sample(&[("mode", "user")], seconds(cost.tracer.user_ns));
    cpu.sample(&[("mode", "system")], seconds(cost.tracer.system_ns));
    let mut memory = metrics.metric(
        "genome_tracer_resident_memory_bytes",
        Type::Gauge,
        "bytes",
        "Resident memory of the tracer's own process at the end of the window.",
    );
    memory.sample(&[], cost.tracer.rss_bytes.map(Value::Whole));
    let mut window = metrics.metric(
        "genome_cost_window_seconds",
        Type::Gauge,
        "seconds",
        "How long was measured.",
    );
    window.sample(&[], seconds(Some(cost.window_ns)));
    out.extend_from_slice(metrics.finish().as_bytes());
}

//! What figures came to, as metrics: gauges, for the stretch of time moves with
//! the clock.

use crate::{
    model::{HistoryReport, Metric, Unit},
    render::open_metrics::{OpenMetrics, Type::Gauge, Value},
};

/// Writes OpenMetrics text.
pub fn write_metrics(out: &mut Vec<u8>, report: &HistoryReport) {
    let mut metrics = OpenMetrics::default();
    let length = report.range.until.unix_ns.saturating_sub(report.range.from.unix_ns);
    metrics
        .metric(
            "genome_trace_history_range_seconds",
            Gauge,
            "seconds",
            "Length of the stretch of time that the other metrics are of.",
        )
        .sample(&[], u64::try_from(length).ok().map(|ns| Value::Seconds { ns }));
    for metric in Metric::ALL {
        let (name, unit) = name(metric);
        let mut of_metric = metrics.metric(
            name,
            Gauge,
            unit,
            &format!("{}. Over that time; without a persona: of the machine.", help(metric)),
        );
        for course in report.courses.iter().filter(|of| of.series.metric == metric) {
            let of = &course.summary;
            let persona = course.series.source.persona.as_ref();
            let name = persona.map_or("", |persona| persona.name.as_str());
            let genome_id = persona.and_then(|persona| persona.genome_id.as_deref());
            for (figure, value) in [
                ("min", of.min),
                ("average", of.average),
                ("p95", of.p95),
                ("max", of.max),
                ("last", of.last),
            ] {
                let labels = [
                    ("persona", name),
                    ("genome_id", genome_id.unwrap_or_default()),
                    ("figure", figure),
                ];
                of_metric.sample(&labels, milli(metric, value));
            }
        }
    }
    out.extend_from_slice(metrics.finish().as_bytes());
}

/// In base units; percent are ratios. No metric is below 0.
fn milli(metric: Metric, value: f64) -> Option<Value> {
    let value = if metric.unit() == Unit::Percent { value / 100.0 } else { value };
    let milli = (value * 1000.0).round();
    (0.0..1.8e19).contains(&milli).then_some(Value::Milli(milli as u64))
}

const fn name(metric: Metric) -> (&'static str, &'static str) {
    match metric {
        Metric::RssBytes => ("genome_trace_history_rss_bytes", "bytes"),
        Metric::CpuPercent => ("genome_trace_history_cpu_ratio", "ratio"),
        Metric::VramBytes => ("genome_trace_history_vram_bytes", "bytes"),
        Metric::GpuPercent => ("genome_trace_history_gpu_ratio", "ratio"),
        Metric::WriteCallsPerSecond => ("genome_trace_history_write_calls_per_second", ""),
        Metric::WrittenBytesPerSecond => ("genome_trace_history_written_bytes_per_second", ""),
        Metric::FilesCreatedPerSecond => ("genome_trace_history_files_created_per_second", ""),
        Metric::SpawnsPerSecond => ("genome_trace_history_spawns_per_second", ""),
        Metric::Processes => ("genome_trace_history_processes", ""),
        Metric::Threads => ("genome_trace_history_threads", ""),
        Metric::OpenFiles => ("genome_trace_history_open_files", ""),
    }
}

const fn help(metric: Metric) -> &'static str {
    match metric {
        Metric::CpuPercent => "CPU time; 1 is one processor",
        Metric::GpuPercent => "GPU use; 1 is one GPU",
        other => other.help(),
    }
}

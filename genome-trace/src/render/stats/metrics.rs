//! The GPUs as metrics. Of processes there are none: a PID in a label would be
//! a new series with every start.

use crate::{
    model::{Gpu, GpuAccess, GpuDetails, GpuHealth, MigInstance, PersonaVram, Stats},
    render::open_metrics::{
        OpenMetrics,
        Type::{self, Counter, Gauge},
        Value,
    },
};

/// A metric of every GPU: name, type, unit, help, value.
type OfGpu = (&'static str, Type, &'static str, &'static str, fn(&Gpu) -> Option<Value>);
/// The same of what only a report asks for.
type OfDetails = (&'static str, Type, &'static str, &'static str, fn(&GpuDetails) -> Option<Value>);

const OF_GPU: [OfGpu; 5] = [
    (
        "genome_trace_gpu_healthy",
        Gauge,
        "",
        "1 where the GPU answers; 0 where it is lost or the driver refuses.",
        |gpu| Some(truth(gpu.health == GpuHealth::Ok)),
    ),
    ("genome_trace_gpu_vram_total_bytes", Gauge, "bytes", "All memory of the GPU.", |gpu| {
        gpu.vram.total_bytes.map(Value::Whole)
    }),
    (
        "genome_trace_gpu_vram_used_bytes",
        Gauge,
        "bytes",
        "Memory of the GPU that is allocated, without what the driver keeps for itself.",
        |gpu| gpu.vram.used_bytes.map(Value::Whole),
    ),
    (
        "genome_trace_gpu_vram_reserved_bytes",
        Gauge,
        "bytes",
        "Memory of the GPU that the driver keeps for itself.",
        |gpu| gpu.vram.reserved_bytes.map(Value::Whole),
    ),
    (
        "genome_trace_gpu_processes",
        Gauge,
        "",
        "Processes that the driver names on the GPU.",
        |gpu| gpu.processes.as_ref().map(|of| Value::Whole(of.len() as u64)),
    ),
];

const OF_DETAILS: [OfDetails; 18] = [
    (
        "genome_trace_gpu_utilization_ratio",
        Gauge,
        "ratio",
        "Share of the last sampling period in which a kernel ran.",
        |of| percent(of.gpu_percent),
    ),
    (
        "genome_trace_gpu_memory_utilization_ratio",
        Gauge,
        "ratio",
        "Share of the last sampling period in which memory was read or written.",
        |of| percent(of.memory_percent),
    ),
    (
        "genome_trace_gpu_encoder_utilization_ratio",
        Gauge,
        "ratio",
        "Share of the last sampling period in which the video encoder was busy.",
        |of| percent(of.encoder_percent),
    ),
    (
        "genome_trace_gpu_decoder_utilization_ratio",
        Gauge,
        "ratio",
        "Share of the last sampling period in which the video decoder was busy.",
        |of| percent(of.decoder_percent),
    ),
    ("genome_trace_gpu_temperature_celsius", Gauge, "celsius", "Temperature of the GPU.", |of| {
        whole(of.temperature_celsius)
    }),
    (
        "genome_trace_gpu_fan_speed_ratio",
        Gauge,
        "ratio",
        "Speed of the first fan, as a share of the fastest.",
        |of| percent(of.fan_percent),
    ),
    ("genome_trace_gpu_power_watts", Gauge, "watts", "Power that is drawn.", |of| {
        watts(of.power_milliwatts)
    }),
    (
        "genome_trace_gpu_power_limit_watts",
        Gauge,
        "watts",
        "Limit of the power that is drawn.",
        |of| watts(of.power_limit_milliwatts),
    ),
    (
        "genome_trace_gpu_sm_clock_hertz",
        Gauge,
        "hertz",
        "Clock of the streaming multiprocessors.",
        |of| hertz(of.sm_clock_mhz),
    ),
    ("genome_trace_gpu_memory_clock_hertz", Gauge, "hertz", "Clock of the memory.", |of| {
        hertz(of.memory_clock_mhz)
    }),
    (
        "genome_trace_gpu_performance_state",
        Gauge,
        "",
        "Performance state: 0 is the fastest, 15 the slowest.",
        |of| whole(of.performance_state),
    ),
    ("genome_trace_gpu_throttled", Gauge, "", "1 where something holds the clocks down.", |of| {
        of.throttle_reasons.as_ref().map(|reasons| truth(!reasons.is_empty()))
    }),
    (
        "genome_trace_gpu_ecc_corrected_errors",
        Counter,
        "",
        "Memory errors that were corrected since the driver was loaded.",
        |of| of.ecc_corrected.map(Value::Whole),
    ),
    (
        "genome_trace_gpu_ecc_uncorrected_errors",
        Counter,
        "",
        "Memory errors that were not corrected since the driver was loaded.",
        |of| of.ecc_uncorrected.map(Value::Whole),
    ),
    (
        "genome_trace_gpu_pcie_received_bytes_per_second",
        Gauge,
        "bytes_per_second",
        "Received over PCIe.",
        |of| of.pcie_rx_bytes_per_second.map(Value::Whole),
    ),
    (
        "genome_trace_gpu_pcie_sent_bytes_per_second",
        Gauge,
        "bytes_per_second",
        "Sent over PCIe.",
        |of| of.pcie_tx_bytes_per_second.map(Value::Whole),
    ),
    (
        "genome_trace_gpu_pcie_generation",
        Gauge,
        "",
        "Generation of the PCIe link as it runs now.",
        |of| whole(of.pcie_generation),
    ),
    ("genome_trace_gpu_pcie_lanes", Gauge, "", "Lanes of the PCIe link as it runs now.", |of| {
        whole(of.pcie_width)
    }),
];

/// Adds the GPUs and what personas hold. What is unknown has no sample.
pub(in crate::render) fn add(metrics: &mut OpenMetrics, stats: &Stats) {
    metrics
        .metric(
            "genome_trace_gpu_driver_ready",
            Gauge,
            "",
            "1 where the NVIDIA driver answers, 0 where there is no library or no driver.",
        )
        .sample(&[], Some(truth(stats.access == GpuAccess::Ready)));
    let gpus = stats.snapshot.as_ref().map_or(&[][..], |snapshot| &snapshot.gpus);
    add_gpus(metrics, gpus);
    personas(metrics, stats);
}

/// The GPUs alone, in a text that has other metrics, too.
pub fn add_gpus(metrics: &mut OpenMetrics, gpus: &[Gpu]) {
    for (name, kind, unit, help, value) in OF_GPU {
        let mut metric = metrics.metric(name, kind, unit, help);
        for gpu in gpus {
            let index = gpu.identity.index.to_string();
            metric.sample(&labels(gpu, &index), value(gpu));
        }
    }
    for (name, kind, unit, help, value) in OF_DETAILS {
        let mut metric = metrics.metric(name, kind, unit, help);
        for gpu in gpus {
            let index = gpu.identity.index.to_string();
            metric.sample(&labels(gpu, &index), gpu.details.as_deref().and_then(value));
        }
    }
    mig(metrics, gpus);
}

/// An unknown name is the empty one, which is the same as none.
fn labels<'a>(gpu: &'a Gpu, index: &'a str) -> [(&'static str, &'a str); 3] {
    [
        ("gpu", index),
        ("uuid", gpu.identity.uuid.as_deref().unwrap_or_default()),
        ("name", gpu.identity.name.as_deref().unwrap_or_default()),
    ]
}

fn mig(metrics: &mut OpenMetrics, gpus: &[Gpu]) {
    let mut of_instances = |name, help, value: fn(&MigInstance) -> Option<u64>| {
        let mut metric = metrics.metric(name, Gauge, "bytes", help);
        for gpu in gpus {
            let index = gpu.identity.index.to_string();
            let [gpu_label, ..] = labels(gpu, &index);
            for instance in gpu.details.iter().flat_map(|details| &details.mig_instances) {
                let number = instance.index.to_string();
                let labels = [
                    gpu_label,
                    ("mig", number.as_str()),
                    ("uuid", instance.uuid.as_deref().unwrap_or_default()),
                    ("name", instance.name.as_deref().unwrap_or_default()),
                ];
                metric.sample(&labels, value(instance).map(Value::Whole));
            }
        }
    };
    of_instances(
        "genome_trace_gpu_mig_vram_total_bytes",
        "All memory of the MIG instance.",
        |of| of.vram.total_bytes,
    );
    of_instances(
        "genome_trace_gpu_mig_vram_used_bytes",
        "Memory of the MIG instance that is allocated.",
        |of| of.vram.used_bytes,
    );
}

fn personas(metrics: &mut OpenMetrics, stats: &Stats) {
    let sums = stats.persona_vram();
    let mut held = metrics.metric(
        "genome_trace_gpu_persona_vram_bytes",
        Gauge,
        "bytes",
        "GPU memory that all processes of the persona hold, on all GPUs. Without a persona: those \
         of which nothing is known.",
    );
    for sum in &sums {
        held.sample(&persona_labels(sum), sum.vram_bytes.map(Value::Whole));
    }
    let mut bound = metrics.metric(
        "genome_trace_gpu_persona_vram_is_lower_bound",
        Gauge,
        "",
        "1 where the driver does not tell the memory of one of the persona's processes, so that \
         the sum is this much or more.",
    );
    for sum in &sums {
        bound.sample(&persona_labels(sum), Some(truth(sum.is_lower_bound)));
    }
}

fn persona_labels(sum: &PersonaVram) -> [(&'static str, &str); 2] {
    let persona = sum.persona.as_ref();
    let id = persona.and_then(|persona| persona.genome_id.as_deref());
    [
        ("persona", persona.map_or("", |persona| persona.name.as_str())),
        ("genome_id", id.unwrap_or_default()),
    ]
}

fn truth(is_so: bool) -> Value {
    Value::Whole(is_so.into())
}

fn whole(value: Option<u32>) -> Option<Value> {
    value.map(|value| Value::Whole(value.into()))
}

fn percent(value: Option<u32>) -> Option<Value> {
    value.map(Value::Percent)
}

fn watts(milliwatts: Option<u32>) -> Option<Value> {
    milliwatts.map(|milliwatts| Value::Milli(milliwatts.into()))
}

fn hertz(mhz: Option<u32>) -> Option<Value> {
    mhz.map(|mhz| Value::Whole(u64::from(mhz) * 1_000_000))
}

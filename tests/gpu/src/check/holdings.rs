//! `genome-trace --stats` and nvidia-smi at the same moment: what each process
//! holds, whose it is, and the GPU itself.

use serde_json::Value;

use crate::compare::{MIB, Reading, while_still};
use crate::ground::Ground;
use crate::report::Findings;
use crate::stats::Stats;
use crate::worker::Worker;

pub(super) fn check(ground: &Ground, findings: &mut Findings) -> anyhow::Result<()> {
    let context = ground.context();
    let uuid = &ground.card.uuid;
    let mut workers = vec![
        ground.worker(&context, "Small", 512 * MIB)?,
        ground.worker(&context, "Large", 1024 * MIB)?,
    ];
    match Worker::start_torch(&context, uuid, "Torch", 256 * MIB)? {
        Some(worker) => workers.push(worker),
        None => findings.note("without a PyTorch process: python3 has no PyTorch that sees a GPU"),
    }
    let (reading, stats) = while_still(&context, ground, || Stats::ask(&context))?;
    for worker in &workers {
        of_worker(findings, ground, worker, &reading, &stats);
    }
    of_gpu(findings, ground, &reading, &stats);
    for worker in workers {
        worker.end()?;
    }
    Ok(())
}

fn of_worker(
    findings: &mut Findings,
    ground: &Ground,
    worker: &Worker,
    reading: &Reading,
    stats: &Stats,
) {
    let persona = worker.persona;
    let process = stats.process(&ground.card.uuid, worker.pid());
    let bytes = number(process, "vram_bytes");
    let mib = reading.mib_of(worker.pid());
    findings.same(
        format!("persona of process {}", worker.pid()),
        field(process, "persona"),
        persona,
    );
    findings.same_memory(format!("memory of {persona}"), bytes, mib);
    if bytes.is_some() {
        findings.at_least(format!("memory that {persona} took"), bytes, worker.held_bytes / MIB);
    }
    let sum = number(stats.persona(persona), "vram_bytes");
    findings.same_memory(format!("sum of persona {persona}"), sum, mib);
}

fn of_gpu(findings: &mut Findings, ground: &Ground, reading: &Reading, stats: &Stats) {
    let gpu = stats.gpu(&ground.card.uuid);
    let card = &reading.card;
    let vram = gpu.and_then(|gpu| gpu.get("vram"));
    findings.same("UUID", field(gpu, "uuid"), card.uuid.clone());
    findings.same("index", field(gpu, "index"), card.index);
    findings.same("name", field(gpu, "name"), card.name.clone());
    findings.same("PCI bus id", field(gpu, "pci_bus_id"), card.pci_bus_id.clone());
    findings.same("driver", stats.text("driver_version"), card.driver_version.clone());
    findings.same_memory("memory", number(vram, "total_bytes"), card.total_mib);
    findings.same_memory("memory in use", number(vram, "used_bytes"), card.used_mib);
    // These change between two looks.
    let temperature = field(gpu, "temperature_celsius");
    findings.beside("temperature", Some("C"), temperature, card.temperature_celsius);
    findings.beside("busy", Some("%"), field(gpu, "gpu_percent"), card.gpu_percent);
}

fn field(object: Option<&Value>, name: &str) -> Value {
    object.and_then(|object| object.get(name)).cloned().unwrap_or(Value::Null)
}

fn number(object: Option<&Value>, name: &str) -> Option<u64> {
    object?.get(name)?.as_u64()
}

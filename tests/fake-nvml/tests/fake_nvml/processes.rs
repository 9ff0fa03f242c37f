//! Who holds memory on a GPU.

use nvml_wrapper::Device;
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::struct_wrappers::device::ProcessInfo;

use crate::fails;
use crate::machine::{Machine, until};

const GIB: u64 = 1 << 30;

fn machine_with(processes: &str) -> Machine {
    Machine::new(&script(processes))
}

fn script(processes: &str) -> String {
    format!("[[gpu]]\nmemory.total = '80 GiB'\naccounting_enabled = true\n{processes}")
}

fn held(list: Vec<ProcessInfo>) -> Vec<(u32, Option<u64>)> {
    let bytes = |memory| match memory {
        UsedGpuMemory::Used(bytes) => Some(bytes),
        UsedGpuMemory::Unavailable => None,
    };
    list.into_iter().map(|process| (process.pid, bytes(process.used_gpu_memory))).collect()
}

fn compute(gpu: &Device<'_>) -> Vec<(u32, Option<u64>)> {
    held(gpu.running_compute_processes().unwrap())
}

#[test]
fn lists_by_type() {
    let machine = machine_with(
        r#"
        process = [
            { pid = 1, vram = "1 GiB" },
            { pid = 2, vram = "2 GiB", type = "graphics" },
            { pid = 3, vram = "3 GiB", type = "both", gpu_instance_id = 7, compute_instance_id = 0 },
        ]"#,
    );
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(0).unwrap();
    let (first, second, third) = ((1, Some(GIB)), (2, Some(2 * GIB)), (3, Some(3 * GIB)));
    assert_eq!(compute(&gpu), [first, third]);
    assert_eq!(held(gpu.running_graphics_processes().unwrap()), [second, third]);
    assert_eq!(held(gpu.mps_running_compute_processes().unwrap()), []);
    let ids: Vec<_> = gpu
        .running_compute_processes()
        .unwrap()
        .iter()
        .map(|process| (process.gpu_instance_id, process.compute_instance_id))
        .collect();
    assert_eq!(ids, [(None, None), (Some(7), Some(0))]);
}

#[test]
fn lists_are_counted_first() {
    let many: Vec<_> = (1..=64).map(|pid| format!("{{ pid = {pid}, vram = 4096 }}")).collect();
    let machine = machine_with(&format!("process = [{}]", many.join(", ")));
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(0).unwrap();
    assert_eq!(gpu.running_compute_processes_count().unwrap(), 64);
    assert_eq!(gpu.running_graphics_processes_count().unwrap(), 0);
    assert_eq!(compute(&gpu).len(), 64);
    machine.replace(&script(""));
    assert_eq!(compute(&gpu), []);
    machine.replace(&script("process_lists = false"));
    fails!(gpu.running_compute_processes(), NotSupported);
    fails!(gpu.running_graphics_processes(), NotSupported);
}

#[test]
fn memory_that_makes_no_sense() {
    let machine = machine_with(
        r#"
        process = [
            { pid = 1, vram = "not available" },
            { pid = 2, vram = "18446744073709551614" },
            { pid = 3, vram = 0 },
        ]"#,
    );
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(0).unwrap();
    assert_eq!(compute(&gpu), [(1, None), (2, Some(u64::MAX - 1)), (3, Some(0))]);
}

#[test]
fn memory_over_time() {
    let machine =
        machine_with("process = [{ pid = 1, vram = [['0s', '1 GiB'], ['200 ms', '20 GiB']] }]");
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(0).unwrap();
    let mut seen = Vec::new();
    until("20 GiB", || {
        seen.extend(compute(&gpu));
        seen.dedup();
        seen.last() == Some(&(1, Some(20 * GIB)))
    });
    // A slow machine may see the second step alone.
    assert!([(1, Some(GIB)), (1, Some(20 * GIB))].ends_with(&seen), "{seen:?}");
    assert_eq!(gpu.memory_info().unwrap().used, 20 * GIB);
}

#[test]
fn come_and_go() {
    let machine = machine_with(
        r#"
        process = [
            { pid = 1, vram = 1, until = "200 ms" },
            { pid = 2, vram = 2, from = "200 ms" },
            { pid = 3, vram = 3, from = "60 min" },
        ]"#,
    );
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(0).unwrap();
    let mut seen = Vec::new();
    until("the second process", || {
        seen.extend(compute(&gpu));
        seen.dedup();
        seen.last() == Some(&(2, Some(2)))
    });
    assert!([(1, Some(1)), (2, Some(2))].ends_with(&seen), "{seen:?}");
    assert_eq!(compute(&gpu), [(2, Some(2))]);
}

#[test]
fn utilization() {
    let machine = machine_with(
        r#"
        process = [
            { pid = 1, vram = 1, sm_percent = 90, memory_percent = 35, encoder_percent = 2, decoder_percent = 4 },
            { pid = 2, vram = 1, sm_percent = 5 },
            { pid = 3, vram = 1 },
        ]"#,
    );
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(0).unwrap();
    let samples = gpu.process_utilization_stats(None).unwrap();
    let figures: Vec<_> =
        samples.iter().map(|s| (s.pid, s.sm_util, s.mem_util, s.enc_util, s.dec_util)).collect();
    assert_eq!(figures, [(1, 90, 35, 2, 4), (2, 5, 0, 0, 0)]);
    assert!(samples.iter().all(|sample| sample.timestamp > 0));
    fails!(gpu.process_utilization_stats(u64::MAX), NotFound);
    machine.replace(&script("process = [{ pid = 1, vram = 1 }]"));
    fails!(gpu.process_utilization_stats(None), NotSupported);
    machine.replace(&script(""));
    fails!(gpu.process_utilization_stats(None), NotFound);
}

#[test]
fn accounting() {
    let processes = r#"
        process = [
            { pid = 1, vram = "1 GiB", accounted_peak = "5 GiB", sm_percent = 9 },
            { pid = 2, vram = "1 GiB", accounted_peak = "6 GiB", from = "0s", until = "0s" },
            { pid = 3, vram = "1 GiB" },
            { pid = 4, vram = "1 GiB", accounted_peak = "7 GiB", from = "60 min" },
        ]"#;
    let machine = machine_with(processes);
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(0).unwrap();
    let running = gpu.accounting_stats_for(1).unwrap();
    assert_eq!((running.is_running, running.max_memory_usage), (true, Some(5 * GIB)));
    assert_eq!((running.gpu_utilization, running.memory_utilization), (Some(9), None));
    assert!(running.start_time > 0);
    let ended = gpu.accounting_stats_for(2).unwrap();
    assert_eq!((ended.is_running, ended.max_memory_usage), (false, Some(6 * GIB)));
    fails!(gpu.accounting_stats_for(3), NotFound);
    fails!(gpu.accounting_stats_for(4), NotFound);
    fails!(gpu.accounting_stats_for(5), NotFound);
    machine.replace(
        &script(processes).replace("accounting_enabled = true", "accounting_enabled = false"),
    );
    assert!(!gpu.is_accounting_enabled().unwrap());
    fails!(gpu.accounting_stats_for(1), NotSupported);
}

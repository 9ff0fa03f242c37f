//! Many threads at once, while the script changes.

use std::sync::Barrier;
use std::thread;

use crate::machine::Machine;

const THREADS: usize = 4;
const CALLS: usize = 500;

#[test]
fn each_call_sees_one_script() {
    let script = |bytes: u64| {
        let memory = format!("memory = {{ total = {bytes}, used = {bytes} }}");
        format!("[[gpu]]\n{memory}\nprocess = [{{ pid = {bytes}, vram = {bytes} }}]")
    };
    let machine = Machine::new(&script(1));
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(0).unwrap();
    let start = Barrier::new(THREADS + 1);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                for _ in 0..CALLS {
                    let memory = gpu.memory_info().unwrap();
                    assert!(memory.total == memory.used && memory.free == 0, "{memory:?}");
                    assert_eq!(gpu.running_compute_processes().unwrap().len(), 1);
                }
            });
        }
        start.wait();
        for bytes in 2..100 {
            machine.replace(&script(bytes));
        }
    });
    assert_eq!(gpu.memory_info().unwrap().total, 99);
}

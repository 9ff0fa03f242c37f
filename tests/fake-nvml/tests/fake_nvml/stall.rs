//! Calls that do not come back for a while.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::machine::Machine;

const GPU: &str = "[[gpu]]\nname = 'x'\nmemory.total = 1\n";

/// Long enough, nearly always, for a call that does not stall to come back.
const A_WHILE: Duration = Duration::from_millis(100);

#[test]
fn holds_up_no_other_call() {
    let machine = Machine::new(GPU);
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(0).unwrap();
    machine.replace(&format!(
        "stall = {{ calls = ['nvmlDeviceGetMemoryInfo_v2'], for = '60 min' }}\n{GPU}"
    ));
    thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        let gpu = &gpu;
        scope.spawn(move || {
            tell.send(None).unwrap();
            tell.send(Some(gpu.memory_info().unwrap().total)).unwrap();
        });
        assert_eq!(told.recv().unwrap(), None);
        assert_eq!(told.recv_timeout(A_WHILE), Err(RecvTimeoutError::Timeout));
        assert_eq!(gpu.name().unwrap(), "x");
        machine.replace(&GPU.replace("total = 1", "total = 2"));
        assert_eq!(told.recv().unwrap(), Some(2));
    });
}

#[test]
fn holds_up_all_calls_until_its_time_is_over() {
    let machine = Machine::new(&format!("stall = {{ calls = 'all', for = '60 min' }}\n{GPU}"));
    thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        let machine = &machine;
        scope.spawn(move || {
            tell.send(0).unwrap();
            tell.send(machine.nvml().device_count().unwrap()).unwrap();
        });
        assert_eq!(told.recv().unwrap(), 0);
        assert_eq!(told.recv_timeout(A_WHILE), Err(RecvTimeoutError::Timeout));
        // Still all calls, but not for as long.
        machine.replace(&format!("stall = {{ calls = 'all', for = '200 ms' }}\n{GPU}"));
        assert_eq!(told.recv().unwrap(), 1);
    });
}

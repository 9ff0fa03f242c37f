//! Errors (Xid) that the driver tells of.

use std::sync::mpsc;
use std::thread;

use nvml_wrapper::bitmasks::event::EventTypes;
use nvml_wrapper::enums::event::XidError;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{EventSet, Nvml};

use crate::fails;
use crate::machine::{LONG_MS, Machine};

const TWO: &str = "[[gpu]]\nmemory.total = 1\n[[gpu]]\nmemory.total = 1\n";

fn with(xids: &str) -> String {
    format!("xid = [{xids}]\n{TWO}")
}

fn listen<'nvml>(nvml: &'nvml Nvml, gpus: &[u32]) -> EventSet<'nvml> {
    gpus.iter().fold(nvml.create_event_set().unwrap(), |set, gpu| {
        let gpu = nvml.device_by_index(*gpu).unwrap();
        gpu.register_events(EventTypes::CRITICAL_XID_ERROR, set).unwrap()
    })
}

/// Index of the GPU, and the error's number.
fn next(set: &EventSet<'_>, timeout_ms: u32) -> Result<(u32, u64), NvmlError> {
    let event = set.wait(timeout_ms)?;
    assert_eq!(event.event_type, EventTypes::CRITICAL_XID_ERROR);
    let Some(XidError::Value(code)) = event.event_data else { panic!("{event:?}") };
    Ok((event.device.index()?, code))
}

#[test]
fn each_set_is_told_once_of_its_gpus() {
    let machine = Machine::new(&with(
        "{ gpu = 1, code = 79 }, { gpu = 0, code = 31 }, { gpu = 0, code = 13 }",
    ));
    let nvml = machine.nvml();
    let (all, second, none) = (listen(&nvml, &[0, 1]), listen(&nvml, &[1]), listen(&nvml, &[]));
    let told: Vec<_> = (0..3).map(|_| next(&all, LONG_MS).unwrap()).collect();
    assert_eq!(told, [(1, 79), (0, 31), (0, 13)]);
    assert_eq!(next(&second, LONG_MS).unwrap(), (1, 79));
    fails!(next(&all, 0), Timeout);
    fails!(next(&second, 0), Timeout);
    fails!(next(&none, 1), Timeout);
    all.release_events().unwrap();
}

#[test]
fn a_wait_ends_when_an_error_is_due() {
    let machine = Machine::new(&with(
        "{ gpu = 0, code = 2, at = '300 ms' }, { gpu = 0, code = 1, at = '100 ms' }, { gpu = 0, code = 3, at = '60 min' }",
    ));
    let nvml = machine.nvml();
    let set = listen(&nvml, &[0]);
    assert_eq!(next(&set, LONG_MS).unwrap(), (0, 1));
    assert_eq!(next(&set, LONG_MS).unwrap(), (0, 2));
    fails!(next(&set, 1), Timeout);
}

/// What a wait comes back with that goes on when the script is replaced.
fn waited_for(machine: &Machine, script: &str) -> Result<(u32, u64), NvmlError> {
    let nvml = machine.nvml();
    thread::scope(|scope| {
        let (begun, begins) = mpsc::channel();
        let nvml = &nvml;
        let waits = scope.spawn(move || {
            let set = listen(nvml, &[1]);
            begun.send(()).unwrap();
            next(&set, LONG_MS)
        });
        begins.recv().unwrap();
        // Time for the other thread to wait, too.
        fails!(next(&listen(nvml, &[0]), 100), Timeout);
        machine.replace(script);
        waits.join().unwrap()
    })
}

#[test]
fn a_wait_ends_when_the_script_is_replaced() {
    let machine = Machine::new(TWO);
    assert_eq!(waited_for(&machine, &with("{ gpu = 1, code = 48 }")).unwrap(), (1, 48));
}

#[test]
fn a_wait_ends_when_the_driver_goes() {
    let machine = Machine::new(TWO);
    let gone = format!("init = 'driver_not_loaded'\n{TWO}");
    fails!(waited_for(&machine, &gone), DriverNotLoaded);
}

#[test]
fn errors_of_the_next_script_are_new() {
    let machine = Machine::new(&with("{ gpu = 0, code = 31 }"));
    let nvml = machine.nvml();
    let set = listen(&nvml, &[0]);
    assert_eq!(next(&set, LONG_MS).unwrap(), (0, 31));
    machine.replace(&with("{ gpu = 0, code = 31 }, { gpu = 0, code = 32 }"));
    assert_eq!(next(&set, LONG_MS).unwrap(), (0, 31));
    assert_eq!(next(&set, LONG_MS).unwrap(), (0, 32));
    fails!(next(&set, 0), Timeout);
}

#[test]
fn a_lost_gpu_ends_a_wait_after_what_was_told_of_it() {
    let machine = Machine::new(TWO);
    let nvml = machine.nvml();
    let (first, second) = (listen(&nvml, &[0]), listen(&nvml, &[1]));
    machine.replace(&with("{ gpu = 0, code = 79 }").replacen("[[gpu]]", "[[gpu]]\nlost = true", 1));
    let event = first.wait(LONG_MS).unwrap();
    assert!(matches!(event.event_data, Some(XidError::Value(79))));
    fails!(event.device.name(), GpuLost);
    fails!(first.wait(LONG_MS), GpuLost);
    fails!(second.wait(0), Timeout);
}

#[test]
fn only_errors_are_events_and_not_everywhere() {
    let machine =
        Machine::new("[[gpu]]\nmemory.total = 1\nxid_events = false\n[[gpu]]\nmemory.total = 1");
    let nvml = machine.nvml();
    let (without, with) = (nvml.device_by_index(0).unwrap(), nvml.device_by_index(1).unwrap());
    assert_eq!(without.supported_event_types().unwrap(), EventTypes::empty());
    assert_eq!(with.supported_event_types().unwrap(), EventTypes::CRITICAL_XID_ERROR);
    let register = |gpu: &nvml_wrapper::Device<'_>, types| {
        let set = nvml.create_event_set().unwrap();
        gpu.register_events(types, set).map(drop).map_err(|error| error.error)
    };
    fails!(register(&without, EventTypes::CRITICAL_XID_ERROR), NotSupported);
    fails!(
        register(&with, EventTypes::CRITICAL_XID_ERROR | EventTypes::CLOCK_CHANGE),
        NotSupported
    );
    assert!(register(&with, EventTypes::CRITICAL_XID_ERROR).is_ok());
}

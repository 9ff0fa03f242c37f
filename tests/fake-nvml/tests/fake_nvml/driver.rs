//! Whether there is a driver.

use crate::fails;
use crate::machine::Machine;

const GPU: &str = "driver_version = '1'\n[[gpu]]\nmemory.total = 1\n";

#[test]
fn refuses_to_initialise() {
    let machine = Machine::new("init = 'driver_not_loaded'");
    fails!(machine.try_nvml(), DriverNotLoaded);
    machine.replace("init = 'no_permission'");
    fails!(machine.try_nvml(), NoPermission);
    machine.replace("init = 'unknown'");
    fails!(machine.try_nvml(), Unknown);
    machine.replace("init = 'ok'");
    assert_eq!(machine.nvml().device_count().unwrap(), 0);
}

#[test]
fn a_script_that_is_wrong_is_an_unknown_error() {
    let machine = Machine::new("[[gpu]]\nmemory.total = 1\ntemperature = 40");
    fails!(machine.try_nvml(), Unknown);
    machine.replace(GPU);
    let nvml = machine.nvml();
    machine.replace("gpu = 3");
    fails!(nvml.device_count(), Unknown);
    machine.replace(GPU);
    assert_eq!(nvml.device_count().unwrap(), 1);
}

#[test]
fn is_unloaded_and_comes_back() {
    let machine = Machine::new(GPU);
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(0).unwrap();
    let events = nvml.create_event_set().unwrap();
    machine.replace(&format!("init = 'driver_not_loaded'\n{GPU}"));
    fails!(nvml.device_count(), DriverNotLoaded);
    fails!(nvml.sys_driver_version(), DriverNotLoaded);
    fails!(gpu.memory_info(), DriverNotLoaded);
    fails!(events.wait(0), DriverNotLoaded);
    fails!(machine.try_nvml(), DriverNotLoaded);
    machine.replace(GPU);
    assert_eq!(gpu.memory_info().unwrap().total, 1);
    drop(events);
    // Whatever the driver does, the library is given back.
    machine.replace("init = 'driver_not_loaded'");
    nvml.shutdown().unwrap();
}

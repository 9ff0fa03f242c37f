//! Memory of a GPU.

use std::mem::MaybeUninit;

use nvml_wrapper_sys::bindings::{
    nvmlMemory_t, nvmlMemory_v2_t,
    nvmlReturn_enum_NVML_ERROR_ARGUMENT_VERSION_MISMATCH as VERSION_MISMATCH,
    nvmlReturn_enum_NVML_SUCCESS as SUCCESS,
};

use crate::machine::Machine;

const GIB: u64 = 1 << 30;

/// A GPU whose processes hold 3 GiB that are known.
const PROCESSES: &str = r#"
[[gpu.process]]
pid = 1
vram = "2 GiB"
type = "both"
[[gpu.process]]
pid = 2
vram = "1 GiB"
[[gpu.process]]
pid = 3
vram = "not available"
[[gpu.process]]
pid = 4
vram = "4 GiB"
from = "60 min"
"#;

fn memory(of: &str) -> String {
    format!("[[gpu]]\nmemory = {{ {of} }}\n{PROCESSES}")
}

#[test]
fn used_is_said_or_added_up() {
    let machine = Machine::new(&memory("total = '80 GiB', reserved = '1 GiB'"));
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(0).unwrap();
    let info = gpu.memory_info().unwrap();
    assert_eq!((info.total, info.used, info.reserved), (80 * GIB, 3 * GIB, GIB));
    assert_eq!(info.free, 76 * GIB);

    machine.replace(&memory("total = '80 GiB', used = '79 GiB'"));
    let info = gpu.memory_info().unwrap();
    assert_eq!((info.used, info.reserved, info.free), (79 * GIB, 0, GIB));

    // No more than there is, whatever processes are said to hold.
    machine.replace(&memory("total = '2 GiB', reserved = '1 GiB'"));
    let info = gpu.memory_info().unwrap();
    assert_eq!((info.used, info.free), (GIB, 0));
}

#[test]
fn the_older_layout_counts_reserved_as_used() {
    let machine = Machine::new(&memory("total = '80 GiB', reserved = '1 GiB'"));
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(0).unwrap();
    // SAFETY: used while its library is loaded.
    let handle = unsafe { gpu.handle() };
    let mut memory = MaybeUninit::<nvmlMemory_t>::uninit();
    // SAFETY: a device of this library, and room for one structure.
    let code = unsafe { nvml.lib().nvmlDeviceGetMemoryInfo(handle, memory.as_mut_ptr()) };
    assert_eq!(code, SUCCESS);
    // SAFETY: filled, as the call says.
    let memory = unsafe { memory.assume_init() };
    assert_eq!((memory.total, memory.used, memory.free), (80 * GIB, 4 * GIB, 76 * GIB));
}

#[test]
fn a_layout_of_another_version_is_refused() {
    let machine = Machine::new(&memory("total = '80 GiB'"));
    let nvml = machine.nvml();
    let gpu = nvml.device_by_index(0).unwrap();
    // SAFETY: used while its library is loaded.
    let handle = unsafe { gpu.handle() };
    let mut memory = nvmlMemory_v2_t { version: 0, total: 0, reserved: 0, free: 0, used: 0 };
    // SAFETY: a device of this library, and a structure.
    let code = unsafe { nvml.lib().nvmlDeviceGetMemoryInfo_v2(handle, &raw mut memory) };
    assert_eq!(code, VERSION_MISMATCH);
}

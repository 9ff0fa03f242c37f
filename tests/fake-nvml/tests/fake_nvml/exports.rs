//! What the library exports.

use std::ffi::{CStr, c_uint};

use nvml_wrapper_sys::bindings::{
    NvmlLib, nvmlReturn_enum_NVML_ERROR_UNINITIALIZED as UNINITIALIZED,
    nvmlReturn_enum_NVML_SUCCESS as SUCCESS,
};

use crate::machine::{Machine, library};

fn load() -> NvmlLib {
    // SAFETY: loading it runs no code of its own.
    unsafe { NvmlLib::new(library()) }.unwrap()
}

#[test]
fn every_function_that_can_stall_is_there() {
    let library = load();
    let names = include_str!("../../src/calls.rs").split('"').filter(|text| {
        text.strip_prefix("nvml").is_some_and(|rest| rest.starts_with(char::is_uppercase))
    });
    let mut count = 0;
    for name in names.chain(["nvmlShutdown", "nvmlErrorString"]) {
        // SAFETY: it is only looked for, not called.
        let symbol = unsafe { library.__library.get::<unsafe extern "C" fn()>(name.as_bytes()) };
        assert!(symbol.is_ok(), "{name}");
        count += 1;
    }
    assert!(count > 50, "{count}");
}

#[test]
fn initialising_is_counted() {
    let _machine = Machine::new("[[gpu]]\nmemory.total = 1");
    let nvml = load();
    let mut count: c_uint = 7;
    // SAFETY: of all calls here: a local variable, or nothing, is handed over.
    let mut get_count = || unsafe { nvml.nvmlDeviceGetCount_v2(&raw mut count) };
    // SAFETY: see above.
    let init = || unsafe { nvml.nvmlInit_v2() };
    // SAFETY: see above.
    let init_with_flags = || unsafe { nvml.nvmlInitWithFlags(0) };
    // SAFETY: see above.
    let shut_down = || unsafe { nvml.nvmlShutdown() };

    assert_eq!((get_count(), shut_down()), (UNINITIALIZED, UNINITIALIZED));
    assert_eq!((init(), init_with_flags(), shut_down()), (SUCCESS, SUCCESS, SUCCESS));
    assert_eq!(get_count(), SUCCESS);
    assert_eq!((shut_down(), get_count()), (SUCCESS, UNINITIALIZED));
    assert_eq!(count, 1);
}

#[test]
fn errors_have_words() {
    let nvml = load();
    for (code, words) in [(0, c"Success"), (15, c"GPU is lost"), (12345, c"Unknown Error")] {
        // SAFETY: takes a number alone.
        let text = unsafe { nvml.nvmlErrorString(code) };
        // SAFETY: a text that lasts as long as the library.
        assert_eq!(unsafe { CStr::from_ptr(text) }, words);
    }
}

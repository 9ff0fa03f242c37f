//! Initialising, and the driver's versions.
#![allow(non_snake_case, reason = "the names are nvml.h's")]

use std::ffi::{CStr, c_char, c_int, c_uint};

use nvml_wrapper_sys::bindings as nvml;
use nvml_wrapper_sys::bindings::nvmlReturn_t;

use crate::answer::supported;
use crate::library::{call, initialize, shut_down};
use crate::output::{Out, TextOut};

#[unsafe(no_mangle)]
extern "C" fn nvmlInit_v2() -> nvmlReturn_t {
    initialize("nvmlInit_v2")
}

/// The flags say what to do without GPUs, which is no error here anyway.
#[unsafe(no_mangle)]
extern "C" fn nvmlInitWithFlags(_flags: c_uint) -> nvmlReturn_t {
    initialize("nvmlInitWithFlags")
}

#[unsafe(no_mangle)]
extern "C" fn nvmlShutdown() -> nvmlReturn_t {
    shut_down()
}

#[unsafe(no_mangle)]
extern "C" fn nvmlErrorString(result: nvmlReturn_t) -> *const c_char {
    words(result).as_ptr()
}

const fn words(result: nvmlReturn_t) -> &'static CStr {
    match result {
        nvml::nvmlReturn_enum_NVML_SUCCESS => c"Success",
        nvml::nvmlReturn_enum_NVML_ERROR_UNINITIALIZED => c"Uninitialized",
        nvml::nvmlReturn_enum_NVML_ERROR_INVALID_ARGUMENT => c"Invalid Argument",
        nvml::nvmlReturn_enum_NVML_ERROR_NOT_SUPPORTED => c"Not Supported",
        nvml::nvmlReturn_enum_NVML_ERROR_NO_PERMISSION => c"Insufficient Permissions",
        nvml::nvmlReturn_enum_NVML_ERROR_NOT_FOUND => c"Not Found",
        nvml::nvmlReturn_enum_NVML_ERROR_INSUFFICIENT_SIZE => c"Insufficient Size",
        nvml::nvmlReturn_enum_NVML_ERROR_DRIVER_NOT_LOADED => c"Driver Not Loaded",
        nvml::nvmlReturn_enum_NVML_ERROR_TIMEOUT => c"Timeout",
        nvml::nvmlReturn_enum_NVML_ERROR_GPU_IS_LOST => c"GPU is lost",
        nvml::nvmlReturn_enum_NVML_ERROR_ARGUMENT_VERSION_MISMATCH => c"Argument version mismatch",
        _ => c"Unknown Error",
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlSystemGetDriverVersion(
    version: *mut c_char,
    length: c_uint,
) -> nvmlReturn_t {
    // SAFETY: the module's text.
    let version = unsafe { TextOut::new(version, length) };
    call("nvmlSystemGetDriverVersion", |now| {
        version.set(supported(now.script()?.driver_version.as_deref())?)
    })
}

/// As the real one: the major version of CUDA, and then the driver's.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlSystemGetNVMLVersion(
    version: *mut c_char,
    length: c_uint,
) -> nvmlReturn_t {
    // SAFETY: the module's text.
    let version = unsafe { TextOut::new(version, length) };
    call("nvmlSystemGetNVMLVersion", |now| {
        let driver = supported(now.script()?.driver_version.as_deref())?;
        let cuda = supported(now.script()?.cuda_version)?;
        version.set(&format!("{}.{driver}", cuda.major()))
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlSystemGetCudaDriverVersion(version: *mut c_int) -> nvmlReturn_t {
    // SAFETY: the module's text.
    let version = unsafe { Out::new(version) };
    call("nvmlSystemGetCudaDriverVersion", |now| {
        version.set(supported(now.script()?.cuda_version)?.0)
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlSystemGetCudaDriverVersion_v2(version: *mut c_int) -> nvmlReturn_t {
    // SAFETY: the module's text.
    let version = unsafe { Out::new(version) };
    call("nvmlSystemGetCudaDriverVersion_v2", |now| {
        version.set(supported(now.script()?.cuda_version)?.0)
    })
}

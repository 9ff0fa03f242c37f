//! libcuda.so.1 and those of its functions that are used. `_v2` is part of a
//! name where cuda.h defines the plain one as that.

use std::ffi::{c_char, c_int, c_uint, c_void};

/// What the driver's package installs; without a number it is that of the
/// toolkit, for linkers.
const NAME: &str = "libcuda.so.1";

/// `CUDA_SUCCESS`
pub(super) const SUCCESS: c_int = 0;

/// `CUdeviceptr`
pub(super) type DevicePointer = u64;

/// `CUcontext`, `CUmodule`, `CUfunction` and `CUstream` are pointers to what
/// only the library knows.
type Opaque = *mut c_void;

/// `cuLaunchKernel`: function, grid, block, shared memory, stream, parameters.
type LaunchKernel = unsafe extern "C" fn(
    Opaque,
    c_uint,
    c_uint,
    c_uint,
    c_uint,
    c_uint,
    c_uint,
    c_uint,
    Opaque,
    *mut *mut c_void,
    *mut *mut c_void,
) -> c_int;

/// The functions, and the library that they lie in.
pub(super) struct Library {
    pub(super) init: unsafe extern "C" fn(c_uint) -> c_int,
    pub(super) device_get: unsafe extern "C" fn(*mut c_int, c_int) -> c_int,
    pub(super) device_primary_ctx_retain: unsafe extern "C" fn(*mut Opaque, c_int) -> c_int,
    pub(super) ctx_set_current: unsafe extern "C" fn(Opaque) -> c_int,
    pub(super) ctx_synchronize: unsafe extern "C" fn() -> c_int,
    pub(super) mem_alloc: unsafe extern "C" fn(*mut DevicePointer, usize) -> c_int,
    pub(super) mem_free: unsafe extern "C" fn(DevicePointer) -> c_int,
    pub(super) memset_d8: unsafe extern "C" fn(DevicePointer, u8, usize) -> c_int,
    pub(super) module_load_data: unsafe extern "C" fn(*mut Opaque, *const c_void) -> c_int,
    pub(super) module_get_function:
        unsafe extern "C" fn(*mut Opaque, Opaque, *const c_char) -> c_int,
    pub(super) launch_kernel: LaunchKernel,
    pub(super) get_error_name: unsafe extern "C" fn(c_int, *mut *const c_char) -> c_int,
    /// Keeps the functions where they are.
    _library: libloading::Library,
}

impl Library {
    /// Loads it; the error says in one sentence why not.
    pub(super) fn open() -> Result<Self, String> {
        Self::open_as(NAME)
    }

    fn open_as(name: &str) -> Result<Self, String> {
        // SAFETY: the driver's library may be loaded by any program, and is
        // never unloaded while the functions are there.
        let library = unsafe { libloading::Library::new(name) };
        let library = library.map_err(|error| {
            format!("CUDA's library, which comes with the NVIDIA driver, is not there: {error}")
        })?;
        macro_rules! function {
            ($name:literal) => {{
                // SAFETY: the field that it goes to has cuda.h's signature.
                let found = unsafe { library.get($name.to_bytes_with_nul()) };
                *found.map_err(|error| format!("{name} is too old or no CUDA: {error}"))?
            }};
        }
        Ok(Self {
            init: function!(c"cuInit"),
            device_get: function!(c"cuDeviceGet"),
            device_primary_ctx_retain: function!(c"cuDevicePrimaryCtxRetain"),
            ctx_set_current: function!(c"cuCtxSetCurrent"),
            ctx_synchronize: function!(c"cuCtxSynchronize"),
            mem_alloc: function!(c"cuMemAlloc_v2"),
            mem_free: function!(c"cuMemFree_v2"),
            memset_d8: function!(c"cuMemsetD8_v2"),
            module_load_data: function!(c"cuModuleLoadData"),
            module_get_function: function!(c"cuModuleGetFunction"),
            launch_kernel: function!(c"cuLaunchKernel"),
            get_error_name: function!(c"cuGetErrorName"),
            _library: library,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Library;

    #[test]
    fn a_library_that_is_not_there_is_a_sentence() {
        let why = Library::open_as("libcuda-of-nobody.so.1").err().unwrap();
        assert!(why.starts_with("CUDA's library, which comes with the NVIDIA driver"), "{why}");
        assert!(why.contains("libcuda-of-nobody.so.1"), "{why}");
    }

    #[test]
    fn another_library_is_no_cuda() {
        let why = Library::open_as("libc.so.6").err().unwrap();
        assert!(why.starts_with("libc.so.6 is too old or no CUDA"), "{why}");
    }
}

//! What a call comes back with.

use std::panic::{AssertUnwindSafe, catch_unwind};

use nvml_wrapper_sys::bindings as nvml;

/// Why a call fails: a number of nvml.h that is not `NVML_SUCCESS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal(nvml::nvmlReturn_t);

/// What a call's work comes to.
pub(crate) type Answer<T = ()> = Result<T, Refusal>;

impl Refusal {
    pub(crate) const UNINITIALIZED: Self = Self(nvml::nvmlReturn_enum_NVML_ERROR_UNINITIALIZED);
    pub(crate) const INVALID_ARGUMENT: Self =
        Self(nvml::nvmlReturn_enum_NVML_ERROR_INVALID_ARGUMENT);
    pub(crate) const NOT_SUPPORTED: Self = Self(nvml::nvmlReturn_enum_NVML_ERROR_NOT_SUPPORTED);
    pub(crate) const NO_PERMISSION: Self = Self(nvml::nvmlReturn_enum_NVML_ERROR_NO_PERMISSION);
    pub(crate) const NOT_FOUND: Self = Self(nvml::nvmlReturn_enum_NVML_ERROR_NOT_FOUND);
    pub(crate) const INSUFFICIENT_SIZE: Self =
        Self(nvml::nvmlReturn_enum_NVML_ERROR_INSUFFICIENT_SIZE);
    pub(crate) const DRIVER_NOT_LOADED: Self =
        Self(nvml::nvmlReturn_enum_NVML_ERROR_DRIVER_NOT_LOADED);
    pub(crate) const TIMEOUT: Self = Self(nvml::nvmlReturn_enum_NVML_ERROR_TIMEOUT);
    pub(crate) const GPU_IS_LOST: Self = Self(nvml::nvmlReturn_enum_NVML_ERROR_GPU_IS_LOST);
    pub(crate) const VERSION_MISMATCH: Self =
        Self(nvml::nvmlReturn_enum_NVML_ERROR_ARGUMENT_VERSION_MISMATCH);
    pub(crate) const UNKNOWN: Self = Self(nvml::nvmlReturn_enum_NVML_ERROR_UNKNOWN);
}

/// What the script says, or that the driver does not support it.
pub(crate) fn supported<T>(said: Option<T>) -> Answer<T> {
    said.ok_or(Refusal::NOT_SUPPORTED)
}

/// Does the work of a call. A panic, which must not leave a C function, is
/// `NVML_ERROR_UNKNOWN`.
pub(crate) fn returned(work: impl FnOnce() -> Answer) -> nvml::nvmlReturn_t {
    match catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Refusal::UNKNOWN)) {
        Ok(()) => nvml::nvmlReturn_enum_NVML_SUCCESS,
        Err(Refusal(code)) => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_unknown_error() {
        assert_eq!(returned(|| panic!("as a test")), nvml::nvmlReturn_enum_NVML_ERROR_UNKNOWN);
        assert_eq!(returned(|| Ok(())), nvml::nvmlReturn_enum_NVML_SUCCESS);
    }
}

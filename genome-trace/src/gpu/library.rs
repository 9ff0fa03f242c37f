//! Loading NVML, and what stands in the way.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use nvml_wrapper::{Nvml, error::NvmlError};

use crate::model::GpuAccess;

/// The library that the driver brings, found by the dynamic linker.
pub const DEFAULT_LIBRARY: &str = "libnvidia-ml.so.1";

/// Which library to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library(PathBuf);

impl Library {
    /// This file; where it is a name alone, the dynamic linker looks for it.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// As it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Loads and initializes it.
    ///
    /// # Errors
    /// What stands in the way.
    pub(super) fn open(&self) -> Result<Nvml, GpuAccess> {
        let opened = Nvml::builder().lib_path(self.0.as_os_str()).init();
        opened.map_err(|error| match obstacle(&error) {
            GpuAccess::Failed(why) => GpuAccess::Failed(self.without_its_path(&why).into()),
            access => access,
        })
    }

    /// The linker's words begin with the path, which is told beside them.
    fn without_its_path<'a>(&self, why: &'a str) -> &'a str {
        let path = self.0.to_str().unwrap_or_default();
        why.strip_prefix(path).and_then(|why| why.strip_prefix(": ")).unwrap_or(why)
    }
}

/// What an error says of the way to all GPUs; `None` where it says nothing of
/// it, such as that one value is not supported.
pub(super) fn lost_access(error: &NvmlError) -> Option<GpuAccess> {
    match error {
        NvmlError::DriverNotLoaded => Some(GpuAccess::NoDriver),
        // The driver was loaded anew; our handles are from before.
        NvmlError::Uninitialized => Some(GpuAccess::NoDriver),
        NvmlError::LibRmVersionMismatch => Some(obstacle(error)),
        _ => None,
    }
}

fn obstacle(error: &NvmlError) -> GpuAccess {
    match error {
        NvmlError::LibloadingError(loading) if is_not_there(&text(loading)) => GpuAccess::NoLibrary,
        NvmlError::LibloadingError(loading) => GpuAccess::Failed(text(loading).into()),
        NvmlError::DriverNotLoaded | NvmlError::Uninitialized => GpuAccess::NoDriver,
        NvmlError::LibRmVersionMismatch => GpuAccess::Failed(Arc::from(
            "the library and the loaded driver are of different versions: restart the machine, \
             or load the driver anew",
        )),
        error => GpuAccess::Failed(error.to_string().into()),
    }
}

/// dlopen(3)'s own words are in the error's source.
fn text(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// glibc's words for ENOENT (dlopen(3) has no error numbers). A library that
/// is there and lacks one that it needs says so of the other one.
fn is_not_there(words: &str) -> bool {
    words.ends_with("No such file or directory")
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    fn obstacle_of(path: &str) -> Option<GpuAccess> {
        Library::new(path.into()).open().err()
    }

    #[test]
    fn a_library_that_is_not_there_is_no_gpu() {
        assert_eq!(obstacle_of("/nonexistent/libnvidia-ml.so.1"), Some(GpuAccess::NoLibrary));
    }

    #[test]
    fn a_file_that_is_no_library_is_a_failure_in_the_linkers_words() {
        let found = obstacle_of("/proc/self/status");
        let Some(GpuAccess::Failed(why)) = &found else { panic!("{found:?}") };
        assert!(!why.is_empty() && !why.contains("status"), "its path is told twice: {why}");
    }

    #[test]
    fn another_path_than_the_librarys_is_told() {
        let library = Library::new("x.so".into());
        assert_eq!(library.without_its_path("x.so: wrong ELF class"), "wrong ELF class");
        assert_eq!(library.without_its_path("y.so: not there"), "y.so: not there");
        assert_eq!(library.without_its_path("x.so"), "x.so");
    }

    #[test]
    fn values_that_are_not_supported_say_nothing_of_the_driver() {
        assert_eq!(lost_access(&NvmlError::NotSupported), None);
        assert_eq!(lost_access(&NvmlError::GpuLost), None);
        assert_eq!(lost_access(&NvmlError::DriverNotLoaded), Some(GpuAccess::NoDriver));
    }
}

//! GPUs that a test makes up: the fake NVML with a script of the test's own.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use genome_trace_fake_nvml::{SCRIPT_VARIABLE, beside_tests};
use tempfile::TempDir;

use crate::{Ended, Invocation};

/// The library and its script, where any user can reach them.
pub struct FakeGpus(TempDir);

impl FakeGpus {
    /// GPUs as this script has them; its format is in `tests/fake-nvml`.
    ///
    /// # Errors
    /// cargo built no library, or there is no room for a copy of it.
    pub fn new(script: &str) -> io::Result<Self> {
        let built = beside_tests()
            .ok_or_else(|| io::Error::other("cargo built no fake NVML beside the tests"))?;
        let gpus = Self(TempDir::new()?);
        let folder = gpus.0.path();
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        fs::copy(built, gpus.library())?;
        fs::set_permissions(gpus.library(), Permissions::from_mode(0o755))?;
        fs::write(gpus.script(), script)?;
        fs::set_permissions(gpus.script(), Permissions::from_mode(0o644))?;
        Ok(gpus)
    }

    /// What `--nvml-library` takes.
    #[must_use]
    pub fn library(&self) -> PathBuf {
        self.path().join("libnvidia-ml.so.1")
    }

    /// Runs the binary with these GPUs.
    ///
    /// # Errors
    /// It could not be started, or did not end.
    pub fn run(&self, invocation: Invocation) -> io::Result<Ended> {
        invocation.env(SCRIPT_VARIABLE, self.script()).run()
    }

    fn script(&self) -> PathBuf {
        self.path().join("script.toml")
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

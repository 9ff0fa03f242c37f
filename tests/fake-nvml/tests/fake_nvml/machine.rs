//! A machine to test with: the library, and a script that can be replaced.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use genome_trace_fake_nvml::{SCRIPT_VARIABLE, beside_tests};
use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;
use tempfile::TempDir;

/// A loaded library has one script, so the tests of a process take turns.
static TURN: Mutex<()> = Mutex::new(());

/// What must come in the end may take this long on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(120);

/// Milliseconds of a wait that must be ended by something else.
pub(crate) const LONG_MS: u32 = 120_000;

/// A machine with a script.
pub(crate) struct Machine {
    folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Machine {
    pub(crate) fn new(script: &str) -> Self {
        // A test that failed has left nothing behind that matters.
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let machine = Self { folder: tempfile::tempdir().unwrap(), _turn: turn };
        machine.replace(script);
        // SAFETY: all tests of this process wait for their turn before they
        // or the library read the environment.
        unsafe { std::env::set_var(SCRIPT_VARIABLE, machine.path()) };
        machine
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("script.toml")
    }

    /// Puts another script in the place of this one, at once.
    pub(crate) fn replace(&self, script: &str) {
        let new = self.folder.path().join("new");
        fs::write(&new, script).unwrap();
        fs::rename(new, self.path()).unwrap();
    }

    /// Loads and initialises the library.
    pub(crate) fn try_nvml(&self) -> Result<Nvml, NvmlError> {
        Nvml::builder().lib_path(library().as_os_str()).init()
    }

    pub(crate) fn nvml(&self) -> Nvml {
        self.try_nvml().unwrap()
    }
}

/// The path of the library.
pub(crate) fn library() -> PathBuf {
    beside_tests().expect("cargo builds the library with its tests")
}

/// Asks again until it is so.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "never came: {what}");
        std::thread::yield_now();
    }
}

/// That a call fails, and how.
#[macro_export]
macro_rules! fails {
    ($call:expr, $error:ident $($rest:tt)*) => {
        assert!(
            matches!($call, Err(nvml_wrapper::error::NvmlError::$error $($rest)*)),
            "{} must fail with {}",
            stringify!($call),
            stringify!($error)
        )
    };
}

//! Where the shared library is once tests are built.

use std::path::PathBuf;

/// Its file's name.
const NAME: &str = concat!("lib", env!("CARGO_CRATE_NAME"), ".so");

/// The shared library that cargo built with the running test; `None` where it
/// built none. A test's binary lies in `target/<profile>/deps`, and so does the
/// library; the copy above that folder may be of another build.
#[must_use]
pub fn beside_tests() -> Option<PathBuf> {
    let binary = std::env::current_exe().ok()?;
    binary.ancestors().skip(1).take(2).map(|folder| folder.join(NAME)).find(|path| path.is_file())
}

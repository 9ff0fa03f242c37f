//! Where the binary is.

use std::{
    env, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// The binary under test.
///
/// # Errors
/// It could not be built.
pub fn genome_trace() -> io::Result<&'static Path> {
    static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BINARY
        .get_or_init(|| match env::var_os("GENOME_TRACE_BIN") {
            Some(binary) => Ok(binary.into()),
            None => build(),
        })
        .as_deref()
        .map_err(|reason| io::Error::other(reason.clone()))
}

/// Builds it, and learns from cargo where it lies. Quick where it is built
/// already; it is never an old one.
fn build() -> Result<PathBuf, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        // With the whole workspace's features, as `cargo xtask test` has built
        // it: by itself it would be compiled once more.
        .args(["build", "--quiet", "--workspace", "--bin", "genome-trace"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if !built.status.success() {
        return Err(format!("cannot build genome-trace: cargo ended with {}", built.status));
    }
    String::from_utf8_lossy(&built.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?)))
        .next_back()
        .ok_or_else(|| "cargo does not say where it put genome-trace".to_owned())
}

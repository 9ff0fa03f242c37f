//! `cargo xtask gpu` on a machine that has no GPU.

use std::process::Command;

#[test]
fn without_a_gpu_nothing_passes_and_nothing_is_built() {
    let ended = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("gpu")
        // Of all programs there is none, so nvidia-smi is missing on every machine.
        .env("PATH", env!("CARGO_TARGET_TMPDIR"))
        .env("CARGO", "/nonexistent/cargo")
        .output()
        .expect("start xtask");
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2), "{stderr}");
    let wanted = "xtask: no GPU here: there is no nvidia-smi on PATH; it comes with the NVIDIA \
                  driver";
    assert_eq!(stderr.lines().next(), Some(wanted), "{stderr}");
    assert!(ended.stdout.is_empty(), "{}", String::from_utf8_lossy(&ended.stdout));
}

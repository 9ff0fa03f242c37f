//! `gpu`: builds genome-trace, a process that holds GPU memory and the check
//! that starts both, and runs it on this machine's GPU.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::Context as _;

use crate::artifacts;
use crate::cli::GpuArgs;
use crate::process;
use crate::workspace::Workspace;

/// Nothing was checked; the check itself ends with it, too, where it finds that
/// something is missing.
const NOT_HERE: u8 = 2;

/// The subcommand.
pub(crate) fn main(workspace: &Workspace, args: &GpuArgs) -> anyhow::Result<ExitCode> {
    // Before minutes of building.
    let missing = missing();
    if !missing.is_empty() {
        for reason in missing {
            eprintln!("xtask: {reason}");
        }
        return Ok(ExitCode::from(NOT_HERE));
    }
    let tracer = artifacts::genome_trace(workspace).context("build genome-trace")?;
    let workload = artifacts::workload(workspace).context("build the workload program")?;
    let check = artifacts::gpu_check(workspace).context("build the check")?;
    let report = args.json.clone().unwrap_or_else(|| workspace.target().join("gpu.json"));
    let status = Command::new(check)
        .env("GENOME_TRACE_BIN", tracer)
        .env("GENOME_TRACE_WORKLOAD", workload)
        .arg("--json")
        .arg(report)
        .status()
        .context("start the check")?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// What is missing, a sentence each. Libraries are looked for by those who load
/// them.
fn missing() -> Vec<String> {
    let mut missing = Vec::new();
    let gpus = match process::find("nvidia-smi") {
        Some(nvidia_smi) => list_gpus(&nvidia_smi),
        None => Err("there is no nvidia-smi on PATH; it comes with the NVIDIA driver".to_owned()),
    };
    if let Err(reason) = gpus {
        missing.push(format!("no GPU here: {reason}"));
    }
    if !process::is_root() {
        missing.push("this is not root; start `cargo xtask gpu` as root".to_owned());
    }
    missing
}

fn list_gpus(nvidia_smi: &Path) -> Result<(), String> {
    let listed = Command::new(nvidia_smi)
        .arg("-L")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot start {}: {error}", nvidia_smi.display()))?;
    let said = [listed.stdout, listed.stderr].concat();
    judge(listed.status.success(), &String::from_utf8_lossy(&said))
}

/// Whether `nvidia-smi -L` has named a GPU; where the driver is not loaded it
/// fails, and says so on stdout.
fn judge(succeeded: bool, said: &str) -> Result<(), String> {
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    if !succeeded {
        return Err(format!("`nvidia-smi -L` failed: {said}"));
    }
    if !said.contains("(UUID: GPU-") {
        return Err(format!("`nvidia-smi -L` names none: {said:?}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn a_gpu_is_one_with_a_uuid() {
        assert_eq!(judge(true, "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-6b1c-0000)\n"), Ok(()));
    }

    #[test]
    fn no_gpu_is_a_sentence() {
        let failed = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA \
                      driver.\nMake sure that it is running.\n";
        assert_eq!(
            judge(false, failed),
            Err("`nvidia-smi -L` failed: NVIDIA-SMI has failed because it couldn't communicate \
                 with the NVIDIA driver. Make sure that it is running."
                .to_owned())
        );
        for nothing in ["", "No devices found.\n"] {
            assert!(judge(true, nothing).is_err());
        }
    }
}

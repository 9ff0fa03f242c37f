//! Stands between cargo and rustc while the BPF object is built.
//!
//! cargo derives `-C metadata`, and by it the name of every symbol, from the
//! folder that a crate outside the workspace lies in, as genome-trace-common
//! does for the BPF crate. So our own crates get a value that is the same in
//! every clone.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

/// Set where this program is started as the wrapper.
const MARK: &str = "GENOME_TRACE_XTASK_AS_RUSTC_WRAPPER";

/// Makes a cargo command call us instead of rustc.
pub(crate) fn install(cargo: &mut Command) -> anyhow::Result<()> {
    let ourselves = env::current_exe().context("find xtask's own file")?;
    cargo.env("RUSTC_WRAPPER", ourselves).env(MARK, "1");
    Ok(())
}

/// Becomes rustc where cargo called us instead; returns an error then, else `None`.
pub(crate) fn become_rustc_if_asked() -> Option<anyhow::Error> {
    env::var_os(MARK)?;
    let mut args = env::args_os().skip(1);
    let rustc = PathBuf::from(args.next().unwrap_or_default());
    let error = Command::new(&rustc).args(with_fixed_metadata(args.collect())).exec();
    Some(anyhow::Error::new(error).context(format!("start {}", rustc.display())))
}

fn with_fixed_metadata(args: Vec<OsString>) -> Vec<OsString> {
    let Some(name) = crate_name(&args).filter(|name| name.starts_with("genome_trace")) else {
        return args;
    };
    let fixed = OsString::from(format!("metadata={name}"));
    args.into_iter().map(|arg| if is_metadata(&arg) { fixed.clone() } else { arg }).collect()
}

fn crate_name(args: &[OsString]) -> Option<String> {
    let mut args = args.iter().skip_while(|arg| *arg != "--crate-name").skip(1);
    args.next().and_then(|name| name.to_str()).map(str::to_owned)
}

fn is_metadata(arg: &OsStr) -> bool {
    arg.to_str().is_some_and(|arg| arg.starts_with("metadata="))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(args: &[&str]) -> Vec<String> {
        with_fixed_metadata(args.iter().map(OsString::from).collect())
            .into_iter()
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect()
    }

    #[test]
    fn our_crates_get_their_name() {
        assert_eq!(
            fixed(&[
                "--crate-name",
                "genome_trace_common",
                "-C",
                "metadata=1f",
                "-C",
                "opt-level=3"
            ]),
            [
                "--crate-name",
                "genome_trace_common",
                "-C",
                "metadata=genome_trace_common",
                "-C",
                "opt-level=3"
            ]
        );
    }

    #[test]
    fn others_keep_what_cargo_chose() {
        let args = ["--crate-name", "aya_ebpf", "-C", "metadata=1f"];
        assert_eq!(fixed(&args), args);
        assert_eq!(fixed(&["-vV"]), ["-vV"]);
    }
}

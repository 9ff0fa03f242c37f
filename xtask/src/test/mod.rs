//! `test`: everything that runs, from unit tests to other kernels.

mod parts;
mod summary;

use std::process::ExitCode;

use crate::cli::TestArgs;
use crate::setup;
use crate::workspace::Workspace;
use summary::{Part, Summary};

/// The subcommand: all parts run, whatever the ones before say.
pub(crate) fn main(workspace: &Workspace, args: &TestArgs) -> anyhow::Result<ExitCode> {
    setup::setup(workspace, !args.no_vm)?;
    let mut summary = Summary::default();
    summary.add(parts::workspace(workspace));
    summary.add(parts::documentation(workspace));
    summary.add(parts::this_kernel(workspace, args.quick));
    if args.no_vm {
        summary.add(Part::skipped("other kernels", "--no-vm"));
    } else {
        for part in parts::other_kernels(workspace, args.quick) {
            summary.add(part);
        }
    }
    print!("{summary}");
    Ok(if summary.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

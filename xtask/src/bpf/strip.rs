//! Takes DWARF out of the object. rustc must emit it, because BTF is made from
//! it, but nobody reads it afterwards and it is four fifths of the file.

use std::path::Path;
use std::process::Command;

use crate::process;

/// Writes `object` without its `.debug_*` sections; BTF stays.
pub(crate) fn strip_dwarf(llvm_strip: &Path, object: &Path, stripped: &Path) -> anyhow::Result<()> {
    process::run_quietly(
        Command::new(llvm_strip).arg("--strip-debug").arg("-o").arg(stripped).arg(object),
    )
}

//! The shared libraries that a program needs, its loader among them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// Asks ldd; a static program has none.
pub(crate) fn of(program: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let output = Command::new("ldd")
        .arg(program)
        .env("LC_ALL", "C")
        // cargo's would put the toolchain's libraries before the system's.
        .env_remove("LD_LIBRARY_PATH")
        .output()
        .context("start ldd")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && !complained.contains("not a dynamic executable") {
        bail!("find the libraries of {}: ldd failed: {complained}", program.display());
    }
    if let Some(missing) = said.lines().find(|line| line.ends_with("=> not found")) {
        bail!("find the libraries of {}: {}", program.display(), missing.trim());
    }
    Ok(parse(&said))
}

fn parse(ldd: &str) -> Vec<PathBuf> {
    ldd.lines()
        .filter_map(|line| {
            let place = line.split_once("=>").map_or(line, |(_, place)| place);
            let path = place.split_whitespace().next()?;
            path.starts_with('/').then(|| PathBuf::from(path))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ldd_output() {
        let ldd = "\tlinux-vdso.so.1 (0x00007ffd)\n\
                   \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f6c)\n\
                   \t/lib64/ld-linux-x86-64.so.2 (0x00007f6d)\n";
        assert_eq!(
            parse(ldd),
            [
                PathBuf::from("/lib/x86_64-linux-gnu/libc.so.6"),
                PathBuf::from("/lib64/ld-linux-x86-64.so.2")
            ]
        );
        assert_eq!(parse("\tstatically linked\n"), Vec::<PathBuf>::new());
    }
}

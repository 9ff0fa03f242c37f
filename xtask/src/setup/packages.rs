//! Debian packages: which are there, and installing those that are not.

use std::process::Command;

use anyhow::bail;

use super::say;
use crate::process;

/// The machine's apt.
#[derive(Default)]
pub(crate) struct Packages {
    lists_are_fresh: bool,
}

impl Packages {
    /// Whether apt could install all of these.
    pub(crate) fn available(&mut self, names: &[&str]) -> anyhow::Result<bool> {
        if process::find("apt-get").is_none() {
            return Ok(false);
        }
        // A fresh machine has no lists yet.
        if !known(names) {
            self.update()?;
        }
        Ok(known(names))
    }

    /// Installs what is missing of these.
    pub(crate) fn install(&mut self, names: &[&str]) -> anyhow::Result<()> {
        let missing: Vec<&str> = names.iter().copied().filter(|name| !installed(name)).collect();
        if missing.is_empty() {
            say(&format!("ok: packages {}", names.join(" ")));
            return Ok(());
        }
        self.update()?;
        say(&format!("install packages {}", missing.join(" ")));
        process::run_quietly(
            as_root("apt-get")?
                .args(["-q", "-y", "--no-install-recommends", "install"])
                .args(missing),
        )
    }

    fn update(&mut self) -> anyhow::Result<()> {
        if !self.lists_are_fresh {
            say("fetch the lists of packages");
            process::run_quietly(as_root("apt-get")?.args(["-q", "update"]))?;
            self.lists_are_fresh = true;
        }
        Ok(())
    }
}

fn known(names: &[&str]) -> bool {
    names.iter().all(|name| {
        process::stdout(Command::new("apt-cache").args(["policy", name]))
            .is_ok_and(|policy| has_candidate(&policy))
    })
}

fn has_candidate(policy: &str) -> bool {
    policy
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Candidate:"))
        .any(|version| version.trim() != "(none)")
}

fn installed(name: &str) -> bool {
    process::stdout(Command::new("dpkg-query").args(["-W", "-f", "${db:Status-Status}", name]))
        .is_ok_and(|status| status == "installed")
}

fn as_root(program: &str) -> anyhow::Result<Command> {
    let mut command = if process::is_root() {
        Command::new(program)
    } else if process::find("sudo").is_some() {
        let mut command = Command::new("sudo");
        command.args(["env", "DEBIAN_FRONTEND=noninteractive", program]);
        command
    } else {
        bail!(
            "run {program} as root: this is not root and sudo is not here; run `cargo xtask setup` as root"
        );
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::has_candidate;

    #[test]
    fn apt_cache_policy_output() {
        assert!(has_candidate("llvm-22-dev:\n  Installed: (none)\n  Candidate: 1:22.1.8-1\n"));
        assert!(!has_candidate("gone:\n  Installed: (none)\n  Candidate: (none)\n"));
        assert!(!has_candidate(""));
    }
}

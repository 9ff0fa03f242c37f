//! An apt of our own beside the machine's: other suites, nothing installed,
//! signatures checked all the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use super::apt_sources::Mirrors;
use super::deb_version;
use crate::process;

/// The keys of all of Debian's releases, where the machine has them.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A suite, and which of the mirrors has it.
const SUITES: [(&str, Archive); 6] = [
    ("bullseye", Archive::Main),
    ("bullseye-security", Archive::Security),
    ("bookworm", Archive::Main),
    ("bookworm-security", Archive::Security),
    ("bookworm-backports", Archive::Main),
    ("trixie-backports", Archive::Main),
];

#[derive(Clone, Copy)]
enum Archive {
    Main,
    Security,
}

/// A private apt state.
pub(crate) struct Apt {
    folder: PathBuf,
}

/// A package that can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
}

impl Apt {
    /// Sets the state up in `folder` and fetches the lists of packages.
    pub(crate) fn update(folder: &Path) -> anyhow::Result<Self> {
        if process::find("apt-get").is_none() || process::find("dpkg").is_none() {
            bail!("fetch Debian's kernels: apt-get and dpkg are not here; use a Debian machine");
        }
        let mirrors = Mirrors::find()?;
        for part in ["state/lists/partial", "cache/archives/partial"] {
            let part = folder.join(part);
            fs::create_dir_all(&part).with_context(|| format!("create {}", part.display()))?;
        }
        let apt = Self { folder: folder.to_path_buf() };
        write(&apt.sources(), &source_lines(&mirrors, Path::new(KEYRING).is_file()))?;
        write(&folder.join("status"), "")?;
        eprintln!("xtask: fetch the lists of Debian's kernels");
        if let Err(error) = process::run_quietly(apt.command("apt-get").args(["-q", "update"])) {
            // A suite that left the mirror is no reason to do without the others.
            eprintln!("xtask: go on with the lists that came: {error:#}");
        }
        Ok(apt)
    }

    /// Every version of every package whose name begins so, highest first.
    pub(crate) fn packages(&self, prefix: &str) -> anyhow::Result<Vec<Package>> {
        let names = process::stdout(self.command("apt-cache").args(["pkgnames", prefix]))?;
        let names: Vec<&str> = names.lines().filter(|name| !name.is_empty()).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let table = process::stdout(self.command("apt-cache").arg("madison").args(names))?;
        let mut packages = parse_madison(&table);
        packages.sort_by(|left, right| deb_version::compare(&right.version, &left.version));
        Ok(packages)
    }

    /// Downloads a package and unpacks it into `folder`.
    pub(crate) fn unpack(&self, package: &Package, folder: &Path) -> anyhow::Result<()> {
        let debs = folder.join("deb");
        fs::create_dir_all(&debs).with_context(|| format!("create {}", debs.display()))?;
        eprintln!("xtask: fetch {} {}", package.name, package.version);
        process::run_quietly(
            self.command("apt-get")
                .current_dir(&debs)
                .args(["-q", "download"])
                .arg(format!("{}={}", package.name, package.version)),
        )?;
        let entries = fs::read_dir(&debs).with_context(|| format!("list {}", debs.display()))?;
        for entry in entries {
            let deb = entry.with_context(|| format!("list {}", debs.display()))?.path();
            process::run_quietly(Command::new("dpkg").arg("-x").arg(&deb).arg(folder))?;
        }
        Ok(())
    }

    fn sources(&self) -> PathBuf {
        self.folder.join("sources.list")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let mut option = |name: &str, value: &Path| {
            command.arg("-o").arg(format!("{name}={}", value.display()));
        };
        option("Dir::State", &self.folder.join("state"));
        option("Dir::State::status", &self.folder.join("status"));
        option("Dir::Cache", &self.folder.join("cache"));
        option("Dir::Etc::sourcelist", &self.sources());
        option("Dir::Etc::sourceparts", Path::new("-"));
        option("Dir::Etc::preferences", Path::new("-"));
        option("Dir::Etc::preferencesparts", Path::new("-"));
        option("APT::Architecture", Path::new("amd64"));
        option("Acquire::Languages", Path::new("none"));
        // The user _apt, to whom root's apt would change, may not write here.
        option("APT::Sandbox::User", Path::new("root"));
        command
    }
}

/// The date until which a Release file holds is not looked at: that of an old
/// suite may be over, and its kernel is wanted just because it is old.
fn source_lines(mirrors: &Mirrors, have_keyring: bool) -> String {
    let signed_by = if have_keyring { format!(" signed-by={KEYRING}") } else { String::new() };
    SUITES
        .iter()
        .map(|(suite, archive)| {
            let uri = match archive {
                Archive::Main => &mirrors.main,
                Archive::Security => &mirrors.security,
            };
            format!("deb [arch=amd64 check-valid-until=no{signed_by}] {uri} {suite} main\n")
        })
        .collect()
}

/// Lines of `name | version | where from`.
fn parse_madison(table: &str) -> Vec<Package> {
    table
        .lines()
        .filter_map(|line| {
            let mut columns = line.split('|').map(str::trim);
            let package =
                Package { name: columns.next()?.to_owned(), version: columns.next()?.to_owned() };
            columns.next()?.ends_with("Packages").then_some(package)
        })
        .collect()
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn madison_table() {
        let table = "\
linux-image-6.1.0-56-cloud-amd64 | 6.1.192-2 | http://mirror.example/debian-security bookworm-security/main amd64 Packages
linux-signed-amd64 | 6.1.192+2 | http://mirror.example/debian-security bookworm-security/main Sources";
        assert_eq!(
            parse_madison(table),
            [Package {
                name: "linux-image-6.1.0-56-cloud-amd64".to_owned(),
                version: "6.1.192-2".to_owned()
            }]
        );
    }

    #[test]
    fn each_suite_comes_from_its_archive() {
        let mirrors =
            Mirrors { main: "http://m/debian".to_owned(), security: "http://s/sec".to_owned() };
        let lines = source_lines(&mirrors, false);
        assert!(lines.contains("] http://m/debian trixie-backports main\n"), "{lines}");
        assert!(lines.contains("] http://s/sec bullseye-security main\n"), "{lines}");
    }
}

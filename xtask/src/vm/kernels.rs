//! Which kernels are tested on, and their images: fetched once, then cached.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::apt::{Apt, Package};
use crate::cli::Series;
use crate::workspace::Workspace;

/// Debian names a kernel for virtual machines so.
const FLAVOUR: &str = "-cloud-amd64";

/// A kernel that can be booted.
pub(crate) struct Kernel {
    /// Which one it was asked for as.
    pub(crate) series: Series,
    /// The image.
    pub(crate) image: PathBuf,
    /// The package and version that the image came from.
    pub(crate) package: String,
}

/// The kernels asked for, from the cache where they are there. Delete the
/// cache (target/vm/kernels) to have newer ones.
pub(crate) fn fetch(workspace: &Workspace, wanted: &[Series]) -> anyhow::Result<Vec<Kernel>> {
    let cache = env::var_os("GENOME_TRACE_CACHE")
        .map_or_else(|| workspace.target().join("vm"), PathBuf::from)
        .join("kernels");
    let lists = cache.join("apt");
    let mut apt = None;
    let kernels = wanted
        .iter()
        .map(|&series| {
            let folder = cache.join(series.to_string());
            if let Some(kernel) = cached(series, &folder) {
                return Ok(kernel);
            }
            let apt = match &apt {
                Some(apt) => apt,
                None => apt.insert(Apt::update(&lists)?),
            };
            download(apt, series, &folder)?;
            cached(series, &folder).with_context(|| {
                format!("find kernel {series} in {} after its download", folder.display())
            })
        })
        .collect::<anyhow::Result<_>>()?;
    if apt.is_some() {
        // Half the cache's size, and out of date by the next time.
        fs::remove_dir_all(&lists).with_context(|| format!("delete {}", lists.display()))?;
    }
    Ok(kernels)
}

fn cached(series: Series, folder: &Path) -> Option<Kernel> {
    let image = folder.join("vmlinuz");
    let package = fs::read_to_string(folder.join("package")).ok()?;
    image.is_file().then(|| Kernel { series, image, package: package.trim().to_owned() })
}

fn download(apt: &Apt, series: Series, folder: &Path) -> anyhow::Result<()> {
    let mut packages = apt.packages("linux-image-")?;
    packages.extend(apt.packages("linux-binary-")?);
    let candidates = candidates(packages, series);
    let scratch = folder.join("scratch");
    for package in &candidates {
        if scratch.exists() {
            fs::remove_dir_all(&scratch)
                .with_context(|| format!("delete {}", scratch.display()))?;
        }
        apt.unpack(package, &scratch)?;
        if let Some(image) = find_image(&scratch)? {
            let place = folder.join("vmlinuz");
            fs::rename(&image, &place)
                .with_context(|| format!("move {} to {}", image.display(), place.display()))?;
            // Written last: it says that the image is whole.
            let label = folder.join("package");
            fs::write(&label, format!("{} {}\n", package.name, package.version))
                .with_context(|| format!("write {}", label.display()))?;
            fs::remove_dir_all(&scratch)
                .with_context(|| format!("delete {}", scratch.display()))?;
            return Ok(());
        }
        eprintln!("xtask: {} {} holds no kernel image", package.name, package.version);
    }
    bail!(
        "find kernel {series}: none of the {} packages that could be it on Debian's mirror holds an image; \
         see what `apt-get update` said above",
        candidates.len()
    )
}

/// Packages that may hold the image, best first. Newer Debians keep it in
/// linux-binary-..., and linux-image-... of the same name is but a reference.
fn candidates(packages: Vec<Package>, series: Series) -> Vec<Package> {
    let mut candidates: Vec<Package> = packages
        .into_iter()
        .filter(|package| release(&package.name).is_some_and(|release| is_of(release, series)))
        .collect();
    candidates.sort_by(|left, right| {
        super::deb_version::compare(&right.version, &left.version)
            // "binary" before "image".
            .then_with(|| left.name.cmp(&right.name))
    });
    candidates.dedup();
    candidates
}

/// `6.1.0-56` of `linux-image-6.1.0-56-cloud-amd64`; unsigned images, debug
/// symbols and packages that name no release are none.
fn release(name: &str) -> Option<&str> {
    let release = name
        .strip_prefix("linux-image-")
        .or_else(|| name.strip_prefix("linux-binary-"))?
        .strip_suffix(FLAVOUR)?;
    release.starts_with(|c: char| c.is_ascii_digit()).then_some(release)
}

fn is_of(release: &str, series: Series) -> bool {
    match series.prefix() {
        Some(prefix) => release.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')),
        None => true,
    }
}

fn find_image(folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("list {}", folder.display()))?;
        let kind =
            entry.file_type().with_context(|| format!("look at {}", entry.path().display()))?;
        if kind.is_file() && entry.file_name().to_string_lossy().starts_with("vmlinuz") {
            return Ok(Some(entry.path()));
        }
        if kind.is_dir()
            && let Some(image) = find_image(&entry.path())?
        {
            return Ok(Some(image));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(series: Series) -> Vec<String> {
        let package = |name: &str, version: &str| Package {
            name: name.to_owned(),
            version: version.to_owned(),
        };
        let packages = vec![
            package("linux-image-6.1.0-56-cloud-amd64", "6.1.192-2"),
            package("linux-image-6.1.0-9-cloud-amd64", "6.1.27-1"),
            package("linux-image-6.1.0-56-amd64", "6.1.192-2"),
            package("linux-image-cloud-amd64", "6.1.192-2"),
            package("linux-image-6.12.117+deb12-cloud-amd64", "6.12.117-1~deb12u1"),
            package("linux-image-6.12.117+deb12-cloud-amd64-unsigned", "6.12.117-1~deb12u1"),
            package("linux-image-7.2.12+deb13-cloud-amd64", "7.2.12-1~bpo13+1"),
            package("linux-binary-7.2.12+deb13-cloud-amd64", "7.2.12-1~bpo13+1"),
            package("linux-image-7.3.4+deb13-cloud-amd64-dbg", "7.3.4-1~bpo13+1"),
        ];
        candidates(packages, series).into_iter().map(|package| package.name).collect()
    }

    #[test]
    fn a_series_has_its_newest_first() {
        assert_eq!(
            names(Series::V6_1),
            ["linux-image-6.1.0-56-cloud-amd64", "linux-image-6.1.0-9-cloud-amd64"]
        );
        assert_eq!(names(Series::V6_12), ["linux-image-6.12.117+deb12-cloud-amd64"]);
    }

    #[test]
    fn newest_is_the_package_with_the_image() {
        assert_eq!(
            names(Series::Newest).first().map(String::as_str),
            Some("linux-binary-7.2.12+deb13-cloud-amd64")
        );
    }
}

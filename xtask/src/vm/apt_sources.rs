//! Debian's mirrors, as this machine's own apt configuration names them, in
//! both of its formats.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// The releases that `kernels` takes kernels from.
const CODENAMES: [&str; 3] = ["bullseye", "bookworm", "trixie"];

/// Where this machine gets Debian's packages from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mirrors {
    /// The archive.
    pub(crate) main: String,
    /// Its security updates.
    pub(crate) security: String,
}

impl Mirrors {
    /// Reads the machine's configuration, or two variables where that is
    /// another distribution's.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let mut sources = Vec::new();
        for file in configuration_files()? {
            let text =
                fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
            sources.extend(if file.extension().is_some_and(|end| end == "sources") {
                parse_deb822(&text)
            } else {
                parse_one_line(&text)
            });
        }
        let main = env::var("GENOME_TRACE_DEBIAN_MIRROR").ok();
        let security = env::var("GENOME_TRACE_DEBIAN_SECURITY_MIRROR").ok();
        let (Some(main), Some(security)) = (
            main.or_else(|| mirror(&sources, "debian", is_release)),
            security.or_else(|| mirror(&sources, "debian-security", is_security)),
        ) else {
            bail!(
                "find a Debian mirror: apt's configuration names none with both a release \
                 and its security updates; set GENOME_TRACE_DEBIAN_MIRROR and \
                 GENOME_TRACE_DEBIAN_SECURITY_MIRROR to their addresses"
            );
        };
        Ok(Self { main, security })
    }
}

/// One archive with some suites.
#[derive(Debug, PartialEq, Eq)]
struct Source {
    uris: Vec<String>,
    suites: Vec<String>,
    components: Vec<String>,
}

/// Others use Debian's code names for their own archives, which mostly have
/// another folder than Debian's.
fn mirror(sources: &[Source], folder: &str, wanted: fn(&str) -> bool) -> Option<String> {
    let candidates = || {
        sources
            .iter()
            .filter(|source| source.components.iter().any(|component| component == "main"))
            .filter(|source| source.suites.iter().any(|suite| wanted(suite)))
            .filter_map(|source| source.uris.first())
    };
    candidates()
        .find(|uri| uri.trim_end_matches('/').rsplit('/').next() == Some(folder))
        .or_else(|| candidates().next())
        .cloned()
}

fn is_release(suite: &str) -> bool {
    CODENAMES.contains(&suite) || suite == "stable"
}

fn is_security(suite: &str) -> bool {
    suite
        .strip_suffix("-security")
        .or_else(|| suite.strip_suffix("/updates"))
        .is_some_and(is_release)
}

fn configuration_files() -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let parts = Path::new("/etc/apt/sources.list.d");
    if parts.is_dir() {
        let entries = fs::read_dir(parts).with_context(|| format!("list {}", parts.display()))?;
        for entry in entries {
            let path = entry.with_context(|| format!("list {}", parts.display()))?.path();
            if path.extension().is_some_and(|end| end == "list" || end == "sources") {
                files.push(path);
            }
        }
    }
    files.sort();
    let main = PathBuf::from("/etc/apt/sources.list");
    if main.is_file() {
        files.insert(0, main);
    }
    Ok(files)
}

/// `deb [options] uri suite component...`, one a line.
fn parse_one_line(text: &str) -> Vec<Source> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Source> {
    let line = line.split('#').next()?.trim().strip_prefix("deb")?;
    if !line.starts_with(char::is_whitespace) {
        return None;
    }
    let line = line.trim_start();
    let line = match line.strip_prefix('[') {
        Some(options) => options.split_once(']')?.1,
        None => line,
    };
    let mut words = line.split_whitespace().map(str::to_owned);
    Some(Source {
        uris: vec![words.next()?],
        suites: vec![words.next()?],
        components: words.collect(),
    })
}

/// Stanzas of `Field: values`, continued by indented lines.
fn parse_deb822(text: &str) -> Vec<Source> {
    let mut sources = Vec::new();
    let mut fields: Vec<(String, String)> = Vec::new();
    // The empty line ends the last stanza.
    for line in text.lines().chain([""]) {
        if line.starts_with('#') {
            continue;
        }
        if line.trim().is_empty() {
            sources.extend(source(&fields));
            fields.clear();
        } else if line.starts_with(char::is_whitespace) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.to_ascii_lowercase(), value.to_owned()));
        }
    }
    sources
}

fn source(fields: &[(String, String)]) -> Option<Source> {
    let values = |name: &str| -> Vec<String> {
        fields
            .iter()
            .filter(|(field, _)| field == name)
            .flat_map(|(_, value)| value.split_whitespace())
            .map(str::to_owned)
            .collect()
    };
    let enabled = !values("enabled").iter().any(|value| value == "no");
    let binary = values("types").iter().any(|kind| kind == "deb");
    (enabled && binary).then(|| Source {
        uris: values("uris"),
        suites: values("suites"),
        components: values("components"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE_LINE: &str = "\
# deb http://old.example/debian bookworm main
deb http://vendor.example/apt bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian/ bookworm main contrib # ours
deb-src http://mirror.example/debian bookworm main
deb http://mirror.example/debian-security bookworm-security main
";

    const DEB822: &str = "\
Types: deb deb-src
# a comment in a stanza
URIs: http://mirror.example/debian
Suites: bookworm
 bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
Enabled: no
URIs: http://off.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
";

    fn both(sources: &[Source]) -> (Option<String>, Option<String>) {
        (mirror(sources, "debian", is_release), mirror(sources, "debian-security", is_security))
    }

    #[test]
    fn one_line_format() {
        assert_eq!(
            both(&parse_one_line(ONE_LINE)),
            (
                Some("http://mirror.example/debian/".to_owned()),
                Some("http://mirror.example/debian-security".to_owned())
            )
        );
    }

    #[test]
    fn deb822_format() {
        let sources = parse_deb822(DEB822);
        assert_eq!(
            both(&sources),
            (
                Some("http://mirror.example/debian".to_owned()),
                Some("http://mirror.example/debian-security".to_owned())
            )
        );
        assert_eq!(
            sources.first().map(|source| source.suites.clone()),
            Some(vec!["bookworm".to_owned(), "bookworm-updates".to_owned()])
        );
    }

    #[test]
    fn other_distributions_have_none() {
        let text = "deb http://mirror.example/ubuntu noble main\n";
        assert_eq!(both(&parse_one_line(text)), (None, None));
    }
}

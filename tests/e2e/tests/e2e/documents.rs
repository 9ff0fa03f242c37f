//! The documents held against the code.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Parser as _;
use genome_trace::{
    cli::Cli,
    model::EventKind,
    probe::{Mode, Route},
};

const DOCUMENTS: [&str; 23] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/alerts.md",
    "docs/benchmark.md",
    "docs/compare.md",
    "docs/predict.md",
    "docs/remedies.md",
    "docs/cost.md",
    "docs/crashes.md",
    "docs/events.md",
    "docs/gpu.md",
    "docs/history.md",
    "docs/performance.md",
    "docs/personas.md",
    "docs/probes.md",
    "docs/prometheus.md",
    "docs/recorder.md",
    "docs/regression.md",
    "docs/sessions.md",
    "docs/stats.md",
    "docs/watch.md",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(document: &str) -> String {
    fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"))
}

/// Cells of the table rows of a page, trimmed.
fn rows(page: &str) -> impl Iterator<Item = Vec<&str>> {
    page.lines().filter_map(|line| {
        let row = line.trim().strip_prefix('|')?.strip_suffix('|')?;
        Some(row.split('|').map(str::trim).collect())
    })
}

#[test]
fn probes_page_has_a_row_for_each_route_and_a_column_for_each_mode() {
    let page = read("docs/probes.md");
    let modes = Mode::ALL.map(|mode| format!("`{}`", mode.name()));
    let heading = rows(&page)
        .find(|row| row.first() == Some(&"route"))
        .unwrap_or_else(|| panic!("no table of routes"));
    for mode in &modes {
        assert!(heading.contains(&mode.as_str()), "no column {mode}: {heading:?}");
    }
    for route in Route::ALL {
        let name = format!("`{}`", route.name());
        let row = rows(&page)
            .find(|row| row.first() == Some(&name.as_str()))
            .unwrap_or_else(|| panic!("docs/probes.md has no row {name}"));
        assert_eq!(row.len(), heading.len(), "{row:?}");
        for verdict in row.iter().skip(2) {
            assert!(verdict.starts_with("counted") || verdict.starts_with("not"), "{row:?}");
        }
    }
}

#[test]
fn readme_names_every_kind_and_mode() {
    let page = read("README.md");
    let names = EventKind::ALL.map(EventKind::name).into_iter().chain(Mode::ALL.map(Mode::name));
    for name in names {
        assert!(page.contains(&format!("`{name}`")), "README.md does not name {name}");
    }
}

/// Every `genome-trace …` in a block of shell is one that the program takes.
#[test]
fn command_lines_are_accepted() {
    let mut seen = 0;
    for document in DOCUMENTS {
        for line in shell_lines(&read(document)) {
            let Some(at) = line.find("genome-trace ") else { continue };
            let before = line.get(..at).unwrap_or_default();
            // Not an argument of another program, such as `-p genome-trace`.
            if !(before.is_empty() || before.ends_with('/') || before.ends_with("sudo ")) {
                continue;
            }
            let command = line.get(at..).unwrap_or_default();
            let command = command.split(['>', '|', '#']).next().unwrap_or_default();
            let parsed = Cli::try_parse_from(command.split_whitespace());
            assert!(parsed.is_ok(), "{document}: {line}: {}", parsed.unwrap_err());
            seen += 1;
        }
    }
    assert!(seen > 5, "only {seen} found");
}

/// Lines within ```sh … ```.
fn shell_lines(page: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut inside = false;
    for line in page.lines() {
        match line.trim() {
            "```sh" => inside = true,
            "```" => inside = false,
            line if inside => lines.push(line.to_owned()),
            _ => {}
        }
    }
    lines
}

#[test]
fn links_lead_somewhere() {
    for document in DOCUMENTS {
        let page = read(document);
        let folder = root().join(document);
        let folder = folder.parent().unwrap_or(Path::new("."));
        for link in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            assert!(folder.join(target).exists(), "{document}: nothing is at {link}");
        }
    }
}

#[test]
fn licences_are_there() {
    for licence in ["LICENSE-MIT", "LICENSE-APACHE", "genome-trace-ebpf/LICENSE-GPL-2.0"] {
        assert!(read(licence).len() > 1000, "{licence}");
    }
}

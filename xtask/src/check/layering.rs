//! Imports in genome-trace/src run downward only, and never sideways.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::Outcome;
use super::rust_paths::{COMMON, root_paths};
use crate::workspace::Workspace;

/// Top to bottom. Above them is only the crate's root, that is main and lib.
const LAYERS: [&[&str]; 5] = [
    &["commands"],
    &["cli", "pipeline"],
    &[
        "source", "persona", "detect", "store", "probe", "sink", "usage", "screen", "serve",
        "notify",
    ],
    &["wire", "kernel", "gpu", "symbolize", "render"],
    &["model"],
];

/// Who may know what the records of the kernel side look like.
const USERS_OF_COMMON: [&str; 4] = ["wire", "probe", "source", "kernel"];

/// Judges every file.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<Outcome> {
    let root = workspace.root().join("genome-trace/src");
    let mut files = Vec::new();
    list_sources(&root, &mut files)?;
    files.sort();
    let mut complaints = String::new();
    for file in files {
        let source =
            fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        let relative = file.strip_prefix(&root).unwrap_or(&file);
        for (line, complaint) in violations(&module_path(relative), &source) {
            complaints.push_str(&format!(
                "\n  genome-trace/src/{}:{line}: {complaint}",
                relative.display()
            ));
        }
    }
    Ok(if complaints.is_empty() { Outcome::Ok } else { Outcome::Failed(complaints) })
}

/// Lines of a module that import what they must not, and why not.
fn violations(module: &[String], source: &str) -> Vec<(usize, String)> {
    let module: Vec<&str> = module.iter().map(String::as_str).collect();
    let Some(&importer) = module.first() else {
        return Vec::new();
    };
    let Some(layer) = layer(importer) else {
        return vec![(1, format!("`{importer}` has no layer; see xtask/src/check/layering.rs"))];
    };
    root_paths(source, &module)
        .into_iter()
        .filter_map(|path| Some((path.line, complaint(importer, layer, &path.head)?)))
        .collect()
}

fn complaint(importer: &str, own_layer: usize, head: &str) -> Option<String> {
    if head == COMMON {
        return (!USERS_OF_COMMON.contains(&importer)).then(|| {
            format!(
                "`{importer}` must not know genome-trace-common; only {} may",
                USERS_OF_COMMON.join(", ")
            )
        });
    }
    if head == importer {
        return None;
    }
    match layer(head) {
        Some(layer) if layer > own_layer => None,
        Some(layer) if layer == own_layer => Some(format!(
            "`{importer}` imports its sibling `{head}`: put a trait below and inject it"
        )),
        Some(_) => Some(format!("`{importer}` imports `{head}`, which stands above it")),
        None => Some(format!(
            "`{importer}` imports `{head}` from the crate's root, which stands above it"
        )),
    }
}

/// 0 is the top.
fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// `source/ring.rs` -> source, ring; the crate's roots are no module.
fn module_path(relative: &Path) -> Vec<String> {
    let mut module: Vec<String> = relative
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let is_root = module.len() == 1;
    if module
        .last()
        .is_some_and(|last| last == "mod" || is_root && (last == "main" || last == "lib"))
    {
        module.pop();
    }
    module
}

fn list_sources(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("list {}", folder.display()))?.path();
        if path.is_dir() {
            list_sources(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(file: &str, source: &str) -> String {
        violations(&module_path(Path::new(file)), source)
            .into_iter()
            .map(|(line, complaint)| format!("{line}: {complaint}\n"))
            .collect()
    }

    #[test]
    fn downward_is_fine() {
        let source = "use crate::{model::Pid, wire};\nuse crate::source::ring;\nuse genome_trace_common::Kind;";
        assert_eq!(complaints("source/drain.rs", source), "");
        assert_eq!(complaints("commands/follow.rs", "use crate::{cli, source, model};"), "");
        assert_eq!(complaints("main.rs", "use genome_trace::commands;"), "");
    }

    #[test]
    fn upward_fails() {
        let said = complaints("wire/exit.rs", "\nuse crate::source::Ring;");
        assert!(said.starts_with("2: ") && said.contains("stands above"), "{said}");
        let said = complaints("model/pid.rs", "use super::super::render::table;");
        assert!(said.contains("stands above"), "{said}");
    }

    #[test]
    fn sideways_fails() {
        for (file, source) in [
            ("source/ring.rs", "use crate::probe::Plan;"),
            ("render/table.rs", "use crate::kernel::Version;"),
            ("pipeline.rs", "use crate::cli::Args;"),
        ] {
            let said = complaints(file, source);
            assert!(said.contains("sibling"), "{said}");
        }
    }

    #[test]
    fn comments_and_strings_are_no_imports() {
        let source = "// use crate::sink;\nconst A: &str = \"crate::sink\";";
        assert_eq!(complaints("model/mod.rs", source), "");
    }

    #[test]
    fn records_are_for_few() {
        let said = complaints("render/table.rs", "use genome_trace_common::Kind;");
        assert!(said.contains("genome-trace-common"), "{said}");
    }

    #[test]
    fn unknown_modules_and_the_root_fail() {
        assert!(complaints("util.rs", "").contains("has no layer"));
        assert!(complaints("model/pid.rs", "use crate::VERSION;").contains("crate's root"));
    }
}

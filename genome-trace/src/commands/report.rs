//! `report`: what a session comes to, from its files.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, anyhow, bail};

use super::shell;
use crate::{
    cli::Report,
    detect::summarize_session,
    model::{Session, SessionSummary, TimeRange},
    render::{
        session_report::{Crashes, SessionReport, charts, markdown},
        text::Escaped,
    },
    store::{CrashQuery, History as _, Place, Reader},
    wire::session_rows::{read_gpus, read_personas},
};

/// What the names of a session's files end in, after its id.
const PERSONAS: &str = "-personas.csv";
const GPUS: &str = "-gpus.csv";
const PHASES: &str = "-phases.csv";
/// Length of an id, such as `20261125T115233Z-a3f9`.
const ID: usize = 21;

/// Prints the report, or writes it with its charts.
pub(super) fn run(options: &Report) -> anyhow::Result<ExitCode> {
    let file = personas_file(&options.session)?;
    let session = read(&file)?;
    if session.rows.is_empty() {
        let unreadable = match session.unreadable {
            0 => "it has no look",
            _ => "none of its rows can be read",
        };
        bail!(
            "cannot report session {}: {unreadable}; --watch --output writes one a look, for as \
             long as it runs",
            Escaped(session.id.as_bytes())
        );
    }
    let summary = summarize_session(&session);
    let crashes = crashes(&options.store, &summary);
    let report = SessionReport { session: &session, summary: &summary, crashes };
    let Some(folder) = &options.output_dir else {
        return shell::print(markdown(&report, &[]).as_bytes());
    };
    fs::create_dir_all(folder).map_err(|error| {
        anyhow!(
            "cannot make the folder {}: {error}; name another with --output-dir",
            folder.display()
        )
    })?;
    let charts = charts(&session, &summary);
    for chart in &charts {
        write(&folder.join(&chart.name), &chart.svg)?;
    }
    let page = folder.join("report.md");
    write(&page, &markdown(&report, &charts))?;
    eprintln!("genome-trace: the report is in {}", page.display());
    Ok(ExitCode::SUCCESS)
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(file, text).map_err(|error| {
        anyhow!("cannot write {}: {error}; name another folder with --output-dir", file.display())
    })
}

fn read(file: &Path) -> anyhow::Result<Session> {
    let stem = stem(file).unwrap_or_default();
    let id = stem.char_indices().rev().nth(ID - 1).and_then(|(at, _)| stem.get(at..));
    let mut session = Session { id: id.unwrap_or(&stem).to_owned(), ..Session::default() };
    let of_personas = File::open(file).map_err(|error| unread(file, &error))?;
    read_personas(&mut session, of_personas).map_err(|error| unread(file, &error))?;
    let gpus = file.with_file_name(format!("{stem}{GPUS}"));
    match File::open(&gpus) {
        Ok(open) => read_gpus(&mut session, open).map_err(|error| unread(&gpus, &error))?,
        // Without it nothing is known of GPUs, and the rest is told.
        Err(error) => eprintln!("genome-trace: nothing of GPUs: {}: {error}", gpus.display()),
    }
    Ok(session)
}

fn unread(file: &Path, error: &dyn std::error::Error) -> anyhow::Error {
    anyhow!(
        "cannot read {} as a session's: {error}; name a file that --watch --output has written, or \
         the session's id in the folder of its files",
        file.display()
    )
}

/// What a session's files begin with.
fn stem(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    [PERSONAS, GPUS, PHASES].into_iter().find_map(|end| name.strip_suffix(end)).map(str::to_owned)
}

/// The session's file of personas, by any of its files or by its id.
fn personas_file(session: &Path) -> anyhow::Result<PathBuf> {
    if let Some(stem) = stem(session) {
        return Ok(session.with_file_name(format!("{stem}{PERSONAS}")));
    }
    if session.is_file() {
        return Ok(session.to_owned());
    }
    let id = session.to_string_lossy();
    let end = format!("-{id}{PERSONAS}");
    let mut found: Vec<_> = fs::read_dir(".")
        .context("cannot look for the session in this folder")?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(&end))
        })
        .collect();
    found.sort();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => bail!(
            "cannot find session {}: this folder has no file that ends in {}; name one of its \
             files",
            Escaped(id.as_bytes()),
            Escaped(end.as_bytes())
        ),
        [one, ..] => bail!(
            "cannot tell which session {} is: {} of this folder's files end so; name one of them, \
             such as {}",
            Escaped(id.as_bytes()),
            found.len(),
            one.display()
        ),
    }
}

/// Where there is a recorder's store.
fn crashes(store: &Path, summary: &SessionSummary) -> Result<Crashes, String> {
    let (Some(first), Some(last)) = (summary.stretches.first(), summary.stretches.last()) else {
        return Ok(Crashes::default());
    };
    let range = TimeRange { from: first.from, until: last.until };
    let read = || {
        let reader = Reader::open(Place::new(store))?;
        let found = reader.crashes(&CrashQuery::all(range))?;
        let runs = reader.coverage()?;
        let mut crashes: Vec<_> = found.into_iter().map(|of| of.crash).collect();
        crashes.sort_by_key(|crash| crash.wall_time);
        let is_complete = runs.iter().any(|run| run.from <= range.from && run.until >= range.until);
        anyhow::Ok(Crashes { crashes, is_complete })
    };
    read().map_err(|error| format!("{error:#}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HEAD: &str = "time,phase,persona,genome_id,rss_bytes\n";

    #[test]
    fn any_of_its_files_leads_to_a_session() {
        for name in ["d/run-1-personas.csv", "d/run-1-gpus.csv", "d/run-1-phases.csv"] {
            let file = personas_file(Path::new(name)).unwrap();
            assert_eq!(file, Path::new("d/run-1-personas.csv"));
        }
        let error = personas_file(Path::new("20260101T000000Z-0000")).unwrap_err().to_string();
        assert!(error.contains("-20260101T000000Z-0000-personas.csv"), "{error}");
    }

    #[test]
    fn a_session_has_its_id_by_its_name_and_is_read_without_gpus() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("my-run-20261125T115233Z-a3f9-personas.csv");
        let row = "2026-11-25T11:52:33.000000000Z,idle,,,5\n";
        fs::write(&file, format!("{HEAD}{row}")).unwrap();
        let session = read(&file).unwrap();
        assert_eq!((session.id.as_str(), session.rows.len()), ("20261125T115233Z-a3f9", 1));
    }

    #[test]
    fn without_a_store_crashes_are_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x-personas.csv");
        fs::write(&file, format!("{HEAD}2026-11-25T11:52:33Z,idle,,,5\n")).unwrap();
        let summary = summarize_session(&read(&file).unwrap());
        assert!(crashes(&folder.path().join("none"), &summary).is_err());
    }
}

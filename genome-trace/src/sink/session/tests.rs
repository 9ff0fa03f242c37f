//! Scripted looks into real files.
#![allow(clippy::unwrap_used)]

use std::{fs, io::Read as _};

use super::*;
use crate::{
    model::{Figures, MachineUsage, Metric, Persona, PersonaUsage, Session},
    wire::session_rows::{read_gpus, read_personas},
};

fn at(second: i64) -> WallTime {
    WallTime { unix_ns: 1_795_600_000_000_000_000 + second * 1_000_000_000 }
}

fn usage(second: i64, name: &str) -> Usage {
    let mut figures = Figures::default();
    figures.set(Metric::RssBytes, Some(1024.0));
    figures.set(Metric::CpuPercent, Some(12.5));
    Usage {
        wall_time: at(second),
        interval_ns: None,
        machine: MachineUsage {
            figures,
            memory_bytes: Some(4096),
            lost_events: Some(2),
            ..MachineUsage::default()
        },
        personas: vec![PersonaUsage {
            persona: Persona { name: name.to_owned(), genome_id: None },
            figures,
            rss_limit_bytes: None,
            started: None,
            processes: Vec::new(),
        }],
    }
}

fn read(writer: &SessionWriter) -> Session {
    let mut session = Session::default();
    read_personas(&mut session, File::open(writer.file()).unwrap()).unwrap();
    read_gpus(&mut session, File::open(&writer.gpus.path).unwrap()).unwrap();
    session
}

fn begin(folder: &Path) -> SessionWriter {
    SessionWriter::begin(&folder.join("run.csv"), folder, at(0)).unwrap()
}

#[test]
fn rows_are_there_as_soon_as_they_come_and_are_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = begin(folder.path());
    let name = "quote\" comma, \nline";
    assert_eq!(writer.look(&usage(1, name), None), None);
    let session = read(&writer);
    assert_eq!(session.unreadable, 0);
    let [machine, persona] = session.rows.as_slice() else { unreachable!("{session:?}") };
    assert_eq!((machine.persona.as_ref(), machine.lost_events), (None, Some(2)));
    assert_eq!(machine.memory_limit_bytes, Some(4096.0));
    assert_eq!(persona.persona.as_ref().map(|of| of.name.as_str()), Some(name));
    assert_eq!(persona.wall_time, at(1));
    assert_eq!(persona.figures.get(Metric::CpuPercent), Some(12.5));
    assert_eq!(persona.figures.get(Metric::VramBytes), None);
}

#[test]
fn phases_are_heard_of_at_the_next_look() {
    let folder = tempfile::tempdir().unwrap();
    let folders = [folder.path().to_owned()];
    let mut writer = begin(folder.path());
    writer.look(&usage(1, "a"), None);
    for name in ["model-loading", "odd, \"name\""] {
        let marked = mark_phase(&folders, name, at(2)).unwrap();
        assert_eq!(marked, [Marked { id: writer.id().to_owned() }]);
    }
    writer.look(&usage(3, "a"), None);
    let phases: Vec<_> = read(&writer).rows.into_iter().map(|row| row.phase).collect();
    assert_eq!(phases, ["start", "start", "odd, \"name\"", "odd, \"name\""]);
}

#[test]
fn without_a_session_nothing_is_marked_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let folders = [folder.path().to_owned()];
    assert!(matches!(mark_phase(&folders, "idle", at(1)), Err(MarkFailure::NoSession)));
    let writer = begin(folder.path());
    for wrong in ["", " ", "a\nb", &"x".repeat(65)] {
        assert!(matches!(mark_phase(&folders, wrong, at(1)), Err(MarkFailure::Name(_))), "{wrong}");
    }
    drop(writer);
    assert!(matches!(mark_phase(&folders, "idle", at(1)), Err(MarkFailure::NoSession)));
}

#[test]
fn what_a_killed_session_left_is_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = folder.path().join("sessions");
    fs::create_dir_all(&sessions).unwrap();
    let left = sessions.join("20261125T000000Z-0000");
    fs::write(&left, "/nowhere/phases.csv").unwrap();
    let folders = [folder.path().to_owned()];
    assert!(matches!(mark_phase(&folders, "idle", at(1)), Err(MarkFailure::NoSession)));
    assert!(!left.exists());
}

#[test]
fn files_are_named_by_the_session() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (begin(folder.path()), begin(folder.path()));
    assert!(one.id().starts_with("20261125T"), "{}", one.id());
    assert_ne!(one.file(), other.file());
    let name = one.file().file_name().unwrap().to_str().unwrap();
    assert_eq!(name, format!("run-{}-personas.csv", one.id()));
}

/// A device that is always full stands in for the disk.
#[test]
fn a_full_disk_is_told_once_counted_and_survived() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = begin(folder.path());
    writer.look(&usage(1, "a"), None);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let good = std::mem::replace(&mut writer.personas.file, full);
    let told = writer.look(&usage(2, "a"), None).unwrap();
    assert!(told.contains("personas.csv") && told.contains("No space left"), "{told}");
    assert_eq!(writer.look(&usage(3, "a"), None), None);
    writer.personas.file = good;
    let told = writer.look(&usage(4, "a"), None).unwrap();
    assert!(told.contains("of 2 looks"), "{told}");
    assert_eq!((writer.look(&usage(5, "a"), None), writer.unwritten()), (None, 2));
    let times: Vec<_> = read(&writer).rows.iter().map(|row| row.wall_time).collect();
    assert_eq!(times, [at(1), at(1), at(4), at(4), at(5), at(5)]);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("nowhere/run.csv");
    let error = SessionWriter::begin(&output, folder.path(), at(0)).unwrap_err().to_string();
    assert!(error.starts_with("cannot write ") && error.contains("nowhere/run-"), "{error}");
}

/// Rows that were cut short, or are nonsense, are counted and not believed.
#[test]
fn a_session_that_cannot_begin_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let no_folder = folder.path().join("file");
    fs::write(&no_folder, "").unwrap();
    let output = folder.path().join("run.csv");
    let error = SessionWriter::begin(&output, &no_folder, at(0)).unwrap_err().to_string();
    assert!(error.contains("/file/sessions/"), "{error}");
    let left: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["file"]);
}

#[test]
fn damaged_rows_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = begin(folder.path());
    writer.look(&usage(1, "a"), None);
    let mut text = String::new();
    File::open(writer.file()).unwrap().read_to_string(&mut text).unwrap();
    let cut = text.replace("\n2026", "\nsoon,x\n2026").trim_end().to_owned();
    fs::write(writer.file(), cut.rsplit_once(',').unwrap().0).unwrap();
    let session = read(&writer);
    assert_eq!((session.rows.len(), session.unreadable), (1, 3));
    fs::write(writer.file(), "a,b\n1,2\n").unwrap();
    let error = read_personas(&mut Session::default(), File::open(writer.file()).unwrap());
    assert!(error.unwrap_err().to_string().contains("no column \"time\""));
}

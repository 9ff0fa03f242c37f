//! Stores that are damaged, of another version, of another program, or in use.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt as _,
};

use genome_trace::{
    model::{GapReason, TimeRange},
    store::{History as _, Place, Reader, Store as _, StoreError, StoreState, Writer},
};
use rusqlite::Connection;

use crate::parts::{LONG, close, exit, numbers, options, reader, writer};

const FILE: &str = "genome-trace.db";

#[test]
fn a_file_that_is_no_database_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = b"not a database, but something that somebody may want back".repeat(100);
    fs::write(folder.path().join(FILE), &garbage).unwrap();
    let writer = writer(folder.path());
    writer.push(exit(7, 1));
    writer.flush(LONG).unwrap();
    let status = writer.status();
    assert_eq!(status.state, StoreState::Storing);
    let [aside] = status.set_aside.as_slice() else { panic!("{status:?}") };
    let name = aside.file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.starts_with("genome-trace.db.corrupt-2"), "{name}");
    assert_eq!(fs::read(aside).unwrap(), garbage);
    let reader = reader(folder.path());
    assert_eq!(numbers(&reader, 7), [1]);
    let gaps = reader.gaps(TimeRange::ALL).unwrap();
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].reason, GapReason::SetAside);
    assert_eq!(gaps[0].note.as_deref(), aside.to_str());
    close(writer);
}

#[test]
fn damage_that_shows_when_it_is_written_loses_nothing_that_waits() {
    let folder = tempfile::tempdir().unwrap();
    let first = writer(folder.path());
    (1..=5000).for_each(|number| first.push(exit(7, number)));
    close(first);
    // The first page says that it is a store; all others are noise.
    let path = folder.path().join(FILE);
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    let len = usize::try_from(file.metadata().unwrap().len()).unwrap();
    file.write_all_at(&vec![0xa5; len - 4096], 4096).unwrap();
    let damaged = fs::read(&path).unwrap();

    let second = writer(folder.path());
    (1..=10).for_each(|number| second.push(exit(8, number)));
    second.flush(LONG).unwrap();
    let status = second.status();
    let [aside] = status.set_aside.as_slice() else { panic!("{status:?}") };
    assert_eq!(fs::read(aside).unwrap(), damaged);
    assert_eq!(numbers(&reader(folder.path()), 8), (1..=10).collect::<Vec<_>>());
    close(second);
}

#[test]
fn a_store_from_the_future_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    close(writer(folder.path()));
    let path = folder.path().join(FILE);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let place = Place::new(folder.path());
    let refusals = [
        Writer::open(place.clone(), options()).map(drop).unwrap_err(),
        Reader::open(place).map(drop).unwrap_err(),
    ];
    for refused in refusals {
        let said = refused.to_string();
        assert!(matches!(refused, StoreError::Future { found: 99, .. }), "{said}");
        assert!(said.contains(FILE) && said.contains("99") && said.contains("--store"), "{said}");
    }
    assert!(path.exists());
}

#[test]
fn another_programs_database_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bookmarks.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
    let before = fs::read(&path).unwrap();
    let place = Place::new(&path);
    assert!(matches!(Writer::open(place.clone(), options()), Err(StoreError::Foreign { .. })));
    assert!(matches!(Reader::open(place), Err(StoreError::Foreign { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn one_recorder_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = writer(folder.path());
    let refused = Writer::open(Place::new(folder.path()), options()).map(drop).unwrap_err();
    assert!(matches!(refused, StoreError::InUse { .. }), "{refused}");
    close(first);
    close(writer(folder.path()));
}

#[test]
fn no_store_says_how_to_begin_one() {
    let folder = tempfile::tempdir().unwrap();
    let refused = Reader::open(Place::new(folder.path())).map(drop).unwrap_err();
    assert!(matches!(refused, StoreError::Missing { .. }));
    assert!(refused.to_string().contains("genome-trace record"), "{refused}");
}

#[test]
fn a_copy_of_the_file_alone_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(folder.path());
    writer.push(exit(7, 1));
    close(writer);
    let copy = folder.path().join("a copy?.db");
    fs::copy(folder.path().join(FILE), &copy).unwrap();
    assert_eq!(numbers(&Reader::open(Place::new(&copy)).unwrap(), 7), [1]);
}

//! Who may read: members of the group, with no right to write anything, while
//! a recorder runs and when none does. Nobody else.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::Path,
    process::Command,
};

use genome_trace::store::{Place, Reader, Store as _, StoreError, Writer, WriterOptions};

use crate::parts::{LONG, close, exit, is_root, numbers, options};

const FOLDER: &str = "GENOME_TRACE_TEST_STORE";
const WANTED: &str = "GENOME_TRACE_TEST_WANTED";
const GROUP: u32 = 54_321;
const OTHER_GROUP: u32 = 54_322;
const USER: u32 = 54_323;

#[test]
#[ignore = "started as another user by the test below"]
fn reads_what_it_may() {
    let folder = std::env::var_os(FOLDER).expect("a folder");
    let wanted: u64 = std::env::var(WANTED).expect("a number").parse().unwrap();
    match Reader::open(Place::new(Path::new(&folder))) {
        Ok(reader) => assert_eq!(numbers(&reader, 7), (1..=wanted).collect::<Vec<_>>()),
        Err(StoreError::Denied { .. }) if wanted == 0 => {}
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
fn read_as(program: &Path, folder: &Path, group: u32, wanted: u64) {
    let ran = Command::new(program)
        .args(["--exact", "group::reads_what_it_may", "--ignored"])
        .env(FOLDER, folder)
        .env(WANTED, wanted.to_string())
        .current_dir("/")
        .uid(USER)
        .gid(group)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn the_group_reads_and_others_do_not() {
    if !is_root() {
        eprintln!("skipped: only root may become another user");
        return;
    }
    let above = tempfile::tempdir().unwrap();
    fs::set_permissions(above.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = above.path().join("reader");
    // By another process: a program that somebody holds open to write it, such
    // as a child that another test has just forked off, cannot be run.
    let copied =
        Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&program).status().unwrap();
    assert!(copied.success());
    let folder = above.path().join("store");
    let open = || {
        let options = WriterOptions { group: Some(GROUP), ..options() };
        Writer::open(Place::new(&folder), options).unwrap()
    };
    let writer = open();
    writer.push(exit(7, 1));
    writer.flush(LONG).unwrap();
    read_as(&program, &folder, GROUP, 1);
    read_as(&program, &folder, OTHER_GROUP, 0);
    // The log is emptied now and then.
    writer.push(exit(7, 2));
    close(writer);
    read_as(&program, &folder, GROUP, 2);
    let writer = open();
    read_as(&program, &folder, GROUP, 2);
    writer.push(exit(7, 3));
    writer.flush(LONG).unwrap();
    read_as(&program, &folder, GROUP, 3);
    for (name, mode) in [
        ("genome-trace.db", 0o640),
        ("genome-trace.db-wal", 0o640),
        ("genome-trace.db-shm", 0o640),
        ("genome-trace.db-lock", 0o600),
    ] {
        let found = fs::metadata(folder.join(name)).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode, "{name}");
    }
    // Killed: what it leaves is a copy of its files as they are now.
    let left = above.path().join("left");
    let copied = Command::new("cp").arg("-a").args([&folder, &left]).status().unwrap();
    assert!(copied.success());
    read_as(&program, &left, GROUP, 3);
    close(writer);
}

#[test]
fn what_root_makes_is_of_the_recorders_user() {
    if !is_root() {
        eprintln!("skipped: only root may give files away");
        return;
    }
    for (mode, owner) in [(0o2750, USER), (0o755, 0)] {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("store");
        fs::create_dir(&folder).unwrap();
        chown(&folder, Some(USER), Some(GROUP)).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        let writer = Writer::open(Place::new(&folder), options()).unwrap();
        writer.push(exit(7, 1));
        close(writer);
        let mut seen = 0;
        for file in fs::read_dir(&folder).unwrap() {
            let file = file.unwrap();
            assert_eq!(file.metadata().unwrap().uid(), owner, "{mode:o} {:?}", file.file_name());
            seen += 1;
        }
        assert!(seen >= 2, "{seen} files");
    }
}

//! The systemd unit, held against the code and against systemd.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use clap::Parser as _;
use genome_trace::cli::{Action, Cli, DEFAULT_SOCKET, DEFAULT_STORE};

const BINARY: &str = "/usr/bin/genome-trace";

fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging").join(name)
}

fn unit() -> String {
    fs::read_to_string(packaging("genome-trace.service")).unwrap()
}

/// The values of a key of a section, in their order.
fn values<'u>(unit: &'u str, section: &str, key: &str) -> Vec<&'u str> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in unit.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = name == section;
        } else if let Some((name, value)) = line.split_once('=')
            && inside
            && name == key
        {
            found.push(value);
        }
    }
    found
}

fn of_service<'u>(unit: &'u str, key: &str) -> Vec<&'u str> {
    values(unit, "Service", key)
}

#[test]
fn every_line_is_a_comment_a_section_or_an_assignment() {
    let mut section = "";
    for line in unit().lines() {
        let is_section = ["[Unit]", "[Service]", "[Install]"].contains(&line);
        let is_assignment = line.split_once('=').is_some_and(|(key, value)| {
            !value.is_empty() && key.chars().all(|c| c.is_ascii_alphabetic())
        });
        assert!(line.is_empty() || line.starts_with('#') || is_section || is_assignment, "{line}");
        section = if is_section { line } else { section };
        assert!(!is_assignment || !section.is_empty(), "before any section: {line}");
    }
}

#[test]
fn what_it_starts_is_a_recorder_into_its_own_folder() {
    let unit = unit();
    let [command] = of_service(&unit, "ExecStart")[..] else { panic!("not one ExecStart") };
    let words: Vec<_> = command.split(' ').collect();
    assert_eq!(words.first(), Some(&BINARY));
    let cli = Cli::try_parse_from(words).unwrap();
    let Some(Action::Record(record)) = cli.action else { panic!("{cli:?}") };
    let [folder] = of_service(&unit, "StateDirectory")[..] else { panic!("no StateDirectory") };
    assert_eq!(record.store, Path::new("/var/lib").join(folder));
    assert_eq!(record.store, Path::new(DEFAULT_STORE));
    assert_eq!(of_service(&unit, "StateDirectoryMode"), ["2750"]);
    let [folder] = of_service(&unit, "RuntimeDirectory")[..] else { panic!("no RuntimeDirectory") };
    assert_eq!(record.socket.parent(), Some(Path::new("/run").join(folder).as_path()));
    assert_eq!(record.socket, Path::new(DEFAULT_SOCKET));
    assert_eq!(of_service(&unit, "RuntimeDirectoryMode"), ["0750"]);
}

#[test]
fn it_has_four_capabilities_and_a_system_that_it_cannot_write_to() {
    let unit = unit();
    let needed = ["CAP_BPF CAP_PERFMON CAP_SYSLOG CAP_SYS_PTRACE"];
    assert_eq!(of_service(&unit, "CapabilityBoundingSet"), needed);
    assert_eq!(of_service(&unit, "AmbientCapabilities"), needed);
    assert!(of_service(&unit, "User").iter().all(|user| *user != "root"));
    for (key, value) in [
        ("ProtectSystem", "strict"),
        ("NoNewPrivileges", "yes"),
        ("RestrictAddressFamilies", "AF_UNIX"),
        ("Restart", "on-failure"),
    ] {
        assert_eq!(of_service(&unit, key), [value], "{key}");
    }
    assert!(of_service(&unit, "ReadWritePaths").is_empty());
    // These would take away what a recorder reads.
    for key in ["ProtectKernelTunables", "ProtectKernelLogs", "PrivateDevices", "PrivateUsers"] {
        assert!(of_service(&unit, key).is_empty(), "{key}");
    }
    assert_eq!(of_service(&unit, "Type").last(), Some(&"notify-reload"));
    assert!(!of_service(&unit, "WatchdogSec").is_empty());
}

#[test]
fn its_user_is_made_by_sysusers() {
    let unit = unit();
    let users = fs::read_to_string(packaging("genome-trace.sysusers.conf")).unwrap();
    let user = of_service(&unit, "User");
    let lines: Vec<Vec<_>> = users
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(' ').collect())
        .collect();
    let [line] = lines.as_slice() else { panic!("{users}") };
    assert_eq!(line.first(), Some(&"u"));
    assert_eq!(line.get(1), user.first());
    // systemd-sysusers makes a group of the same name.
    assert_eq!(of_service(&unit, "Group"), user);
}

#[test]
fn systemd_understands_it() {
    if let Err(error) = Command::new("systemd-analyze").arg("--version").output() {
        eprintln!("skipped: systemd-analyze cannot be run: {error}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("genome-trace.service");
    // The program need not be installed here.
    fs::write(&file, unit().replace(BINARY, "/bin/true")).unwrap();
    let mut command = Command::new("systemd-analyze");
    let output = command.args(["verify", "--man=no"]).arg(&file).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let complaints: Vec<_> = said
        .lines()
        .filter(|line| line.contains("genome-trace.service"))
        // Versions before 253.
        .filter(|line| !line.contains("notify-reload"))
        .collect();
    assert!(complaints.is_empty(), "{said}");
    assert!(output.status.success(), "{said}");
}

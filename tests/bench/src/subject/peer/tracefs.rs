//! Peers that look for events in tracefs, where none is mounted.

use std::path::Path;
use std::process::Command;

const MOUNT: &str = "mount -t tracefs tracefs /sys/kernel/tracing && exec \"$@\"";

/// What a line begins with. Nothing where tracefs is there already or not
/// needed; else what puts it into a mount namespace of its own, so that nothing
/// is left behind. Shell and unshare exec what comes next: the process stays the
/// one that was started.
pub(super) fn prefix(needs_tracefs: bool) -> &'static [&'static str] {
    let is_there = Path::new("/sys/kernel/tracing/events").is_dir();
    if needs_tracefs && !is_there {
        return &["unshare", "-m", "sh", "-c", MOUNT, "sh"];
    }
    &[]
}

/// The line with what it must begin with, in a language that can be parsed.
pub(super) fn command(line: &[String], needs_tracefs: bool) -> Command {
    let mut words = prefix(needs_tracefs).to_vec();
    words.extend(line.iter().map(String::as_str));
    let (program, args) = words.split_first().unwrap_or((&"true", &[]));
    let mut command = Command::new(program);
    command.args(args).env("LC_ALL", "C");
    command
}

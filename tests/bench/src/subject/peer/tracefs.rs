//! Peers that look for events in tracefs, where none is mounted.

use std::path::Path;
use std::process::Command;

/// The line as it is where tracefs is there already or not needed; else in a
/// mount namespace of its own, so that nothing is left behind. Shell and
/// unshare exec what comes next: the process stays the one that was started.
pub(super) fn command(line: &[String], needs_tracefs: bool) -> Command {
    let is_there = Path::new("/sys/kernel/tracing/events").is_dir();
    let mut words: Vec<&str> = Vec::new();
    if needs_tracefs && !is_there {
        let mount = "mount -t tracefs tracefs /sys/kernel/tracing && exec \"$@\"";
        words.extend(["unshare", "-m", "sh", "-c", mount, "sh"]);
    }
    words.extend(line.iter().map(String::as_str));
    let (program, args) = words.split_first().unwrap_or((&"true", &[]));
    let mut command = Command::new(program);
    command.args(args).env("LC_ALL", "C");
    command
}

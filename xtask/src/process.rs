//! Runs other programs, with errors that show the whole command line.

use std::env;
use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, bail};

/// Runs a command with our own stdout and stderr; fails where it fails.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("start `{}`", line(command)))?;
    if !status.success() {
        bail!("`{}` failed: {status}", line(command));
    }
    Ok(())
}

/// One of a command's two ways to speak.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// Runs a command, shows one of its streams and hands it over line by line;
/// the other one stays ours. Fails where the command fails.
pub(crate) fn run_watched(
    command: &mut Command,
    stream: Stream,
    mut watch: impl FnMut(&str),
) -> anyhow::Result<()> {
    match stream {
        Stream::Stdout => command.stdout(Stdio::piped()),
        Stream::Stderr => command.stderr(Stdio::piped()),
    };
    let mut child = command.spawn().with_context(|| format!("start `{}`", line(command)))?;
    let pipe: Option<Box<dyn Read>> = match stream {
        Stream::Stdout => child.stdout.take().map(|pipe| Box::new(pipe) as _),
        Stream::Stderr => child.stderr.take().map(|pipe| Box::new(pipe) as _),
    };
    let mut reader = BufReader::new(pipe.context("watch a command: it has no pipe")?);
    let mut bytes = Vec::new();
    while matches!(reader.read_until(b'\n', &mut bytes), Ok(1..)) {
        // Who looks at it may have gone away; the command goes on.
        let _ = match stream {
            Stream::Stdout => io::stdout().write_all(&bytes),
            Stream::Stderr => io::stderr().write_all(&bytes),
        };
        watch(String::from_utf8_lossy(&bytes).trim_end());
        bytes.clear();
    }
    let status = child.wait().with_context(|| format!("wait for `{}`", line(command)))?;
    if !status.success() {
        bail!("`{}` failed: {status}", line(command));
    }
    Ok(())
}

/// Runs a command quietly; fails where it fails, with all that it said.
pub(crate) fn run_quietly(command: &mut Command) -> anyhow::Result<()> {
    output(command).map(drop)
}

/// What a command prints to stdout, without the white space around it.
pub(crate) fn stdout(command: &mut Command) -> anyhow::Result<String> {
    let output = output(command)?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What a command prints to stdout; its stderr stays ours, for it takes long.
pub(crate) fn stdout_with_talk(command: &mut Command) -> anyhow::Result<String> {
    command.stderr(Stdio::inherit());
    stdout(command)
}

fn output(command: &mut Command) -> anyhow::Result<Output> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("start `{}`", line(command)))?;
    if !output.status.success() {
        bail!(
            "`{}` failed: {}\n{}{}",
            line(command),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
    }
    Ok(output)
}

/// The command as one would type it.
fn line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .map(|word| {
            if word.contains(char::is_whitespace) { format!("'{word}'") } else { word.into_owned() }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Looks a program up in `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| is_executable(candidate))
}

/// Whether a file is there that somebody may execute.
pub(crate) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Whether we are root.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    Path::new("/proc/self").metadata().is_ok_and(|us| us.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_shows_command_and_output() {
        let error = run_quietly(Command::new("sh").args(["-c", "echo why >&2; exit 3"]))
            .map_err(|error| error.to_string());
        assert_eq!(
            error,
            Err("`sh -c 'echo why >&2; exit 3'` failed: exit status: 3\nwhy\n".to_owned())
        );
    }

    #[test]
    fn stdout_is_trimmed() {
        let said = stdout(Command::new("echo").arg(" hello ")).map_err(|error| error.to_string());
        assert_eq!(said, Ok("hello".to_owned()));
    }

    #[test]
    fn programs_are_found_in_path() {
        assert!(find("sh").is_some());
        assert!(find("no-such-program-here").is_none());
    }
}

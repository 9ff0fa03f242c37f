//! A program gets alerts: as JSON on its standard input, and in its
//! environment. No shell, no rights of the recorder's, and an end when its time
//! is over.

use std::{
    fs::{self, File},
    io::{Seek as _, Write as _},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    process::{self, Child, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{MemfdFlags, memfd_create},
    io::Errno,
    process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal},
    thread::{clear_ambient_capability_set, set_no_new_privs},
};

use super::{Channel, Failure, Message};
use crate::render::text::ShellWord;

/// Where programs are looked for if the recorder's own environment says
/// nothing.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program, and how it is run.
#[derive(Clone, Debug)]
pub struct CommandOptions {
    /// It and its arguments.
    pub argv: Vec<String>,
    /// User and group that it runs as; `None` for the recorder's own.
    pub user: Option<(u32, u32)>,
    /// How long it may take.
    pub timeout: Duration,
    /// Whether what it writes to standard error is shown.
    pub shows_stderr: bool,
}

/// One program.
#[derive(Clone, Debug)]
pub struct Command {
    options: CommandOptions,
}

impl Command {
    /// One that can be run; whether it can shows when it is.
    #[must_use]
    pub const fn new(options: CommandOptions) -> Self {
        Self { options }
    }

    fn start(&self, message: &Message) -> Result<Child, Failure> {
        let Some((program, arguments)) = self.options.argv.split_first() else {
            return Err(Failure::Lasting("it names no program".to_owned()));
        };
        // Whatever the program reads or does not, nobody waits for it.
        let stdin = in_memory(&message.json()).map_err(|error| {
            Failure::Passing(format!("there is no room for its input: {error}"))
        })?;
        give_up_rights()
            .map_err(|error| Failure::Passing(format!("rights cannot be given up: {error}")))?;
        let mut command = process::Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_else(|| PATH.into()))
            .envs(std::env::var_os("LANG").map(|lang| ("LANG", lang)))
            .envs(environment(message))
            .current_dir("/")
            .stdin(stdin)
            .stdout(Stdio::null())
            .stderr(if self.options.shows_stderr { Stdio::inherit() } else { Stdio::null() })
            .process_group(0);
        if let Some((user, group)) = self.options.user {
            // The groups of a user that it does not run as go, too.
            command.gid(group).uid(user);
        }
        let child = command.spawn().map_err(|error| {
            Failure::Lasting(format!("{} cannot be run: {error}", ShellWord(program.as_bytes())))
        })?;
        // The recorder is to be the last that the OOM killer takes; this is not.
        let _ = fs::write(format!("/proc/{}/oom_score_adj", child.id()), "0");
        Ok(child)
    }

    fn wait(&self, mut child: Child) -> Result<ExitStatus, Failure> {
        let lost = |error: std::io::Error| Failure::Passing(format!("it was lost: {error}"));
        let pid = Pid::from_child(&child);
        // It is not waited for yet, so its number is no other's.
        let ended = pidfd_open(pid, PidfdFlags::empty()).and_then(|pidfd| {
            let has_ended = has_ended_within(&pidfd, self.options.timeout)?;
            if !has_ended {
                let _ = pidfd_send_signal(&pidfd, Signal::KILL);
            }
            Ok(has_ended)
        });
        if !matches!(ended, Ok(true)) {
            // With what it has started.
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let status = child.wait().map_err(lost)?;
        match ended {
            Ok(true) => Ok(status),
            Ok(false) => Err(Failure::Lasting(format!(
                "it took longer than {} s and was killed",
                self.options.timeout.as_secs_f64()
            ))),
            Err(error) => Err(lost(error.into())),
        }
    }
}

impl Channel for Command {
    fn send(&mut self, message: &Message) -> Result<(), Failure> {
        let child = self.start(message)?;
        let status = self.wait(child)?;
        match (status.code(), status.signal()) {
            (Some(0), _) => Ok(()),
            (Some(code), _) => Err(Failure::Lasting(format!("it ended with exit code {code}"))),
            (None, Some(signal)) => Err(Failure::Lasting(format!("signal {signal} ended it"))),
            (None, None) => Err(Failure::Lasting("nobody knows how it ended".to_owned())),
        }
    }
}

/// This thread's: what it starts has none of the capabilities that the service
/// manager gave the recorder, and cannot get any.
fn give_up_rights() -> rustix::io::Result<()> {
    match clear_ambient_capability_set() {
        // Kernels without them.
        Ok(()) | Err(Errno::INVAL) => {}
        Err(error) => return Err(error),
    }
    set_no_new_privs(true)
}

fn in_memory(text: &[u8]) -> std::io::Result<File> {
    let mut file = File::from(memfd_create("alert", MemfdFlags::CLOEXEC)?);
    file.write_all(text)?;
    file.rewind()?;
    Ok(file)
}

/// What a script asks for without reading JSON.
fn environment(message: &Message) -> Vec<(&'static str, String)> {
    let alert = &message.alert;
    let anomaly = &alert.anomaly;
    let persona = anomaly.persona.as_ref();
    let process = anomaly.process.as_ref();
    let mut variables = vec![
        ("GENOME_TRACE_ALERT_ID", alert.id.to_string()),
        ("GENOME_TRACE_ALERT_CHANGE", alert.change.name().to_owned()),
        ("GENOME_TRACE_ALERT_RULE", anomaly.rule.name().to_owned()),
        ("GENOME_TRACE_ALERT_SEVERITY", alert.severity.name().to_owned()),
        ("GENOME_TRACE_ALERT_COUNT", alert.count.to_string()),
        ("GENOME_TRACE_ALERT_TEXT", message.line()),
        ("GENOME_TRACE_ALERT_HOST", message.host().to_owned()),
    ];
    let known = [
        ("GENOME_TRACE_ALERT_PERSONA", persona.map(|persona| persona.name.clone())),
        ("GENOME_TRACE_ALERT_GENOME_ID", persona.and_then(|persona| persona.genome_id.clone())),
        ("GENOME_TRACE_ALERT_PID", process.map(|process| process.key.tgid.to_string())),
        ("GENOME_TRACE_ALERT_CAUSE", anomaly.cause.clone()),
    ];
    variables.extend(known.into_iter().filter_map(|(name, value)| Some((name, value?))));
    // A variable ends at a NUL, and a name from outside may have one.
    for (_, value) in &mut variables {
        value.retain(|c| c != '\0');
    }
    variables
}

/// Waits for a process' end.
fn has_ended_within(pidfd: &impl std::os::fd::AsFd, limit: Duration) -> rustix::io::Result<bool> {
    let until = Instant::now() + limit;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&timeout)) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

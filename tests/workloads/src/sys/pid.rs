//! Forks whose pid the parent chooses.

use std::fs;
use std::io;
use std::process;

use anyhow::{Context as _, bail};

use crate::sys::process::{fork, fork_as};
use crate::truth::Unsupported;

const PID_MAX: &str = "/proc/sys/kernel/pid_max";
/// So few pids that a process gets each of them soon. The kernel keeps the
/// first 300 for what is started early, and takes no maximum below.
const FEW_PIDS: &str = "400";
const FIRST_TO_COME_AGAIN: i32 = 300;
/// Forks until the pids have come round, many times over.
const MOST_FORKS: u32 = 20_000;

/// How a process gets a pid of its parent's choice.
pub(crate) enum Chosen {
    /// clone3(2) takes the pid.
    Clone3,
    /// Few pids in all: forks go on until the wanted one comes round.
    FewPids { _until: PidMax },
}

/// The kernel's largest pid as it was; it is so again when this value goes.
pub(crate) struct PidMax(String);

impl Chosen {
    /// What this machine offers.
    pub(crate) fn new() -> anyhow::Result<Self> {
        // A pid that is free for certain: that of a child that has ended.
        let ended = fork(|| Ok(0)).context("fork")?.finish()?;
        match fork_as(ended.pid, || Ok(0)) {
            Ok(child) => child.finish().map(|_| Self::Clone3),
            Err(error) if !is_refusal(&error) => Err(error).context("fork with a chosen pid"),
            Err(refused) => {
                PidMax::lower().map(|_until| Self::FewPids { _until }).map_err(|error| {
                    let reason = format!("no pid can be chosen: clone3: {refused}; {error:#}");
                    Unsupported(reason).into()
                })
            }
        }
    }

    /// The name that the truth line has.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Clone3 => "clone3",
            Self::FewPids { .. } => "pid_max",
        }
    }

    /// Lets a child with that pid, which must be free, do `work`, and waits
    /// until it has.
    pub(crate) fn fork(
        &self,
        pid: i32,
        mut work: impl FnMut() -> anyhow::Result<u8>,
    ) -> anyhow::Result<()> {
        match self {
            Self::Clone3 => {
                let child = fork_as(pid, work).with_context(|| format!("fork as {pid}"))?;
                child.finish()?;
                Ok(())
            }
            Self::FewPids { .. } => {
                for _ in 0..MOST_FORKS {
                    let child = fork(|| if is_me(pid) { work() } else { Ok(0) })?;
                    if child.finish()?.pid == pid {
                        return Ok(());
                    }
                }
                bail!("pid {pid} did not come round in {MOST_FORKS} forks")
            }
        }
    }
}

/// Whether the kernel lacks the call, or allows it to nobody like us.
fn is_refusal(error: &io::Error) -> bool {
    let refusals = [libc::EPERM, libc::ENOSYS, libc::EINVAL];
    error.raw_os_error().is_some_and(|errno| refusals.contains(&errno))
}

fn is_me(pid: i32) -> bool {
    i32::try_from(process::id()) == Ok(pid)
}

impl PidMax {
    fn lower() -> anyhow::Result<Self> {
        let before = fs::read_to_string(PID_MAX).with_context(|| format!("read {PID_MAX}"))?;
        fs::write(PID_MAX, FEW_PIDS).with_context(|| format!("write {PID_MAX}"))?;
        let lowered = Self(before);
        // The kernel gives the first ones once only.
        while fork(|| Ok(0)).context("fork")?.finish()?.pid < FIRST_TO_COME_AGAIN {}
        Ok(lowered)
    }
}

impl Drop for PidMax {
    fn drop(&mut self) {
        // What was read there can be written there.
        let _ = fs::write(PID_MAX, &self.0);
    }
}

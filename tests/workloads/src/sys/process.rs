//! Processes: forking a worker, waiting for it, and what it took.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use rustix::process::{Gid, Pid, Signal, Uid};
use rustix::thread::{
    CpuSet, sched_setaffinity, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};
use serde_json::{Value, json};

use crate::truth::{UNSUPPORTED, Unsupported};

/// Exit code of a worker that failed and said why on stderr.
const WORKER_FAILED: u8 = 70;

/// A forked child. Dropped without a wait it is killed and reaped, so that a
/// workload that fails leaves nobody behind.
pub(crate) struct Child {
    pid: i32,
    started: Instant,
    waited: bool,
}

/// How a child ended and what it used, as wait4(2) told.
pub(crate) struct Ended {
    pub(crate) pid: i32,
    status: i32,
    max_rss_bytes: u64,
    cpu: Duration,
    /// From the fork's return to the wait's, where this process forked it.
    elapsed: Option<Duration>,
}

/// Forks; the child does `work`, exits with the code that it gives, and never
/// returns to the caller's code.
pub(crate) fn fork(work: impl FnOnce() -> anyhow::Result<u8>) -> io::Result<Child> {
    let started = Instant::now();
    // SAFETY: workloads fork before they start a thread, so no lock in the
    // child's copy of the memory is held by a thread that it lacks.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => exit_now(work_to_code(work)),
        pid => Ok(Child { pid, started, waited: false }),
    }
}

/// The same with a pid of the caller's choice, which must be free. It takes
/// privileges, and a kernel that can restore processes.
pub(crate) fn fork_as(pid: i32, work: impl FnOnce() -> anyhow::Result<u8>) -> io::Result<Child> {
    let started = Instant::now();
    let wanted = [pid];
    let arguments = CloneArguments {
        exit_signal: u64::from(libc::SIGCHLD.unsigned_abs()),
        set_tid: wanted.as_ptr(),
        set_tid_size: wanted.len() as u64,
        flags: 0,
        pidfd: 0,
        child_tid: 0,
        parent_tid: 0,
        stack: 0,
        stack_size: 0,
        tls: 0,
    };
    // SAFETY: without a flag clone3 is fork: the child has a copy of all
    // memory, and what holds for `fork` above holds here. The arguments and
    // the array that they point to outlive the call.
    let forked = unsafe {
        libc::syscall(libc::SYS_clone3, &raw const arguments, size_of::<CloneArguments>())
    };
    match i32::try_from(forked) {
        Ok(0) => exit_now(work_to_code(work)),
        Ok(pid) if pid > 0 => Ok(Child { pid, started, waited: false }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// `struct clone_args` as Linux 5.5 has it.
#[repr(C, align(8))]
struct CloneArguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: *const i32,
    set_tid_size: u64,
}

fn work_to_code(work: impl FnOnce() -> anyhow::Result<u8>) -> u8 {
    // A panic must not unwind into the caller's frames: they are the parent's.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) if error.is::<Unsupported>() => UNSUPPORTED,
        Ok(Err(error)) => {
            eprintln!("genome-trace-workload: worker {}: {error:#}", std::process::id());
            WORKER_FAILED
        }
        Err(_) => WORKER_FAILED,
    }
}

/// Ends this process, all threads of it, without running destructors.
pub(crate) fn exit_now(code: u8) -> ! {
    // SAFETY: `_exit` has no precondition and does not return.
    unsafe { libc::_exit(code.into()) }
}

/// Ends the calling thread alone by the raw system call.
pub(crate) fn exit_thread(code: u8) -> ! {
    loop {
        // SAFETY: the caller's stack and thread-local memory stay mapped until
        // the process ends, and nobody joins this thread.
        unsafe { libc::syscall(libc::SYS_exit, libc::c_long::from(code)) };
    }
}

/// Raises SIGABRT by abort(3).
pub(crate) fn abort() -> ! {
    // SAFETY: `abort` has no precondition and does not return.
    unsafe { libc::abort() }
}

/// Gives a signal its default action back: Rust's runtime takes SIGSEGV and
/// ignores SIGPIPE.
pub(crate) fn default_action(signal: i32) -> io::Result<()> {
    // SAFETY: SIG_DFL installs no code of ours.
    match unsafe { libc::signal(signal, libc::SIG_DFL) } {
        libc::SIG_ERR => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Sends any signal by kill(2).
pub(crate) fn kill(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: kill touches no memory of this process.
    match unsafe { libc::kill(pid, signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Blocks until a signal ends this process, or its parent ends.
pub(crate) fn pause_for_ever() -> io::Result<u8> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    loop {
        rustix::event::pause();
    }
}

/// Names this process: what `comm` shows.
pub(crate) fn set_name(name: &std::ffi::CStr) -> io::Result<()> {
    Ok(rustix::thread::set_name(name)?)
}

/// Orphans among this process' descendants become its children.
pub(crate) fn adopt_orphans() -> io::Result<()> {
    let any = Some(rustix::process::getpid());
    Ok(rustix::process::set_child_subreaper(any)?)
}

/// Keeps this process, and those it will start, on some processors.
pub(crate) fn run_on(cpus: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for cpu in cpus {
        if *cpu >= CpuSet::MAX_CPU {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        set.set(*cpu);
    }
    Ok(sched_setaffinity(None, &set)?)
}

/// Gives up root for good.
pub(crate) fn become_user(id: u32) -> io::Result<()> {
    let (gid, uid) = (Gid::from_raw(id), Uid::from_raw(id));
    set_thread_groups(&[])?;
    set_thread_res_gid(gid, gid, gid)?;
    Ok(set_thread_res_uid(uid, uid, uid)?)
}

/// This process' parent, 0 where there is none.
pub(crate) fn parent() -> i32 {
    Pid::as_raw(rustix::process::getppid())
}

/// Waits for any child.
pub(crate) fn wait_any() -> io::Result<Ended> {
    wait4(-1)
}

/// Waits for one child that somebody else forked, an adopted one for instance.
pub(crate) fn wait_for(pid: i32) -> io::Result<Ended> {
    wait4(pid)
}

fn wait4(pid: i32) -> io::Result<Ended> {
    let mut status = 0;
    // SAFETY: a `rusage` is plain numbers, and all zeros is one.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to live locals of the right type.
        let waited = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
        if waited >= 0 {
            return Ok(Ended {
                pid: waited,
                status,
                max_rss_bytes: u64::try_from(usage.ru_maxrss).unwrap_or(0) * 1024,
                cpu: duration(usage.ru_utime) + duration(usage.ru_stime),
                elapsed: None,
            });
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

fn duration(time: libc::timeval) -> Duration {
    let micros = time.tv_sec.saturating_mul(1_000_000) + time.tv_usec;
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

impl Child {
    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// Waits until the child has ended, in whatever way.
    pub(crate) fn wait(mut self) -> io::Result<Ended> {
        let ended = wait4(self.pid)?;
        self.waited = true;
        Ok(Ended { elapsed: Some(self.started.elapsed()), ..ended })
    }

    /// Waits for a worker, whose code 0 says that it did all of its work.
    pub(crate) fn finish(self) -> anyhow::Result<Ended> {
        let ended = self.wait()?;
        match ended.code() {
            Some(0) => Ok(ended),
            Some(code) if code == i32::from(UNSUPPORTED) => {
                Err(Unsupported("the kernel refused it to the worker".into()).into())
            }
            _ => anyhow::bail!("worker {} did not do its work: {}", ended.pid, ended.json()),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.waited {
            // The child may have ended by itself: then there is only the wait.
            let _ = kill(self.pid, libc::SIGKILL);
            let _ = wait4(self.pid);
        }
    }
}

impl Ended {
    /// The exit code, unless a signal ended the process.
    pub(crate) fn code(&self) -> Option<i32> {
        libc::WIFEXITED(self.status).then(|| libc::WEXITSTATUS(self.status))
    }

    /// The signal that ended the process.
    pub(crate) fn signal(&self) -> Option<i32> {
        libc::WIFSIGNALED(self.status).then(|| libc::WTERMSIG(self.status))
    }

    /// What the truth line says of it.
    pub(crate) fn json(&self) -> Value {
        json!({
            "status": self.status,
            "code": self.code(),
            "signal": self.signal(),
            "core_dumped": libc::WIFSIGNALED(self.status) && libc::WCOREDUMP(self.status),
            "max_rss_bytes": self.max_rss_bytes,
            "cpu_ns": nanos(self.cpu),
            "elapsed_ns": self.elapsed.map(nanos),
        })
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

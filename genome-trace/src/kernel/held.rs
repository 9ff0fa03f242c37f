//! A command that is started and waits before it is executed, so that whoever
//! wants to watch it can be there before its first instruction.

use std::{
    ffi::CStr,
    io::{self, PipeReader, PipeWriter, Read as _, Write as _, pipe},
    os::{
        fd::{AsRawFd as _, RawFd},
        unix::process::CommandExt as _,
    },
    process::{Child, Command},
    thread::{self, JoinHandle},
};

use super::signals::SignalMask;

/// The longest name of a process (TASK_COMM_LEN, its NUL not counted).
const NAME_MAX: usize = 15;

/// Who a command runs as, where that is another than this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// All groups.
    pub groups: Vec<u32>,
}

/// What the child is told: to execute the command.
const GO: u8 = 1;
/// To end without. Where this process is killed nothing is told, and the end of
/// the pipe is seen instead; not sooner, for those that are started later have
/// copies of this end of it.
const CANCEL: u8 = 0;

/// A process that will execute a command when it is let go, and ends without
/// having done so when this value, or this process, is gone.
#[derive(Debug)]
pub struct Held {
    pid: u32,
    name: Box<[u8]>,
    go: PipeWriter,
    /// Until it is waited for.
    spawning: Option<JoinHandle<io::Result<Child>>>,
}

impl Held {
    /// Starts it. It has this process' terminal, process group, descriptors 0
    /// to 2 and actions of signals, of which it has those blocked that `mask`
    /// says. It is small if this process is: the kernel
    /// counts what it had before the exec among its peak memory.
    ///
    /// # Errors
    /// The system refuses.
    pub fn start(
        mut command: Command,
        identity: Option<Identity>,
        mask: SignalMask,
    ) -> io::Result<Self> {
        let (mut told, tell) = pipe()?;
        let (wait, go) = pipe()?;
        let parents_end = go.as_raw_fd();
        let mut child = InChild { tell, wait, parents_end, identity, mask };
        // SAFETY: what is called there is made of system calls alone, and
        // allocates nothing.
        unsafe { command.pre_exec(move || child.wait_and_become()) };
        // It returns when the command is executed.
        let spawning =
            thread::Builder::new().name("spawn".to_owned()).spawn(move || command.spawn())?;
        let mut pid = [0; size_of::<u32>()];
        match told.read_exact(&mut pid) {
            Ok(()) => {
                let pid = u32::from_ne_bytes(pid);
                Ok(Self { pid, name: name_of(pid), go, spawning: Some(spawning) })
            }
            // Nobody was there to tell: why is what spawning has to say.
            Err(error) => match joined(spawning) {
                Err(why) => Err(why),
                Ok(_) => Err(error),
            },
        }
    }

    /// Its process id, in this process' namespace.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// The name that it has as long as it waits, and nobody else: where this
    /// process' PIDs are not the kernel's, it is found by that.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Lets it execute the command; returns when it has, or has ended before.
    ///
    /// # Errors
    /// It cannot be executed: the kernel's reason, as in execve(2).
    pub fn release(mut self) -> io::Result<Child> {
        // Whoever started us may ignore the ends of children, who are then not
        // to be waited for. The child has that from the fork, as it should.
        // SAFETY: the default action is one for every signal.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
        self.tell(GO)
    }

    fn tell(&mut self, what: u8) -> io::Result<Child> {
        // Where it is gone, the other side says how that came.
        let _ = self.go.write_all(&[what]);
        match self.spawning.take() {
            Some(spawning) => joined(spawning),
            None => Err(io::Error::from_raw_os_error(libc::ECANCELED)),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.spawning.is_some() {
            let _ = self.tell(CANCEL);
        }
    }
}

fn joined(spawning: JoinHandle<io::Result<Child>>) -> io::Result<Child> {
    let gone = |_| io::Error::other("the thread that starts the command has ended");
    spawning.join().map_err(gone)?
}

fn name_of(pid: u32) -> Box<[u8]> {
    format!("gt-held-{pid}").into_bytes().into_iter().take(NAME_MAX).collect()
}

/// What the child needs between fork and exec.
struct InChild {
    tell: PipeWriter,
    wait: PipeReader,
    /// The other end of `wait`, which the fork has copied: as long as it is
    /// open here, its end would never be seen.
    parents_end: RawFd,
    identity: Option<Identity>,
    mask: SignalMask,
}

impl InChild {
    /// Between fork and exec of a process with threads: nothing here may
    /// allocate or take a lock.
    fn wait_and_become(&mut self) -> io::Result<()> {
        // SAFETY: this process is the child's only thread, and nobody here
        // uses that descriptor.
        unsafe { libc::close(self.parents_end) };
        // SAFETY: the call takes nothing.
        let pid = unsafe { libc::getpid() };
        let pid = u32::try_from(pid).unwrap_or(0);
        self.mask.set()?;
        set_name(pid)?;
        self.tell.write_all(&pid.to_ne_bytes())?;
        let mut word = [CANCEL];
        loop {
            match self.wait.read(&mut word) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(_) if word == [GO] => break,
                Ok(_) => return Err(io::Error::from_raw_os_error(libc::ECANCELED)),
            }
        }
        clear_ambient()?;
        match &self.identity {
            Some(identity) => identity.assume(),
            None => Ok(()),
        }
    }
}

/// Without an allocation, hence digit by digit.
fn set_name(pid: u32) -> io::Result<()> {
    let mut name = *b"gt-held-\0\0\0\0\0\0\0\0";
    let mut digits = [0u8; 10];
    let mut rest = pid;
    let mut count = 0;
    for digit in &mut digits {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    let digits = digits.iter().take(count).rev();
    // The last byte stays NUL.
    let room = name.iter_mut().take(NAME_MAX).skip(b"gt-held-".len());
    for (place, digit) in room.zip(digits) {
        *place = *digit;
    }
    let name = CStr::from_bytes_until_nul(&name).unwrap_or(c"gt-held");
    // SAFETY: the name ends in NUL and outlives the call.
    done(unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) })
}

/// What lets this process trace without root is not for the command.
fn clear_ambient() -> io::Result<()> {
    let none: libc::c_ulong = 0;
    // SAFETY: the call takes numbers alone.
    let cleared = unsafe {
        libc::prctl(
            libc::PR_CAP_AMBIENT,
            libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong,
            none,
            none,
            none,
        )
    };
    match done(cleared) {
        // Kernels without them.
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
        other => other,
    }
}

impl Identity {
    /// Lets a command run so, that is executed without being held.
    pub fn give_to(self, command: &mut Command) {
        // SAFETY: what is called there is made of system calls alone, and
        // allocates nothing.
        unsafe { command.pre_exec(move || self.assume()) };
    }

    /// The groups first, since a user may not change them.
    fn assume(&self) -> io::Result<()> {
        // SAFETY: the list has as many elements as are told.
        done(unsafe { libc::setgroups(self.groups.len(), self.groups.as_ptr()) })?;
        // SAFETY: the call takes numbers alone.
        done(unsafe { libc::setresgid(self.gid, self.gid, self.gid) })?;
        // SAFETY: likewise.
        done(unsafe { libc::setresuid(self.uid, self.uid, self.uid) })
    }
}

fn done(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{fs, process::Stdio};

    use super::*;
    use crate::kernel::signals::Signals;

    /// As for a program that knows nothing of us.
    fn mask() -> SignalMask {
        Signals::block(&[libc::SIGINT]).unwrap().before()
    }

    fn held(program: &str, arguments: &[&str]) -> Held {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        Held::start(command, None, mask()).unwrap()
    }

    fn comm(pid: u32) -> Vec<u8> {
        let mut comm = fs::read(format!("/proc/{pid}/comm")).unwrap();
        assert_eq!(comm.pop(), Some(b'\n'));
        comm
    }

    #[test]
    fn it_waits_under_a_name_of_its_own_and_is_then_the_command_itself() {
        let folder = tempfile::tempdir().unwrap();
        let trace = folder.path().join("trace");
        let script = format!("echo $$ > {}; echo $$", trace.display());
        let held = held("/bin/sh", &["-c", &script]);
        let pid = held.pid();
        assert_eq!(comm(pid), held.name());
        assert!(!trace.exists());
        let output = held.release().unwrap().wait_with_output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{pid}\n"));
        assert_eq!(fs::read_to_string(trace).unwrap(), format!("{pid}\n"));
    }

    #[test]
    fn one_that_is_let_down_ends_without_having_executed_anything() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made");
        let held = held("/bin/sh", &["-c", &format!("> {}", path.display())]);
        // A later one has a copy of nothing that keeps the first waiting.
        let later = self::held("/bin/true", &[]);
        let pid = held.pid();
        drop(held);
        assert!(!fs::exists(format!("/proc/{pid}")).unwrap());
        assert!(!path.exists());
        assert!(later.release().unwrap().wait().unwrap().success());
    }

    #[test]
    fn it_has_those_signals_blocked_that_were_before_us() {
        let signals = Signals::block(&[libc::SIGINT, libc::SIGUSR1]).unwrap();
        let mut command = Command::new("/bin/grep");
        command.args(["SigBlk", "/proc/self/status"]).stdout(Stdio::piped());
        let held = Held::start(command, None, signals.before()).unwrap();
        let output = held.release().unwrap().wait_with_output().unwrap();
        let blocked = String::from_utf8(output.stdout).unwrap();
        let blocked =
            u64::from_str_radix(blocked.trim_start_matches("SigBlk:").trim(), 16).unwrap();
        assert_eq!(blocked & (1 << (libc::SIGINT - 1) | 1 << (libc::SIGUSR1 - 1)), 0);
    }

    #[test]
    fn what_cannot_be_executed_has_the_kernels_reason() {
        let error = held("/no/such/program", &[]).release().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let error = held("/dev/null", &[]).release().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }

    #[test]
    fn the_name_is_the_same_on_both_sides_however_long_the_number() {
        for pid in [1, 10, 32_768, 4_194_304] {
            assert_eq!(name_of(pid).as_ref(), format!("gt-held-{pid}").as_bytes());
        }
    }
}

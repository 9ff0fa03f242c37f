//! The kernel's log, record by record, as it is written (/dev/kmsg; the format
//! is in the kernel's Documentation/ABI/testing/dev-kmsg).

mod lines;

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

use rustix::{
    fs::{Mode, OFlags, SeekFrom},
    io::Errno,
};

use lines::Lines;
pub use lines::Record;

/// Where it is.
pub const KERNEL_LOG: &str = "/dev/kmsg";

/// [`Record::facility`] of what the kernel itself says (LOG_KERN, syslog(3)).
pub const KERNEL_FACILITY: u32 = 0;

/// Reads what is written to the kernel's log from now on.
pub struct KernelLog {
    file: OwnedFd,
    lines: Lines,
}

impl KernelLog {
    /// Opens a log, `/dev/kmsg` as a rule, and skips what is in it.
    ///
    /// Something else that has the same format will do: of a file what comes
    /// after its present end is read, of a pipe all of it.
    ///
    /// # Errors
    /// The file cannot be opened or read: `NotFound` in most containers, and
    /// `PermissionDenied` without `CAP_SYSLOG` where `kernel.dmesg_restrict`
    /// is 1.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
        let file = rustix::fs::open(path, flags, Mode::empty())?;
        match rustix::fs::seek(&file, SeekFrom::End(0)) {
            // A pipe has nothing to skip.
            Ok(_) | Err(Errno::SPIPE) => Ok(Self { file, lines: Lines::new() }),
            Err(error) => Err(error.into()),
        }
    }

    /// Hands over the records that have come, oldest first, and returns when
    /// there are no more for now. The descriptor ([`AsFd`]) is readable when
    /// there are.
    ///
    /// Who writes a record is for the caller to check: see
    /// [`Record::facility`].
    ///
    /// # Errors
    /// The kernel's refusal to read; what was handed over before stays valid.
    pub fn read(&mut self, mut on: impl FnMut(&Record<'_>)) -> io::Result<()> {
        loop {
            match rustix::io::read(&self.file, self.lines.room()) {
                Ok(0) | Err(Errno::AGAIN) => return Ok(()),
                Ok(length) => self.lines.take(length, &mut on),
                Err(Errno::INTR) => {}
                // devkmsg_read: what was next has been overwritten. The next
                // read goes on with the oldest that there is.
                Err(Errno::PIPE) => self.lines.overwritten(),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Records that were not handed over, so far: the kernel overwrote them
    /// before they were read, or they could not be understood. At least that
    /// many; those that are overwritten before the first record is read count
    /// as one.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lines.lost()
    }
}

impl AsFd for KernelLog {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::{fs, io::Write as _, os::fd::AsRawFd as _};

    use super::*;

    fn messages(log: &mut KernelLog) -> Vec<String> {
        let mut messages = Vec::new();
        log.read(|record| messages.push(String::from_utf8_lossy(record.message).into_owned()))
            .unwrap();
        messages
    }

    #[test]
    fn a_pipe_is_read_as_it_is_filled() {
        let (reader, mut writer) = io::pipe().unwrap();
        let path = format!("/proc/self/fd/{}", reader.as_raw_fd());
        let mut log = KernelLog::open(Path::new(&path)).unwrap();
        assert!(messages(&mut log).is_empty());
        writer.write_all(b"6,1,10,-;one\n SUBSYSTEM=pci\n6,2,20,-;two\n4,3,3").unwrap();
        assert_eq!(messages(&mut log), ["one", "two"]);
        writer.write_all(b"0,-;three\n").unwrap();
        assert_eq!(messages(&mut log), ["three"]);
        drop(writer);
        assert!(messages(&mut log).is_empty());
        assert_eq!(log.lost(), 0);
    }

    #[test]
    fn of_a_file_only_what_comes_later_is_read() {
        let path = std::env::temp_dir().join(format!("genome-trace-log-{}", std::process::id()));
        fs::write(&path, "6,1,10,-;before\n").unwrap();
        let mut log = KernelLog::open(&path).unwrap();
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"6,2,20,-;after\n").unwrap();
        assert_eq!(messages(&mut log), ["after"]);
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_log_that_is_not_there_is_an_error() {
        let error = KernelLog::open(Path::new("/no/such/log")).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}

//! What the driver writes to the kernel's log (/dev/kmsg) of errors on GPUs.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;

/// The most that a read gives of one record (devkmsg_read).
const RECORD_BYTES: usize = 8192;

/// The log from now on.
pub(crate) struct KernelLog(File);

impl KernelLog {
    /// Opens it behind what is in it.
    pub(crate) fn open() -> io::Result<Self> {
        let mut file =
            OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open("/dev/kmsg")?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self(file))
    }

    /// The lines about errors that have come since.
    pub(crate) fn xid_lines(&mut self) -> io::Result<Vec<String>> {
        let mut lines = Vec::new();
        let mut record = vec![0; RECORD_BYTES];
        loop {
            match self.0.read(&mut record) {
                Ok(0) => return Ok(lines),
                Ok(read) => {
                    let text = record.get(..read).unwrap_or_default();
                    lines.extend(xid_line(&String::from_utf8_lossy(text)));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(lines),
                // What was next has been overwritten: the next read goes on
                // behind it.
                Err(error) if error.raw_os_error() == Some(libc::EPIPE) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The driver's words, without what the kernel puts before them.
fn xid_line(record: &str) -> Option<String> {
    let (_, text) = record.split_once(';')?;
    let line = text.lines().next()?;
    line.contains("NVRM: Xid").then(|| line.to_owned())
}

/// Whether such a line names this process.
pub(crate) fn names(line: &str, pid: u64) -> bool {
    line.split(", ").any(|part| part.trim() == format!("pid={pid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = "3,1204,98213,-;NVRM: Xid (PCI:0000:65:00): 31, pid=4711, name=work, \
                          Ch 00000008, MMU Fault\n SUBSYSTEM=pci\n";

    #[test]
    fn the_drivers_line_is_found() {
        let line = xid_line(RECORD).unwrap();
        assert!(line.starts_with("NVRM: Xid") && line.ends_with("MMU Fault"), "{line}");
        assert!(names(&line, 4711));
        assert!(!names(&line, 471));
        assert!(!names(&line, 47111));
    }

    #[test]
    fn other_lines_are_not() {
        assert_eq!(xid_line("6,1,2,-;usb 1-1: new device\n"), None);
        assert_eq!(xid_line("nothing"), None);
    }
}

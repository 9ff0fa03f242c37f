//! The limit of open files is the whole process', so what sets it has a test
//! binary of its own.

#![allow(missing_docs, clippy::unwrap_used)]

use std::fs::File;

use genome_trace::kernel::syscall::without_opening;

#[test]
fn no_file_is_opened_and_then_files_are_opened_again() {
    let refused = without_opening(|| File::open("/proc/self/exe").unwrap_err());
    assert_eq!(refused.raw_os_error(), Some(libc::EMFILE));
    File::open("/proc/self/exe").unwrap();
    let caught =
        std::panic::catch_unwind(|| without_opening(|| std::panic::resume_unwind(Box::new(()))));
    assert!(caught.is_err());
    File::open("/proc/self/exe").unwrap();
}

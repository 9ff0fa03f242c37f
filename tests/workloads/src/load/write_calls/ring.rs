//! Writes by io_uring.

use std::fs::File;
use std::ops::Range;
use std::os::fd::AsRawFd as _;

use anyhow::{Context as _, ensure};
use io_uring::{IoUring, Probe, opcode, types};

use crate::truth::Unsupported;

/// How many writes are in flight at once.
const DEPTH: u32 = 16;

/// Fails as unsupported where this kernel has no ring that takes writes.
pub(super) fn probe() -> anyhow::Result<()> {
    let ring =
        IoUring::new(DEPTH).map_err(|error| Unsupported(format!("io_uring_setup(2): {error}")))?;
    let mut probe = Probe::new();
    ring.submitter()
        .register_probe(&mut probe)
        .map_err(|error| Unsupported(format!("io_uring has no probe: {error}")))?;
    if !probe.is_supported(opcode::Write::CODE) {
        return Err(Unsupported("io_uring has no write operation".into()).into());
    }
    Ok(())
}

/// Writes `bytes` to `file` `count` times, one after the other in the file.
pub(super) fn write_all(file: &File, bytes: &[u8], count: u64) -> anyhow::Result<()> {
    let mut ring = IoUring::new(DEPTH).context("set up a ring")?;
    let mut done = 0;
    while done < count {
        let batch = u64::from(DEPTH).min(count - done);
        write_batch(&mut ring, file, bytes, done..done + batch)?;
        done += batch;
    }
    Ok(())
}

fn write_batch(
    ring: &mut IoUring,
    file: &File,
    bytes: &[u8],
    calls: Range<u64>,
) -> anyhow::Result<()> {
    let length = u32::try_from(bytes.len()).context("a write of 4 GiB or more")?;
    let batch = usize::try_from(calls.end - calls.start)?;
    for call in calls {
        let entry = opcode::Write::new(types::Fd(file.as_raw_fd()), bytes.as_ptr(), length)
            .offset(call * u64::from(length))
            .build();
        // SAFETY: `bytes` and `file` are borrowed until this function returns:
        // after the last completion, or with an error on which the worker that
        // called exits without freeing either.
        unsafe { ring.submission().push(&entry) }.context("fill the ring")?;
    }
    ring.submit_and_wait(batch).context("submit to the ring")?;
    let mut completed = 0;
    for completion in ring.completion() {
        let written = completion.result();
        ensure!(
            u32::try_from(written) == Ok(length),
            "a write by the ring gave {written}, not {length}"
        );
        completed += 1;
    }
    ensure!(completed == batch, "{completed} of {batch} writes came back");
    Ok(())
}

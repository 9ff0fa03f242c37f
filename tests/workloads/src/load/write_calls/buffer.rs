//! Writes from this process' memory. Each function is one system call.

use std::fs::File;
use std::io::IoSlice;

use rustix::io::{ReadWriteFlags, Result};

pub(super) fn write(file: &File, bytes: &[u8]) -> Result<usize> {
    rustix::io::write(file, bytes)
}

pub(super) fn pwrite(file: &File, bytes: &[u8], offset: u64) -> Result<usize> {
    rustix::io::pwrite(file, bytes, offset)
}

pub(super) fn writev(file: &File, bytes: &[u8]) -> Result<usize> {
    rustix::io::writev(file, &halves(bytes))
}

pub(super) fn pwritev2(file: &File, bytes: &[u8], offset: u64) -> Result<usize> {
    rustix::io::pwritev2(file, &halves(bytes), offset, ReadWriteFlags::empty())
}

/// Two pieces, so that a vector of pieces is not told as one write for each.
fn halves(bytes: &[u8]) -> [IoSlice<'_>; 2] {
    let (front, back) = bytes.split_at(bytes.len() / 2);
    [IoSlice::new(front), IoSlice::new(back)]
}

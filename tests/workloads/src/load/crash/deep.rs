//! A fault three functions deep, each of which has a frame of its own.

use std::hint::black_box;
use std::ptr;

use serde_json::{Value, json};

/// Lines of the fault and of the calls that led there, by their distance from
/// here.
const FAULT: u32 = line!() + 10;
const INNER_CALL: u32 = line!() + 15;
const MIDDLE_CALL: u32 = line!() + 19;

#[inline(never)]
fn inner(address: usize) -> u8 {
    // Not 0 itself: a debug build would stop a null read before the kernel.
    let nowhere = ptr::without_provenance::<u8>(black_box(address));
    // SAFETY: there is none: nothing is mapped in the first page, and the
    // kernel ends this process here, which is what it is for.
    unsafe { nowhere.read_volatile() }
}

#[inline(never)]
fn middle(address: usize) -> u8 {
    // Something is left to do after each call, so that none becomes a jump.
    black_box(inner(address)).wrapping_add(1)
}

#[inline(never)]
fn outer(address: usize) -> u8 {
    black_box(middle(address)).wrapping_add(1)
}

/// Faults; what it returns could be read.
pub(super) fn fault() -> u8 {
    black_box(outer(16))
}

/// The stack that the fault has, innermost first: function, file and line.
pub(super) fn stack() -> Value {
    let frames = [("inner", FAULT), ("middle", INNER_CALL), ("outer", MIDDLE_CALL)];
    let frame = |(name, line)| json!({ "function": format!("{}::{name}", module_path!()), "file": file!(), "line": line });
    frames.map(frame).into_iter().collect()
}

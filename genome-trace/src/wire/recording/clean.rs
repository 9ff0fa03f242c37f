//! What leaves a record before it is written to a file: the environment may
//! hold secrets, and addresses of the kernel are one boot's.

use std::mem::offset_of;

use genome_trace_common::{ExecRecord, Kind, OOM_STACK_DEPTH, OomRecord, RecordHeader};

use crate::{
    model::MemoryConstraint,
    wire::{
        Surroundings,
        read::{split_len, split_prefix},
    },
};

/// The variables that stay: they say whose a process is.
const KEPT: [&[u8]; 2] = [b"GENOME_PERSONA=", b"GENOME_ID="];

/// What stands in the place of an OOM kill's stack, as its only frame.
const MEMCG: u64 = 1;
const GLOBAL: u64 = 2;

/// What a cleaned stack says.
pub(super) fn constraint(stack: &[u64]) -> Option<MemoryConstraint> {
    match stack {
        [MEMCG] => Some(MemoryConstraint::Memcg),
        [GLOBAL] => Some(MemoryConstraint::Global),
        _ => None,
    }
}

/// Appends a record without what must not be kept. `None` where it cannot be
/// read; what was appended until then is nothing.
pub(super) fn append(out: &mut Vec<u8>, record: &[u8], around: &impl Surroundings) -> Option<()> {
    let (header, _) = split_prefix::<RecordHeader>(record)?;
    let record = record.get(..usize::try_from(header.len).ok()?)?;
    match Kind::from_number(header.kind)? {
        Kind::Exec => append_exec(out, record),
        Kind::OomKill => append_oom(out, record, around),
        _ => {
            out.extend_from_slice(record);
            Some(())
        }
    }
}

fn append_exec(out: &mut Vec<u8>, record: &[u8]) -> Option<()> {
    let (fixed, rest) = split_prefix::<ExecRecord>(record)?;
    let (_, rest) = split_len(rest, fixed.path_len)?;
    let (_, rest) = split_len(rest, fixed.argv_len)?;
    let (environment, _) = split_len(rest, fixed.environment_len)?;
    let start = out.len();
    out.extend_from_slice(record.get(..record.len() - rest.len())?);
    let environment_at = out.len();
    // The last one may have been cut off within its name's value: then it is
    // no assignment that anybody made.
    for assignment in environment.split_inclusive(|byte| *byte == 0) {
        if assignment.ends_with(b"\0") && KEPT.iter().any(|name| assignment.starts_with(name)) {
            out.extend_from_slice(assignment);
        }
    }
    let environment_len = u32::try_from(out.len() - environment_at).ok()?;
    let len = u32::try_from(out.len() - start).ok()?;
    let written = out.get_mut(start..)?;
    put(written, offset_of!(ExecRecord, environment_len), &environment_len.to_ne_bytes())?;
    put(written, offset_of!(RecordHeader, len), &len.to_ne_bytes())
}

fn append_oom(out: &mut Vec<u8>, record: &[u8], around: &impl Surroundings) -> Option<()> {
    let (fixed, _) = split_prefix::<OomRecord>(record)?;
    let depth = usize::try_from(fixed.stack_len).unwrap_or(usize::MAX).min(OOM_STACK_DEPTH);
    let found = around.oom_constraint(fixed.stack.get(..depth)?);
    let start = out.len();
    out.extend_from_slice(record);
    let written = out.get_mut(start..)?;
    let stack_at = offset_of!(OomRecord, stack);
    written.get_mut(stack_at..stack_at + size_of_val(&fixed.stack))?.fill(0);
    let (depth, said) = match found {
        Some(MemoryConstraint::Memcg) => (1_u32, MEMCG),
        Some(MemoryConstraint::Global) => (1, GLOBAL),
        None => (0, 0),
    };
    put(written, offset_of!(OomRecord, stack_len), &depth.to_ne_bytes())?;
    put(written, stack_at, &said.to_ne_bytes())
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) -> Option<()> {
    bytes.get_mut(at..at + value.len())?.copy_from_slice(value);
    Some(())
}

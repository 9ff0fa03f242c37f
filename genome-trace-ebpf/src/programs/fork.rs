//! A process is created: kernel/fork.c, kernel_clone().

use aya_ebpf::{bindings::BPF_ANY, macros::btf_tracepoint, programs::BtfTracePointContext};
use genome_trace_common::{Kind, RecordHeader};

use crate::{
    config::fact,
    kernel::{Address, argument, process_start, raw, tgid},
    maps::{LIFECYCLE, WATCHED},
    record::{fill_header, is_watched, reserve},
    twin::{Event, Twin},
};

#[btf_tracepoint(function = "sched_process_fork")]
fn sched_process_fork(context: BtfTracePointContext) -> i32 {
    tell(&context)
}

#[btf_tracepoint(function = "sched_process_fork")]
fn sched_process_fork_twin(context: BtfTracePointContext) -> i32 {
    tell(&context)
}

#[inline(always)]
fn tell(context: &BtfTracePointContext) -> i32 {
    let parent = Address(argument(raw(context), 0));
    let child = Address(argument(raw(context), 1));
    let child_tgid = tgid(child);
    if child.read::<u32>(fact!(task_pid)) != child_tgid {
        return 0;
    }
    if !Twin::Paired.tells(Event::Fork, child.0 ^ process_start(child)) {
        return 0;
    }
    // Before the record, so that the child's own first record finds it.
    if is_watched(tgid(parent)) {
        let _ = WATCHED.insert(child_tgid, 1, BPF_ANY as u64);
    }
    if let Some(mut entry) = reserve::<RecordHeader>(&LIFECYCLE, Kind::Fork) {
        // SAFETY: every field is an integer, and `fill_header` sets each one.
        let header = unsafe { &mut *entry.as_mut_ptr() };
        fill_header(header, Kind::Fork, size_of::<RecordHeader>(), child);
        entry.submit(0);
    }
    0
}

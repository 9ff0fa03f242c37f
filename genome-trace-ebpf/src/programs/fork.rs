//! A process is created: kernel/sched/core.c, wake_up_new_task(), which
//! kernel_clone() calls right after `sched_process_fork`. Interrupts are off
//! there, so the program is never preempted, and thereby never skipped.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use genome_trace_common::{Kind, RecordHeader};

use crate::{
    caller::Caller,
    config::fact,
    kernel::{Address, argument, raw, tgid},
    maps::{LIFECYCLE, enter_watched},
    record::{fill_header, reserve, watch},
};

#[btf_tracepoint(function = "sched_wakeup_new")]
fn sched_wakeup_new(context: BtfTracePointContext) -> i32 {
    let child = Address(argument(raw(&context), 0));
    let child_tgid = tgid(child);
    if child.read::<u32>(fact!(task_pid)) != child_tgid {
        return 0;
    }
    // Before the record, so that the child's own first record finds it.
    let why = watch(Caller::current().tgid());
    if why != 0 {
        enter_watched(child_tgid, why);
    }
    if let Some(mut entry) = reserve::<RecordHeader>(&LIFECYCLE, Kind::Fork) {
        // SAFETY: every field is an integer, and `fill_header` sets each one.
        let header = unsafe { &mut *entry.as_mut_ptr() };
        fill_header(header, Kind::Fork, size_of::<RecordHeader>(), child);
        entry.submit(0);
    }
    0
}

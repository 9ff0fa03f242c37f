//! The OOM killer's choice: mm/oom_kill.c, mark_oom_victim().

use core::ops::ControlFlow;

use aya_ebpf::{
    helpers::{bpf_get_current_pid_tgid, generated::bpf_get_stack},
    macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use genome_trace_common::{ABSENT, Kind, OOM_STACK_DEPTH, OomRecord, UNKNOWN_U64};

use crate::{
    config::fact,
    kernel::{Address, argument, raw},
    maps::{KILLED, LIFECYCLE, count_lost},
    record::{fill_header, reserve},
    turns::{self, Turns},
    usage::{MM_ANONPAGES, MM_FILEPAGES, MM_SHMEMPAGES, rss},
};

/// `PAGE_COUNTER_MAX` with the smallest page, LONG_MAX / 4096: limits from
/// here on are none. Larger pages make it smaller, never below LONG_MAX / 64 KiB.
const UNLIMITED_PAGES: u64 = (i64::MAX as u64) / 65536;
/// What a CPU may have charged ahead of the counter (MEMCG_CHARGE_BATCH, and
/// twice that for page-table and THP charges): this close is at the limit.
const CHARGE_SLACK_PAGES: u64 = 128;
/// Ancestors of the victim's cgroup that are looked at.
const CGROUP_DEPTH_MAX: u32 = 16;

#[btf_tracepoint(function = "mark_victim")]
fn mark_victim(context: BtfTracePointContext) -> i32 {
    let subject = argument(raw(&context), 0);
    let victim = if fact!(mark_victim_has_task) == 1 {
        Address(subject)
    } else {
        // SAFETY: copied at once; the entry belongs to this OOM kill.
        match unsafe { KILLED.get(subject as u32) } {
            Some(task) => Address(*task),
            None => {
                count_lost(Kind::OomKill);
                return 0;
            }
        }
    };
    let Some(mut entry) = reserve::<OomRecord>(&LIFECYCLE, Kind::OomKill) else { return 0 };
    // SAFETY: every field is an integer, and each one is set here.
    let record = unsafe { &mut *entry.as_mut_ptr() };
    fill_header(&mut record.header, Kind::OomKill, size_of::<OomRecord>(), victim);
    fill_memory(record, victim);
    fill_cgroup(record, victim);
    record.invoker_tgid = (bpf_get_current_pid_tgid() >> 32) as u32;
    record.stack = [0; OOM_STACK_DEPTH];
    // SAFETY: the buffer is the record's own, of the size stated.
    let bytes = unsafe {
        bpf_get_stack(
            raw(&context).cast_mut(),
            (&raw mut record.stack).cast(),
            (OOM_STACK_DEPTH * 8) as u32,
            0,
        )
    };
    record.stack_len = if bytes > 0 { (bytes as u32) / 8 } else { 0 };
    entry.submit(0);
    0
}

#[inline(always)]
fn fill_memory(record: &mut OomRecord, victim: Address) {
    let signal = victim.follow(fact!(task_signal));
    record.oom_score_adj = signal.read::<i16>(fact!(signal_oom_score_adj)) as i32;
    record.oom_score_adj_known =
        (fact!(signal_oom_score_adj) != ABSENT && !signal.is_null()) as u32;
    // `oom_mm` was set just before and is pinned; the victim's own `mm` may be
    // gone already, since it got its SIGKILL before.
    let mm = signal.follow(fact!(signal_oom_mm));
    record.total_vm_pages = if mm.is_null() || fact!(mm_total_vm) == ABSENT {
        UNKNOWN_U64
    } else {
        mm.read(fact!(mm_total_vm))
    };
    record.anon_rss_pages = rss(mm, MM_ANONPAGES);
    record.file_rss_pages = rss(mm, MM_FILEPAGES);
    record.shmem_rss_pages = rss(mm, MM_SHMEMPAGES);
}

/// Finds the cgroup whose limit it was: the first at its limit from the
/// victim's own upwards, else the nearest with a limit.
#[inline(always)]
fn fill_cgroup(record: &mut OomRecord, victim: Address) {
    record.memory_limit_pages = UNKNOWN_U64;
    record.memory_usage_pages = UNKNOWN_U64;
    record.memory_cgroup_id = 0;
    let css = victim.follow(fact!(task_cgroups)).follow(fact!(css_set_memory));
    if css.is_null() || fact!(page_counter_max) == ABSENT || fact!(mem_cgroup_memory) == ABSENT {
        return;
    }
    let counter = css.container(fact!(mem_cgroup_css)).field(fact!(mem_cgroup_memory));
    turns::take(CGROUP_DEPTH_MAX, &mut Limits { record, counter });
}

/// On the way from a cgroup's account up.
struct Limits {
    record: *mut OomRecord,
    counter: Address,
}

impl Turns for Limits {
    #[inline(always)]
    fn turn(&mut self, _number: u32) -> ControlFlow<()> {
        let usage = self.counter.read::<u64>(fact!(page_counter_usage));
        let max = self.counter.read::<u64>(fact!(page_counter_max));
        if max < UNLIMITED_PAGES {
            let at_limit = usage.saturating_add(CHARGE_SLACK_PAGES) >= max;
            // SAFETY: made from a record that outlives this.
            let record = unsafe { &mut *self.record };
            if at_limit || record.memory_cgroup_id == 0 {
                record.memory_limit_pages = max;
                record.memory_usage_pages = usage;
                record.memory_cgroup_id = cgroup_of(self.counter);
            }
            if at_limit {
                return ControlFlow::Break(());
            }
        }
        self.counter = self.counter.follow(fact!(page_counter_parent));
        if self.counter.is_null() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[inline(always)]
fn cgroup_of(counter: Address) -> u64 {
    let css = counter.container(fact!(mem_cgroup_memory)).field(fact!(mem_cgroup_css));
    css.follow(fact!(css_cgroup)).follow(fact!(cgroup_kn)).read(fact!(kernfs_node_id))
}

//! A cgroup is created: kernel/cgroup/cgroup.c, cgroup_mkdir().

use aya_ebpf::{
    helpers::generated::bpf_probe_read_kernel_str, macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use genome_trace_common::{CgroupRecord, Kind, PATH_MAX};

use crate::{
    config::fact,
    kernel::{Address, argument, current, raw},
    maps::{CGROUP_SLOT, EXEC_SCRATCH, ExecScratch, LIFECYCLE, count_lost},
    record::{fill_header, output},
};

#[btf_tracepoint(function = "cgroup_mkdir")]
fn cgroup_mkdir(context: BtfTracePointContext) -> i32 {
    let cgroup = Address(argument(raw(&context), 0));
    let path = argument(raw(&context), 1);
    // The room of the exec programs, in a slot of its own.
    let Some(scratch) = EXEC_SCRATCH.get_ptr_mut(CGROUP_SLOT) else {
        count_lost(Kind::CgroupMkdir);
        return 0;
    };
    // SAFETY: `ExecScratch` is larger than a `CgroupRecord` and PATH_MAX bytes.
    let (record, bytes) = unsafe {
        let record = scratch.cast::<CgroupRecord>();
        (&mut *record, record.add(1).cast::<u8>())
    };
    // SAFETY: as above; the helper checks the address of the path.
    let copied = unsafe {
        bpf_probe_read_kernel_str(bytes.cast(), PATH_MAX as u32, path as *const core::ffi::c_void)
    };
    let path_len = if copied <= 0 { 0 } else { (copied as u64 - 1).min(PATH_MAX as u64) };
    let len = size_of::<CgroupRecord>() + path_len as usize;
    fill_header(&mut record.header, Kind::CgroupMkdir, len, current());
    record.cgroup_id = cgroup.follow(fact!(cgroup_kn)).read(fact!(kernfs_node_id));
    record.hierarchy_id = cgroup.follow(fact!(cgroup_root)).read(fact!(cgroup_root_hierarchy_id));
    record.path_len = path_len as u32;
    output(&LIFECYCLE, Kind::CgroupMkdir, scratch.cast::<u8>(), len, size_of::<ExecScratch>());
    0
}

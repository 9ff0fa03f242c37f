//! The process whose thread runs into a program.

use aya_ebpf::helpers::bpf_get_current_pid_tgid;

use crate::{
    config::{config, fact},
    kernel::{Address, Memory as _, current, process_start, tgid},
    record::watch,
    typed::{self, Typed},
};

/// x86's `TS_COMPAT`: a 32-bit system call, whose numbers mean other calls.
const TS_COMPAT: u32 = 2;

/// The current task, asked for once: where every return is slow, as some
/// processors' mitigations make it, a call costs what several loads do, and
/// one of `bpf_probe_read_kernel` far more.
#[derive(Clone, Copy)]
pub(crate) struct Caller(Typed);

impl Caller {
    #[inline(always)]
    pub(crate) fn current() -> Self {
        Self(if typed::can_load() { Typed::current() } else { Typed::NULL })
    }

    #[inline(always)]
    pub(crate) fn tgid(self) -> u32 {
        if typed::can_load() { tgid(self.0) } else { (bpf_get_current_pid_tgid() >> 32) as u32 }
    }

    /// When its process started.
    #[inline(always)]
    pub(crate) fn start_time(self) -> u64 {
        if typed::can_load() { process_start(self.0) } else { process_start(current()) }
    }

    /// The registers with which it entered the kernel. Callers make sure that
    /// the kernel has the helper (5.15), and [can load](typed::can_load).
    #[inline(always)]
    pub(crate) fn registers(self) -> Typed {
        self.0.registers()
    }

    /// Whether its files are to be counted.
    #[inline(always)]
    pub(crate) fn is_counted(self) -> bool {
        if config!(only_watched) == 0 && config!(excluded_tgid) == 0 {
            return true;
        }
        let tgid = self.tgid();
        if tgid == config!(excluded_tgid) {
            return false;
        }
        config!(only_watched) == 0 || watch(tgid) != 0
    }

    /// Whether it is in a 32-bit system call.
    #[inline(always)]
    pub(crate) fn is_32_bit(self) -> bool {
        let status: u32 = if typed::can_load() {
            self.0.read(fact!(task_thread_status))
        } else {
            current().read(fact!(task_thread_status))
        };
        status & TS_COMPAT != 0
    }

    /// Its file behind a descriptor, null where there is none. Callers make
    /// sure that the kernel [can cast](typed::can_cast).
    ///
    /// The entry of the table is looked at as if it were the first one of
    /// `files_struct.fd_array`, whose entries have a type, where those behind
    /// `fdtable.fd` have none.
    #[inline(always)]
    pub(crate) fn file(self, fd: u32) -> Typed {
        let table = self.0.follow(fact!(task_files)).follow(fact!(files_fdt));
        if fd >= table.read::<u32>(fact!(fdtable_max_fds)) {
            return Typed::NULL;
        }
        let entry = Address(table.read::<u64>(fact!(fdtable_fd))).field(fd.wrapping_mul(8));
        let array = Address(entry.0.wrapping_sub(fact!(files_fd_array) as u64));
        Typed::cast(array, fact!(files_struct_type)).follow(fact!(files_fd_array))
    }
}

//! Signals that end a process: kernel/signal.c.
//!
//! Most are decided when they are sent: complete_signal() then marks the
//! whole group as ending, before `signal_generate` fires. Those that dump
//! core, and those that were blocked, are decided when the receiver takes
//! them (`signal_deliver`), where the sender's name is no longer known: it was
//! kept when the signal was sent. There the receiver itself runs, so its stack
//! can be taken.

use aya_ebpf::{
    bindings::{
        BPF_ANY, BPF_F_USER_BUILD_ID, BPF_F_USER_STACK,
        bpf_stack_build_id_status::BPF_STACK_BUILD_ID_IP,
    },
    helpers::{bpf_get_current_pid_tgid, generated::bpf_get_stack},
    macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use genome_trace_common::{
    COMM_LEN, Kind, SIGNAL_SENDER_KNOWN, SignalRecord, UNKNOWN_U32, USER_FRAME_BUILD_ID_LEN,
    USER_FRAME_LEN, USER_FRAME_STATUS_LEN, USER_FRAMES_MAX,
};

use super::exit::SIGNAL_GROUP_EXIT;
use crate::{
    config::fact,
    kernel::{Address, argument, current, raw, read_comm, tgid},
    maps::{KILLED, LIFECYCLE, SENDERS, SIGNAL_SCRATCH, Sender, SignalScratch, count_lost},
    record::{fill_header, output, reserve},
    usage::{open_files, resident, threads},
};

/// `SEND_SIG_NOINFO`: a process sent it, by kill(2) without more.
const SEND_SIG_NOINFO: u64 = 0;
/// `SEND_SIG_PRIV`: the kernel sent it.
const SEND_SIG_PRIV: u64 = 1;
/// `SIGNAL_UNKILLABLE`: init of a PID namespace.
const SIGNAL_UNKILLABLE: u32 = 0x40;
const SIGKILL: u32 = 9;
/// `SI_USER`, `SI_KERNEL`, `SI_QUEUE`, `SI_TKILL`: include/uapi/asm-generic/siginfo.h.
const SI_USER: i32 = 0;
const SI_KERNEL: i32 = 0x80;
const SI_QUEUE: i32 = -1;
const SI_TKILL: i32 = -6;
/// Signals whose default action is not to end the process (signal(7)): CHLD,
/// CONT, STOP, TSTP, TTIN, TTOU, URG, WINCH.
const HARMLESS: u64 = 1 << 17 | 1 << 18 | 1 << 19 | 1 << 20 | 1 << 21 | 1 << 22 | 1 << 23 | 1 << 28;

/// Signals that tell of a fault of the program's own: ILL, TRAP, ABRT, BUS,
/// FPE, SEGV, XCPU, XFSZ, SYS. All of them dump core, so each of them is
/// decided where it is taken.
const FAULTS: u64 =
    1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 11 | 1 << 24 | 1 << 25 | 1 << 31;

#[inline(always)]
fn ends_by_default(signal: u32) -> bool {
    signal > 0 && signal <= 64 && (signal == 64 || HARMLESS & (1 << signal) == 0)
}

#[btf_tracepoint(function = "signal_generate")]
fn signal_generate(context: BtfTracePointContext) -> i32 {
    let signal = argument(raw(&context), 0) as u32;
    let info = argument(raw(&context), 1);
    let receiver = Address(argument(raw(&context), 2));
    let result = argument(raw(&context), 4) as u32;
    // 0 is TRACE_SIGNAL_DELIVERED; the others change nothing for the receiver.
    if !ends_by_default(signal) || result != 0 {
        return 0;
    }
    let code = match info {
        SEND_SIG_NOINFO => SI_USER,
        SEND_SIG_PRIV => SI_KERNEL,
        info => Address(info).read(fact!(siginfo_code)),
    };
    let by_process = matches!(code, SI_USER | SI_QUEUE | SI_TKILL);
    if info == SEND_SIG_PRIV && signal == SIGKILL {
        let tid = receiver.read::<u32>(fact!(task_pid));
        let _ = KILLED.insert(tid, receiver.0, BPF_ANY as u64);
    }
    let mut sender = Sender { tgid: 0, comm: [0; COMM_LEN] };
    if by_process {
        sender.tgid = (bpf_get_current_pid_tgid() >> 32) as u32;
        read_comm(current(), &mut sender.comm);
    }
    if ends_group(receiver, signal) {
        report(receiver, signal, code, by_process.then_some(&sender));
    } else if by_process {
        let _ = SENDERS.insert([tgid(receiver), signal], sender, BPF_ANY as u64);
    }
    0
}

/// Whether complete_signal() has just ended the receiver's group for `signal`.
#[inline(always)]
fn ends_group(receiver: Address, signal: u32) -> bool {
    let group = receiver.follow(fact!(task_signal));
    group.read::<u32>(fact!(signal_flags)) & SIGNAL_GROUP_EXIT != 0
        && group.read::<u32>(fact!(signal_group_exit_code)) & 0x7f == signal
}

#[btf_tracepoint(function = "signal_deliver")]
fn signal_deliver(context: BtfTracePointContext) -> i32 {
    let signal = argument(raw(&context), 0) as u32;
    let info = Address(argument(raw(&context), 1));
    let action = Address(argument(raw(&context), 2));
    if !ends_by_default(signal)
        || action.is_null()
        || action.read::<u64>(fact!(sigaction_handler)) != 0
    {
        return 0;
    }
    let receiver = current();
    let group = receiver.follow(fact!(task_signal));
    let flags = group.read::<u32>(fact!(signal_flags));
    // A group that is ending shows a SIGKILL here that nobody sent, and init
    // takes no signal that it has no handler for.
    if flags & SIGNAL_GROUP_EXIT != 0 || flags & SIGNAL_UNKILLABLE != 0 {
        return 0;
    }
    let code = match info.0 {
        SEND_SIG_NOINFO => SI_USER,
        SEND_SIG_PRIV => SI_KERNEL,
        _ => info.read(fact!(siginfo_code)),
    };
    let key = [tgid(receiver), signal];
    let sender = if matches!(code, SI_USER | SI_QUEUE | SI_TKILL) {
        // SAFETY: an entry may be overwritten while it is copied only by the
        // same signal to the same process sent again.
        unsafe { SENDERS.get(key) }
    } else {
        None
    };
    let Some(scratch) = SIGNAL_SCRATCH.get_ptr_mut(0) else {
        count_lost(Kind::Signal);
        return 0;
    };
    // SAFETY: a live map value that this program alone uses; every field is an
    // integer.
    let SignalScratch { record, frames } = unsafe { &mut *scratch };
    fill(record, receiver, signal, code, sender);
    record.open_files = open_files(receiver);
    let mut len = size_of::<SignalRecord>();
    if signal < 64 && FAULTS & (1 << signal) != 0 {
        // SAFETY: the buffer is as long as stated.
        let taken = unsafe {
            bpf_get_stack(
                raw(&context).cast_mut(),
                frames.as_mut_ptr().cast(),
                (USER_FRAMES_MAX * USER_FRAME_LEN) as u32,
                (BPF_F_USER_STACK | BPF_F_USER_BUILD_ID) as u64,
            )
        };
        if taken > 0 {
            len += taken as usize;
            record.header.len = len as u32;
            if frames.starts_with(&BPF_STACK_BUILD_ID_IP.to_ne_bytes()) {
                add_program(frames, receiver);
            }
        }
    }
    output(&LIFECYCLE, Kind::Signal, scratch.cast::<u8>(), len, size_of::<SignalScratch>());
    0
}

/// The kernel tells addresses alone where it cannot take the lock of the
/// memory map, or another program has just looked at the same stack: it gives
/// the lock back by an interrupt, and those are off. The process is gone before
/// anybody could read its maps; this is enough for what lies in its program.
#[inline(always)]
fn add_program(frames: &mut [u8], receiver: Address) {
    let mm = receiver.follow(fact!(task_mm));
    let inode = mm.follow(fact!(mm_exe_file)).follow(fact!(file_inode));
    let start: u64 = mm.read(fact!(mm_start_code));
    let number: u64 = inode.read(fact!(inode_ino));
    let device: u32 = inode.follow(fact!(inode_sb)).read(fact!(super_block_dev));
    let mut program = [0; USER_FRAME_BUILD_ID_LEN];
    program[..8].copy_from_slice(&start.to_ne_bytes());
    program[8..16].copy_from_slice(&number.to_ne_bytes());
    program[16..].copy_from_slice(&device.to_ne_bytes());
    if let Some(room) = frames.get_mut(USER_FRAME_STATUS_LEN..)
        && let Some(room) = room.first_chunk_mut()
    {
        *room = program;
    }
}

#[inline(always)]
fn report(receiver: Address, signal: u32, code: i32, sender: Option<&Sender>) {
    let Some(mut entry) = reserve::<SignalRecord>(&LIFECYCLE, Kind::Signal) else { return };
    // SAFETY: every field is an integer, and each one is set here.
    let record = unsafe { &mut *entry.as_mut_ptr() };
    fill(record, receiver, signal, code, sender);
    // Its end follows at once and tells; counting them is a loop that the
    // verifier would go through at every start.
    record.open_files = UNKNOWN_U32;
    entry.submit(0);
}

/// Sets every field but the open descriptors.
#[inline(always)]
fn fill(
    record: &mut SignalRecord,
    receiver: Address,
    signal: u32,
    code: i32,
    sender: Option<&Sender>,
) {
    fill_header(&mut record.header, Kind::Signal, size_of::<SignalRecord>(), receiver);
    record.signal = signal;
    record.code = code;
    record.rss_pages = resident(receiver.follow(fact!(task_mm)));
    record.threads = threads(receiver.follow(fact!(task_signal)));
    match sender {
        Some(sender) => {
            record.flags = SIGNAL_SENDER_KNOWN;
            record.sender_tgid = sender.tgid;
            record.sender_comm = sender.comm;
        }
        None => {
            record.flags = 0;
            record.sender_tgid = 0;
            record.sender_comm = [0; COMM_LEN];
        }
    }
}

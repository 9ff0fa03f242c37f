//! Signals that end a process: kernel/signal.c.
//!
//! Most are decided when they are sent: complete_signal() then marks the
//! whole group as ending, before `signal_generate` fires. Those that dump
//! core, and those that were blocked, are decided when the receiver takes
//! them (`signal_deliver`), where the sender's name is no longer known: it was
//! kept when the signal was sent.

use aya_ebpf::{
    bindings::BPF_ANY, helpers::bpf_get_current_pid_tgid, macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use genome_trace_common::{COMM_LEN, Kind, SIGNAL_SENDER_KNOWN, SignalRecord};

use super::exit::SIGNAL_GROUP_EXIT;
use crate::{
    config::fact,
    kernel::{Address, argument, current, raw, read_comm, tgid},
    maps::{KILLED, LIFECYCLE, SENDERS, Sender},
    record::{fill_header, reserve},
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
    report(receiver, signal, code, sender);
    0
}

#[inline(always)]
fn report(receiver: Address, signal: u32, code: i32, sender: Option<&Sender>) {
    let Some(mut entry) = reserve::<SignalRecord>(&LIFECYCLE, Kind::Signal) else { return };
    // SAFETY: every field is an integer, and each one is set here.
    let record = unsafe { &mut *entry.as_mut_ptr() };
    fill_header(&mut record.header, Kind::Signal, size_of::<SignalRecord>(), receiver);
    record.signal = signal;
    record.code = code;
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
    entry.submit(0);
}

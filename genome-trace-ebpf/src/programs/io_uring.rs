//! Writes that io_uring carried out, in every mode: io_uring/io_uring.h,
//! where a completion is posted.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use genome_trace_common::ABSENT;

use crate::{
    caller::Caller,
    config::fact,
    count::count_write,
    hot::Table,
    kernel::{Address, argument, raw},
};

/// `enum io_uring_op`, include/uapi/linux/io_uring.h: part of the kernel's ABI.
const IORING_OP_WRITEV: u8 = 2;
const IORING_OP_WRITE_FIXED: u8 = 5;
const IORING_OP_WRITE: u8 = 23;
const IORING_OP_WRITEV_FIXED: u8 = 61;

const SLOT: u32 = 1;

#[btf_tracepoint(function = "io_uring_complete")]
fn io_uring_complete(context: BtfTracePointContext) -> i32 {
    if fact!(io_complete_req_arg) == ABSENT {
        return 0;
    }
    let request = Address(argument(raw(&context), fact!(io_complete_req_arg)));
    match request.read::<u8>(fact!(io_kiocb_opcode)) {
        IORING_OP_WRITEV | IORING_OP_WRITE_FIXED | IORING_OP_WRITE | IORING_OP_WRITEV_FIXED => {}
        _ => return 0,
    }
    let result = if fact!(io_complete_res_arg) != ABSENT {
        argument(raw(&context), fact!(io_complete_res_arg)) as i32
    } else {
        Address(argument(raw(&context), fact!(io_complete_cqe_arg))).read::<i32>(fact!(io_cqe_res))
    };
    let caller = Caller::current();
    if result >= 0 && caller.is_counted() {
        let file = request.follow(fact!(io_kiocb_file));
        count_write(caller, file, result as u64, Table::NONE, SLOT);
    }
    0
}

//! A system call that does next to nothing, very often: what a tracer costs
//! those who write nothing.

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::cli::SyscallStorm;
use crate::sys::process;
use crate::sys::time::SharedTime;

pub(crate) fn run(args: &SyscallStorm) -> anyhow::Result<Value> {
    let time = SharedTime::new().context("share memory")?;
    let worker = process::fork(|| {
        time.measure(|| {
            for _ in 0..args.count {
                // rustix makes the call itself: no library keeps the answer.
                std::hint::black_box(rustix::process::getppid());
            }
        });
        Ok(0)
    })
    .context("fork a worker")?;
    let ended = worker.finish()?;
    Ok(json!({
        "call": "getppid",
        "calls": args.count,
        "elapsed_ns": time.nanos(),
        "workers": [{ "pid": ended.pid, "wait": ended.json() }],
    }))
}

//! A process that the kernel kills for want of memory.

use std::fs;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use crate::cli::Oom;
use crate::load::memory_cgroup::MemoryCgroup;
use crate::sys::gate::Gate;
use crate::sys::process;

const PAGE: usize = 4096;

pub(crate) fn run(args: &Oom) -> anyhow::Result<Value> {
    let cgroup = MemoryCgroup::with_limit(args.limit_bytes)?;
    let mut gate = Gate::new().context("make a pipe")?;
    let victim = process::fork(|| {
        process::set_name(c"gt-oom-victim")?;
        gate.wait()?;
        eat(args.limit_bytes)
    })
    .context("fork a victim")?;
    let adjust = format!("/proc/{}/oom_score_adj", victim.pid());
    fs::write(&adjust, args.oom_score_adj.to_string())
        .with_context(|| format!("write {} to {adjust}", args.oom_score_adj))?;
    cgroup.take_in(victim.pid())?;
    let cgroup_path = cgroup.path_of_member(victim.pid())?;
    gate.open();
    let ended = victim.wait().context("wait for the victim's end")?;
    ensure!(ended.signal() == Some(libc::SIGKILL), "the victim was not killed: {}", ended.json());
    Ok(json!({
        "victim": ended.pid,
        "victim_comm": "gt-oom-victim",
        "cgroup_version": cgroup.version(),
        "cgroup_path": cgroup_path,
        "limit_bytes": cgroup.limit_bytes(),
        "peak_bytes": cgroup.peak_bytes(),
        "oom_score_adj": args.oom_score_adj,
        "wait": ended.json(),
    }))
}

/// Takes memory and touches it, a page at a time, until the kernel ends this.
fn eat(limit: u64) -> anyhow::Result<u8> {
    let pages = usize::try_from(limit)?.saturating_mul(4) / PAGE;
    let mut eaten = Vec::new();
    for _ in 0..pages {
        eaten.push(vec![0xa5_u8; PAGE]);
    }
    bail!("{} pages were eaten and nothing happened", eaten.len())
}

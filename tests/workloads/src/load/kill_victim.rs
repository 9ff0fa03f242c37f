//! One process kills another.

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::cli::KillVictim;
use crate::sys::gate::Gate;
use crate::sys::process;

pub(crate) fn run(args: &KillVictim) -> anyhow::Result<Value> {
    process::set_name(c"gt-killer").context("name this process")?;
    let mut ready = Gate::new().context("make a pipe")?;
    let victim = process::fork(|| {
        process::set_name(c"gt-victim")?;
        ready.open();
        Ok(process::pause_for_ever()?)
    })
    .context("fork a victim")?;
    ready.wait().context("wait for the victim")?;
    process::kill(victim.pid(), args.signal)
        .with_context(|| format!("send signal {} to the victim", args.signal))?;
    let ended = victim.wait().context("wait for the victim's end")?;
    Ok(json!({
        "killer": std::process::id(),
        "killer_comm": "gt-killer",
        "victim": ended.pid,
        "victim_comm": "gt-victim",
        "signal": args.signal,
        "wait": ended.json(),
    }))
}

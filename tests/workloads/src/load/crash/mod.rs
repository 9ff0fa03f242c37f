//! Processes that end badly, each in a way that the kernel tells apart.

mod deep;
mod ending;
mod how;
mod leader;
mod possessions;

use anyhow::Context as _;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};

use crate::cli::Crash;
use crate::load::scratch::Folder;
use crate::sys::process;
use crate::sys::shared::SharedTable;
use crate::truth;
use ending::end;
pub(crate) use how::How;

pub(crate) fn run(args: &Crash) -> anyhow::Result<Value> {
    let how = args.how;
    // The kernel writes a core into the working folder; the temporary one is
    // removed with it.
    let cores = args
        .core
        .then(|| Folder::temporary("core"))
        .transpose()
        .context("make a folder for the core")?;
    let killer = SharedTable::new(1).context("share memory")?;
    if args.here {
        raise_core_limit(cores.as_ref())?;
        truth::tell("crash", json!({ "how": how.to_string(), "victim": std::process::id() }))?;
        process::exit_now(end(how, &killer)?);
    }
    let had = SharedTable::new(possessions::SLOTS).context("share memory")?;
    process::adopt_orphans().context("become a subreaper")?;
    let victim = process::fork(|| {
        raise_core_limit(cores.as_ref())?;
        // Open at the end, however it comes.
        std::mem::forget(possessions::take(args.threads, args.open_files, &had)?);
        end(how, &killer)
    })
    .context("fork a victim")?;
    let ended = victim.wait().context("wait for the victim's end")?;
    let killer = ending::killer(&killer);
    if let Some(orphan) = killer {
        process::wait_for(orphan).context("wait for the killer")?;
    }
    Ok(json!({
        "how": how.to_string(),
        "victim": ended.pid,
        "had": possessions::json(&had),
        "killer": killer,
        "killer_comm": killer.map(|_| "gt-killer"),
        "leader_code": how.leader_code(),
        "last_thread_code": how.last_thread_code(),
        "stack": (how == How::SegvDeep).then(deep::stack),
        "wait": ended.json(),
    }))
}

/// Lets the kernel write a core as large as root allowed, in `folder`.
fn raise_core_limit(folder: Option<&Folder>) -> anyhow::Result<()> {
    let Some(folder) = folder else {
        return Ok(());
    };
    std::env::set_current_dir(folder.path()).context("enter the core's folder")?;
    let maximum = getrlimit(Resource::Core).maximum;
    let raised = Rlimit { current: maximum, maximum };
    setrlimit(Resource::Core, raised).context("raise the core limit")
}

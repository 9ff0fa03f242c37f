//! Pids of ended processes, given to other processes that have nothing to do
//! with them.

use std::ffi::{CString, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::cli::PidReuse;
use crate::load::scratch::Folder;
use crate::load::touch::leave_pid;
use crate::sys::pid::Chosen;
use crate::sys::process;
use crate::sys::spawn::{Environment, spawn};

pub(crate) fn run(args: &PidReuse) -> anyhow::Result<Value> {
    let folder = Folder::at(&args.dir, true)?;
    let program = std::env::current_exe().context("find this program")?;
    let claim = Environment::only("GENOME_PERSONA", &args.persona).context("a zero byte")?;
    let chosen = Chosen::new()?;
    let (mut owners, mut heirs) = (Vec::new(), Vec::new());
    for round in 0..args.rounds {
        let file = |who: &str| folder.path().join(format!("{who}-{round}"));
        // One that has the persona by its environment, and a child of it that
        // has it by its birth alone.
        let owner = spawn(&touch(&program, &file("owner"), &file("heir"))?, &claim)
            .context("start the owner")?;
        let code = process::wait_for(owner).context("wait for the owner")?.code();
        ensure!(code == Some(0), "the owner ended with {code:?}");
        let heir = fs::read_to_string(file("heir")).context("read the heir's file")?;
        let heir: i32 = heir.parse().context("the heir's pid")?;
        for (pid, who) in [(owner, "owner"), (heir, "heir")] {
            let path = file(&format!("{who}-forked"));
            chosen.fork(pid, || leave_pid(&path).map(|()| 0))?;
            let path = file(&format!("{who}-executed"));
            chosen.fork(pid, || {
                let mut command = Command::new(&program);
                // It returns only where it fails.
                Err(command.args(["touch", "--path"]).arg(&path).env_clear().exec().into())
            })?;
        }
        owners.push(owner);
        heirs.push(heir);
    }
    Ok(json!({
        "dir": folder.path(),
        "rounds": args.rounds,
        "by": chosen.name(),
        "owners": owners,
        "heirs": heirs,
    }))
}

fn touch(program: &Path, own: &Path, childs: &Path) -> anyhow::Result<Vec<CString>> {
    let word = |word: &str| OsString::from(word);
    let path = |path: &Path| PathBuf::from(path).into_os_string();
    let words = [path(program), word("touch"), word("--path"), path(own), word("--child-path")];
    words
        .into_iter()
        .chain([path(childs)])
        .map(|word| CString::new(word.into_vec()).context("a zero byte in an argument"))
        .collect()
}

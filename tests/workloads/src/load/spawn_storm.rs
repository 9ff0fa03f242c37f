//! Many processes that live for a moment.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::cli::SpawnStorm;
use crate::sys::process;
use crate::sys::spawn::{Environment, spawn};
use crate::sys::time::monotonic_ns;

pub(crate) fn run(args: &SpawnStorm) -> anyhow::Result<Value> {
    let environment = if args.clear_env {
        Environment::default()
    } else {
        Environment::inherited().context("read the environment")?
    };
    let program = program(args)?;
    let (mut running, mut codes, mut signals) = (0, BTreeMap::new(), 0_u32);
    let mut reap = || -> anyhow::Result<()> {
        let ended = process::wait_any().context("wait for a child")?;
        match ended.code() {
            Some(code) => *codes.entry(code.to_string()).or_insert(0_u32) += 1,
            None => signals += 1,
        }
        Ok(())
    };
    let started_ns = monotonic_ns();
    for index in 0..args.count {
        if running == args.jobs {
            reap()?;
            running -= 1;
        }
        let argv = argv(&program, index, args.self_exit)?;
        spawn(&argv, &environment).with_context(|| format!("start {}", program.display()))?;
        running += 1;
    }
    for _ in 0..running {
        reap()?;
    }
    let elapsed_ns = monotonic_ns().saturating_sub(started_ns);
    Ok(json!({
        "spawned": args.count,
        "elapsed_ns": elapsed_ns,
        "program": program,
        "exe": fs::canonicalize(&program).unwrap_or(program),
        "exit_codes": codes,
        "killed_by_signal": signals,
    }))
}

fn program(args: &SpawnStorm) -> anyhow::Result<PathBuf> {
    if args.self_exit {
        return std::env::current_exe().context("find this program");
    }
    Ok(args.program.clone())
}

fn argv(program: &Path, index: u32, self_exit: bool) -> anyhow::Result<Vec<CString>> {
    let mut words = vec![program.as_os_str().to_owned()];
    if self_exit {
        words.extend(["exit".into(), "--code".into()]);
        words.push((index % 256).to_string().into());
    }
    words.push(format!("storm-{index}").into());
    words
        .into_iter()
        .map(|word| CString::new(word.into_vec()).context("a zero byte in an argument"))
        .collect()
}

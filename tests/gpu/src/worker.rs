//! Processes that hold memory on the GPU and say how much: `vram` of
//! tests/workloads, which obeys lines, and one of PyTorch's.

use anyhow::{Context as _, bail, ensure};
use genome_trace_tests_kernel::{Context, Ended, Started};
use rustix::process::Signal;
use serde_json::Value;

use crate::refusal::NotHere;

const TORCH_WORKER: &str = include_str!("torch_worker.py");
/// Says by its exit code whether PyTorch can use a GPU.
const TORCH_PROBE: &str = "import sys, torch; sys.exit(0 if torch.cuda.is_available() else 1)";

/// Such a process.
pub(crate) struct Worker {
    /// The persona that it claims to be.
    pub(crate) persona: &'static str,
    /// What it has asked for and written to, without what CUDA needs besides.
    pub(crate) held_bytes: u64,
    started: Started,
}

impl Worker {
    /// Starts one on that GPU, and returns when it holds its memory.
    ///
    /// # Errors
    /// [`NotHere`] where there is no CUDA.
    pub(crate) fn start(
        context: &Context,
        gpu_uuid: &str,
        persona: &'static str,
        bytes: u64,
    ) -> anyhow::Result<Self> {
        let program = context.program(&context.setup.workload);
        let started = program
            .args(["vram", "--bytes"])
            .arg(bytes.to_string())
            .env("GENOME_PERSONA", persona)
            .env("CUDA_VISIBLE_DEVICES", gpu_uuid)
            .hold()?;
        Self::await_held(started, persona, bytes)
    }

    /// The same with PyTorch; nothing where `python3` has none that can use a GPU.
    pub(crate) fn start_torch(
        context: &Context,
        gpu_uuid: &str,
        persona: &'static str,
        bytes: u64,
    ) -> anyhow::Result<Option<Self>> {
        let Some(python) = genome_trace_tests_kernel::find("python3") else { return Ok(None) };
        let probe = context.program(&python).args(["-c", TORCH_PROBE]);
        if !probe.env("CUDA_VISIBLE_DEVICES", gpu_uuid).run()?.status.success() {
            return Ok(None);
        }
        let started = context
            .program(&python)
            .args(["-c", TORCH_WORKER])
            .arg(bytes.to_string())
            .env("GENOME_PERSONA", persona)
            .env("CUDA_VISIBLE_DEVICES", gpu_uuid)
            .hold()?;
        Self::await_held(started, persona, bytes).map(Some)
    }

    fn await_held(started: Started, persona: &'static str, bytes: u64) -> anyhow::Result<Self> {
        let Ok(line) = started.next_line() else {
            let ended = started.finish()?;
            bail!("worker {persona} ended with {}: {}", ended.status, ended.stderr.join(" "));
        };
        let said = parse(&line)?;
        if let Some(reason) = said.get("unsupported").and_then(Value::as_str) {
            return Err(NotHere(format!("no CUDA here: {reason}")).into());
        }
        let worker = Self { persona, held_bytes: bytes, started };
        worker.check_held(&said)?;
        Ok(worker)
    }

    /// Its pid.
    pub(crate) fn pid(&self) -> u64 {
        self.started.pid()
    }

    /// Lets it take so much more.
    pub(crate) fn hold(&mut self, bytes: u64) -> anyhow::Result<()> {
        self.held_bytes += bytes;
        let said = self.order(&format!("hold {bytes}"))?;
        self.check_held(&said)
    }

    /// Lets it give back those bytes, which it took last.
    pub(crate) fn free(&mut self, bytes: u64) -> anyhow::Result<()> {
        self.held_bytes -= bytes;
        let said = self.order("free")?;
        self.check_held(&said)
    }

    /// Lets the GPU write to nowhere in its name; gives CUDA's word for it.
    pub(crate) fn fault(&mut self) -> anyhow::Result<String> {
        let said = self.order("fault")?;
        let name = said.get("fault").and_then(Value::as_str);
        name.map(str::to_owned).with_context(|| format!("a worker's fault was none: {said}"))
    }

    /// SIGKILL, and how it ended.
    pub(crate) fn kill(self) -> anyhow::Result<Ended> {
        self.started.signal(Signal::KILL)?;
        self.started.finish()
    }

    /// Lets it end, whatever its exit code.
    pub(crate) fn end(self) -> anyhow::Result<Ended> {
        self.started.finish()
    }

    fn order(&mut self, order: &str) -> anyhow::Result<Value> {
        self.started.say(order)?;
        let line = self.started.next_line();
        parse(&line.with_context(|| format!("worker {} did not {order}", self.persona))?)
    }

    fn check_held(&self, said: &Value) -> anyhow::Result<()> {
        let held = said.get("held_bytes").and_then(Value::as_u64);
        ensure!(held == Some(self.held_bytes), "worker {} holds another sum: {said}", self.persona);
        Ok(())
    }
}

fn parse(line: &str) -> anyhow::Result<Value> {
    serde_json::from_str(line).with_context(|| format!("a worker's line is no JSON: {line}"))
}

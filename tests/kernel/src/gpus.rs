//! GPUs that do what a trial wants: the fake NVML, its script, and a way to know
//! that the tracer has looked at it.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use crate::{Attached, Context, Launch, Tracer, Unsupported};

/// How often the tracer looks.
const INTERVAL: &str = "20ms";

/// Memory of each GPU.
pub const GPU_BYTES: u64 = 80 << 30;

/// What one process holds.
#[derive(Clone, Copy, Debug)]
pub struct Holding {
    /// On which GPU.
    pub gpu: usize,
    /// Which process.
    pub pid: u64,
    /// How much; more than the card has is absurd on purpose.
    pub vram_bytes: u64,
    /// The peak that the driver's accounting knows, where it keeps it.
    pub accounted_peak_bytes: Option<u64>,
}

impl Holding {
    /// Without accounting.
    pub fn new(gpu: usize, pid: u64, vram_bytes: u64) -> Self {
        Self { gpu, pid, vram_bytes, accounted_peak_bytes: None }
    }
}

/// Two GPUs, and a third whose falling off the bus tells that the tracer looked.
pub struct FakeGpus {
    folder: TempDir,
}

impl FakeGpus {
    /// A driver, and GPUs of which nothing is used.
    pub fn new(context: &Context) -> anyhow::Result<Self> {
        let Some(library) = &context.setup.fake_nvml else {
            let reason = "GENOME_TRACE_FAKE_NVML is not set".to_owned();
            return Err(Unsupported(reason).into());
        };
        let gpus = Self { folder: context.folder()? };
        fs::copy(library, gpus.library()).context("copy the fake NVML")?;
        gpus.write(&script(&[], false, ""))?;
        Ok(gpus)
    }

    /// The library, which a trial may take away.
    pub fn library(&self) -> PathBuf {
        self.folder.path().join("libnvidia-ml.so.1")
    }

    /// A file of this trial's own.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a tracer, and returns when it has looked at them.
    pub fn start(&self, context: &Context) -> anyhow::Result<Tracer> {
        self.launch(context.tracer())
    }

    /// The same, recorded.
    pub fn record(&self, context: &Context, store: &Path) -> anyhow::Result<Tracer> {
        self.launch(context.tracer().into_store(store))
    }

    fn launch(&self, launch: Launch<'_>) -> anyhow::Result<Tracer> {
        let tracer = launch
            .env("FAKE_NVML_SCRIPT", self.path("script.toml"))
            .option("--gpu-interval", INTERVAL)
            .option("--nvml-library", self.library().display())
            .option("--kernel-log", self.log().display())
            .start()?;
        tracer.process().await_words(&["VRAM of 3 GPUs"])?;
        Ok(tracer)
    }

    /// Makes the processes hold this, and returns when the tracer has seen it
    /// at least twice.
    pub fn hold(&self, tracer: &Attached, holdings: &[Holding]) -> anyhow::Result<()> {
        self.hold_with(tracer, holdings, "")
    }

    /// The same, after which the script says this, too.
    pub fn hold_with(
        &self,
        tracer: &Attached,
        holdings: &[Holding],
        more: &str,
    ) -> anyhow::Result<()> {
        self.write(&script(holdings, true, ""))?;
        tracer.await_words(&["GPU 2 (marker) has fallen off the bus"])?;
        self.write(&script(holdings, false, more))?;
        tracer.await_words(&["GPU 2 (marker) answers again"])?;
        Ok(())
    }

    /// Lets the script say this, whether or not anybody looks.
    pub fn say(&self, holdings: &[Holding], more: &str) -> anyhow::Result<()> {
        self.write(&script(holdings, false, more))
    }

    /// Replaces the script in one step.
    fn write(&self, script: &str) -> anyhow::Result<()> {
        let next = self.path("script.next");
        fs::write(&next, script).with_context(|| format!("write {}", next.display()))?;
        let to = self.path("script.toml");
        fs::rename(&next, &to).with_context(|| format!("rename to {}", to.display()))
    }

    /// Where the kernel's log would be.
    pub fn log(&self) -> PathBuf {
        self.path("log")
    }

    /// Makes that log, and opens it to write there what the driver says; before
    /// the tracer is started.
    pub fn open_log(&self) -> anyhow::Result<File> {
        mknodat(CWD, self.log(), FileType::Fifo, Mode::from_raw_mode(0o600), 0)
            .context("mkfifo")?;
        // Open for reading too, so that opening does not wait for the tracer.
        OpenOptions::new().read(true).write(true).open(self.log()).context("open the log")
    }
}

/// UUID of a GPU.
pub fn uuid(gpu: usize) -> String {
    format!("GPU-00000000-0000-0000-0000-00000000000{gpu}")
}

fn script(holdings: &[Holding], marker_is_lost: bool, more: &str) -> String {
    // Keys of the whole script come before its first table.
    let (top, tables) = match more.split_once("\n[") {
        Some((top, tables)) => (top, format!("\n[{tables}")),
        None => (more, String::new()),
    };
    let mut text = format!("driver_version = \"580.82.07\"\ncuda_version = \"13.0\"\n{top}\n");
    for gpu in 0..3 {
        let name = if gpu == 2 { "marker" } else { "Fake H100" };
        let accounting = holdings.iter().any(|held| held.accounted_peak_bytes.is_some());
        text.push_str(&format!(
            "\n[[gpu]]\nname = \"{name}\"\nuuid = \"{}\"\npci_bus_id = \"00000000:0{gpu}:00.0\"\n\
             memory = {{ total = {GPU_BYTES} }}\naccounting_enabled = {accounting}\n\
             lost = {}\n",
            uuid(gpu),
            gpu == 2 && marker_is_lost,
        ));
        for held in holdings.iter().filter(|held| held.gpu == gpu) {
            text.push_str(&format!(
                "\n[[gpu.process]]\npid = {}\nvram = \"{}\"\n",
                held.pid, held.vram_bytes
            ));
            if let Some(peak) = held.accounted_peak_bytes {
                text.push_str(&format!("accounted_peak = {peak}\n"));
            }
        }
    }
    text.push_str(&tables);
    text
}

/// Takes a file away for as long as a trial wants.
pub fn take_away(path: &Path) -> anyhow::Result<PathBuf> {
    let away = path.with_extension("away");
    fs::rename(path, &away).with_context(|| format!("take {} away", path.display()))?;
    Ok(away)
}

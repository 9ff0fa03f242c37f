//! What every check stands on: the programs, the GPU, and a tracer that looks
//! at it often.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use genome_trace_tests_kernel::{Context, Deadline, Setup, Tracer};

use crate::card;
use crate::compare::MIB;
use crate::nvidia_smi::{self, Card};
use crate::refusal::NotHere;
use crate::report::Machine;
use crate::stats::Stats;
use crate::worker::Worker;

/// How often the tracer looks.
const INTERVAL: Duration = Duration::from_millis(100);

/// The programs and the GPU.
pub(crate) struct Ground {
    setup: Arc<Setup>,
    /// nvidia-smi.
    pub(crate) nvidia_smi: PathBuf,
    /// The GPU that is checked, as it was at first.
    pub(crate) card: Card,
}

impl Ground {
    /// Looks for all that is needed.
    ///
    /// # Errors
    /// [`NotHere`] where something is missing.
    pub(crate) fn find(setup: Arc<Setup>, nvidia_smi: PathBuf) -> anyhow::Result<Self> {
        let context = context(&setup);
        let cards = nvidia_smi::cards(&context, &nvidia_smi)
            .map_err(|error| NotHere(format!("no GPU here: {error:#}")))?;
        let card = card::choose(&cards)?.clone();
        Stats::ask(&context)?.check_access()?;
        Worker::start(&context, &card.uuid, "Probe", MIB)?.end()?;
        Ok(Self { setup, nvidia_smi, card })
    }

    /// What a check works with, from now on.
    pub(crate) fn context(&self) -> Context {
        context(&self.setup)
    }

    /// A worker on the GPU.
    pub(crate) fn worker(
        &self,
        context: &Context,
        persona: &'static str,
        bytes: u64,
    ) -> anyhow::Result<Worker> {
        Worker::start(context, &self.card.uuid, persona, bytes)
    }

    /// A tracer that has begun to look at the GPU.
    pub(crate) fn tracer(&self, context: &Context) -> anyhow::Result<Tracer> {
        let interval = format!("{}ms", INTERVAL.as_millis());
        let tracer = context.tracer().option("--gpu-interval", interval).start()?;
        tracer.process().await_words(&["VRAM of "])?;
        Ok(tracer)
    }

    /// Lets the tracer look so often: a look that changes nothing is not told.
    pub(crate) fn let_it_look(&self, looks: u32) {
        thread::sleep(INTERVAL * looks);
    }

    /// What the report says of the machine.
    pub(crate) fn machine(&self) -> anyhow::Result<Machine> {
        let stats = Stats::ask(&self.context())?;
        let text = |field| stats.text(field).map(str::to_owned);
        Ok(Machine {
            time: text("time"),
            genome_trace: text("version"),
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            driver_version: text("driver_version"),
            cuda_version: text("cuda_version"),
            gpu_name: self.card.name.clone(),
            gpu_uuid: self.card.uuid.clone(),
            total_bytes: self.card.total_mib.map(|mib| mib * MIB),
        })
    }
}

fn context(setup: &Arc<Setup>) -> Context {
    Context { setup: setup.clone(), mode: None, deadline: Deadline::after(setup.patience) }
}

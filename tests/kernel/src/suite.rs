//! Trials in the making: each is named, given what it needs, and ignored with
//! a reason where it cannot be made.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use libtest_mimic::{Completion, Failed, Trial};
use tempfile::TempDir;

use crate::{CommandRun, Deadline, Launch, Mode, Program, Setup, Unsupported, Workload};

/// What one trial works with.
pub struct Context {
    /// The programs and the scale.
    pub setup: Arc<Setup>,
    /// The mode that the trial is made in; the tracer's own choice if none.
    pub mode: Option<Mode>,
    /// When the trial fails instead of waiting on.
    pub deadline: Deadline,
}

/// The body of a trial.
type Body = fn(&Context) -> anyhow::Result<()>;

/// All trials, or the reason why none can be made.
pub struct Suite {
    setup: Result<Arc<Setup>, String>,
    trials: Vec<Trial>,
}

impl Context {
    /// A tracer in this trial's mode.
    pub fn tracer(&self) -> Launch<'_> {
        Launch::new(self, self.mode)
    }

    /// A tracer that measures what it costs, until it is stopped.
    pub fn measuring(&self) -> Launch<'_> {
        Launch::measuring(self)
    }

    /// A recorder into this store, in this trial's mode.
    pub fn recorder(&self, store: &Path) -> Launch<'_> {
        Launch::recording(self, store)
    }

    /// A command that is traced by `run`.
    pub fn command_run(&self) -> anyhow::Result<CommandRun<'_>> {
        CommandRun::new(self)
    }

    /// A workload.
    pub fn workload(&self, name: &str) -> Workload<'_> {
        Workload::new(self, name)
    }

    /// Any other program.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Program<'_> {
        Program::new(self, program.as_ref())
    }

    /// Leaves a trial out where all is made small: under emulation a second of
    /// work takes many.
    ///
    /// # Errors
    /// [`Unsupported`] there.
    pub fn at_full_scale_only(&self) -> anyhow::Result<()> {
        if self.setup.scale.soak {
            Ok(())
        } else {
            Err(Unsupported("it is made at full scale only".into()).into())
        }
    }

    /// A folder that goes with the returned value; its path has no link in it.
    pub fn folder(&self) -> anyhow::Result<TempDir> {
        let base = std::env::temp_dir();
        let base = base.canonicalize().with_context(|| format!("resolve {}", base.display()))?;
        tempfile::Builder::new()
            .prefix("genome-trace-kernel-")
            .tempdir_in(base)
            .context("make a temporary folder")
    }
}

impl Suite {
    /// An empty suite.
    pub fn new(setup: Result<Setup, String>) -> Self {
        Self { setup: setup.map(Arc::new), trials: Vec::new() }
    }

    /// Adds a trial in the mode that the tracer chooses.
    pub fn once(&mut self, name: &str, body: Body) {
        self.add(name.to_owned(), None, body);
    }

    /// The same of one whose outcome is userspace's doing: where kernels are
    /// tried one after the other, one of them is enough.
    pub fn of_userspace(&mut self, name: &str, body: Body) {
        if matches!(&self.setup, Ok(setup) if setup.kernel_only) {
            let left_out = || Ok(Completion::ignored_with("it depends on no kernel"));
            self.trials.push(Trial::ignorable_test(name, left_out));
        } else {
            self.once(name, body);
        }
    }

    /// Adds a trial for each mode.
    pub fn per_mode(&mut self, name: &str, body: Body) {
        for mode in Mode::ALL {
            self.add(format!("{mode}::{name}"), Some(mode), body);
        }
    }

    fn add(&mut self, name: String, mode: Option<Mode>, body: Body) {
        let setup = self.setup.clone();
        let trial = Trial::ignorable_test(name, move || match setup {
            Ok(setup) => run(setup, mode, body),
            Err(reason) => Ok(Completion::ignored_with(reason)),
        });
        self.trials.push(trial);
    }

    /// The trials, to be run.
    pub fn into_trials(self) -> Vec<Trial> {
        self.trials
    }
}

fn run(setup: Arc<Setup>, mode: Option<Mode>, body: Body) -> Result<Completion, Failed> {
    if let Some(mode) = mode {
        let refusal = setup.doctor().and_then(|doctor| doctor.refusal(mode));
        if let Some(reason) = refusal.map_err(|error| told(&error))? {
            return Ok(Completion::ignored_with(reason));
        }
    }
    let context = Context { deadline: Deadline::after(setup.patience), setup, mode };
    match body(&context) {
        Ok(()) => Ok(Completion::Completed),
        Err(error) => match error.downcast_ref() {
            Some(Unsupported(reason)) => Ok(Completion::ignored_with(reason)),
            None => Err(told(&error)),
        },
    }
}

fn told(error: &anyhow::Error) -> Failed {
    format!("{error:#}").into()
}

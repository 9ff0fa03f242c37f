//! The command line: definitions only.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// genome-trace's own build and test commands
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Install what the build of the BPF object and the tests need
    Setup {
        /// What `vm` needs, too
        #[arg(long)]
        vm: bool,
        /// The tracers that `bench` compares with, and the test suites that it runs, too
        #[arg(long)]
        bench: bool,
        /// Debian's Prometheus for the tests that ask one, too; where systemd runs, its daemon starts
        #[arg(long)]
        prometheus: bool,
    },
    /// Build the BPF object and embed it, with its manifest, in genome-trace/bpf
    BuildEbpf,
    /// Judge the clone: format, lints, layers, and that the BPF object is the sources'
    Check,
    /// Run all tests: units, the binary from outside, this kernel's events, other kernels'
    Test(TestArgs),
    /// Measure what genome-trace costs, against no tracer and against its peers
    Bench(BenchArgs),
    /// Hold genome-trace against nvidia-smi on this machine's GPU
    Gpu(GpuArgs),
    /// Run the kernel tests on stock Debian kernels in virtual machines
    Vm(VmArgs),
    /// Measure what the verifier goes through for each program, and write the budget that the
    /// kernel tests hold it to
    VerifierBudget(VerifierBudgetArgs),
}

#[derive(Args)]
pub(crate) struct VerifierBudgetArgs {
    /// Which kernel besides this machine's; may be given more than once [default: all]
    #[arg(long = "kernel", value_enum, value_name = "SERIES", conflicts_with = "no_vm")]
    pub(crate) kernels: Vec<Series>,
    /// This machine's kernel alone
    #[arg(long)]
    pub(crate) no_vm: bool,
}

#[derive(Args)]
pub(crate) struct TestArgs {
    /// Leave out the virtual machines
    #[arg(long)]
    pub(crate) no_vm: bool,
    /// Less work in the kernel tests, and one virtual machine instead of all
    #[arg(long)]
    pub(crate) quick: bool,
}

#[derive(Args)]
pub(crate) struct BenchArgs {
    /// Be done in about a minute: fewer and shorter runs, no slow peers
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only this scenario or row; may be given more than once
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// How many pairs of runs [default: 7, with --quick or --vm 3]
    #[arg(long, value_name = "N")]
    pub(crate) runs: Option<u32>,
    /// Only genome-trace
    #[arg(long)]
    pub(crate) no_peers: bool,
    /// Where to write the report [default: target/bench.json]
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// The report to compare with [default: docs/bench-baseline.json]
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Compare the modes with each other, in virtual machines
    #[arg(long, conflicts_with_all = ["json", "baseline"])]
    pub(crate) vm: bool,
    /// Which kernel, with --vm; may be given more than once [default: all]
    #[arg(long = "kernel", value_enum, value_name = "SERIES", requires = "vm")]
    pub(crate) kernels: Vec<Series>,
}

#[derive(Args)]
pub(crate) struct GpuArgs {
    /// Where to write the report [default: target/gpu.json]
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct VmArgs {
    /// Which kernel; may be given more than once [default: all]
    #[arg(long = "kernel", value_enum, value_name = "SERIES")]
    pub(crate) kernels: Vec<Series>,
    /// Where to try what depends on no kernel, instead of on each of them
    #[arg(long, value_enum, value_name = "SERIES")]
    pub(crate) all_on: Option<Series>,
    /// Run this command for the shell instead of the tests
    #[arg(long, value_name = "COMMAND", conflicts_with = "test_args")]
    pub(crate) shell_command: Option<String>,
    /// How many machines at once
    #[arg(long, value_name = "N", default_value_t = DEFAULT_JOBS)]
    pub(crate) jobs: usize,
    /// When to give a machine up
    #[arg(long, value_name = "MINUTES", default_value_t = DEFAULT_TIMEOUT_MINUTES)]
    pub(crate) timeout_minutes: u64,
    /// Keep the console's log even where all went well
    #[arg(long)]
    pub(crate) keep_log: bool,
    /// Arguments for the test binary
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) test_args: Vec<String>,
}

/// A machine has two processors, and emulation keeps them busy.
const DEFAULT_JOBS: usize = 2;
const DEFAULT_TIMEOUT_MINUTES: u64 = 25;

impl Default for VmArgs {
    fn default() -> Self {
        Self {
            kernels: Vec::new(),
            all_on: None,
            shell_command: None,
            jobs: DEFAULT_JOBS,
            timeout_minutes: DEFAULT_TIMEOUT_MINUTES,
            keep_log: false,
            test_args: Vec::new(),
        }
    }
}

/// The kernels that genome-trace is tested on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Series {
    #[value(name = "5.10")]
    V5_10,
    #[value(name = "6.1")]
    V6_1,
    #[value(name = "6.12")]
    V6_12,
    /// The newest that Debian's backports have
    #[value(name = "newest")]
    Newest,
}

impl Series {
    /// Every one of them.
    pub(crate) const ALL: [Self; 4] = [Self::V5_10, Self::V6_1, Self::V6_12, Self::Newest];

    /// How its releases begin; `None` where any will do.
    pub(crate) fn prefix(self) -> Option<&'static str> {
        match self {
            Self::V5_10 => Some("5.10"),
            Self::V6_1 => Some("6.1"),
            Self::V6_12 => Some("6.12"),
            Self::Newest => None,
        }
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix().unwrap_or("newest"))
    }
}

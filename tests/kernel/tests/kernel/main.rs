//! genome-trace against real processes, real files and real deaths.
//!
//! What is needed, and what the environment variables mean, is said in this
//! package's library. Trials whose name begins with a mode are made once for
//! each way of probing I/O that this kernel has.

mod alerts_files;
mod attach;
mod cgroup;
mod cost;
mod crashes;
mod creation;
mod ending;
mod exit_event;
mod file_account;
mod filter;
mod gpu;
mod levels;
mod listening;
mod loops;
mod metrics;
mod oom;
mod ordinary;
mod persona;
mod predictions;
mod prometheus;
mod record;
mod remedies;
mod run;
mod schema;
mod soak;
mod stack;
mod stopping;
mod storm;
mod suites;
mod tasks;
mod unlinking;
mod usage;
mod writing;

use std::process::ExitCode;

use genome_trace_tests_kernel::{Setup, Suite};
use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Two tracers at once would see each other's work.
    arguments.test_threads = Some(1);
    let setup = Setup::from_env();
    if let Err(reason) = &setup {
        eprintln!("every kernel test is ignored: {reason}");
    }
    let mut suite = Suite::new(setup);
    storm::add_to(&mut suite);
    ending::add_to(&mut suite);
    stack::add_to(&mut suite);
    oom::add_to(&mut suite);
    ordinary::add_to(&mut suite);
    filter::add_to(&mut suite);
    cgroup::add_to(&mut suite);
    schema::add_to(&mut suite);
    stopping::add_to(&mut suite);
    creation::add_to(&mut suite);
    writing::add_to(&mut suite);
    unlinking::add_to(&mut suite);
    suites::add_to(&mut suite);
    persona::add_to(&mut suite);
    gpu::add_to(&mut suite);
    record::add_to(&mut suite);
    attach::add_to(&mut suite);
    metrics::add_to(&mut suite);
    prometheus::add_to(&mut suite);
    run::add_to(&mut suite);
    crashes::add_to(&mut suite);
    tasks::add_to(&mut suite);
    usage::add_to(&mut suite);
    cost::add_to(&mut suite);
    alerts_files::add_to(&mut suite);
    levels::add_to(&mut suite);
    predictions::add_to(&mut suite);
    loops::add_to(&mut suite);
    remedies::add_to(&mut suite);
    soak::add_to(&mut suite);
    libtest_mimic::run(&arguments, suite.into_trials()).exit_code()
}

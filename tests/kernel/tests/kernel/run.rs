//! `genome-trace run` against commands whose doings are known exactly: figures,
//! status, signals, terminal, and who the command is.

mod figures;
mod manners;
mod tiny_program;

use genome_trace_tests_kernel::Suite;

pub(crate) fn add_to(suite: &mut Suite) {
    figures::add_to(suite);
    manners::add_to(suite);
}

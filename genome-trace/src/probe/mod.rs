//! The probes: what there is to attach, which of it this kernel gets, and what
//! became of each.

mod acts;
mod attach;
mod kernel_function;
mod kernel_types;
mod loaded;
mod mode_cost;
mod object_file;
mod plan;
mod route;
mod spec;
mod support;
mod tasks;
mod verdict;
mod verify;

pub use attach::{AttachError, Object, Probes, Rings, Scope};
pub use kernel_types::KernelTypes;
pub use loaded::LoadedProgram;
pub use plan::{ModeChoice, Plan, Request, plan};
pub use route::{Route, RouteVerdict, routes};
pub use spec::Mode;
pub use support::Support;
pub use tasks::Tasks;
pub use verdict::{ProbeVerdict, Verdict};

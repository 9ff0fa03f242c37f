//! The probes: what there is to attach, which of it this kernel gets, and what
//! became of each.

mod attach;
mod plan;
mod route;
mod spec;
mod support;
mod verdict;

pub use attach::{AttachError, Object, Probes, Rings, Scope};
pub use plan::{ModeChoice, Plan, Request, plan};
pub use route::{Route, RouteVerdict, routes};
pub use spec::Mode;
pub use support::Support;
pub use verdict::{ProbeVerdict, Verdict};

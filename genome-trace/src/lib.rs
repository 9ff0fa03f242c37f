//! genome-trace says which AI worker on a Linux machine crashed, filled the
//! disk or took the memory, and why, from kernel events.
//!
//! The layers, top to bottom; imports run downward only (ARCHITECTURE.md):
//! `commands` puts the parts together, `pipeline` moves events from `source`
//! to `sink`, `probe` decides and attaches, `wire` turns bytes into the types
//! of `model`, and `kernel` and `render` know one thing each.

pub mod cli;
pub mod commands;
pub mod kernel;
pub mod model;
pub mod persona;
pub mod pipeline;
pub mod probe;
pub mod render;
pub mod sink;
pub mod source;
pub mod wire;

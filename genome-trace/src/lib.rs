//! genome-trace says which AI worker on a Linux machine crashed, filled the
//! disk or took the memory, and why, from kernel events.
//!
//! The layers, top to bottom; imports run downward only (ARCHITECTURE.md):
//! `commands` puts the parts together, `pipeline` moves events from `source`
//! to `sink`, `probe` decides and attaches, `wire` turns bytes into the types
//! of `model`, and `kernel`, `gpu`, `symbolize` and `render` know one
//! thing each.

#[cfg(test)]
extern crate self as genome_trace;

pub mod cli;
pub mod commands;
pub mod detect;
pub mod gpu;
pub mod kernel;
pub mod model;
pub mod notify;
pub mod persona;
pub mod pipeline;
pub mod probe;
pub mod render;
pub mod screen;
pub mod serve;
pub mod sink;
pub mod source;
pub mod store;
pub mod symbolize;
pub mod usage;
pub mod wire;

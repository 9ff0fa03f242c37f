//! The built library, loaded as a program loads it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod driver;
mod events;
mod exports;
mod identity;
mod machine;
mod memory;
mod mig;
mod processes;
mod readings;
mod stall;
mod threads;

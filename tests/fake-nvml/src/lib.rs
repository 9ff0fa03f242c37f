//! NVML's C functions, answered from a script: a driver and GPUs for tests, on
//! machines that have none.
//!
//! It is built as a shared library, which a program loads in the place of
//! `libnvidia-ml.so.1`. `FAKE_NVML_SCRIPT` names the script; the README has its
//! format. Names, types and numbers are nvml.h's.

mod answer;
mod api;
mod calls;
mod library;
mod location;
mod output;
mod script;

pub use location::beside_tests;

/// The environment variable with the path of the script.
pub const SCRIPT_VARIABLE: &str = "FAKE_NVML_SCRIPT";

//! The functions that the library exports, by their names in nvml.h.
//!
//! Each makes its pointers safe to use and leaves the rest to `library::call`.
//! What nvml.h asks of the pointers is the same for all of them, so it is said
//! here once: each is null, or valid for what the function does with it until
//! it returns.

mod device;
mod event;
mod memory;
mod mig;
mod process;
mod reading;
mod system;

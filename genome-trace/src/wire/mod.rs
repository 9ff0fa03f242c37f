//! From the bytes of a record to the types of `model`. Nothing in the bytes
//! is believed: version, kind and every length are checked before use.

mod decode;
mod path;
mod read;
pub mod recording;
mod run_report;
pub mod session_rows;
mod tasks;

pub use decode::{Counted, DecodeError, Decoded, Decoder, NamedFile, Surroundings};
pub use run_report::{RunReportError, read_run_report, write_run_report};
pub use tasks::{samples, tasks};

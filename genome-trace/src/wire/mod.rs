//! From the bytes of a record to the types of `model`. Nothing in the bytes
//! is believed: version, kind and every length are checked before use.

mod decode;
mod path;
mod read;

pub use decode::{Counted, DecodeError, Decoded, Decoder, NamedFile, Surroundings, tasks};

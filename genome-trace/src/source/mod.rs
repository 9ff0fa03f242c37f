//! Where records come from: the rings, the maps of counts, the counters of
//! losses.

mod counts;
mod hot;
mod loss;
mod ring;
mod stderr;
mod watch;

pub use counts::{Counts, FLUSH_INTERVAL};
pub use hot::{Hot, hot_counts};
pub use loss::{Losses, Skips};
pub use ring::{Drained, Position, Ring};
pub use stderr::StderrTails;
pub use watch::{Watched, mark_blocks};

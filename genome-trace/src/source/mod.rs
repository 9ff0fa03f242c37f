//! Where records come from: the rings, the maps of counts, the counters of
//! losses.

mod counts;
mod loss;
mod ring;
mod watch;

pub use counts::{Counts, FLUSH_INTERVAL};
pub use loss::{Losses, Skips};
pub use ring::{Drained, Position, Ring};
pub use watch::Watched;

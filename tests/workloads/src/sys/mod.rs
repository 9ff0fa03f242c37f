//! Safe doors to the system calls that std and rustix do not offer.

pub(crate) mod brief;
pub(crate) mod cuda;
pub(crate) mod gate;
pub(crate) mod pid;
pub(crate) mod process;
pub(crate) mod shared;
pub(crate) mod spawn;
pub(crate) mod time;

//! Safe doors to the system calls that std and rustix do not offer.

pub(crate) mod gate;
pub(crate) mod pid;
pub(crate) mod process;
pub(crate) mod shared;
pub(crate) mod spawn;

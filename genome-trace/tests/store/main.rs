//! The store from outside: killed, out of room, damaged, read by others.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod alerts;
mod answers;
mod damage;
mod disk;
mod group;
mod kill;
mod overload;
mod parts;
mod tracks;

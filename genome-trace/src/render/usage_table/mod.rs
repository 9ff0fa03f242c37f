//! The tables of what personas and their processes use: columns, cells and the
//! order of a tree, for the live screen and for reports.

pub(crate) mod column;
pub(crate) mod figure;
mod lines;
pub(crate) mod tree;

pub(crate) use lines::lines;

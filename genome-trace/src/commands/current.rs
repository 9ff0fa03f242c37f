//! What everybody uses now, as well as it can be known.

use super::looks;
use crate::{cli::View, screen::Look};

/// Looks once, at what a recorder tells or with own means.
///
/// # Errors
/// Nobody can look: a whole sentence that says so, with what to do.
pub(super) fn look(view: &View) -> Result<Look, String> {
    looks::source(view).and_then(|mut source| source.look()).map_err(|error| {
        let reason = format!("{error:#}");
        // It has its remedy.
        format!("What personas use is unknown: {}.", reason.trim_end_matches('.'))
    })
}

//! Equal files in masses are one cause: what is found of them is evidence of
//! the alert that there are too many, not another alert.

use crate::model::{Anomaly, Rule};

/// Whether equal files were found where the other says that there are too many,
/// all of them.
pub(super) fn are_part_of(duplicates: &Anomaly, mass: &Anomaly) -> bool {
    let (Some(equal), Some(all)) = (&duplicates.files, &mass.files) else { return false };
    let is_below = |path: &str, folder: &str| {
        path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    duplicates.rule == Rule::DuplicateFiles
        && mass.rule == Rule::MassCreate
        && duplicates.persona == mass.persona
        && is_below(&equal.folder, &all.folder)
}

/// Adds what was found of equal files to what says that there are too many.
pub(super) fn add(mass: &mut Anomaly, found: &Anomaly) {
    if let (Some(all), Some(equal)) = (&mut mass.files, &found.files) {
        all.files_equal = equal.files_equal;
        (all.files_read, all.files_unread) = (equal.files_read, equal.files_unread);
    }
}

/// What is found next of files that are too many says nothing of equal ones:
/// what was known stays.
pub(super) fn keep(mass: &mut Anomaly, before: &Anomaly) {
    let is_known =
        |of: &Anomaly| of.files.as_ref().is_some_and(|files| files.files_equal.is_some());
    if mass.rule == Rule::MassCreate && !is_known(mass) && is_known(before) {
        add(mass, before);
    }
}

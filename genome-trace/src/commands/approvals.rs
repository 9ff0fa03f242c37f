//! What somebody approved to be done again and again: a file beside the store,
//! which only who records may write.

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use crate::{model::Approval, store::Place};

const FILE_NAME: &str = "remedy-approvals.json";

/// The file.
#[derive(Clone, Debug)]
pub(super) struct Approvals {
    path: PathBuf,
}

impl Approvals {
    /// That of a store.
    pub(super) fn of(store: &Path) -> Self {
        Self { path: Place::new(store).folder().join(FILE_NAME) }
    }

    /// All of them; none where there is no file.
    pub(super) fn read(&self) -> anyhow::Result<BTreeSet<Approval>> {
        let path = self.path.display();
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read the approvals {path}"));
            }
        };
        let file = fs::metadata(&self.path)
            .with_context(|| format!("cannot look at the approvals {path}"))?;
        if file.uid() != rustix::process::geteuid().as_raw() || file.mode() & 0o022 != 0 {
            bail!(
                "cannot trust the approvals {path}: others than the recorder's user may write \
                 there; correct its owner and mode, or remove it and approve anew"
            );
        }
        serde_json::from_str(&text).with_context(|| {
            format!("cannot read the approvals {path}: remove the file, and approve anew")
        })
    }

    /// Adds one; whether it is new.
    pub(super) fn add(&self, approval: Approval) -> anyhow::Result<bool> {
        let mut all = self.read()?;
        let is_new = all.insert(approval);
        if is_new {
            self.write(&all)?;
        }
        Ok(is_new)
    }

    /// Takes one away; whether it was there.
    pub(super) fn remove(&self, approval: &Approval) -> anyhow::Result<bool> {
        let mut all = self.read()?;
        let was_there = all.remove(approval);
        if was_there {
            self.write(&all)?;
        }
        Ok(was_there)
    }

    /// All at once: a reader finds the old ones or the new ones.
    fn write(&self, all: &BTreeSet<Approval>) -> anyhow::Result<()> {
        let new = self.path.with_extension("json.new");
        let write = || -> io::Result<()> {
            let file = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&new)?;
            serde_json::to_writer(&file, all)?;
            file.sync_all()?;
            fs::rename(&new, &self.path)
        };
        write().with_context(|| {
            format!(
                "cannot write the approvals {}: run this as the recorder's user (sudo), with the \
                 recorder's --store",
                self.path.display()
            )
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::model::{Remedy, Rule};

    #[test]
    fn what_is_approved_is_there_until_it_is_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let approvals = Approvals::of(folder.path());
        let approval = Approval {
            rule: Rule::MassCreate,
            persona: "CodeExpert".to_owned(),
            remedy: Remedy::Stop,
        };
        assert!(approvals.read().unwrap().is_empty());
        assert!(approvals.add(approval.clone()).unwrap());
        assert!(!approvals.add(approval.clone()).unwrap());
        assert!(approvals.read().unwrap().contains(&approval));
        assert!(approvals.remove(&approval).unwrap());
        assert!(!approvals.remove(&approval).unwrap());
    }

    #[test]
    fn a_file_that_others_may_write_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let approvals = Approvals::of(folder.path());
        fs::write(&approvals.path, "[]").unwrap();
        fs::set_permissions(&approvals.path, fs::Permissions::from_mode(0o666)).unwrap();
        let error = approvals.read().unwrap_err().to_string();
        assert!(error.contains("cannot trust"), "{error}");
        fs::set_permissions(&approvals.path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&approvals.path, "[{]").unwrap();
        let error = approvals.read().unwrap_err().to_string();
        assert!(error.contains("approve anew"), "{error}");
    }
}

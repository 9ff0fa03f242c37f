//! What somebody approved to be done again and again: a file beside the store,
//! which only who records, or root, may write. Who approves is root as a rule,
//! and the recorder a user of its own: so what root writes is for the folder's
//! group to read, which is the recorder's.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown},
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

    /// All of them; none where there is no file. Who goes by them believes
    /// only what root or it itself wrote.
    pub(super) fn read(&self) -> anyhow::Result<BTreeSet<Approval>> {
        let own = rustix::process::geteuid().as_raw();
        self.read_of(|uid| uid == own || uid == 0)
    }

    /// The same to be shown, to whoever may read them.
    pub(super) fn shown(&self) -> anyhow::Result<BTreeSet<Approval>> {
        self.read_of(|_| true)
    }

    fn read_of(&self, is_trusted: impl Fn(u32) -> bool) -> anyhow::Result<BTreeSet<Approval>> {
        let path = self.path.display();
        let text = || {
            let mut file = fs::File::open(&self.path)?;
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            // Of the very file that was read.
            io::Result::Ok((text, file.metadata()?))
        };
        let (text, file) = match text() {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            Err(error) => {
                return Err(error).with_context(|| {
                    format!(
                        "cannot read the approvals {path}: let the recorder's user read them, or \
                         remove the file and approve anew"
                    )
                });
            }
        };
        if !is_trusted(file.uid()) || file.mode() & 0o022 != 0 {
            bail!(
                "cannot trust the approvals {path}: others than root and the recorder's user may \
                 write there; correct its owner and mode, or remove it and approve anew"
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
                .mode(0o640)
                .open(&new)?;
            let folder = self.path.parent().map(fs::metadata).transpose()?;
            let is_root = rustix::process::geteuid().is_root();
            if let (true, Some(folder)) = (is_root, folder) {
                fchown(&file, None, Some(folder.gid()))?;
            }
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

    /// `sudo genome-trace remedy approve`, and a service of a user of its own.
    #[test]
    fn the_recorders_group_may_read_what_root_approved() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("left out: only root can give a folder away");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::chown(folder.path(), Some(65_534), Some(65_534)).unwrap();
        let approvals = Approvals::of(folder.path());
        let (rule, remedy) = (Rule::MassCreate, Remedy::Stop);
        approvals.add(Approval { rule, persona: "A".to_owned(), remedy }).unwrap();
        let file = fs::metadata(&approvals.path).unwrap();
        assert_eq!((file.uid(), file.gid(), file.mode() & 0o777), (0, 65_534, 0o640));
        assert_eq!(approvals.read().unwrap().len(), 1);
        // What somebody else left there is shown, and not gone by.
        std::os::unix::fs::chown(&approvals.path, Some(65_534), None).unwrap();
        approvals.read().unwrap_err();
        assert_eq!(approvals.shown().unwrap().len(), 1);
    }
}

//! Finds the file that has a build id.

use std::{
    collections::{BTreeSet, HashMap},
    fs::{self, File},
    path::Path,
    rc::Rc,
};

use super::{
    elf,
    maps::{self, Mapping},
    object::{self, Object},
};
use crate::model::BuildId;

/// Files that stay open for the next crash.
const KNOWN_MAX: usize = 64;

/// The files that were found.
#[derive(Debug, Default)]
pub(super) struct Search {
    known: HashMap<BuildId, Rc<Object>>,
}

impl Search {
    /// Finds as many of these as can be found: in what the process has mapped,
    /// as its program, and in what all others have mapped.
    pub(super) fn find(
        &mut self,
        mut wanted: BTreeSet<BuildId>,
        tgid: u32,
        own: &[Mapping],
        exe: Option<&Path>,
    ) -> HashMap<BuildId, Rc<Object>> {
        let mut found = HashMap::new();
        wanted.retain(|build_id| match self.known.get(build_id) {
            Some(object) => {
                found.insert(*build_id, Rc::clone(object));
                false
            }
            None => true,
        });
        let mut seen = BTreeSet::new();
        let mut take = |object: (BuildId, Object), wanted: &mut BTreeSet<BuildId>| {
            let (build_id, object) = (object.0, Rc::new(object.1));
            wanted.remove(&build_id);
            // Copies are as large as their files.
            if !object.is_copy {
                if self.known.len() >= KNOWN_MAX {
                    self.known.clear();
                }
                self.known.insert(build_id, Rc::clone(&object));
            }
            found.insert(build_id, object);
        };
        look_into(tgid, own, &mut seen, &mut wanted, &mut take);
        if let Some(exe) = exe.filter(|_| !wanted.is_empty())
            && let Some(file) = object::open(exe)
            && let Some(object) = identify(file, exe, &wanted)
        {
            take(object, &mut wanted);
        }
        for tgid in processes() {
            if wanted.is_empty() {
                break;
            }
            look_into(tgid, &maps::read(tgid), &mut seen, &mut wanted, &mut take);
        }
        found
    }
}

/// Looks through the programs and libraries of a process, each file once.
fn look_into(
    tgid: u32,
    mappings: &[Mapping],
    seen: &mut BTreeSet<String>,
    wanted: &mut BTreeSet<BuildId>,
    take: &mut impl FnMut((BuildId, Object), &mut BTreeSet<BuildId>),
) {
    for mapping in mappings.iter().filter(|mapping| mapping.is_executable) {
        if wanted.is_empty() {
            return;
        }
        if seen.contains(&mapping.identity) {
            continue;
        }
        // One that cannot be opened here may be by way of another process.
        let ways = maps::ways(tgid, mapping);
        let Some(file) = ways.iter().find_map(|way| object::open(way)) else { continue };
        seen.insert(mapping.identity.clone());
        if let Some(object) = identify(file, &mapping.path, wanted) {
            take(object, wanted);
        }
    }
}

fn identify(file: File, path: &Path, wanted: &BTreeSet<BuildId>) -> Option<(BuildId, Object)> {
    let build_id = elf::build_id(&file).filter(|build_id| wanted.contains(build_id))?;
    Some((build_id, Object::of(file, path, build_id)?))
}

/// Every process that there is; this one first, which is sure to have what
/// nearly all have.
fn processes() -> impl Iterator<Item = u32> {
    let others = fs::read_dir("/proc").into_iter().flatten().flatten();
    let others = others.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    [std::process::id()].into_iter().chain(others)
}

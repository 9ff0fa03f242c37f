//! The facts of processes that live: each process' in one piece of memory,
//! which goes to a later process when it has ended. So a storm of short
//! processes allocates nothing, however many there are.

use std::{borrow::Cow, rc::Rc};

use super::Facts;

/// Pieces that wait for a process, at most.
const SPARE_MAX: usize = 1024;
/// A larger piece is given back to the allocator.
const SPARE_BYTES_MAX: usize = 1024;

/// One process' facts.
#[derive(Debug, Default)]
pub(super) struct KeptFacts {
    bytes: Vec<u8>,
    exe: Option<Place>,
    comm: Option<Place>,
    argv: Option<Place>,
    claimed_name: Option<Place>,
    claimed_id: Option<Place>,
    cgroup_path: Option<Place>,
    cwd: Option<Place>,
    uid: Option<u32>,
}

/// Where in the bytes.
type Place = (usize, usize);

impl KeptFacts {
    /// Them, as rules see them.
    pub(super) fn facts(&self) -> Facts<'_> {
        let at = |place: Option<Place>| {
            place.and_then(|(start, end)| self.bytes.get(start..end)).map(Cow::Borrowed)
        };
        Facts {
            exe: at(self.exe),
            comm: at(self.comm),
            argv: at(self.argv),
            claimed_name: at(self.claimed_name),
            claimed_id: at(self.claimed_id),
            cgroup_path: at(self.cgroup_path),
            uid: self.uid,
            cwd: at(self.cwd),
        }
    }

    fn fill(&mut self, facts: &Facts<'_>) {
        let Facts { exe, comm, argv, claimed_name, claimed_id, cgroup_path, uid, cwd } = facts;
        let all = [exe, comm, argv, claimed_name, claimed_id, cgroup_path, cwd];
        let bytes = &mut self.bytes;
        bytes.clear();
        // Grows once, not field by field.
        bytes.reserve(all.iter().copied().flatten().map(|fact| fact.len()).sum());
        let mut put = |fact: &Option<Cow<'_, [u8]>>| {
            let start = bytes.len();
            bytes.extend_from_slice(fact.as_deref()?);
            Some((start, bytes.len()))
        };
        self.exe = put(exe);
        self.comm = put(comm);
        self.argv = put(argv);
        self.claimed_name = put(claimed_name);
        self.claimed_id = put(claimed_id);
        self.cgroup_path = put(cgroup_path);
        self.cwd = put(cwd);
        self.uid = *uid;
    }
}

/// Makes pieces, and takes them back.
#[derive(Debug, Default)]
pub(super) struct FactsStore {
    spare: Vec<Rc<KeptFacts>>,
    nothing: Rc<KeptFacts>,
}

impl FactsStore {
    /// Keeps facts.
    pub(super) fn keep(&mut self, facts: &Facts<'_>) -> Rc<KeptFacts> {
        // Those that are spare belong to nobody else.
        let mut kept = self.spare.pop().unwrap_or_default();
        if let Some(kept) = Rc::get_mut(&mut kept) {
            kept.fill(facts);
        }
        kept
    }

    /// The facts of a process of which nothing is known.
    pub(super) fn nothing(&self) -> Rc<KeptFacts> {
        self.nothing.clone()
    }

    /// Takes facts back from a process; its children may have them still.
    pub(super) fn release(&mut self, mut kept: Rc<KeptFacts>) {
        if self.spare.len() < SPARE_MAX
            && Rc::get_mut(&mut kept).is_some_and(|kept| kept.bytes.capacity() <= SPARE_BYTES_MAX)
        {
            self.spare.push(kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(argv: &[u8]) -> Facts<'_> {
        Facts { argv: Some(argv.into()), uid: Some(7), ..Facts::default() }
    }

    #[test]
    fn what_is_kept_is_what_was_given() {
        let facts = Facts {
            exe: Some(b"/bin/a".as_slice().into()),
            comm: Some(b"".as_slice().into()),
            argv: Some(b"a\0b\0".as_slice().into()),
            claimed_name: Some(b"Code".as_slice().into()),
            claimed_id: None,
            cgroup_path: Some(b"/ai".as_slice().into()),
            uid: None,
            cwd: Some(b"/srv".as_slice().into()),
        };
        assert_eq!(FactsStore::default().keep(&facts).facts(), facts);
    }

    #[test]
    fn a_piece_is_used_again_only_when_nobody_has_it() {
        let mut store = FactsStore::default();
        let parents = store.keep(&of(b"parent"));
        let childs = parents.clone();
        store.release(parents);
        let other = store.keep(&of(b"other"));
        assert_eq!(childs.facts(), of(b"parent"));
        let place = Rc::as_ptr(&other);
        store.release(other);
        let next = store.keep(&Facts::default());
        assert_eq!(Rc::as_ptr(&next), place);
        assert_eq!(next.facts(), Facts::default());
    }
}

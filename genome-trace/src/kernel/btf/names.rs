//! Types by name: hashed chains, so that a look-up does not go through all the
//! structs of a kernel.

/// Chains: a kernel has some ten thousand structs, and sixty thousand
/// functions.
const CHAINS: usize = 1 << 14;

/// No type has this id, which is that of `void`.
const END: u32 = 0;

/// Ids of types, chained by the hash of their name.
#[derive(Default)]
pub(super) struct Names {
    /// The first entry of each chain, and the last; from 1 on.
    chains: Vec<Chain>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Default)]
struct Chain {
    first: u32,
    last: u32,
}

struct Entry {
    id: u32,
    hash: u32,
    next: u32,
}

impl Names {
    /// Adds a type, whose name has this hash, behind all others.
    pub(super) fn push(&mut self, id: u32, hash: u32) {
        if self.chains.is_empty() {
            self.chains = vec![Chain::default(); CHAINS];
        }
        self.entries.push(Entry { id, hash, next: END });
        let Ok(number) = u32::try_from(self.entries.len()) else { return };
        let Some(chain) = self.chains.get_mut(place(hash)) else { return };
        let last = std::mem::replace(&mut chain.last, number);
        if last == END {
            chain.first = number;
        } else if let Some(entry) = entry_mut(&mut self.entries, last) {
            entry.next = number;
        }
    }

    /// Ids of the types whose name has the hash of this one, as they were
    /// added. Their names may differ all the same.
    pub(super) fn candidates(&self, name: &str) -> impl Iterator<Item = u32> {
        let hash = hash(name.as_bytes());
        let first = self.chains.get(place(hash)).map_or(END, |chain| chain.first);
        std::iter::successors(self.entry(first), |entry| self.entry(entry.next))
            .filter(move |entry| entry.hash == hash)
            .map(|entry| entry.id)
    }

    fn entry(&self, number: u32) -> Option<&Entry> {
        self.entries.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }
}

fn entry_mut(entries: &mut [Entry], number: u32) -> Option<&mut Entry> {
    entries.get_mut(usize::try_from(number).ok()?.checked_sub(1)?)
}

fn place(hash: u32) -> usize {
    // The lower bits of the last multiplication are the poorer ones.
    (hash >> 16 ^ hash) as usize % CHAINS
}

/// Hash (FNV-1a) of the bytes up to the first 0.
pub(super) fn hash(name: &[u8]) -> u32 {
    name.iter()
        .take_while(|byte| **byte != 0)
        .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

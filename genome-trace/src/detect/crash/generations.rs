//! A map that holds no more than so many: the young and the old, of whom the
//! old are forgotten when the young are many.

use std::{hash::Hash, mem};

use rustc_hash::FxHashMap;

/// A map of at most twice `half` entries. What was not asked for while `half`
/// others came is forgotten.
#[derive(Debug)]
pub(super) struct Generations<K, V> {
    young: FxHashMap<K, V>,
    old: FxHashMap<K, V>,
    half: usize,
}

impl<K: Copy + Eq + Hash, V> Generations<K, V> {
    pub(super) fn new(half: usize) -> Self {
        Self { young: FxHashMap::default(), old: FxHashMap::default(), half }
    }

    pub(super) fn get(&self, key: K) -> Option<&V> {
        self.young.get(&key).or_else(|| self.old.get(&key))
    }

    /// The entry, which is young from now on.
    pub(super) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        if let Some(value) = self.old.remove(&key) {
            return Some(self.put(key, value));
        }
        self.young.get_mut(&key)
    }

    /// Enters it, in place of one with that key.
    pub(super) fn put(&mut self, key: K, value: V) -> &mut V {
        self.old.remove(&key);
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            // The map that is emptied keeps its room.
            mem::swap(&mut self.young, &mut self.old);
            self.young.clear();
        }
        match self.young.entry(key) {
            std::collections::hash_map::Entry::Occupied(mut entry) => {
                entry.insert(value);
                entry.into_mut()
            }
            std::collections::hash_map::Entry::Vacant(entry) => entry.insert(value),
        }
    }

    pub(super) fn remove(&mut self, key: K) -> Option<V> {
        self.young.remove(&key).or_else(|| self.old.remove(&key))
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_goes() {
        let mut map = Generations::new(2);
        for key in 0..4 {
            map.put(key, key * 10);
            assert_eq!(map.get_mut(0).copied(), Some(0), "asked for at {key}");
        }
        assert_eq!((map.get(1), map.get(3)), (None, Some(&30)));
        for key in 4..100 {
            map.put(key, key * 10);
            assert!(map.len() <= 4);
        }
        assert_eq!(map.get(0), None);
    }

    #[test]
    fn an_entry_is_there_once_and_removed_whole() {
        let mut map = Generations::new(1);
        map.put(1, "a");
        map.put(2, "b");
        map.put(1, "c");
        assert_eq!((map.get(1), map.get(2)), (Some(&"c"), Some(&"b")));
        assert_eq!(map.remove(1), Some("c"));
        assert_eq!(map.remove(1), None);
        assert_eq!((map.get(1), map.len()), (None, 1));
    }
}

//! Which of the files that were created are still there: a set of bounded size
//! that may forget, and says when it has.
//!
//! A file is its path's hash. So a file that is created again under the same
//! name is not another one, one that was there before the window is not taken
//! for a new one when it is unlinked, and an unlink is set off against the very
//! part of the window in which its file was created.

use super::window::SPAN;

/// Sets of ways: a set fills a line of the cache.
const SETS: usize = 8192;
const WAYS: usize = 8;

const HASH_BITS: u32 = 38;
const PERSONA_BITS: u32 = 8;
const CLASS_BITS: u32 = 2;
const PART_BITS: u32 = 16;
const _: () = assert!(HASH_BITS + PERSONA_BITS + CLASS_BITS + PART_BITS == u64::BITS);
const PART_MASK: u64 = (1 << PART_BITS) - 1;

/// Who created a file, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Creation {
    /// The persona's place.
    pub(super) persona: u8,
    /// The class of the creation.
    pub(super) class: u8,
    /// The part of the window.
    pub(super) part: u64,
}

/// Files that were created within the window and are still there: 512 KiB once
/// there is one, and no more.
#[derive(Debug, Default)]
pub(super) struct Present {
    sets: Vec<[u64; WAYS]>,
    /// Until then an unknown file may be one that was forgotten.
    forgetful_until: u64,
}

impl Present {
    /// A file was created; what is known of its last creation under that name,
    /// if it was still thought to be there.
    pub(super) fn put(&mut self, hash: u64, new: Creation) -> Option<Creation> {
        if self.sets.is_empty() {
            self.sets.resize(SETS, [0; WAYS]);
        }
        let ways = self.sets.get_mut(set(hash))?;
        if let Some(way) = ways.iter_mut().find(|way| is_of(**way, hash)) {
            let old = unpack(*way, new.part);
            *way = pack(hash, new);
            return old;
        }
        let oldest = ways.iter_mut().max_by_key(|way| age(**way, new.part))?;
        if age(*oldest, new.part) < SPAN {
            self.forgetful_until = new.part.saturating_add(SPAN);
        }
        *oldest = pack(hash, new);
        None
    }

    /// A file was unlinked at `part`: who created it within the window.
    pub(super) fn take(&mut self, hash: u64, part: u64) -> Option<Creation> {
        let ways = self.sets.get_mut(set(hash))?;
        let way = ways.iter_mut().find(|way| is_of(**way, hash))?;
        let old = unpack(*way, part);
        *way = 0;
        old
    }

    /// Whether a file that is not known may have been created within the window
    /// all the same.
    pub(super) const fn is_forgetful(&self, part: u64) -> bool {
        part < self.forgetful_until
    }

    pub(super) fn clear(&mut self) {
        self.sets.fill([0; WAYS]);
        self.forgetful_until = 0;
    }
}

fn set(hash: u64) -> usize {
    // Smaller than SETS.
    usize::try_from(hash % SETS as u64).unwrap_or_default()
}

/// The upper bits of the hash, of which the lowest is always set: no way that
/// is taken is 0.
fn name(hash: u64) -> u64 {
    (hash >> (u64::BITS - HASH_BITS)) | 1
}

fn pack(hash: u64, creation: Creation) -> u64 {
    let Creation { persona, class, part } = creation;
    let class = u64::from(class) & ((1 << CLASS_BITS) - 1);
    (((name(hash) << PERSONA_BITS | u64::from(persona)) << CLASS_BITS | class) << PART_BITS)
        | (part & PART_MASK)
}

fn is_of(way: u64, hash: u64) -> bool {
    way >> (u64::BITS - HASH_BITS) == name(hash)
}

/// How many parts ago; more than any window where there is nothing.
fn age(way: u64, now: u64) -> u64 {
    if way == 0 { u64::MAX } else { now.wrapping_sub(way) & PART_MASK }
}

fn unpack(way: u64, now: u64) -> Option<Creation> {
    let age = Some(age(way, now)).filter(|age| *age < SPAN)?;
    let (persona, class) = (way >> (PART_BITS + CLASS_BITS), way >> PART_BITS);
    Some(Creation {
        persona: u8::try_from(persona & ((1 << PERSONA_BITS) - 1)).ok()?,
        class: u8::try_from(class & ((1 << CLASS_BITS) - 1)).ok()?,
        part: now.checked_sub(age)?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BY: Creation = Creation { persona: 3, class: 1, part: 1000 };

    fn spread(number: u64) -> u64 {
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    #[test]
    fn a_file_is_there_until_it_is_unlinked_or_the_window_has_passed() {
        let mut present = Present::default();
        let hash = spread(7);
        assert_eq!(present.take(hash, 1000), None);
        assert_eq!(present.put(hash, BY), None);
        assert_eq!(present.put(hash, Creation { part: 1001, ..BY }), Some(BY));
        assert_eq!(present.take(hash, 1003), Some(Creation { part: 1001, ..BY }));
        assert_eq!(present.take(hash, 1003), None);
        present.put(hash, BY);
        assert_eq!(present.take(hash, 1000 + SPAN), None);
    }

    #[test]
    fn it_says_when_it_has_forgotten() {
        let mut present = Present::default();
        let room = (SETS * WAYS) as u64;
        for number in 0..room / 4 {
            present.put(spread(number), BY);
        }
        assert!(!present.is_forgetful(1000));
        for number in 0..2 * room {
            present.put(spread(number), BY);
        }
        assert!(present.is_forgetful(1000) && !present.is_forgetful(1000 + SPAN));
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(
            hash: u64, persona: u8, class in 0..3_u8, part in SPAN..u64::MAX / 2, later in 0..SPAN,
        ) {
            let creation = Creation { persona, class, part };
            prop_assert_eq!(unpack(pack(hash, creation), part + later), Some(creation));
        }
    }
}

//! What a process has and has used, as far as the kernel says it at once.

use core::ops::ControlFlow;

use genome_trace_common::{ABSENT, Offset, UNKNOWN_U32, UNKNOWN_U64};

use crate::{
    config::fact,
    kernel::{Address, Memory},
    turns::{self, Turns},
};

/// Counters of `rss_stat`, include/linux/mm_types_task.h.
pub(crate) const MM_FILEPAGES: u32 = 0;
pub(crate) const MM_ANONPAGES: u32 = 1;
pub(crate) const MM_SHMEMPAGES: u32 = 3;
/// Words of a bitmap of descriptors that are counted, at most.
const WORDS_MAX: u32 = 64;
/// Descriptors in one of them.
const WORD_BITS: u32 = u64::BITS;

/// One counter of `rss_stat`; the kernel keeps it a little behind, so it may
/// be below 0, which it shows as 0 itself.
#[inline(always)]
pub(crate) fn rss<M: Memory>(mm: M, counter: u32) -> u64 {
    if mm.address().is_null() || fact!(mm_rss_stat) == ABSENT || fact!(mm_rss_stat_stride) == ABSENT
    {
        return UNKNOWN_U64;
    }
    let offset = fact!(mm_rss_stat).wrapping_add(counter.wrapping_mul(fact!(mm_rss_stat_stride)));
    let pages = mm.read::<i64>(offset);
    // Without a branch: each would double the ways that the verifier follows.
    (pages & !(pages >> 63)) as u64
}

/// All resident pages.
#[inline(always)]
pub(crate) fn resident(mm: Address) -> u64 {
    if mm.is_null() || fact!(mm_rss_stat) == ABSENT || fact!(mm_rss_stat_stride) == ABSENT {
        return UNKNOWN_U64;
    }
    rss(mm, MM_ANONPAGES) + rss(mm, MM_FILEPAGES) + rss(mm, MM_SHMEMPAGES)
}

/// Threads of a process, its leader included.
#[inline(always)]
pub(crate) fn threads<M: Memory>(signal: M) -> u32 {
    if signal.address().is_null() || fact!(signal_nr_threads) == ABSENT {
        return UNKNOWN_U32;
    }
    signal.read(fact!(signal_nr_threads))
}

/// Open descriptors of a task's table.
#[inline(always)]
pub(crate) fn open_files<M: Memory>(task: M) -> u32 {
    if fact!(fdtable_open_fds) == ABSENT || fact!(fdtable_max_fds) == ABSENT {
        return UNKNOWN_U32;
    }
    let table = task.follow(fact!(task_files)).follow(fact!(files_fdt));
    // What a pointer to numbers leads to has no type that a load could go by.
    let words = Address(table.read(fact!(fdtable_open_fds)));
    let max = table.read::<u32>(fact!(fdtable_max_fds));
    if words.is_null() || max == 0 || max > WORDS_MAX * WORD_BITS {
        return UNKNOWN_U32;
    }
    let mut bits = Bits { words, max, count: 0 };
    turns::take(WORDS_MAX, &mut bits);
    bits.count
}

/// Bits of a bitmap that are set.
struct Bits {
    words: Address,
    /// How many bits there are.
    max: u32,
    count: u32,
}

impl Turns for Bits {
    #[inline(always)]
    fn turn(&mut self, number: u32) -> ControlFlow<()> {
        if number * WORD_BITS >= self.max {
            return ControlFlow::Break(());
        }
        self.count += self.words.read::<u64>(number * (WORD_BITS / 8)).count_ones();
        ControlFlow::Continue(())
    }
}

/// A figure of an object that is there.
#[inline(always)]
pub(crate) fn figure<M: Memory>(object: M, offset: Offset) -> u64 {
    if offset == ABSENT { UNKNOWN_U64 } else { object.read(offset) }
}

/// The sum of one figure of each of two objects that are there.
#[inline(always)]
pub(crate) fn both<M: Memory>((one, of_one): (M, Offset), (other, of_other): (M, Offset)) -> u64 {
    // Nothing but constants is tested here, so there is one way through it.
    if of_one == ABSENT || of_other == ABSENT {
        return UNKNOWN_U64;
    }
    one.read::<u64>(of_one).wrapping_add(other.read::<u64>(of_other))
}

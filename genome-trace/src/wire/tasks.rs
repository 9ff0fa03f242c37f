//! What the task iterator gives: records of processes and of their threads, one
//! behind the other.

use genome_trace_common::{
    ABI_VERSION, Kind, TASK_HAD_CHILDREN, TaskRecord, ThreadRecord, UNKNOWN_U64, Usage,
};
use rustc_hash::FxHashMap;

use super::{
    Surroundings,
    decode::{known_pages, known32, process},
    read::split_prefix,
};
use crate::model::{Process, ProcessKey, ProcessSample, Used};

/// The processes. A record that cannot be read is left out: its process is
/// known at its first event.
pub fn tasks<'a>(
    records: &'a [u8],
    around: &'a impl Surroundings,
) -> impl Iterator<Item = Process<'a>> {
    each(records).filter_map(|(kind, bytes)| {
        let (record, _) = (kind == Kind::Task).then(|| split_prefix::<TaskRecord>(bytes))??;
        process(&record.header, bytes, around)
    })
}

/// The processes, with what they have and have used.
pub fn samples<'a>(
    records: &'a [u8],
    around: &'a impl Surroundings,
) -> impl Iterator<Item = ProcessSample<'a>> {
    let threads = threads(records);
    each(records).filter_map(move |(kind, bytes)| {
        let (record, _) = (kind == Kind::Task).then(|| split_prefix::<TaskRecord>(bytes))??;
        sample(&record, process(&record.header, bytes, around)?, &threads, around.page_size())
    })
}

/// Threads beside the leader: how many were seen, and what they used.
type Threads = FxHashMap<ProcessKey, (u32, Used)>;

fn threads(records: &[u8]) -> Threads {
    let mut sums = Threads::default();
    for (kind, bytes) in each(records) {
        let found = (kind == Kind::Thread).then(|| split_prefix::<ThreadRecord>(bytes)).flatten();
        let Some((thread, _)) = found else { continue };
        let key = ProcessKey { tgid: thread.tgid, start_time: thread.start_time };
        let used = used(&thread.usage);
        sums.entry(key)
            .and_modify(|(count, sum)| {
                *count = count.saturating_add(1);
                *sum = sum.plus(used);
            })
            .or_insert((1, used));
    }
    sums
}

fn sample<'a>(
    record: &TaskRecord,
    process: Process<'a>,
    threads: &Threads,
    page_size: u64,
) -> Option<ProcessSample<'a>> {
    let seen = threads.get(&process.key);
    let leader = used(&record.usage);
    let together = seen.map_or(leader, |(_, others)| leader.plus(*others));
    let of_leader_and_others = seen.map_or(1, |(count, _)| count.saturating_add(1));
    let count = known32(record.threads);
    // One that ends between its leader's record and its own is in neither: what
    // it used moves to where the leader's record had been taken from.
    let is_whole = count.is_some_and(|count| of_leader_and_others >= count);
    let bytes = |pages| known_pages(pages, page_size);
    Some(ProcessSample {
        process,
        ktime_ns: record.header.ktime_ns,
        anon_rss_bytes: bytes(record.anon_rss_pages),
        file_rss_bytes: bytes(record.file_rss_pages),
        shmem_rss_bytes: bytes(record.shmem_rss_pages),
        used: is_whole.then_some(together),
        had_children: record.flags & TASK_HAD_CHILDREN != 0,
        threads: count,
        open_files: known32(record.open_files),
        oom_score_adj: (record.oom_score_adj != i32::MAX).then_some(record.oom_score_adj),
    })
}

fn used(usage: &Usage) -> Used {
    let known = |figure: u64| (figure != UNKNOWN_U64).then_some(figure);
    Used {
        cpu_ns: known(usage.cpu_ns),
        user_ns: known(usage.user_ns),
        system_ns: known(usage.system_ns),
        write_calls: known(usage.write_calls),
        written_bytes: known(usage.written_bytes),
    }
}

/// Each record with its kind, up to the first that is none.
fn each(mut records: &[u8]) -> impl Iterator<Item = (Kind, &[u8])> {
    std::iter::from_fn(move || {
        let (abi, rest) = split_prefix::<u16>(records)?;
        let (kind, rest) = split_prefix::<u16>(rest)?;
        let (len, _) = split_prefix::<u32>(rest)?;
        let len = usize::try_from(len).ok().filter(|len| abi == ABI_VERSION && *len >= 8)?;
        let (record, rest) = records.split_at_checked(len)?;
        records = rest;
        Some((Kind::from_number(kind)?, record))
    })
}

#[cfg(test)]
mod tests;

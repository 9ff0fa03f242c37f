//! What events tell of a process, as one row for each process.

use rusqlite::{Connection, params};
use rustc_hash::FxHashMap;

use super::{
    item::{EventCopy, Part, ProcessNumbers},
    payload,
};
use crate::model::{Ending, EventKind, Payload, ProcessKey, ProcessRecord};

/// What the events of one batch tell of a process; the latest of each.
#[derive(Default)]
pub(super) struct Changes<'a> {
    numbers: Option<ProcessNumbers>,
    comm: Option<&'a [u8]>,
    cgroup: Option<&'a [u8]>,
    persona: Option<&'a [u8]>,
    genome_id: Option<&'a [u8]>,
    /// It ran another program: what was known of the one before is over.
    is_exec: bool,
    exe: Option<&'a [u8]>,
    argv: Option<&'a [u8]>,
    started_ns: Option<i64>,
    ended_ns: Option<i64>,
    wait_status: Option<u32>,
}

/// Notes what an event tells; only beginnings, execs and ends change a row.
pub(super) fn note<'a>(event: &'a EventCopy, processes: &mut FxHashMap<ProcessKey, Changes<'a>>) {
    if !matches!(event.kind, EventKind::Fork | EventKind::Exec | EventKind::Exit) {
        return;
    }
    let Some(process) = event.process else { return };
    let changes = processes.entry(process.key).or_default();
    changes.numbers = Some(process);
    changes.comm = event.part(Part::Comm).or(changes.comm);
    changes.cgroup = event.part(Part::Cgroup).or(changes.cgroup);
    if let Some(persona) = event.part(Part::Persona) {
        changes.persona = Some(persona);
        changes.genome_id = event.part(Part::GenomeId);
    }
    // Both clocks go at the same pace between the start and the event.
    let age = event.ktime_ns.checked_sub(process.key.start_time);
    changes.started_ns = age
        .and_then(|age| event.wall_time.unix_ns.checked_sub_unsigned(age))
        .or(changes.started_ns);
    let bytes = event.part(Part::Payload).unwrap_or_default();
    match payload::decode(event.kind, event.part(Part::Name), bytes) {
        Some(Payload::Exec(exec)) => {
            changes.is_exec = true;
            changes.exe = exec.exe;
            changes.argv = exec.argv.map(|argv| argv.block);
        }
        Some(Payload::Exit(exit)) => {
            changes.ended_ns = Some(event.wall_time.unix_ns);
            changes.wait_status = Some(wait_status(exit.ending));
        }
        _ => {}
    }
}

/// As wait(2) has it; the inverse of [`Ending::from_wait_status`].
fn wait_status(ending: Ending) -> u32 {
    match ending {
        Ending::Exited { code } => u32::from(code) << 8,
        Ending::Signaled { signal, core_dumped } => {
            signal.0 & 0x7f | if core_dumped { 0x80 } else { 0 }
        }
    }
}

const UPSERT: &str = "INSERT INTO processes (start_time, tgid, boot, ppid, uid, persona, \
    genome_id, comm, cgroup, exe, argv, started_ns, ended_ns, wait_status) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
    ON CONFLICT DO UPDATE SET \
    ppid = coalesce(excluded.ppid, ppid), \
    uid = coalesce(excluded.uid, uid), \
    genome_id = iif(excluded.persona IS NULL, genome_id, excluded.genome_id), \
    persona = coalesce(excluded.persona, persona), \
    comm = coalesce(excluded.comm, comm), \
    cgroup = coalesce(excluded.cgroup, cgroup), \
    exe = iif(?15, excluded.exe, coalesce(excluded.exe, exe)), \
    argv = iif(?15, excluded.argv, coalesce(excluded.argv, argv)), \
    started_ns = coalesce(started_ns, excluded.started_ns), \
    ended_ns = coalesce(excluded.ended_ns, ended_ns), \
    wait_status = coalesce(excluded.wait_status, wait_status)";

/// Writes what a batch told of a process over what was known.
pub(super) fn write(
    connection: &Connection,
    boot: i64,
    key: ProcessKey,
    changes: &Changes<'_>,
) -> rusqlite::Result<()> {
    // Personas are UTF-8 by their type.
    let text = |bytes: Option<&[u8]>| bytes.map(|b| String::from_utf8_lossy(b).into_owned());
    connection
        .prepare_cached(UPSERT)?
        .execute(params![
            key.start_time.cast_signed(),
            key.tgid,
            boot,
            changes.numbers.and_then(|numbers| numbers.ppid),
            changes.numbers.and_then(|numbers| numbers.uid),
            text(changes.persona),
            text(changes.genome_id),
            changes.comm,
            changes.cgroup,
            changes.exe,
            changes.argv,
            changes.started_ns,
            changes.ended_ns,
            changes.wait_status,
            changes.is_exec,
        ])
        .map(|_| ())
}

/// Writes a whole record over what was known.
pub(super) fn write_record(
    connection: &Connection,
    boot: i64,
    process: &ProcessRecord,
) -> rusqlite::Result<()> {
    let persona = process.persona.as_ref();
    connection
        .prepare_cached(UPSERT)?
        .execute(params![
            process.key.start_time.cast_signed(),
            process.key.tgid,
            boot,
            process.ppid,
            process.uid,
            persona.map(|persona| persona.name.as_str()),
            persona.and_then(|persona| persona.genome_id.as_deref()),
            process.comm,
            process.cgroup_path,
            process.exe,
            process.argv,
            process.started.map(|at| at.unix_ns),
            process.ended.map(|at| at.unix_ns),
            process.ending.map(wait_status),
            false,
        ])
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SignalNumber;

    #[test]
    fn a_wait_status_is_read_back() {
        for ending in [
            Ending::Exited { code: 0 },
            Ending::Exited { code: 255 },
            Ending::Signaled { signal: SignalNumber(9), core_dumped: false },
            Ending::Signaled { signal: SignalNumber(11), core_dumped: true },
        ] {
            assert_eq!(Ending::from_wait_status(wait_status(ending)), ending);
        }
    }
}

//! Rows as types of the model.

use rusqlite::Row;

use crate::model::{
    Ending, Gap, GapReason, Metric, Persona, ProcessKey, ProcessRecord, RecorderRun, RollUp,
    RoomSample, SampleSource, WallTime,
};

/// `None` where its reason or its counts make no sense.
pub(super) fn gap(row: &Row<'_>) -> rusqlite::Result<Option<Gap>> {
    let reason: String = row.get(2)?;
    let reason = GapReason::ALL.into_iter().find(|known| known.name() == reason);
    let missing: Option<String> = row.get(3)?;
    let missing = missing.map(|text| serde_json::from_str(&text)).transpose();
    let (Some(reason), Ok(missing)) = (reason, missing) else { return Ok(None) };
    Ok(Some(Gap {
        from: wall(row.get(0)?),
        until: wall(row.get(1)?),
        reason,
        missing,
        note: row.get(4)?,
    }))
}

pub(super) fn run(row: &Row<'_>) -> rusqlite::Result<RecorderRun> {
    Ok(RecorderRun {
        from: wall(row.get(0)?),
        until: wall(row.get(1)?),
        ended_orderly: row.get(2)?,
    })
}

pub(super) fn process(key: ProcessKey, row: &Row<'_>) -> rusqlite::Result<ProcessRecord> {
    let bytes = |index: usize| -> rusqlite::Result<Option<Box<[u8]>>> {
        Ok(row.get::<_, Option<Vec<u8>>>(index)?.map(Vec::into_boxed_slice))
    };
    Ok(ProcessRecord {
        key,
        ppid: row.get(0)?,
        uid: row.get(1)?,
        persona: persona(row.get(2)?, row.get(3)?),
        comm: bytes(4)?,
        cgroup_path: bytes(5)?,
        exe: bytes(6)?,
        argv: bytes(7)?,
        started: row.get::<_, Option<i64>>(8)?.map(wall),
        ended: row.get::<_, Option<i64>>(9)?.map(wall),
        ending: row.get::<_, Option<u32>>(10)?.map(Ending::from_wait_status),
    })
}

/// `None` where its metric has no name here.
pub(super) fn roll_up(row: &Row<'_>) -> rusqlite::Result<Option<RollUp>> {
    let metric: String = row.get(5)?;
    let Some(metric) = Metric::ALL.into_iter().find(|known| known.name() == metric) else {
        return Ok(None);
    };
    let key = match (row.get::<_, Option<u32>>(3)?, row.get::<_, Option<i64>>(4)?) {
        (Some(tgid), Some(start_time)) => {
            Some(ProcessKey { tgid, start_time: start_time.cast_unsigned() })
        }
        _ => None,
    };
    Ok(Some(RollUp {
        wall_time: wall(row.get(0)?),
        source: SampleSource { persona: persona(row.get(1)?, row.get(2)?), key },
        metric,
        count: row.get::<_, i64>(6)?.cast_unsigned(),
        min: row.get(7)?,
        max: row.get(8)?,
        last: row.get(9)?,
        average: row.get(10)?,
    }))
}

pub(super) fn room(row: &Row<'_>) -> rusqlite::Result<RoomSample> {
    Ok(RoomSample {
        wall_time: wall(row.get(0)?),
        mount: row.get(1)?,
        used_bytes: row.get::<_, i64>(2)?.cast_unsigned(),
        total_bytes: row.get::<_, i64>(3)?.cast_unsigned(),
    })
}

pub(super) fn persona(name: Option<String>, genome_id: Option<String>) -> Option<Persona> {
    name.map(|name| Persona { name, genome_id })
}

const fn wall(unix_ns: i64) -> WallTime {
    WallTime { unix_ns }
}

//! The CSV files of a session, read back. Columns go by their names, so that
//! files of another version are read as far as they say the same.

use std::{collections::HashMap, io::Read, str::FromStr};

use csv::StringRecord;
use jiff::Timestamp;

use crate::model::{Figures, Metric, Persona, Session, SessionGpuRow, SessionRow, WallTime};

/// A file that is no session's.
#[derive(Debug)]
pub enum SessionError {
    /// It could not be read.
    Read(csv::Error),
    /// It lacks this column.
    Column(&'static str),
}

impl std::fmt::Display for SessionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Read(error) => match error.kind() {
                csv::ErrorKind::Io(error) => write!(f, "{error}"),
                csv::ErrorKind::Utf8 { .. } => f.write_str("it is no text"),
                _ => write!(f, "{error}"),
            },
            Self::Column(name) => write!(f, "it has no column {name:?}"),
        }
    }
}

impl std::error::Error for SessionError {}

/// Adds the rows of a file of personas. One that cannot be read is counted.
///
/// # Errors
/// The file cannot be read, or is another sort of file.
pub fn read_personas(session: &mut Session, file: impl Read) -> Result<(), SessionError> {
    let (rows, unreadable) = read(file, &["time", "phase", "persona"], |row| {
        let mut figures = Figures::default();
        for metric in Metric::ALL {
            figures.set(metric, row.number(metric.name())?);
        }
        Some(SessionRow {
            wall_time: row.time()?,
            phase: row.text("phase").to_owned(),
            persona: row.name("persona").map(|name| Persona {
                name: name.to_owned(),
                genome_id: row.name("genome_id").map(str::to_owned),
            }),
            figures,
            memory_limit_bytes: row.number("memory_limit_bytes")?,
            lost_events: row.whole("lost_events")?,
        })
    })?;
    session.rows.extend(rows);
    session.rows.sort_by_key(|row| row.wall_time);
    session.unreadable += unreadable;
    Ok(())
}

/// The same with a file of GPUs.
///
/// # Errors
/// The file cannot be read, or is another sort of file.
pub fn read_gpus(session: &mut Session, file: impl Read) -> Result<(), SessionError> {
    let (rows, unreadable) = read(file, &["time", "gpu"], |row| {
        Some(SessionGpuRow {
            wall_time: row.time()?,
            gpu: row.text("gpu").parse().ok()?,
            vram_total_bytes: row.number("vram_total_bytes")?,
            vram_used_bytes: row.number("vram_used_bytes")?,
        })
    })?;
    session.gpus.extend(rows);
    session.gpus.sort_by_key(|row| row.wall_time);
    session.unreadable += unreadable;
    Ok(())
}

struct Row<'a> {
    columns: &'a HashMap<String, usize>,
    record: &'a StringRecord,
}

impl<'a> Row<'a> {
    fn text(&self, column: &str) -> &'a str {
        self.columns.get(column).and_then(|index| self.record.get(*index)).unwrap_or_default()
    }

    fn name(&self, column: &str) -> Option<&'a str> {
        Some(self.text(column)).filter(|text| !text.is_empty())
    }

    fn time(&self) -> Option<WallTime> {
        let time: Timestamp = self.text("time").parse().ok()?;
        Some(WallTime { unix_ns: i64::try_from(time.as_nanosecond()).ok()? })
    }

    /// `None` where it is no number; what is empty is unknown.
    fn parsed<T: FromStr>(&self, column: &str) -> Option<Option<T>> {
        self.name(column).map_or(Some(None), |text| text.parse().ok().map(Some))
    }

    fn number(&self, column: &str) -> Option<Option<f64>> {
        self.parsed(column).filter(|number: &Option<f64>| number.is_none_or(f64::is_finite))
    }

    fn whole(&self, column: &str) -> Option<Option<u64>> {
        self.parsed(column)
    }
}

fn read<T>(
    file: impl Read,
    needed: &[&'static str],
    row: impl Fn(&Row<'_>) -> Option<T>,
) -> Result<(Vec<T>, u64), SessionError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
    let head = reader.headers().map_err(SessionError::Read)?;
    let columns: HashMap<String, usize> =
        head.iter().enumerate().map(|(index, name)| (name.to_owned(), index)).collect();
    let width = head.len();
    if let Some(missing) = needed.iter().find(|name| !columns.contains_key(**name)) {
        return Err(SessionError::Column(missing));
    }
    let (mut rows, mut unreadable) = (Vec::new(), 0);
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => {
                unreadable += 1;
                continue;
            }
            Err(error) => return Err(SessionError::Read(error)),
        };
        // One that was cut short is not taken for one that knows less.
        let is_whole = record.len() == width;
        match row(&Row { columns: &columns, record: &record }).filter(|_| is_whole) {
            Some(row) => rows.push(row),
            None => unreadable += 1,
        }
    }
    Ok((rows, unreadable))
}

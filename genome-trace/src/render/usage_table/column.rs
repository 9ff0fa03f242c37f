//! The columns of the tables: what stands in them, by what they sort, and
//! which are dropped first where there is no room.

use std::cmp::Ordering;

use super::figure::{self, UNKNOWN};
use crate::{
    model::{Figures, Metric, PersonaUsage, ProcessUsage, Sighting, SortKey, WallTime},
    render::{text::Escaped, units::Elapsed},
};

/// The column of names grows up to this.
const NAME_MAX: u16 = 40;

/// A column, in the order from left to right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    GenomeId,
    Persona,
    Processes,
    Cpu,
    Rss,
    RssLimit,
    Vram,
    Gpu,
    Writes,
    Created,
    Threads,
    OpenFiles,
    Crashes,
    Age,
    /// A sparkline of the memory in the last looks.
    RssHistory,
}

/// Who stands in a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Row<'a> {
    Persona(&'a PersonaUsage),
    /// With what is drawn before its name.
    Process(&'a ProcessUsage, &'a str),
}

impl Column {
    /// All, from left to right.
    pub(crate) const ALL: [Self; 15] = [
        Self::GenomeId,
        Self::Persona,
        Self::Processes,
        Self::Cpu,
        Self::Rss,
        Self::RssLimit,
        Self::Vram,
        Self::Gpu,
        Self::Writes,
        Self::Created,
        Self::Threads,
        Self::OpenFiles,
        Self::Crashes,
        Self::Age,
        Self::RssHistory,
    ];

    /// The most important first: the last of them are dropped where there is no
    /// room.
    pub(crate) const BY_IMPORTANCE: [Self; 15] = [
        Self::Persona,
        Self::Rss,
        Self::Cpu,
        Self::Processes,
        Self::RssLimit,
        Self::Vram,
        Self::Crashes,
        Self::Writes,
        Self::Age,
        Self::Gpu,
        Self::GenomeId,
        Self::Created,
        Self::Threads,
        Self::OpenFiles,
        Self::RssHistory,
    ];

    /// How many can be sorted by.
    pub(crate) const SORTABLE: usize = Self::ALL.len() - 1;

    /// What a table of processes has.
    pub(crate) const fn is_of_processes(self) -> bool {
        !matches!(
            self,
            Self::GenomeId | Self::Processes | Self::RssLimit | Self::Crashes | Self::RssHistory
        )
    }

    /// Whether it can be sorted by.
    pub(crate) const fn is_sortable(self) -> bool {
        !matches!(self, Self::RssHistory)
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::GenomeId => "GENOME ID",
            Self::Persona => "PERSONA",
            Self::Processes => "PROCS",
            Self::Cpu => "CPU",
            Self::Rss => "RSS",
            Self::RssLimit => "LIMIT",
            Self::Vram => "VRAM",
            Self::Gpu => "GPU",
            Self::Writes => "WRITES/S",
            Self::Created => "CREATED/MIN",
            Self::Threads => "THREADS",
            Self::OpenFiles => "OPEN FILES",
            Self::Crashes => "CRASHES",
            Self::Age => "AGE",
            Self::RssHistory => "RSS, LAST LOOKS",
        }
    }

    /// Columns of the terminal that it takes; the persona's grows.
    pub(crate) const fn width(self) -> u16 {
        match self {
            Self::GenomeId | Self::Persona => 12,
            Self::Processes => 5,
            Self::Cpu | Self::Threads | Self::Crashes => 7,
            Self::Gpu => 6,
            Self::Rss | Self::RssLimit | Self::Vram | Self::Writes => 8,
            Self::Created | Self::Age => 11,
            Self::OpenFiles => 10,
            Self::RssHistory => 24,
        }
    }

    /// Words stand on the left, figures on the right.
    pub(crate) const fn is_left(self) -> bool {
        matches!(self, Self::GenomeId | Self::Persona | Self::RssHistory)
    }

    /// Whether its order is that of words.
    pub(crate) const fn is_word(self) -> bool {
        matches!(self, Self::GenomeId | Self::Persona)
    }

    /// What stands in the cell; nothing for a sparkline.
    pub(crate) fn cell(self, row: Row<'_>, seen: Sighting<'_>) -> String {
        match (self, row) {
            (Self::GenomeId, Row::Persona(usage)) => match &usage.persona.genome_id {
                Some(id) => Escaped(id.as_bytes()).to_string(),
                None => UNKNOWN.to_owned(),
            },
            (Self::Persona, Row::Persona(usage)) => {
                Escaped(usage.persona.name.as_bytes()).to_string()
            }
            (Self::Persona, Row::Process(process, lead)) => {
                let comm = process.comm.as_deref().unwrap_or(UNKNOWN);
                format!("{lead}{} {}", process.key.tgid, Escaped(comm.as_bytes()))
            }
            (Self::RssLimit, Row::Persona(usage)) => figure::size(usage.rss_limit_bytes),
            (Self::Crashes, Row::Persona(usage)) => figure::count(seen.crashes_of(&usage.persona)),
            (Self::Created, row) => {
                figure::per_minute(figures(row).get(Metric::FilesCreatedPerSecond))
            }
            (Self::Age, row) => match age_ns(row, seen.wall_time) {
                Some(ns) => Elapsed(ns).to_string(),
                None => UNKNOWN.to_owned(),
            },
            (Self::RssHistory, _) => String::new(),
            (column, row) => match (column.metric(), row) {
                (Some(metric), row) if column.is_of_processes() => {
                    figure::metric(figures(row), metric)
                }
                (Some(metric), Row::Persona(usage)) => figure::metric(&usage.figures, metric),
                _ => String::new(),
            },
        }
    }

    const fn metric(self) -> Option<Metric> {
        match self {
            Self::Processes => Some(Metric::Processes),
            Self::Cpu => Some(Metric::CpuPercent),
            Self::Rss => Some(Metric::RssBytes),
            Self::Vram => Some(Metric::VramBytes),
            Self::Gpu => Some(Metric::GpuPercent),
            Self::Writes => Some(Metric::WriteCallsPerSecond),
            Self::Created => Some(Metric::FilesCreatedPerSecond),
            Self::Threads => Some(Metric::Threads),
            Self::OpenFiles => Some(Metric::OpenFiles),
            Self::GenomeId
            | Self::Persona
            | Self::RssLimit
            | Self::Crashes
            | Self::Age
            | Self::RssHistory => None,
        }
    }

    /// What it sorts by, where it does.
    pub(crate) const fn sort_key(self) -> Option<SortKey> {
        match self {
            Self::GenomeId => Some(SortKey::GenomeId),
            Self::Persona => Some(SortKey::Name),
            Self::RssLimit => Some(SortKey::RssLimit),
            Self::Crashes => Some(SortKey::Crashes),
            Self::Age => Some(SortKey::Age),
            column => match column.metric() {
                Some(metric) => Some(SortKey::Metric(metric)),
                None => None,
            },
        }
    }

    /// The order of two personas, by what stands in it.
    pub(crate) fn order(
        self,
        a: &PersonaUsage,
        b: &PersonaUsage,
        seen: Sighting<'_>,
        is_reversed: bool,
    ) -> Ordering {
        let key = self.sort_key().unwrap_or(SortKey::Name);
        key.order(a, b, seen, is_reversed)
    }
}

/// The columns that fit into `room`, from left to right, with their widths, and
/// this many between two. The least important ones are left out, the names get
/// what remains, up to a limit.
pub(crate) fn fitting(room: u16, between: u16, is_of_processes: bool) -> Vec<(Column, u16)> {
    let mut room = room;
    let mut chosen = Vec::new();
    for column in Column::BY_IMPORTANCE {
        if is_of_processes && !column.is_of_processes() {
            continue;
        }
        let gap = if chosen.is_empty() { 0 } else { between };
        // One that does not fit ends it: what is shown at a width is shown at
        // every larger one.
        let Some(rest) = room.checked_sub(column.width() + gap) else { break };
        room = rest;
        chosen.push(column);
    }
    let ordered = Column::ALL.into_iter().filter(|column| chosen.contains(column));
    ordered
        .map(|column| match column {
            Column::Persona => (column, column.width().saturating_add(room).min(NAME_MAX)),
            column => (column, column.width()),
        })
        .collect()
}

const fn figures(row: Row<'_>) -> &Figures {
    match row {
        Row::Persona(usage) => &usage.figures,
        Row::Process(usage, _) => &usage.figures,
    }
}

/// `None` also where it began later than now: a clock was set.
fn age_ns(row: Row<'_>, now: WallTime) -> Option<u64> {
    let started = match row {
        Row::Persona(usage) => usage.started,
        Row::Process(usage, _) => usage.started,
    };
    u64::try_from(now.unix_ns.checked_sub(started?.unix_ns)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_has_its_place_among_the_important_ones() {
        for column in Column::ALL {
            assert!(Column::BY_IMPORTANCE.contains(&column), "{column:?}");
            assert!(Column::ALL.iter().filter(|it| it.is_sortable()).count() == Column::SORTABLE);
            assert!(column.title().len() <= usize::from(column.width()), "{column:?}");
        }
    }

    #[test]
    fn what_fits_a_width_fits_every_larger_one() {
        let mut before = Vec::new();
        for width in 0..300 {
            let now = fitting(width, 2, false);
            let taken: u16 = now.iter().map(|(_, width)| width + 2).sum();
            assert!(now.is_empty() || taken - 2 <= width, "{width}: {now:?}");
            assert!(before.iter().all(|old| now.iter().any(|(new, _)| new == old)), "{width}");
            before = now.into_iter().map(|(column, _)| column).collect();
        }
        assert_eq!(before.len(), Column::ALL.len());
    }

    #[test]
    fn what_is_sortable_has_a_key() {
        for column in Column::ALL {
            assert_eq!(column.sort_key().is_some(), column.is_sortable(), "{column:?}");
        }
    }
}

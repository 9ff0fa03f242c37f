//! What a store has of the last minutes and the last hour.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::ControlFlow,
};

use super::{
    history::{begin, course, span},
    watched::gaps,
};
use crate::{
    detect::{step_ns, summarize},
    model::{
        Course, Crash, EventKind, Metric, NotableEvent, Persona, PersonaHour, Recent, RecentCrash,
        RecentFigure, ReportedCrash, TimeRange, Track, WallTime,
    },
    render::line::facts,
    store::{
        CrashQuery, EventQuery, History as _, Place, Reader, Resolution, StoreError, TrackQuery,
    },
};

const MINUTE_NS: u64 = 60 * 1_000_000_000;
const HOUR_NS: u64 = 60 * MINUTE_NS;
const RECENT_NS: u64 = 5 * MINUTE_NS;
/// Steps of an hour: as many as a wide terminal has dots for.
const STEPS: usize = 500;
/// Crashes of one persona that are told, and other events.
const CRASHES_TOLD: u32 = 20;
const EVENTS_TOLD: usize = 20;
/// What matters of what happens to a persona, beside its crashes.
const NOTABLE: [EventKind; 4] =
    [EventKind::Signal, EventKind::OomKill, EventKind::GpuXid, EventKind::VramSpike];

/// A store, as of now.
pub(super) struct LastHour {
    reader: Reader,
    store: String,
    now: WallTime,
}

impl LastHour {
    /// Opens a store.
    pub(super) fn open(place: Place, now: WallTime) -> Result<Self, StoreError> {
        let store = place.file().display().to_string();
        Ok(Self { reader: Reader::open(place)?, store, now })
    }

    /// What the last minutes came to.
    pub(super) fn recent(&self) -> Result<Recent, StoreError> {
        let from = WallTime { unix_ns: self.now.unix_ns.saturating_sub_unsigned(RECENT_NS) };
        let range = TimeRange { from, until: self.now };
        let tracks = self.reader.tracks(&TrackQuery::all(range, Resolution::Moment))?;
        let figure = |track: Track| {
            let summary = summarize(&track.stretches)?;
            Some(RecentFigure { persona: track.source.persona, metric: track.metric, summary })
        };
        let mut figures: Vec<_> = tracks.into_iter().filter_map(figure).collect();
        figures.sort_by(|a, b| (&a.persona, a.metric).cmp(&(&b.persona, b.metric)));
        let gaps = gaps(&self.reader, &self.reader.coverage()?, range, self.now)?;
        Ok(Recent { store: self.store.clone(), range, figures, gaps })
    }

    /// How the memory of personas went.
    pub(super) fn memory(&self) -> Result<Vec<Course>, StoreError> {
        let courses = self.courses(vec![Metric::RssBytes], Vec::new())?;
        Ok(courses.into_iter().filter(|of| of.series.source.persona.is_some()).collect())
    }

    /// Every crash, the latest first.
    pub(super) fn crashes(&self) -> Result<Vec<Crash>, StoreError> {
        crashes(&self.reader, self.hour())
    }

    /// How many crashes each persona had; `None` where nobody watched.
    pub(super) fn crash_counts(&self) -> Result<Option<BTreeMap<Persona, u64>>, StoreError> {
        Ok(known_crashes(&self.reader, self.hour())?.map(|crashes| counts(&crashes)))
    }

    /// The personas of which there is a figure.
    pub(super) fn personas(&self) -> Result<Vec<Persona>, StoreError> {
        let query = TrackQuery {
            metrics: vec![Metric::Processes, Metric::RssBytes],
            ..TrackQuery::all(self.hour(), Resolution::Minute)
        };
        let tracks = self.reader.tracks(&query)?;
        Ok(tracks.into_iter().filter_map(|track| track.source.persona).collect())
    }

    /// One persona's hour.
    pub(super) fn of(&self, persona: &Persona) -> Result<PersonaHour, StoreError> {
        let range = self.hour();
        let mut courses = self.courses(Vec::new(), vec![persona.name.clone()])?;
        courses.retain(|course| course.series.source.persona.as_ref() == Some(persona));
        courses.sort_by_key(|course| course.series.metric);
        let query = CrashQuery {
            persona: Some(persona.name.clone()),
            genome_id: persona.genome_id.clone(),
            limit: Some(CRASHES_TOLD),
            ..CrashQuery::all(range)
        };
        let crashes = self.reader.crashes(&query)?;
        Ok(PersonaHour {
            store: self.store.clone(),
            range,
            span: span(HOUR_NS),
            step_ns: step_ns(range, span(HOUR_NS), STEPS),
            courses,
            crashes: crashes
                .into_iter()
                .map(|stored| ReportedCrash { id: stored.id.0, crash: stored.crash })
                .collect(),
            events: self.events(persona, range)?,
            gaps: gaps(&self.reader, &self.reader.coverage()?, range, self.now)?,
        })
    }

    fn events(&self, persona: &Persona, range: TimeRange) -> Result<Vec<NotableEvent>, StoreError> {
        let query = EventQuery {
            kinds: NOTABLE.to_vec(),
            persona: Some(persona.name.clone()),
            ..EventQuery::all(range)
        };
        let mut latest = VecDeque::with_capacity(EVENTS_TOLD);
        self.reader.events(&query, &mut |event| {
            if event.persona == Some(persona) {
                if latest.len() == EVENTS_TOLD {
                    latest.pop_front();
                }
                latest.push_back(NotableEvent {
                    wall_time: event.wall_time,
                    kind: event.kind(),
                    tgid: event.process.map(|process| process.key.tgid),
                    text: facts(event),
                });
            }
            ControlFlow::Continue(())
        })?;
        Ok(latest.into_iter().rev().collect())
    }

    fn courses(
        &self,
        metrics: Vec<Metric>,
        personas: Vec<String>,
    ) -> Result<Vec<Course>, StoreError> {
        let (range, span) = (self.hour(), span(HOUR_NS));
        let query = TrackQuery { metrics, personas, ..TrackQuery::all(range, Resolution::Minute) };
        let step_ns = step_ns(range, span, STEPS);
        let tracks = self.reader.tracks(&query)?.into_iter();
        Ok(tracks.filter_map(|track| course(track, range, span, step_ns)).collect())
    }

    fn hour(&self) -> TimeRange {
        TimeRange { from: begin(self.now, HOUR_NS, span(HOUR_NS)), until: self.now }
    }
}

/// Crashes of a range, the latest first; `None` where nobody watched any of it.
pub(super) fn known_crashes(
    reader: &Reader,
    range: TimeRange,
) -> Result<Option<Vec<Crash>>, StoreError> {
    if !reader.coverage()?.iter().any(|run| run.until >= range.from) {
        return Ok(None);
    }
    crashes(reader, range).map(Some)
}

fn crashes(reader: &Reader, range: TimeRange) -> Result<Vec<Crash>, StoreError> {
    let found = reader.crashes(&CrashQuery::all(range))?;
    Ok(found.into_iter().map(|stored| stored.crash).collect())
}

/// How many crashes each persona had that had any.
pub(super) fn counts(crashes: &[Crash]) -> BTreeMap<Persona, u64> {
    let mut counts = BTreeMap::new();
    for persona in crashes.iter().filter_map(whose) {
        *counts.entry(persona).or_default() += 1;
    }
    counts
}

/// Whose a crash was.
fn whose(crash: &Crash) -> Option<Persona> {
    let genome_id = crash.genome_id.clone();
    crash.persona.clone().map(|name| Persona { name, genome_id })
}

/// As health wants them.
pub(super) fn recent_crashes(crashes: &[Crash]) -> Vec<RecentCrash> {
    crashes.iter().map(RecentCrash::of).collect()
}

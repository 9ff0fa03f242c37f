//! What the screen knows and where its reader is: looks and keys go in.

use std::{collections::VecDeque, time::Duration};

use jiff::tz::TimeZone;

use super::{
    column::Column,
    history::History,
    look::{Look, ToldEvent},
};
use crate::model::{Persona, PersonaUsage, WallTime};

/// Events that are kept.
const EVENTS_KEPT: usize = 500;

/// What stays the same for as long as the screen is up.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The host's name.
    pub host: String,
    /// Version of genome-trace.
    pub version: String,
    /// Where times of day are local.
    pub time_zone: TimeZone,
    /// Whether there is colour.
    pub color: bool,
}

/// Where the reader is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Personas,
    Detail(Persona),
    Events,
    Help,
}

/// All that the screen shows.
#[derive(Clone, Debug)]
pub struct State {
    pub(super) setting: Setting,
    /// The last look that there was.
    pub(super) look: Option<Look>,
    /// Why the last one failed, where it did.
    pub(super) trouble: Option<String>,
    pub(super) history: History,
    pub(super) events: VecDeque<ToldEvent>,
    pub(super) page: Page,
    /// Where help came from.
    pub(super) page_before: Page,
    pub(super) sort: Column,
    pub(super) is_reversed: bool,
    pub(super) filter: String,
    /// The filter before it was edited, while it is.
    pub(super) filter_before: Option<String>,
    /// Processes below the personas.
    pub(super) has_trees: bool,
    /// Processes of one persona by memory alone.
    pub(super) is_flat: bool,
    /// Who is selected; it moves with them.
    pub(super) selected: Option<Persona>,
    /// Their row, and what is selected when they are gone.
    pub(super) row: usize,
    /// The selected process of the persona in detail.
    pub(super) process_row: usize,
    /// Events below what is shown.
    pub(super) events_back: usize,
    pub(super) is_paused: bool,
    pub(super) interval: Duration,
}

impl State {
    /// Begins without a look.
    #[must_use]
    pub fn new(setting: Setting, interval: Duration) -> Self {
        Self {
            setting,
            look: None,
            trouble: None,
            history: History::default(),
            events: VecDeque::new(),
            page: Page::Personas,
            page_before: Page::Personas,
            sort: Column::Rss,
            is_reversed: false,
            filter: String::new(),
            filter_before: None,
            has_trees: false,
            is_flat: false,
            selected: None,
            row: 0,
            process_row: 0,
            events_back: 0,
            is_paused: false,
            interval,
        }
    }

    /// A look has come, or the reason why there is none.
    pub fn look(&mut self, look: Result<Look, String>) {
        match look {
            Ok(mut look) => {
                let came = look.events.len();
                self.events.extend(look.events.drain(..));
                let over = self.events.len().saturating_sub(EVENTS_KEPT);
                self.events.drain(..over);
                // Who has gone back stays where they are.
                if self.events_back > 0 {
                    self.events_back += came;
                }
                self.history.look(&look.usage);
                self.look = Some(look);
                self.trouble = None;
            }
            Err(reason) => {
                self.history.gap();
                self.trouble = Some(reason);
            }
        }
        self.settle();
    }

    /// When the figures that are shown were taken.
    pub(super) fn wall_time(&self) -> Option<WallTime> {
        self.look.as_ref().map(|look| look.usage.wall_time)
    }

    /// The personas that pass the filter, sorted.
    pub(super) fn personas(&self) -> Vec<&PersonaUsage> {
        let Some(look) = &self.look else { return Vec::new() };
        let mut personas: Vec<_> =
            look.usage.personas.iter().filter(|usage| self.passes(&usage.persona)).collect();
        personas.sort_by(|a, b| self.sort.order(a, b, look.seen(), self.is_reversed));
        personas
    }

    /// The persona in detail, where it has processes.
    pub(super) fn usage_of(&self, who: &Persona) -> Option<&PersonaUsage> {
        self.look.as_ref()?.usage.personas.iter().find(|usage| usage.persona == *who)
    }

    fn passes(&self, persona: &Persona) -> bool {
        let wanted = self.filter.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        has(&persona.name) || persona.genome_id.as_deref().is_some_and(has)
    }

    /// Puts every selection into its range. Whoever was selected stays so
    /// wherever they are now; who takes the row of one that is gone follows.
    pub(super) fn settle(&mut self) {
        let personas = self.personas();
        let found = personas
            .iter()
            .position(|usage| Some(&usage.persona) == self.selected.as_ref())
            .unwrap_or_else(|| self.row.min(personas.len().saturating_sub(1)));
        let selected = personas.get(found).map(|usage| usage.persona.clone());
        self.row = found;
        // An empty table forgets nobody: a filter may be on its way.
        if selected.is_some() {
            self.selected = selected;
        }
        if let Page::Detail(who) = &self.page {
            let processes = self.usage_of(who).map_or(0, |usage| usage.processes.len());
            self.process_row = self.process_row.min(processes.saturating_sub(1));
        }
        self.events_back = self.events_back.min(self.events.len().saturating_sub(1));
    }
}

//! Who is watched: a bounded number of personas, each at a place of its own.

use super::Watched;
use crate::model::Persona;

/// Personas that are watched at a time; of more, those who were heard of last.
pub(super) const PERSONAS: usize = 128;

/// Those who are watched.
#[derive(Debug, Default)]
pub(super) struct Personas {
    pub(super) all: Vec<Watched>,
    /// How many have been watched so far.
    entered: u64,
    /// The persona of the last event.
    last: usize,
}

impl Personas {
    /// The persona's place, which it has from now on. `hint` is where it was
    /// last, as far as its process knows: events of personas come mixed, and a
    /// search at each of them would be most of what it costs.
    pub(super) fn place(&mut self, persona: &Persona, hint: Option<usize>, now_ns: u64) -> usize {
        let is_at =
            |place: usize| self.all.get(place).is_some_and(|watched| watched.persona == *persona);
        let hint = hint.unwrap_or(self.last);
        let place = if is_at(hint) {
            hint
        } else {
            let known = self.all.iter().position(|watched| watched.persona == *persona);
            known.unwrap_or_else(|| self.enter(persona, now_ns))
        };
        if let Some(watched) = self.all.get_mut(place) {
            watched.heard_ns = now_ns;
            watched.is_changed = true;
        }
        self.last = place;
        place
    }

    fn enter(&mut self, persona: &Persona, now_ns: u64) -> usize {
        self.entered += 1;
        if self.all.len() < PERSONAS {
            self.all.push(Watched::new(persona.clone(), self.entered, now_ns));
            return self.all.len() - 1;
        }
        let oldest = self.all.iter().enumerate().min_by_key(|(_, watched)| watched.heard_ns);
        let place = oldest.map_or(0, |(place, _)| place);
        if let Some(watched) = self.all.get_mut(place) {
            watched.forget(now_ns);
            watched.persona = persona.clone();
            watched.number = self.entered;
        }
        place
    }
}

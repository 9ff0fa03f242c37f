//! The last events, the newest at the end.

use ratatui_core::layout::Rect;

use super::canvas::{Canvas, Tone};
use crate::{model::EventKind, screen::state::State};

/// Draws as many as fit, without the last `back`.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State, back: usize) {
    let height = usize::from(area.height);
    // The first screenful does not scroll off at its end.
    let end = state.events.len().saturating_sub(back).max(height.min(state.events.len()));
    let begin = end.saturating_sub(height);
    for (y, event) in (area.y..).zip(state.events.range(begin..end)) {
        canvas.text(area.x, y, area.width, &event.line, tone(event.kind));
    }
    if state.events.is_empty() {
        canvas.text(area.x, area.y, area.width, "No events so far.", Tone::Plain);
    }
}

const fn tone(kind: EventKind) -> Tone {
    match kind {
        EventKind::OomKill | EventKind::GpuXid | EventKind::Lost => Tone::Critical,
        EventKind::Signal | EventKind::VramSpike => Tone::Warning,
        EventKind::Fork => Tone::Faint,
        _ => Tone::Plain,
    }
}

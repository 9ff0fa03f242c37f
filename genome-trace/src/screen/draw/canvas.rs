//! Text in a buffer, within an area and in the reader's columns.

use ratatui_core::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};

use crate::{
    model::HealthState,
    render::text::{columns, cut},
};

/// How loud something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Faint,
    Heading,
    Good,
    Warning,
    Critical,
}

impl From<HealthState> for Tone {
    fn from(state: HealthState) -> Self {
        match state {
            HealthState::Healthy => Self::Good,
            HealthState::Warning => Self::Warning,
            HealthState::Critical => Self::Critical,
        }
    }
}

/// Where is drawn. What reaches beyond it is cut.
pub(super) struct Canvas<'a> {
    pub(super) buffer: &'a mut Buffer,
    pub(super) color: bool,
}

impl Canvas<'_> {
    /// Without colour, bold alone stands out.
    fn style(&self, tone: Tone) -> Style {
        let style = Style::new();
        let colored = |color| if self.color { style.fg(color) } else { style };
        match tone {
            Tone::Plain => style,
            Tone::Faint if self.color => style.add_modifier(Modifier::DIM),
            Tone::Faint => style,
            Tone::Heading => style.add_modifier(Modifier::BOLD),
            Tone::Good => colored(Color::Green).add_modifier(Modifier::BOLD),
            Tone::Warning => colored(Color::Yellow),
            Tone::Critical => colored(Color::Red).add_modifier(Modifier::BOLD),
        }
    }

    /// Text from `x` on, in at most `width` columns; how many it took.
    pub(super) fn text(&mut self, x: u16, y: u16, width: u16, text: &str, tone: Tone) -> u16 {
        let area = *self.buffer.area();
        if y < area.y || y >= area.bottom() || x < area.x || x >= area.right() {
            return 0;
        }
        let width = width.min(area.right() - x);
        let text = cut(text, width.into());
        let style = self.style(tone);
        let (end, _) = self.buffer.set_stringn(x, y, text, width.into(), style);
        end.saturating_sub(x)
    }

    /// Text whose last column is the last of `width`; it is cut on the right.
    pub(super) fn text_right(&mut self, x: u16, y: u16, width: u16, text: &str, tone: Tone) {
        let taken = u16::try_from(columns(text)).unwrap_or(u16::MAX).min(width);
        self.text(x.saturating_add(width - taken), y, taken, text, tone);
    }

    /// Pieces one after the other, two columns between them, as long as they
    /// fit whole; the first is cut where it does not.
    pub(super) fn pieces(&mut self, area: Rect, y: u16, pieces: &[(String, Tone)]) {
        let mut x = area.x;
        for (index, (text, tone)) in pieces.iter().enumerate() {
            let room = area.right().saturating_sub(x);
            if index > 0 && columns(text) > room.into() {
                return;
            }
            x = x.saturating_add(self.text(x, y, room, text, *tone)).saturating_add(2);
        }
    }

    /// Marks a row as the selected one: reversed, which takes no colour.
    pub(super) fn select(&mut self, row: Rect) {
        let row = row.intersection(*self.buffer.area());
        self.buffer.set_style(row, Style::new().add_modifier(Modifier::REVERSED));
    }
}

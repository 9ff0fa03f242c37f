//! What the keys do, for `?`.

use ratatui_core::layout::Rect;

use super::canvas::{Canvas, Tone};

const KEYS: [(&str, &str); 15] = [
    ("? h F1", "this help, and back"),
    ("q Esc", "one page back; from the personas: the end"),
    ("Ctrl-C", "the end"),
    ("Ctrl-Z", "stop, until fg"),
    ("Up Down j k", "select; also PgUp, PgDn, Home, End, g, G"),
    ("Enter", "the selected persona: its figures and processes"),
    ("s > <", "sort by the next column, or the one before"),
    ("S", "sort the other way round"),
    ("/", "only personas whose name or genome id has this in it"),
    ("x", "no filter"),
    ("t", "processes below the personas; in a persona: tree or by memory"),
    ("e", "the last events"),
    ("p Space", "look no more, or again"),
    ("+ -", "look less often, or oftener"),
    ("Ctrl-L", "draw everything anew"),
];

const NOTES: [&str; 3] = [
    "-  is unknown; it is never 0. CPU and GPU: 100 % is one of them.",
    "LIMIT is the memory that all its processes may have together.",
    "CRASHES are those of the last hour. A space in a sparkline: no look.",
];

/// Draws it.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect) {
    let mut y = area.y;
    for (keys, what) in KEYS {
        canvas.text(area.x, y, area.width, keys, Tone::Heading);
        canvas.text(area.x.saturating_add(14), y, area.width.saturating_sub(14), what, Tone::Plain);
        y = y.saturating_add(1);
    }
    for note in NOTES {
        y = y.saturating_add(1);
        canvas.text(area.x, y, area.width, note, Tone::Plain);
    }
}

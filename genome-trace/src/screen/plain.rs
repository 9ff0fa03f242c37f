//! A look as a plain table, for a pipe: nothing is cut, coloured or left out.

use super::{column::Row, draw, state::State};
use crate::render::{time::LocalDateTime, usage_table::lines};

/// Appends the time, the header, the table and an empty line; nothing where
/// there is no look.
pub fn write_plain(out: &mut Vec<u8>, state: &State) {
    let (Some(look), Some(time)) = (&state.look, state.wall_time()) else { return };
    let rows: Vec<_> = state.personas().into_iter().map(Row::Persona).collect();
    let mut text = format!("{}\n", LocalDateTime(time, &state.setting.time_zone));
    for line in draw::header_lines(state).chain(lines(&rows, look.seen(), None, false)) {
        text.push_str(&line);
        text.push('\n');
    }
    text.push('\n');
    out.extend_from_slice(text.as_bytes());
}

//! The screen under fixed looks, and any keys.

use std::time::Duration;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use ratatui_core::{backend::TestBackend, buffer::Buffer, layout::Rect, style::Color};
use ratatui_crossterm::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{
    Setting, State, Wish, draw,
    script::{empty, look},
    state::Page,
    write_plain,
};

const SECOND: Duration = Duration::from_secs(1);

fn state(color: bool) -> State {
    let setting = Setting {
        host: "box".to_owned(),
        version: "0.1.0".to_owned(),
        time_zone: TimeZone::UTC,
        color,
    };
    State::new(setting, SECOND)
}

/// After looks of 35 seconds, of which one failed.
fn full() -> State {
    full_with(true)
}

fn full_with(color: bool) -> State {
    let mut state = state(color);
    for step in 0..35 {
        let look = if step == 30 { Err("too late".to_owned()) } else { Ok(look(step)) };
        state.look(look);
    }
    state
}

fn buffer(state: &State, width: u16, height: u16) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    draw(state, &mut buffer);
    buffer
}

/// As it stands on a terminal, with the selected rows' `>`.
fn shown(state: &State, width: u16, height: u16) -> String {
    let mut backend = TestBackend::new(width, height);
    let buffer = buffer(state, width, height);
    let cells: Vec<_> = Buffer::empty(buffer.area).diff(&buffer);
    ratatui_core::backend::Backend::draw(&mut backend, cells.into_iter()).unwrap();
    backend.to_string()
}

fn press(state: &mut State, keys: &str) -> Wish {
    let mut wish = Wish::Draw;
    for c in keys.chars() {
        let code = match c {
            '\n' => KeyCode::Enter,
            '\x1b' => KeyCode::Esc,
            c => KeyCode::Char(c),
        };
        wish = state.key(KeyEvent::new(code, KeyModifiers::NONE));
    }
    wish
}

fn control(c: char) -> KeyEvent {
    KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)
}

#[test]
fn personas() {
    for (width, height) in [(80, 24), (120, 40), (200, 50)] {
        insta::assert_snapshot!(
            format!("personas_{width}x{height}"),
            shown(&full(), width, height)
        );
    }
}

#[test]
fn personas_with_their_processes() {
    let mut state = full();
    press(&mut state, "t");
    insta::assert_snapshot!(shown(&state, 120, 40));
}

#[test]
fn detail() {
    let mut state = full();
    press(&mut state, "\n");
    for (width, height) in [(80, 24), (120, 40), (200, 50)] {
        insta::assert_snapshot!(format!("detail_{width}x{height}"), shown(&state, width, height));
    }
    press(&mut state, "tj");
    insta::assert_snapshot!("detail_by_memory_80x24", shown(&state, 80, 24));
}

#[test]
fn events() {
    let mut state = full();
    press(&mut state, "e");
    for (width, height) in [(80, 24), (200, 50)] {
        insta::assert_snapshot!(format!("events_{width}x{height}"), shown(&state, width, height));
    }
}

#[test]
fn help() {
    let mut state = full();
    press(&mut state, "?");
    for (width, height) in [(80, 24), (200, 50)] {
        insta::assert_snapshot!(format!("help_{width}x{height}"), shown(&state, width, height));
    }
}

#[test]
fn filter() {
    let mut state = full();
    press(&mut state, "/EXP");
    insta::assert_snapshot!("filter_typed_80x24", shown(&state, 80, 24));
    press(&mut state, "\n");
    insta::assert_snapshot!("filter_set_80x24", shown(&state, 80, 24));
}

#[test]
fn without_looks_personas_or_source() {
    let mut state = state(true);
    insta::assert_snapshot!("first_80x24", shown(&state, 80, 24));
    state.look(Ok(empty()));
    insta::assert_snapshot!("empty_80x24", shown(&state, 80, 24));
    let mut state = full();
    state.look(Err("cannot reach the recorder at /run/x.sock: start it".to_owned()));
    insta::assert_snapshot!("lost_80x24", shown(&state, 80, 24));
}

#[test]
fn plain_tables() {
    let mut out = Vec::new();
    write_plain(&mut out, &full());
    insta::assert_snapshot!(String::from_utf8(out).unwrap());
}

#[test]
fn without_colour_there_is_none_and_with_it_there_is() {
    let mut plain = full_with(false);
    let is_colored = |buffer: &Buffer| {
        buffer.content().iter().any(|cell| (cell.fg, cell.bg) != (Color::Reset, Color::Reset))
    };
    for keys in ["", "\n", "\x1be", "?"] {
        press(&mut plain, keys);
        assert!(!is_colored(&buffer(&plain, 120, 40)), "{keys:?}");
    }
    assert!(is_colored(&buffer(&full(), 120, 40)));
    // The text is the same.
    let mut plain_again = plain.clone();
    press(&mut plain_again, "qq");
    assert_eq!(shown(&plain_again, 120, 40), shown(&full(), 120, 40));
}

#[test]
fn the_selection_stays_with_its_persona() {
    let mut state = full();
    press(&mut state, "j");
    let name = |state: &State| state.selected.as_ref().map(|who| who.name.clone());
    assert_eq!(name(&state).as_deref(), Some("MathExpert"));
    press(&mut state, "S");
    assert_eq!(name(&state).as_deref(), Some("MathExpert"));
    let mut without = look(36);
    without.usage.personas.retain(|usage| usage.persona.name != "MathExpert");
    state.look(Ok(without));
    assert!(state.selected.is_some() && name(&state).as_deref() != Some("MathExpert"));
}

#[test]
fn the_unknown_is_last_in_either_direction() {
    let mut state = full();
    let last = |state: &State| state.personas().last().map(|usage| usage.persona.name.clone());
    state.look(Ok(look(31)));
    assert_eq!(last(&state).as_deref(), Some("日本語の翻訳者"));
    press(&mut state, "S");
    assert_eq!(last(&state).as_deref(), Some("日本語の翻訳者"));
}

#[test]
fn keys_lead_there_and_back() {
    let mut state = full();
    press(&mut state, "\n");
    assert!(matches!(&state.page, Page::Detail(who) if who.name == "CodeExpert"));
    press(&mut state, "?");
    assert_eq!(state.page, Page::Help);
    press(&mut state, "q");
    assert!(matches!(&state.page, Page::Detail(_)));
    press(&mut state, "\x1b");
    assert_eq!(state.page, Page::Personas);
    press(&mut state, "/x");
    // In a filter q is a letter, and Esc undoes what was typed.
    assert_eq!(press(&mut state, "q"), Wish::Draw);
    assert_eq!(state.filter, "xq");
    press(&mut state, "\x1b");
    assert_eq!(state.filter, "");
    press(&mut state, "/m\n");
    assert_eq!(press(&mut state, "\x1b"), Wish::Draw);
    assert_eq!(state.filter, "");
    assert_eq!(press(&mut state, "\x1b"), Wish::Quit);
    assert_eq!(press(&mut state, "q"), Wish::Quit);
    assert_eq!(state.key(control('c')), Wish::Quit);
    assert_eq!(state.key(control('z')), Wish::Suspend);
}

#[test]
fn the_interval_has_ends() {
    let mut state = full();
    assert_eq!(press(&mut state, "+"), Wish::Interval(2 * SECOND));
    press(&mut state, "--------------------");
    assert_eq!(state.interval, Duration::from_millis(100));
    assert_eq!(press(&mut state, "-"), Wish::Draw);
    assert_eq!(press(&mut state, "p"), Wish::Pause(true));
    assert_eq!(press(&mut state, "p"), Wish::Pause(false));
}

#[test]
fn sorting_goes_through_all_columns_and_back() {
    let mut state = full();
    let begin = state.sort;
    press(&mut state, "s<");
    assert_eq!(state.sort, begin);
    let mut steps = 0;
    loop {
        press(&mut state, "s");
        steps += 1;
        if state.sort == begin {
            break;
        }
    }
    assert_eq!(steps, super::column::Column::SORTABLE);
}

fn any_key() -> impl Strategy<Value = KeyEvent> {
    let special = prop::sample::select(vec![
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::Backspace,
        KeyCode::F(1),
    ]);
    let known = prop::sample::select("qjkgGsSxtep+-/?<>h ".chars().collect::<Vec<_>>());
    prop_oneof![
        4 => special.prop_map(|code| KeyEvent::new(code, KeyModifiers::NONE)),
        4 => known.prop_map(|c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)),
        1 => any::<char>().prop_map(|c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE)),
        1 => any::<char>().prop_map(control),
    ]
}

proptest! {
    /// Whatever is pressed while personas come and go, on any terminal.
    #[test]
    fn no_keys_break_it(
        keys in prop::collection::vec((any_key(), any::<Option<u8>>()), 0..60),
        (width, height) in (0_u16..220, 0_u16..60),
    ) {
        let mut state = full();
        for (key, step) in keys {
            state.key(key);
            match step {
                Some(255) => state.look(Err("gone".to_owned())),
                Some(254) => state.look(Ok(empty())),
                Some(step) if step < 60 => state.look(Ok(look(step.into()))),
                _ => {}
            }
            let personas = state.personas().len();
            prop_assert!(state.row < personas.max(1));
            prop_assert!(state.events_back < state.events.len().max(1));
            if let Page::Detail(who) = &state.page {
                let processes = state.usage_of(who).map_or(0, |usage| usage.processes.len());
                prop_assert!(state.process_row < processes.max(1));
            }
            let buffer = buffer(&state, width, height);
            let texts = buffer.content().iter().map(|cell| cell.symbol());
            prop_assert!(texts.flat_map(str::chars).all(|c| !c.is_control()));
        }
    }
}

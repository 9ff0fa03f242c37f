//! What the keys do.

use std::time::Duration;

use ratatui_crossterm::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{
    column::Column,
    state::{Page, State},
};

/// Times between looks, for `+` and `-`.
const INTERVALS: [Duration; 9] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
];
/// Rows that Page Up and Page Down move by.
const PAGE_ROWS: isize = 10;
/// A longer filter is not taken.
const FILTER_CHARS: usize = 64;

/// What a key asks of those around the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Nothing more than to draw.
    Draw,
    /// To end.
    Quit,
    /// To stop as Ctrl-Z does in a shell.
    Suspend,
    /// To draw everything anew.
    Redraw,
    /// To look as often as this.
    Interval(Duration),
    /// To look no more, or again.
    Pause(bool),
}

impl State {
    /// A key was pressed.
    pub fn key(&mut self, key: KeyEvent) -> Wish {
        if key.kind == KeyEventKind::Release {
            return Wish::Draw;
        }
        let wish = if key.modifiers.contains(KeyModifiers::CONTROL) {
            self.control(key.code)
        } else if self.filter_before.is_some() {
            self.edit(key.code);
            Wish::Draw
        } else {
            self.command(key.code)
        };
        self.settle();
        wish
    }

    fn control(&mut self, code: KeyCode) -> Wish {
        match code {
            KeyCode::Char('c') => return Wish::Quit,
            KeyCode::Char('z') => return Wish::Suspend,
            KeyCode::Char('l') => return Wish::Redraw,
            KeyCode::Char('u') if self.filter_before.is_some() => self.filter.clear(),
            _ => {}
        }
        Wish::Draw
    }

    fn edit(&mut self, code: KeyCode) {
        match code {
            KeyCode::Enter => self.filter_before = None,
            KeyCode::Esc => self.filter = self.filter_before.take().unwrap_or_default(),
            KeyCode::Backspace => {
                self.filter.pop();
            }
            KeyCode::Char(c) if !c.is_control() && self.filter.chars().count() < FILTER_CHARS => {
                self.filter.push(c);
            }
            _ => {}
        }
    }

    fn command(&mut self, code: KeyCode) -> Wish {
        match code {
            KeyCode::Char('q') | KeyCode::Esc => return self.back(code == KeyCode::Esc),
            KeyCode::Char('?' | 'h') | KeyCode::F(1) => self.help(),
            KeyCode::Char('p' | ' ') => {
                self.is_paused = !self.is_paused;
                if self.is_paused {
                    self.history.gap();
                }
                return Wish::Pause(self.is_paused);
            }
            KeyCode::Char('+' | '=') => return self.interval(true),
            KeyCode::Char('-') => return self.interval(false),
            KeyCode::Char('e') if self.page == Page::Events => self.page = Page::Personas,
            KeyCode::Char('e') => {
                self.page = Page::Events;
                self.events_back = 0;
            }
            KeyCode::Up | KeyCode::Char('k') => self.step(-1),
            KeyCode::Down | KeyCode::Char('j') => self.step(1),
            KeyCode::PageUp => self.step(-PAGE_ROWS),
            KeyCode::PageDown => self.step(PAGE_ROWS),
            KeyCode::Home | KeyCode::Char('g') => self.step(isize::MIN),
            KeyCode::End | KeyCode::Char('G') => self.step(isize::MAX),
            KeyCode::Char('t') if matches!(self.page, Page::Detail(_)) => {
                self.is_flat = !self.is_flat;
            }
            code if self.page == Page::Personas => self.on_personas(code),
            _ => {}
        }
        Wish::Draw
    }

    fn on_personas(&mut self, code: KeyCode) {
        match code {
            KeyCode::Enter | KeyCode::Right => {
                let is_there = !self.personas().is_empty();
                if let Some(who) = self.selected.clone().filter(|_| is_there) {
                    self.page = Page::Detail(who);
                    self.process_row = 0;
                }
            }
            KeyCode::Char('s' | '>') => self.sort_by(1),
            KeyCode::Char('<') => self.sort_by(Column::SORTABLE - 1),
            KeyCode::Char('S') => self.is_reversed = !self.is_reversed,
            KeyCode::Char('/') => self.filter_before = Some(self.filter.clone()),
            KeyCode::Char('x') => self.filter.clear(),
            KeyCode::Char('t') => self.has_trees = !self.has_trees,
            _ => {}
        }
    }

    /// One page back. From the personas there is none: a filter goes first
    /// where it was Esc, and then the screen.
    fn back(&mut self, is_escape: bool) -> Wish {
        match self.page {
            Page::Personas if is_escape && !self.filter.is_empty() => self.filter.clear(),
            Page::Personas => return Wish::Quit,
            Page::Help => self.help(),
            Page::Detail(_) | Page::Events => self.page = Page::Personas,
        }
        Wish::Draw
    }

    fn help(&mut self) {
        if self.page == Page::Help {
            self.page = std::mem::replace(&mut self.page_before, Page::Personas);
        } else {
            self.page_before = std::mem::replace(&mut self.page, Page::Help);
        }
    }

    fn interval(&mut self, is_longer: bool) -> Wish {
        let next = if is_longer {
            INTERVALS.into_iter().find(|interval| *interval > self.interval)
        } else {
            INTERVALS.into_iter().rfind(|interval| *interval < self.interval)
        };
        let Some(next) = next else { return Wish::Draw };
        self.interval = next;
        Wish::Interval(next)
    }

    fn sort_by(&mut self, step: usize) {
        let columns = || Column::ALL.into_iter().filter(|column| column.is_sortable());
        let at = columns().position(|column| column == self.sort).unwrap_or(0);
        if let Some(next) = columns().cycle().nth(at + step) {
            self.sort = next;
        }
    }

    /// Moves the selection, or the events, by so many rows.
    fn step(&mut self, rows: isize) {
        match &self.page {
            Page::Personas => {
                let personas = self.personas();
                let last = personas.len().saturating_sub(1);
                let row = self.row.saturating_add_signed(rows).min(last);
                let selected = personas.get(row).map(|usage| usage.persona.clone());
                if selected.is_some() {
                    self.selected = selected;
                }
                self.row = row;
            }
            Page::Detail(_) => self.process_row = self.process_row.saturating_add_signed(rows),
            Page::Events => {
                let back = isize::try_from(self.events_back).unwrap_or(isize::MAX);
                let back = back.saturating_sub(rows).max(0);
                self.events_back = usize::try_from(back).unwrap_or(0);
            }
            Page::Help => {}
        }
    }
}

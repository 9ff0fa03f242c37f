//! Readers behind real sockets.

use std::{
    io::Read as _,
    task::{Context, Waker},
};

use super::*;
use crate::model::{AttachNote, Payload, WallTime};

fn event(unix_ns: i64, payload: Payload<'static>) -> Event<'static> {
    Event {
        ktime_ns: 0,
        wall_time: WallTime { unix_ns },
        process: None,
        persona: None,
        persona_root: None,
        payload,
    }
}

fn fork(unix_ns: i64) -> Event<'static> {
    event(unix_ns, Payload::Fork)
}

fn lost() -> Event<'static> {
    event(0, Payload::Lost(crate::model::Lost { exec: 7, ..Default::default() }))
}

/// A reader's own end, and what lets it in.
fn pair(wants: fn(&Event<'_>) -> bool) -> (UnixStream, NewReader) {
    let (own, socket) = UnixStream::pair().unwrap();
    socket.set_nonblocking(true).unwrap();
    let form = Form::Json { host: "box".to_owned() };
    (
        own,
        NewReader {
            socket,
            greeting: b"hello\n".to_vec(),
            wants: Box::new(wants),
            form,
            looks: false,
        },
    )
}

/// What came up to the last note, in order: how many events, or what was told.
#[derive(Debug, PartialEq)]
enum Came {
    Events(u64),
    Note(AttachNote),
}

fn came(mut own: UnixStream) -> Vec<Came> {
    let mut bytes = Vec::new();
    own.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.pop(), Some(b'\n'));
    let mut lines = bytes.split(|byte| *byte == b'\n');
    assert_eq!(lines.next(), Some(&b"hello"[..]));
    let mut came = Vec::new();
    for line in lines {
        match (AttachNote::from_line(line), came.last_mut()) {
            (Some(note), _) => came.push(Came::Note(note.unwrap())),
            (None, Some(Came::Events(count))) => *count += 1,
            (None, _) => {
                let value: serde_json::Value = serde_json::from_slice(line).unwrap();
                assert_eq!(value.get("host").unwrap(), "box");
                came.push(Came::Events(1));
            }
        }
    }
    came
}

const LAST: AttachNote = AttachNote { missed: 0, missed_until: None, lost: 0, last: true };

#[test]
fn each_gets_what_it_wants_and_no_more_after_the_end() {
    let mut readers = Readers::default();
    let (all, new) = pair(|_| true);
    let of_all = readers.add(new);
    let (some, new) = pair(|event| event.wall_time.unix_ns > 2);
    let of_some = readers.add(new);
    for time in 0..5 {
        readers.event(&fork(time)).unwrap();
    }
    readers.flush().unwrap();
    assert_eq!(of_all.end(), Standing::Done);
    readers.event(&fork(9)).unwrap();
    assert_eq!(of_some.end(), Standing::Done);
    drop((of_all, of_some));
    assert_eq!(came(all), [Came::Events(5), Came::Note(LAST)]);
    assert_eq!(came(some), [Came::Events(3), Came::Note(LAST)]);
}

#[test]
fn one_that_does_not_read_is_told_how_many_it_missed_and_where() {
    const EVENTS: u64 = 20_000;
    let mut readers = Readers::default();
    let (own, new) = pair(|_| true);
    let slow = readers.add_with_room(new, 4096);
    let (quick, new) = pair(|_| true);
    let of_quick = readers.add(new);
    let reading = std::thread::spawn(move || came(quick));
    for time in 0..EVENTS {
        readers.event(&fork(time as i64)).unwrap();
        readers.flush().unwrap();
        // The quick one has time to read: it is as slow as this test.
        while of_quick.write() == Standing::Waits {
            std::thread::yield_now();
        }
    }
    assert_eq!(slow.write(), Standing::Waits);
    let _ = slow.end();
    let _ = of_quick.end();
    drop(of_quick);
    assert_eq!(reading.join().unwrap(), [Came::Events(EVENTS), Came::Note(LAST)]);
    let reading = std::thread::spawn(move || came(own));
    while slow.write() != Standing::Done {
        std::thread::yield_now();
    }
    drop(slow);
    let came = reading.join().unwrap();
    let [Came::Events(shown), Came::Note(note)] = came.as_slice() else { panic!("{came:?}") };
    assert!(note.last && note.missed > 0);
    assert_eq!(shown + note.missed, EVENTS);
    assert_eq!(note.missed_until, Some(WallTime { unix_ns: EVENTS as i64 - 1 }));
}

/// Whether somebody is called to look after a reader.
fn is_woken(place: &Place) -> bool {
    let woken = std::pin::pin!(place.woken());
    let mut context = Context::from_waker(Waker::noop());
    woken.poll(&mut context).is_ready()
}

#[test]
fn one_that_does_not_read_is_looked_after_once() {
    let mut readers = Readers::default();
    let (own, new) = pair(|_| true);
    let place = readers.add(new);
    assert!(!is_woken(&place));
    while place.write() != Standing::Waits {
        readers.event(&fork(1)).unwrap();
        readers.flush().unwrap();
    }
    assert!(is_woken(&place));
    for _ in 0..3 {
        assert_eq!(place.write(), Standing::Waits);
        readers.flush().unwrap();
        assert!(!is_woken(&place));
    }
    drop(own);
    assert_eq!(place.write(), Standing::Done);
    assert!(is_woken(&place));
}

#[test]
fn after_a_gap_it_goes_on() {
    let mut readers = Readers::default();
    let (own, new) = pair(|_| true);
    let slow = readers.add_with_room(new, 4096);
    let mut told = 0;
    let mut flood = |readers: &mut Readers| {
        for _ in 0..10_000 {
            readers.event(&fork(told)).unwrap();
            told += 1;
        }
    };
    flood(&mut readers);
    let reading = std::thread::spawn(move || came(own));
    // All that waits, and the note behind it, is read before the next flood.
    while slow.write() != Standing::Idle {
        std::thread::yield_now();
    }
    readers.event(&fork(-1)).unwrap();
    while slow.end() != Standing::Done {
        std::thread::yield_now();
    }
    drop(slow);
    let came = reading.join().unwrap();
    let [Came::Events(shown), Came::Note(note), Came::Events(1), Came::Note(LAST)] =
        came.as_slice()
    else {
        panic!("{came:?}")
    };
    assert_eq!(shown + note.missed, 10_000);
}

#[test]
fn losses_are_told_to_those_too_who_want_none() {
    let mut readers = Readers::default();
    let (own, new) = pair(|_| false);
    let place = readers.add(new);
    readers.event(&lost()).unwrap();
    readers.event(&lost()).unwrap();
    readers.flush().unwrap();
    assert_eq!(place.end(), Standing::Done);
    drop(place);
    let note = AttachNote { lost: 14, ..AttachNote::default() };
    assert_eq!(came(own), [Came::Note(note), Came::Note(LAST)]);
}

#[test]
fn one_that_went_away_is_done() {
    let mut readers = Readers::default();
    let (own, new) = pair(|_| true);
    let place = readers.add(new);
    drop(own);
    readers.event(&fork(0)).unwrap();
    readers.flush().unwrap();
    assert_eq!(place.write(), Standing::Done);
    drop(place);
    assert!(readers.shared.readers.borrow().is_empty());
}

//! The recorder's side with guests that behave, and such that do not.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream as Guest,
};

use tokio::task::LocalSet;

use super::*;
use crate::{
    model::{AttachNote, Event, Payload, WallTime},
    sink::Sink as _,
};

const REQUEST: &str = r#"{"v":1,"kinds":[],"comms":[],"uids":[],"personas":[],"cgroups":[],"exclude_self":true,"form":"json"}"#;

fn welcome() -> AttachWelcome {
    AttachWelcome {
        version: "1".to_owned(),
        pid: 7,
        since: WallTime { unix_ns: 0 },
        mode: Some("fexit".to_owned()),
    }
}

fn fork() -> Event<'static> {
    Event {
        ktime_ns: 0,
        wall_time: WallTime { unix_ns: 0 },
        process: None,
        persona: None,
        persona_root: None,
        payload: Payload::Fork,
    }
}

fn host(patience: Duration) -> (Rc<Host>, mpsc::Receiver<Request>) {
    let (ask, asked) = mpsc::channel(1);
    let seats = Semaphore::new(SEATS);
    let readers = Readers::default();
    (Rc::new(Host { readers, welcome: welcome(), ask, seats, patience }), asked)
}

/// A guest's end, and ours.
fn pair() -> (Guest, UnixStream) {
    let (guest, own) = Guest::pair().unwrap();
    own.set_nonblocking(true).unwrap();
    (guest, UnixStream::from_std(own).unwrap())
}

fn block_on<T>(run: impl Future<Output = T>) -> T {
    let runtime = follow_runtime();
    runtime.block_on(LocalSet::new().run_until(run))
}

fn follow_runtime() -> tokio::runtime::Runtime {
    super::super::session::event_loop().unwrap()
}

/// What a guest that says this is answered, when it is received alone.
fn answer(said: Vec<u8>, patience: Duration, closes: bool) -> Vec<u8> {
    block_on(async {
        let (host, _asked) = host(patience);
        let (mut guest, own) = pair();
        let guest = std::thread::spawn(move || {
            // It may be turned away before it has said all.
            let _ = guest.write_all(&said);
            if closes {
                let _ = guest.shutdown(std::net::Shutdown::Write);
            }
            let mut answer = Vec::new();
            let _ = BufReader::new(&guest).read_until(b'\n', &mut answer);
            answer
        });
        let _ = host.receive(&own).await;
        drop(own);
        guest.join().unwrap()
    })
}

fn refusal(said: impl Into<Vec<u8>>) -> String {
    let line = answer(said.into(), PATIENCE, false);
    match AttachAnswer::from_line(&line) {
        Ok(AttachAnswer::Error(sentence)) => sentence,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nonsense_is_turned_away_with_a_sentence() {
    assert!(refusal("GET / HTTP/1.1\n").contains("makes no sense"));
    assert!(refusal("\u{0}\u{1}\n").contains("makes no sense"));
    assert!(refusal(format!("{REQUEST}\nmore\n")).contains("more than a line"));
    assert!(refusal("{\"v\":2}\n").contains("version 2"));
    let other_kind = REQUEST.replace(r#""kinds":[]"#, r#""kinds":["crash"]"#);
    assert!(refusal(format!("{other_kind}\n")).contains("\"crash\""));
    let no_zone = r#"{"line":{"color":false,"width":null,"time_zone":"Nowhere/Never"}}"#;
    let no_zone = REQUEST.replace(r#""json""#, no_zone);
    assert!(refusal(format!("{no_zone}\n")).contains("Nowhere/Never"));
}

#[test]
fn so_is_a_line_that_does_not_end() {
    assert!(refusal(vec![b'x'; 10_000_000]).contains("longer than 65536 bytes"));
}

#[test]
fn so_is_one_who_says_nothing() {
    let line = answer(Vec::new(), Duration::from_millis(10), false);
    assert!(
        matches!(AttachAnswer::from_line(&line), Ok(AttachAnswer::Error(why)) if why.contains("no request")),
    );
}

#[test]
fn who_only_looks_whether_somebody_is_there_is_told_nothing() {
    assert!(answer(Vec::new(), PATIENCE, true).is_empty());
    assert!(answer(b"{\"v\":".to_vec(), PATIENCE, true).is_empty());
}

#[test]
fn a_reader_is_welcomed_and_sees_all_until_it_leaves() {
    block_on(async {
        let (host, mut asked) = host(PATIENCE);
        let (mut guest, own) = pair();
        let serving = {
            let host = Rc::clone(&host);
            spawn_local(async move { host.receive(&own).await })
        };
        let guest = std::thread::spawn(move || {
            guest.write_all(format!("{REQUEST}\n").as_bytes()).unwrap();
            let mut lines = BufReader::new(&guest);
            let mut line = Vec::new();
            lines.read_until(b'\n', &mut line).unwrap();
            assert_eq!(AttachAnswer::from_line(&line), Ok(AttachAnswer::Welcome(welcome())));
            guest.shutdown(std::net::Shutdown::Write).unwrap();
            let mut rest = Vec::new();
            lines.read_to_end(&mut rest).unwrap();
            rest
        });
        // What happened before it left is passed on when it leaves.
        let Some(Request::CatchUp(answer)) = asked.recv().await else { panic!("not asked") };
        let mut sink = host.readers.clone();
        sink.event(&fork()).unwrap();
        answer.send(()).unwrap();
        serving.await.unwrap().unwrap();
        sink.event(&fork()).unwrap();
        let rest = guest.join().unwrap();
        let lines: Vec<_> = rest.split_inclusive(|byte| *byte == b'\n').collect();
        let [event, note] = lines.as_slice() else { panic!("{rest:?}") };
        assert!(event.starts_with(b"{\"v\":1,"));
        let last = AttachNote { last: true, ..AttachNote::default() };
        assert_eq!(AttachNote::from_line(note), Some(Ok(last)));
        host.readers.all_left().await;
    });
}

#[test]
fn there_are_so_many_seats_and_one_that_is_left_is_free() {
    block_on(async {
        let (host, _asked) = host(PATIENCE);
        let receive = |own: UnixStream| {
            let host = Rc::clone(&host);
            spawn_local(async move { host.receive(&own).await })
        };
        let mut guests = Vec::new();
        for _ in 0..SEATS {
            let (guest, own) = pair();
            guests.push((guest, receive(own)));
        }
        tokio::task::yield_now().await;
        let (guest, own) = pair();
        let full = receive(own);
        let read = std::thread::spawn(move || {
            let mut line = Vec::new();
            BufReader::new(&guest).read_until(b'\n', &mut line).unwrap();
            line
        });
        full.await.unwrap().unwrap();
        let line = read.join().unwrap();
        assert!(
            matches!(AttachAnswer::from_line(&line), Ok(AttachAnswer::Error(why)) if why.contains("16 readers"))
        );
        let (guest, serving) = guests.pop().unwrap();
        drop(guest);
        serving.await.unwrap().unwrap();
        assert_eq!(host.seats.available_permits(), 1);
    });
}

#[test]
fn a_reader_that_talks_on_is_dropped() {
    block_on(async {
        let (host, _asked) = host(PATIENCE);
        let (mut guest, own) = pair();
        guest.write_all(format!("{REQUEST}\n").as_bytes()).unwrap();
        let serving = {
            let host = Rc::clone(&host);
            spawn_local(async move { host.receive(&own).await })
        };
        let talking = std::thread::spawn(move || {
            let mut line = Vec::new();
            BufReader::new(&guest).read_until(b'\n', &mut line).unwrap();
            guest.write_all(b"and another thing\n").unwrap();
            guest
        });
        let ended = serving.await.unwrap();
        assert!(ended.is_err_and(|error| error.kind() == io::ErrorKind::InvalidData));
        host.readers.all_left().await;
        drop(talking.join().unwrap());
    });
}

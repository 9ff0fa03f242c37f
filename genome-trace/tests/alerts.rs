//! A recorded stream gives the same alerts, byte by byte, however often it is
//! replayed.
#![allow(clippy::unwrap_used)]

use std::{cell::RefCell, io, rc::Rc};

use genome_trace::{
    detect::{Baselines, DetectPolicy, Detectors},
    model::EventKind,
    persona::Rules,
    pipeline::{Attribution, Filter, Replay},
    sink::JsonLines,
    wire::recording::Recording,
};

const FILES: &[u8] = include_bytes!("../recordings/files.gtr");
const STORM: &[u8] = include_bytes!("../recordings/storm.gtr");
const MIXED: &[u8] = include_bytes!("../recordings/mixed.gtr");

/// Bytes that somebody else may look at.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The alerts as `--follow --kind=alert --format=json` shows them.
fn alerts(stream: &[u8]) -> String {
    let Recording { context, items } = Recording::parse(stream).unwrap();
    let written = Shared::default();
    let sink = JsonLines::new(written.clone(), "worker-1");
    let filter = Filter { kinds: vec![EventKind::Alert], ..Filter::default() };
    let detectors = Detectors::new(&DetectPolicy::default(), Baselines::default());
    let mut replay = Replay::new(Attribution::of_recording(Rules::new(Vec::new())), filter, sink)
        .with_detectors(detectors);
    for item in &items {
        replay.pass(item, &context).unwrap();
    }
    replay.flush().unwrap();
    drop(replay);
    let bytes = written.0.take();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_replay_gives_the_same_alerts_byte_by_byte() {
    let first = alerts(FILES);
    assert!(first.contains("\"mass_create\""), "{first}");
    for _ in 0..3 {
        assert_eq!(alerts(FILES), first);
    }
    insta::assert_snapshot!(first);
}

#[test]
fn where_nothing_is_wrong_there_is_no_alert() {
    for stream in [STORM, MIXED] {
        assert_eq!(alerts(stream), "");
    }
}

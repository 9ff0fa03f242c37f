//! More than the store can take: counted, told, and never waited for.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use genome_trace::{
    model::{CrashKind, EventKind, Gap, GapReason, TimeRange},
    store::{
        CrashQuery, History as _, Item, ItemKind, Place, QueueLimits, Retention, Store as _,
        StoreState, Writer,
    },
};

use crate::parts::{LONG, close, crash, exit, exit_at, now, numbers, options, reader, writer};

#[test]
fn what_finds_no_room_is_counted_and_becomes_a_gap() {
    const PUSHED: u64 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let queue = QueueLimits { items: 64, ..QueueLimits::default() };
    let writer = Writer::open(
        Place::new(folder.path()),
        genome_trace::store::WriterOptions { queue, ..options() },
    )
    .unwrap();
    let from = now();
    (1..=PUSHED).for_each(|number| writer.push(exit(7, number)));
    // There is room for what is rare.
    writer.push(Item::Crash(Box::new(crash(now(), "Judge", CrashKind::Oom))));
    writer.flush(LONG).unwrap();
    let status = writer.status();
    assert_eq!(status.state, StoreState::Storing);
    let refused = status.unstored[&ItemKind::Event(EventKind::Exit)];
    assert!(refused > 0);
    assert_eq!(status.unstored.len(), 1, "{status:?}");
    assert_eq!(status.stored + refused, PUSHED + 1);
    close(writer);

    let reader = reader(folder.path());
    assert_eq!(numbers(&reader, 7).len() as u64, PUSHED - refused);
    assert_eq!(reader.crashes(&CrashQuery::all(TimeRange::ALL)).unwrap().len(), 1);
    let gaps: Vec<Gap> = reader.gaps(TimeRange { from, until: now() }).unwrap();
    assert!(gaps.iter().all(|gap| gap.reason == GapReason::NotStored && gap.from >= from));
    let told: u64 = gaps.iter().flat_map(|gap| gap.missing.iter().flatten()).map(|(_, n)| n).sum();
    assert_eq!(told, refused);
    assert_eq!(gaps[0].missing.as_ref().map(BTreeMap::len), Some(1), "{gaps:?}");
}

#[test]
fn a_reader_sees_whole_batches_while_they_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(folder.path());
    writer.flush(LONG).unwrap();
    let is_over = AtomicBool::new(false);
    let (look, looks) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let (folder, is_over) = (folder.path(), &is_over);
        scope.spawn(move || {
            let reader = reader(folder);
            let mut before = 0;
            loop {
                let last_look = is_over.load(Ordering::Acquire);
                let mut found = numbers(&reader, 7);
                found.sort_unstable();
                assert!(found.iter().copied().eq(1..=found.len() as u64));
                assert!(found.len() >= before);
                before = found.len();
                look.send(()).unwrap();
                if last_look {
                    assert_eq!(before, 30_000);
                    return;
                }
            }
        });
        for number in 1..=30_000 {
            writer.push(exit(7, number));
            if number % 1000 == 0 {
                writer.flush(LONG).unwrap();
                // Neither runs away from the other.
                looks.recv().unwrap();
            }
        }
        is_over.store(true, Ordering::Release);
    });
    close(writer);
}

#[test]
fn old_events_go_by_themselves_and_new_ones_stay() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options();
    options.retention = Retention { events: Duration::from_secs(3600), ..Retention::default() };
    let writer = Writer::open(Place::new(folder.path()), options).unwrap();
    let old = genome_trace::model::WallTime { unix_ns: now().unix_ns - 7_200_000_000_000 };
    (1..=20_000).for_each(|number| writer.push(exit_at(7, number, old)));
    (1..=10).for_each(|number| writer.push(exit(8, number)));
    let reader = {
        writer.flush(LONG).unwrap();
        reader(folder.path())
    };
    // Each flush is an attempt, and each attempt a step.
    let steps = (0..10_000).position(|_| {
        writer.flush(LONG).unwrap();
        numbers(&reader, 7).is_empty()
    });
    assert!(steps.is_some());
    assert_eq!(numbers(&reader, 8), (1..=10).collect::<Vec<_>>());
    assert_eq!(writer.status().unstored, BTreeMap::new());
    close(writer);
}

#[test]
fn one_item_that_cannot_be_stored_takes_no_other_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(folder.path());
    // There is one last moment, and no event can be moved behind it.
    let last = genome_trace::model::WallTime { unix_ns: i64::MAX };
    (1..=100).for_each(|number| writer.push(exit(7, number)));
    (1..=3).for_each(|number| writer.push(exit_at(8, number, last)));
    (101..=200).for_each(|number| writer.push(exit(7, number)));
    writer.flush(LONG).unwrap();
    let status = writer.status();
    assert_eq!(status.state, StoreState::Storing);
    assert_eq!(status.unstored, BTreeMap::from([(ItemKind::Event(EventKind::Exit), 2)]));
    assert_eq!(status.stored, 201);
    writer.flush(LONG).unwrap();
    let reader = reader(folder.path());
    assert_eq!(numbers(&reader, 7), (1..=200).collect::<Vec<_>>());
    // No range of time goes as far as this gap.
    let missing: String = rusqlite::Connection::open(writer.place().file())
        .unwrap()
        .query_row("SELECT missing FROM gaps", [], |row| row.get(0))
        .unwrap();
    assert_eq!(missing, r#"{"exit":2}"#);
    close(writer);
}

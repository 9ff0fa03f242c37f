//! `baseline` over stores that are written here, by the library: what a recorder
//! would have learned.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use genome_trace::{
    detect::{Baselines, HabitPolicy, Quantity},
    model::{Metric, Persona, WallTime},
    store::{Item, Place, Store as _, Writer, WriterOptions},
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{run, run_unprivileged};

const LONG: Duration = Duration::from_secs(60);
const SECOND: i64 = 1_000_000_000;

fn seconds_ago(seconds: i64) -> WallTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    WallTime { unix_ns: i64::try_from(since.as_nanos()).unwrap() - seconds * SECOND }
}

fn learned() -> Baselines {
    let mut baselines = Baselines::new(HabitPolicy::default());
    for (name, genome_id, samples) in [("CodeExpert", Some("a3f9"), 300), ("Judge", None, 20)] {
        let persona = Persona { name: name.to_owned(), genome_id: genome_id.map(str::to_owned) };
        for ago in (0..samples).rev() {
            let quantity = Quantity::Metric(Metric::Threads);
            baselines.learn(&persona, quantity, 8.0, seconds_ago(ago + 10));
        }
    }
    baselines
}

struct Store {
    folder: TempDir,
    writer: Writer,
}

impl Store {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(&folder.path().join("s.db"));
        Self { writer: Writer::open(place, WriterOptions::new("boot")).unwrap(), folder }
    }

    fn keep(&self, baselines: &Baselines) {
        self.writer.push(Item::Baselines(baselines.rows().into()));
        self.writer.flush(LONG).unwrap();
    }

    fn option(&self) -> String {
        format!("--store={}", self.folder.path().join("s.db").display())
    }

    fn shown(&self) -> Value {
        let ended = run(["baseline", "show", "--format=json", &self.option()]);
        assert_eq!((ended.code(), ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
        serde_json::from_str(&ended.stdout).unwrap()
    }
}

#[test]
fn habits_are_shown() {
    let store = Store::new();
    store.keep(&learned());
    let shown = store.shown();
    let habits = shown["habits"].as_array().unwrap();
    let told: Vec<_> = habits
        .iter()
        .map(|of| (of["persona"].as_str(), of["samples"].as_u64(), of["speaks"].as_bool()))
        .collect();
    assert_eq!(
        told,
        [(Some("CodeExpert"), Some(300), Some(true)), (Some("Judge"), Some(20), Some(false))]
    );
    assert_eq!((&habits[0]["genome_id"], &habits[0]["centre"]), (&"a3f9".into(), &8.0.into()));

    let table = run(["baseline", "show", "Judge", &store.option()]);
    assert!(table.stdout.contains("Judge") && table.stdout.contains("not yet"), "{table:?}");
    assert!(!table.stdout.contains("CodeExpert") && !table.stdout.contains('\u{1b}'), "{table:?}");
    let csv = run(["baseline", "show", "--format=csv", &store.option()]);
    assert_eq!(csv.stdout.lines().count(), 3, "{csv:?}");

    let unknown = run(["baseline", "show", "Jugde", &store.option()]);
    assert_eq!((unknown.code(), unknown.stdout.as_str()), (Some(1), ""));
    assert!(unknown.stderr.contains("persona Jugde") && unknown.stderr.lines().count() == 1);
}

/// A recorder runs: what it learned before the order is stored no more, and it
/// is told to forget it.
#[test]
fn habits_are_forgotten_while_a_recorder_runs() {
    let store = Store::new();
    let mut baselines = learned();
    store.keep(&baselines);
    let mistyped = run(["baseline", "reset", "Jugde", &store.option()]);
    assert_eq!(mistyped.code(), Some(1), "{mistyped:?}");
    let ended = run(["baseline", "reset", "Judge", &store.option()]);
    assert_eq!((ended.code(), ended.stdout.as_str()), (Some(0), ""), "{ended:?}");
    assert!(ended.stderr.contains("1 habit of Judge forgotten"), "{ended:?}");

    store.keep(&baselines);
    let names = |shown: &Value| {
        let habits = shown["habits"].as_array().unwrap().iter();
        habits.map(|of| of["persona"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&store.shown()), ["CodeExpert"]);
    let orders = store.writer.status().forget;
    let [order] = orders.as_slice() else { panic!("{orders:?}") };
    assert_eq!(order.persona.as_deref(), Some("Judge"));
    assert_eq!(baselines.forget(order.persona.as_deref(), order.ordered), 1);

    let ended = run(["baseline", "reset", &store.option()]);
    assert!(ended.stderr.contains("1 habit of everybody forgotten"), "{ended:?}");
    let table = run(["baseline", "show", &store.option()]);
    assert!(table.stdout.starts_with("Nothing was learned yet"), "{table:?}");
}

#[test]
fn a_store_that_cannot_be_used_is_told_in_one_sentence() {
    for action in ["show", "reset"] {
        let ended = run(["baseline", action, "--store=/nonexistent/store"]);
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
        assert!(ended.stderr.contains("/nonexistent/store"), "{ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    }
    let store = Store::new();
    store.keep(&learned());
    let refused = run_unprivileged(["baseline", "reset", &store.option()]);
    assert_eq!(refused.code(), Some(1), "{refused:?}");
    assert!(refused.stderr.contains("ermission denied"), "{refused:?}");
    assert_eq!(store.shown()["habits"].as_array().unwrap().len(), 2);
    let wrong = run(["baseline"]);
    assert_eq!(wrong.code(), Some(2), "{wrong:?}");
}

use super::*;
use crate::{
    model::{Event, Gap, GapReason, Payload, Process, ProcessKey, Watch},
    store::{
        Item,
        batch::{self, Known},
        schema::MIGRATIONS,
    },
};

const LONG: Duration = Duration::from_secs(3600);
const DAY_NS: i64 = 24 * 3_600_000_000_000;

fn store() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL").unwrap();
    connection.execute_batch(&MIGRATIONS.concat()).unwrap();
    connection
}

/// Forks of as many processes at a time, each with a name of its own.
fn forks(connection: &Connection, known: &mut Known, at: i64, count: u32) {
    let items: Vec<Item> = (0..count)
        .map(|tgid| {
            let comm = format!("worker-{tgid}");
            Item::event(&Event {
                ktime_ns: 5,
                wall_time: WallTime { unix_ns: at },
                process: Some(Process {
                    key: ProcessKey { tgid, start_time: 5 },
                    tid: None,
                    ppid: None,
                    uid: None,
                    comm: Some(comm.as_bytes()),
                    cgroup_path: None,
                    watch: Watch::default(),
                }),
                persona: None,
                persona_root: None,
                payload: Payload::Fork,
            })
        })
        .collect();
    let transaction = connection.unchecked_transaction().unwrap();
    batch::write(connection, known, 1, &items).unwrap();
    transaction.commit().unwrap();
}

fn count(connection: &Connection, table: &str) -> i64 {
    connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

fn now() -> WallTime {
    WallTime { unix_ns: 100 * DAY_NS }
}

fn step(connection: &Connection, retention: &Retention, budget: Duration) -> bool {
    Retirement::new().step(connection, retention, 1, now(), budget).unwrap()
}

#[test]
fn a_step_without_time_takes_a_bounded_number_of_rows() {
    let connection = store();
    let mut known = Known::default();
    forks(&connection, &mut known, now().unix_ns - 2 * DAY_NS, 2500);
    forks(&connection, &mut known, now().unix_ns - 1000, 10);
    for left in [1510, 510] {
        assert!(step(&connection, &Retention::default(), Duration::ZERO));
        assert_eq!(count(&connection, "events"), left);
    }
    assert!(!step(&connection, &Retention::default(), LONG));
    assert_eq!(count(&connection, "events"), 10);
}

#[test]
fn names_go_with_the_last_event_of_their_generation_and_not_before() {
    let connection = store();
    let mut known = Known::default();
    forks(&connection, &mut known, now().unix_ns - 2 * DAY_NS, 20);
    // The same generation has an event that stays.
    forks(&connection, &mut known, now().unix_ns - 1000, 1);
    known.forget();
    forks(&connection, &mut known, now().unix_ns - 500, 5);
    step(&connection, &Retention::default(), LONG);
    assert_eq!(count(&connection, "events"), 6);
    // Both times the fifth name was written, as a new row.
    assert_eq!(count(&connection, "names"), 25);
    assert_eq!(count(&connection, "generations"), 2);
    connection.execute("DELETE FROM events WHERE id < ?1", [now().unix_ns - 600]).unwrap();
    step(&connection, &Retention::default(), LONG);
    assert_eq!(count(&connection, "names"), 5);
    assert_eq!(count(&connection, "subjects"), 5);
    assert_eq!(count(&connection, "generations"), 1);
    // Each event that is left has its name.
    let named: i64 = connection
        .query_row(
            "SELECT count(*) FROM events JOIN subjects ON subjects.id = subject \
             JOIN names ON names.id = comm",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(named, 5);
}

#[test]
fn a_clock_that_was_set_back_takes_no_name_away() {
    let connection = store();
    let mut known = Known::default();
    forks(&connection, &mut known, now().unix_ns + DAY_NS, 3);
    known.forget();
    forks(&connection, &mut known, now().unix_ns - 2 * DAY_NS, 3);
    step(&connection, &Retention::default(), LONG);
    assert_eq!(count(&connection, "events"), 3);
    let named = "events JOIN subjects ON subjects.id = subject JOIN names ON names.id = comm";
    assert_eq!(count(&connection, named), 3);
}

#[test]
fn a_store_that_is_too_large_loses_its_oldest_events_and_becomes_smaller() {
    let connection = store();
    let mut known = Known::default();
    for moment in 0..20 {
        forks(&connection, &mut known, now().unix_ns - 20_000_000 + moment * 1_000_000, 2000);
        known.forget();
    }
    let size = |connection: &Connection| Pages::count(connection).unwrap().file_bytes();
    let before = size(&connection);
    let retention = Retention { size_bytes: Some(before / 2), ..Retention::default() };
    while step(&connection, &retention, LONG) {}
    assert!(size(&connection) <= before / 2);
    let left = count(&connection, "events");
    assert!((1000..=30_000).contains(&left), "{left}");
    let oldest: i64 =
        connection.query_row("SELECT min(id) FROM events", [], |row| row.get(0)).unwrap();
    assert!(oldest > now().unix_ns - 20_000_000);
    let newest: i64 =
        connection.query_row("SELECT max(id) FROM events", [], |row| row.get(0)).unwrap();
    assert!(newest >= now().unix_ns - 1_000_000);
}

#[test]
fn each_thing_is_kept_for_its_time() {
    let connection = store();
    let old = |days: i64| now().unix_ns - days * DAY_NS;
    for days in [0, 2, 31, 367] {
        let at = old(days);
        connection
            .execute_batch(&format!(
                "INSERT INTO crashes (wall_ns, kind, record) VALUES ({at}, 'oom', '');
                 INSERT INTO alerts (raised_ns, last_ns, rule, severity, record)
                     VALUES (0, {at}, 'oom_loop', 'error', '');
                 INSERT INTO samples VALUES ({at}, 1, 1);
                 INSERT INTO samples_minute VALUES ({at}, 2, 1, 1, 1, 1, 1);
                 INSERT INTO series (metric, seen_ns) VALUES ('rss_bytes', {at});
                 INSERT INTO samples_hour VALUES ({at}, 3, 1, 1, 1, 1, 1);
                 INSERT INTO processes (start_time, tgid, boot, started_ns, ended_ns)
                     VALUES ({at}, 1, 1, {at}, {at}), ({at}, 2, 1, {at}, NULL),
                     ({at}, 3, 9, {at}, NULL);"
            ))
            .unwrap();
        let gap = Gap {
            from: WallTime { unix_ns: at - 1 },
            until: WallTime { unix_ns: at },
            reason: GapReason::Lost,
            missing: None,
            note: None,
        };
        batch::write_gap(&connection, &gap).unwrap();
    }
    assert!(!step(&connection, &Retention::default(), LONG));
    for (table, left) in [
        ("crashes", 2),
        ("alerts", 2),
        ("samples", 1),
        ("samples_minute", 2),
        ("samples_hour", 3),
        ("gaps", 3),
        ("processes WHERE ended_ns IS NOT NULL", 1),
        // Those of this boot may live; those of another do not.
        ("processes WHERE ended_ns IS NULL AND boot = 1", 4),
        ("processes WHERE ended_ns IS NULL AND boot = 9", 1),
        ("series", 3),
    ] {
        assert_eq!(count(&connection, table), left, "{table}");
    }
}

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::model::{AlertFiles, AlertProcess, ProcessKey, Severity, Unit};

const S: i64 = 1_000_000_000;
const START: i64 = 1_800_000_000 * S;

fn at(second: i64) -> WallTime {
    WallTime { unix_ns: START + second * S }
}

fn persona(name: &str) -> Persona {
    Persona { name: name.to_owned(), genome_id: None }
}

/// Files in a folder.
fn anomaly(second: i64, folder: &str) -> Anomaly {
    Anomaly {
        wall_time: at(second),
        rule: Rule::MassCreate,
        severity: Severity::Warning,
        persona: Some(persona("CodeExpert")),
        process: Some(AlertProcess {
            key: ProcessKey { tgid: 4711, start_time: 1 },
            comm: Some("python3".to_owned()),
            argv: None,
        }),
        cause: Some(folder.to_owned()),
        metric: None,
        unit: Unit::Count,
        measured: 2847.0,
        normal: Some(50.0),
        factor: Some(56.9),
        threshold: 150.0,
        window_ns: Some(300_000_000_000),
        slope_per_hour: None,
        basis: Basis::Habit { samples: 300, centre: 50.0, spread: 9.0 },
        confidence: None,
        files: Some(AlertFiles {
            folder: folder.to_owned(),
            files_created: 2847,
            files_per_second: Some(9.49),
            ..AlertFiles::default()
        }),
    }
}

fn book() -> Book {
    Book::new(&BookPolicy::default())
}

/// What becomes of it, and is told or kept.
fn take(book: &mut Book, anomaly: Anomaly) -> Vec<(AlertChange, Severity, u64)> {
    book.take(&mut vec![anomaly]);
    news(book)
}

fn tick(book: &mut Book, second: i64) -> Vec<(AlertChange, Severity, u64)> {
    book.tick(at(second));
    news(book)
}

fn news(book: &mut Book) -> Vec<(AlertChange, Severity, u64)> {
    std::iter::from_fn(|| book.next())
        .map(|alert| (alert.change, alert.severity, alert.count))
        .collect()
}

use AlertChange::{Ended, Escalated, GoesOn, Raised};
use Severity::{Critical, Error, Warning};

#[test]
fn one_cause_is_one_alert_until_nothing_comes_for_the_cooldown() {
    let mut book = book();
    assert_eq!(take(&mut book, anomaly(0, "/a")), [(Raised, Warning, 1)]);
    assert!(take(&mut book, anomaly(1, "/a")).is_empty(), "kept every few seconds only");
    assert_eq!(take(&mut book, anomaly(6, "/a")), [(GoesOn, Warning, 3)]);
    assert!(tick(&mut book, 65).is_empty());
    assert_eq!(take(&mut book, anomaly(65, "/a")), [(GoesOn, Warning, 4)]);
    assert!(tick(&mut book, 124).is_empty());
    book.tick(at(125));
    let ended = book.next().unwrap();
    assert_eq!((ended.change, ended.count), (Ended, 4));
    assert_eq!((ended.raised, ended.last, ended.ended), (at(0), at(65), Some(at(125))));
    assert!(ended.advice.is_empty());
    assert_eq!(take(&mut book, anomaly(126, "/a")), [(Raised, Warning, 1)]);
}

#[test]
fn it_gets_worse_where_its_detector_says_so_or_where_it_lasts() {
    let mut book = book();
    take(&mut book, anomaly(0, "/a"));
    let worse = Anomaly { severity: Error, ..anomaly(1, "/a") };
    assert_eq!(take(&mut book, worse), [(Escalated, Error, 2)]);
    for second in 2..901 {
        let told = take(&mut book, anomaly(second, "/a"));
        assert!(told.iter().all(|told| told.0 == GoesOn), "it stays as bad as it was: {told:?}");
    }
    assert_eq!(take(&mut book, anomaly(901, "/a")), [(Escalated, Critical, 902)]);

    let mut lasting = self::book();
    let told = |book: &mut Book, second| {
        let mut told = take(book, anomaly(second, "/a"));
        told.retain(|told| told.0 != GoesOn);
        told
    };
    let all: Vec<_> = (0..1300)
        .flat_map(|second| told(&mut lasting, second).into_iter().map(move |it| (second, it.1)))
        .collect();
    assert_eq!(all, [(0, Warning), (300, Error), (1200, Critical)]);
}

#[test]
fn being_close_to_a_limit_does_not_get_worse_by_lasting() {
    let mut book = book();
    for second in 0..4000 {
        let near = Anomaly { rule: Rule::VramLimit, ..anomaly(second, "0") };
        let told = take(&mut book, near);
        assert!(second == 0 || told.iter().all(|told| told.0 == GoesOn), "{told:?}");
    }
}

#[test]
fn what_is_configured_of_a_rule_and_a_persona() {
    let mut policy = BookPolicy::default();
    let rule =
        RulePolicy { severity: Some(Error), escalates: false, ..RulePolicy::of(Rule::MassCreate) };
    policy.rules.insert(Rule::MassCreate, rule);
    policy.rules.insert(Rule::FileChurn, RulePolicy { enabled: false, ..rule });
    policy.muted.insert("Judge".to_owned(), [Rule::MassCreate].into());
    let mut book = Book::new(&policy);
    assert_eq!(take(&mut book, anomaly(0, "/a")), [(Raised, Error, 1)]);
    assert!(take(&mut book, Anomaly { rule: Rule::FileChurn, ..anomaly(0, "/a") }).is_empty());
    let judges = || Anomaly { persona: Some(persona("Judge")), ..anomaly(0, "/a") };
    assert!(take(&mut book, judges()).is_empty());
    for second in 1..2000 {
        assert!(take(&mut book, anomaly(second, "/a")).iter().all(|told| told.0 == GoesOn));
    }
    policy.muted.insert("CodeExpert".to_owned(), [Rule::MassCreate].into());
    book.set_policy(&policy);
    assert_eq!(news(&mut book), [(Ended, Error, 2000)], "nobody wants it any more");
    book.set_policy(&BookPolicy { enabled: false, ..BookPolicy::default() });
    assert!(take(&mut book, judges()).is_empty());
}

#[test]
fn a_storm_of_causes_is_one_alert() {
    let mut book = book();
    let mut raised = 0;
    for folder in 0..1000 {
        let told = take(&mut book, anomaly(0, &format!("/out/{folder}")));
        raised += told.iter().filter(|told| told.0 == Raised).count();
    }
    assert_eq!(raised, 4, "three for themselves, and one for all the others");
    let counts: Vec<u64> = book.open().map(|alert| alert.count).collect();
    assert_eq!(counts, [1, 1, 1, 997]);
    let other = Anomaly { persona: Some(persona("Judge")), ..anomaly(0, "/a") };
    assert_eq!(take(&mut book, other), [(Raised, Warning, 1)], "others are told apart");
}

#[test]
fn a_storm_of_personas_is_bounded_and_counted() {
    let mut book = book();
    for number in 0..3 * OPEN_MAX {
        let whose = Some(persona(&format!("p{number}")));
        book.take(&mut vec![Anomaly { persona: whose, ..anomaly(0, "/a") }]);
    }
    assert!(book.open().count() <= OPEN_MAX + Rule::ALL.len());
    assert_eq!(book.open().map(|alert| alert.count).sum::<u64>(), 3 * OPEN_MAX as u64);
}

/// So many equal files in a folder.
fn equal(second: i64, folder: &str, files: u64) -> Anomaly {
    let mut of = Anomaly { rule: Rule::DuplicateFiles, ..anomaly(second, folder) };
    let told = of.files.as_mut().unwrap();
    (told.files_equal, told.files_read, told.files_unread) = (Some(files), Some(200), Some(1));
    of
}

fn all_news(book: &mut Book) -> Vec<(Rule, AlertChange, Option<u64>)> {
    std::iter::from_fn(|| book.next())
        .map(|alert| {
            let equal = alert.anomaly.files.and_then(|files| files.files_equal);
            (alert.anomaly.rule, alert.change, equal)
        })
        .collect()
}

#[test]
fn equal_files_where_there_are_too_many_are_evidence_of_that() {
    use Rule::MassCreate;
    let mut book = book();
    book.take(&mut vec![anomaly(0, "/out"), equal(1, "/out/deep", 10)]);
    assert_eq!(all_news(&mut book), [(MassCreate, Raised, None)]);
    book.take(&mut vec![equal(6, "/out", 190), anomaly(12, "/out")]);
    let goes_on = (MassCreate, GoesOn, Some(190));
    assert_eq!(all_news(&mut book), [goes_on, goes_on], "what is known of equal files stays");
    let worse = Anomaly { severity: Error, ..equal(13, "/out", 200) };
    book.take(&mut vec![worse]);
    assert_eq!(all_news(&mut book), [(MassCreate, Escalated, Some(200))]);
    // It goes on as long as either is found.
    book.tick(at(72));
    assert_eq!(book.open().map(|alert| alert.count).collect::<Vec<_>>(), [5]);
    book.tick(at(73));
    assert_eq!(all_news(&mut book), [(MassCreate, Ended, Some(200))]);
}

#[test]
fn equal_files_that_turn_out_to_be_too_many_go_on_as_that() {
    use Rule::{DuplicateFiles, MassCreate};
    let mut book = book();
    book.take(&mut vec![equal(0, "/out", 12), equal(0, "/other", 30)]);
    all_news(&mut book);
    book.take(&mut vec![anomaly(40, "/out")]);
    assert_eq!(
        all_news(&mut book),
        [(MassCreate, Raised, Some(12)), (DuplicateFiles, Ended, Some(12))]
    );
    book.take(&mut vec![equal(46, "/out", 50)]);
    assert_eq!(all_news(&mut book), [(MassCreate, GoesOn, Some(50))]);
    let open: Vec<_> = book.open().map(|alert| (alert.anomaly.rule, alert.count)).collect();
    assert_eq!(open, [(MassCreate, 2), (DuplicateFiles, 1)], "those elsewhere are another cause");
}

#[test]
fn equal_files_have_an_alert_of_their_own_elsewhere_and_where_nobody_wants_the_other() {
    let mut book = book();
    book.take(&mut vec![anomaly(0, "/out")]);
    let judges = Anomaly { persona: Some(persona("Judge")), ..equal(0, "/out", 10) };
    book.take(&mut vec![judges, equal(0, "/out-2", 10), equal(0, "/", 10)]);
    let raised = all_news(&mut book).iter().filter(|news| news.1 == Raised).count();
    assert_eq!(raised, 4);

    let mut policy = BookPolicy::default();
    let off = RulePolicy { enabled: false, ..RulePolicy::of(Rule::MassCreate) };
    policy.rules.insert(Rule::MassCreate, off);
    let mut book = Book::new(&policy);
    book.take(&mut vec![anomaly(0, "/out"), equal(0, "/out", 10)]);
    assert_eq!(all_news(&mut book), [(Rule::DuplicateFiles, Raised, Some(10))]);
}

#[test]
fn what_is_no_number_is_no_finding() {
    let mut book = book();
    assert!(take(&mut book, Anomaly { measured: f64::NAN, ..anomaly(0, "/a") }).is_empty());
    let factor = Some(f64::INFINITY);
    book.take(&mut vec![Anomaly { factor, ..anomaly(0, "/a") }]);
    let alert = book.next().unwrap();
    assert_eq!(alert.anomaly.factor, None);
    let json = serde_json::to_string(&alert).unwrap();
    assert_eq!(serde_json::from_str::<Alert>(&json).unwrap(), alert);
}

#[test]
fn a_clock_that_is_set_back_keeps_no_alert_open() {
    let mut book = book();
    take(&mut book, anomaly(7200, "/a"));
    assert!(tick(&mut book, 0).is_empty());
    assert!(tick(&mut book, 59).is_empty());
    book.tick(at(60));
    let ended = book.next().unwrap();
    assert_eq!(ended.ended, Some(at(7200)), "never before it was found last");
    take(&mut book, anomaly(61, "/a"));
    assert!(book.open().all(|alert| alert.id > ended.id));
}

#[test]
fn every_rule_in_words() {
    let mut words = String::new();
    let gib = f64::from(1 << 30);
    let of = |rule, unit, measured: f64, basis, factor, cause: Option<&str>| Anomaly {
        rule,
        unit,
        measured,
        factor,
        normal: factor.map(|factor| measured / factor),
        threshold: measured / 2.0,
        basis,
        cause: cause.map(str::to_owned),
        files: None,
        window_ns: Some(60_000_000_000),
        ..anomaly(0, "/a")
    };
    let habit = |centre| Basis::Habit { samples: 300, centre, spread: 1.0 };
    let neighbours = |centre| Basis::Neighbours {
        personas: 4,
        rule: "built-in: vLLM".to_owned(),
        centre,
        spread: 1.0,
    };
    let unlearned = |neighbours: Option<u64>, rule: Option<&str>| Basis::Unlearned {
        samples: 57,
        samples_to_learn: 200,
        neighbours,
        neighbours_to_judge: 3,
        rule: rule.map(str::to_owned),
    };
    let climbing = |anomaly| Anomaly { slope_per_hour: Some(3.5 * gib), ..anomaly };
    let files = |rule, unlinked, equal| {
        let mut of = Anomaly { rule, ..anomaly(0, "/srv/out/it's\n") };
        let files = of.files.as_mut().unwrap();
        (files.files_unlinked, files.files_equal) = (unlinked, equal);
        (files.files_read, files.files_unread) = (equal, equal.map(|_| 0));
        of
    };
    let nobodys = |anomaly| Anomaly { persona: None, ..anomaly };
    let machines = |anomaly| Anomaly { process: None, ..nobodys(anomaly) };
    let limit = || Basis::Limit { limit: 16.0 * gib };
    use Rule::*;
    use Unit::*;
    for anomaly in [
        files(MassCreate, None, Some(2000)),
        equal(0, "/srv/out", 12),
        files(DuplicateFiles, None, Some(12)),
        files(FileChurn, Some(2800), None),
        of(MassCreate, Count, 60.0, Basis::Threshold, None, None),
        of(MassCreate, Count, 60.0, unlearned(Some(1), Some("environment")), None, None),
        of(MassCreate, Count, 60.0, unlearned(Some(0), None), None, None),
        of(MemorySpike, Bytes, 6.2 * gib, habit(2.0 * gib), Some(3.1), None),
        climbing(of(MemoryLeak, Bytes, 6.2 * gib, unlearned(None, None), None, None)),
        of(MemoryLimit, Bytes, 13.7 * gib, limit(), None, None),
        climbing(of(MemoryLimit, Bytes, 13.7 * gib, limit(), None, None)),
        machines(of(MemoryLimit, Bytes, 13.7 * gib, limit(), None, None)),
        of(VramSpike, Bytes, 6.2 * gib, neighbours(2.0 * gib), Some(3.1), Some("1")),
        climbing(of(VramLeak, Bytes, 6.2 * gib, Basis::Threshold, None, Some("1"))),
        machines(of(VramLimit, Bytes, 13.7 * gib, limit(), None, Some("0"))),
        of(StuckCpu, Percent, 812.0, habit(130.0), Some(6.25), None),
        of(WriteStorm, PerSecond, 120_000.0, habit(9_000.0), Some(13.3), None),
        of(WriteStorm, BytesPerSecond, 1.4 * gib, habit(gib / 10.0), Some(14.0), None),
        of(ThreadGrowth, Count, 900.0, habit(90.0), Some(10.0), None),
        of(OpenFiles, Count, 950.0, Basis::Limit { limit: 1024.0 }, None, None),
        nobodys(of(SpawnStorm, PerSecond, 45.5, Basis::Threshold, None, None)),
        of(SpawnStorm, Count, 455.0, Basis::Threshold, None, None),
        of(CrashLoop, Count, 5.0, Basis::Threshold, None, None),
        of(OomLoop, Count, 3.0, Basis::Threshold, None, None),
    ] {
        let mut book = book();
        book.take(&mut vec![anomaly]);
        let alert = book.next().unwrap();
        assert!(!alert.advice.is_empty());
        words.push_str(&alert.text);
        for line in &alert.advice {
            words.push_str("\n    ");
            words.push_str(line);
        }
        words.push('\n');
    }
    insta::assert_snapshot!(words);
}

#[test]
fn what_became_of_it_in_words() {
    let mut book = book();
    let mut texts = Vec::new();
    for second in [0, 6, 400] {
        book.take(&mut vec![anomaly(second, "/a")]);
        texts.extend(std::iter::from_fn(|| book.next()).map(|alert| alert.text));
    }
    book.tick(at(500));
    texts.push(book.next().unwrap().text);
    for folder in ["/a", "/b", "/c", "/d"] {
        book.take(&mut vec![anomaly(1000, folder)]);
    }
    texts.extend(std::iter::from_fn(|| book.next()).last().map(|alert| alert.text));
    book.tick(at(1100));
    texts.extend(book.next().map(|alert| alert.text));
    insta::assert_snapshot!(texts.join("\n"));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Found { persona: u8, cause: u8, rule: usize, severity: usize, seconds: i64 },
    Tick { seconds: i64 },
}

/// Times go on a little, mostly; sometimes far, sometimes back.
fn seconds() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 0_i64..30, 1 => 30_i64..2000, 1 => -2000_i64..0]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let found = (0_u8..4, 0_u8..8, 0_usize..4, 0_usize..3, seconds()).prop_map(
        |(persona, cause, rule, severity, seconds)| Step::Found {
            persona,
            cause,
            rule,
            severity,
            seconds,
        },
    );
    let tick = seconds().prop_map(|seconds| Step::Tick { seconds });
    proptest::collection::vec(prop_oneof![3 => found, 1 => tick], 0..200)
}

fn run(steps: &[Step]) -> (Vec<Alert>, Book) {
    let mut book = book();
    let mut all = Vec::new();
    let mut now = 0;
    for step in steps {
        match *step {
            Step::Found { persona: whose, cause, rule, severity, seconds } => {
                now += seconds;
                let rules =
                    [Rule::MassCreate, Rule::VramLimit, Rule::CrashLoop, Rule::DuplicateFiles];
                book.take(&mut vec![Anomaly {
                    rule: rules[rule],
                    severity: Severity::ALL[severity],
                    persona: (whose > 0).then(|| persona(&whose.to_string())),
                    cause: (cause > 0).then(|| cause.to_string()),
                    ..anomaly(now, "/a")
                }]);
            }
            Step::Tick { seconds } => {
                now += seconds;
                book.tick(at(now));
            }
        }
        all.extend(std::iter::from_fn(|| book.next()));
    }
    (all, book)
}

proptest! {
    #[test]
    fn alerts_begin_and_end_once(steps in steps()) {
        let (all, book) = run(&steps);
        let mut known: BTreeMap<i64, Alert> = BTreeMap::new();
        let mut open: BTreeMap<_, i64> = BTreeMap::new();
        for alert in all {
            let of = &alert.anomaly;
            prop_assert!(alert.raised <= alert.last);
            prop_assert!(alert.ended.is_none_or(|ended| ended >= alert.last));
            prop_assert_eq!(alert.ended.is_some(), alert.change == Ended);
            prop_assert!(!alert.text.is_empty());
            match known.get(&alert.id) {
                None => {
                    prop_assert_eq!(alert.change, Raised);
                    prop_assert_eq!(alert.count, 1);
                    // Those of many causes have their first one's.
                    if !alert.text.contains("counted with it") {
                        let key = (of.rule, of.persona.clone(), of.cause.clone());
                        let other = open.insert(key, alert.id);
                        prop_assert!(
                            other.is_none_or(|other| known[&other].change == Ended),
                            "two alerts of one cause"
                        );
                    }
                }
                Some(before) => {
                    prop_assert!(alert.change != Raised && before.change != Ended);
                    prop_assert!(alert.last >= before.last && alert.raised == before.raised);
                    prop_assert!(alert.severity >= before.severity && alert.count >= before.count);
                    let is_worse = alert.severity > before.severity;
                    prop_assert_eq!(alert.change == Escalated, is_worse);
                }
            }
            known.insert(alert.id, alert);
        }
        let still: Vec<i64> = book.open().map(|alert| alert.id).collect();
        for (id, alert) in &known {
            prop_assert_eq!(alert.change != Ended, still.contains(id));
        }
        prop_assert_eq!(
            steps.iter().filter(|step| matches!(step, Step::Found { .. })).count() as u64,
            known.iter().filter(|(id, _)| !still.contains(id)).map(|(_, a)| a.count).sum::<u64>()
                + book.open().map(|alert| alert.count).sum::<u64>(),
            "each finding is in one alert"
        );
    }

    #[test]
    fn the_same_findings_make_the_same_alerts(steps in steps()) {
        prop_assert_eq!(run(&steps).0, run(&steps).0);
    }

    #[test]
    fn all_is_over_after_a_while_whatever_the_clock_did(steps in steps(), from in -5000_i64..5000) {
        let (_, mut book) = run(&steps);
        // A look is not missed for so long that it would be taken for late.
        for second in 0..75 {
            book.tick(at(from + second));
        }
        prop_assert_eq!(book.open().count(), 0);
    }
}

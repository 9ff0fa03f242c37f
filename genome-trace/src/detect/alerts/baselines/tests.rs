use proptest::prelude::*;

use super::*;
use crate::model::BaselineRow;

const RSS: Quantity = Quantity::Metric(Metric::RssBytes);

fn persona(name: &str) -> Persona {
    Persona { name: name.to_owned(), genome_id: None }
}

fn at(second: i64) -> WallTime {
    WallTime { unix_ns: second * 1_000_000_000 }
}

/// Noise without a clock or a seed from outside: a linear congruence.
fn noise(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

fn learned(values: impl IntoIterator<Item = f64>) -> (Baselines, Persona) {
    let (mut baselines, who) = (Baselines::default(), persona("A"));
    for (second, value) in (0..).zip(values) {
        baselines.learn(&who, RSS, value, at(second));
    }
    (baselines, who)
}

#[test]
fn a_habit_is_silent_until_it_has_two_hundred_samples() {
    let (mut baselines, who) = learned(std::iter::repeat_n(7.0, 199));
    assert_eq!(baselines.habit(&who, RSS), None);
    baselines.learn(&who, RSS, 7.0, at(200));
    let habit = baselines.habit(&who, RSS).unwrap();
    assert_eq!(habit, Habit { samples: 200, centre: 7.0, spread: 0.0, peak: 7.0 });
}

#[test]
fn the_middle_and_the_spread_are_those_of_the_samples() {
    let mut state = 1;
    let mut normal = || {
        let sum: f64 = (0..12).map(|_| noise(&mut state)).sum();
        1_000.0 + 50.0 * (sum - 6.0)
    };
    let (baselines, who) = learned(std::iter::repeat_with(&mut normal).take(5_000));
    let habit = baselines.habit(&who, RSS).unwrap();
    assert!((habit.centre - 1_000.0).abs() < 10.0, "{habit:?}");
    assert!((habit.spread - 50.0).abs() < 8.0, "{habit:?}");
    // The 98 % quantile of a normal distribution.
    assert!((habit.peak - 1_102.7).abs() < 20.0, "{habit:?}");
}

#[test]
fn an_anomaly_of_a_quarter_of_an_hour_leaves_no_trace() {
    let (mut baselines, who) = learned((0..300).map(|index| 100.0 + f64::from(index % 7)));
    let before = baselines.habit(&who, RSS).unwrap();
    for second in 0..900 {
        baselines.learn(&who, RSS, 1_000.0, at(300 + second));
    }
    assert_eq!(baselines.habit(&who, RSS), Some(before));
}

/// As long as the module's page says: a usual peak soon after the patience has
/// ended, and the middle after a half-life more.
#[test]
fn a_level_that_lasts_becomes_the_habit() {
    let policy = HabitPolicy::default();
    let (mut baselines, who) = learned(std::iter::repeat_n(100.0, 200_000));
    let mut second = 200_000;
    let mut until = |baselines: &mut Baselines, is_so: &dyn Fn(Habit) -> bool| {
        let begun = second;
        while !is_so(baselines.habit(&who, RSS).unwrap()) {
            baselines.learn(&who, RSS, 1_000.0, at(second));
            second += 1;
            assert!(second - begun < 100_000, "never");
        }
        (second - begun) as u64
    };
    let as_peak = until(&mut baselines, &|habit| habit.peak > 990.0);
    assert!((900..2_700).contains(&as_peak), "{as_peak}");
    let as_centre = until(&mut baselines, &|habit| habit.centre > 990.0);
    assert!(as_centre <= policy.half_life_samples, "{as_centre}");

    // A young habit, which rests upon little, is given up sooner.
    let (mut baselines, who) = learned(std::iter::repeat_n(100.0, 300));
    for second in 0..900 + 400 {
        baselines.learn(&who, RSS, 1_000.0, at(300 + second));
    }
    assert_eq!(baselines.habit(&who, RSS).unwrap().centre, 1_000.0);
}

#[test]
fn what_comes_back_day_after_day_is_learned() {
    // Two minutes an hour at ten times the usual.
    let (mut baselines, who) = learned(std::iter::repeat_n(10.0, 300));
    for second in 0..86_400 {
        let value = if second % 3_600 < 120 { 100.0 } else { 10.0 };
        baselines.learn(&who, RSS, value, at(300 + second));
    }
    let habit = baselines.habit(&who, RSS).unwrap();
    assert_eq!((habit.centre, habit.peak), (10.0, 100.0));
}

/// By the environment, or a label.
fn source(label: Option<&str>) -> PersonaSource {
    label.map_or(PersonaSource::Environment, |label| PersonaSource::BuiltIn { label: label.into() })
}

#[test]
fn the_young_are_judged_by_three_neighbours_of_their_rule_or_by_nobody() {
    let mut baselines = Baselines::default();
    let young = persona("young");
    let vllm = source(Some("vLLM"));
    baselines.learn(&young, RSS, 1.0, at(0));
    let old = |baselines: &mut Baselines, name: &str, level: f64| {
        for second in 0..200 {
            baselines.learn(&persona(name), RSS, level, at(second));
        }
    };
    for name in ["other a", "other b", "other c"] {
        old(&mut baselines, name, 9_000.0);
        baselines.recognised(&persona(name), &source(None));
    }
    // Nobody knows yet what it was recognised by.
    assert_eq!(baselines.normal(&young, RSS), None);
    let unlearned = baselines.unlearned(&young, RSS);
    assert!(matches!(unlearned, Basis::Unlearned { rule: None, .. }), "{unlearned:?}");
    baselines.recognised(&young, &vllm);
    for (count, (name, level)) in
        [("a", 100.0), ("b", 300.0), ("c", 200.0), ("d", 250.0)].into_iter().enumerate()
    {
        let normal = baselines.normal(&young, RSS);
        assert_eq!(normal.is_some(), count >= 3, "{count} neighbours");
        if normal.is_none() {
            let wanted = Basis::Unlearned {
                samples: 1,
                samples_to_learn: 200,
                neighbours: Some(count as u64),
                neighbours_to_judge: 3,
                rule: Some("built-in: vLLM".to_owned()),
            };
            assert_eq!(baselines.unlearned(&young, RSS), wanted);
        }
        old(&mut baselines, name, level);
        baselines.recognised(&persona(name), &vllm);
    }
    let normal = baselines.normal(&young, RSS).unwrap();
    assert_eq!((normal.centre, normal.peak), (250.0, 300.0));
    let Basis::Neighbours { personas: 4, rule, .. } = &normal.basis else { panic!("{normal:?}") };
    assert_eq!(rule, "built-in: vLLM");
    assert_eq!(baselines.normal(&young, Quantity::FilesPerWindow), None);
    // After a restart they are neighbours still.
    let read = Baselines::from_rows(&baselines.rows(), &HabitPolicy::default());
    assert_eq!(read.normal(&young, RSS), Some(normal));
    // One that has a habit is judged by that.
    let own = baselines.normal(&persona("a"), RSS).unwrap();
    assert!(matches!(own.basis, Basis::Habit { samples: 200, .. }), "{own:?}");
    // One that is recognised by another rule from now on has other neighbours.
    baselines.recognised(&young, &source(None));
    let normal = baselines.normal(&young, RSS).unwrap();
    assert_eq!((normal.centre, normal.peak), (9_000.0, 9_000.0));
}

#[test]
fn of_too_many_personas_the_oldest_goes() {
    let mut baselines = Baselines::default();
    for second in 0..PERSONAS_MAX as i64 + 10 {
        let who = if second % 2 == 0 { persona("kept") } else { persona(&second.to_string()) };
        baselines.learn(&who, RSS, 1.0, at(second));
        for more in 0..2 {
            baselines.learn(&persona(&format!("{second} {more}")), RSS, 1.0, at(second));
        }
    }
    let names: std::collections::BTreeSet<_> =
        baselines.iter().map(|shown| shown.persona.name.clone()).collect();
    assert_eq!(names.len(), PERSONAS_MAX);
    assert!(names.contains("kept") && !names.contains("1"));
}

#[test]
fn an_order_to_forget_counts_once() {
    let (mut baselines, who) = learned(std::iter::repeat_n(1.0, 300));
    baselines.learn(&persona("B"), RSS, 1.0, at(0));
    assert_eq!(baselines.forget(Some("A"), at(1_000)), 1);
    assert_eq!(baselines.habit(&who, RSS), None);
    assert_eq!(baselines.iter().count(), 1);
    // The clock was set back, and the order is seen again.
    baselines.learn(&who, RSS, 1.0, at(500));
    assert_eq!(baselines.forget(Some("A"), at(1_000)), 0);
    assert_eq!(baselines.iter().count(), 2);
    assert_eq!(baselines.forget(None, at(2_000)), 2);
}

#[test]
fn rows_without_sense_are_passed_over() {
    let (baselines, _) = learned(std::iter::repeat_n(1.0, 300));
    let good = baselines.rows().remove(0);
    let of = |record: &str| BaselineRow { record: record.to_owned(), ..good.clone() };
    for bad in [
        of(""),
        of("{}"),
        of(r#"{"since_ns":1,"samples":300,"strange":0.0,"habit":null,"values":[[-1.0,1.0]]}"#),
        of(
            r#"{"since_ns":1,"samples":300,"strange":0.0,"habit":null,"values":[[2.0,1.0],[1.0,1.0]]}"#,
        ),
        of(r#"{"since_ns":1,"samples":300,"strange":0.0,"habit":null,"values":[[1.0,0.0]]}"#),
        BaselineRow { quantity: "dreams".to_owned(), ..good.clone() },
        BaselineRow { persona: persona(""), ..good.clone() },
    ] {
        let read = Baselines::from_rows(std::slice::from_ref(&bad), &HabitPolicy::default());
        assert_eq!(read.iter().count(), 0, "{bad:?}");
    }
    assert_eq!(Baselines::from_rows(&[good], &HabitPolicy::default()).iter().count(), 1);
}

#[test]
fn only_what_changed_is_kept_again() {
    let (mut baselines, who) = learned([1.0]);
    baselines.learn(&who, Quantity::FilesPerWindow, 5.0, at(3));
    assert_eq!(baselines.take_changed().len(), 2);
    assert_eq!(baselines.take_changed(), []);
    baselines.learn(&who, RSS, 1.0, at(4));
    let [row] = baselines.take_changed().try_into().unwrap();
    assert_eq!((row.quantity.as_str(), row.since, row.updated), ("rss_bytes", at(0), at(4)));
}

proptest! {
    /// Whatever comes in: the memory is bounded, and the middle lies among the
    /// samples.
    #[test]
    fn any_samples(values in proptest::collection::vec(any::<f64>(), 0..600)) {
        let (baselines, who) = learned(values.iter().copied());
        for row in baselines.rows() {
            prop_assert!(row.record.len() < 16 << 10);
        }
        if let Some(habit) = baselines.habit(&who, RSS) {
            let sound = values.iter().filter(|value| value.is_finite() && **value >= 0.0);
            let (low, high) = sound.fold((f64::MAX, 0.0_f64), |(low, high), value| {
                (low.min(*value), high.max(*value))
            });
            prop_assert!(habit.centre >= low && habit.centre <= high, "{habit:?}");
            prop_assert!(habit.centre <= habit.peak && habit.spread >= 0.0, "{habit:?}");
        }
    }

    /// Whoever there is: a young one is judged by all others of its rule that
    /// have a habit, and by nobody else, or not at all.
    #[test]
    fn neighbours_are_those_of_the_rule(
        others in proptest::collection::vec((0..3_u8, 0.0..1e9_f64, any::<bool>()), 0..20),
        own in 0..3_u8,
    ) {
        let rule = |number: u8| PersonaSource::BuiltIn { label: number.to_string().into() };
        let mut baselines = Baselines::default();
        let young = persona("young");
        baselines.learn(&young, RSS, 1.0, at(0));
        baselines.recognised(&young, &rule(own));
        for (index, (number, level, is_old)) in others.iter().enumerate() {
            let other = persona(&index.to_string());
            for second in 0..if *is_old { 200 } else { 199 } {
                baselines.learn(&other, RSS, *level, at(second));
            }
            baselines.recognised(&other, &rule(*number));
        }
        let neighbours: Vec<f64> = others
            .iter()
            .filter(|(number, _, is_old)| *number == own && *is_old)
            .map(|(_, level, _)| *level)
            .collect();
        match baselines.normal(&young, RSS) {
            Some(normal) => {
                prop_assert!(neighbours.len() >= 3);
                let is_so = matches!(
                    &normal.basis,
                    Basis::Neighbours { personas, rule, .. }
                        if *personas == neighbours.len() as u64 && *rule == format!("built-in: {own}")
                );
                prop_assert!(is_so, "{:?}", normal);
                let peak = neighbours.iter().fold(0.0_f64, |peak, level| peak.max(*level));
                prop_assert!((normal.peak - peak).abs() <= 1e-9 * peak, "{:?}", normal);
                let low = neighbours.iter().fold(f64::MAX, |low, level| low.min(*level));
                prop_assert!(normal.centre >= low * 0.999 && normal.centre <= peak * 1.001);
            }
            None => {
                prop_assert!(neighbours.len() < 3);
                let Basis::Unlearned { samples: 1, neighbours: Some(told), .. } =
                    baselines.unlearned(&young, RSS)
                else {
                    return Err(TestCaseError::fail("another basis"));
                };
                prop_assert_eq!(told, neighbours.len() as u64);
            }
        }
    }

    /// A restart in between makes no difference.
    #[test]
    fn what_is_kept_is_read_back(
        values in proptest::collection::vec(0.0..1e12_f64, 1..500),
        cut in 0..500_usize,
    ) {
        let policy = HabitPolicy::default();
        let (mut whole, who) = learned(values.iter().copied());
        let cut = cut.min(values.len());
        let (early, _) = learned(values[..cut].iter().copied());
        let mut resumed = Baselines::from_rows(&early.rows(), &policy);
        for (second, value) in (0..).zip(&values).skip(cut) {
            resumed.learn(&who, RSS, *value, at(second));
        }
        let close = |one: f64, other: f64| (one - other).abs() <= 1e-9 * one.abs().max(1e-9);
        match (whole.habit(&who, RSS), resumed.habit(&who, RSS)) {
            (Some(one), Some(other)) => {
                prop_assert_eq!(one.samples, other.samples);
                prop_assert!(close(one.centre, other.centre), "{:?} {:?}", one, other);
                prop_assert!(close(one.peak, other.peak), "{:?} {:?}", one, other);
            }
            (one, other) => prop_assert_eq!(one, other),
        }
        prop_assert_eq!(whole.take_changed().len(), 1);
    }
}

//! The text, whole and in its edge cases.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;

use super::{
    SHOWN_PERSONAS, metrics,
    sample::{MIB, bare, persona, usage, uses, whole},
};
use crate::{
    model::{Exposed, Metric, PersonaUsage},
    render::open_metrics::{Dialect, OpenMetrics},
};

pub(super) fn text(exposed: &Exposed) -> String {
    metrics(OpenMetrics::new(Dialect::OpenMetrics), exposed)
}

fn of(personas: Vec<PersonaUsage>) -> String {
    text(&Exposed { usage: Some(Arc::new(usage(personas))), ..bare() })
}

/// Value of each sample by its name and its labels, read as the format's
/// grammar says.
fn samples(text: &str) -> BTreeMap<(String, Vec<(String, String)>), f64> {
    let mut samples = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name_end = line.find(['{', ' ']).unwrap();
        let (name, mut rest) = line.split_at(name_end);
        let mut labels = Vec::new();
        if let Some(mut inside) = rest.strip_prefix('{') {
            while let Some((label, after)) = inside.split_once("=\"") {
                let (value, after) = quoted(after);
                labels.push((label.trim_start_matches(',').to_owned(), value));
                inside = after;
                if inside.starts_with('}') {
                    break;
                }
            }
            rest = inside.strip_prefix('}').unwrap();
        }
        let value = rest.strip_prefix(' ').unwrap().parse().unwrap();
        let before = samples.insert((name.to_owned(), labels), value);
        assert!(before.is_none(), "twice: {line}");
    }
    samples
}

/// What stands up to the next quotation mark that is not escaped, and what
/// comes after it.
fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match chars.next().unwrap().1 {
                'n' => '\n',
                c => c,
            }),
            c => value.push(c),
        }
    }
    panic!("no end: {text:?}");
}

fn value(text: &str, name: &str, whose: &[(&str, &str)]) -> Option<f64> {
    let labels = whose.iter().map(|(label, of)| ((*label).to_owned(), (*of).to_owned())).collect();
    samples(text).get(&(name.to_owned(), labels)).copied()
}

#[test]
fn a_machine_that_tells_everything() {
    insta::assert_snapshot!(text(&whole()));
}

#[test]
fn before_the_first_look_there_are_counts_alone() {
    let text = text(&bare());
    assert_eq!(value(&text, "genome_events_total", &[("kind", "exec")]), Some(0.0));
    assert_eq!(value(&text, "genome_lost_events_total", &[("kind", "exit")]), Some(0.0));
    assert!(!text.contains("genome_memory_usage_bytes"), "{text}");
}

#[test]
fn what_is_unknown_has_no_sample() {
    let text = of(vec![uses(persona("a", None), 5.0)]);
    let whose = [("genome", ""), ("persona", "a")];
    assert_eq!(value(&text, "genome_memory_usage_bytes", &whose), Some(5.0));
    assert_eq!(value(&text, "genome_vram_usage_bytes", &whose), None);
    assert_eq!(value(&text, "genome_cpu_usage_ratio", &whose), None);
}

/// The first crash is a step up from 0, which is what an alert looks for.
#[test]
fn a_persona_that_has_not_crashed_has_0() {
    let text = of(vec![uses(persona("a", None), 5.0)]);
    let labels = [("genome", ""), ("persona", "a"), ("kind", "oom")];
    assert_eq!(value(&text, "genome_crash_count_total", &labels), Some(0.0));
}

#[test]
fn percent_are_written_as_ratios() {
    let mut of_a = uses(persona("a", None), 5.0);
    of_a.figures.set(Metric::CpuPercent, Some(250.0));
    let whose = [("genome", ""), ("persona", "a")];
    assert_eq!(value(&of(vec![of_a]), "genome_cpu_usage_ratio", &whose), Some(2.5));
}

#[test]
fn those_with_the_least_memory_are_summed_up_when_there_are_too_many() {
    let count = SHOWN_PERSONAS + 3;
    let personas = (0..count).map(|index| {
        let rss_bytes = f64::from(u32::try_from(index).unwrap() + 1) * MIB;
        uses(persona(&format!("p{index}"), Some("x")), rss_bytes)
    });
    let text = of(personas.collect());
    let rss = |whose: &[_]| value(&text, "genome_memory_usage_bytes", whose);
    assert_eq!(rss(&[("genome", ""), ("persona", "(others)")]), Some((1.0 + 2.0 + 3.0) * MIB));
    assert_eq!(rss(&[("genome", "x"), ("persona", "p2")]), None);
    assert_eq!(rss(&[("genome", "x"), ("persona", "p3")]), Some(4.0 * MIB));
    assert_eq!(value(&text, "genome_personas_summed", &[]), Some(3.0));
    assert_eq!(value(&text, "genome_personas", &[]), Some(203.0));
    // A sum has no limit.
    let others = [("genome", ""), ("persona", "(others)")];
    assert_eq!(value(&text, "genome_memory_limit_bytes", &others), None);
}

/// One that is called as the sum is, and two whose labels are the same.
#[test]
fn no_series_is_told_twice() {
    let text = of(vec![
        uses(persona("(others)", Some("x")), 1.0),
        uses(persona("a", None), 2.0),
        uses(persona("a", Some("")), 3.0),
    ]);
    assert_eq!(samples(&text).len(), text.lines().filter(|line| !line.starts_with('#')).count());
    let a = value(&text, "genome_memory_usage_bytes", &[("genome", ""), ("persona", "a")]);
    assert_eq!(a, Some(5.0));
    assert_eq!(value(&text, "genome_personas_summed", &[]), Some(1.0));
}

proptest! {
    /// Whatever a persona is called, its name comes out as it went in, and the
    /// text keeps its lines.
    #[test]
    fn any_name_is_read_back(name in ".{1,40}", genome_id in ".{0,40}") {
        prop_assume!(name != "(others)");
        for dialect in [Dialect::OpenMetrics, Dialect::Plain] {
            let look = usage(vec![uses(persona(&name, Some(&genome_id)), 7.0)]);
            let exposed = Exposed { usage: Some(Arc::new(look)), ..bare() };
            let text = metrics(OpenMetrics::new(dialect), &exposed);
            let whose = [("genome", genome_id.as_str()), ("persona", name.as_str())];
            prop_assert_eq!(value(&text, "genome_memory_usage_bytes", &whose), Some(7.0));
        }
    }

    /// Long names end somewhere, and those that then look alike are one series.
    #[test]
    fn names_of_any_length_give_series_of_a_bounded_one(length in 120_usize..5000) {
        let name = "x".repeat(length);
        let text = of(vec![uses(persona(&name, None), 1.0), uses(persona(&format!("{name}y"), None), 2.0)]);
        prop_assert!(text.lines().all(|line| line.len() < 400));
        samples(&text);
    }
}

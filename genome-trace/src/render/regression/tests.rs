//! The reports as they look.

use jiff::tz::TimeZone;

use super::{
    sample::{Sample, alone, equal, everything, repeated},
    *,
};
use crate::{
    model::RunView,
    render::{line::LineStyle, text::columns},
};

fn shown(sample: &Sample, width: Option<usize>) -> String {
    let style = LineStyle { color: false, width, time_zone: TimeZone::UTC };
    let mut out = Vec::new();
    write_text(&mut out, sample.view(), &style);
    String::from_utf8(out).unwrap()
}

fn written(write: fn(&mut Vec<u8>, RunView<'_>), sample: &Sample) -> String {
    let mut out = Vec::new();
    write(&mut out, sample.view());
    String::from_utf8(out).unwrap()
}

pub(super) fn json(sample: &Sample) -> String {
    written(write_json, sample)
}

#[test]
fn text_of_everything() {
    insta::assert_snapshot!(shown(&everything(), None));
}

#[test]
fn text_of_equal_runs() {
    insta::assert_snapshot!(shown(&equal(), None));
}

#[test]
fn text_of_one_run() {
    insta::assert_snapshot!(shown(&alone(), None));
}

#[test]
fn text_of_several_runs() {
    insta::assert_snapshot!(shown(&repeated(), None));
}

#[test]
fn json_of_everything() {
    let text = json(&everything());
    assert_eq!(text.lines().count(), 1);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn junit_of_everything() {
    insta::assert_snapshot!(written(write_junit, &everything()));
}

#[test]
fn junit_of_one_run() {
    insta::assert_snapshot!(written(write_junit, &alone()));
}

#[test]
fn markdown_of_everything() {
    insta::assert_snapshot!(written(write_markdown, &everything()));
}

#[test]
fn markdown_of_equal_runs() {
    insta::assert_snapshot!(written(write_markdown, &equal()));
}

#[test]
fn markdown_of_one_run() {
    insta::assert_snapshot!(written(write_markdown, &alone()));
}

#[test]
fn github_of_everything() {
    insta::assert_snapshot!(written(write_github, &everything()));
}

#[test]
fn github_has_nothing_to_say_of_equal_runs() {
    assert_eq!(written(write_github, &equal()), "");
    assert_eq!(written(write_github, &alone()), "");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for sample in [everything(), equal(), alone(), repeated()] {
        for width in 40..=200 {
            let text = shown(&sample, Some(width));
            assert!(text.lines().map(columns).max() <= Some(width), "{width}: {text}");
        }
        // Without one, only names are longer.
        let text = shown(&sample, None);
        let long: Vec<_> = text.lines().filter(|line| columns(line) > 80).collect();
        assert!(long.iter().all(|line| line.starts_with("  ")), "{long:?}");
    }
}

#[test]
fn nothing_unprintable_gets_out() {
    for sample in [everything(), alone()] {
        let texts = [
            shown(&sample, None),
            written(write_junit, &sample),
            written(write_markdown, &sample),
            written(write_github, &sample),
        ];
        for text in texts {
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
        }
    }
}

#[test]
fn colour_is_there_where_it_is_wanted_alone() {
    let style = LineStyle { color: true, width: Some(80), time_zone: TimeZone::UTC };
    let mut out = Vec::new();
    write_text(&mut out, everything().view(), &style);
    assert!(String::from_utf8(out).unwrap().contains("\u{1b}[1m\u{1b}[33m"));
}

//! Rules of the gate, as people write them: `files_created>+10%`,
//! `new-executable`.

use std::{cmp::Ordering, fmt, str::FromStr};

use super::number::Decimal;
use crate::model::{RunMetric, RunNameKind};

/// A rule that a run breaks, or keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateRule {
    /// As it was written, without space around it.
    pub(super) text: String,
    pub(super) what: Condition,
}

/// When a rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// A figure compares so with a bound.
    Figure {
        /// Of which metric.
        metric: RunMetric,
        /// How.
        operator: Operator,
        /// With what.
        bound: Bound,
    },
    /// A name is there that was not.
    New(NewName),
    /// Any count is another, or any name.
    Changed,
}

/// What is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// A number.
    Number(Decimal),
    /// So much more than the baseline, or less.
    More(Decimal),
    /// So many percent more than the baseline, or less.
    Percent(Decimal),
}

/// Which names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NewName {
    /// Executables.
    Executable,
    /// Crashes.
    Crash,
    /// Folders that files were created, unlinked or written in.
    Folder,
    /// Signals.
    Signal,
}

/// How a figure compares with a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Above,
    AtLeast,
    Below,
    AtMost,
    Equal,
    Different,
}

/// Longer ones come before those that they begin with.
const OPERATORS: [(&str, Operator); 6] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("==", Operator::Equal),
    ("!=", Operator::Different),
    (">", Operator::Above),
    ("<", Operator::Below),
];

const CHANGED: &str = "changed";

impl NewName {
    const ALL: [Self; 4] = [Self::Executable, Self::Crash, Self::Folder, Self::Signal];

    /// As in a rule.
    const fn name(self) -> &'static str {
        match self {
            Self::Executable => "new-executable",
            Self::Crash => "new-crash",
            Self::Folder => "new-folder",
            Self::Signal => "new-signal",
        }
    }

    /// One of them with its article, and several.
    pub(super) const fn nouns(self) -> (&'static str, &'static str) {
        match self {
            Self::Executable => ("an executable", "executables"),
            Self::Crash => ("a crash", "crashes"),
            Self::Folder => ("a folder", "folders"),
            Self::Signal => ("a signal", "signals"),
        }
    }

    /// The kinds of names that it is about.
    pub(super) const fn kinds(self) -> &'static [RunNameKind] {
        match self {
            Self::Executable => &[RunNameKind::Executables],
            Self::Crash => &[RunNameKind::Crashes],
            Self::Folder => {
                &[RunNameKind::FilesCreated, RunNameKind::FilesUnlinked, RunNameKind::FilesWritten]
            }
            Self::Signal => &[RunNameKind::Signals],
        }
    }
}

impl Operator {
    /// Whether it holds of a figure that stands so to the bound.
    pub(super) const fn holds(self, of: Ordering) -> bool {
        match self {
            Self::Above => matches!(of, Ordering::Greater),
            Self::AtLeast => !matches!(of, Ordering::Less),
            Self::Below => matches!(of, Ordering::Less),
            Self::AtMost => !matches!(of, Ordering::Greater),
            Self::Equal => matches!(of, Ordering::Equal),
            Self::Different => !matches!(of, Ordering::Equal),
        }
    }

    /// Whether it goes on holding of what is more.
    pub(super) const fn is_upward(self) -> bool {
        matches!(self, Self::Above | Self::AtLeast)
    }
}

impl GateRule {
    /// Whether it compares with a baseline.
    #[must_use]
    pub const fn needs_baseline(&self) -> bool {
        match self.what {
            Condition::Figure { bound, .. } => !matches!(bound, Bound::Number(_)),
            Condition::New(_) | Condition::Changed => true,
        }
    }
}

impl fmt::Display for GateRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for GateRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        Ok(Self { text: text.to_owned(), what: condition(text)? })
    }
}

fn condition(text: &str) -> Result<Condition, String> {
    if let Some(new) = NewName::ALL.into_iter().find(|new| new.name() == text) {
        return Ok(Condition::New(new));
    }
    if text == CHANGED {
        return Ok(Condition::Changed);
    }
    let Some(at) = text.find(['>', '<', '=', '!']) else {
        return Err(format!(
            "it has no comparison: write METRIC OP VALUE, such as crashes>0, with >, >=, <, <=, \
             == or !=, or one of {}",
            words()
        ));
    };
    let (name, rest) = text.split_at(at);
    let metric: RunMetric = name.trim().parse().map_err(|unknown| format!("{unknown}"))?;
    let found = OPERATORS.into_iter().find_map(|(sign, of)| Some((of, rest.strip_prefix(sign)?)));
    let Some((operator, value)) = found else {
        return Err("its comparison is none of >, >=, <, <=, == and !=".to_owned());
    };
    Ok(Condition::Figure { metric, operator, bound: bound(value.trim(), metric)? })
}

fn bound(value: &str, metric: RunMetric) -> Result<Bound, String> {
    let (sign, number) = match value.chars().next() {
        Some(sign @ ('+' | '-')) => (Some(sign), value.get(1..).unwrap_or_default()),
        _ => (None, value),
    };
    let (number, unit) = Decimal::read(number.trim_start())?;
    let signed = |number: Decimal| if sign == Some('-') { number.negated() } else { number };
    let of_metric = || {
        let number = number.with_unit(unit.trim(), metric.unit());
        number.map_err(|why| format!("{metric} cannot be compared with {value:?}: {why}"))
    };
    match (sign, unit.trim()) {
        (None, "%") => Err(format!(
            "{value:?} is a share of nothing: write +{value} for so much more than the baseline, \
             or -{value} for less"
        )),
        (None, _) => of_metric().map(Bound::Number),
        (Some(_), "%") => Ok(Bound::Percent(signed(number))),
        (Some(_), _) => of_metric().map(|number| Bound::More(signed(number))),
    }
}

/// The rules that are one word.
fn words() -> String {
    let new = NewName::ALL.map(NewName::name).join(", ");
    format!("{new} and {CHANGED}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(text: &str) -> Result<GateRule, String> {
        text.parse()
    }

    #[test]
    fn rules_are_read() {
        for (text, needs_baseline) in [
            ("crashes>0", false),
            ("peak_rss_bytes > 1.5GB", false),
            ("wall_ns>=30s", false),
            ("wall_ns<=500 ms", false),
            ("processes==5", false),
            ("processes != 5", false),
            ("files_created>+10%", true),
            ("files_created < -5 %", true),
            ("written_bytes>+100KiB", true),
            ("processes!=+0", true),
            ("cpu_ns>+20%", true),
            ("new-executable", true),
            ("new-crash", true),
            ("new-folder", true),
            ("new-signal", true),
            (" changed ", true),
        ] {
            let read = rule(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(read.needs_baseline(), needs_baseline, "{text}");
            assert_eq!(read.to_string(), text.trim());
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, word) in [
            ("", "no comparison"),
            ("crashes", "no comparison"),
            ("new-process", "new-executable, new-crash, new-folder, new-signal and changed"),
            ("crash>0", "no metric of a run is called \"crash\"; there are processes"),
            (">0", "no metric of a run is called \"\""),
            ("crashes=0", "its comparison is none of"),
            ("crashes=>0", "its comparison is none of"),
            ("crashes!0", "its comparison is none of"),
            ("crashes>", "does not begin with a number"),
            ("crashes>>0", "does not begin with a number"),
            ("crashes>0 or 1", "it is a count"),
            ("crashes>10%", "write +10% for so much more"),
            ("peak_rss_bytes>1.5XB", "no unit of size"),
            ("wall_ns>30", "needs a unit"),
            ("wall_ns>+30", "needs a unit"),
            ("files_created>+-5", "does not begin with a number"),
            ("files_created>99999999999999999999", "too many digits"),
        ] {
            let why = rule(text).expect_err(text);
            assert!(why.contains(word), "{text}: {why}");
            assert!(!why.contains('\n') && !why.ends_with('.'), "{why}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = rule(&text);
        }

        #[test]
        fn nor_does_what_looks_like_a_rule(text in "(crashes|wall_ns|written_bytes) ?[<>=!]{1,3} ?[+-]?[0-9.]{0,20} ?[%a-zA-Zµ]{0,3}") {
            if let Ok(read) = rule(&text) {
                prop_assert_eq!(rule(&read.to_string()), Ok(read));
            }
        }

        #[test]
        fn space_means_nothing(metric in 0..RunMetric::ALL.len(), operator in 0..6_usize, number in 0..1000_u32, sign in "[+-]?") {
            let (metric, (operator, _)) = (RunMetric::ALL[metric], OPERATORS[operator]);
            let unit = if metric.name().ends_with("_ns") { "ms" } else { "" };
            let tight = rule(&format!("{metric}{operator}{sign}{number}{unit}")).unwrap();
            let wide = rule(&format!(" {metric} {operator} {sign} {number} {unit} ")).unwrap();
            prop_assert_eq!(tight.what, wide.what);
        }
    }
}

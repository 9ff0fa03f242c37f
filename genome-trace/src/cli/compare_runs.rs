//! Options of `compare`.

use std::{path::PathBuf, str::FromStr};

use clap::{Args, ValueEnum};

use crate::detect::GateRule;

/// Two reports against each other.
#[derive(Args, Debug)]
#[command(
    after_help = "This is of two runs of a command. What personas used at two times, from a \
                  recorder's store, is the view genome-trace --compare.",
    after_long_help = "This is of two runs of a command. What personas used at two times, from a \
                       recorder's store, is the view genome-trace --compare.\n\n\
                       Examples:\n  \
                       genome-trace compare before.json after.json\n  \
                       genome-trace compare before.json after.json --fail-on='crashes>0' \
                       --fail-on=new-executable\n\n\
                       Exit status: 0, 3 where a rule is broken, 125 where a report cannot be \
                       read or a rule cannot be judged, 2 for a wrong command line. Rules and \
                       metrics are in docs/regression.md."
)]
pub struct CompareRuns {
    /// The earlier report, that run --save wrote
    #[arg(value_name = "BEFORE")]
    pub before: PathBuf,
    /// The later report
    #[arg(value_name = "AFTER")]
    pub after: PathBuf,
    /// Fail, with status 3, where this holds, such as crashes>0,
    /// files_created>+10%, peak_rss_bytes>1.5GB or new-executable; may be given
    /// more than once, and is beside those of the configuration
    #[arg(long, value_name = "RULE")]
    pub fail_on: Vec<GateRule>,
    /// What is near enough for an amount, in percent of what it was before, in
    /// place of that of the configuration [default: 10]
    #[arg(long, value_name = "PCT")]
    pub tolerance: Option<Percent>,
    /// How to print what is different
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: RunFormat,
    /// Read the table [ci] of this file, in place of .genome-trace.toml in the
    /// current folder
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Colour nothing (so does NO_COLOR, and any output that is no terminal)
    #[arg(long)]
    pub no_color: bool,
}

/// How runs are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RunFormat {
    /// For people
    #[default]
    Table,
    /// One JSON object
    Json,
    /// JUnit's XML: a test case for each rule and metric
    Junit,
    /// For a comment on a change
    Markdown,
    /// For people, with a GitHub workflow's annotations, and its job's summary
    /// where GITHUB_STEP_SUMMARY names a file
    Github,
}

/// A number of percent: `10`, `2.5%`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percent(pub f64);

impl Percent {
    /// More is near enough to be no limit.
    const MAX: f64 = 1000.0;

    /// Of a number.
    ///
    /// # Errors
    /// It is not from 0 to 1000.
    pub fn new(percent: f64) -> Result<Self, String> {
        match percent {
            0.0..=Self::MAX => Ok(Self(percent)),
            _ => {
                Err(format!("{percent} is no tolerance, which is from 0 to {} percent", Self::MAX))
            }
        }
    }
}

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.trim().trim_end_matches('%').trim_end();
        let is_plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        match number.parse() {
            Ok(percent) if is_plain => Self::new(percent),
            _ => Err(format!("{text:?} is no number of percent, such as 10 or 2.5")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents() {
        for (text, wanted) in [("10", 10.0), ("2.5%", 2.5), (" 0 % ", 0.0), ("1000", 1000.0)] {
            assert_eq!(text.parse(), Ok(Percent(wanted)), "{text}");
        }
        for wrong in ["", "%", "-1", "1001", "ten", "NaN", "inf", "1e1", "10 20"] {
            assert!(wrong.parse::<Percent>().is_err(), "{wrong}");
        }
        assert!(Percent::new(f64::NAN).is_err());
    }
}

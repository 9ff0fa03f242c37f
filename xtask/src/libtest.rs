//! Reads what test binaries print at the end.

use std::collections::VecDeque;
use std::fmt;
use std::iter::Sum;
use std::ops::Add;

/// Tests by how they ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Went well.
    pub(crate) passed: u64,
    /// Did not.
    pub(crate) failed: u64,
    /// Were not run.
    pub(crate) ignored: u64,
}

impl Counts {
    /// Reads libtest's `test result:` line.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (_, counts) = line.trim().strip_prefix("test result: ")?.split_once(". ")?;
        let count = |name: &str| {
            counts.split(';').find_map(|part| part.trim().strip_suffix(name)?.trim().parse().ok())
        };
        Some(Self {
            passed: count("passed")?,
            failed: count("failed")?,
            ignored: count("ignored").unwrap_or(0),
        })
    }

    /// Reads nextest's `Summary` line.
    pub(crate) fn parse_nextest(line: &str) -> Option<Self> {
        let (_, counts) = line.trim().strip_prefix("Summary")?.split_once(':')?;
        let count = |name: &str| {
            counts.split([',', '(']).find_map(|part| {
                let mut words = part.split_whitespace();
                let number = words.next()?.parse::<u64>().ok()?;
                (words.next()?.trim_end_matches(')') == name).then_some(number)
            })
        };
        Some(Self {
            passed: count("passed")?,
            failed: count("failed").unwrap_or(0) + count("timed").unwrap_or(0),
            ignored: count("skipped").unwrap_or(0),
        })
    }
}

/// What a failed test's line begins with where failures are told.
pub(crate) const FAILED_TEST: &str = "  - ";

/// What one of a run's last lines begins with where a failure is told.
pub(crate) const LAST_LINE: &str = "  | ";

/// How many of the last lines are told where no test failed and none was counted.
const LAST_LINES: usize = 12;

/// The tests that failed, with the first line of what each said; where none
/// did, the end of what was printed tells why the run broke.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    last: VecDeque<String>,
    told: Vec<(String, Option<String>)>,
    /// The test whose first line comes next.
    awaited: Option<usize>,
}

impl Failures {
    /// Takes the next line of libtest's or nextest's output.
    pub(crate) fn line(&mut self, line: &str) {
        let line = line.trim();
        if !line.is_empty() {
            if self.last.len() == LAST_LINES {
                self.last.pop_front();
            }
            self.last.push_back(line.to_owned());
        }
        if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" ----")) {
            self.awaited = Some(self.place(name.trim_end_matches(" stdout")));
        } else if let Some(name) =
            line.strip_prefix("test ").and_then(|rest| rest.strip_suffix("... FAILED"))
        {
            self.place(name.trim());
        } else if let Some(name) =
            line.strip_prefix("FAIL [").and_then(|rest| rest.split_once("] "))
        {
            self.place(name.1.trim());
        } else if let Some(awaited) = self.awaited
            && !line.is_empty()
        {
            if let Some((_, said)) = self.told.get_mut(awaited) {
                said.get_or_insert_with(|| line.to_owned());
            }
            self.awaited = None;
        }
    }

    fn place(&mut self, name: &str) -> usize {
        self.told.iter().position(|(told, _)| told == name).unwrap_or_else(|| {
            self.told.push((name.to_owned(), None));
            self.told.len() - 1
        })
    }
}

/// A line each, with a newline before it.
impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, said) in &self.told {
            write!(f, "\n{FAILED_TEST}{name}")?;
            if let Some(said) = said {
                write!(f, ": {said}")?;
            }
        }
        if self.told.is_empty() {
            for line in &self.last {
                write!(f, "\n{LAST_LINE}{line}")?;
            }
        }
        Ok(())
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            ignored: self.ignored + other.ignored,
        }
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Self::add)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.ignored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtest_line() {
        let line = "test result: FAILED. 12 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.10s";
        assert_eq!(Counts::parse(line), Some(Counts { passed: 12, failed: 1, ignored: 3 }));
        assert_eq!(Counts::parse("test result of something"), None);
        assert_eq!(Counts::parse("test a ... ok"), None);
    }

    #[test]
    fn nextest_line() {
        let line = "     Summary [   0.116s] 20 tests run: 18 passed (1 slow), 1 failed, 1 timed out, 3 skipped";
        assert_eq!(Counts::parse_nextest(line), Some(Counts { passed: 18, failed: 2, ignored: 3 }));
    }

    #[test]
    fn failures_by_name_with_their_first_line() {
        let mut failures = Failures::default();
        let lines = [
            "test a::b      ... FAILED",
            "test a::c ... ok",
            "---- a::b ----",
            "",
            "7 instructions too many",
            "of something",
            "        FAIL [   0.005s] (1/2) crate::bin c::d",
        ];
        for line in lines {
            failures.line(line);
        }
        assert_eq!(
            failures.to_string(),
            "\n  - a::b: 7 instructions too many\n  - (1/2) crate::bin c::d"
        );
    }

    #[test]
    fn run_that_broke_without_a_failed_test() {
        let mut failures = Failures::default();
        for line in (0..20).map(|line| format!("line {line}\n")) {
            failures.line(&line);
        }
        let told = failures.to_string();
        assert!(told.starts_with("\n  | line 8\n"), "{told}");
        assert!(told.ends_with("\n  | line 19"), "{told}");
    }

    #[test]
    fn sum_and_words() {
        let counts = Counts { passed: 1, failed: 0, ignored: 2 };
        assert_eq!(
            [counts, counts].into_iter().sum::<Counts>().to_string(),
            "2 passed, 0 failed, 4 skipped"
        );
    }
}

//! The committed budget of the verifier: the most instructions that it may go
//! through for each program, by kernel. `cargo xtask verifier-budget` writes
//! it.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};

const COMMITTED: &str = include_str!("../verifier-budget.txt");

/// The budgets of each program, in the order of the kernels.
#[derive(Debug)]
pub struct Budget {
    kernels: Vec<String>,
    programs: BTreeMap<String, Vec<Option<u64>>>,
}

impl Budget {
    /// The one that is committed.
    pub fn committed() -> anyhow::Result<Self> {
        Self::parse(COMMITTED).context("tests/kernel/verifier-budget.txt")
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut lines = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(str::split_whitespace)
            .filter(|words| words.clone().next().is_some());
        let mut heading = lines.next().context("there is no heading")?;
        ensure!(heading.next() == Some("program"), "the heading does not begin with `program`");
        let kernels: Vec<String> = heading.map(str::to_owned).collect();
        let mut programs = BTreeMap::new();
        for mut words in lines {
            let program = words.next().context("a line without a program")?;
            let budgets = words
                .map(|word| match word {
                    "-" => Ok(None),
                    word => word.parse().map(Some),
                })
                .collect::<Result<Vec<_>, _>>()
                .with_context(|| format!("the budgets of {program}"))?;
            ensure!(budgets.len() == kernels.len(), "{program} has not one budget a kernel");
            programs.insert(program.to_owned(), budgets);
        }
        Ok(Self { kernels, programs })
    }

    /// The budget of a program on the kernel of this series, `6.12`. Where the
    /// series, or the program on it, has none, the greatest of the others.
    pub fn of(&self, program: &str, series: &str) -> Option<u64> {
        let budgets = self.programs.get(program)?;
        let column = self.kernels.iter().position(|kernel| kernel == series);
        let own = column.and_then(|column| budgets.get(column).copied().flatten());
        own.or_else(|| budgets.iter().copied().flatten().max())
    }
}

/// The series of a kernel's release: `6.12` of `6.12.117+deb12-cloud-amd64`.
pub fn series(release: &str) -> String {
    release.split(['.', '-', '+']).take(2).collect::<Vec<_>>().join(".")
}

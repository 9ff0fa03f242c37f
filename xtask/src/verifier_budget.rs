//! `verifier-budget`: what the verifier goes through for each program, on this
//! machine and in virtual machines, and 15 % more, as the budget that
//! tests/kernel holds it to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, bail};

use crate::artifacts;
use crate::cli::{Series, VerifierBudgetArgs, VmArgs};
use crate::process;
use crate::vm;
use crate::workspace::Workspace;

const HEADING: &str = "\
# The most instructions that the verifier may go through for each program, by
# kernel: what was measured, and 15 % more. - is a program that the kernel did
# not load. Written by `cargo xtask verifier-budget`; see docs/cost.md.
";
/// How a line begins that names the kernel whose counts follow.
const KERNEL: &str = "verifier-budget-kernel ";
/// How a line begins that has a count.
const COUNT: &str = "genome_bpf_program_verified_instructions{program=\"";

/// Counts or budgets, by program, by kernel series.
type Table = BTreeMap<String, BTreeMap<String, u64>>;

/// Every program in every configuration that changes what the verifier sees. A
/// mode that this kernel has not is refused, and says nothing on stdout.
fn script(genome_trace: &str) -> String {
    format!(
        "echo {KERNEL}$(uname -r)\n\
         for mode in fexit kprobe syscall tracepoint; do\n\
         for whom in '' --persona=nobody; do\n\
         {genome_trace} doctor --cost=100ms --format=prometheus --probe-mode=$mode $whom || true\n\
         done\n\
         done\n"
    )
}

/// The subcommand.
pub(crate) fn main(workspace: &Workspace, args: &VerifierBudgetArgs) -> anyhow::Result<ExitCode> {
    let path = workspace.verifier_budget();
    let mut budgets = match fs::read_to_string(&path) {
        Ok(text) => read(&text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Table::new(),
        Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
    };
    let mut said = on_this_machine(workspace)?;
    if !args.no_vm {
        let kernels =
            if args.kernels.is_empty() { Series::ALL.to_vec() } else { args.kernels.clone() };
        said.push_str(&in_virtual_machines(workspace, kernels)?);
    }
    let counts = counts(&said);
    if counts.is_empty() {
        bail!("measure what the verifier goes through: no kernel told it; run it as root, on 5.16");
    }
    replace(&mut budgets, &counts);
    fs::write(&path, write(&budgets)).with_context(|| format!("write {}", path.display()))?;
    eprintln!("xtask: wrote {}", path.display());
    Ok(ExitCode::SUCCESS)
}

fn on_this_machine(workspace: &Workspace) -> anyhow::Result<String> {
    let genome_trace = artifacts::genome_trace(workspace)?;
    let quoted = format!("'{}'", genome_trace.display().to_string().replace('\'', r"'\''"));
    process::stdout(Command::new("sh").args(["-c", &script(&quoted)]).stderr(Stdio::null()))
}

fn in_virtual_machines(workspace: &Workspace, kernels: Vec<Series>) -> anyhow::Result<String> {
    let args = VmArgs {
        kernels: kernels.clone(),
        shell_command: Some(script("genome-trace")),
        keep_log: true,
        ..VmArgs::default()
    };
    let failure = vm::run(workspace, &args)?.into_iter().find_map(|report| {
        let failure = report.failure?;
        Some(format!("kernel {}: {failure}", report.series))
    });
    if let Some(failure) = failure {
        bail!("measure what the verifier goes through: {failure}");
    }
    let mut said = String::new();
    for series in kernels {
        let log = vm::logs(workspace).join(format!("{series}.log"));
        let text = fs::read(&log).with_context(|| format!("read {}", log.display()))?;
        said.push_str(&String::from_utf8_lossy(&text));
        said.push('\n');
    }
    Ok(said)
}

/// The greatest count of each program on each kernel.
fn counts(said: &str) -> Table {
    let mut counts = Table::new();
    let mut kernel = None;
    for line in said.lines() {
        if let Some(release) = line.strip_prefix(KERNEL) {
            kernel = Some(series(release.trim()));
        }
        let count = line.strip_prefix(COUNT).and_then(|rest| {
            let program = rest.split('"').next()?;
            Some((program, rest.rsplit(' ').next()?.parse::<u64>().ok()?))
        });
        if let (Some(kernel), Some((program, count))) = (&kernel, count) {
            let most = counts.entry(program.to_owned()).or_default();
            let most = most.entry(kernel.clone()).or_default();
            *most = count.max(*most);
        }
    }
    counts
}

/// `6.12` of `6.12.117+deb12-cloud-amd64`.
fn series(release: &str) -> String {
    release.split(['.', '-', '+']).take(2).collect::<Vec<_>>().join(".")
}

/// What was measured takes the place of what the kernel had.
fn replace(budgets: &mut Table, counts: &Table) {
    let measured: BTreeSet<&String> = counts.values().flat_map(BTreeMap::keys).collect();
    for of_kernels in budgets.values_mut() {
        of_kernels.retain(|kernel, _| !measured.contains(kernel));
    }
    for (program, of_kernels) in counts {
        let row = budgets.entry(program.clone()).or_default();
        row.extend(of_kernels.iter().map(|(kernel, count)| (kernel.clone(), with_room(*count))));
    }
    budgets.retain(|_, of_kernels| !of_kernels.is_empty());
}

/// 15 % more, rounded up to tens.
fn with_room(count: u64) -> u64 {
    (count * 115).div_ceil(1000) * 10
}

fn read(text: &str) -> Table {
    let mut table = Table::new();
    let mut kernels: Vec<&str> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        match words.next() {
            None => {}
            Some("program") => kernels = words.collect(),
            Some(program) => {
                let row = table.entry(program.to_owned()).or_default();
                let cells = kernels.iter().zip(words);
                row.extend(cells.filter_map(|(kernel, budget)| {
                    Some(((*kernel).to_owned(), budget.parse::<u64>().ok()?))
                }));
            }
        }
    }
    table
}

fn write(table: &Table) -> String {
    let kernels: BTreeSet<&String> = table.values().flat_map(BTreeMap::keys).collect();
    let mut kernels: Vec<&String> = kernels.into_iter().collect();
    kernels.sort_by_key(|kernel| -> Vec<u64> {
        kernel.split('.').map(|number| number.parse().unwrap_or(u64::MAX)).collect()
    });
    let width = table.keys().map(String::len).max().unwrap_or(0).max("program".len());
    let mut text = HEADING.to_owned();
    let mut line = |name: &str, cells: Vec<String>| {
        let cells: String = cells.iter().map(|cell| format!(" {cell:>8}")).collect();
        text.push_str(&format!("{name:<width$}{cells}\n"));
    };
    line("program", kernels.iter().map(ToString::to_string).collect());
    for (program, row) in table {
        let cell = |kernel: &&String| row.get(*kernel).map_or("-".to_owned(), u64::to_string);
        line(program, kernels.iter().map(cell).collect());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "\
verifier-budget-kernel 6.12.117+deb12-cloud-amd64
genome_bpf_program_verified_instructions{program=\"exec\",hook=\"tp_btf\"} 100
genome_bpf_program_runs_total{program=\"exec\",hook=\"tp_btf\"} 7
genome_bpf_program_verified_instructions{program=\"exec\",hook=\"tp_btf\"} 90
verifier-budget-kernel 7.3.4
genome_bpf_program_verified_instructions{program=\"exec_backup\",hook=\"tp_btf\"} 1001
";

    #[test]
    fn the_greatest_count_of_each_kernel_is_taken() {
        let mut budgets = Table::new();
        replace(&mut budgets, &counts(SAID));
        let text = write(&budgets);
        let rows: Vec<Vec<&str>> =
            text.lines().skip(3).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(
            rows,
            [
                vec!["program", "6.12", "7.3"],
                vec!["exec", "120", "-"],
                vec!["exec_backup", "-", "1160"]
            ]
        );
    }

    #[test]
    fn what_was_not_measured_stays_and_what_is_gone_goes() {
        let mut budgets = read("program 6.1 6.12\nexec 50 60\ngone - 70\n");
        replace(&mut budgets, &counts(SAID));
        assert_eq!(budgets["exec"], BTreeMap::from([("6.1".into(), 50), ("6.12".into(), 120)]));
        assert!(!budgets.contains_key("gone"));
        assert_eq!(read(&write(&budgets)), budgets);
    }
}

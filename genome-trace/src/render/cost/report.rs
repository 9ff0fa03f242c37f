//! What tracing costs, for people.

use std::{
    io::{self, Write as _},
    time::Duration,
};

use anstyle::Style;

use crate::{
    model::{Cost, ModeCost},
    render::{
        text::{Escaped, columns},
        units::{Bytes, Count, Elapsed},
    },
};

const UNKNOWN: &str = "unknown";

/// Writes the report for people.
pub fn write_text(out: &mut Vec<u8>, cost: &Cost, color: bool) {
    // Writing to a Vec does not fail.
    let _ = Report { out, cost, color }.write();
}

struct Report<'a> {
    out: &'a mut Vec<u8>,
    cost: &'a Cost,
    color: bool,
}

impl Report<'_> {
    fn write(&mut self) -> io::Result<()> {
        let Cost { version, host, kernel, arch, window_ns, .. } = self.cost;
        let host = Escaped(host.as_bytes());
        writeln!(self.out, "genome-trace {version} on {host}, Linux {kernel}, {arch}")?;
        let early = if self.cost.ended_early { ", ended early" } else { "" };
        writeln!(self.out, "What tracing cost in {}{early}", Elapsed(*window_ns))?;
        self.heading("How files are seen (--probe-mode), the cheapest first")?;
        for mode in &self.cost.modes {
            self.mode(mode)?;
        }
        self.heading("Programs in the kernel, the costliest first")?;
        self.table()?;
        if let Some(reason) = &self.cost.unmeasured {
            writeln!(self.out, "{reason}")?;
        }
        self.heading("The tracer itself")?;
        self.tracer()?;
        writeln!(
            self.out,
            "\nMeasuring itself adds some tens of ns to each run: the kernel reads the clock \
             twice. The way to\na program, such as the slower way through a system call, is not \
             in its figures."
        )
    }

    fn mode(&mut self, mode: &ModeCost) -> io::Result<()> {
        let is_used = self.cost.selected_mode.as_deref() == Some(mode.mode.as_str());
        let why = match (&mode.reason, is_used, self.cost.mode_forced) {
            (Some(reason), _, _) => format!("does not work here: {reason}"),
            (None, true, true) => "used, since it was asked for".to_owned(),
            (None, true, false) => "used: the cheapest that works here".to_owned(),
            (None, false, _) => "works, not used".to_owned(),
        };
        writeln!(self.out, "{:<12}{why}", mode.mode)?;
        writeln!(self.out, "{:<12}costs {}", "", mode.cost)
    }

    fn table(&mut self) -> io::Result<()> {
        let mut rows = vec![
            ["PROGRAM", "HOOK", "RUNS", "RUNS/S", "NS/RUN", "OF ONE CPU", "SKIPPED", "VERIFIED"]
                .map(str::to_owned),
        ];
        rows.extend(self.cost.programs.iter().map(|program| {
            let hook = format!("{}/{}", program.hook, program.target);
            let figures = [program.runs, program.run_time_ns, program.skipped_calls];
            self.row(&program.program, hook, figures, count(program.verified_instructions))
        }));
        let total = &self.cost.total;
        let figures = [total.runs, total.run_time_ns, total.skipped_calls];
        rows.push(self.row("total", String::new(), figures, String::new()));
        let widths: [usize; 8] = std::array::from_fn(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| columns(cell)).max().unwrap_or(0)
        });
        for (index, row) in rows.iter().enumerate() {
            let style = self.style(index == 0 || index + 1 == rows.len());
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
                let space = " ".repeat(width.saturating_sub(columns(cell)));
                // Words to the left, figures to the right.
                line.push_str(&if column < 2 {
                    format!("{cell}{space}  ")
                } else {
                    format!("{space}{cell}  ")
                });
            }
            writeln!(self.out, "{style}{}{style:#}", line.trim_end())?;
        }
        Ok(())
    }

    fn row(
        &self,
        name: &str,
        hook: String,
        [runs, run_time_ns, skipped]: [Option<u64>; 3],
        verified: String,
    ) -> [String; 8] {
        let per_second = runs.map(|runs| rate(runs, self.cost.window_ns));
        let each = runs.zip(run_time_ns).map(|(runs, ns)| per_run(ns, runs));
        let share = run_time_ns.map(|ns| share(ns, self.cost.window_ns));
        let or_unknown = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
        [
            name.to_owned(),
            hook,
            count(runs),
            or_unknown(per_second),
            or_unknown(each),
            or_unknown(share),
            count(skipped),
            verified,
        ]
    }

    fn tracer(&mut self) -> io::Result<()> {
        let tracer = &self.cost.tracer;
        let elapsed =
            |ns: Option<u64>| ns.map_or_else(|| UNKNOWN.to_owned(), |ns| Elapsed(ns).to_string());
        let share =
            tracer.cpu_ns().map_or_else(|| UNKNOWN.to_owned(), |ns| share(ns, self.cost.window_ns));
        let memory =
            tracer.rss_bytes.map_or_else(|| UNKNOWN.to_owned(), |rss| Bytes(rss).to_string());
        writeln!(
            self.out,
            "{:<12}{} ({} in user mode, {} in the kernel), {share} of one processor",
            "CPU time",
            elapsed(tracer.cpu_ns()),
            elapsed(tracer.user_ns),
            elapsed(tracer.system_ns),
        )?;
        writeln!(self.out, "{:<12}{memory} resident", "memory")?;
        writeln!(
            self.out,
            "{:<12}{} laid out as JSON and dropped, {} lost",
            "events",
            Count(tracer.events),
            Count(tracer.lost),
        )
    }

    fn heading(&mut self, text: &str) -> io::Result<()> {
        let style = self.style(true);
        writeln!(self.out, "\n{style}{text}{style:#}")
    }

    fn style(&self, is_bold: bool) -> Style {
        if self.color && is_bold { Style::new().bold() } else { Style::new() }
    }
}

fn count(figure: Option<u64>) -> String {
    figure.map_or_else(|| UNKNOWN.to_owned(), |count| Count(count).to_string())
}

/// Rounded to the nearest; below 10, tenths.
fn rate(runs: u64, window_ns: u64) -> String {
    let seconds = Duration::from_nanos(window_ns.max(1)).as_secs_f64();
    let rate = runs as f64 / seconds;
    if runs > 0 && rate < 10.0 {
        format!("{rate:.1}")
    } else {
        // No machine runs a program so often that this saturates.
        Count(rate.round() as u64).to_string()
    }
}

fn per_run(run_time_ns: u64, runs: u64) -> String {
    if runs == 0 {
        return "-".to_owned();
    }
    let each = run_time_ns as f64 / runs as f64;
    if each < 100.0 { format!("{each:.1}") } else { Count(each.round() as u64).to_string() }
}

/// In percent.
fn share(ns: u64, window_ns: u64) -> String {
    let percent = ns as f64 * 100.0 / window_ns.max(1) as f64;
    match percent {
        0.0 => "0 %".to_owned(),
        ..0.001 => "<0.001 %".to_owned(),
        ..1.0 => format!("{percent:.3} %"),
        _ => format!("{percent:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_all_sizes() {
        const S: u64 = 1_000_000_000;
        assert_eq!(rate(0, S), "0");
        assert_eq!(rate(1, 2 * S), "0.5");
        assert_eq!(rate(4_109_104, 2 * S), "2,054,552");
        assert_eq!(rate(1, 0), "1,000,000,000");
        assert_eq!(per_run(0, 0), "-");
        assert_eq!(per_run(125, 4), "31.2");
        assert_eq!(per_run(5_000, 4), "1,250");
        assert_eq!(share(0, S), "0 %");
        assert_eq!(share(1, S), "<0.001 %");
        assert_eq!(share(4_560_000, S), "0.456 %");
        assert_eq!(share(2 * S, S), "200.0 %");
    }
}

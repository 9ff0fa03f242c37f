//! The report for people.

mod suites;

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

pub(crate) use self::suites::suites;
use super::{Figures, Report, Row, ScenarioReport};
use crate::account::{Tally, Verdict};
use crate::row::Rows;
use crate::row::crashes_query::CrashesQuery;
use crate::row::detectors::Detectors;
use crate::row::samples::Samples;
use crate::stats::Spread;

/// How to print: colours only where somebody looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Whether stdout is a terminal.
    pub(crate) colour: bool,
}

/// One scenario with its subjects, the earlier report's ratios beside them.
pub(crate) fn scenario(report: &ScenarioReport, earlier: Option<&Report>, look: Look) -> String {
    let mut text = String::new();
    let on = report.file_system.as_deref().map(|name| format!(" ({name})")).unwrap_or_default();
    let title = format!("{}: {}{on}", report.name, report.title);
    line(&mut text, &look.paint(Style::new().bold(), &title));
    if let Some(reason) = &report.skipped {
        line(&mut text, &format!("  skipped: {reason}"));
        return text;
    }
    line(
        &mut text,
        &look.paint(
            Style::new().dimmed(),
            &format!(
                "  {:<26}{:>8}{:>16}{:>10}{:>12}{:>10}  counts",
                "", "ratio", "min..max", "baseline", "CPU s/M", "RSS MiB"
            ),
        ),
    );
    for row in &report.rows {
        let name = match &row.mode {
            Some(mode) => format!("{} {mode}", row.subject),
            None => row.subject.clone(),
        };
        match (&row.figures, &row.skipped) {
            (Some(figures), _) => {
                let before = earlier.and_then(|earlier| earlier.figures(&report.name, row));
                line(&mut text, &format!("  {name:<26}{}", columns(figures, before, row, look)));
            }
            (None, reason) => {
                let reason = reason.as_deref().unwrap_or("not measured");
                line(&mut text, &format!("  {name:<26} skipped: {reason}"));
            }
        }
    }
    text
}

/// What genome-trace does alone in one mode.
pub(crate) fn rows(rows: &Rows, look: Look) -> String {
    let mut text = String::new();
    let title = format!("genome-trace alone, {}", rows.mode);
    line(&mut text, &look.paint(Style::new().bold(), &title));
    if let Some(startup) = &rows.startup {
        let ms = &startup.first_event_ms;
        let figures =
            format!("{:.0} ms to the first event ({:.0}..{:.0})", ms.median, ms.min, ms.max);
        line(&mut text, &format!("  startup  {figures}"));
    }
    if let Some(idle) = &rows.idle {
        let rss = mib(idle.rss_bytes);
        line(
            &mut text,
            &format!(
                "  idle     {:.2} % of one processor, {rss:.1} MiB, {} processes, {:.0} s",
                idle.cpu_percent, idle.processes, idle.seconds
            ),
        );
    }
    if let Some(of) = &rows.samples {
        text += &samples(of, look);
    }
    if let Some(gpus) = &rows.gpus {
        let rss = mib(gpus.rss_bytes);
        line(
            &mut text,
            &format!(
                "  gpus     {:.2} % of one processor with looks at {} GPUs and {} processes once a \
                 second, {:.2} % without; {rss:.1} MiB, {:.0} s",
                gpus.cpu_percent, gpus.gpus, gpus.processes, gpus.cpu_percent_without, gpus.seconds
            ),
        );
    }
    if let Some(flood) = &rows.flood {
        line(
            &mut text,
            &format!(
                "  flood    {:.0} events/s for {:.1} s: {:.0} % of one processor, {:.2} CPU s/M \
                 lines, {:.1} MiB; {} lifecycle events lost; {}",
                flood.events_per_second,
                flood.seconds,
                flood.cpu_percent,
                flood.cpu_seconds_per_million,
                mib(flood.peak_rss_bytes),
                flood.lifecycle_lost,
                counts(flood.verdict, &flood.tallies, true, look),
            ),
        );
    }
    for record in [&rows.record, &rows.record_exits].into_iter().flatten() {
        let percent = record.cpu_percent;
        let percent = percent.map(|percent| format!(", {percent:.0} % of one processor"));
        line(
            &mut text,
            &format!(
                "  record   {:.0} exits/s for {:.1} s into a store on {}: {:.2} CPU s/M events{}, \
                 {:.1} MiB, {:.0} B of the store an event; {}",
                record.exits_per_second,
                record.seconds,
                record.file_system,
                record.cpu_seconds_per_million,
                percent.unwrap_or_default(),
                mib(record.peak_rss_bytes),
                record.store_bytes_per_event,
                counts(record.verdict, &record.tallies, true, look),
            ),
        );
    }
    if let Some(latency) = &rows.latency {
        for (name, late) in [("quiet", &latency.quiet), ("in a storm", &latency.in_storm)] {
            line(
                &mut text,
                &format!(
                    "  latency  median {:.1} ms, p99 {:.1} ms, max {:.1} ms of {} events, {} \
                     missing; {name}",
                    late.median_ms, late.p99_ms, late.max_ms, late.events, late.missing
                ),
            );
        }
    }
    text
}

fn samples(samples: &Samples, look: Look) -> String {
    let mut text = String::new();
    line(
        &mut text,
        &format!(
            "  samples  looks {} of one processor, all of the recorder {}, with {:.0} events/s \
             besides; {} processes of {} personas once a second, {} windows of {:.0} s; {}",
            percents(samples.cpu_percent),
            percents(samples.cpu_percent_recorder),
            samples.events_per_second,
            samples.processes,
            samples.personas,
            samples.windows,
            samples.seconds,
            counts(Some(samples.verdict), std::slice::from_ref(&samples.tally), true, look)
        ),
    );
    let Some(psutil) = &samples.psutil else {
        line(&mut text, "  samples  no psutil to hold it against");
        return text;
    };
    let ratios = |ratio: Spread| {
        format!("{} ({}..{})", times(ratio.median), times(ratio.min), times(ratio.max))
    };
    line(
        &mut text,
        &format!(
            "  samples  psutil {}, {:.2} % alone: {} the looks, {} all of the recorder; {}; {}",
            percents(psutil.cpu_percent),
            psutil.cpu_percent_alone,
            ratios(psutil.ratio),
            ratios(psutil.ratio_recorder),
            psutil.version,
            counts(Some(psutil.tally.verdict()), std::slice::from_ref(&psutil.tally), false, look)
        ),
    );
    text
}

fn percents(percent: Spread) -> String {
    format!("{:.2} % ({:.2}..{:.2})", percent.median, percent.min, percent.max)
}

/// What a question costs, beside sqlite3.
pub(crate) fn crashes_query(query: &CrashesQuery, look: Look) -> String {
    let mut text = String::new();
    let title = "crashes-query: --crashes --last=1h against sqlite3 with the bare query";
    line(&mut text, &look.paint(Style::new().bold(), title));
    let Some(figures) = &query.figures else {
        let reason = query.skipped.as_deref().unwrap_or("not measured");
        line(&mut text, &format!("  skipped: {reason}"));
        return text;
    };
    line(
        &mut text,
        &format!(
            "  {} events, {} crashes in the hour; {:.0} B of the store an event on {}, stored at \
             {:.0} a second",
            figures.events,
            figures.crashes,
            figures.store_bytes_per_event,
            figures.file_system,
            figures.events_stored_per_second,
        ),
    );
    let ms = |ms: Spread| format!("{:.2} ms ({:.2}..{:.2})", ms.median, ms.min, ms.max);
    let ratio = figures.ratio;
    let times = format!("{} ({}..{})", times(ratio.median), times(ratio.min), times(ratio.max));
    line(
        &mut text,
        &format!(
            "  genome-trace {}, sqlite3 {}: {times}, {} pairs",
            ms(figures.genome_trace_ms),
            ms(figures.sqlite3_ms),
            figures.runs
        ),
    );
    text
}

/// What detectors cost a recorder.
pub(crate) fn detectors(of: &Detectors, look: Look) -> String {
    let mut text = String::new();
    let title = "detectors: all of them, at 100,000 events, a look and 200 files read a second";
    line(&mut text, &look.paint(Style::new().bold(), title));
    let figure =
        |of: Spread, unit: &str| format!("{:.0} {unit} ({:.0}..{:.0})", of.median, of.min, of.max);
    line(
        &mut text,
        &format!(
            "  {} of the pipeline's CPU time, {} of one processor; {} rounds, the store on {}",
            percents(of.share_percent),
            percents(of.cpu_percent),
            of.rounds,
            of.file_system,
        ),
    );
    line(
        &mut text,
        &format!(
            "  an event {}, a look at {} processes of {} personas {}, a file read {}; the rest of \
             the pipeline an event {}",
            figure(of.event_ns, "ns"),
            of.processes,
            of.personas,
            figure(of.look_us, "µs"),
            figure(of.read_us, "µs"),
            figure(of.pipeline_ns, "ns"),
        ),
    );
    line(
        &mut text,
        &format!(
            "  {} events, recorded at {:.0} a second; {}",
            of.events,
            of.recorded_per_second,
            counts(of.verdict, &of.tallies, true, look),
        ),
    );
    text
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn columns(figures: &Figures, before: Option<&Figures>, row: &Row, look: Look) -> String {
    let spread = format!("{}..{}", times(figures.ratio.min), times(figures.ratio.max));
    let before = before.map_or_else(|| "-".to_owned(), |before| times(before.ratio.median));
    let ratio = format!("{:>8}", times(figures.ratio.median));
    format!(
        "{}{spread:>16}{before:>10}{:>12}{:>10.1}  {}",
        if row.mode.is_some() { look.paint(Style::new().bold(), &ratio) } else { ratio },
        seconds(figures.cpu_seconds_per_million),
        mib(figures.peak_rss_bytes),
        counts(figures.verdict, &figures.tallies, row.mode.is_some(), look),
    )
}

/// Wrong counts are a fault of ours; of a peer they are what it costs to use it.
fn counts(verdict: Option<Verdict>, tallies: &[Tally], is_ours: bool, look: Look) -> String {
    match verdict {
        None => "-".to_owned(),
        Some(Verdict::Exact) => {
            look.paint(AnsiColor::Green.on_default(), &format!("exact ({})", truths(tallies)))
        }
        Some(Verdict::LossTold) => look
            .paint(AnsiColor::Yellow.on_default(), &format!("lost, and told: {}", gaps(tallies))),
        Some(Verdict::Wrong) if !is_ours => {
            look.paint(AnsiColor::Yellow.on_default(), &format!("not told: {}", gaps(tallies)))
        }
        Some(Verdict::Wrong) => {
            look.paint(AnsiColor::Red.on_default().bold(), &format!("WRONG: {}", gaps(tallies)))
        }
    }
}

fn truths(tallies: &[Tally]) -> String {
    let kinds = tallies.iter().map(|tally| format!("{} {}", tally.truth, tally.kind));
    kinds.collect::<Vec<_>>().join(", ")
}

fn gaps(tallies: &[Tally]) -> String {
    let gap = |tally: &Tally| {
        let told = match tally.told_lost {
            0 => String::new(),
            lost => format!(", {lost} told lost"),
        };
        format!("{} {} of {}{told}", tally.kind, tally.seen, tally.truth)
    };
    let gaps = tallies.iter().filter(|tally| tally.seen != tally.truth).map(gap);
    gaps.collect::<Vec<_>>().join("; ")
}

/// Two places where they matter.
fn times(ratio: f64) -> String {
    if ratio < 9.995 { format!("{ratio:.2}x") } else { format!("{ratio:.0}x") }
}

/// As many places as there are figures to show.
fn seconds(seconds: f64) -> String {
    if seconds < 0.1 { format!("{seconds:.4}") } else { format!("{seconds:.2}") }
}

fn line(text: &mut String, line: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line}");
}

impl Look {
    fn paint(self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::machine::Machine;
    use crate::row::crashes_query;
    use crate::row::samples::Psutil;

    const PLAIN: Look = Look { colour: false };

    // Sums of powers of two, which any reader of JSON reads alike.
    fn row(subject: &str, mode: Option<&str>, ratio: f64, seen: u64, told_lost: u64) -> Row {
        let tally = Tally { kind: "exec".to_owned(), truth: 1000, seen, told_lost };
        Row {
            subject: subject.to_owned(),
            mode: mode.map(str::to_owned),
            skipped: None,
            figures: Some(Figures {
                runs: 7,
                operations: 1000,
                ratio: Spread { median: ratio, min: ratio - 0.0625, max: ratio + 0.125 },
                baseline_ns: Spread { median: 100.0, min: 90.0, max: 110.0 },
                cpu_seconds_per_million: ratio / 16.0,
                peak_rss_bytes: 30 << 20,
                verdict: Some(tally.verdict()),
                tallies: vec![tally],
            }),
        }
    }

    pub(super) fn report() -> Report {
        let machine = Machine {
            kernel: "6.12.0".to_owned(),
            arch: "x86_64".to_owned(),
            cpus: 2,
            cpu_model: None,
            memory_bytes: None,
            tracer: "0.1.0".to_owned(),
            modes: vec!["fexit".to_owned()],
        };
        let mut report = Report::new(machine, false, Vec::new());
        report.scenarios.push(ScenarioReport {
            name: "processes".to_owned(),
            title: "fork, exec and exit".to_owned(),
            file_system: Some("ext4".to_owned()),
            skipped: None,
            rows: vec![
                row("genome-trace", Some("fexit"), 1.0625, 1000, 0),
                row("genome-trace", Some("kprobe"), 1.375, 990, 10),
                row("genome-trace", Some("tracepoint"), 1.5, 990, 9),
                row("strace -f", None, 60.25, 999, 0),
                Row {
                    subject: "perf trace".to_owned(),
                    mode: None,
                    skipped: Some("no perf here".to_owned()),
                    figures: None,
                },
            ],
        });
        report
    }

    #[test]
    fn a_scenario_beside_an_earlier_one() {
        let report = report();
        let mut earlier = report.clone();
        earlier.scenarios[0].rows.truncate(1);
        assert_snapshot!(scenario(&report.scenarios[0], Some(&earlier), PLAIN), @"
        processes: fork, exec and exit (ext4)
                                       ratio        min..max  baseline     CPU s/M   RSS MiB  counts
          genome-trace fexit           1.06x    1.00x..1.19x     1.06x      0.0664      30.0  exact (1000 exec)
          genome-trace kprobe          1.38x    1.31x..1.50x         -      0.0859      30.0  lost, and told: exec 990 of 1000, 10 told lost
          genome-trace tracepoint      1.50x    1.44x..1.62x         -      0.0938      30.0  WRONG: exec 990 of 1000, 9 told lost
          strace -f                      60x        60x..60x         -        3.77      30.0  not told: exec 999 of 1000
          perf trace                 skipped: no perf here
        ");
    }

    #[test]
    fn colours_only_where_somebody_looks() {
        let entry = &report().scenarios[0];
        assert!(!scenario(entry, None, PLAIN).contains('\u{1b}'));
        assert!(scenario(entry, None, Look { colour: true }).contains('\u{1b}'));
    }

    #[test]
    fn only_our_own_wrong_counts_are_a_failure() {
        let mut report = report();
        assert!(report.has_wrong_counts());
        report.scenarios[0].rows.retain(|row| row.mode.as_deref() != Some("tracepoint"));
        assert!(!report.has_wrong_counts());
    }

    #[test]
    fn the_report_comes_back_from_its_file() {
        let report = report();
        let file = tempfile::NamedTempFile::new().unwrap();
        report.save(file.path()).unwrap();
        assert_eq!(Report::load(file.path()).unwrap(), report);
        let text = std::fs::read_to_string(file.path()).unwrap().replace("\"v\": 1", "\"v\": 2");
        std::fs::write(file.path(), text).unwrap();
        assert!(Report::load(file.path()).unwrap_err().to_string().contains("version 2"));
    }

    #[test]
    fn looks_beside_psutil() {
        let spread = |median: f64| Spread { median, min: median / 2.0, max: median * 2.0 };
        let tally = |seen| Tally { kind: "process".to_owned(), truth: 7500, seen, told_lost: 0 };
        let mut of = Samples {
            processes: 500,
            personas: 20,
            windows: 3,
            seconds: 5.0,
            cpu_percent: spread(0.25),
            cpu_percent_recorder: spread(0.5),
            events_per_second: 12.5,
            looks: 15,
            tally: tally(7500),
            verdict: Verdict::Exact,
            psutil: Some(Psutil {
                version: "Python 3.11.2 psutil 5.9.4".to_owned(),
                cpu_percent: spread(7.0),
                cpu_percent_alone: 6.5,
                looks: 15,
                tally: tally(7499),
                ratio: spread(26.0),
                ratio_recorder: spread(13.0),
            }),
        };
        assert_snapshot!(samples(&of, PLAIN), @"
          samples  looks 0.25 % (0.12..0.50) of one processor, all of the recorder 0.50 % (0.25..1.00), with 12 events/s besides; 500 processes of 20 personas once a second, 3 windows of 5 s; exact (7500 process)
          samples  psutil 7.00 % (3.50..14.00), 6.50 % alone: 26x (13x..52x) the looks, 13x (6.50x..26x) all of the recorder; Python 3.11.2 psutil 5.9.4; not told: process 7499 of 7500
        ");
        of.psutil = None;
        of.verdict = Verdict::Wrong;
        of.tally.seen -= 1;
        assert_snapshot!(samples(&of, PLAIN), @"
          samples  looks 0.25 % (0.12..0.50) of one processor, all of the recorder 0.50 % (0.25..1.00), with 12 events/s besides; 500 processes of 20 personas once a second, 3 windows of 5 s; WRONG: process 7499 of 7500
          samples  no psutil to hold it against
        ");
    }

    #[test]
    fn what_detectors_cost() {
        let spread = |median: f64| Spread { median, min: median / 2.0, max: median * 2.0 };
        let tally = Tally { kind: "alert".to_owned(), truth: 20, seen: 20, told_lost: 0 };
        let of = Detectors {
            file_system: "ext4".to_owned(),
            events: 1_200_000,
            recorded_per_second: 98_765.0,
            personas: 20,
            rounds: 11,
            event_ns: spread(80.0),
            look_us: spread(200.0),
            processes: 500,
            read_us: spread(8.0),
            pipeline_ns: spread(2000.0),
            cpu_percent: spread(1.0),
            share_percent: spread(4.0),
            verdict: Some(Verdict::Exact),
            tallies: vec![tally],
        };
        assert_snapshot!(detectors(&of, PLAIN), @"
        detectors: all of them, at 100,000 events, a look and 200 files read a second
          4.00 % (2.00..8.00) of the pipeline's CPU time, 1.00 % (0.50..2.00) of one processor; 11 rounds, the store on ext4
          an event 80 ns (40..160), a look at 500 processes of 20 personas 200 µs (100..400), a file read 8 µs (4..16); the rest of the pipeline an event 2000 ns (1000..4000)
          1200000 events, recorded at 98765 a second; exact (20 alert)
        ");
        let mut report = report();
        report.scenarios.clear();
        report.detectors = Some(Detectors { share_percent: spread(80.0), ..of.clone() });
        assert!(!report.has_wrong_counts(), "no ratio decides anything");
        report.detectors = Some(Detectors { verdict: Some(Verdict::Wrong), ..of });
        assert!(report.has_wrong_counts());
    }

    #[test]
    fn a_question_beside_sqlite3() {
        let spread = |median: f64| Spread { median, min: median - 0.5, max: median + 0.5 };
        let mut query = CrashesQuery {
            skipped: None,
            figures: Some(crashes_query::Figures {
                file_system: "ext4".to_owned(),
                events: 10_000_000,
                crashes: 43,
                events_stored_per_second: 250_000.0,
                store_bytes_per_event: 130.25,
                runs: 101,
                genome_trace_ms: spread(3.0),
                sqlite3_ms: spread(2.0),
                ratio: spread(1.5),
            }),
        };
        assert_snapshot!(super::crashes_query(&query, PLAIN), @"
        crashes-query: --crashes --last=1h against sqlite3 with the bare query
          10000000 events, 43 crashes in the hour; 130 B of the store an event on ext4, stored at 250000 a second
          genome-trace 3.00 ms (2.50..3.50), sqlite3 2.00 ms (1.50..2.50): 1.50x (1.00x..2.00x), 101 pairs
        ");
        query = CrashesQuery { skipped: Some("no sqlite3 here".to_owned()), figures: None };
        assert_snapshot!(super::crashes_query(&query, PLAIN), @"
        crashes-query: --crashes --last=1h against sqlite3 with the bare query
          skipped: no sqlite3 here
        ");
    }
}

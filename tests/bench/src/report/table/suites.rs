//! Other people's test suites under genome-trace and its peers.

use anstyle::Style;

use super::{Look, counts, line, seconds, times};
use crate::report::Report;
use crate::row::suites::{Row, Suites};
use crate::stats::Spread;

/// Each suite with its subjects, the earlier report's ratios beside them.
pub(crate) fn suites(of: &Suites, earlier: Option<&Report>, look: Look) -> String {
    let mut text = String::new();
    let title = format!("suites: other people's tests, whole processes, {} rounds", of.rounds);
    line(&mut text, &look.paint(Style::new().bold(), &title));
    let heading = format!(
        "  {:<26}{:>8}{:>16}{:>10}{:>12}{:>10}{:>16}  counts",
        "", "ratio", "min..max", "baseline", "past start", "seconds", "min..max"
    );
    line(&mut text, &look.paint(Style::new().dimmed(), &heading));
    let earlier = earlier.and_then(|earlier| earlier.suites.as_ref());
    for suite in &of.suites {
        let name = &suite.name;
        let Some(alone) = suite.seconds else {
            let reason = suite.skipped.as_deref().unwrap_or("not measured");
            line(&mut text, &format!("  {name:<26} skipped: {reason}"));
            continue;
        };
        let columns =
            format!("{:>46}{:>10}{:>16}", "", seconds(alone.median), range(alone, seconds));
        line(&mut text, &format!("  {name:<26}{columns}"));
        for row in &suite.rows {
            let before = earlier.and_then(|earlier| earlier.figures(name, row));
            let past_start = of.ratio_past_start(suite, row);
            subject(&mut text, row, [before.map(|of| of.ratio.median), past_start], look);
        }
    }
    text
}

fn subject(text: &mut String, row: &Row, others: [Option<f64>; 2], look: Look) {
    let is_ours = row.mode.is_some();
    let mode = row.mode.as_deref().map(|mode| format!(" {mode}")).unwrap_or_default();
    let name = format!("{}{mode}", row.subject);
    let Some(figures) = &row.figures else {
        let reason = row.skipped.as_deref().unwrap_or("not measured");
        return line(text, &format!("    {name:<24} skipped: {reason}"));
    };
    let ratio = format!("{:>8}", times(figures.ratio.median));
    let [before, past_start] = others.map(|ratio| ratio.map_or_else(|| "-".to_owned(), times));
    line(
        text,
        &format!(
            "    {name:<24}{}{:>16}{before:>10}{past_start:>12}{:>10}{:>16}  {}",
            if is_ours { look.paint(Style::new().bold(), &ratio) } else { ratio },
            range(figures.ratio, times),
            seconds(figures.seconds.median),
            range(figures.seconds, seconds),
            counts(Some(figures.verdict), std::slice::from_ref(&figures.tally), is_ours, look),
        ),
    );
    if let Some(difference) = &figures.difference {
        line(text, &format!("      first difference: {difference}"));
    }
}

fn range(of: Spread, say: fn(f64) -> String) -> String {
    format!("{}..{}", say(of.min), say(of.max))
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::account::Tally;
    use crate::row::suites::{Figures, Suite};

    const PLAIN: Look = Look { colour: false };

    fn spread(median: f64) -> Spread {
        Spread { median, min: median / 2.0, max: median * 2.0 }
    }

    fn row(subject: &str, mode: Option<&str>, ratio: f64, difference: Option<&str>) -> Row {
        let seen = if difference.is_some() { 4 } else { 5 };
        let tally = Tally { kind: "run".to_owned(), truth: 5, seen, told_lost: 0 };
        Row {
            subject: subject.to_owned(),
            mode: mode.map(str::to_owned),
            skipped: None,
            figures: Some(Figures {
                ratio: spread(ratio),
                seconds: spread(2.5 * ratio),
                verdict: tally.verdict(),
                tally,
                difference: difference.map(str::to_owned),
            }),
        }
    }

    fn suite(name: &str, rows: Vec<Row>) -> Suite {
        Suite { name: name.to_owned(), skipped: None, seconds: Some(spread(2.5)), rows }
    }

    fn missing(reason: &str) -> Option<String> {
        Some(format!("no {reason} here; run `cargo xtask setup --bench`"))
    }

    fn found() -> Suites {
        let ours = |difference| row("genome-trace run", Some("fexit"), 1.375, difference);
        let skipped = missing("perf");
        let perf = Row { skipped, figures: None, ..row("perf trace -s", None, 1.0, None) };
        let differs = r#"line 2 of stdout is "not ok", instead of "ok""#;
        let strace = row("strace -f -c", None, 12.0, Some(differs));
        let start = row("genome-trace run", Some("fexit"), 0.375, None);
        let start = suite("true", vec![start]);
        let mv = Suite { skipped: missing("/suites/mv"), seconds: None, ..suite("mv", Vec::new()) };
        let click = suite("click", vec![ours(Some(differs))]);
        Suites {
            rounds: 5,
            suites: vec![start, suite("walkdir", vec![ours(None), strace, perf]), click, mv],
        }
    }

    #[test]
    fn suites_beside_earlier_ones() {
        let mut earlier = super::super::tests::report();
        earlier.suites = Some(found());
        assert_snapshot!(suites(&found(), Some(&earlier), PLAIN), @r#"
        suites: other people's tests, whole processes, 5 rounds
                                       ratio        min..max  baseline  past start   seconds        min..max  counts
          true                                                                          2.50      1.25..5.00
            genome-trace run fexit     0.38x    0.19x..0.75x     0.38x           -      0.94      0.47..1.88  exact (5 run)
          walkdir                                                                       2.50      1.25..5.00
            genome-trace run fexit     1.38x    0.69x..2.75x     1.38x       1.00x      3.44      1.72..6.88  exact (5 run)
            strace -f -c                 12x      6.00x..24x       12x           -     30.00    15.00..60.00  not told: run 4 of 5
              first difference: line 2 of stdout is "not ok", instead of "ok"
            perf trace -s            skipped: no perf here; run `cargo xtask setup --bench`
          click                                                                         2.50      1.25..5.00
            genome-trace run fexit     1.38x    0.69x..2.75x     1.38x       1.00x      3.44      1.72..6.88  WRONG: run 4 of 5
              first difference: line 2 of stdout is "not ok", instead of "ok"
          mv                         skipped: no /suites/mv here; run `cargo xtask setup --bench`
        "#);
    }

    #[test]
    fn only_what_genome_trace_changes_is_a_failure() {
        let mut report = super::super::tests::report();
        report.scenarios.clear();
        let mut of = found();
        report.suites = Some(of.clone());
        assert!(report.has_wrong_counts());
        of.suites.retain(|suite| suite.name != "click");
        report.suites = Some(of);
        assert!(!report.has_wrong_counts(), "a peer that changes what is printed is no failure");
    }
}

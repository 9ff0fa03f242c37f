//! A line chart as SVG. What was not measured is a gap, and a phase has a mark
//! at its beginning.

use std::fmt::{self, Write as _};

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 90.0;
const Y_TICKS: u32 = 4;
const X_TICKS: u32 = 6;
/// Told apart also by who sees few colours (Okabe and Ito).
const COLORS: [&str; 8] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8a8a00"];

/// The most lines that a chart has.
pub(super) const LINES: usize = COLORS.len();

/// A line: points by seconds from the begin; `None` where nothing is known.
pub(super) struct Line {
    pub(super) label: String,
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// A chart.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    /// How a value of the axis is written.
    pub(super) unit: fn(f64) -> String,
    pub(super) lines: &'a [Line],
    /// Phases, by the second that they begin at.
    pub(super) phases: &'a [(f64, &'a str)],
    /// Where the time axis ends, in seconds.
    pub(super) seconds: f64,
}

impl Chart<'_> {
    pub(super) fn svg(&self) -> String {
        let mut svg = String::new();
        // Writing to a String does not fail.
        let _ = self.write(&mut svg);
        svg
    }

    fn top(&self) -> f64 {
        let points = self.lines.iter().flat_map(|line| &line.points);
        let top = points.filter_map(|(_, value)| *value).fold(0.0, f64::max);
        if top > 0.0 { top * 1.05 } else { 1.0 }
    }

    fn x(&self, second: f64) -> f64 {
        let share = if self.seconds > 0.0 { second / self.seconds } else { 0.0 };
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn write(&self, svg: &mut String) -> fmt::Result {
        let floor = HEIGHT - BOTTOM;
        let top = self.top();
        let y = |value: f64| floor - value / top * (floor - TOP);
        writeln!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"sans-serif\" font-size=\"11\">\n\
             <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
             <text x=\"{LEFT}\" y=\"18\" font-size=\"14\">{}</text>",
            Text(self.title)
        )?;
        for tick in 0..=Y_TICKS {
            let value = top * f64::from(tick) / f64::from(Y_TICKS);
            writeln!(
                svg,
                "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#dddddd\"/>\n\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y(value) + 4.0,
                Text(&(self.unit)(value)),
                y = y(value)
            )?;
        }
        for tick in 0..=X_TICKS {
            let second = self.seconds * f64::from(tick) / f64::from(X_TICKS);
            writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{second:.0} s</text>",
                self.x(second),
                floor + 16.0
            )?;
        }
        for (second, name) in self.phases {
            let x = self.x(*second);
            writeln!(
                svg,
                "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{floor}\" stroke=\"#999999\" \
                 stroke-dasharray=\"4 3\"/>\n<text x=\"{:.1}\" y=\"{:.1}\" fill=\"#555555\">{}</text>",
                TOP - 10.0,
                x + 3.0,
                TOP - 12.0,
                Text(name)
            )?;
        }
        for (index, (line, color)) in self.lines.iter().zip(COLORS).enumerate() {
            for piece in line.points.split(|(_, value)| value.is_none()) {
                self.piece(svg, piece, color, &y)?;
            }
            // Four to a row, below the axis.
            let column = u32::try_from(index % 4).unwrap_or_default();
            let row = u32::try_from(index / 4).unwrap_or_default();
            let x = LEFT + f64::from(column) * 200.0;
            let y = floor + 40.0 + f64::from(row) * 18.0;
            writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"12\" height=\"4\" fill=\"{color}\"/>\n\
                 <text x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
                y - 5.0,
                x + 18.0,
                Text(&line.label)
            )?;
        }
        svg.push_str("</svg>\n");
        Ok(())
    }

    /// Points without a gap; a lone one is a dot.
    fn piece(
        &self,
        svg: &mut String,
        piece: &[(f64, Option<f64>)],
        color: &str,
        y: &dyn Fn(f64) -> f64,
    ) -> fmt::Result {
        let known = || piece.iter().filter_map(|(second, value)| Some((*second, (*value)?)));
        if let [(second, Some(value))] = piece {
            return writeln!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2\" fill=\"{color}\"/>",
                self.x(*second),
                y(*value)
            );
        }
        if piece.is_empty() {
            return Ok(());
        }
        write!(svg, "<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\" points=\"")?;
        for (index, (second, value)) in known().enumerate() {
            let before = if index == 0 { "" } else { " " };
            write!(svg, "{before}{:.1},{:.1}", self.x(second), y(value))?;
        }
        svg.push_str("\"/>\n");
        Ok(())
    }
}

/// Text that is no markup, whatever is in it.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                    f.write_char('\u{fffd}')?;
                }
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, Option<f64>)>, label: &str) -> String {
        let lines = [Line { label: label.to_owned(), points }];
        let phases = [(0.0, "idle")];
        let unit = |value: f64| format!("{value:.0}");
        Chart { title: "t", unit, lines: &lines, phases: &phases, seconds: 10.0 }.svg()
    }

    #[test]
    fn a_gap_is_a_gap_and_a_lone_point_a_dot() {
        let points =
            [Some(1.0), Some(2.0), None, Some(3.0), None, Some(4.0), Some(0.0)].into_iter();
        let svg = chart((0_u32..).map(f64::from).zip(points).collect(), "a");
        assert_eq!(svg.matches("<polyline").count(), 2, "{svg}");
        assert_eq!(svg.matches("<circle").count(), 1, "{svg}");
    }

    #[test]
    fn no_name_is_markup() {
        let svg = chart(vec![(0.0, Some(1.0))], "<script>&\"\u{1b}");
        assert!(svg.contains("&lt;script&gt;&amp;&quot;\u{fffd}</text>"), "{svg}");
    }

    #[test]
    fn nothing_makes_a_chart_without_lines() {
        let svg = chart(Vec::new(), "a");
        assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("<polyline"));
    }
}

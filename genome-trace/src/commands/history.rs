//! `--history`: how figures went in a stretch of time, from a recorder's store.

use std::{collections::BTreeSet, process::ExitCode};

use anyhow::bail;
use jiff::Zoned;

use super::{
    crashes::{local, wall_time},
    follow, shell,
    watched::gaps,
};
use crate::{
    cli::{View, ViewFormat},
    detect::{resample, step_ns, summarize, trend},
    kernel::machine,
    model::{Course, HistoryReport, SampleSpan, Series, TimeRange, Track, WallTime},
    render::{
        chart::Glyphs,
        history::{self, Look},
        text::Escaped,
        units::Elapsed,
    },
    store::{History as _, Place, Reader, Resolution, TrackQuery},
};

/// As wide as charts are, where there is no terminal; each column has two dots.
const COLUMNS: usize = 100;
const WIDEST: usize = 250;
/// Steps of JSON and CSV, which are for programs: as many as there are, but no
/// more than that.
const MOST_STEPS: usize = 2000;

/// With fewer stretches a line is too coarse to show anything.
const FEWEST_STRETCHES: u64 = 48;

/// Prints the report.
pub(super) fn run(view: &View) -> anyhow::Result<ExitCode> {
    let now = Zoned::now();
    let length = view.history_options.history.unwrap_or_default();
    let length_ns = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
    let span = span(length_ns);
    let until = wall_time(&now);
    let range = TimeRange { from: begin(until, length_ns, span), until };
    let place = Place::new(&view.store);
    let reader = Reader::open(place.clone())?;
    let tracks = reader.tracks(&query(view, range, span))?;
    if tracks.is_empty() {
        bail!(nothing(&reader, &place, view, &[range], &now)?);
    }
    let style = follow::style(view.no_color);
    let wanted = match view.format {
        ViewFormat::Table => style.width.unwrap_or(COLUMNS).min(WIDEST) * 2,
        ViewFormat::Json | ViewFormat::Csv | ViewFormat::Prometheus => MOST_STEPS,
    };
    let step_ns = step_ns(range, span, wanted);
    let report = HistoryReport {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: machine::host_name(),
        now: until,
        store: place.file().display().to_string(),
        range,
        span,
        step_ns,
        courses: tracks
            .into_iter()
            .filter_map(|track| course(track, range, span, step_ns))
            .collect(),
        gaps: gaps(&reader, &reader.coverage()?, range, until)?,
    };
    let mut out = Vec::new();
    match view.format {
        ViewFormat::Json => history::write_json(&mut out, &report),
        ViewFormat::Csv => history::write_csv(&mut out, &report),
        ViewFormat::Prometheus => history::write_metrics(&mut out, &report),
        ViewFormat::Table => {
            let is_narrowed = !view.history_options.metric.is_empty() || !view.persona.is_empty();
            let look = Look { all_charts: is_narrowed, glyphs: glyphs() };
            history::write_text(&mut out, &report, look, &style);
        }
    }
    shell::print(&out)
}

/// What is read of a length of time.
pub(super) const fn span(length_ns: u64) -> SampleSpan {
    if length_ns >= SampleSpan::Hour.ns() * FEWEST_STRETCHES {
        SampleSpan::Hour
    } else if length_ns >= SampleSpan::Minute.ns() * FEWEST_STRETCHES {
        SampleSpan::Minute
    } else {
        SampleSpan::Moment
    }
}

pub(super) fn query(view: &View, range: TimeRange, span: SampleSpan) -> TrackQuery {
    let resolution = match span {
        SampleSpan::Moment => Resolution::Moment,
        SampleSpan::Minute => Resolution::Minute,
        SampleSpan::Hour => Resolution::Hour,
    };
    TrackQuery {
        metrics: view.history_options.metric.clone(),
        personas: view.persona.clone(),
        ..TrackQuery::all(range, resolution)
    }
}

/// A whole minute or hour, so that none of them lies in two steps.
pub(super) fn begin(until: WallTime, length_ns: u64, span: SampleSpan) -> WallTime {
    let length_ns = i64::try_from(length_ns).unwrap_or(i64::MAX);
    let from = until.unix_ns.saturating_sub(length_ns);
    let span_ns = i64::try_from(span.ns()).unwrap_or(1);
    WallTime { unix_ns: from.saturating_sub(from.rem_euclid(span_ns)) }
}

pub(super) fn course(
    track: Track,
    range: TimeRange,
    span: SampleSpan,
    step_ns: u64,
) -> Option<Course> {
    let summary = summarize(&track.stretches)?;
    let trend = trend(&track.stretches, range, span);
    let points = resample(&track.stretches, range, step_ns);
    let Track { source, metric, .. } = track;
    Some(Course { series: Series { source, metric, range, step_ns, points }, summary, trend })
}

/// Why there is nothing to show, and what to do.
pub(super) fn nothing(
    reader: &Reader,
    place: &Place,
    view: &View,
    ranges: &[TimeRange],
    now: &Zoned,
) -> anyhow::Result<String> {
    let file = place.file().display();
    let Some(kept) = reader.sampled()? else {
        return Ok(format!(
            "the store {file} has no figures yet: they are taken while `sudo genome-trace record` \
             runs; start it, and ask again in a few minutes"
        ));
    };
    let all = others(reader, view, ranges)?;
    let wanted = &view.history_options.metric;
    let names = |of: &dyn Fn(&Track) -> Option<String>| {
        let names: BTreeSet<String> = all.iter().filter_map(of).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    };
    let of_persona = |track: &Track| {
        let persona = track.source.persona.as_ref()?;
        Some(Escaped(persona.name.as_bytes()).to_string())
    };
    let personas = names(&|track| {
        let is_wanted = wanted.is_empty() || wanted.contains(&track.metric);
        of_persona(track).filter(|_| is_wanted)
    });
    if !view.persona.is_empty() && !personas.is_empty() && !has_persona(&all, view) {
        let asked = Escaped(view.persona.join(" or ").as_bytes()).to_string();
        return Ok(format!(
            "the store {file} has no figures of {asked} in that time; --persona can be {personas}"
        ));
    }
    let metrics = names(&|track| {
        let is_wanted = view.persona.is_empty() || is_of(track, &view.persona);
        is_wanted.then(|| track.metric.name().to_owned())
    });
    if !wanted.is_empty() && !metrics.is_empty() {
        let asked: Vec<_> = wanted.iter().map(|metric| metric.name()).collect();
        return Ok(format!(
            "the store {file} has no {} in that time, which nobody could measure; --metric can be \
             {metrics}",
            asked.join(" or ")
        ));
    }
    let (from, until) = (local(kept.from, now), local(kept.until, now));
    let ago = u64::try_from(wall_time(now).unix_ns.saturating_sub(kept.until.unix_ns));
    let ago = Elapsed(ago.unwrap_or(0));
    Ok(format!(
        "the store {file} has no figures of that time; what it has is from {from} to {until}, \
         {ago} ago: ask for a time that reaches there"
    ))
}

/// What there is in these times of everybody and of every metric.
fn others(reader: &Reader, view: &View, ranges: &[TimeRange]) -> anyhow::Result<Vec<Track>> {
    let mut others = Vec::new();
    for range in ranges {
        let length = range.until.unix_ns.saturating_sub(range.from.unix_ns);
        let span = span(u64::try_from(length).unwrap_or(0));
        let all =
            TrackQuery { personas: Vec::new(), metrics: Vec::new(), ..query(view, *range, span) };
        others.extend(reader.tracks(&all)?);
    }
    Ok(others)
}

fn has_persona(tracks: &[Track], view: &View) -> bool {
    tracks.iter().any(|track| is_of(track, &view.persona))
}

fn is_of(track: &Track, names: &[String]) -> bool {
    track.source.persona.as_ref().is_some_and(|persona| names.contains(&persona.name))
}

pub(super) fn glyphs() -> Glyphs {
    let variable = |name| std::env::var(name).ok();
    let (all, ctype, lang) = (variable("LC_ALL"), variable("LC_CTYPE"), variable("LANG"));
    Glyphs::of_locale(all.as_deref(), ctype.as_deref(), lang.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_depends_on_the_length() {
        const MINUTE: u64 = 60_000_000_000;
        assert_eq!(span(30 * MINUTE), SampleSpan::Moment);
        assert_eq!(span(60 * MINUTE), SampleSpan::Minute);
        assert_eq!(span(24 * 60 * MINUTE), SampleSpan::Minute);
        assert_eq!(span(7 * 24 * 60 * MINUTE), SampleSpan::Hour);
    }

    #[test]
    fn it_begins_with_a_whole_minute_or_hour() {
        let until = WallTime { unix_ns: 1_795_174_295_123_456_789 };
        let begin = |length_ns, span| begin(until, length_ns, span).unix_ns;
        assert_eq!(begin(3_600_000_000_000, SampleSpan::Minute), 1_795_170_660_000_000_000);
        assert_eq!(begin(3_600_000_000_000, SampleSpan::Hour), 1_795_168_800_000_000_000);
    }
}

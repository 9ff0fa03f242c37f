//! `--crashes`: who crashed in a stretch of time, from a recorder's store.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use jiff::Zoned;

use super::{follow, shell, watched::gaps};
use crate::{
    cli::{CrashOptions, Moment, View, ViewFormat},
    detect::advise,
    kernel::machine,
    model::{Argv, CrashReport, RecorderRun, ReportedCrash, TimeRange, WallTime},
    render::{crashes, text::Escaped},
    store::{CrashId, CrashQuery, History, Place, Reader, StoredCrash},
};

const SECOND_NS: i64 = 1_000_000_000;
/// Where nothing else is asked for.
const DEFAULT_LENGTH_NS: i64 = 24 * 60 * 60 * SECOND_NS;
/// Prints the report.
pub(super) fn run(view: &View) -> anyhow::Result<ExitCode> {
    let options = &view.crash_options;
    let now = Zoned::now();
    // What cannot be asked is told whether there is a store or not.
    let range = if options.crash.is_some() { None } else { Some(range(options, &now)?) };
    let place = Place::new(&view.store);
    let reader = Reader::open(place.clone())?;
    let report = match (options.crash, range) {
        (None, Some(range)) => report_of(view, &reader, &place, range, wall_time(&now))?,
        (id, _) => report_of_one(&reader, &place, id.unwrap_or_default(), wall_time(&now))?,
    };
    let mut out = Vec::new();
    match view.format {
        ViewFormat::Json => crashes::write_json(&mut out, &report),
        ViewFormat::Csv => crashes::write_csv(&mut out, &report),
        ViewFormat::Prometheus => crashes::write_metrics(&mut out, &report),
        ViewFormat::Table => {
            crashes::write_text(&mut out, &report, options.all, &follow::style(view.no_color));
        }
    }
    shell::print(&out)?;
    Ok(ExitCode::SUCCESS)
}

fn empty_report(place: &Place, now: WallTime) -> CrashReport {
    CrashReport {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: machine::host_name(),
        now,
        store: place.file().display().to_string(),
        range: None,
        personas: Vec::new(),
        kinds: Vec::new(),
        crashes: Vec::new(),
        watched: Vec::new(),
        gaps: Vec::new(),
        advice: Vec::new(),
    }
}

fn report_of_one(
    reader: &Reader,
    place: &Place,
    id: i64,
    now: WallTime,
) -> anyhow::Result<CrashReport> {
    let Some(found) = reader.crash(CrashId(id))? else {
        bail!(
            "there is no crash {id} in the store {}; `genome-trace --crashes --all --last=30d` \
             lists those that there are",
            place.file().display()
        );
    };
    let mut report = empty_report(place, now);
    report.advice = advise([&found.crash]);
    report.crashes = vec![reported(reader, found)?];
    Ok(report)
}

fn report_of(
    view: &View,
    reader: &Reader,
    place: &Place,
    range: TimeRange,
    now: WallTime,
) -> anyhow::Result<CrashReport> {
    let personas = view.persona.clone();
    let mut query = CrashQuery { kinds: view.crash_kinds(), ..CrashQuery::all(range) };
    if let [one] = personas.as_slice() {
        query.persona = Some(one.clone());
    }
    let mut found = reader.crashes(&query)?;
    if personas.len() > 1 {
        found.retain(|of| of.crash.persona.as_ref().is_some_and(|name| personas.contains(name)));
    }
    let runs = reader.coverage()?;
    let gaps = gaps(reader, &runs, range, now)?;
    let overlaps = |run: &RecorderRun| run.until >= range.from && run.from < range.until;
    Ok(CrashReport {
        range: Some(range),
        personas,
        kinds: query.kinds,
        advice: advise(found.iter().map(|of| &of.crash)),
        crashes: found
            .into_iter()
            .map(|stored| reported(reader, stored))
            .collect::<anyhow::Result<_>>()?,
        watched: runs.into_iter().filter(overlaps).collect(),
        gaps,
        ..empty_report(place, now)
    })
}

/// With what the store knows of the process, where the crash does not: of those
/// that are nobody's nothing is kept while they live.
fn reported(reader: &Reader, stored: StoredCrash) -> anyhow::Result<ReportedCrash> {
    let StoredCrash { id, mut crash } = stored;
    if (crash.argv.is_none() || crash.exe.is_none())
        && let Some(process) = reader.process(crash.key)?
    {
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let argv = process.argv.as_deref();
        let argv = argv.map(|block| Argv { block }.iter().map(lossy).collect());
        crash.argv = crash.argv.or(argv);
        crash.exe = crash.exe.or(process.exe.as_deref().map(lossy));
        crash.comm = crash.comm.or(process.comm.as_deref().map(lossy));
        crash.uid = crash.uid.or(process.uid);
    }
    Ok(ReportedCrash { id: id.0, crash })
}

/// The stretch of time that is asked for, also of alerts.
pub(super) fn range(options: &CrashOptions, now: &Zoned) -> anyhow::Result<TimeRange> {
    let now_is = wall_time(now);
    let resolve = |option: &str, moment: &Moment| {
        let at = moment.resolve(now).and_then(|at| i64::try_from(at.as_nanosecond()).ok());
        at.map(|unix_ns| WallTime { unix_ns })
            .with_context(|| format!("{option} is out of range: give a time of this century"))
    };
    let until = match &options.until {
        Some(moment) => resolve("--until", moment)?.min(now_is),
        None => now_is,
    };
    let length_ns = options
        .last
        .map_or(DEFAULT_LENGTH_NS, |length| i64::try_from(length.as_nanos()).unwrap_or(i64::MAX));
    let from = match &options.since {
        Some(moment) => resolve("--since", moment)?,
        None => WallTime { unix_ns: until.unix_ns.saturating_sub(length_ns) },
    };
    if from >= now_is {
        bail!(
            "--since {} is in the future, of which nothing is known; give a time that has passed",
            local(from, now)
        );
    }
    if from >= until {
        bail!(
            "--since {} is not before --until {}; give the earlier time to --since",
            local(from, now),
            local(until, now)
        );
    }
    Ok(TimeRange { from, until })
}

/// As people of this place write it.
pub(super) fn local(time: WallTime, now: &Zoned) -> String {
    let text = crate::render::LocalDateTime(time, now.time_zone()).to_string();
    Escaped(text.as_bytes()).to_string()
}

pub(super) fn wall_time(now: &Zoned) -> WallTime {
    let unix_ns = i64::try_from(now.timestamp().as_nanosecond()).unwrap_or(i64::MAX);
    WallTime { unix_ns }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn asked(
        last: Option<&str>,
        since: Option<&str>,
        until: Option<&str>,
    ) -> anyhow::Result<TimeRange> {
        let now: Zoned = "2026-11-20T11:31:35[UTC]".parse().unwrap();
        let moment = |text: Option<&str>| text.map(|text| text.parse::<Moment>().unwrap());
        let options = CrashOptions {
            last: last.map(|_| std::time::Duration::from_secs(3600)),
            since: moment(since),
            until: moment(until),
            all: false,
            crash: None,
        };
        range(&options, &now)
    }

    fn utc(time: WallTime) -> String {
        crate::render::Utc(time).to_string().chars().take(19).collect()
    }

    #[test]
    fn stretches_of_time() {
        for (last, since, until, from, to) in [
            (None, None, None, "2026-11-19T11:31:35", "2026-11-20T11:31:35"),
            (Some("1h"), None, None, "2026-11-20T10:31:35", "2026-11-20T11:31:35"),
            (None, Some("2026-11-18"), None, "2026-11-18T00:00:00", "2026-11-20T11:31:35"),
            (None, None, Some("2026-11-18"), "2026-11-17T00:00:00", "2026-11-18T00:00:00"),
            (None, Some("10:00"), Some("11:00"), "2026-11-20T10:00:00", "2026-11-20T11:00:00"),
            (None, Some("10:00"), Some("2026-11-21"), "2026-11-20T10:00:00", "2026-11-20T11:31:35"),
        ] {
            let range = asked(last, since, until).unwrap();
            assert_eq!((utc(range.from), utc(range.until)), (from.to_owned(), to.to_owned()));
        }
    }

    #[test]
    fn stretches_that_are_none() {
        let said = |since, until| asked(None, Some(since), until).unwrap_err().to_string();
        let future = said("14:00", None);
        assert!(future.contains("--since 2026-11-20 14:00:00 is in the future"), "{future}");
        let reversed = said("11:00", Some("10:00"));
        assert!(reversed.contains("is not before --until 2026-11-20 10:00:00"), "{reversed}");
        assert!(said("9999-12-01", None).contains("--since is out of range"));
    }
}

//! An alert in one sentence: who, what, how much, against what, since when.

use std::fmt::{self, Display};

use crate::{
    model::{Alert, AlertChange, Anomaly, Basis, Rule, Unit},
    render::{
        text::Escaped,
        time::Utc,
        units::{Bytes, Count, Elapsed},
    },
};

/// Why an alert is one of many causes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Many {
    /// One persona has very many of that rule.
    Causes,
    /// Very many personas have.
    Personas,
}

/// The sentence. Names in it are escaped.
pub(super) fn text(alert: &Alert, many: Option<Many>) -> String {
    let anomaly = &alert.anomaly;
    let mut text = format!("{}{}", Happened(anomaly), Against(anomaly));
    match many {
        Some(Many::Causes) => text.push_str("; further causes of the same are counted with it"),
        Some(Many::Personas) => text.push_str("; others with the same are counted with it"),
        None => {}
    }
    let lasted = alert.last.unix_ns.saturating_sub(alert.raised.unix_ns).max(0).unsigned_abs();
    let since = ClockTime(alert);
    match alert.change {
        AlertChange::Raised => {}
        AlertChange::Escalated | AlertChange::GoesOn => {
            text.push_str(&format!("; since {since} ({})", Elapsed(lasted)));
        }
        AlertChange::Ended if lasted == 0 => text.push_str(&format!("; over, once at {since}")),
        AlertChange::Ended => {
            text.push_str(&format!("; over, from {since} for {}", Elapsed(lasted)));
        }
    }
    text
}

/// When it was raised: `12:03:11 UTC`.
struct ClockTime<'a>(&'a Alert);

impl Display for ClockTime<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Utc(self.0.raised).to_string();
        write!(f, "{} UTC", text.get(11..19).unwrap_or(&text))
    }
}

/// Who: a persona, the machine, or a process that is nobody's, and which
/// process of it.
struct Who<'a>(&'a Anomaly);

impl Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let comm = |f: &mut fmt::Formatter<'_>, comm: &Option<String>| match comm {
            Some(comm) => write!(f, "{}", Escaped(comm.as_bytes())),
            None => f.write_str("a process"),
        };
        match (&self.0.persona, &self.0.process) {
            (Some(persona), process) => {
                Escaped(persona.name.as_bytes()).fmt(f)?;
                let Some(process) = process else { return Ok(()) };
                f.write_str(" (")?;
                if let Some(comm) = &process.comm {
                    write!(f, "{}, ", Escaped(comm.as_bytes()))?;
                }
                write!(f, "PID {})", process.key.tgid)
            }
            (None, Some(process)) => {
                comm(f, &process.comm)?;
                write!(f, " (PID {}, of no persona)", process.key.tgid)
            }
            (None, None) => f.write_str("the machine"),
        }
    }
}

/// Who did what, and how much.
struct Happened<'a>(&'a Anomaly);

impl Display for Happened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let anomaly = self.0;
        let who = Who(anomaly);
        let much = Quantity(anomaly.measured, anomaly.unit);
        match anomaly.rule {
            Rule::MassCreate => {
                write!(f, "{who} created {} files", Created(anomaly))?;
                below(f, anomaly)?;
                within(f, anomaly)?;
                rate(f, anomaly)?;
                equal(f, anomaly)
            }
            Rule::DuplicateFiles => {
                write!(f, "{who} wrote the same content to {} files", Equal(anomaly))?;
                below(f, anomaly)?;
                within(f, anomaly)?;
                looked_at(f, anomaly)
            }
            Rule::FileChurn => {
                write!(f, "{who} created {} files", Created(anomaly))?;
                below(f, anomaly)?;
                let unlinked = anomaly.files.as_ref().and_then(|files| files.files_unlinked);
                match unlinked {
                    Some(unlinked) => write!(f, " and unlinked {} of them", Count(unlinked))?,
                    None => f.write_str(" and unlinked them")?,
                }
                within(f, anomaly)?;
                rate(f, anomaly)
            }
            Rule::MemorySpike => {
                write!(f, "resident memory of {who} jumped to {much}")?;
                within(f, anomaly)
            }
            Rule::VramSpike => {
                write!(f, "GPU memory of {who}{} jumped to {much}", OnGpu(anomaly))?;
                within(f, anomaly)
            }
            Rule::MemoryLeak => {
                write!(f, "resident memory of {who} climbs steadily")?;
                slope(f, anomaly)?;
                over(f, anomaly)?;
                write!(f, ", to {much}")
            }
            Rule::VramLeak => {
                write!(f, "GPU memory of {who}{} climbs steadily", OnGpu(anomaly))?;
                slope(f, anomaly)?;
                over(f, anomaly)?;
                write!(f, ", to {much}")
            }
            Rule::MemoryLimit if anomaly.persona.is_none() && anomaly.process.is_none() => {
                write!(f, "memory of {who} is at {much}")
            }
            Rule::MemoryLimit => write!(f, "resident memory of {who} is at {much}"),
            Rule::VramLimit => write!(f, "GPU memory of {who}{} is at {much}", OnGpu(anomaly)),
            Rule::StuckCpu => {
                write!(f, "{who} uses {much} of a processor")?;
                for_all_of(f, anomaly)
            }
            Rule::WriteStorm => {
                match anomaly.unit {
                    Unit::PerSecond => {
                        write!(
                            f,
                            "{who} makes {} calls a second that write",
                            Figure(anomaly.measured)
                        )?;
                    }
                    _ => write!(f, "{who} writes {much}")?,
                }
                for_all_of(f, anomaly)
            }
            Rule::ThreadGrowth => write!(f, "{who} has {much} threads"),
            Rule::OpenFiles => {
                write!(f, "{who} has {much} open files")?;
                slope(f, anomaly)
            }
            Rule::SpawnStorm => {
                match anomaly.unit {
                    Unit::PerSecond => {
                        write!(f, "{who} starts {} processes a second", Figure(anomaly.measured))?;
                    }
                    _ => write!(f, "{who} started {much} processes")?,
                }
                within(f, anomaly)
            }
            Rule::CrashLoop => {
                write!(f, "{who} crashed {much} times")?;
                within(f, anomaly)
            }
            Rule::OomLoop => {
                write!(f, "{who} was killed {much} times by the OOM killer")?;
                within(f, anomaly)
            }
        }
    }
}

/// What it is held against.
struct Against<'a>(&'a Anomaly);

impl Display for Against<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(anomaly) = self;
        let figure = |value| Quantity(value, anomaly.unit);
        let (before, after) = match anomaly.factor {
            Some(factor) => (format!("{} times ", Figure(factor)), String::new()),
            None => ("more than ".to_owned(), format!(", and {}", figure(anomaly.threshold))),
        };
        match &anomaly.basis {
            basis @ (Basis::Threshold | Basis::Unlearned { .. }) => {
                let normal = anomaly.normal.zip(anomaly.factor);
                if let Some((normal, factor)) = normal {
                    write!(f, ", {} times the {} before", Figure(factor), figure(normal))?;
                }
                write!(f, "; the threshold is {}", figure(anomaly.threshold))?;
                no_habit(f, basis)
            }
            Basis::Habit { centre, .. } => {
                write!(
                    f,
                    ", {before}its usual {}{after}",
                    figure(anomaly.normal.unwrap_or(*centre))
                )
            }
            Basis::Neighbours { personas, rule, centre, .. } => write!(
                f,
                ", {before}the {} of its neighbours ({personas} personas of rule {}){after}",
                figure(anomaly.normal.unwrap_or(*centre)),
                Escaped(rule.as_bytes())
            ),
            Basis::Limit { limit } => match percent(anomaly.measured, *limit) {
                Some(percent) if anomaly.unit != Unit::Percent => {
                    write!(f, ", {percent} % of a limit of {}", figure(*limit))
                }
                _ => write!(f, ", of a limit of {}", figure(*limit)),
            },
        }
    }
}

/// Why it is judged by a number that is the same for everybody.
fn no_habit(f: &mut fmt::Formatter<'_>, basis: &Basis) -> fmt::Result {
    let Basis::Unlearned { samples, samples_to_learn, neighbours, neighbours_to_judge, rule } =
        basis
    else {
        return Ok(());
    };
    write!(
        f,
        "; not judged against a habit: it has {samples} samples of the {samples_to_learn} that it \
         takes"
    )?;
    match (neighbours, rule) {
        // Who has no rule yet, or none that is known, has no neighbours either.
        (None, _) | (_, None) => Ok(()),
        (Some(neighbours), Some(rule)) => write!(
            f,
            ", and {neighbours} of the {neighbours_to_judge} neighbours (rule {})",
            Escaped(rule.as_bytes())
        ),
    }
}

fn percent(part: f64, whole: f64) -> Option<u64> {
    // The cast ends at what u64 can hold.
    (whole > 0.0 && part >= 0.0).then(|| (part / whole * 100.0).floor() as u64)
}

/// A number with what it is counted in.
pub(super) struct Quantity(pub(super) f64, pub(super) Unit);

impl Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value, unit) = *self;
        // The casts end at what u64 can hold, and nothing here is negative.
        let whole = value.round() as u64;
        match unit {
            Unit::Bytes => Bytes(whole).fmt(f),
            Unit::Percent => write!(f, "{} %", Figure(value)),
            Unit::PerSecond => write!(f, "{}/s", Figure(value)),
            Unit::BytesPerSecond => write!(f, "{}/s", Bytes(whole)),
            Unit::Count => Count(whole).fmt(f),
        }
    }
}

/// A number of which tenths are told below 10, unless there are none.
struct Figure(f64);

impl Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round();
        if tenths.abs() < 100.0 && tenths % 10.0 != 0.0 {
            return write!(f, "{:.1}", self.0);
        }
        Count(self.0.round() as u64).fmt(f)
    }
}

/// Files created, from what is known best.
struct Created<'a>(&'a Anomaly);

impl Display for Created<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.files {
            Some(files) => Count(files.files_created).fmt(f),
            None => Quantity(self.0.measured, Unit::Count).fmt(f),
        }
    }
}

struct Equal<'a>(&'a Anomaly);

impl Display for Equal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.files.as_ref().and_then(|files| files.files_equal) {
            Some(equal) => Count(equal).fmt(f),
            None => Quantity(self.0.measured, Unit::Count).fmt(f),
        }
    }
}

/// ` on GPU 0`, where the cause says which.
struct OnGpu<'a>(&'a Anomaly);

impl Display for OnGpu<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.cause {
            Some(gpu) => write!(f, " on GPU {}", Escaped(gpu.as_bytes())),
            None => Ok(()),
        }
    }
}

fn below(f: &mut fmt::Formatter<'_>, anomaly: &Anomaly) -> fmt::Result {
    match &anomaly.files {
        Some(files) if !files.folder.is_empty() => {
            write!(f, " below {}", Escaped(files.folder.as_bytes()))
        }
        _ => Ok(()),
    }
}

fn within(f: &mut fmt::Formatter<'_>, anomaly: &Anomaly) -> fmt::Result {
    anomaly.window_ns.map_or(Ok(()), |window_ns| write!(f, " within {}", Elapsed(window_ns)))
}

fn over(f: &mut fmt::Formatter<'_>, anomaly: &Anomaly) -> fmt::Result {
    anomaly.window_ns.map_or(Ok(()), |window_ns| write!(f, " over {}", Elapsed(window_ns)))
}

fn for_all_of(f: &mut fmt::Formatter<'_>, anomaly: &Anomaly) -> fmt::Result {
    anomaly.window_ns.map_or(Ok(()), |window_ns| write!(f, " for {}", Elapsed(window_ns)))
}

fn rate(f: &mut fmt::Formatter<'_>, anomaly: &Anomaly) -> fmt::Result {
    let rate = anomaly.files.as_ref().and_then(|files| files.files_per_second);
    rate.map_or(Ok(()), |rate| write!(f, " ({} a second)", Figure(rate)))
}

fn equal(f: &mut fmt::Formatter<'_>, anomaly: &Anomaly) -> fmt::Result {
    match anomaly.files.as_ref().and_then(|files| files.files_equal) {
        Some(equal @ 2..) => {
            write!(f, ", {} of them equal", Count(equal))?;
            looked_at(f, anomaly)
        }
        _ => Ok(()),
    }
}

/// How much that is worth, where not all were looked at.
fn looked_at(f: &mut fmt::Formatter<'_>, anomaly: &Anomaly) -> fmt::Result {
    let Some(files) = &anomaly.files else { return Ok(()) };
    let (Some(read), Some(unread)) = (files.files_read, files.files_unread) else { return Ok(()) };
    let left_out = files.files_created.saturating_sub(read).saturating_sub(unread);
    if unread == 0 && left_out == 0 {
        return Ok(());
    }
    write!(f, " ({} were looked at", Count(read))?;
    if unread > 0 {
        write!(f, ", {} could not be read", Count(unread))?;
    }
    if left_out > 0 {
        write!(f, ", {} were left out", Count(left_out))?;
    }
    f.write_str(")")
}

fn slope(f: &mut fmt::Formatter<'_>, anomaly: &Anomaly) -> fmt::Result {
    let slope = anomaly.slope_per_hour.filter(|slope| *slope > 0.0);
    slope.map_or(Ok(()), |slope| write!(f, " by {}/h", Quantity(slope, anomaly.unit)))
}

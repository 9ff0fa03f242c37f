//! What is wrong on a machine or will be, and what to do about it: each with
//! the evidence that it follows from.

use std::{cmp::Reverse, collections::BTreeMap};

use super::advise;
use crate::{
    model::{
        Advice, Course, Crash, Health, HealthEvidence, HealthState, Metric, Outlook, Persona,
        PersonaUsage, Stats, Usage, WallTime, Warning,
    },
    render::{
        health::ReasonText,
        text::Escaped,
        units::{Bytes, Count, Elapsed},
    },
};

const HOUR_NS: f64 = 3_600_000_000_000.0;
/// A limit that is farther away than this is no warning: slopes do not last.
const HORIZON_NS: u64 = 24 * 3_600_000_000_000;
/// A rise over a shorter time may be a start.
const RISE_MIN_NS: u64 = 30 * 60 * 1_000_000_000;

/// What an outlook is made from. What is unknown is left out, and nothing
/// follows from it.
#[derive(Clone, Copy, Debug)]
pub struct OutlookFacts<'a> {
    /// When.
    pub now: WallTime,
    /// How the machine is.
    pub health: Option<&'a Health>,
    /// What everybody uses.
    pub usage: Option<&'a Usage>,
    /// The GPUs, and who is on them.
    pub gpus: Option<&'a Stats>,
    /// How the resident memory of personas went over the last hour.
    pub memory: &'a [Course],
    /// Crashes of that hour.
    pub crashes: &'a [Crash],
}

/// What follows.
#[must_use]
pub fn outlook(facts: &OutlookFacts<'_>) -> Outlook {
    let mut outlook = Outlook::default();
    for reason in facts.health.iter().flat_map(|health| &health.reasons) {
        let mut text = ReasonText(reason, facts.now).to_string();
        if let HealthEvidence::RssNearLimit { persona, rss_bytes, limit_bytes } = &reason.evidence {
            let rise = rise_of(facts, persona);
            if let Some(rise) = &rise {
                let left = Elapsed(rise.until_ns(*rss_bytes, *limit_bytes));
                text.push_str(&format!(", {rise}: it is there in {left}"));
            }
            outlook.advice.push(near_limit(persona, *rss_bytes, *limit_bytes, rise.as_ref()));
        }
        let persona = reason.evidence.persona().cloned();
        outlook.warnings.push(Warning { state: reason.state, persona, text });
        outlook.advice.extend(advice(facts, &reason.evidence));
    }
    for course in facts.memory {
        rising(facts, course, &mut outlook);
    }
    outlook.advice.extend(advise(facts.crashes));
    // Stable: of equal ones, in the order above.
    outlook.warnings.sort_by_key(|warning| Reverse(warning.state));
    outlook
}

/// How a persona's memory rises.
struct Rise {
    bytes_per_hour: f64,
    /// For how long it was seen to.
    for_ns: u64,
}

impl Rise {
    fn of(course: &Course) -> Option<Self> {
        if course.series.metric != Metric::RssBytes {
            return None;
        }
        let bytes_per_hour = course.trend.slope_per_hour().filter(|slope| *slope > 0.0)?;
        let known = |point: &Option<_>| point.is_some();
        let first = course.series.points.iter().position(known)?;
        let last = course.series.points.iter().rposition(known)?;
        let steps = u64::try_from(last.saturating_sub(first) + 1).ok()?;
        Some(Self { bytes_per_hour, for_ns: steps.saturating_mul(course.series.step_ns) })
    }

    /// The time until a limit at this slope.
    fn until_ns(&self, rss_bytes: u64, limit_bytes: u64) -> u64 {
        let left = limit_bytes.saturating_sub(rss_bytes) as f64;
        // The cast ends at what u64 can hold.
        (left / self.bytes_per_hour * HOUR_NS) as u64
    }
}

/// As in `rising by 1.2 GiB/h for 58 min`.
impl std::fmt::Display for Rise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let slope = Bytes(self.bytes_per_hour.round() as u64);
        write!(f, "rising by {slope}/h for {}", Elapsed(self.for_ns))
    }
}

fn rise_of(facts: &OutlookFacts<'_>, persona: &Persona) -> Option<Rise> {
    let of = |course: &&Course| course.series.source.persona.as_ref() == Some(persona);
    facts.memory.iter().filter(of).find_map(Rise::of)
}

fn usage_of<'a>(facts: &OutlookFacts<'a>, persona: &Persona) -> Option<&'a PersonaUsage> {
    facts.usage?.personas.iter().find(|usage| usage.persona == *persona)
}

fn of(persona: &Persona, text: String) -> Advice {
    let genome_id = persona.genome_id.clone();
    Advice { persona: Some(persona.name.clone()), genome_id, text }
}

const fn of_the_machine(text: String) -> Advice {
    Advice { persona: None, genome_id: None, text }
}

fn near_limit(persona: &Persona, rss_bytes: u64, limit_bytes: u64, rise: Option<&Rise>) -> Advice {
    let has = format!("{} of a limit of {}", Bytes(rss_bytes), Bytes(limit_bytes));
    let text = match rise {
        Some(rise) => format!(
            "{has}, {rise}: raise the limit (MemoryMax= of its unit, memory.max of its cgroup), \
             or end it in good order before the OOM killer does, in {}",
            Elapsed(rise.until_ns(rss_bytes, limit_bytes))
        ),
        None => format!(
            "{has}, not known to rise: raise the limit (MemoryMax= of its unit, memory.max of its \
             cgroup) before you give it more to do"
        ),
    };
    of(persona, text)
}

/// A rise that no reason tells of: towards a limit, or without an end.
fn rising(facts: &OutlookFacts<'_>, course: &Course, outlook: &mut Outlook) {
    let (Some(persona), Some(rise)) = (&course.series.source.persona, Rise::of(course)) else {
        return;
    };
    let is_told = facts.health.iter().flat_map(|health| &health.reasons).any(|reason| {
        let HealthEvidence::RssNearLimit { persona: near, .. } = &reason.evidence else {
            return false;
        };
        near == persona
    });
    if is_told {
        return;
    }
    let name = Escaped(persona.name.as_bytes());
    let usage = usage_of(facts, persona);
    let rss = usage.and_then(|usage| usage.figures.get(Metric::RssBytes)).map(|rss| rss as u64);
    let limit = usage.and_then(|usage| usage.rss_limit_bytes);
    let mut warn = |text| {
        let (state, persona) = (HealthState::Warning, Some(persona.clone()));
        outlook.warnings.push(Warning { state, persona, text });
    };
    let end = rss.zip(limit).map(|(rss, limit)| (rss, limit, rise.until_ns(rss, limit)));
    if let Some((rss, limit, left)) = end.filter(|(_, _, left)| *left <= HORIZON_NS) {
        let (rss, limit, left) = (Bytes(rss), Bytes(limit), Elapsed(left));
        warn(format!("{name} is at its memory limit in {left}: {rss} of {limit}, {rise}"));
        outlook.advice.push(of(
            persona,
            format!(
                "{rss} of a limit of {limit}, {rise}: find what it does not give back, or raise \
                 the limit (MemoryMax= of its unit) within {left}"
            ),
        ));
    } else if rise.for_ns >= RISE_MIN_NS {
        let (low, last) = (course.summary.min as u64, course.summary.last as u64);
        let ends = format!("between {} and now {}", Bytes(low), Bytes(last));
        warn(format!("memory of {name} is {rise}, {ends}: it may not give back what it takes"));
        let limit =
            limit.map_or("it has no limit: give it one (MemoryMax= of its unit), and ", |_| "");
        outlook.advice.push(of(
            persona,
            format!(
                "memory {rise}, {ends}: {limit}look whether it goes on \
                 (genome-trace --history=24h --metric=rss_bytes)"
            ),
        ));
    }
}

/// What a reason asks for.
fn advice(facts: &OutlookFacts<'_>, evidence: &HealthEvidence) -> Option<Advice> {
    match evidence {
        HealthEvidence::VramNearlyFull { index, used_bytes, total_bytes } => {
            let has =
                format!("GPU {index} has {} of {} in use", Bytes(*used_bytes), Bytes(*total_bytes));
            let (persona, held) = largest_on(facts.gpus?, *index)?;
            let text = format!(
                "{has}, the most of it by this one ({}): give it less (a smaller batch or context, \
                 a quantized model), or start what comes next on another GPU",
                Bytes(held)
            );
            Some(match persona {
                Some(persona) => of(persona, text),
                None => of_the_machine(format!(
                    "{has}, the most of it ({}) by processes of no persona; nvidia-smi names them",
                    Bytes(held)
                )),
            })
        }
        HealthEvidence::MemoryLow { available_bytes, memory_bytes } => {
            let rss = |usage: &&PersonaUsage| usage.figures.get(Metric::RssBytes).unwrap_or(-1.0);
            let largest = facts.usage?.personas.iter().max_by(|a, b| rss(a).total_cmp(&rss(b)))?;
            let held = largest.figures.get(Metric::RssBytes)? as u64;
            Some(of(
                &largest.persona,
                format!(
                    "{} of {} of the machine's memory is left, and this one has the most ({}): end \
                     it, or give it a limit (MemoryMax= of its unit), before the OOM killer chooses",
                    Bytes(*available_bytes),
                    Bytes(*memory_bytes),
                    Bytes(held)
                ),
            ))
        }
        HealthEvidence::LostEvents { count } => {
            let all = facts.usage.and_then(|usage| usage.machine.events);
            let of_all = all.map_or_else(String::new, |all| format!(" beside {} seen", Count(all)));
            Some(of_the_machine(format!(
                "{} events were lost{of_all}: give the recorder larger rings (--ring-size, \
                 --lifecycle-ring-size)",
                Count(*count)
            )))
        }
        HealthEvidence::Alert { persona, rule, .. } => {
            let text = format!(
                "{rule} goes on: what it rests on, and what to do about it, is told by \
                 genome-trace --alerts --open"
            );
            Some(
                persona.as_ref().map_or_else(
                    || of_the_machine(text.clone()),
                    |persona| of(persona, text.clone()),
                ),
            )
        }
        HealthEvidence::GpuLost { index } => Some(of_the_machine(format!(
            "GPU {index} is lost: end the processes that use it, look for Xid in dmesg, and \
             restart the machine"
        ))),
        HealthEvidence::StoreFailing { reason } => Some(of_the_machine(format!(
            "events cannot be stored ({}): make room or give the recorder the right to write, or \
             what happens now is not kept",
            reason
        ))),
        // Of crashes the crash report's advice is given.
        HealthEvidence::OomKill { .. }
        | HealthEvidence::GpuFault { .. }
        | HealthEvidence::Crashes { .. }
        | HealthEvidence::RssNearLimit { .. } => None,
    }
}

/// Who holds the most of a GPU's memory, and how much.
fn largest_on(gpus: &Stats, index: u32) -> Option<(Option<&Persona>, u64)> {
    let mut held: BTreeMap<Option<&Persona>, u64> = BTreeMap::new();
    for holder in gpus.holders.iter().filter(|holder| holder.gpu_index == index) {
        let sum = held.entry(holder.persona.as_ref()).or_default();
        *sum = sum.saturating_add(holder.process.vram_bytes.unwrap_or(0));
    }
    held.into_iter().max_by_key(|(_, bytes)| *bytes).filter(|(_, bytes)| *bytes > 0)
}

#[cfg(test)]
#[path = "outlook_tests.rs"]
mod tests;

//! Why a machine is not healthy, in words.

use std::fmt;

use super::{
    text::Escaped,
    units::{Bytes, Count, Elapsed},
};
use crate::model::{HealthEvidence, HealthReason, Persona, WallTime};

/// A reason as one sentence without its full stop, as of a point in time:
/// `CodeExpert uses 97 % of its memory limit (31 GiB of 32 GiB)`.
#[derive(Clone, Copy, Debug)]
pub struct ReasonText<'a>(pub &'a HealthReason, pub WallTime);

impl fmt::Display for ReasonText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.evidence {
            HealthEvidence::OomKill { persona, wall_time } => {
                let ago = Ago(*wall_time, self.1);
                write!(f, "the OOM killer ended a process of {} {ago}", Whose(persona.as_ref()))
            }
            HealthEvidence::GpuFault { persona, wall_time } => {
                let ago = Ago(*wall_time, self.1);
                write!(f, "a GPU's error ended a process of {} {ago}", Whose(persona.as_ref()))
            }
            HealthEvidence::RssNearLimit { persona, rss_bytes, limit_bytes } => write!(
                f,
                "{} uses {} of its memory limit",
                Whose(Some(persona)),
                Share(*rss_bytes, *limit_bytes)
            ),
            HealthEvidence::MemoryLow { available_bytes, memory_bytes } => {
                write!(f, "{} of the memory is left", Share(*available_bytes, *memory_bytes))
            }
            HealthEvidence::GpuLost { index } => write!(f, "GPU {index} is lost"),
            HealthEvidence::VramNearlyFull { index, used_bytes, total_bytes } => {
                write!(
                    f,
                    "GPU {index} has {} of its memory in use",
                    Share(*used_bytes, *total_bytes)
                )
            }
            HealthEvidence::Crashes { persona, count } => {
                write!(f, "{} crashed ", Whose(persona.as_ref()))?;
                match count {
                    1 => f.write_str("once")?,
                    count => write!(f, "{} times", Count(*count))?,
                }
                f.write_str(" in the last hour")
            }
            // It says whose it is.
            HealthEvidence::Alert { text, .. } => Escaped(text.as_bytes()).fmt(f),
            HealthEvidence::LostEvents { count: 1 } => f.write_str("1 event was lost"),
            HealthEvidence::LostEvents { count } => write!(f, "{} events were lost", Count(*count)),
            HealthEvidence::StoreFailing { reason } => {
                write!(f, "events cannot be stored: {}", Escaped(reason.as_bytes()))
            }
        }
    }
}

struct Whose<'a>(Option<&'a Persona>);

impl fmt::Display for Whose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(persona) => Escaped(persona.name.as_bytes()).fmt(f),
            None => f.write_str("(unattributed)"),
        }
    }
}

struct Ago(WallTime, WallTime);

impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = i128::from(self.1.unix_ns) - i128::from(self.0.unix_ns);
        match u64::try_from(ns) {
            Ok(ns @ 1_000_000_000..) => write!(f, "{} ago", Elapsed(ns)),
            _ => f.write_str("just now"),
        }
    }
}

/// `97 % (31 GiB of 32 GiB)`, rounded down, so that 100 means all.
struct Share(u64, u64);

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(percent) = (u128::from(self.0) * 100).checked_div(u128::from(self.1)) {
            write!(f, "{percent} % ")?;
        }
        write!(f, "({} of {})", Bytes(self.0), Bytes(self.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::HealthState;

    fn told(evidence: HealthEvidence) -> String {
        let reason = HealthReason { state: HealthState::Warning, evidence };
        ReasonText(&reason, WallTime { unix_ns: 200_000_000_000 }).to_string()
    }

    #[test]
    fn each_reason_names_its_figures() {
        let persona = Persona { name: "a\nb".to_owned(), genome_id: None };
        let wall_time = WallTime { unix_ns: 0 };
        let all = [
            HealthEvidence::OomKill { persona: Some(persona.clone()), wall_time },
            HealthEvidence::GpuFault { persona: None, wall_time },
            HealthEvidence::RssNearLimit {
                persona: persona.clone(),
                rss_bytes: 31 << 30,
                limit_bytes: 32 << 30,
            },
            HealthEvidence::MemoryLow { available_bytes: 1 << 30, memory_bytes: 64 << 30 },
            HealthEvidence::GpuLost { index: 1 },
            HealthEvidence::VramNearlyFull { index: 0, used_bytes: 79, total_bytes: 80 },
            HealthEvidence::Crashes { persona: Some(persona.clone()), count: 1 },
            HealthEvidence::Crashes { persona: None, count: 2_000 },
            HealthEvidence::LostEvents { count: 12 },
            HealthEvidence::StoreFailing { reason: "no\x1b room".to_owned() },
            HealthEvidence::Alert {
                persona: None,
                rule: crate::model::Rule::MassCreate,
                severity: crate::model::Severity::Warning,
                wall_time,
                text: "too\tmany".to_owned(),
            },
        ];
        assert_eq!(
            all.map(told),
            [
                "the OOM killer ended a process of a\\nb 3 min 20 s ago",
                "a GPU's error ended a process of (unattributed) 3 min 20 s ago",
                "a\\nb uses 96 % (31 GiB of 32 GiB) of its memory limit",
                "1 % (1 GiB of 64 GiB) of the memory is left",
                "GPU 1 is lost",
                "GPU 0 has 98 % (79 B of 80 B) of its memory in use",
                "a\\nb crashed once in the last hour",
                "(unattributed) crashed 2,000 times in the last hour",
                "12 events were lost",
                "events cannot be stored: no\\x1b room",
                "too\\tmany",
            ]
        );
    }
}

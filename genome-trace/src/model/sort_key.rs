//! By what personas are sorted, and their order.

use std::{cmp::Ordering, collections::BTreeMap, fmt, str::FromStr};

use super::{Metric, Persona, PersonaUsage, WallTime};

/// What is known of personas beside what they use, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sighting<'a> {
    /// When.
    pub wall_time: WallTime,
    /// Crashes in the hour before; who is not named had none. `None` where
    /// nothing knows.
    pub crashes: Option<&'a BTreeMap<Persona, u64>>,
}

impl Sighting<'_> {
    /// How often a persona crashed in the hour before.
    #[must_use]
    pub fn crashes_of(&self, who: &Persona) -> Option<u64> {
        self.crashes.map(|crashes| crashes.get(who).copied().unwrap_or(0))
    }
}

/// What personas are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// A figure.
    Metric(Metric),
    /// The name.
    Name,
    /// What the persona is made of.
    GenomeId,
    /// The memory limit.
    RssLimit,
    /// Crashes in the last hour.
    Crashes,
    /// The time since the oldest process started.
    Age,
}

impl SortKey {
    /// Those that are no metrics.
    const OTHERS: [Self; 5] =
        [Self::Name, Self::GenomeId, Self::RssLimit, Self::Crashes, Self::Age];

    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Metric(metric) => metric.name(),
            Self::Name => "name",
            Self::GenomeId => "genome_id",
            Self::RssLimit => "rss_limit_bytes",
            Self::Crashes => "crashes",
            Self::Age => "age",
        }
    }

    /// The order of two personas: words rise, figures fall, and what is unknown
    /// is last in either direction. Equal ones are in the order of their names.
    #[must_use]
    pub fn order(
        self,
        a: &PersonaUsage,
        b: &PersonaUsage,
        seen: Sighting<'_>,
        is_reversed: bool,
    ) -> Ordering {
        let turned = |order: Ordering| if is_reversed { order.reverse() } else { order };
        let order = match self {
            Self::Name => turned(a.persona.cmp(&b.persona)),
            Self::GenomeId => match (&a.persona.genome_id, &b.persona.genome_id) {
                (Some(a), Some(b)) => turned(a.cmp(b)),
                (a, b) => b.is_some().cmp(&a.is_some()),
            },
            key => match (key.value(a, seen), key.value(b, seen)) {
                (Some(a), Some(b)) => turned(b.total_cmp(&a)),
                (a, b) => b.is_some().cmp(&a.is_some()),
            },
        };
        order.then_with(|| a.persona.cmp(&b.persona))
    }

    fn value(self, usage: &PersonaUsage, seen: Sighting<'_>) -> Option<f64> {
        let value = match self {
            Self::Metric(metric) => usage.figures.get(metric),
            Self::RssLimit => usage.rss_limit_bytes.map(|bytes| bytes as f64),
            Self::Crashes => seen.crashes_of(&usage.persona).map(|count| count as f64),
            // A clock that was set makes no age.
            Self::Age => {
                let age = seen.wall_time.unix_ns.checked_sub(usage.started?.unix_ns)?;
                Some(age as f64)
            }
            Self::Name | Self::GenomeId => None,
        };
        value.filter(|value| value.is_finite() && *value >= 0.0)
    }
}

impl Default for SortKey {
    fn default() -> Self {
        Self::Metric(Metric::RssBytes)
    }
}

impl fmt::Display for SortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name by which nothing can be sorted.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownSortKey(pub String);

impl fmt::Display for UnknownSortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing is sorted by {:?}; there are", self.0)?;
        let all = Metric::ALL.map(SortKey::Metric).into_iter().chain(SortKey::OTHERS);
        for (index, key) in all.enumerate() {
            write!(f, "{} {key}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownSortKey {}

impl FromStr for SortKey {
    type Err = UnknownSortKey;

    fn from_str(name: &str) -> Result<Self, UnknownSortKey> {
        let other = Self::OTHERS.into_iter().find(|key| key.name() == name);
        other
            .or_else(|| name.parse().ok().map(Self::Metric))
            .ok_or_else(|| UnknownSortKey(name.to_owned()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::Figures;

    fn usage(name: &str, rss: Option<f64>) -> PersonaUsage {
        let mut figures = Figures::default();
        figures.set(Metric::RssBytes, rss);
        PersonaUsage {
            persona: Persona { name: name.to_owned(), genome_id: None },
            figures,
            rss_limit_bytes: None,
            started: None,
            processes: Vec::new(),
        }
    }

    #[test]
    fn each_name_is_read_back_and_others_are_told_all() {
        for key in Metric::ALL.map(SortKey::Metric).into_iter().chain(SortKey::OTHERS) {
            assert_eq!(key.name().parse(), Ok(key));
        }
        let error = "memory".parse::<SortKey>().unwrap_err().to_string();
        assert!(error.contains("\"memory\"; there are rss_bytes,"), "{error}");
        assert!(error.ends_with("name, genome_id, rss_limit_bytes, crashes, age"), "{error}");
    }

    #[test]
    fn the_most_is_first_and_the_unknown_last() {
        let crashes = BTreeMap::from([(usage("b", None).persona, 3)]);
        let seen = Sighting { wall_time: WallTime { unix_ns: 0 }, crashes: Some(&crashes) };
        let sorted = |key: SortKey, is_reversed| {
            let mut all = [usage("c", None), usage("b", Some(1.0)), usage("a", Some(2.0))];
            all.sort_by(|a, b| key.order(a, b, seen, is_reversed));
            all.map(|usage| usage.persona.name).concat()
        };
        assert_eq!(sorted(SortKey::default(), false), "abc");
        assert_eq!(sorted(SortKey::default(), true), "bac");
        assert_eq!(sorted(SortKey::Name, true), "cba");
        assert_eq!(sorted(SortKey::Crashes, false), "bac");
        assert_eq!(sorted(SortKey::Age, false), "abc");
    }
}

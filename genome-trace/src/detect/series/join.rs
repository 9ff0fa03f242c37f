//! One line for each persona, whatever it was made of.

use std::collections::BTreeMap;

use crate::model::{Metric, Stretch, Track};

/// Stretches by the name of the persona (`None` is the machine) and by metric.
/// A persona with several genome ids at the same moment uses what they use
/// together.
#[must_use]
pub fn joined(tracks: Vec<Track>) -> BTreeMap<(Option<String>, Metric), Vec<Stretch>> {
    let mut lines: BTreeMap<_, Vec<Stretch>> = BTreeMap::new();
    for track in tracks {
        let persona = track.source.persona.map(|persona| persona.name);
        lines.entry((persona, track.metric)).or_default().extend(track.stretches);
    }
    for stretches in lines.values_mut() {
        // Stable, and in order already where there was one genome.
        stretches.sort_by_key(|stretch| stretch.wall_time);
        stretches.dedup_by(|other, kept| {
            let is_same = other.wall_time == kept.wall_time;
            if is_same {
                *kept = sum(kept, other);
            }
            is_same
        });
    }
    lines
}

/// The lowest and the highest need not have been at one moment: that of a
/// minute or an hour is a bound.
fn sum(a: &Stretch, b: &Stretch) -> Stretch {
    Stretch {
        wall_time: a.wall_time,
        count: a.count.max(b.count),
        min: a.min + b.min,
        average: a.average + b.average,
        max: a.max + b.max,
        last: a.last + b.last,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::{Persona, SampleSource, WallTime};

    fn track(genome_id: &str, stretches: &[(i64, f64)]) -> Track {
        let persona = Persona { name: "Judge".to_owned(), genome_id: Some(genome_id.to_owned()) };
        let stretch = |(at, value): &(i64, f64)| Stretch {
            wall_time: WallTime { unix_ns: *at },
            count: 1,
            min: *value,
            average: *value,
            max: *value,
            last: *value,
        };
        Track {
            source: SampleSource { persona: Some(persona), key: None },
            metric: Metric::Threads,
            stretches: stretches.iter().map(stretch).collect(),
        }
    }

    #[test]
    fn genomes_follow_each_other_or_add_up() {
        let lines =
            joined(vec![track("b", &[(2, 5.0), (3, 7.0)]), track("a", &[(1, 1.0), (2, 2.0)])]);
        let line = lines.get(&(Some("Judge".to_owned()), Metric::Threads)).unwrap();
        let values: Vec<_> = line.iter().map(|of| (of.wall_time.unix_ns, of.average)).collect();
        assert_eq!(values, [(1, 1.0), (2, 7.0), (3, 7.0)]);
    }
}

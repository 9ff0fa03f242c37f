//! Rows by name, where many raw names are one: `/tmp/a1` and `/tmp/b2` are both
//! `/tmp/*`.

use std::collections::{BTreeMap, HashMap};

/// Raw names that are remembered, so that each is read once.
const RAW_MAX: usize = 1 << 16;
/// Rows; what comes after that has none.
const ROWS_MAX: usize = 1 << 16;

/// Rows of a run's lists. Its size is bounded, for names come from outside.
#[derive(Debug)]
pub(super) struct Table<T> {
    raw: HashMap<Box<[u8]>, usize>,
    by_name: HashMap<String, usize>,
    rows: Vec<T>,
    rows_max: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self::with_room(ROWS_MAX)
    }
}

impl<T> Table<T> {
    fn with_room(rows_max: usize) -> Self {
        Self { raw: HashMap::new(), by_name: HashMap::new(), rows: Vec::new(), rows_max }
    }
}

impl<T: Default> Table<T> {
    /// The row of that raw name, by its number; `None` where there is no room
    /// for another. Allocates only for a name that is new.
    pub(super) fn place(
        &mut self,
        raw: &[u8],
        name: impl FnOnce(&[u8]) -> String,
    ) -> Option<usize> {
        if let Some(place) = self.raw.get(raw) {
            return Some(*place);
        }
        let name = name(raw);
        let place = match self.by_name.get(&name) {
            Some(place) => *place,
            None if self.rows.len() >= self.rows_max => return None,
            None => {
                self.rows.push(T::default());
                self.by_name.insert(name, self.rows.len() - 1);
                self.rows.len() - 1
            }
        };
        if self.raw.len() >= RAW_MAX {
            self.raw.clear();
        }
        self.raw.insert(raw.into(), place);
        Some(place)
    }

    pub(super) fn row(&mut self, place: usize) -> Option<&mut T> {
        self.rows.get_mut(place)
    }
}

impl<T: Copy> Table<T> {
    /// The name of a row, for who asks once.
    pub(super) fn name_of(&self, place: usize) -> Option<&str> {
        self.by_name.iter().find(|(_, at)| **at == place).map(|(name, _)| name.as_str())
    }

    /// The rows by name: as many as are listed, those of the greatest weight;
    /// and the others.
    pub(super) fn listed(
        &self,
        max: usize,
        weight: impl Fn(&T) -> u64,
    ) -> (BTreeMap<String, T>, Vec<T>) {
        let row = |place: &usize| self.rows.get(*place).copied();
        let mut rows: Vec<_> =
            self.by_name.iter().filter_map(|(name, place)| Some((name, row(place)?))).collect();
        rows.sort_by(|(one, of_one), (other, of_other)| {
            weight(of_other).cmp(&weight(of_one)).then_with(|| one.cmp(other))
        });
        let rest = rows.iter().skip(max).map(|(_, row)| *row).collect();
        let listed = rows.into_iter().take(max).map(|(name, row)| (name.clone(), row)).collect();
        (listed, rest)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn first_letter(raw: &[u8]) -> String {
        raw.iter().take(1).map(|byte| char::from(*byte)).collect()
    }

    #[test]
    fn raw_names_that_are_one_have_one_row_and_the_lightest_are_left_out() {
        let mut table = Table::<u64>::default();
        for (raw, weight) in [("a1", 1), ("b1", 5), ("a2", 2), ("c", 4)] {
            let place = table.place(raw.as_bytes(), first_letter).unwrap();
            *table.row(place).unwrap() += weight;
            assert_eq!(table.name_of(place), raw.get(..1));
        }
        let (listed, rest) = table.listed(2, |weight| *weight);
        assert_eq!(listed, [("b".to_owned(), 5), ("c".to_owned(), 4)].into());
        assert_eq!(rest, [3]);
    }

    #[test]
    fn there_is_an_end_to_its_size() {
        let mut table = Table::<u64>::with_room(2);
        assert_eq!(table.place(b"a", first_letter), Some(0));
        assert_eq!(table.place(b"b", first_letter), Some(1));
        assert_eq!(table.place(b"c", first_letter), None);
        assert_eq!(table.place(b"a2", first_letter), Some(0));
    }
}

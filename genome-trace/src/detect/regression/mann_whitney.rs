//! Mann and Whitney's test: whether one of two samples tends to be more.

/// With more values than this in both samples together the exact distribution
/// is left for the normal one, which is as good there.
const EXACT_UP_TO: usize = 60;

/// How often chance alone would make two samples that differ so much or more,
/// in either direction: 0 to 1, and 1 where one of them is empty. Exact, with
/// ties, up to 60 values in all; beyond that by the normal distribution.
#[must_use]
pub(super) fn p_value(a: &[u64], b: &[u64]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 1.0;
    }
    let (of_a, of_all) = doubled_ranks(a, b);
    let p = if of_all.len() <= EXACT_UP_TO {
        exact(of_a, a.len(), &of_all)
    } else {
        normal(of_a, a.len(), b.len(), &of_all)
    };
    p.clamp(0.0, 1.0)
}

/// The least that two samples of these sizes can come to.
#[must_use]
pub(super) fn least_p_value(a: usize, b: usize) -> f64 {
    // 2 of all ways to take the `a` from `a + b`.
    let ways = (1..=a).fold(1.0, |ways, i| ways * (b + i) as f64 / i as f64);
    (2.0 / ways).min(1.0)
}

/// Twice the sum of the first sample's ranks, and twice the rank of every
/// value; equal ones share the middle of theirs. Twice, to be whole.
fn doubled_ranks(a: &[u64], b: &[u64]) -> (u64, Vec<u64>) {
    let mut all: Vec<(u64, bool)> =
        a.iter().map(|of| (*of, true)).chain(b.iter().map(|of| (*of, false))).collect();
    all.sort_unstable();
    let mut ranks = Vec::with_capacity(all.len());
    let mut of_a = 0;
    for equal in all.chunk_by(|one, other| one.0 == other.0) {
        let (first, last) = (ranks.len() as u64 + 1, (ranks.len() + equal.len()) as u64);
        for (_, is_of_a) in equal {
            ranks.push(first + last);
            of_a += if *is_of_a { first + last } else { 0 };
        }
    }
    (of_a, ranks)
}

/// Of all ways to take `count` of these ranks, the share whose sum is as far
/// from the middle as `sum`, or farther.
fn exact(sum: u64, count: usize, ranks: &[u64]) -> f64 {
    let total: u64 = ranks.iter().sum();
    let width = usize::try_from(total).unwrap_or(0) + 1;
    // Ways to take so many with that sum. Counts are whole, and exact up to
    // 2^53; beyond, to sixteen digits.
    let mut ways = vec![vec![0.0_f64; width]; count + 1];
    if let Some(nothing) = ways.first_mut().and_then(|row| row.first_mut()) {
        *nothing = 1.0;
    }
    for rank in ranks {
        let rank = usize::try_from(*rank).unwrap_or(0);
        for taken in (1..=count).rev() {
            let [.., fewer, row] = ways.get_mut(..=taken).unwrap_or_default() else { continue };
            for (to, from) in row.iter_mut().skip(rank).zip(fewer.iter()) {
                *to += from;
            }
        }
    }
    // The middle is count * total / ranks; compared without a division.
    let far = |sum: u64| (sum * ranks.len() as u64).abs_diff(count as u64 * total);
    let row = ways.pop().unwrap_or_default();
    let all: f64 = row.iter().sum();
    let as_far = row.iter().zip(0..).filter(|(_, of)| far(*of) >= far(sum));
    as_far.map(|(ways, _)| ways).sum::<f64>() / all
}

/// By the normal distribution, corrected for ties and for being whole.
fn normal(sum: u64, a: usize, b: usize, ranks: &[u64]) -> f64 {
    let (a, b, n) = (a as f64, b as f64, ranks.len() as f64);
    let middle = a * (n + 1.0) / 2.0;
    let ties: f64 = ranks
        .chunk_by(|one, other| one == other)
        .map(|tied| (tied.len() as f64).powi(3) - tied.len() as f64)
        .sum();
    let variance = a * b / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    let z = ((sum as f64 / 2.0 - middle).abs() - 0.5).max(0.0) / variance.sqrt();
    complementary_error(z / std::f64::consts::SQRT_2)
}

/// The complementary error function, from 0 on, to seven digits (Abramowitz
/// and Stegun, 7.1.26).
fn complementary_error(x: f64) -> f64 {
    const TERMS: [f64; 5] =
        [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    TERMS.iter().fold(0.0, |sum, term| (sum + term) * t) * (-x * x).exp()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn near(is: f64, wanted: f64) {
        assert!((is - wanted).abs() < 1e-6, "{is} is not {wanted}");
    }

    /// As R's wilcox.test(…, exact = TRUE) has them.
    #[test]
    fn as_in_tables() {
        near(p_value(&[1, 2, 3, 4, 5], &[6, 7, 8, 9, 10]), 0.007_936_508);
        near(p_value(&[1, 2, 3, 4], &[5, 6, 7, 8]), 0.028_571_429);
        near(p_value(&[1, 2, 3], &[4, 5, 6]), 0.1);
        near(p_value(&[1, 3, 5, 7], &[2, 4, 6, 8]), 0.685_714_286);
        near(p_value(&[1], &[2]), 1.0);
        near(p_value(&[5, 5, 5], &[5, 5, 5]), 1.0);
        near(p_value(&[], &[5]), 1.0);
    }

    #[test]
    fn what_so_many_can_show() {
        near(least_p_value(1, 1), 1.0);
        near(least_p_value(3, 3), 0.1);
        near(least_p_value(4, 4), 2.0 / 70.0);
        near(least_p_value(5, 5), 0.007_936_508);
        near(least_p_value(0, 5), 1.0);
        near(least_p_value(1, 39), 0.05);
    }

    /// Every way to take so many, one by one.
    fn by_hand(a: &[u64], b: &[u64]) -> f64 {
        let (sum, ranks) = doubled_ranks(a, b);
        let middle = a.len() as f64 * ranks.iter().sum::<u64>() as f64 / ranks.len() as f64;
        let (mut all, mut far) = (0, 0);
        for set in 0_u32..1 << ranks.len() {
            if set.count_ones() as usize == a.len() {
                let of = (0..ranks.len()).filter(|at| set & 1 << at != 0).map(|at| ranks[at]);
                let of: u64 = of.sum();
                all += 1;
                let is_far = (of as f64 - middle).abs() >= (sum as f64 - middle).abs() - 1e-9;
                far += u32::from(is_far);
            }
        }
        f64::from(far) / f64::from(all)
    }

    proptest! {
        #[test]
        fn it_is_the_share_of_all_ways(a in vec(0..6_u64, 1..6), b in vec(0..6_u64, 1..6)) {
            prop_assert!((p_value(&a, &b) - by_hand(&a, &b)).abs() < 1e-9);
        }

        #[test]
        fn both_directions_are_alike(a in vec(any::<u64>(), 0..9), b in vec(any::<u64>(), 0..9)) {
            let p = p_value(&a, &b);
            prop_assert!((0.0..=1.0).contains(&p));
            prop_assert!((p - p_value(&b, &a)).abs() < 1e-9);
            prop_assert!(p >= least_p_value(a.len(), b.len()) - 1e-9);
        }

        #[test]
        fn the_two_ways_meet(a in vec(0..50_u64, 20..30), b in vec(10..60_u64, 20..30)) {
            let (sum, ranks) = doubled_ranks(&a, &b);
            let approximate = normal(sum, a.len(), b.len(), &ranks);
            prop_assert!((exact(sum, a.len(), &ranks) - approximate).abs() < 0.01);
        }
    }

    #[test]
    fn many_are_judged_too() {
        let a: Vec<u64> = (0..500).collect();
        let b: Vec<u64> = (400..900).collect();
        assert!(p_value(&a, &b) < 1e-6);
        assert!(p_value(&a, &a) > 0.99);
        let same = vec![3; 500];
        near(p_value(&same, &same), 1.0);
    }
}

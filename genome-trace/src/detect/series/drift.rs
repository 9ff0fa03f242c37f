//! How fast something rises that wanders on its way: a level that rises by the
//! same in each second and beside that by chance, up or down, for good; and
//! looks at it, each with noise that is gone at the next.
//!
//! Which part of the ups and downs stays and which is noise is not known. So
//! many shares are tried, from all of it to nothing; each has a weight by how
//! well it explains the differences between neighbours (restricted likelihood),
//! and what follows is averaged by these. Where nothing stays, this is least
//! squares; where all of it does, the slope is from the first to the last.

/// So many shares are tried beside nothing. Their roots are evenly apart: no
/// deviation is expected more than another.
const SHARES: u32 = 12;
/// What is left over is never taken for less than this part of the biggest
/// difference: sums of doubles are no more exact.
const EXACT: f64 = 1e-9;

/// What is known of the level, in seconds and in what is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Drift {
    /// By how much it rises in a second.
    pub(super) slope: f64,
    /// The level at the last block.
    pub(super) level: f64,
    /// How far off both may be: variances, and their covariance.
    pub(super) slope_variance: f64,
    pub(super) level_variance: f64,
    pub(super) covariance: f64,
    /// By how much more the level varies with each second.
    pub(super) wander: f64,
    /// Variance of the noise of a block.
    pub(super) noise: f64,
    /// Degrees of freedom that are left.
    pub(super) degrees: f64,
}

impl Drift {
    /// Of blocks in the order of time, averages of `each` looks. `None` of fewer
    /// than five, where two are of the same time, and of figures too large to be
    /// squared.
    pub(super) fn through(blocks: &[(f64, f64)], each: usize) -> Option<Self> {
        let pairs = || blocks.iter().zip(blocks.iter().skip(1));
        let steps: Vec<f64> = pairs().map(|(one, next)| next.0 - one.0).collect();
        let rises: Vec<f64> = pairs().map(|(one, next)| next.1 - one.1).collect();
        if steps.len() < 4 || steps.iter().any(|step| *step <= 0.0) {
            return None;
        }
        let last = blocks.last()?.1;
        let step = steps.iter().sum::<f64>() / steps.len() as f64;
        // As far as nothing is missing, blocks are as long as their distance.
        let length = steps.iter().copied().fold(f64::INFINITY, f64::min);
        let inside = length * (1.0 - (each.max(1) as f64).powi(-2)) / 6.0;
        let shares = (0..=SHARES).map(|number| {
            (f64::from(number) / f64::from(SHARES) * std::f64::consts::FRAC_PI_2).sin().powi(2)
        });
        let told: Vec<(f64, Self)> = shares
            .filter_map(|share| {
                Self::given([share / step, 1.0 - share, inside], &steps, &rises, last)
            })
            .collect();
        let best = told.iter().map(|(likelihood, _)| *likelihood).fold(f64::NEG_INFINITY, f64::max);
        let weighed: Vec<(f64, &Self)> =
            told.iter().map(|(likelihood, of)| ((likelihood - best).exp(), of)).collect();
        let all: f64 = weighed.iter().map(|(weight, _)| weight).sum();
        let average = |figure: &dyn Fn(&Self) -> f64| {
            weighed.iter().map(|(weight, of)| weight * figure(of)).sum::<f64>() / all
        };
        let (slope, level) = (average(&|of| of.slope), average(&|of| of.level));
        let drift = Self {
            slope,
            level,
            // That shares disagree makes them no surer.
            slope_variance: average(&|of| of.slope_variance + (of.slope - slope).powi(2)),
            level_variance: average(&|of| of.level_variance + (of.level - level).powi(2)),
            covariance: average(&|of| of.covariance + (of.slope - slope) * (of.level - level)),
            wander: average(&|of| of.wander),
            noise: average(&|of| of.noise),
            // Height, slope and the share are estimated.
            degrees: (blocks.len() as f64 - 3.0).max(1.0),
        };
        [drift.slope, drift.level, drift.slope_variance, drift.level_variance]
            .into_iter()
            .all(f64::is_finite)
            .then_some(drift)
    }

    /// Where the level varies by that much with each second and looks by that
    /// much each, up to a common factor; with the logarithm of the likelihood.
    /// What wanders inside of a block is averaged, so that it is less between
    /// blocks, and neighbours have something of it in common.
    fn given(
        [wander, noise, inside]: [f64; 3],
        steps: &[f64],
        rises: &[f64],
        last: f64,
    ) -> Option<(f64, Self)> {
        let varies = Tridiagonal::new(
            steps.iter().map(|step| wander * (step - 2.0 * inside) + 2.0 * noise),
            wander * inside - noise,
        );
        let by_steps = varies.solve(steps.to_vec());
        let by_rises = varies.solve(rises.to_vec());
        let product =
            |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
        let knows = product(steps, &by_steps);
        let slope = product(rises, &by_steps) / knows;
        let rests: Vec<f64> =
            rises.iter().zip(steps).map(|(rise, step)| rise - slope * step).collect();
        let by_rests: Vec<f64> =
            by_rises.iter().zip(&by_steps).map(|(rise, step)| rise - slope * step).collect();
        let degrees = rises.len() as f64 - 1.0;
        let biggest = rises.iter().fold(0.0_f64, |most, rise| most.max(rise.abs()));
        let least = (biggest * EXACT).powi(2).max(f64::MIN_POSITIVE);
        let factor = (product(&rests, &by_rests) / degrees).max(least);
        let likelihood = -0.5 * (degrees * factor.ln() + varies.log_determinant() + knows.ln());
        // The noise of the last look, by what it has to do with the last rise.
        let turn = noise * by_steps.last()?;
        let known_noise = noise.powi(2) * varies.last_of_inverse();
        let slope_variance = factor / knows;
        let drift = Self {
            slope,
            level: last - noise * by_rests.last()?,
            slope_variance,
            level_variance: factor * (noise - known_noise).max(0.0) + turn.powi(2) * slope_variance,
            covariance: turn * slope_variance,
            wander: factor * wander,
            noise: factor * noise,
            degrees,
        };
        likelihood.is_finite().then_some((likelihood, drift))
    }
}

/// A symmetric matrix with entries on the diagonal and right beside it, taken
/// apart (Cholesky): `L D L^T`.
struct Tridiagonal {
    diagonal: Vec<f64>,
    below: Vec<f64>,
}

impl Tridiagonal {
    fn new(diagonal: impl Iterator<Item = f64>, beside: f64) -> Self {
        let mut apart = Self { diagonal: Vec::new(), below: Vec::new() };
        let mut before: Option<f64> = None;
        for entry in diagonal {
            let below = before.map_or(0.0, |before| beside / before);
            let entry = entry - below * beside;
            apart.diagonal.push(entry);
            apart.below.push(below);
            before = Some(entry);
        }
        apart
    }

    fn solve(&self, mut values: Vec<f64>) -> Vec<f64> {
        let mut before = 0.0;
        for (value, below) in values.iter_mut().zip(&self.below) {
            *value -= below * before;
            before = *value;
        }
        // What the one after it takes off.
        let mut after = 0.0;
        for ((value, entry), below) in values.iter_mut().zip(&self.diagonal).zip(&self.below).rev()
        {
            *value = *value / entry - after;
            after = below * *value;
        }
        values
    }

    fn log_determinant(&self) -> f64 {
        self.diagonal.iter().map(|entry| entry.ln()).sum()
    }

    fn last_of_inverse(&self) -> f64 {
        self.diagonal.last().map_or(0.0, |entry| 1.0 / entry)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_solved() {
        let matrix = Tridiagonal::new([2.0, 3.0, 4.0].into_iter(), -1.0);
        let solved = matrix.solve(vec![1.0, 2.0, 3.0]);
        // 2a - b, -a + 3b - c, -b + 4c.
        let [a, b, c] = solved.as_slice() else { panic!("{solved:?}") };
        for (got, wanted) in [(2.0 * a - b, 1.0), (-a + 3.0 * b - c, 2.0), (-b + 4.0 * c, 3.0)] {
            assert!((got - wanted).abs() < 1e-12, "{solved:?}");
        }
        assert!((matrix.log_determinant() - 18_f64.ln()).abs() < 1e-12);
        // The determinant of the first two, by that of all.
        assert!((matrix.last_of_inverse() - 5.0 / 18.0).abs() < 1e-12);
    }

    #[test]
    fn where_nothing_stays_it_is_least_squares() {
        let blocks: Vec<(f64, f64)> = [1.0, 3.0, 2.0, 5.0, 4.0, 7.0]
            .into_iter()
            .zip(0..)
            .map(|(y, x)| (f64::from(x), y))
            .collect();
        let steps = [1.0; 5];
        let rises = [2.0, -1.0, 3.0, -1.0, 3.0];
        let (_, drift) = Drift::given([0.0, 1.0, 0.0], &steps, &rises, 7.0).unwrap();
        // By hand: the sum of (x - 2.5) (y - 22/6) is 18, of (x - 2.5)^2 17.5.
        let slope = 18.0 / 17.5;
        assert!((drift.slope - slope).abs() < 1e-9, "{drift:?}");
        assert!((drift.level - (22.0 / 6.0 + 2.5 * slope)).abs() < 1e-9, "{drift:?}");
        let (_, drift) = Drift::given([1.0, 0.0, 0.0], &steps, &rises, 7.0).unwrap();
        assert!((drift.slope - 6.0 / 5.0).abs() < 1e-9 && drift.level == 7.0, "{drift:?}");
        assert!(Drift::through(&blocks, 1).unwrap().slope_variance > 0.0);
    }

    #[test]
    fn what_is_no_series_is_none() {
        assert!(Drift::through(&[], 1).is_none());
        assert!(Drift::through(&[(0.0, 1.0); 9], 1).is_none());
        let huge: Vec<_> = (0..9).map(|at| (f64::from(at), f64::from(at % 2) * 1e300)).collect();
        assert!(Drift::through(&huge, 1).is_none());
    }
}

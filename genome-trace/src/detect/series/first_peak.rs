//! How far below a limit a level is when the first peak of its noise meets that.
//!
//! Noise is a normal deviation at each look. While the level rises, each look is
//! a chance that noise carries it to the limit, the more so the closer the level
//! is; that none has until the level is `x` below has a probability of
//! exp(-sum of P(noise > x + k rise)).

/// A deviation is looked for up to so many standard deviations.
const FAR: f64 = 12.0;
const HALVINGS: u32 = 50;
/// The normal quantile that one of twenty exceeds.
const TWENTIETH: f64 = 1.644_853_626_951_472_2;

/// How far below, in the middle and as a standard deviation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FirstPeak {
    pub(super) below: f64,
    pub(super) deviation: f64,
}

/// For noise of that standard deviation, and a level that rises by so much from
/// look to look. Where either is nothing it is met by the level itself.
pub(super) fn first_peak(noise: f64, rise: f64) -> FirstPeak {
    let looks = noise / rise;
    if !(looks > 0.0 && looks.is_finite()) {
        return FirstPeak::default();
    }
    // How many peaks are expected before: the sum, as an integral.
    let expected = |x: f64| looks * (density(x) - x * above(x));
    let at = |probability: f64| {
        let wanted = -f64::ln(probability);
        let (mut low, mut high) = (-FAR, FAR);
        for _ in 0..HALVINGS {
            let middle = low.midpoint(high);
            if expected(middle) > wanted {
                low = middle;
            } else {
                high = middle;
            }
        }
        // Looks are not what it waits for: the level itself meets it, too.
        low.max(0.0) * noise
    };
    FirstPeak { below: at(0.5), deviation: (at(0.95) - at(0.05)) / (2.0 * TWENTIETH) }
}

fn density(x: f64) -> f64 {
    (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// The probability of a normal deviation of more than that (Press et al.,
/// Numerical Recipes, `erfcc`: to a relative 1.2e-7).
fn above(x: f64) -> f64 {
    const TERMS: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let z = x.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * z);
    let series = TERMS.iter().rev().fold(0.0, |sum, term| sum * t + term);
    let tail = 0.5 * t * (series - z * z).exp();
    if x >= 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against tables.
    #[test]
    fn the_tail_of_the_normal_distribution() {
        for (x, table) in [
            (0.0, 0.5),
            (1.0, 0.158_655_254),
            (-1.0, 0.841_344_746),
            (3.0, 1.349_898e-3),
            (6.0, 9.8659e-10),
        ] {
            assert!((above(x) / table - 1.0).abs() < 1e-5, "{x}: {}", above(x));
        }
    }

    #[test]
    fn noise_carries_it_to_the_limit_before() {
        let none = first_peak(0.0, 1.0);
        assert_eq!((none.below, none.deviation), (0.0, 0.0));
        // Where it rises by more than the noise with each look, hardly.
        assert_eq!(first_peak(0.1, 10.0).below, 0.0);
        let slow = first_peak(1.0, 0.01);
        assert!(
            (2.0..2.2).contains(&slow.below) && (0.2..0.5).contains(&slow.deviation),
            "{slow:?}"
        );
        assert!(first_peak(1.0, 0.0).below == 0.0 && first_peak(f64::NAN, 1.0).below == 0.0);
    }
}

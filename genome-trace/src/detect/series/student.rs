//! Student's quantiles: how far off a figure may be that rests on few looks.

/// How sure something is to be, on both sides together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    /// The normal quantile.
    z: f64,
    /// Student's, for 1 to 10 degrees of freedom, where the series below is
    /// not good enough.
    few: [f64; 10],
}

impl Level {
    /// One of ten is farther off.
    pub(super) const TEN: Self = Self {
        z: 1.644_853_626_951_472_2,
        few: [6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812],
    };
    /// One of a thousand is.
    pub(super) const THOUSAND: Self = Self {
        z: super::QUANTILE,
        few: [636.619, 31.599, 12.924, 8.610, 6.869, 5.959, 5.408, 5.041, 4.781, 4.587],
    };
    /// One of a hundred thousand is: a thousandth, where a hundred are tried.
    pub(super) const HUNDRED_THOUSAND: Self = Self {
        z: 4.417_173_413_469_023,
        few: [63_661.977, 316.225, 60.397, 27.772, 17.897, 13.555, 11.215, 9.783, 8.827, 8.150],
    };

    /// Student's quantile, by Cornish and Fisher where there are degrees enough.
    pub(super) fn quantile(&self, degrees: f64) -> f64 {
        let few = self.few.get((degrees.max(1.0) as usize).saturating_sub(1));
        if let Some(few) = few {
            return *few;
        }
        let z = self.z;
        let first = (z.powi(3) + z) / 4.0;
        let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
        z + first / degrees + second / degrees.powi(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against tables.
    #[test]
    fn few_and_many_degrees() {
        for (level, degrees, table) in [
            (Level::TEN, 1.0, 6.314),
            (Level::TEN, 10.9, 1.812),
            (Level::TEN, 12.0, 1.782),
            (Level::TEN, 30.0, 1.697),
            (Level::THOUSAND, 3.5, 12.924),
            (Level::THOUSAND, 20.0, 3.850),
            (Level::HUNDRED_THOUSAND, 5.0, 17.897),
            (Level::HUNDRED_THOUSAND, 40.0, 5.053),
        ] {
            let quantile = level.quantile(degrees);
            assert!((quantile - table).abs() < 0.01, "{degrees}: {quantile}, {table}");
        }
    }
}

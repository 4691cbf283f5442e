//! A sample of measurements: its middle, its quantiles, its spread.

use crate::spread::{mean_deviation_sigma, median_deviation_sigma};

/// Makes the median absolute deviation of normally distributed values estimate their standard deviation:
/// 1 / Φ⁻¹(3/4). Rousseeuw, Croux (1993), "Alternatives to the Median Absolute Deviation", section 1.
pub const MAD_TO_SIGMA: f64 = 1.482_602_218_505_602;

/// The same for the mean absolute deviation: √(π/2). Iglewicz, Hoaglin (1993), "How to Detect and Handle Outliers".
pub const MEAN_DEVIATION_TO_SIGMA: f64 = 1.253_314_137_315_500_3;

/// Finite numbers in ascending order, at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    sorted: Vec<f64>,
}

impl Sample {
    /// Takes the finite ones of these numbers; `None` where there are none.
    pub fn new(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        (!sorted.is_empty()).then_some(Self { sorted })
    }

    /// The numbers, ascending.
    pub fn values(&self) -> &[f64] {
        &self.sorted
    }

    /// How many there are.
    #[expect(clippy::len_without_is_empty, reason = "a sample is never empty")]
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// The quantile for a probability between 0 and 1 (others are taken as the nearer end): linear between the order
    /// statistics around position `probability · (n − 1)`, counted from 0.
    ///
    /// This is definition 7 of Hyndman, Fan (1996), "Sample Quantiles in Statistical Packages"; the default of numpy,
    /// R and PostgreSQL's `percentile_cont`.
    pub fn quantile(&self, probability: f64) -> f64 {
        // `clamp` keeps a NaN, which the cast below takes as 0.
        let position = probability.clamp(0.0, 1.0) * (self.sorted.len() - 1) as f64;
        let below = position as usize;
        let low = self.at(below);
        let high = self.at(below + 1);
        let weight = position - below as f64;
        // A plain `low + (high - low) · weight` overflows for two huge values of different sign.
        if weight > 0.0 { low * (1.0 - weight) + high * weight } else { low }
    }

    /// The middle: the quantile of one half.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Median absolute deviation: the median of the distances from the median, not scaled.
    pub fn mad(&self) -> f64 {
        let median = self.median();
        Self::new(self.sorted.iter().map(|value| (value - median).abs())).map_or(f64::MAX, |it| it.median())
    }

    /// An estimate of the standard deviation that half of the values being outliers does not break: the scaled MAD,
    /// or where more than half of the values are equal, so that it is 0, the scaled mean distance from the median.
    /// 0 only where all values are equal.
    pub fn robust_sigma(&self) -> f64 {
        let by_median = median_deviation_sigma(self);
        if by_median > 0.0 { by_median } else { mean_deviation_sigma(self) }
    }

    fn at(&self, position: usize) -> f64 {
        let last = self.sorted.len() - 1;
        self.sorted.get(position.min(last)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample::new(values.iter().copied()).unwrap()
    }

    #[test]
    fn nothing_finite_is_no_sample() {
        assert_eq!(Sample::new([]), None);
        assert_eq!(Sample::new([f64::NAN, f64::INFINITY]), None);
        assert_eq!(sample(&[f64::NAN, 2.0, 1.0]).values(), [1.0, 2.0]);
    }

    #[test]
    fn a_sample_of_equal_values_has_no_spread_and_one_of_mostly_equal_ones_has() {
        assert_eq!(sample(&[7.0, 7.0, 7.0]).robust_sigma(), 0.0);
        let mostly = sample(&[7.0, 7.0, 7.0, 8.0]);
        assert_eq!(mostly.mad(), 0.0);
        assert!((mostly.robust_sigma() - 0.25 * MEAN_DEVIATION_TO_SIGMA).abs() < 1e-12);
    }

    #[test]
    fn huge_and_strange_arguments_stay_in_range() {
        let wide = sample(&[-f64::MAX, f64::MAX]);
        assert_eq!(wide.median(), 0.0);
        assert_eq!(wide.quantile(f64::NAN), -f64::MAX);
        assert_eq!(wide.quantile(7.0), f64::MAX);
        assert!(wide.mad() > 0.0 && wide.robust_sigma() > 0.0);
    }

    proptest! {
        #[test]
        fn quantiles_rise_with_the_probability_and_stay_inside_the_sample(
            values in prop::collection::vec(-1e12..1e12f64, 1..60),
            low in 0.0..=1.0f64,
            high in 0.0..=1.0f64,
        ) {
            let sample = sample(&values);
            let (low, high) = (low.min(high), low.max(high));
            let slack = 1e-3;
            prop_assert!(sample.quantile(low) <= sample.quantile(high) + slack);
            prop_assert!(sample.quantile(0.0) - slack <= sample.quantile(low));
            prop_assert!(sample.quantile(high) <= sample.quantile(1.0) + slack);
        }

        #[test]
        fn the_spread_does_not_care_where_the_sample_lies(
            values in prop::collection::vec(-1000..1000i32, 1..40),
            shift in -1000..1000i32,
        ) {
            let here = sample(&values.iter().map(|value| f64::from(*value)).collect::<Vec<_>>());
            let there = sample(&values.iter().map(|value| f64::from(value + shift)).collect::<Vec<_>>());
            prop_assert_eq!(here.mad(), there.mad());
            prop_assert!((here.robust_sigma() - there.robust_sigma()).abs() < 1e-9);
        }
    }
}

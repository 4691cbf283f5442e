//! How far from the median of a few values is too far for one more of the same kind?

use crate::Sample;
use crate::sample::{MAD_TO_SIGMA, MEAN_DEVIATION_TO_SIGMA};

/// The spread of a sample, and how many times it a further value may be from the median.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// An estimate of the standard deviation; 0 only where all values are equal.
    pub sigma: f64,
    /// Distance from the median, in units of `sigma`, that one further value of the same normal distribution passes on
    /// one side with a probability of 0.5 %.
    ///
    /// From 20 values on it is 3.5, the usual limit of the modified z-score: Iglewicz, Hoaglin (1993), "How to Detect
    /// and Handle Outliers". Of fewer values `sigma` itself is uncertain, so the limit is wider.
    pub far_out: f64,
}

/// Values from which on the median absolute deviation is taken alone, so that wild values do not count.
const ROBUST_FROM: usize = 10;

/// Limits by size of the sample, up to the size in the first place; simulated with 2 million normal samples of each
/// size, and checked by simulation in the tests below.
const FAR_OUT: &[(usize, f64)] = &[
    (3, 13.0),
    (4, 7.4),
    (5, 5.5),
    (6, 4.7),
    (7, 4.25),
    (8, 3.95),
    (9, 3.75),
    (11, 5.0),
    (14, 4.4),
    (19, 4.05),
];
const FAR_OUT_OF_MANY: f64 = 3.5;

impl Spread {
    /// The spread of a sample. Of one or two values it says next to nothing.
    pub fn of(sample: &Sample) -> Self {
        let count = sample.len();
        let by_median = sample.robust_sigma();
        // Of a few values the median deviation is often tiny by chance; the larger of two estimates rarely is.
        let sigma = if count < ROBUST_FROM { by_median.max(mean_deviation_sigma(sample)) } else { by_median };
        let far_out =
            FAR_OUT.iter().find(|(size, _)| count <= *size).map_or(FAR_OUT_OF_MANY, |(_, limit)| *limit);
        Self { sigma, far_out }
    }
}

/// The scaled mean distance from the median.
pub(crate) fn mean_deviation_sigma(sample: &Sample) -> f64 {
    let median = sample.median();
    let count = sample.len() as f64;
    let mean: f64 = sample.values().iter().map(|value| (value - median).abs() / count).sum();
    mean * MEAN_DEVIATION_TO_SIGMA
}

/// The scaled median distance from the median.
pub(crate) fn median_deviation_sigma(sample: &Sample) -> f64 {
    sample.mad() * MAD_TO_SIGMA
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Box, Muller (1958).
    fn normal(random: &mut fastrand::Rng) -> f64 {
        let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
        radius * (std::f64::consts::TAU * random.f64()).cos()
    }

    #[test]
    fn a_further_normal_value_is_far_out_once_in_two_hundred_times_whatever_the_size() {
        let mut random = fastrand::Rng::with_seed(7);
        for size in [3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 40] {
            let rounds = 60_000;
            let mut above = 0;
            for _ in 0..rounds {
                let sample = Sample::new((0..size).map(|_| normal(&mut random))).unwrap();
                let spread = Spread::of(&sample);
                let further = normal(&mut random) - sample.median();
                above += u32::from(further > spread.far_out * spread.sigma);
            }
            let share = f64::from(above) / f64::from(rounds);
            assert!(share < 0.006, "{size}: {share}");
        }
    }

    #[test]
    fn a_few_wild_values_among_many_do_not_widen_it() {
        let tame = Sample::new((0..18).map(f64::from)).unwrap();
        let wild = Sample::new((0..18).map(f64::from).chain([1e9, 1e9])).unwrap();
        assert!(Spread::of(&wild).sigma < 1.3 * Spread::of(&tame).sigma);
    }
}

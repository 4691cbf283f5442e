//! How strongly do two samples differ, whatever their unit?

use crate::Sample;
use crate::rank_test::u_statistic;

/// Cliff's delta: the share of pairs in which the value of `first` is the larger one, less the share in which it is
/// the smaller one. From −1 (all smaller) over 0 (no difference) to 1 (all larger).
///
/// Cliff (1993), "Dominance Statistics: Ordinal Analyses to Answer Ordinal Questions". Usual words for its size:
/// below 0.147 negligible, below 0.33 small, below 0.474 medium, else large (Romano et al. 2006).
pub fn cliffs_delta(first: &Sample, second: &Sample) -> f64 {
    let pairs = first.len() as f64 * second.len() as f64;
    2.0 * u_statistic(first, second) / pairs - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample::new(values.iter().copied()).unwrap()
    }

    #[test]
    fn delta_goes_from_all_smaller_to_all_larger() {
        let low = sample(&[1.0, 2.0, 3.0]);
        let high = sample(&[4.0, 5.0]);
        assert_eq!(cliffs_delta(&low, &high), -1.0);
        assert_eq!(cliffs_delta(&high, &low), 1.0);
        assert_eq!(cliffs_delta(&low, &low), 0.0);
    }
}

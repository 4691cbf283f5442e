//! By how much do two samples differ? The Hodges-Lehmann estimate: the median of all differences between a value of
//! one and a value of the other. Hodges, Lehmann (1963), "Estimates of Location Based on Rank Tests".

use crate::Sample;
use crate::rank_test::counts_of_u;

/// A range for the true shift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShiftInterval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The confidence really reached, at least the one asked for: few values leave few choices.
    pub confidence: f64,
}

/// How much larger the values of `first` are; negative where they are smaller. Takes memory for one number a pair.
pub fn shift(first: &Sample, second: &Sample) -> f64 {
    Sample::new(differences(first, second)).map_or(0.0, |all| all.median())
}

/// The range that holds the true shift with at least this confidence (0.95), by the order statistics of all
/// differences: Hollander, Wolfe, Chicken (2014), "Nonparametric Statistical Methods", section 4.3.
///
/// `None` where the samples are too small for that confidence (for 0.95: 1 against fewer than 39, 3 against 4), or
/// so large that the exact ends are too much work to count.
pub fn shift_interval(first: &Sample, second: &Sample, confidence: f64) -> Option<ShiftInterval> {
    let counts = counts_of_u(first.len(), second.len())?;
    let all: f64 = counts.iter().sum();
    let tail = (1.0 - confidence) / 2.0;
    let mut left_out = 0.0;
    let mut cut = 0usize;
    for count in &counts {
        if (left_out + count) / all > tail + 1e-12 {
            break;
        }
        left_out += count;
        cut += 1;
    }
    let sorted = Sample::new(differences(first, second))?;
    let low = sorted.values().get(cut.checked_sub(1)?)?;
    let high = sorted.values().get(sorted.len().checked_sub(cut)?)?;
    Some(ShiftInterval { low: *low, high: *high, confidence: 1.0 - 2.0 * left_out / all })
}

fn differences(first: &Sample, second: &Sample) -> impl Iterator<Item = f64> {
    first.values().iter().flat_map(|left| second.values().iter().map(move |right| left - right))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample::new(values.iter().copied()).unwrap()
    }

    #[test]
    fn too_few_values_give_no_interval_and_just_enough_give_the_widest() {
        let history: Vec<f64> = (0..39).map(f64::from).collect();
        assert_eq!(shift_interval(&sample(&[50.0]), &sample(&history[1..]), 0.95), None);
        let interval = shift_interval(&sample(&[50.0]), &sample(&history), 0.95).unwrap();
        assert_eq!((interval.low, interval.high), (12.0, 50.0));
        assert!((interval.confidence - 0.95).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn moving_one_sample_moves_estimate_and_interval_by_as_much(
            first in prop::collection::vec((-100..100i32).prop_map(f64::from), 4..12),
            second in prop::collection::vec((-100..100i32).prop_map(f64::from), 4..12),
            by in (-50..50i32).prop_map(f64::from),
        ) {
            let (here, second) = (sample(&first), sample(&second));
            let there = sample(&first.iter().map(|value| value + by).collect::<Vec<_>>());
            prop_assert_eq!(shift(&there, &second), shift(&here, &second) + by);
            let (before, after) =
                (shift_interval(&here, &second, 0.9).unwrap(), shift_interval(&there, &second, 0.9).unwrap());
            prop_assert_eq!((after.low, after.high), (before.low + by, before.high + by));
            prop_assert!(before.low <= shift(&here, &second) && shift(&here, &second) <= before.high);
            prop_assert!(before.confidence >= 0.9);
        }
    }
}

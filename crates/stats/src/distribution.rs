//! How values are distributed, by how often each occurs: a sample of any size in memory for its distinct values.

/// Distinct finite numbers in ascending order with how often each occurs; never empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    values: Vec<f64>,
    /// How many values lie at or below each of them; the last is the count of all.
    up_to: Vec<u64>,
}

impl Distribution {
    /// From values with how often each occurs, in any order, a value more than once where that is easier. What is not
    /// finite or occurs no time is left out; `None` where nothing is left.
    pub fn new(counted: impl IntoIterator<Item = (f64, u64)>) -> Option<Self> {
        // Minus zero becomes zero, of which there is one.
        let mut pairs: Vec<(f64, u64)> = counted
            .into_iter()
            .filter(|(value, times)| value.is_finite() && *times > 0)
            .map(|(value, times)| (value + 0.0, times))
            .collect();
        pairs.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        let mut values = Vec::with_capacity(pairs.len());
        let mut up_to = Vec::with_capacity(pairs.len());
        let mut seen = 0_u64;
        for group in pairs.chunk_by(|left, right| left.0 == right.0) {
            let Some((value, _)) = group.first() else { continue };
            seen = group.iter().fold(seen, |sum, (_, times)| sum.saturating_add(*times));
            values.push(*value);
            up_to.push(seen);
        }
        (!values.is_empty()).then_some(Self { values, up_to })
    }

    /// How many values there are, repetitions counted.
    pub fn count(&self) -> u64 {
        self.up_to.last().copied().unwrap_or_default()
    }

    /// The value of that rank, counted from 0; of a rank past the end the largest.
    pub fn value_at(&self, rank: u64) -> f64 {
        let position = self.up_to.partition_point(|up_to| *up_to <= rank);
        self.values.get(position).or(self.values.last()).copied().unwrap_or_default()
    }

    /// The quantile for a probability between 0 and 1 (others are taken as the nearer end), defined as that of a
    /// [`Sample`](crate::Sample): linear between the values around rank `probability · (n − 1)`.
    pub fn quantile(&self, probability: f64) -> f64 {
        let position = probability.clamp(0.0, 1.0) * (self.count() - 1) as f64;
        // The cast takes NaN as 0.
        let below = position as u64;
        let weight = position - below as f64;
        let low = self.value_at(below);
        if weight > 0.0 { low * (1.0 - weight) + self.value_at(below + 1) * weight } else { low }
    }

    /// The arithmetic mean.
    pub fn mean(&self) -> f64 {
        let count = self.count() as f64;
        self.counted().map(|(value, times)| value * (times as f64 / count)).sum()
    }

    /// Each value with how often it occurs, ascending.
    fn counted(&self) -> impl Iterator<Item = (f64, u64)> {
        let before = std::iter::once(0).chain(self.up_to.iter().copied());
        self.values
            .iter()
            .zip(&self.up_to)
            .zip(before)
            .map(|((value, up_to), before)| (*value, up_to - before))
    }

    /// How many values are smaller than this one, and how many are larger.
    fn around(&self, value: f64) -> (u64, u64) {
        let count_before = |position: usize| {
            position.checked_sub(1).and_then(|last| self.up_to.get(last)).copied().unwrap_or_default()
        };
        let smaller = count_before(self.values.partition_point(|own| *own < value));
        let up_to = count_before(self.values.partition_point(|own| *own <= value));
        (smaller, self.count() - up_to)
    }

    /// Cliff's delta of these values against those of `other`, as [`cliffs_delta`](crate::cliffs_delta) defines it.
    pub fn cliffs_delta(&self, other: &Self) -> f64 {
        let pairs = self.count() as f64 * other.count() as f64;
        self.counted()
            .map(|(value, times)| {
                let (smaller, larger) = other.around(value);
                (smaller as f64 - larger as f64) * times as f64 / pairs
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Sample, cliffs_delta};

    #[test]
    fn nothing_that_counts_is_no_distribution() {
        assert_eq!(Distribution::new([]), None);
        assert_eq!(Distribution::new([(f64::NAN, 3), (1.0, 0), (f64::INFINITY, 1)]), None);
    }

    #[test]
    fn values_are_found_by_rank_and_repetitions_count() {
        let found = Distribution::new([(5.0, 2), (1.0, 3), (5.0, 1), (-0.0, 1)]).unwrap();
        assert_eq!(found.count(), 7);
        let ranked: Vec<f64> = (0..8).map(|rank| found.value_at(rank)).collect();
        assert_eq!(ranked, [0.0, 1.0, 1.0, 1.0, 5.0, 5.0, 5.0, 5.0]);
        assert!((found.mean() - 18.0 / 7.0).abs() < 1e-12);
    }

    fn numbers() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec((-20..20_i32).prop_map(|number| f64::from(number) / 4.0), 1..60)
    }

    proptest! {
        #[test]
        fn it_says_what_the_sample_of_the_same_values_says(first in numbers(), second in numbers(), at in 0.0..=1.0) {
            let of = |values: &[f64]| Distribution::new(values.iter().map(|value| (*value, 1))).unwrap();
            let (one, other) = (of(&first), of(&second));
            let (one_sample, other_sample) = (Sample::new(first).unwrap(), Sample::new(second).unwrap());
            prop_assert!((one.quantile(at) - one_sample.quantile(at)).abs() < 1e-9);
            let expected = cliffs_delta(&one_sample, &other_sample);
            prop_assert!((one.cliffs_delta(&other) - expected).abs() < 1e-9);
            prop_assert!((one.cliffs_delta(&other) + other.cliffs_delta(&one)).abs() < 1e-9);
        }
    }
}

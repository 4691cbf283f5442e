//! Quantiles, any number of them in one pass over the buckets.

use super::Sketch;
use super::bucket::Key;

impl Sketch {
    /// The quantile for a probability between 0 and 1 (others are taken as the nearer end); `None` of an empty sketch.
    ///
    /// Defined as [`Sample::quantile`](crate::Sample::quantile) is, and at most [`RELATIVE_ERROR`](super::RELATIVE_ERROR)
    /// away from it; between a negative and a positive value that is the error of the larger of the two.
    pub fn quantile(&self, probability: f64) -> Option<f64> {
        self.quantiles(&[probability]).and_then(|found| found.first().copied())
    }

    /// The quantiles for several probabilities, in their order; `None` of an empty sketch.
    pub fn quantiles(&self, probabilities: &[f64]) -> Option<Vec<f64>> {
        let last = self.count.checked_sub(1)?;
        let places: Vec<Place> =
            probabilities.iter().map(|probability| Place::of(*probability, last)).collect();
        let mut ranks: Vec<u64> =
            places.iter().flat_map(|place| [place.below, place.below.saturating_add(1).min(last)]).collect();
        ranks.sort_unstable();
        ranks.dedup();
        let values = self.values_at(&ranks);
        let value_at = |rank: u64| {
            let found = ranks.binary_search(&rank).ok().and_then(|position| values.get(position));
            found.copied().unwrap_or(self.max)
        };
        let quantiles = places.iter().map(|place| {
            let low = value_at(place.below);
            if place.weight == 0.0 {
                return low;
            }
            let high = value_at(place.below.saturating_add(1).min(last));
            low * (1.0 - place.weight) + high * place.weight
        });
        Some(quantiles.collect())
    }

    /// The values of these ranks, ascending and counted from 0.
    fn values_at(&self, ranks: &[u64]) -> Vec<f64> {
        let of_bucket = |(rank, key): (&u64, Key)| match *rank {
            0 => self.min,
            rank if rank == self.count - 1 => self.max,
            _ => key.middle().clamp(self.min, self.max),
        };
        ranks.iter().zip(self.storage.at_ranks(ranks)).map(of_bucket).collect()
    }
}

/// Where a quantile lies: between the values of rank `below` and the next one.
struct Place {
    below: u64,
    weight: f64,
}

impl Place {
    fn of(probability: f64, last: u64) -> Self {
        let position = probability.clamp(0.0, 1.0) * last as f64;
        // The cast takes NaN as 0 and ends at the largest whole number.
        let below = (position.floor() as u64).min(last);
        let weight = if below == last { 0.0 } else { (position - below as f64).clamp(0.0, 1.0) };
        Self { below, weight: if weight.is_nan() { 0.0 } else { weight } }
    }
}

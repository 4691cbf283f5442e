//! By how much does a number of one population differ from that of another, and how sure is that? For quantiles and
//! for shares of values that come in groups, as tests come in runs.
//!
//! ```text
//! values ──► Distribution ─┐
//! groups ──► Groups ───────┴► estimate with its 95 % interval ─┬► Difference: change and ratio, each with an interval
//!                                            the other side ───┘
//! ```
//!
//! **Quantiles.** The interval runs between two order statistics: the ones between which the true quantile lies in
//! 95 % of all samples, by the binomial distribution and whatever the values look like (David, Nagaraja 2003, "Order
//! Statistics", section 7.1). **Shares.** Wilson's score interval (1927). **Groups.** Values of one run resemble each
//! other, so they tell less than as many values of different runs; the number of values is therefore replaced by the
//! effective one: divided by the design effect, which compares the variance between groups (linearised ratio
//! estimate: Woodruff 1952; Korn, Graubard 1998) with that of independent values. **Differences.** The two intervals
//! are joined by the method of variance estimates recovery, which keeps their asymmetry: Zou, Donner (2008),
//! "Construction of confidence limits about effect measures"; for shares that is Newcombe's hybrid score interval.

use crate::Distribution;
use crate::binomial::cumulative;

/// Half of what an interval may miss.
const TAIL: f64 = 0.025;
/// Φ⁻¹(0.975).
const Z: f64 = 1.959_963_984_540_054;

/// A range that holds the true number with a confidence of 95 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// A number with the range its true value lies in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// The range; `None` where there are too few values or groups to tell one.
    pub interval: Option<Interval>,
}

/// How values that do something, such as lying at or below a quantile, spread over groups: sums over all groups.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Groups {
    /// How many groups.
    pub groups: f64,
    /// Σ n: values of all groups.
    pub values: f64,
    /// Σ n².
    pub values_squared: f64,
    /// Σ h: values that do it.
    pub hits: f64,
    /// Σ h².
    pub hits_squared: f64,
    /// Σ h·n.
    pub hits_times_values: f64,
}

impl Groups {
    /// Counts a group: its values, and those of them that do it.
    pub fn add(&mut self, values: f64, hits: f64) {
        self.groups += 1.0;
        self.values += values;
        self.values_squared += values * values;
        self.hits += hits;
        self.hits_squared += hits * hits;
        self.hits_times_values += hits * values;
    }

    /// So many independent values would tell as much; at most the values there are. `None` of fewer than two groups,
    /// which tell nothing of the spread between groups.
    pub fn effective_values(&self) -> Option<f64> {
        if self.groups < 2.0 || self.values < 2.0 {
            return None;
        }
        if self.values <= self.groups {
            // A group is a value: nothing resembles its neighbours.
            return Some(self.values);
        }
        let share = self.hits / self.values;
        let alone = share * (1.0 - share) / self.values;
        if alone <= 0.0 {
            // All or none do it: nothing is seen of a spread, so a group counts as one value.
            return Some(self.groups);
        }
        let squares =
            self.hits_squared - 2.0 * share * self.hits_times_values + share * share * self.values_squared;
        let between = self.groups / (self.groups - 1.0) * squares.max(0.0) / (self.values * self.values);
        let design_effect = (between / alone).max(1.0);
        let few_groups = (Z / student_97_5(self.groups - 1.0)).powi(2);
        Some(self.values / design_effect * few_groups)
    }
}

/// The quantile of a distribution whose values lie in these groups; the hits are the values at or below it.
pub fn quantile_estimate(distribution: &Distribution, probability: f64, groups: &Groups) -> Estimate {
    let value = distribution.quantile(probability);
    let interval = groups
        .effective_values()
        .and_then(|effective| {
            order_statistics(effective.min(distribution.count() as f64) as u64, probability)
        })
        .map(|(low, high)| Interval { low: distribution.quantile(low), high: distribution.quantile(high) });
    // Between effective values the ends may miss the estimate by a rounding.
    let around = interval.map(|it| Interval { low: it.low.min(value), high: it.high.max(value) });
    Estimate { value, interval: around }
}

/// The share of hits among the values of these groups, with Wilson's interval. `None` where there are no values.
pub fn share_estimate(groups: &Groups) -> Option<Estimate> {
    if groups.values < 1.0 {
        return None;
    }
    let share = groups.hits / groups.values;
    let interval = groups.effective_values().map(|count| {
        let square = Z * Z;
        let middle = (share + square / (2.0 * count)) / (1.0 + square / count);
        let reach = Z / (1.0 + square / count)
            * (share * (1.0 - share) / count + square / (4.0 * count * count)).sqrt();
        Interval { low: (middle - reach).max(0.0), high: (middle + reach).min(1.0) }
    });
    Some(Estimate { value: share, interval })
}

/// Two order statistics of `count` independent values that hold the quantile with at least 95 % between them, as
/// probabilities for [`Distribution::quantile`]. `None` where even the smallest and the largest value do not: for
/// the median that is with fewer than 6 values, for p95 72, for p99 368.
fn order_statistics(count: u64, probability: f64) -> Option<(f64, f64)> {
    let last = count.checked_sub(1).filter(|last| *last > 0)?;
    // The lowest rank k (from 0) with P(X ≤ k) ≥ 1 − tail: the value of rank k is at or above the quantile.
    let high = first_where(count, |rank| cumulative(rank, count, probability) >= 1.0 - TAIL);
    // The highest rank k with P(X ≤ k) ≤ tail: the value of rank k is at or below the quantile.
    let low = first_where(count, |rank| cumulative(rank, count, probability) > TAIL).checked_sub(1)?;
    (high <= last).then(|| (low as f64 / last as f64, high as f64 / last as f64))
}

/// The first number from 0 to `end` for which it holds, given that it holds for all after it.
fn first_where(end: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut from, mut to) = (0, end);
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) { to = middle } else { from = middle + 1 }
    }
    from
}

/// How the second of two numbers differs from the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// Second − first.
    pub change: Estimate,
    /// Second / first; `None` where the first or the second is not above 0.
    pub ratio: Option<Estimate>,
}

/// Compares two estimates of independent samples.
pub fn difference(first: &Estimate, second: &Estimate) -> Difference {
    let change = subtract(first, second);
    let positive = first.value > 0.0 && second.value > 0.0;
    let ratio = positive.then(|| {
        let logged = subtract(&logarithm(first), &logarithm(second));
        let interval = logged.interval.map(|it| Interval { low: it.low.exp(), high: it.high.exp() });
        Estimate { value: second.value / first.value, interval }
    });
    Difference { change, ratio }
}

fn logarithm(estimate: &Estimate) -> Estimate {
    let positive = estimate.interval.filter(|it| it.low > 0.0);
    let interval = positive.map(|it| Interval { low: it.low.ln(), high: it.high.ln() });
    Estimate { value: estimate.value.ln(), interval }
}

/// Second − first.
fn subtract(first: &Estimate, second: &Estimate) -> Estimate {
    let value = second.value - first.value;
    let interval = first.interval.zip(second.interval).map(|(one, other)| Interval {
        low: value - (second.value - other.low).hypot(one.high - first.value),
        high: value + (other.high - second.value).hypot(first.value - one.low),
    });
    Estimate { value, interval }
}

/// Student's t for 97.5 % and so many degrees of freedom, from 1: the published table, and beyond it the expansion in
/// 1/ν of Abramowitz, Stegun (1964), equation 26.7.5, good to five digits there.
fn student_97_5(freedom: f64) -> f64 {
    const TABLE: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
        2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048,
        2.045, 2.042,
    ];
    let row = (freedom as usize).saturating_sub(1);
    if let Some(value) = TABLE.get(row) {
        return *value;
    }
    let first = (Z.powi(3) + Z) / 4.0;
    let second = (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / 96.0;
    Z + first / freedom + second / (freedom * freedom)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_order_statistics_are_the_published_ones() {
        // Conover (1999), "Practical Nonparametric Statistics", table of confidence intervals of the median: of 25
        // values the 8th and the 18th, of 10 the 2nd and the 9th.
        assert_eq!(order_statistics(25, 0.5), Some((7.0 / 24.0, 17.0 / 24.0)));
        assert_eq!(order_statistics(10, 0.5), Some((1.0 / 9.0, 8.0 / 9.0)));
        // 0.5^n, 0.95^n and 0.99^n at most 0.025.
        for (fewest, probability) in [(6, 0.5), (72, 0.95), (368, 0.99)] {
            assert_eq!(order_statistics(fewest - 1, probability), None, "{probability}");
            assert!(order_statistics(fewest, probability).is_some(), "{probability}");
        }
    }

    #[test]
    fn the_order_statistics_are_those_of_scipy() {
        // scipy.stats.quantile_test(numpy.arange(n), p=p).confidence_interval(0.95)
        for (count, probability, low, high) in [
            (40, 0.5, 13.0, 26.0),
            (1_000, 0.5, 468.0, 531.0),
            (100, 0.95, 89.0, 99.0),
            (5_000, 0.95, 4_718.0, 4_780.0),
            (400, 0.99, 391.0, 399.0),
            (3_000, 0.99, 2_958.0, 2_980.0),
            (200_000, 0.99, 197_911.0, 198_087.0),
        ] {
            let last = (count - 1) as f64;
            let found = order_statistics(count, probability);
            assert_eq!(found, Some((low / last, high / last)), "{count} at {probability}");
        }
    }

    #[test]
    fn shares_are_compared_as_newcombe_published_it() {
        // Newcombe (1998), "Interval estimation for the difference between independent proportions", method 10,
        // example (a): 56/70 − 48/80 is 0.2, from 0.0524 to 0.3339.
        let side = |hits: f64, values: f64| {
            let share = hits / values;
            let square = Z * Z;
            let middle = (share + square / (2.0 * values)) / (1.0 + square / values);
            let reach = Z / (1.0 + square / values)
                * (share * (1.0 - share) / values + square / (4.0 * values * values)).sqrt();
            Estimate { value: share, interval: Some(Interval { low: middle - reach, high: middle + reach }) }
        };
        let found = difference(&side(48.0, 80.0), &side(56.0, 70.0)).change;
        let interval = found.interval.unwrap();
        assert!((found.value - 0.2).abs() < 1e-12);
        assert!(
            (interval.low - 0.0524).abs() < 5e-5 && (interval.high - 0.3339).abs() < 5e-5,
            "{interval:?}"
        );
    }

    #[test]
    fn values_that_repeat_inside_their_group_count_once() {
        let (mut alone, mut repeated) = (Groups::default(), Groups::default());
        for number in 0..400 {
            let hits = f64::from(u8::from(number % 4 == 0));
            alone.add(1.0, hits);
            repeated.add(50.0, 50.0 * hits);
        }
        let (of_alone, of_repeated) =
            (alone.effective_values().unwrap(), repeated.effective_values().unwrap());
        assert_eq!(of_alone, 400.0);
        assert!((395.0..=400.0).contains(&of_repeated), "{of_repeated}");
    }

    #[test]
    fn one_run_says_nothing_of_the_spread_between_runs() {
        let mut groups = Groups::default();
        groups.add(10_000.0, 5_000.0);
        assert_eq!(groups.effective_values(), None);
        assert_eq!(share_estimate(&groups).unwrap().interval, None);
        assert_eq!(share_estimate(&Groups::default()), None);
    }

    #[test]
    fn students_t_goes_over_from_the_table_to_the_expansion() {
        for (freedom, expected) in [(1.0, 12.706), (30.0, 2.042), (31.0, 2.0395), (60.0, 2.0003), (1e9, Z)] {
            assert!((student_97_5(freedom) - expected).abs() < 6e-4, "{freedom}");
        }
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_estimate_and_turns_with_the_sides(
            first in prop::collection::vec(0.01..1e4_f64, 8..200),
            second in prop::collection::vec(0.01..1e4_f64, 8..200),
        ) {
            let estimate = |values: &[f64]| {
                let distribution = Distribution::new(values.iter().map(|value| (*value, 1))).unwrap();
                let median = distribution.quantile(0.5);
                let mut groups = Groups::default();
                values.iter().for_each(|value| groups.add(1.0, f64::from(u8::from(*value <= median))));
                quantile_estimate(&distribution, 0.5, &groups)
            };
            let (one, other) = (estimate(&first), estimate(&second));
            let (there, back) = (difference(&one, &other), difference(&other, &one));
            let interval = there.change.interval.unwrap();
            prop_assert!(interval.low <= there.change.value && there.change.value <= interval.high);
            let turned = back.change.interval.unwrap();
            prop_assert!((interval.low + turned.high).abs() < 1e-6 && (interval.high + turned.low).abs() < 1e-6);
            let (ratio, inverse) = (there.ratio.unwrap(), back.ratio.unwrap());
            prop_assert!((ratio.value * inverse.value - 1.0).abs() < 1e-9);
            let ends = (ratio.interval.unwrap(), inverse.interval.unwrap());
            prop_assert!((ends.0.low * ends.1.high - 1.0).abs() < 1e-6);
        }
    }
}

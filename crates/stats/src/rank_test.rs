//! Are the values of one sample larger than those of another? The Mann-Whitney test, also known as Wilcoxon's rank sum
//! test: it compares orders only and assumes no distribution.
//!
//! Mann, Whitney (1947), "On a Test of Whether One of Two Random Variables is Stochastically Larger than the Other".

use crate::Sample;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alternative {
    /// Are the values of the first sample larger?
    Greater,
    /// Are they smaller?
    Less,
    /// Are they different, whichever way?
    TwoSided,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankTest {
    /// Pairs in which the first sample's value is the larger one; a tie counts one half.
    pub u: f64,
    /// How often a split of the same values at random would look at least as different.
    pub p: f64,
    /// Is `p` counted over all splits, ties included, or the normal approximation?
    pub is_exact: bool,
    /// The smallest `p` that samples of these sizes can give without ties: with few values even the clearest
    /// difference proves little.
    pub smallest_p: f64,
}

/// Most steps of counting, some tens of milliseconds; past it the normal approximation is good to three digits.
const EXACT_WORK: usize = 20_000_000;

/// Compares two samples.
///
/// `p` is the exact permutation probability (all splits of the pooled values, ties by midranks) as long as counting is
/// affordable: always for one value against up to 3,000, and for two samples of 50. Beyond it is the normal
/// approximation with continuity and tie correction: Hollander, Wolfe, Chicken (2014), "Nonparametric Statistical
/// Methods", equations 4.5 to 4.11.
pub fn rank_test(first: &Sample, second: &Sample, alternative: Alternative) -> RankTest {
    let ranks = Ranks::of(first, second);
    let (count, others) = (first.len() as f64, second.len() as f64);
    let u = ranks.u();
    let (greater, less, is_exact) = match ranks.exact_tails() {
        Some((greater, less)) => (greater, less, true),
        None => {
            let (greater, less) = normal_tails(u, count, others, ranks.tie_term());
            (greater, less, false)
        }
    };
    let splits = binomial(first.len() + second.len(), first.len());
    let (p, sides) = match alternative {
        Alternative::Greater => (greater, 1.0),
        Alternative::Less => (less, 1.0),
        Alternative::TwoSided => (2.0 * greater.min(less), 2.0),
    };
    RankTest { u, p: p.min(1.0), is_exact, smallest_p: (sides / splits).min(1.0) }
}

/// Pairs in which the value of `first` is the larger one; a tie counts one half.
pub(crate) fn u_statistic(first: &Sample, second: &Sample) -> f64 {
    Ranks::of(first, second).u()
}

/// The pooled values as ranks, doubled so that midranks are whole numbers.
struct Ranks {
    /// Of every pooled value, ascending.
    doubled: Vec<usize>,
    /// Sum over the first sample.
    doubled_sum: usize,
    /// Size of the first sample.
    first_count: usize,
    /// Sizes of the groups of equal values.
    tie_sizes: Vec<usize>,
}

impl Ranks {
    fn of(first: &Sample, second: &Sample) -> Self {
        let mut pooled: Vec<(f64, bool)> = first.values().iter().map(|value| (*value, true)).collect();
        pooled.extend(second.values().iter().map(|value| (*value, false)));
        pooled.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        let mut doubled = Vec::with_capacity(pooled.len());
        let mut doubled_sum = 0;
        let mut tie_sizes = Vec::new();
        for group in pooled.chunk_by(|left, right| left.0 == right.0) {
            // Ranks a+1 … a+n have the mean a + (n+1)/2.
            let rank = 2 * doubled.len() + group.len() + 1;
            doubled.extend(std::iter::repeat_n(rank, group.len()));
            doubled_sum += rank * group.iter().filter(|(_, is_first)| *is_first).count();
            tie_sizes.push(group.len());
        }
        Self { doubled, doubled_sum, first_count: first.len(), tie_sizes }
    }

    fn u(&self) -> f64 {
        let count = self.first_count as f64;
        self.doubled_sum as f64 / 2.0 - count * (count + 1.0) / 2.0
    }

    /// Share of all splits whose rank sum is at least, and at most, the one observed; `None` where counting is too
    /// much work.
    fn exact_tails(&self) -> Option<(f64, f64)> {
        let total: usize = self.doubled.iter().sum();
        // Counting over the smaller sample is cheaper and says the same, with the tails exchanged.
        let (taken, observed, is_swapped) = if self.first_count * 2 <= self.doubled.len() {
            (self.first_count, self.doubled_sum, false)
        } else {
            (self.doubled.len() - self.first_count, total - self.doubled_sum, true)
        };
        let largest: usize = self.doubled.iter().rev().take(taken).sum();
        if self.doubled.len().checked_mul(taken)?.checked_mul(largest)? > EXACT_WORK {
            return None;
        }
        let counts = subset_sums(&self.doubled, taken, largest);
        let all: f64 = counts.iter().sum();
        let at_least: f64 = counts.iter().skip(observed).sum();
        let at_most: f64 = counts.iter().take(observed + 1).sum();
        let (greater, less) = if is_swapped { (at_most, at_least) } else { (at_least, at_most) };
        Some((greater / all, less / all))
    }

    /// Σ (t³ − t) over the groups of ties.
    fn tie_term(&self) -> f64 {
        self.tie_sizes.iter().map(|size| (*size as f64).powi(3) - *size as f64).sum()
    }
}

/// How many subsets of `taken` of these ranks have each sum, up to `largest`.
fn subset_sums(ranks: &[usize], taken: usize, largest: usize) -> Vec<f64> {
    let width = largest + 1;
    let mut counts = vec![vec![0.0; width]; taken + 1];
    if let Some(first) = counts.first_mut().and_then(|row| row.first_mut()) {
        *first = 1.0;
    }
    for rank in ranks {
        // From the largest subsets down, so that a rank is taken at most once.
        for size in (1..=taken).rev() {
            let (smaller, larger) = counts.split_at_mut(size);
            let (Some(from), Some(into)) = (smaller.last(), larger.first_mut()) else { continue };
            for (target, source) in into.iter_mut().skip(*rank).zip(from) {
                *target += source;
            }
        }
    }
    counts.pop().unwrap_or_default()
}

/// How many splits of untied values into these sizes have each value of U, from 0; `None` where that is too much work.
pub(crate) fn counts_of_u(first_count: usize, second_count: usize) -> Option<Vec<f64>> {
    let taken = first_count.min(second_count);
    let pooled = first_count + second_count;
    let largest: usize = (pooled - taken + 1..=pooled).sum();
    if pooled.checked_mul(taken)?.checked_mul(largest)? > EXACT_WORK {
        return None;
    }
    let ranks: Vec<usize> = (1..=pooled).collect();
    let smallest = taken * (taken + 1) / 2;
    Some(subset_sums(&ranks, taken, largest).split_off(smallest))
}

fn normal_tails(u: f64, count: f64, others: f64, tie_term: f64) -> (f64, f64) {
    let pooled = count + others;
    let variance = count * others / 12.0 * (pooled + 1.0 - tie_term / (pooled * (pooled - 1.0)));
    if variance <= 0.0 {
        // All values are equal: nothing speaks for any difference.
        return (1.0, 1.0);
    }
    let mean = count * others / 2.0;
    let sigma = variance.sqrt();
    (normal_survival((u - mean - 0.5) / sigma), normal_survival((mean - u - 0.5) / sigma))
}

/// Probability that a standard normal value is above `z`.
///
/// erfc by Numerical Recipes, third edition, section 6.2.2: relative error below 1.2·10⁻⁷ everywhere.
fn normal_survival(z: f64) -> f64 {
    const COEFFICIENTS: [f64; 10] = [
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
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * x);
    let series = COEFFICIENTS.iter().rev().fold(0.0, |sum, coefficient| sum * t + coefficient);
    let upper = 0.5 * t * (series - x * x).exp();
    if z >= 0.0 { upper } else { 1.0 - upper }
}

/// Number of ways to choose; infinite where it does not fit.
fn binomial(from: usize, choose: usize) -> f64 {
    let choose = choose.min(from - choose);
    (1..=choose).fold(1.0, |ways, step| ways * (from - choose + step) as f64 / step as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample::new(values.iter().copied()).unwrap()
    }

    #[test]
    fn one_value_against_n_is_judged_by_its_rank() {
        let history: Vec<f64> = (1..=19).map(f64::from).collect();
        let above_all = rank_test(&sample(&[100.0]), &sample(&history), Alternative::Greater);
        assert!((above_all.p - 0.05).abs() < 1e-12, "1 of 20 places: {above_all:?}");
        assert_eq!((above_all.u, above_all.p), (19.0, above_all.smallest_p));
        let in_the_middle = rank_test(&sample(&[10.5]), &sample(&history), Alternative::Greater);
        assert!((in_the_middle.p - 0.5).abs() < 1e-12, "{in_the_middle:?}");
    }

    #[test]
    fn equal_values_prove_nothing_however_many_there_are() {
        for count in [1, 5, 400] {
            let same = sample(&vec![3.0; count]);
            for alternative in [Alternative::Greater, Alternative::Less, Alternative::TwoSided] {
                assert_eq!(rank_test(&same, &same, alternative).p, 1.0, "{count} {alternative:?}");
            }
        }
    }

    #[test]
    fn the_normal_distribution_has_its_tails() {
        // scipy.stats.norm.sf
        for (z, expected) in [
            (-3.0, 0.998_650_101_968_369_9),
            (0.0, 0.5),
            (1.96, 0.024_997_895_148_220_435),
            (4.0, 3.167_124_183_311_986e-5),
            (8.0, 6.220_960_574_271_786e-16),
        ] {
            assert!((normal_survival(z) / expected - 1.0).abs() < 1.2e-7, "{z}");
        }
        assert_eq!(normal_survival(f64::INFINITY), 0.0);
    }

    /// Every split, one by one: what the counting must agree with.
    fn by_enumeration(first: &[f64], second: &[f64]) -> f64 {
        let pooled: Vec<f64> = first.iter().chain(second).copied().collect();
        let u = |is_first: &dyn Fn(usize) -> bool| -> f64 {
            let mut sum = 0.0;
            for (i, left) in pooled.iter().enumerate().filter(|(i, _)| is_first(*i)) {
                for (_, right) in pooled.iter().enumerate().filter(|(j, _)| *j != i && !is_first(*j)) {
                    sum += if left > right {
                        1.0
                    } else if left == right {
                        0.5
                    } else {
                        0.0
                    };
                }
            }
            sum
        };
        let observed = u(&|position| position < first.len());
        let splits: Vec<u32> =
            (0..1u32 << pooled.len()).filter(|mask| mask.count_ones() as usize == first.len()).collect();
        let extreme =
            splits.iter().filter(|mask| u(&|position| *mask >> position & 1 == 1) >= observed - 1e-9).count();
        extreme as f64 / splits.len() as f64
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn counting_agrees_with_trying_every_split(
            first in prop::collection::vec((0..6i32).prop_map(f64::from), 1..6),
            second in prop::collection::vec((0..6i32).prop_map(f64::from), 1..6),
        ) {
            let counted = rank_test(&sample(&first), &sample(&second), Alternative::Greater);
            prop_assert!(counted.is_exact);
            prop_assert!((counted.p - by_enumeration(&first, &second)).abs() < 1e-12);
        }

        #[test]
        fn greater_for_one_side_is_less_for_the_other(
            first in prop::collection::vec(-100.0..100.0f64, 1..60),
            second in prop::collection::vec(-100.0..100.0f64, 1..60),
        ) {
            let (first, second) = (sample(&first), sample(&second));
            let here = rank_test(&first, &second, Alternative::Greater);
            let there = rank_test(&second, &first, Alternative::Less);
            prop_assert!((here.p - there.p).abs() < 1e-9);
            prop_assert_eq!(here.u + there.u, (first.len() * second.len()) as f64);
        }
    }
}

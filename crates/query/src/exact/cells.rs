//! One answer on its way: known, or waiting for the values of some ranks.

use super::held::{Held, Histogram, values_of};
use super::order;
use super::question::Question;

/// The answer for one group.
#[derive(Debug)]
pub(super) enum Cell {
    /// One for each probability; `None` of a group without values.
    Known(Option<Vec<Option<f64>>>),
    /// Found with the values of these ranks, which ascend.
    Open {
        /// Values of the group.
        count: u64,
        ranks: Vec<(u64, Found)>,
    },
}

/// What is known of the value of a rank.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Found {
    Value(f64),
    In(KeyRange),
}

/// A range of keys (see [`order`]) with the value of a rank in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyRange {
    /// The smallest key of it.
    pub(super) low: u64,
    /// The largest.
    pub(super) high: u64,
    /// Values of the group that are smaller than all of it.
    pub(super) below: u64,
    /// Values of the group in it.
    pub(super) count: u64,
}

impl KeyRange {
    /// A range of one key has its value.
    pub(super) fn found(self) -> Found {
        if self.low == self.high { Found::Value(order::number(self.low)) } else { Found::In(self) }
    }
}

impl Cell {
    pub(super) fn of(held: Held, question: &Question) -> Self {
        match held {
            Held::Values(values) if values.is_empty() => Self::Known(None),
            Held::Values(mut values) => {
                let count = values.len() as u64;
                let ranks = question.ranks(count);
                let found = values_of(&mut values, &ranks);
                let value_of = |rank| found.get(ranks.binary_search(&rank).ok()?).copied();
                Self::Known(Some(question.answers(count, value_of)))
            }
            Held::Histogram(histogram) => {
                let count = histogram.count();
                Self::Open { count, ranks: locate(&histogram, &question.ranks(count)) }
            }
        }
    }

    /// The ranges whose values are still to be looked at, ascending, each once.
    pub(super) fn ranges(&self) -> Vec<KeyRange> {
        let Self::Open { ranks, .. } = self else { return Vec::new() };
        let mut ranges: Vec<KeyRange> = ranks
            .iter()
            .filter_map(|(_, found)| match found {
                Found::In(range) => Some(*range),
                Found::Value(_) => None,
            })
            .collect();
        ranges.dedup();
        ranges
    }

    /// The ranks that lie in a range, to be told what was found.
    pub(super) fn ranks_in(&mut self, range: KeyRange) -> impl Iterator<Item = (u64, &mut Found)> {
        let ranks = match self {
            Self::Open { ranks, .. } => ranks.as_mut_slice(),
            Self::Known(_) => &mut [],
        };
        ranks
            .iter_mut()
            .filter(move |(_, found)| *found == Found::In(range))
            .map(|(rank, found)| (*rank, found))
    }

    /// The answers, when all is found.
    pub(super) fn into_answers(self, question: &Question) -> Option<Vec<Option<f64>>> {
        match self {
            Self::Known(answers) => answers,
            Self::Open { count, ranks } => Some(question.answers(count, |wanted| {
                let place = ranks.binary_search_by_key(&wanted, |(rank, _)| *rank).ok()?;
                match ranks.get(place)? {
                    (_, Found::Value(value)) => Some(*value),
                    (_, Found::In(_)) => None,
                }
            })),
        }
    }
}

/// Where the values of these ranks lie, as far as a histogram can tell.
fn locate(histogram: &Histogram, ranks: &[u64]) -> Vec<(u64, Found)> {
    if histogram.unplaced > 0 {
        // They may stand on either side of any rank.
        let (low, high) = (order::key(f64::NEG_INFINITY), order::key(f64::NAN));
        let anywhere = Found::In(KeyRange { low, high, below: 0, count: histogram.count() });
        return ranks.iter().map(|rank| (*rank, anywhere)).collect();
    }
    let first_finite = histogram.minus_infinity;
    let first_infinity = first_finite + histogram.finite.count();
    let first_nan = first_infinity + histogram.infinity;
    let finite: Vec<u64> = ranks
        .iter()
        .filter(|rank| (first_finite..first_infinity).contains(*rank))
        .map(|rank| rank - first_finite)
        .collect();
    let mut ranges = histogram.finite.rank_ranges(&finite).into_iter();
    let find = |rank: &u64| {
        let found = if *rank < first_finite {
            Found::Value(f64::NEG_INFINITY)
        } else if *rank >= first_nan {
            Found::Value(f64::NAN)
        } else if *rank >= first_infinity {
            Found::Value(f64::INFINITY)
        } else {
            let range = ranges.next()?;
            let (low, high) = (order::key(range.low), order::key(range.high));
            KeyRange { low, high, below: range.below + first_finite, count: range.count }.found()
        };
        Some((*rank, found))
    };
    ranks.iter().filter_map(find).collect()
}

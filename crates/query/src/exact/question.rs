//! What is asked of the values of a group, and how the answer comes from the values of a few ranks.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, Float64Builder, ListBuilder};

/// Between two values, or one of them?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// `percentile_cont`: linear between the two values around the place.
    Continuous,
    /// `percentile_disc`: the first value at or after the place.
    Discrete,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Continuous => "percentile_cont",
            Self::Discrete => "percentile_disc",
        }
    }
}

/// The probabilities, as they were written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Probabilities {
    /// One; of the null one the answer is null.
    One(Option<f64>),
    /// A list, and so the answer.
    List(Option<Vec<Option<f64>>>),
}

/// One call of a function: the same for all groups.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Question {
    pub(super) kind: Kind,
    pub(super) probabilities: Probabilities,
    /// Are the values taken from the largest down?
    pub(super) descending: bool,
}

/// Where an answer lies among the sorted values, counted from 0 in ascending order.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    first: u64,
    second: u64,
    /// How far from the first to the second.
    weight: f64,
}

impl Question {
    fn probabilities(&self) -> &[Option<f64>] {
        match &self.probabilities {
            Probabilities::One(one) => std::slice::from_ref(one),
            Probabilities::List(list) => list.as_deref().unwrap_or_default(),
        }
    }

    /// The ranks whose values answer the question for a group of `count` values, ascending, each once.
    pub(super) fn ranks(&self, count: u64) -> Vec<u64> {
        let places =
            self.probabilities().iter().flatten().filter_map(|probability| self.place(*probability, count));
        let mut ranks: Vec<u64> = places.flat_map(|place| [place.first, place.second]).collect();
        ranks.sort_unstable();
        ranks.dedup();
        ranks
    }

    /// One answer for each probability, from the values of the ranks.
    pub(super) fn answers(&self, count: u64, value_of: impl Fn(u64) -> Option<f64>) -> Vec<Option<f64>> {
        let answer = |probability: &Option<f64>| {
            let place = self.place((*probability)?, count)?;
            let first = value_of(place.first)?;
            if place.first == place.second {
                return Some(first);
            }
            Some(first + place.weight * (value_of(place.second)? - first))
        };
        self.probabilities().iter().map(answer).collect()
    }

    /// The column of the answers of all groups; `None` is a group without values.
    pub(super) fn column(&self, answers: impl Iterator<Item = Option<Vec<Option<f64>>>>) -> ArrayRef {
        match &self.probabilities {
            Probabilities::One(_) => {
                let mut column = Float64Builder::new();
                answers.for_each(|group| {
                    column.append_option(group.and_then(|all| all.first().copied().flatten()))
                });
                Arc::new(column.finish()) as Arc<dyn Array>
            }
            Probabilities::List(list) => {
                let mut column = ListBuilder::new(Float64Builder::new());
                for group in answers {
                    column.append_option(group.filter(|_| list.is_some()));
                }
                Arc::new(column.finish())
            }
        }
    }

    /// `None` of no values.
    fn place(&self, probability: f64, count: u64) -> Option<Place> {
        let last = count.checked_sub(1)?;
        let place = match self.kind {
            Kind::Continuous => {
                let position = probability * last as f64;
                let (first, second) = (position.floor(), position.ceil());
                Place { first: first as u64, second: second as u64, weight: position - first }
            }
            Kind::Discrete => {
                let from_one = (probability * count as f64).ceil() as u64;
                let rank = from_one.saturating_sub(1);
                Place { first: rank, second: rank, weight: 0.0 }
            }
        };
        let ascending = |rank: u64| if self.descending { last - rank.min(last) } else { rank.min(last) };
        Some(Place { first: ascending(place.first), second: ascending(place.second), ..place })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(kind: Kind, probability: f64, descending: bool, values: &[f64]) -> f64 {
        let question = Question { kind, probabilities: Probabilities::One(Some(probability)), descending };
        let count = values.len() as u64;
        assert!(question.ranks(count).len() <= 2);
        question.answers(count, |rank| values.get(rank as usize).copied())[0].unwrap()
    }

    #[test]
    fn places_are_those_of_postgresql() {
        let values = [10.0, 20.0, 30.0, 40.0];
        for (probability, descending, continuous, discrete) in [
            (0.0, false, 10.0, 10.0),
            (0.5, false, 25.0, 20.0),
            (0.5, true, 25.0, 30.0),
            (0.25, false, 17.5, 10.0),
            (0.251, false, 17.53, 20.0),
            (0.25, true, 32.5, 40.0),
            (1.0, false, 40.0, 40.0),
            (1.0, true, 10.0, 10.0),
        ] {
            assert_eq!(ask(Kind::Continuous, probability, descending, &values), continuous, "{probability}");
            assert_eq!(ask(Kind::Discrete, probability, descending, &values), discrete, "{probability}");
        }
        assert_eq!(ask(Kind::Continuous, 0.3, false, &[7.0]), 7.0);
    }

    #[test]
    fn of_no_values_no_rank_is_asked() {
        let probabilities = Probabilities::List(Some(vec![Some(0.5), None]));
        let question = Question { kind: Kind::Continuous, probabilities, descending: false };
        assert!(question.ranks(0).is_empty());
        assert_eq!(question.ranks(4), [1, 2]);
    }
}

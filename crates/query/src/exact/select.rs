//! The values of one range: each with how often it came, or, past a bound, how many there are in each of 4,096 steps.

use datafusion::error::{DataFusionError, Result};

use super::cells::{Found, KeyRange};

/// Into how many steps a range is divided that holds too many different values.
const STEPS: u32 = 4_096;
/// Values that gather before equal ones are counted together.
const GATHERED: usize = 65_536;

/// Collects the keys of one range.
#[derive(Debug)]
pub(super) struct Collector {
    range: KeyRange,
    /// Different keys held before there are only steps.
    most_keys: usize,
    keys: Keys,
}

#[derive(Debug)]
enum Keys {
    /// Keys with how often they came, ascending, and those that came since.
    Counted {
        sorted: Vec<(u64, u64)>,
        fresh: Vec<u64>,
    },
    Steps(Vec<u64>),
}

impl Collector {
    pub(super) fn new(range: KeyRange, most_keys: usize) -> Self {
        Self { range, most_keys, keys: Keys::Counted { sorted: Vec::new(), fresh: Vec::new() } }
    }

    /// Adds a key of the range.
    pub(super) fn add(&mut self, key: u64) {
        match &mut self.keys {
            Keys::Counted { sorted, fresh } => {
                fresh.push(key);
                if fresh.len() >= GATHERED.max(sorted.len()) {
                    self.gather();
                }
            }
            Keys::Steps(steps) => count(steps, self.range, key, 1),
        }
    }

    /// Counts equal keys together, and goes over to steps where that does not help.
    fn gather(&mut self) {
        let Keys::Counted { sorted, fresh } = &mut self.keys else { return };
        if fresh.is_empty() {
            return;
        }
        fresh.sort_unstable();
        let new = fresh.chunk_by(|left, right| left == right);
        let new = new.filter_map(|equal| Some((*equal.first()?, equal.len() as u64)));
        let merged = merge_counts(sorted, new);
        fresh.clear();
        if merged.len() <= self.most_keys {
            *sorted = merged;
            return;
        }
        let mut steps = vec![0; STEPS as usize];
        merged.into_iter().for_each(|(key, times)| count(&mut steps, self.range, key, times));
        self.keys = Keys::Steps(steps);
    }

    /// Adds what the collector of another part found in the same range.
    pub(super) fn merge(&mut self, mut other: Self) {
        self.gather();
        other.gather();
        if let (Keys::Counted { sorted, .. }, Keys::Counted { sorted: others, .. }) =
            (&mut self.keys, &other.keys)
        {
            // The sum of two bounded lists; it becomes steps only when it is added to again.
            *sorted = merge_counts(sorted, others.iter().copied());
            return;
        }
        let mut steps = self.steps();
        for (step, more) in steps.iter_mut().zip(other.steps()) {
            *step += more;
        }
        self.keys = Keys::Steps(steps);
    }

    fn steps(&self) -> Vec<u64> {
        match &self.keys {
            Keys::Steps(steps) => steps.clone(),
            Keys::Counted { sorted, .. } => {
                let mut steps = vec![0; STEPS as usize];
                sorted.iter().for_each(|(key, times)| count(&mut steps, self.range, *key, *times));
                steps
            }
        }
    }

    /// Memory in use, in bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + match &self.keys {
                Keys::Counted { sorted, fresh } => sorted.capacity() * 16 + fresh.capacity() * 8,
                Keys::Steps(steps) => steps.capacity() * 8,
            }
    }

    /// All has been added: gives what can tell of ranks.
    ///
    /// # Errors
    /// When not as many keys came as there were values of the range before.
    pub(super) fn finish(mut self) -> Result<Selected> {
        self.gather();
        let mut found = Vec::new();
        let mut below = self.range.below;
        match self.keys {
            Keys::Counted { sorted, .. } => {
                for (key, count) in sorted {
                    found.push(KeyRange { low: key, high: key, below, count });
                    below += count;
                }
            }
            Keys::Steps(steps) => {
                let shift = shift(self.range);
                for (step, count) in steps.into_iter().enumerate().filter(|(_, count)| *count > 0) {
                    let low = self.range.low + ((step as u64) << shift);
                    let high = (low + ((1 << shift) - 1)).min(self.range.high);
                    found.push(KeyRange { low, high, below, count });
                    below += count;
                }
            }
        }
        if below != self.range.below + self.range.count {
            return Err(DataFusionError::Internal(format!(
                "a percentile read its rows twice and found {} values in place of {}",
                below - self.range.below,
                self.range.count
            )));
        }
        Ok(Selected { found })
    }
}

/// The narrower ranges of a range, ascending.
#[derive(Debug)]
pub(super) struct Selected {
    found: Vec<KeyRange>,
}

impl Selected {
    /// What is now known of the value of a rank in the range.
    pub(super) fn of_rank(&self, rank: u64) -> Option<Found> {
        let behind = self.found.partition_point(|range| range.below <= rank);
        Some(self.found.get(behind.checked_sub(1)?)?.found())
    }
}

/// How many bits of the distance from the range's beginning do not tell steps apart.
fn shift(range: KeyRange) -> u32 {
    let width = range.high - range.low;
    (u64::BITS - width.leading_zeros()).saturating_sub(STEPS.ilog2())
}

fn count(steps: &mut [u64], range: KeyRange, key: u64, times: u64) {
    let step = (key - range.low) >> shift(range);
    if let Some(slot) = steps.get_mut(step as usize) {
        *slot += times;
    }
}

/// Two ascending lists as one.
fn merge_counts(left: &[(u64, u64)], right: impl Iterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
    let mut merged: Vec<(u64, u64)> = Vec::with_capacity(left.len());
    let mut push = |key, times| match merged.last_mut() {
        Some((last, sum)) if *last == key => *sum += times,
        _ => merged.push((key, times)),
    };
    let mut left = left.iter().copied().peekable();
    for (key, times) in right {
        while let Some((smaller, of_it)) = left.next_if(|(other, _)| *other <= key) {
            push(smaller, of_it);
        }
        push(key, times);
    }
    left.for_each(|(key, times)| push(key, times));
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Looks at the keys again and again, with room for few of them, until the value of the rank is found.
    fn select(keys: &[u64], rank: u64, most_keys: usize) -> (f64, usize) {
        let mut sorted = keys.to_vec();
        sorted.sort_unstable();
        let mut range =
            KeyRange { low: sorted[0], high: sorted[sorted.len() - 1], below: 0, count: keys.len() as u64 };
        for pass in 1.. {
            let inside: Vec<u64> =
                keys.iter().copied().filter(|key| (range.low..=range.high).contains(key)).collect();
            let (left, right) = inside.split_at(inside.len() / 3);
            let [mut one, mut other] = [left, right].map(|part| {
                let mut collector = Collector::new(range, most_keys);
                part.iter().for_each(|key| collector.add(*key));
                collector
            });
            if pass % 2 == 0 {
                std::mem::swap(&mut one, &mut other);
            }
            one.merge(other);
            match one.finish().unwrap().of_rank(rank).unwrap() {
                Found::Value(value) => return (value, pass),
                Found::In(narrower) => range = narrower,
            }
        }
        unreachable!("there is no last pass")
    }

    proptest! {
        #[test]
        fn the_value_of_a_rank_is_found_in_a_handful_of_passes_with_whatever_room(
            values in prop::collection::vec(prop_oneof![any::<f64>(), 0.0..1.0_f64, Just(7.0)], 2..400),
            rank in any::<prop::sample::Index>(),
            most_keys in 1..40_usize,
        ) {
            let keys: Vec<u64> = values.iter().map(|value| crate::exact::order::key(*value)).collect();
            let mut sorted = keys.clone();
            sorted.sort_unstable();
            let rank = rank.index(keys.len());
            prop_assume!(sorted[0] != sorted[keys.len() - 1]);
            let (value, passes) = select(&keys, rank as u64, most_keys);
            prop_assert_eq!(crate::exact::order::key(value), sorted[rank]);
            prop_assert!(passes <= 6, "{passes}");
        }
    }

    #[test]
    fn rows_that_are_not_there_again_are_told() {
        let range = KeyRange { low: 1, high: 9, below: 0, count: 3 };
        let mut collector = Collector::new(range, 10);
        collector.add(4);
        let error = collector.finish().unwrap_err();
        assert!(error.to_string().contains("1 values in place of 3"), "{error}");
    }
}

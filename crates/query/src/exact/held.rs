//! What is held of the values of a group: all of them, or how many there are of which size.
//!
//! | bytes | as it passes between the parts of a query |
//! |---|---|
//! | 1 | 0: values, 1: histogram |
//! | 8 each | values: IEEE 754, little-endian |
//! | 8, 8, 8, 8 | histogram: how often minus infinity, infinity, NaN, any of these, little-endian |
//! | the rest | histogram: the encoded sketch of the finite ones |

use datafusion::error::{DataFusionError, Result};
use manometer_stats::Sketch;

use super::order::plain;

const VALUES: u8 = 0;
const HISTOGRAM: u8 = 1;

/// What is held of a group.
#[derive(Debug, Clone)]
pub(super) enum Held {
    /// Every value, in the order it came.
    Values(Vec<f64>),
    /// Only how many there are of which size.
    Histogram(Box<Histogram>),
}

impl Default for Held {
    fn default() -> Self {
        Self::Values(Vec::new())
    }
}

/// How many values there are of which size.
#[derive(Debug, Clone, Default)]
pub(super) struct Histogram {
    pub(super) finite: Sketch,
    pub(super) minus_infinity: u64,
    pub(super) infinity: u64,
    pub(super) not_a_number: u64,
    /// Values of which a roll-up says but that they are there: those that its sketch leaves out, as they are not finite.
    pub(super) unplaced: u64,
}

impl Histogram {
    fn add(&mut self, values: &[f64]) {
        if self.finite.extend(values) == values.len() as u64 {
            return;
        }
        for value in values.iter().filter(|value| !value.is_finite()) {
            if value.is_nan() {
                self.not_a_number += 1;
            } else if *value > 0.0 {
                self.infinity += 1;
            } else {
                self.minus_infinity += 1;
            }
        }
    }

    /// How many values were counted.
    pub(super) fn count(&self) -> u64 {
        self.finite.count() + self.minus_infinity + self.infinity + self.not_a_number + self.unplaced
    }
}

impl Held {
    pub(super) fn add(&mut self, values: &[f64]) {
        match self {
            Self::Values(all) => all.extend_from_slice(values),
            Self::Histogram(histogram) => histogram.add(values),
        }
    }

    /// Counts `count` values of a roll-up, which has a sketch of the finite ones.
    ///
    /// # Errors
    /// When the bytes are no sketch.
    pub(super) fn add_rolled_up(&mut self, sketch: Option<&[u8]>, count: u64) -> Result<()> {
        self.keep_histogram();
        if let Self::Histogram(histogram) = self {
            let before = histogram.finite.count();
            if let Some(bytes) = sketch {
                histogram.finite.merge_encoded(bytes).map_err(|_| malformed())?;
            }
            histogram.unplaced += count.saturating_sub(histogram.finite.count() - before);
        }
        Ok(())
    }

    /// Keeps no more of the values than how many there are of which size.
    pub(super) fn keep_histogram(&mut self) {
        if let Self::Values(values) = self {
            let mut histogram = Histogram::default();
            histogram.add(values);
            *self = Self::Histogram(Box::new(histogram));
        }
    }

    /// How many values it holds one by one.
    pub(super) fn values_held(&self) -> usize {
        match self {
            Self::Values(values) => values.len(),
            Self::Histogram(_) => 0,
        }
    }

    /// Memory in use besides this struct, in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        match self {
            Self::Values(values) => values.capacity() * size_of::<f64>(),
            Self::Histogram(histogram) => size_of::<Histogram>() + histogram.finite.memory_bytes(),
        }
    }

    /// `None` of no values.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        match self {
            Self::Values(values) if values.is_empty() => None,
            Self::Values(values) => {
                let mut bytes = Vec::with_capacity(1 + values.len() * 8);
                bytes.push(VALUES);
                values.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
                Some(bytes)
            }
            Self::Histogram(histogram) => {
                let mut bytes = vec![HISTOGRAM];
                let Histogram { finite: _, minus_infinity, infinity, not_a_number, unplaced } = **histogram;
                for count in [minus_infinity, infinity, not_a_number, unplaced] {
                    bytes.extend_from_slice(&count.to_le_bytes());
                }
                bytes.extend_from_slice(&histogram.finite.encode());
                Some(bytes)
            }
        }
    }

    /// Adds what another part held, of which these are the bytes.
    ///
    /// # Errors
    /// When the bytes are not what [`encode`](Self::encode) wrote.
    pub(super) fn merge_encoded(&mut self, bytes: &[u8]) -> Result<()> {
        match bytes.split_first() {
            Some((&VALUES, values)) => {
                let (numbers, []) = values.as_chunks::<8>() else { return Err(malformed()) };
                let numbers = numbers.iter().map(|number| f64::from_le_bytes(*number));
                match self {
                    Self::Values(all) => all.extend(numbers),
                    Self::Histogram(histogram) => histogram.add(&numbers.collect::<Vec<_>>()),
                }
                Ok(())
            }
            Some((&HISTOGRAM, rest)) => {
                self.keep_histogram();
                let Self::Histogram(histogram) = self else { return Err(malformed()) };
                let (counts, sketch) = rest.split_at_checked(32).ok_or_else(malformed)?;
                let ([minus_infinity, infinity, not_a_number, unplaced], []) = counts.as_chunks::<8>() else {
                    return Err(malformed());
                };
                histogram.minus_infinity += u64::from_le_bytes(*minus_infinity);
                histogram.infinity += u64::from_le_bytes(*infinity);
                histogram.not_a_number += u64::from_le_bytes(*not_a_number);
                histogram.unplaced += u64::from_le_bytes(*unplaced);
                histogram.finite.merge_encoded(sketch).map_err(|_| malformed())?;
                Ok(())
            }
            _ => Err(malformed()),
        }
    }
}

fn malformed() -> DataFusionError {
    DataFusionError::Internal("values of a percentile between the parts of a query are garbled".to_owned())
}

/// The values of some ranks, which ascend and are counted from 0. Puts the values into another order.
pub(super) fn values_of(values: &mut [f64], ranks: &[u64]) -> Vec<f64> {
    values.iter_mut().for_each(|value| *value = plain(*value));
    let mut found = Vec::with_capacity(ranks.len());
    let mut rest = values;
    let mut skipped = 0_u64;
    for rank in ranks {
        let position = rank.saturating_sub(skipped) as usize;
        if position >= rest.len() {
            break;
        }
        let (_, value, behind) = rest.select_nth_unstable_by(position, f64::total_cmp);
        found.push(*value);
        rest = behind;
        skipped = rank + 1;
    }
    found
}

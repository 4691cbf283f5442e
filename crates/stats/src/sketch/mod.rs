//! Quantiles of any number of values in little memory: a log-linear histogram.
//!
//! ```text
//! value ──► sign, exponent, first 7 bits of the mantissa ──► one of 128 equal buckets an octave ──► a count
//! ```
//!
//! A value is known to be in its bucket, whose middle is at most 1/256 (0.4 %) away from it; that is the error of every
//! quantile, and it never grows: merging adds counts, so sketches of parts, in whatever order and grouping they are put
//! together, are the sketch of the whole. Smallest and largest value are kept exactly.
//!
//! The layout is that of HdrHistogram (Tene) and of Circllhist (Hartmann, Schlossnagle 2020, arXiv 2001.06561) in base
//! 2, with the buckets read off the bits of the number instead of computed by a logarithm.
//!
//! **Invariants:** `count` is the sum of all buckets; smallest and largest value lie in the first and the last bucket
//! that is not empty; the encoded form of equal sketches is equal, byte by byte.

mod bucket;
mod encoding;
mod quantiles;
mod ranks;
mod storage;

pub use encoding::SketchError;
pub use ranks::RankRange;

use bucket::Key;
use storage::Storage;

/// Largest distance of a quantile from the true one, as a share of the true one; of values whose size is below
/// 2.3·10⁻³⁰⁸ only that they are so small is known.
pub const RELATIVE_ERROR: f64 = 1.0 / 256.0;

/// A histogram of finite numbers.
#[derive(Debug, Clone, Default)]
pub struct Sketch {
    count: u64,
    /// Meaningless while `count` is 0.
    min: f64,
    max: f64,
    storage: Storage,
}

impl Sketch {
    /// An empty one; takes no memory of its own.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a value. A value that is not finite is not counted: `false`.
    #[inline]
    pub fn add(&mut self, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        // Minus zero becomes zero, of which there is one.
        let value = value + 0.0;
        self.widen(value, value);
        self.count += 1;
        self.storage.add(Key::of(value), 1);
        true
    }

    /// Counts many values, as [`add`](Self::add) does, and says how many were counted.
    pub fn extend(&mut self, values: &[f64]) -> u64 {
        let before = self.count;
        let mut rest = values.iter();
        while matches!(self.storage, Storage::Few(_)) {
            match rest.next() {
                Some(value) => self.add(*value),
                None => return self.count - before,
            };
        }
        // From here on there is at least one value and nothing but pages: everything else stays in registers.
        let Self { count, min, max, storage } = self;
        if let Storage::Pages(pages) = storage {
            let (mut low, mut high, mut counted) = (*min, *max, 0);
            for value in rest.filter(|value| value.is_finite()).map(|value| value + 0.0) {
                low = if value < low { value } else { low };
                high = if value > high { value } else { high };
                counted += 1;
                pages.add(Key::of(value), 1);
            }
            (*min, *max) = (low, high);
            *count += counted;
        }
        self.count - before
    }

    /// Adds what another sketch counted.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.widen(other.min, other.max);
        self.count = self.count.saturating_add(other.count);
        other.storage.for_each(&mut |key, count| self.storage.add(key, count));
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The smallest value, exactly; `None` of an empty sketch.
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// The largest value, exactly; `None` of an empty sketch.
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }

    /// Memory in use, in bytes, this struct included.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.storage.memory_bytes()
    }

    #[inline]
    fn widen(&mut self, low: f64, high: f64) {
        if self.count == 0 {
            (self.min, self.max) = (low, high);
        } else {
            self.min = self.min.min(low);
            self.max = self.max.max(high);
        }
    }
}

/// Equal when they counted the same, as far as a sketch can tell.
impl PartialEq for Sketch {
    fn eq(&self, other: &Self) -> bool {
        self.count == other.count
            && self.min() == other.min()
            && self.max() == other.max()
            && self.storage.sorted() == other.storage.sorted()
    }
}

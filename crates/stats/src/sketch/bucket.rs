//! Which bucket a number falls into, and what a bucket stands for.

/// Mantissa bits that tell the buckets of an octave apart.
pub(super) const MANTISSA_BITS: u32 = 7;
/// Bits of a number that do not matter.
const DROPPED_BITS: u32 = f64::MANTISSA_DIGITS - 1 - MANTISSA_BITS;
/// Key of the bucket of the largest finite number.
const LARGEST: i32 = (f64::MAX.to_bits() >> DROPPED_BITS) as i32;

/// Name of a bucket: ascending with the numbers in it, 0 for zero and what is next to nothing, negative for negative
/// numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(i32);

impl Key {
    /// The bucket of a finite number. The bits of a positive number, read as a whole number, ascend with it; so cutting
    /// off the last ones makes buckets.
    #[inline]
    pub(super) fn of(value: f64) -> Self {
        let size = (value.abs().to_bits() >> DROPPED_BITS) as i32;
        Self(if value < 0.0 { -size } else { size })
    }

    /// A key as [`number`](Self::number) gave it; `None` for what no finite number has.
    pub(super) fn from_number(number: i64) -> Option<Self> {
        i32::try_from(number).ok().filter(|key| (-LARGEST..=LARGEST).contains(key)).map(Self)
    }

    /// The key as a number.
    pub(super) fn number(self) -> i32 {
        self.0
    }

    /// The smallest and the largest number of the bucket.
    pub(super) fn ends(self) -> (f64, f64) {
        let size = u64::from(self.0.unsigned_abs()) << DROPPED_BITS;
        let near = f64::from_bits(size);
        let far = f64::from_bits(size | ((1 << DROPPED_BITS) - 1));
        match self.0 {
            0 => (-far, far),
            1.. => (near, far),
            _ => (-far, -near),
        }
    }

    /// The middle of the bucket.
    pub(super) fn middle(self) -> f64 {
        if self.0 == 0 {
            return 0.0;
        }
        let size = u64::from(self.0.unsigned_abs());
        // Inside an octave numbers ascend evenly with their bits, so half a bucket is half of the dropped bits.
        let middle = f64::from_bits((size << DROPPED_BITS) | (1 << (DROPPED_BITS - 1)));
        if self.0 < 0 { -middle } else { middle }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sketch::RELATIVE_ERROR;

    #[test]
    fn the_ends_of_the_numbers_have_buckets_and_middles_that_are_numbers() {
        for value in [f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, 0.0, -0.0] {
            let key = Key::of(value);
            assert!(key.middle().is_finite(), "{value}");
            assert_eq!(Key::from_number(key.number().into()), Some(key));
        }
        assert_eq!(Key::of(-0.0), Key::of(0.0));
        assert_eq!(Key::from_number(i64::from(LARGEST) + 1), None);
        assert_eq!(Key::from_number(i64::MIN), None);
    }

    proptest! {
        #[test]
        fn the_middle_of_its_bucket_is_near_every_normal_number(value in prop::num::f64::NORMAL) {
            let middle = Key::of(value).middle();
            prop_assert!((middle - value).abs() <= RELATIVE_ERROR * value.abs(), "{value} {middle}");
            prop_assert_eq!(Key::of(middle), Key::of(value));
        }

        #[test]
        fn keys_ascend_with_the_numbers(left in prop::num::f64::NORMAL, right in prop::num::f64::NORMAL) {
            prop_assert!((left <= right) <= (Key::of(left) <= Key::of(right)));
        }
    }
}

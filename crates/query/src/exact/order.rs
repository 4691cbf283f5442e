//! The order of numbers as PostgreSQL has it: minus infinity, the finite ones, infinity, NaN; there is one zero.

/// A number, as a whole number that sorts as it does.
pub(super) fn key(value: f64) -> u64 {
    let bits = plain(value).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

/// The number of a key.
pub(super) fn number(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

/// The same number in the one form it has here: no minus zero, one NaN.
pub(super) fn plain(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value + 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ascend_with_the_numbers_and_lead_back_to_them() {
        let ascending =
            [f64::NEG_INFINITY, f64::MIN, -1.0, -5e-324, 0.0, 5e-324, 1.0, f64::MAX, f64::INFINITY, f64::NAN];
        for pair in ascending.windows(2) {
            assert!(key(pair[0]) < key(pair[1]), "{pair:?}");
        }
        for value in ascending {
            assert_eq!(number(key(value)).to_bits(), value.to_bits(), "{value}");
        }
        assert_eq!(key(-0.0), key(0.0));
        assert_eq!(key(-f64::NAN), key(f64::NAN));
    }
}

//! Counts, shares and sizes.

use std::fmt;

use manometer_query::answers::{Unit, count};

/// A count with its digits in groups of three: `2,034,112`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) u64);

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&count(self.0))
    }
}

/// A part of a whole, 0 to 1, in percent; or one that is not known, as where the whole is empty.
///
/// Only what is exactly all shows as 100%, only what is exactly nothing as 0%: one failure in ten thousand
/// must not round away.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Share(pub(crate) Option<f64>);

impl Share {
    /// `part` of `whole`; not known when the whole is empty.
    pub(crate) fn of(part: u64, whole: u64) -> Self {
        Self((whole > 0).then(|| part as f64 / whole as f64))
    }

    /// The number for sorting in the browser; what is not known sorts below everything.
    pub(crate) fn sort_key(&self) -> f64 {
        self.0.filter(|share| share.is_finite()).unwrap_or(-1.0)
    }

    /// Percent with a dot and two digits at most, for coordinates inside a drawing.
    pub(crate) fn width(&self) -> String {
        let share = self.0.filter(|share| share.is_finite()).unwrap_or(0.0).clamp(0.0, 1.0);
        format!("{:.2}%", share * 100.0)
    }

    /// Is it known?
    pub(crate) fn is_known(&self) -> bool {
        self.0.is_some_and(f64::is_finite)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&Unit::Share.show(self.0))
    }
}

/// A size in bytes, decimal units: `41 kB`, `1.40 GB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&Unit::Bytes.show(Some(self.0 as f64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_groups_of_three() {
        for (number, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (2_034_112, "2,034,112")] {
            assert_eq!(Count(number).to_string(), expected);
        }
    }

    #[test]
    fn one_failure_in_a_million_does_not_round_away() {
        assert_eq!(Share::of(999_999, 1_000_000).to_string(), "99.9%");
        assert_eq!(Share::of(1, 1_000_000).to_string(), "0.1%");
        assert_eq!(Share::of(7, 7).to_string(), "100%");
        assert_eq!(Share::of(0, 7).to_string(), "0%");
        assert_eq!(Share::of(0, 0).to_string(), "–");
    }

    #[test]
    fn sizes_keep_three_digits() {
        for (size, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (41_000, "41.0 kB"),
            (1_400_000_000, "1.40 GB"),
            (999_999, "1.00 MB"),
        ] {
            assert_eq!(Bytes(size).to_string(), expected);
        }
    }
}

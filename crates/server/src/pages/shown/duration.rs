//! Durations: `340 ms`, `3.2 s`, `2m 34s`, `3h 05m`, `2d 4h`.

use std::fmt;

use manometer_query::answers::Unit;

/// A duration in seconds, or one that is not known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Seconds(pub(crate) Option<f64>);

impl Seconds {
    /// The number for sorting in the browser; what is not known sorts below everything.
    pub(crate) fn sort_key(&self) -> f64 {
        self.0.filter(|seconds| seconds.is_finite()).unwrap_or(-1.0)
    }
}

impl From<f64> for Seconds {
    fn from(seconds: f64) -> Self {
        Self(Some(seconds))
    }
}

impl From<Option<f64>> for Seconds {
    fn from(seconds: Option<f64>) -> Self {
        Self(seconds)
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&Unit::Seconds.show(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_two_or_three_digits_that_matter() {
        for (seconds, expected) in [
            (0.0, "0 s"),
            (0.000_4, "0.4 ms"),
            (0.34, "340 ms"),
            (0.999_9, "1.0 s"),
            (3.21, "3.2 s"),
            (9.96, "10 s"),
            (59.7, "1m 00s"),
            (154.0, "2m 34s"),
            (11_100.0, "3h 05m"),
            (187_200.0, "2d 4h"),
            (-2.0, "−2.0 s"),
        ] {
            assert_eq!(Seconds::from(seconds).to_string(), expected, "{seconds}");
        }
    }

    #[test]
    fn what_is_not_known_is_a_dash() {
        for unknown in [None, Some(f64::NAN), Some(f64::INFINITY)] {
            assert_eq!(Seconds(unknown).to_string(), "–");
        }
    }
}

//! Durations: `340 ms`, `3.2 s`, `2m 34s`, `3h 05m`, `2d 4h`.

use std::fmt;

use super::UNKNOWN;

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
        let Some(seconds) = self.0.filter(|seconds| seconds.is_finite()) else {
            return formatter.write_str(UNKNOWN);
        };
        let size = seconds.abs();
        if seconds < 0.0 && size >= 0.000_05 {
            formatter.write_str("−")?;
        }
        if size < 0.000_05 {
            return formatter.write_str("0 s");
        }
        if size < 0.009_95 {
            return write!(formatter, "{:.1} ms", size * 1e3);
        }
        if size < 0.999_5 {
            return write!(formatter, "{:.0} ms", size * 1e3);
        }
        if size < 9.95 {
            return write!(formatter, "{size:.1} s");
        }
        let whole = size.round() as u64;
        match whole {
            0..60 => write!(formatter, "{whole} s"),
            60..3_600 => write!(formatter, "{}m {:02}s", whole / 60, whole % 60),
            3_600..86_400 => write!(formatter, "{}h {:02}m", whole / 3_600, whole % 3_600 / 60),
            _ => write!(formatter, "{}d {}h", whole / 86_400, whole % 86_400 / 3_600),
        }
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

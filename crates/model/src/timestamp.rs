//! Points in time: UTC, microseconds, the one time type of the product.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
///
/// Written as RFC 3339 in UTC (`2026-11-21T06:13:38.000000Z`). Read from RFC 3339 with any offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// Why a text is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time: write RFC 3339, as 2026-11-21T06:13:38Z")]
pub struct ParseTimestampError {
    text: String,
}

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

impl Timestamp {
    /// From microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Days since 1970-01-01 (negative before it): the partition a fact belongs to.
    pub const fn day(self) -> i32 {
        self.0.div_euclid(MICROS_PER_DAY) as i32
    }

    /// Seconds from `earlier` to `self`; negative when `earlier` is the later one.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 / MICROS_PER_SECOND as f64
    }

    /// This moment moved by `seconds`, which may be negative.
    pub fn plus_seconds(self, seconds: f64) -> Self {
        Self(self.0.saturating_add((seconds * MICROS_PER_SECOND as f64) as i64))
    }

    /// Reads RFC 3339 with an offset; refuses a time without one.
    ///
    /// # Errors
    /// When the text is not RFC 3339.
    pub fn parse_rfc3339(text: &str) -> Result<Self, ParseTimestampError> {
        DateTime::parse_from_rfc3339(text.trim())
            .map(|time| Self(time.timestamp_micros()))
            .map_err(|_| ParseTimestampError { text: clip(text) })
    }

    /// Reads what report writers really produce: RFC 3339, the same without a zone (taken as UTC), a space
    /// instead of `T`, a date alone, or an offset without a colon.
    ///
    /// # Errors
    /// When none of these shapes fits.
    pub fn parse_lenient(text: &str) -> Result<Self, ParseTimestampError> {
        let trimmed = text.trim();
        if let Ok(time) = Self::parse_rfc3339(trimmed) {
            return Ok(time);
        }
        for shape in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"] {
            if let Ok(time) = NaiveDateTime::parse_from_str(trimmed, shape) {
                return Ok(Self(time.and_utc().timestamp_micros()));
            }
        }
        for shape in ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f %z"] {
            if let Ok(time) = DateTime::parse_from_str(trimmed, shape) {
                return Ok(Self(time.timestamp_micros()));
            }
        }
        if let Some(zoneless) = trimmed.strip_suffix(" UTC").or_else(|| trimmed.strip_suffix(" GMT")) {
            return Self::parse_lenient(zoneless);
        }
        NaiveDate::parse_from_str(trimmed, "%Y-%m-%d")
            .ok()
            .and_then(|date| date.and_hms_opt(0, 0, 0))
            .map(|time| Self(time.and_utc().timestamp_micros()))
            .ok_or_else(|| ParseTimestampError { text: clip(text) })
    }
}

fn clip(text: &str) -> String {
    text.chars().take(64).collect()
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp_micros(self.0) {
            Some(time) => formatter.write_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true)),
            None => write!(formatter, "{}us", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse_rfc3339(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_that_report_writers_produce_are_read() {
        let expected = Timestamp::from_seconds(1_700_000_000);
        for text in [
            "2023-11-14T22:13:20Z",
            "2023-11-14T22:13:20",
            "2023-11-14 22:13:20",
            "2023-11-14T22:13:20.000",
            "2023-11-15T05:13:20+07:00",
            "2023-11-15T05:13:20+0700",
            "2023-11-14 22:13:20 UTC",
        ] {
            assert_eq!(Timestamp::parse_lenient(text), Ok(expected), "{text}");
        }
        assert!(Timestamp::parse_lenient("yesterday").is_err());
        assert!(Timestamp::parse_lenient("").is_err());
    }

    #[test]
    fn days_before_the_epoch_are_negative() {
        assert_eq!(Timestamp::from_micros(-1).day(), -1);
        assert_eq!(Timestamp::from_micros(0).day(), 0);
    }
}

//! What organisation to make up.

use manometer_model::Timestamp;

/// The size, time and seed of an organisation. The same options always give the same organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoOptions {
    /// Every seed gives another organisation with the same planted facts.
    pub seed: u64,
    /// How many days of history, 24 hours each, up to `end`: 1 to 3,650.
    pub days: u32,
    /// How many services, over all repositories: 1 to 1,000.
    pub services: usize,
    /// About how many rows `tests` shall get; from 1. Reached within one percent by the default, and as near as
    /// whole runs allow by a handful of runs.
    pub tests_total: u64,
    /// The present: nothing is later. Planted facts are dated from here backwards, so that they are always fresh.
    pub end: Timestamp,
}

/// Why an organisation cannot be made up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("demo option {option} is {found}: choose {allowed}")]
pub struct OptionOutOfRange {
    option: &'static str,
    found: u64,
    allowed: &'static str,
}

impl DemoOptions {
    /// The organisation `manometer demo` shows by default: 24 services, 90 days, about 2,000,000 test results.
    pub fn ending_at(end: Timestamp) -> Self {
        Self { seed: 1, days: 90, services: 24, tests_total: 2_000_000, end }
    }

    /// Checks every option.
    ///
    /// # Errors
    /// Names the first option out of its range.
    pub(crate) fn validate(&self) -> Result<(), OptionOutOfRange> {
        let refuse = |option, found, allowed| Err(OptionOutOfRange { option, found, allowed });
        if !(1..=3_650).contains(&self.days) {
            return refuse("days", u64::from(self.days), "1 to 3650");
        }
        if !(1..=1_000).contains(&self.services) {
            return refuse("services", self.services as u64, "1 to 1000");
        }
        if self.tests_total == 0 {
            return refuse("tests_total", 0, "1 or more");
        }
        Ok(())
    }

    /// Where history begins.
    pub(crate) fn start(&self) -> Timestamp {
        self.end.plus_seconds(-f64::from(self.days) * 86_400.0)
    }

    /// Test results a service brings forth in a day, on average.
    pub(crate) fn tests_per_service_day(&self) -> f64 {
        self.tests_total as f64 / (f64::from(self.days) * self.services as f64)
    }
}

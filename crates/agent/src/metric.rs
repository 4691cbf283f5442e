//! What the name of a metric says about its unit, and about which way is worse.
//!
//! A metric is named `<subject>.<what>_<unit>`: `container.build_seconds`, `artifact.wheel_mb`, `pytest.coverage_pct`.
//! Counts and truths have no unit at their end: `pytest.failed`, `build.wheel_success`.

use std::fmt;
use std::str::FromStr;

/// Unit of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Thousandths of a second.
    Milliseconds,
    /// Megabytes.
    Megabytes,
    /// Bytes.
    Bytes,
    /// Parts of a hundred; of processor load, of one processor.
    Percent,
    /// 1 is yes, 0 is no.
    Truth,
    /// A number of something, or a unit the name does not tell.
    Count,
}

impl Unit {
    /// The unit a name tells.
    pub fn of(name: &str) -> Self {
        let last = last_word(name);
        match last {
            "seconds" | "duration" | "secs" | "s" => Self::Seconds,
            "ms" | "milliseconds" | "millis" => Self::Milliseconds,
            "mb" | "megabytes" => Self::Megabytes,
            "bytes" => Self::Bytes,
            "pct" | "percent" | "percentage" | "load" => Self::Percent,
            "success" => Self::Truth,
            _ => Self::Count,
        }
    }

    /// The word for it, as the column `unit` of the table `samples` holds it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Megabytes => "megabytes",
            Self::Bytes => "bytes",
            Self::Percent => "percent",
            Self::Truth => "boolean",
            Self::Count => "count",
        }
    }

    /// The smallest change from zero that means anything: below it is what a clock or a system does by itself.
    pub fn smallest_worth_telling(self) -> f64 {
        match self {
            Self::Seconds => 0.1,
            Self::Milliseconds | Self::Megabytes | Self::Percent => 1.0,
            Self::Bytes => 1024.0,
            Self::Truth | Self::Count => 0.0,
        }
    }

    /// A value for people: `12.3s`, `45.2 MB`, `78.1%`, `yes`, `1280`.
    pub fn show(self, value: f64) -> String {
        let number = Rounded(value);
        match self {
            Self::Seconds => format!("{number}s"),
            Self::Milliseconds => format!("{number} ms"),
            Self::Megabytes => format!("{number} MB"),
            Self::Bytes => format!("{number} B"),
            Self::Percent => format!("{number}%"),
            Self::Truth if value == 1.0 => "yes".to_owned(),
            Self::Truth if value == 0.0 => "no".to_owned(),
            Self::Truth | Self::Count => number.to_string(),
        }
    }
}

impl Unit {
    /// A change of a value for people: `+1.2s`, `-3.5 MB`; of a truth `+1`, for a change is no truth.
    pub fn show_change(self, change: f64) -> String {
        let sign = if change <= 0.0 { "" } else { "+" };
        let unit = if self == Self::Truth { Self::Count } else { self };
        format!("{sign}{}", unit.show(change))
    }
}

/// A number with as many digits as people want: whole numbers as they are, others with four significant digits, but
/// never without the tenths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rounded(pub f64);

impl fmt::Display for Rounded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0;
        let size = value.abs();
        if value == value.trunc() && size < 1e15 {
            return write!(formatter, "{value:.0}");
        }
        if !(1e-3..1e15).contains(&size) {
            return write!(formatter, "{value:.2e}");
        }
        let text = match size {
            _ if size >= 100.0 => format!("{value:.1}"),
            _ if size >= 10.0 => format!("{value:.2}"),
            _ if size >= 1.0 => format!("{value:.3}"),
            _ => format!("{value:.4}"),
        };
        let shortened = text.trim_end_matches('0');
        // `12.` would look broken, `12.0` says that it was rounded.
        formatter.write_str(shortened)?;
        if shortened.ends_with('.') { formatter.write_str("0") } else { Ok(()) }
    }
}

/// Which way a metric gets worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worse {
    /// More is worse: time, size, failures.
    Higher,
    /// Less is worse: passed tests, coverage, success.
    Lower,
    /// Any change is worth knowing.
    Either,
    /// No change of it is ever worse.
    Never,
}

/// Why a text names no direction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no direction: expected higher, lower, either or never")]
pub struct UnknownDirection(String);

impl FromStr for Worse {
    type Err = UnknownDirection;

    fn from_str(text: &str) -> Result<Self, UnknownDirection> {
        match text {
            "higher" => Ok(Self::Higher),
            "lower" => Ok(Self::Lower),
            "either" => Ok(Self::Either),
            "never" => Ok(Self::Never),
            other => Err(UnknownDirection(other.chars().take(64).collect())),
        }
    }
}

impl Worse {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Higher => "higher",
            Self::Lower => "lower",
            Self::Either => "either",
            Self::Never => "never",
        }
    }

    /// What a name tells; [`Worse::Either`] where it tells nothing.
    pub fn of(name: &str) -> Self {
        if tells_of_the_machine(name) {
            return Self::Never;
        }
        match last_word(name) {
            "passed" | "success" | "coverage" => Self::Lower,
            "count" if name.ends_with("item_count") => Self::Lower,
            "failed" | "failures" | "errors" | "error" | "skipped" | "retries" | "kills" | "time" => {
                Self::Higher
            }
            "pct" | "percent" | "percentage" if name.contains("coverage") => Self::Lower,
            _ => match Unit::of(name) {
                Unit::Seconds | Unit::Milliseconds | Unit::Megabytes | Unit::Bytes => Self::Higher,
                Unit::Percent | Unit::Truth | Unit::Count => Self::Either,
            },
        }
    }
}

/// Metrics that say how a machine came to its result, not whether that is good: a busier processor may have been the
/// quicker one, and what is read from disk depends on who read it before.
const OF_THE_MACHINE: &[&str] = &[
    "cpu.",
    "context_switches.",
    "page_faults.",
    "processes.",
    "io.disk_read_mb",
    "cgroup.memory_limit_mb",
    "cgroup.memory_peak_mb",
];

/// Is this one of them?
pub fn tells_of_the_machine(name: &str) -> bool {
    OF_THE_MACHINE.iter().any(|beginning| name.starts_with(beginning))
}

/// What stands behind the last `.` or `_`.
fn last_word(name: &str) -> &str {
    name.rsplit(['.', '_']).next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_in_the_unit_their_name_tells() {
        for (name, value, shown) in [
            ("container.build_seconds", 12.3, "12.3s"),
            ("artifact.dist_mb", 2.5, "2.5 MB"),
            ("cpu.avg_load", 45.2, "45.2%"),
            ("pytest.coverage_pct", 87.0, "87%"),
            ("build.wheel_success", 1.0, "yes"),
            ("pytest.item_count", 156.0, "156"),
            ("duration", 0.012_345, "0.0123s"),
            ("duration", 0.000_012, "1.20e-5s"),
            ("step.link_ms", 1234.567, "1234.6 ms"),
            ("custom.items", -9.999_99, "-10.0"),
        ] {
            assert_eq!(Unit::of(name).show(value), shown, "{name}");
        }
    }

    #[test]
    fn names_tell_which_way_is_worse() {
        for (name, worse) in [
            ("container.build_seconds", Worse::Higher),
            ("duration", Worse::Higher),
            ("artifact.wheel_mb", Worse::Higher),
            ("cpu.max_load", Worse::Never),
            ("cgroup.oom_kills", Worse::Higher),
            ("cgroup.memory_limit_mb", Worse::Never),
            ("io.disk_written_mb", Worse::Higher),
            ("pytest.passed", Worse::Lower),
            ("pytest.failed", Worse::Higher),
            ("pytest.item_count", Worse::Lower),
            ("pytest.coverage_pct", Worse::Lower),
            ("test.suite_success", Worse::Lower),
            ("custom.items_processed", Worse::Either),
            ("passed.bytes", Worse::Higher),
        ] {
            assert_eq!(Worse::of(name), worse, "{name}");
        }
    }
}

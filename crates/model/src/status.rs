//! How far something is, and how it ended: the words, and the order in which they may only move forward.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not one of a fixed set of words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a {what}: expected one of {expected}")]
pub struct UnknownWord {
    what: &'static str,
    found: String,
    expected: &'static str,
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident, $what:literal, { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_meta])* $variant,)* }

        impl $name {
            /// Every word, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word as it stands in JSON and SQL.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    other => Err(UnknownWord {
                        what: $what,
                        found: other.chars().take(64).collect(),
                        expected: concat!($($word, " "),*),
                    }),
                }
            }
        }
    };
}

words! {
    /// How far a run, job or deployment is. Moves forward only: a late delivery never reopens what ended.
    Status, "status", {
        /// Known, not started.
        Queued = "queued",
        /// Held back by an approval, a dependency or a concurrency limit.
        Waiting = "waiting",
        /// A runner works on it.
        Running = "running",
        /// Ended; the conclusion says how.
        Completed = "completed",
    }
}

words! {
    /// How a run, job, step or deployment ended.
    Conclusion, "conclusion", {
        /// As it should.
        Success = "success",
        /// Ended, and nobody asked whether it was good.
        Neutral = "neutral",
        /// Did not run, on purpose.
        Skipped = "skipped",
        /// Stopped by a person or a newer run.
        Cancelled = "cancelled",
        /// Ended badly.
        Failure = "failure",
        /// Ran out of time.
        TimedOut = "timed_out",
        /// The system around it broke.
        Error = "error",
    }
}

words! {
    /// How one execution of a test ended.
    TestStatus, "test status", {
        /// As it should.
        Passed = "passed",
        /// Did not run, on purpose.
        Skipped = "skipped",
        /// An expectation did not hold.
        Failed = "failed",
        /// Something else broke: a crash, a fixture, an unexpected exception.
        Error = "error",
    }
}

#[expect(clippy::derivable_impls, reason = "the words macro derives the same traits for every set of words")]
impl Default for TestStatus {
    fn default() -> Self {
        Self::Passed
    }
}

impl TestStatus {
    /// Did the test run and not pass?
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_way_through_json_and_text() {
        for conclusion in Conclusion::ALL {
            assert_eq!(conclusion.as_str().parse(), Ok(*conclusion));
            assert_eq!(serde_json::to_string(conclusion).unwrap(), format!("\"{conclusion}\""));
        }
        let refused = "done".parse::<Status>().unwrap_err().to_string();
        assert!(refused.contains("queued waiting running completed"), "{refused}");
    }
}

//! How something stands or ended, as a word and the look of its mark.

use manometer_model::{Conclusion, Status, TestStatus};

/// A word with a look. The look never says more than the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// CSS class: `good`, `bad`, `warn`, `idle` or `live`.
    pub(crate) look: &'static str,
    /// What is read.
    pub(crate) word: &'static str,
}

impl Outcome {
    /// Of a run, job or step.
    pub(crate) fn of(status: Option<Status>, conclusion: Option<Conclusion>) -> Self {
        let (look, word) = match (conclusion, status) {
            (Some(Conclusion::Success), _) => ("good", "success"),
            (Some(Conclusion::Failure), _) => ("bad", "failure"),
            (Some(Conclusion::Error), _) => ("bad", "error"),
            (Some(Conclusion::TimedOut), _) => ("bad", "timed out"),
            (Some(Conclusion::Cancelled), _) => ("warn", "cancelled"),
            (Some(Conclusion::Neutral), _) => ("idle", "neutral"),
            (Some(Conclusion::Skipped), _) => ("idle", "skipped"),
            (None, Some(Status::Running)) => ("live", "running"),
            (None, Some(Status::Queued)) => ("live", "queued"),
            (None, Some(Status::Waiting)) => ("live", "waiting"),
            (None, Some(Status::Completed)) => ("idle", "ended, outcome not reported"),
            (None, None) => ("idle", "not reported"),
        };
        Self { look, word }
    }

    /// The same from the words of an answer; a word that is none counts as not reported.
    pub(crate) fn of_words(status: Option<&str>, conclusion: Option<&str>) -> Self {
        Self::of(status.and_then(|word| word.parse().ok()), conclusion.and_then(|word| word.parse().ok()))
    }

    /// Of something that only says whether it worked.
    pub(crate) fn of_success(success: Option<bool>) -> Self {
        let conclusion = success.map(|worked| if worked { Conclusion::Success } else { Conclusion::Failure });
        Self::of(None, conclusion)
    }

    /// Of one execution of a test, from its word.
    pub(crate) fn of_test_word(status: &str) -> Self {
        status.parse().map_or(Self { look: "idle", word: "not reported" }, Self::of_test)
    }

    /// Of one execution of a test.
    pub(crate) fn of_test(status: TestStatus) -> Self {
        let (look, word) = match status {
            TestStatus::Passed => ("good", "passed"),
            TestStatus::Failed => ("bad", "failed"),
            TestStatus::Error => ("bad", "error"),
            TestStatus::Skipped => ("idle", "skipped"),
        };
        Self { look, word }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_reported_never_looks_like_success() {
        for status in [None, Some(Status::Completed), Some(Status::Running)] {
            assert_ne!(Outcome::of(status, None).look, "good");
        }
    }
}

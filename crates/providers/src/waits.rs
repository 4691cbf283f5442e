//! Waiting, split by what was waited for: labels of a job, in seconds.

use manometer_model::{Labels, Timestamp};

/// For an approval by a person.
pub(crate) const APPROVAL: &str = "wait.approval_seconds";
/// For another job or build to end.
pub(crate) const DEPENDENCY: &str = "wait.dependency_seconds";
/// For a limit on how many may run at the same time.
pub(crate) const CONCURRENCY: &str = "wait.concurrency_seconds";
/// For a runner to be free.
pub(crate) const RUNNER: &str = "wait.runner_seconds";
/// For a delay that was asked for, as Jenkins' quiet period.
pub(crate) const DELAY: &str = "wait.delay_seconds";

/// Seconds from one moment to a later one; none where the order is not believable. Equal moments are what
/// systems say that do not know, so they are no proof of zero waiting.
pub(crate) fn between(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<f64> {
    let (from, to) = (from?, to?);
    (to > from).then(|| to.seconds_since(from))
}

/// Adds a wait to labels where it is known.
pub(crate) fn put(labels: &mut Labels, name: &str, seconds: Option<f64>) {
    if let Some(seconds) = seconds {
        labels.insert(name.to_owned(), seconds.to_string());
    }
}

//! What is complete and what is missing: the SQL behind the views `completeness` and `completeness_runs` and the answer.
//!
//! What a run should bring is known from its like. A job of a pipeline is expected to report tests when at least half of
//! its executions do; a pipeline whose reports name no job is expected to when at least half of its runs do. The same
//! holds for coverage, and for jobs at all. Where nothing is expected the cell is null: a deployment without tests is
//! no gap, and a gap is no zero.

/// One row for each run that ended with success, failure, timed_out or error.
///
/// Two comments mark where an answer narrows it: `/* which runs */` and `/* which facts */`.
pub(crate) const RUNS: &str = include_str!("completeness_runs.sql");

/// A service on a day, over [`RUNS`].
pub(super) const BY_DAY: &str = concat!(
    "WITH completeness_run AS (",
    include_str!("completeness_runs.sql"),
    ") ",
    include_str!("completeness.sql")
);

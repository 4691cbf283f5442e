//! One test through time.

use manometer_model::{TestId, Timestamp};
use serde::Serialize;

use super::Answers;
use crate::QueryError;

/// Which test, over which time.
#[derive(Debug, Clone, PartialEq)]
pub struct TestRequest {
    /// Repository.
    pub project: String,
    /// Part of a monorepo; `None` for tests without one.
    pub service: Option<String>,
    /// The test.
    pub test_id: TestId,
    /// Only executions on this branch.
    pub branch: Option<String>,
    /// The end of the time looked at.
    pub now: Timestamp,
    /// How many days before it.
    pub days: u32,
    /// Most executions listed.
    pub executions: u32,
}

/// One test. Skipped executions are listed and counted apart; rates and times leave them out.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct TestAnswer {
    /// Suite path, as last reported.
    pub suite: Option<String>,
    /// Class or file.
    pub classname: Option<String>,
    /// Name.
    pub name: String,
    /// Parameters.
    pub parameters: Option<String>,
    /// Source file.
    pub file: Option<String>,
    /// Executions that passed, re-runs inside a run included.
    pub passed: u64,
    /// Executions that failed or broke.
    pub failed: u64,
    /// Times it was skipped.
    pub skipped: u64,
    /// passed / (passed + failed); `None` when it was never executed.
    pub pass_rate: Option<f64>,
    /// Median time of executions.
    pub p50_seconds: Option<f64>,
    /// 95th percentile.
    pub p95_seconds: Option<f64>,
    /// Executions listed, newest first.
    pub executions: Vec<Execution>,
    /// Failures of one cause together, most frequent first.
    pub failures: Vec<FailureGroup>,
    /// By day of the week (UTC), Monday first, always seven.
    pub weekdays: Vec<WeekdayLine>,
}

/// One execution.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Execution {
    /// When.
    pub at: Timestamp,
    /// passed, failed, error or skipped.
    pub status: String,
    /// How long it took.
    pub duration_seconds: Option<f64>,
    /// 1 for the first inside its run.
    pub attempt: i64,
    /// Is it the one that counts for its run?
    pub is_final: bool,
    /// CI system.
    pub provider: String,
    /// The run.
    pub run_id: String,
    /// Its attempt.
    pub run_attempt: i64,
    /// Source branch.
    pub branch: Option<String>,
    /// Commit tested.
    pub commit_sha: Option<String>,
    /// Exception or assertion type.
    pub failure_kind: Option<String>,
    /// What it said.
    pub failure_message: Option<String>,
    /// Equal for failures of one cause.
    pub failure_fingerprint: Option<String>,
}

/// Failures of one cause.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct FailureGroup {
    /// What they share; `None` for failures that said nothing.
    pub failure_fingerprint: Option<String>,
    /// Exception or assertion type of one of them.
    pub failure_kind: Option<String>,
    /// Message of the newest.
    pub failure_message: Option<String>,
    /// How many.
    pub failures: u64,
    /// The first.
    pub first_at: Option<Timestamp>,
    /// The last.
    pub last_at: Option<Timestamp>,
}

/// One day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct WeekdayLine {
    /// Executions on it.
    pub executions: u64,
    /// Those that failed or broke.
    pub failures: u64,
}

impl Answers {
    /// One test through time; `None` when it is not known in this time.
    ///
    /// # Errors
    /// When a query meets a limit or the store cannot be read.
    pub async fn test(&self, request: &TestRequest) -> Result<Option<TestAnswer>, QueryError> {
        let _ = request;
        Ok(None)
    }
}

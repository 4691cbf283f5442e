//! One service: its runs, how long they take, and its tests that need looking at.

use manometer_model::{TestId, Timestamp};
use serde::Serialize;

use super::{Answers, RunLine};
use crate::QueryError;

/// Which service, over which time, and which page of its runs.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceRequest {
    /// Repository.
    pub project: String,
    /// Part of a monorepo; `None` for runs without one.
    pub service: Option<String>,
    /// Only runs of this branch.
    pub branch: Option<String>,
    /// The end of the time looked at.
    pub now: Timestamp,
    /// How many days before it.
    pub days: u32,
    /// Which page of runs, from 0, newest first.
    pub page: u32,
    /// Runs on a page.
    pub page_size: u32,
    /// Most tests in each of the two lists.
    pub tests: u32,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ServiceAnswer {
    /// Runs in this time, on all pages.
    pub runs_total: u64,
    /// The runs of the page, newest first.
    pub runs: Vec<RunLine>,
    /// Completed runs with a working time, oldest first, at most [`ServiceAnswer::POINTS`]: the newest.
    pub durations: Vec<DurationPoint>,
    /// Tests by their median time, slowest first.
    pub slowest_tests: Vec<TestLine>,
    /// Tests by failures, most first; only tests that failed.
    pub failing_tests: Vec<TestLine>,
}

impl ServiceAnswer {
    /// Most points of the chart of durations.
    pub const POINTS: usize = 2_000;
}

/// One run in the chart of durations.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct DurationPoint {
    /// When it began.
    pub started_at: Timestamp,
    /// Working time.
    pub duration_seconds: f64,
    /// How it ended.
    pub conclusion: Option<String>,
    /// CI system.
    pub provider: String,
    /// The run.
    pub run_id: String,
    /// Its attempt.
    pub attempt: i64,
    /// Name of the pipeline.
    pub pipeline: Option<String>,
    /// Source branch.
    pub branch: Option<String>,
    /// Commit built.
    pub commit_sha: Option<String>,
}

/// One test in a list. Counts are of executions, re-runs inside a run included; skipped ones are not executions.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct TestLine {
    /// Its identity.
    pub test_id: TestId,
    /// Suite path.
    pub suite: Option<String>,
    /// Class or file.
    pub classname: Option<String>,
    /// Name.
    pub name: String,
    /// Parameters.
    pub parameters: Option<String>,
    /// Executions.
    pub executions: u64,
    /// Executions that failed or broke.
    pub failures: u64,
    /// Median time of executions.
    pub p50_seconds: Option<f64>,
    /// Last execution.
    pub last_at: Option<Timestamp>,
}

impl Answers {
    /// One service; `None` when nothing at all is known of it in this time.
    ///
    /// # Errors
    /// When a query meets a limit or the store cannot be read.
    pub async fn service(&self, request: &ServiceRequest) -> Result<Option<ServiceAnswer>, QueryError> {
        let _ = request;
        Ok(None)
    }
}

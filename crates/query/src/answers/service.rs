//! One service: its runs, how long they take, and its tests that need looking at.

use manometer_model::{TestId, Timestamp};
use serde::Serialize;

use super::runs::run_line;
use super::{Answers, BEGUN, RunLine};
use crate::{Parameter, QueryError};

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
        let runs_total = self.count_runs(request).await?;
        let mut runs = self.runs_of_page(request).await?;
        self.count_tests(&request.project, &mut runs).await?;
        let slowest_tests = self.tests_by(request, "", "p50 DESC NULLS LAST, name, test_id").await?;
        if runs_total == 0 && slowest_tests.is_empty() {
            return Ok(None);
        }
        let failing_tests =
            self.tests_by(request, "WHERE failures > 0", "failures DESC, name, test_id").await?;
        let durations = self.durations(request).await?;
        Ok(Some(ServiceAnswer { runs_total, runs, durations, slowest_tests, failing_tests }))
    }

    async fn count_runs(&self, request: &ServiceRequest) -> Result<u64, QueryError> {
        let sql = format!("SELECT count(*) AS runs FROM ({})", runs_in_time());
        Ok(self.rows(&sql, bound(request)).await?.first(|row| row.count("runs"))?.unwrap_or_default())
    }

    async fn runs_of_page(&self, request: &ServiceRequest) -> Result<Vec<RunLine>, QueryError> {
        let size = u64::from(request.page_size.clamp(1, 1_000));
        let skipped = u64::from(request.page) * size;
        let sql = format!(
            "{} ORDER BY begun_at DESC NULLS LAST, run_id DESC, attempt DESC LIMIT {size} OFFSET {skipped}",
            runs_in_time()
        );
        self.rows(&sql, bound(request)).await?.map(run_line)
    }

    async fn durations(&self, request: &ServiceRequest) -> Result<Vec<DurationPoint>, QueryError> {
        let sql = format!(
            "SELECT * FROM ({}) WHERE status = 'completed' AND begun_at IS NOT NULL AND duration_seconds IS NOT NULL
            ORDER BY begun_at DESC, run_id DESC, attempt DESC LIMIT {}",
            runs_in_time(),
            ServiceAnswer::POINTS
        );
        let mut points = self.rows(&sql, bound(request)).await?.map(|row| {
            Ok(DurationPoint {
                started_at: row.optional_time("begun_at")?.unwrap_or_default(),
                duration_seconds: row.optional_float("duration_seconds")?.unwrap_or_default(),
                conclusion: row.optional_text("conclusion")?,
                provider: row.text("provider")?,
                run_id: row.text("run_id")?,
                attempt: row.int("attempt")?,
                pipeline: row.optional_text("pipeline")?,
                branch: row.optional_text("branch")?,
                commit_sha: row.optional_text("commit_sha")?,
            })
        })?;
        points.reverse();
        Ok(points)
    }

    /// Tests of the service, some of them in some order; both are texts of ours.
    async fn tests_by(
        &self,
        request: &ServiceRequest,
        which: &str,
        order: &str,
    ) -> Result<Vec<TestLine>, QueryError> {
        let sql = format!(
            "SELECT * FROM (
                SELECT test_id, min(suite) AS suite, min(classname) AS classname, min(name) AS name, min(parameters) AS parameters,
                    count(*) FILTER (WHERE status <> 'skipped') AS executions,
                    count(*) FILTER (WHERE status IN ('failed', 'error')) AS failures,
                    percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) FILTER (WHERE status <> 'skipped') AS p50,
                    max(at) AS last_at
                FROM tests
                WHERE project = $1 AND (service IS NOT DISTINCT FROM $2) AND ($3 IS NULL OR branch = $3) AND at >= $4 AND at <= $5
                GROUP BY test_id
            ) {which} ORDER BY {order} LIMIT {}",
            request.tests.min(1_000)
        );
        self.rows(&sql, bound(request)).await?.map(|row| {
            Ok(TestLine {
                test_id: row.test_id("test_id")?,
                suite: row.optional_text("suite")?,
                classname: row.optional_text("classname")?,
                name: row.text("name")?,
                parameters: row.optional_text("parameters")?,
                executions: row.count("executions")?,
                failures: row.count("failures")?,
                p50_seconds: row.optional_float("p50")?,
                last_at: row.optional_time("last_at")?,
            })
        })
    }
}

/// The runs of the service; one of which no time is known belongs to every time.
fn runs_in_time() -> String {
    format!(
        "SELECT * FROM (SELECT *, {BEGUN} AS begun_at FROM runs
            WHERE project = $1 AND (service IS NOT DISTINCT FROM $2) AND ($3 IS NULL OR branch = $3))
        WHERE begun_at IS NULL OR (begun_at >= $4 AND begun_at <= $5)"
    )
}

fn bound(request: &ServiceRequest) -> Vec<Parameter> {
    vec![
        request.project.clone().into(),
        request.service.clone().into(),
        request.branch.clone().into(),
        request.now.plus_seconds(-86_400.0 * f64::from(request.days)).into(),
        request.now.into(),
    ]
}

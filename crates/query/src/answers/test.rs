//! One test through time.

use manometer_model::{TestId, Timestamp};
use serde::Serialize;

use super::Answers;
use crate::{Parameter, QueryError};

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

const OF_TEST: &str = "project = $1 AND (service IS NOT DISTINCT FROM $2) AND test_id = $3
    AND ($4 IS NULL OR branch = $4) AND at >= $5 AND at <= $6";

impl Answers {
    /// One test through time; `None` when it is not known in this time.
    ///
    /// # Errors
    /// When a query meets a limit or the store cannot be read.
    pub async fn test(&self, request: &TestRequest) -> Result<Option<TestAnswer>, QueryError> {
        let sql = format!(
            "SELECT count(*) AS reports, min(suite) AS suite, min(classname) AS classname, min(name) AS name, min(parameters) AS parameters,
                last_value(file ORDER BY at) AS file,
                count(*) FILTER (WHERE status = 'passed') AS passed,
                count(*) FILTER (WHERE status IN ('failed', 'error')) AS failed,
                count(*) FILTER (WHERE status = 'skipped') AS skipped,
                percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) FILTER (WHERE status <> 'skipped') AS p50,
                percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_seconds) FILTER (WHERE status <> 'skipped') AS p95
            FROM tests WHERE {OF_TEST}"
        );
        let summary = self.rows(&sql, bound(request)).await?.first(|row| {
            let passed = row.count("passed")?;
            let failed = row.count("failed")?;
            let executed = passed + failed;
            let answer = TestAnswer {
                suite: row.optional_text("suite")?,
                classname: row.optional_text("classname")?,
                name: row.text("name")?,
                parameters: row.optional_text("parameters")?,
                file: row.optional_text("file")?,
                passed,
                failed,
                skipped: row.count("skipped")?,
                pass_rate: (executed > 0).then(|| passed as f64 / executed as f64),
                p50_seconds: row.optional_float("p50")?,
                p95_seconds: row.optional_float("p95")?,
                ..TestAnswer::default()
            };
            Ok((row.count("reports")? > 0).then_some(answer))
        })?;
        let Some(mut answer) = summary.flatten() else { return Ok(None) };
        answer.executions = self.executions(request).await?;
        answer.failures = self.failure_groups(request).await?;
        answer.weekdays = self.weekdays(request).await?;
        Ok(Some(answer))
    }

    async fn executions(&self, request: &TestRequest) -> Result<Vec<Execution>, QueryError> {
        let sql = format!(
            "SELECT at, status, duration_seconds, attempt, is_final, provider, run_id, run_attempt, branch, commit_sha,
                failure_kind, failure_message, failure_fingerprint
            FROM tests WHERE {OF_TEST} ORDER BY at DESC, run_id DESC, run_attempt DESC, attempt DESC LIMIT {}",
            request.executions.min(10_000)
        );
        self.rows(&sql, bound(request)).await?.map(|row| {
            Ok(Execution {
                at: row.optional_time("at")?.unwrap_or_default(),
                status: row.text("status")?,
                duration_seconds: row.optional_float("duration_seconds")?,
                attempt: row.int("attempt")?,
                is_final: row.optional_bool("is_final")?.unwrap_or_default(),
                provider: row.text("provider")?,
                run_id: row.text("run_id")?,
                run_attempt: row.int("run_attempt")?,
                branch: row.optional_text("branch")?,
                commit_sha: row.optional_text("commit_sha")?,
                failure_kind: row.optional_text("failure_kind")?,
                failure_message: row.optional_text("failure_message")?,
                failure_fingerprint: row.optional_text("failure_fingerprint")?,
            })
        })
    }

    async fn failure_groups(&self, request: &TestRequest) -> Result<Vec<FailureGroup>, QueryError> {
        let sql = format!(
            "SELECT failure_fingerprint, last_value(failure_kind ORDER BY at) AS failure_kind,
                last_value(failure_message ORDER BY at) AS failure_message,
                count(*) AS failures, min(at) AS first_at, max(at) AS last_at
            FROM tests WHERE {OF_TEST} AND status IN ('failed', 'error')
            GROUP BY failure_fingerprint ORDER BY failures DESC, last_at DESC LIMIT {GROUPS}"
        );
        self.rows(&sql, bound(request)).await?.map(|row| {
            Ok(FailureGroup {
                failure_fingerprint: row.optional_text("failure_fingerprint")?,
                failure_kind: row.optional_text("failure_kind")?,
                failure_message: row.optional_text("failure_message")?,
                failures: row.count("failures")?,
                first_at: row.optional_time("first_at")?,
                last_at: row.optional_time("last_at")?,
            })
        })
    }

    async fn weekdays(&self, request: &TestRequest) -> Result<Vec<WeekdayLine>, QueryError> {
        // SQL counts days of the week from Sunday, 0.
        let sql = format!(
            "SELECT extract(dow FROM at) AS from_sunday, count(*) AS executions,
                count(*) FILTER (WHERE status IN ('failed', 'error')) AS failures
            FROM tests WHERE {OF_TEST} AND status <> 'skipped' GROUP BY 1"
        );
        let known = self.rows(&sql, bound(request)).await?.map(|row| {
            let line = WeekdayLine { executions: row.count("executions")?, failures: row.count("failures")? };
            Ok((row.int("from_sunday")?, line))
        })?;
        let mut week = vec![WeekdayLine::default(); 7];
        for (from_sunday, line) in known {
            let from_monday = usize::try_from((from_sunday + 6).rem_euclid(7)).unwrap_or_default();
            if let Some(day) = week.get_mut(from_monday) {
                *day = line;
            }
        }
        Ok(week)
    }
}

/// Most groups of failures.
const GROUPS: usize = 100;

fn bound(request: &TestRequest) -> Vec<Parameter> {
    vec![
        request.project.clone().into(),
        request.service.clone().into(),
        request.test_id.to_string().into(),
        request.branch.clone().into(),
        request.now.plus_seconds(-86_400.0 * f64::from(request.days)).into(),
        request.now.into(),
    ]
}

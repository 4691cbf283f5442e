//! One run with everything known of it.

use manometer_model::{TestId, Timestamp};
use serde::Serialize;

use super::cells::Row;
use super::runs::{COUNTS, counts, run_line};
use super::{Answers, RunLine, TestCounts};
use crate::{Parameter, QueryError};

/// Which run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRequest {
    /// CI system.
    pub provider: String,
    /// Repository.
    pub project: String,
    /// Identity within provider and project.
    pub run_id: String,
    /// Which attempt; `None` for the last.
    pub attempt: Option<i64>,
    /// Most failures listed.
    pub failures: u32,
}

/// One run. Lists are empty where nothing is known.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct RunAnswer {
    /// The run itself.
    pub run: RunLine,
    /// Every attempt known, in order.
    pub attempts: Vec<i64>,
    /// Its jobs in the order they began, each with its steps.
    pub jobs: Vec<JobLine>,
    /// Failures listed, by suite and name.
    pub failures: Vec<FailureLine>,
    /// Failures there are.
    pub failures_total: u64,
    /// Final executions that took longest, at most [`RunAnswer::SLOWEST`], slowest first.
    pub slowest_tests: Vec<SlowTestLine>,
    /// Coverage of the whole and of packages.
    pub coverage: Vec<CoverageLine>,
    /// Artifacts, largest first.
    pub artifacts: Vec<ArtifactLine>,
    /// Builds, by name.
    pub builds: Vec<BuildLine>,
    /// Measured values, by name.
    pub samples: Vec<SampleLine>,
}

impl RunAnswer {
    /// Most tests listed as slowest.
    pub const SLOWEST: usize = 12;
}

/// One of the tests of a run that took longest.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct SlowTestLine {
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
    /// passed, failed, error or skipped.
    pub status: String,
    /// How long it took.
    pub duration_seconds: Option<f64>,
}

/// One job. A job of which only steps are known has no status.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct JobLine {
    /// Identity within the run.
    pub job_id: String,
    /// Name.
    pub name: Option<String>,
    /// Stage.
    pub stage: Option<String>,
    /// How far it is.
    pub status: Option<String>,
    /// How it ended.
    pub conclusion: Option<String>,
    /// When it was asked for.
    pub queued_at: Option<Timestamp>,
    /// When a runner began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Waiting time for a runner.
    pub queue_seconds: Option<f64>,
    /// Working time.
    pub duration_seconds: Option<f64>,
    /// Runner.
    pub runner_name: Option<String>,
    /// Pool of the runner.
    pub runner_pool: Option<String>,
    /// Why it failed.
    pub failure_reason: Option<String>,
    /// Page of the job.
    pub url: Option<String>,
    /// Its steps, in order.
    pub steps: Vec<StepLine>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct StepLine {
    /// Position, from 1.
    pub number: i64,
    /// Name.
    pub name: Option<String>,
    /// How it ended.
    pub conclusion: Option<String>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How long it took.
    pub duration_seconds: Option<f64>,
    /// Exit code.
    pub exit_code: Option<i64>,
}

/// One test that did not pass, by its final execution.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct FailureLine {
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
    /// Source file.
    pub file: Option<String>,
    /// Line in it.
    pub line: Option<i64>,
    /// `failed` or `error`.
    pub status: String,
    /// Executions inside the run.
    pub attempt: i64,
    /// How long it took.
    pub duration_seconds: Option<f64>,
    /// Exception or assertion type.
    pub failure_kind: Option<String>,
    /// What it said.
    pub failure_message: Option<String>,
    /// Stack trace and the like.
    pub failure_details: Option<String>,
    /// Equal for failures of one cause.
    pub failure_fingerprint: Option<String>,
    /// Job it ran in.
    pub job_name: Option<String>,
}

/// Coverage of one thing.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct CoverageLine {
    /// `total` or `package`.
    pub scope: String,
    /// Which package.
    pub name: Option<String>,
    /// Lines executed.
    pub lines_covered: Option<i64>,
    /// Lines that could be.
    pub lines_valid: Option<i64>,
    /// Branches taken.
    pub branches_covered: Option<i64>,
    /// Branches there are.
    pub branches_valid: Option<i64>,
}

/// One artifact.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ArtifactLine {
    /// Name.
    pub name: String,
    /// What it is.
    pub kind: Option<String>,
    /// Size.
    pub size_bytes: i64,
}

/// One build inside the run.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct BuildLine {
    /// Name.
    pub name: String,
    /// How long it took.
    pub duration_seconds: Option<f64>,
    /// Did it succeed?
    pub success: Option<bool>,
}

/// One measured value.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct SampleLine {
    /// Name of the metric.
    pub name: String,
    /// The value.
    pub value: f64,
    /// Its unit.
    pub unit: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Most lines of coverage, artifacts, builds and samples each.
const LINES: usize = 500;

const OF_RUN: &str = "provider = $1 AND project = $2 AND run_id = $3";
const OF_ATTEMPT: &str = "provider = $1 AND project = $2 AND run_id = $3 AND run_attempt = $4";

impl Answers {
    /// One run; `None` when neither the run nor any report of it is known.
    ///
    /// # Errors
    /// When a query meets a limit or the store cannot be read.
    pub async fn run(&self, request: &RunRequest) -> Result<Option<RunAnswer>, QueryError> {
        let known = self.attempts(request).await?;
        let attempts: Vec<i64> = known.iter().map(|run| run.attempt).collect();
        let chosen = match request.attempt {
            Some(wanted) => known.into_iter().find(|run| run.attempt == wanted),
            None => known.into_iter().next_back(),
        };
        let Some(mut run) = chosen else { return Ok(None) };
        let key: Key = vec![
            request.provider.as_str().into(),
            request.project.as_str().into(),
            request.run_id.as_str().into(),
            run.attempt.into(),
        ];
        let tests = self.tests_of(&key).await?;
        let failures_total = tests.map(|counts| counts.failed + counts.error).unwrap_or_default();
        run.tests = tests;
        Ok(Some(RunAnswer {
            run,
            attempts,
            jobs: self.jobs_of(&key).await?,
            failures: self.failures_of(&key, request.failures).await?,
            failures_total,
            slowest_tests: self.slowest_of(&key).await?,
            coverage: self.coverage_of(&key).await?,
            artifacts: self.artifacts_of(&key).await?,
            builds: self.builds_of(&key).await?,
            samples: self.samples_of(&key).await?,
        }))
    }

    /// Every attempt of the run, in order; where the run itself is not known, those that reports speak of.
    async fn attempts(&self, request: &RunRequest) -> Result<Vec<RunLine>, QueryError> {
        let parameters: Key = vec![
            request.provider.as_str().into(),
            request.project.as_str().into(),
            request.run_id.as_str().into(),
        ];
        let sql = format!("SELECT * FROM runs WHERE {OF_RUN} ORDER BY attempt");
        let known = self.rows(&sql, parameters.clone()).await?.map(run_line)?;
        if !known.is_empty() {
            return Ok(known);
        }
        let reports: Vec<String> = ["jobs", "tests", "steps", "coverage", "artifacts", "builds", "samples"]
            .iter()
            .map(|table| {
                format!(
                    "SELECT run_attempt, service, pipeline, branch, commit_sha FROM {table} WHERE {OF_RUN}"
                )
            })
            .collect();
        let sql = format!(
            "SELECT run_attempt, min(service) AS service, min(pipeline) AS pipeline, min(branch) AS branch, min(commit_sha) AS commit_sha
            FROM ({}) GROUP BY run_attempt ORDER BY run_attempt",
            reports.join(" UNION ALL ")
        );
        self.rows(&sql, parameters).await?.map(|row| {
            Ok(RunLine {
                provider: request.provider.clone(),
                project: request.project.clone(),
                run_id: request.run_id.clone(),
                attempt: row.int("run_attempt")?,
                service: row.optional_text("service")?,
                pipeline: row.optional_text("pipeline")?,
                branch: row.optional_text("branch")?,
                commit_sha: row.optional_text("commit_sha")?,
                ..RunLine::default()
            })
        })
    }

    async fn tests_of(&self, key: &Key) -> Result<Option<TestCounts>, QueryError> {
        let sql = format!("SELECT {COUNTS} FROM tests WHERE {OF_ATTEMPT} AND is_final");
        let counted = self.rows(&sql, key.clone()).await?.first(counts)?;
        Ok(counted.filter(|tests| tests.total() > 0))
    }

    async fn jobs_of(&self, key: &Key) -> Result<Vec<JobLine>, QueryError> {
        let sql = format!(
            "SELECT * FROM jobs WHERE {OF_ATTEMPT} ORDER BY coalesce(started_at, queued_at) NULLS LAST, name, job_id"
        );
        let mut jobs = self.rows(&sql, key.clone()).await?.map(job_line)?;
        let sql = format!("SELECT * FROM steps WHERE {OF_ATTEMPT} ORDER BY job_id, number");
        let steps = self
            .rows(&sql, key.clone())
            .await?
            .map(|row| Ok((row.text("job_id")?, row.optional_text("job_name")?, step_line(row)?)))?;
        for (job_id, job_name, step) in steps {
            match jobs.iter_mut().find(|job| job.job_id == job_id) {
                Some(job) => job.steps.push(step),
                None => {
                    jobs.push(JobLine { job_id, name: job_name, steps: vec![step], ..JobLine::default() })
                }
            }
        }
        Ok(jobs)
    }

    async fn failures_of(&self, key: &Key, most: u32) -> Result<Vec<FailureLine>, QueryError> {
        let sql = format!(
            "SELECT * FROM tests WHERE {OF_ATTEMPT} AND is_final AND status IN ('failed', 'error')
            ORDER BY suite, classname, name, parameters LIMIT {}",
            most.min(10_000)
        );
        self.rows(&sql, key.clone()).await?.map(failure_line)
    }

    async fn slowest_of(&self, key: &Key) -> Result<Vec<SlowTestLine>, QueryError> {
        let sql = format!(
            "SELECT test_id, suite, classname, name, parameters, status, duration_seconds FROM tests
            WHERE {OF_ATTEMPT} AND is_final AND duration_seconds IS NOT NULL
            ORDER BY duration_seconds DESC, name, test_id LIMIT {}",
            RunAnswer::SLOWEST
        );
        self.rows(&sql, key.clone()).await?.map(|row| {
            Ok(SlowTestLine {
                test_id: row.test_id("test_id")?,
                suite: row.optional_text("suite")?,
                classname: row.optional_text("classname")?,
                name: row.text("name")?,
                parameters: row.optional_text("parameters")?,
                status: row.text("status")?,
                duration_seconds: row.optional_float("duration_seconds")?,
            })
        })
    }

    async fn coverage_of(&self, key: &Key) -> Result<Vec<CoverageLine>, QueryError> {
        let sql = format!(
            "SELECT * FROM coverage WHERE {OF_ATTEMPT} AND scope IN ('total', 'package')
            ORDER BY scope DESC, name LIMIT {LINES}"
        );
        self.rows(&sql, key.clone()).await?.map(|row| {
            Ok(CoverageLine {
                scope: row.text("scope")?,
                name: row.optional_text("name")?,
                lines_covered: row.optional_int("lines_covered")?,
                lines_valid: row.optional_int("lines_valid")?,
                branches_covered: row.optional_int("branches_covered")?,
                branches_valid: row.optional_int("branches_valid")?,
            })
        })
    }

    async fn artifacts_of(&self, key: &Key) -> Result<Vec<ArtifactLine>, QueryError> {
        let sql = format!(
            "SELECT * FROM artifacts WHERE {OF_ATTEMPT} ORDER BY size_bytes DESC, name LIMIT {LINES}"
        );
        self.rows(&sql, key.clone()).await?.map(|row| {
            Ok(ArtifactLine {
                name: row.text("name")?,
                kind: row.optional_text("kind")?,
                size_bytes: row.int("size_bytes")?,
            })
        })
    }

    async fn builds_of(&self, key: &Key) -> Result<Vec<BuildLine>, QueryError> {
        let sql = format!("SELECT * FROM builds WHERE {OF_ATTEMPT} ORDER BY name, at LIMIT {LINES}");
        self.rows(&sql, key.clone()).await?.map(|row| {
            Ok(BuildLine {
                name: row.text("name")?,
                duration_seconds: row.optional_float("duration_seconds")?,
                success: row.optional_bool("success")?,
            })
        })
    }

    async fn samples_of(&self, key: &Key) -> Result<Vec<SampleLine>, QueryError> {
        let sql = format!("SELECT * FROM samples WHERE {OF_ATTEMPT} ORDER BY name, at LIMIT {LINES}");
        self.rows(&sql, key.clone()).await?.map(|row| {
            Ok(SampleLine {
                name: row.text("name")?,
                value: row.optional_float("value")?.unwrap_or(f64::NAN),
                unit: row.optional_text("unit")?,
                at: row.optional_time("at")?.unwrap_or_default(),
            })
        })
    }
}

/// Provider, project, run id and attempt, to be bound.
type Key = Vec<Parameter>;

fn job_line(row: Row<'_>) -> Result<JobLine, QueryError> {
    Ok(JobLine {
        job_id: row.text("job_id")?,
        name: row.optional_text("name")?,
        stage: row.optional_text("stage")?,
        status: row.optional_text("status")?,
        conclusion: row.optional_text("conclusion")?,
        queued_at: row.optional_time("queued_at")?,
        started_at: row.optional_time("started_at")?,
        finished_at: row.optional_time("finished_at")?,
        queue_seconds: row.optional_float("queue_seconds")?,
        duration_seconds: row.optional_float("duration_seconds")?,
        runner_name: row.optional_text("runner_name")?,
        runner_pool: row.optional_text("runner_pool")?,
        failure_reason: row.optional_text("failure_reason")?,
        url: row.optional_text("url")?,
        steps: Vec::new(),
    })
}

fn step_line(row: Row<'_>) -> Result<StepLine, QueryError> {
    Ok(StepLine {
        number: row.int("number")?,
        name: row.optional_text("name")?,
        conclusion: row.optional_text("conclusion")?,
        started_at: row.optional_time("started_at")?,
        finished_at: row.optional_time("finished_at")?,
        duration_seconds: row.optional_float("duration_seconds")?,
        exit_code: row.optional_int("exit_code")?,
    })
}

fn failure_line(row: Row<'_>) -> Result<FailureLine, QueryError> {
    Ok(FailureLine {
        test_id: row.test_id("test_id")?,
        suite: row.optional_text("suite")?,
        classname: row.optional_text("classname")?,
        name: row.text("name")?,
        parameters: row.optional_text("parameters")?,
        file: row.optional_text("file")?,
        line: row.optional_int("line")?,
        status: row.text("status")?,
        attempt: row.int("attempt")?,
        duration_seconds: row.optional_float("duration_seconds")?,
        failure_kind: row.optional_text("failure_kind")?,
        failure_message: row.optional_text("failure_message")?,
        failure_details: row.optional_text("failure_details")?,
        failure_fingerprint: row.optional_text("failure_fingerprint")?,
        job_name: row.optional_text("job_name")?,
    })
}

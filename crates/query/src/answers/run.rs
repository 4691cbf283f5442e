//! One run with everything known of it.

use manometer_model::{TestId, Timestamp};
use serde::Serialize;

use super::{Answers, RunLine};
use crate::QueryError;

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

impl Answers {
    /// One run; `None` when neither the run nor any report of it is known.
    ///
    /// # Errors
    /// When a query meets a limit or the store cannot be read.
    pub async fn run(&self, request: &RunRequest) -> Result<Option<RunAnswer>, QueryError> {
        let _ = request;
        Ok(None)
    }
}

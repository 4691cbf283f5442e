//! Every service at a glance: the first page.

use manometer_model::Timestamp;
use serde::Serialize;

use super::Answers;
use crate::QueryError;

/// Which services, over which days.
#[derive(Debug, Clone, PartialEq)]
pub struct ServicesRequest {
    /// The moment the answer is for; its day (UTC) is the last of the days.
    pub now: Timestamp,
    /// How many days, today included; 1 to 366.
    pub days: u32,
    /// Only this project.
    pub project: Option<String>,
}

/// Every service that ran in these days, the busiest first.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ServicesAnswer {
    /// Midnight (UTC) of each day, oldest first.
    pub days: Vec<Timestamp>,
    /// The services.
    pub services: Vec<ServiceLine>,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ServiceLine {
    /// Repository.
    pub project: String,
    /// Part of a monorepo.
    pub service: Option<String>,
    /// Runs that began on each day; `None` where nothing is known of the day, which is not zero.
    pub runs_per_day: Vec<Option<u64>>,
    /// Of them, those that ended with failure, timed_out or error; as many as `runs_per_day`.
    pub failed_per_day: Vec<u64>,
    /// Runs in these days.
    pub runs: u64,
    /// Runs that ended and say something: conclusion success, failure, timed_out or error.
    pub judged: u64,
    /// Successes / judged; `None` when none is judged.
    pub success_rate: Option<f64>,
    /// Median working time of judged runs, interpolated between values.
    pub p50_seconds: Option<f64>,
    /// 95th percentile of the same.
    pub p95_seconds: Option<f64>,
    /// Median of the last 7 days / median of the 7 days before − 1; `None` when either is not known.
    pub trend: Option<f64>,
    /// When the last run began.
    pub last_run_at: Option<Timestamp>,
    /// How far the last run is.
    pub last_status: Option<String>,
    /// How the last run ended.
    pub last_conclusion: Option<String>,
    /// Judged runs without a single test row / judged runs; `None` for a service of which less than half of
    /// the judged runs report tests: there a missing report is nothing to speak of.
    pub missing_report_share: Option<f64>,
    /// Final executions of tests / runs that report any; `None` when none does.
    pub tests_per_run: Option<f64>,
}

impl Answers {
    /// Every service at a glance.
    ///
    /// # Errors
    /// When the query meets a limit or the store cannot be read.
    pub async fn services(&self, request: &ServicesRequest) -> Result<ServicesAnswer, QueryError> {
        let _ = request;
        Ok(ServicesAnswer::default())
    }
}

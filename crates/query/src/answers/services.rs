//! Every service at a glance: the first page.

use std::collections::BTreeMap;

use manometer_model::Timestamp;
use serde::Serialize;

use super::cells::Row;
use super::{Answers, BEGUN};
use crate::{Parameter, QueryError};

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
    /// Judged runs of the pipelines that usually report tests: those of which at least half of the judged runs
    /// do. Of the others, as of a deployment, a missing report is nothing to speak of.
    pub expected_reports: u64,
    /// Of those, the ones without a single test row / all of them; `None` when there are none.
    pub missing_report_share: Option<f64>,
    /// Final executions of tests / runs that report any; `None` when none does.
    pub tests_per_run: Option<f64>,
}

const JUDGED: &str =
    "coalesce(status = 'completed' AND conclusion IN ('success', 'failure', 'timed_out', 'error'), false)";

/// The runs of the time looked at; a run of which no time is known belongs to every time.
fn runs_in_time() -> String {
    format!(
        "WITH dated AS (
            SELECT provider, project, service, pipeline, run_id, attempt, status, conclusion, duration_seconds,
                {BEGUN} AS begun_at, {JUDGED} AS judged
            FROM runs WHERE $1 IS NULL OR project = $1
        ), begun AS (
            SELECT * FROM dated WHERE begun_at IS NULL OR (begun_at >= $2 AND begun_at <= $3)
        )"
    )
}

impl Answers {
    /// Every service at a glance.
    ///
    /// # Errors
    /// When the query meets a limit or the store cannot be read.
    pub async fn services(&self, request: &ServicesRequest) -> Result<ServicesAnswer, QueryError> {
        let count = request.days.clamp(1, 366);
        let today = i64::from(request.now.day());
        let first = today - i64::from(count) + 1;
        let days: Vec<Timestamp> = (first..=today).map(midnight).collect();
        let since = midnight(first);

        let mut services = self.totals(request, since).await?;
        let positions: BTreeMap<Key, usize> =
            services.iter().enumerate().map(|(position, line)| (key_of(line), position)).collect();
        for line in &mut services {
            line.runs_per_day = vec![None; days.len()];
            line.failed_per_day = vec![0; days.len()];
        }
        for of_day in self.daily(request, since).await? {
            let slot = usize::try_from(i64::from(of_day.day.day()) - first).ok();
            let line = positions.get(&of_day.key).and_then(|position| services.get_mut(*position));
            let (Some(index), Some(known)) = (slot, line) else { continue };
            if let (Some(runs), Some(failed)) =
                (known.runs_per_day.get_mut(index), known.failed_per_day.get_mut(index))
            {
                *runs = Some(of_day.runs);
                *failed = of_day.failed;
            }
        }
        for (key, trend) in self.trends(request).await? {
            if let Some(line) = positions.get(&key).and_then(|position| services.get_mut(*position)) {
                line.trend = trend;
            }
        }
        for of_service in self.reports(request, since).await? {
            if let Some(line) =
                positions.get(&of_service.key).and_then(|position| services.get_mut(*position))
            {
                line.expected_reports = of_service.judged;
                line.missing_report_share = of_service.missing_share();
                line.tests_per_run = of_service.tests_per_run;
            }
        }
        Ok(ServicesAnswer { days, services })
    }

    async fn totals(
        &self,
        request: &ServicesRequest,
        since: Timestamp,
    ) -> Result<Vec<ServiceLine>, QueryError> {
        let sql = format!(
            "{}
            SELECT project, service, count(*) AS runs,
                count(*) FILTER (WHERE judged) AS judged,
                count(*) FILTER (WHERE judged AND conclusion = 'success') AS successes,
                percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) FILTER (WHERE judged) AS p50,
                percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_seconds) FILTER (WHERE judged) AS p95,
                max(begun_at) AS last_run_at,
                last_value(status ORDER BY begun_at NULLS FIRST, run_id, attempt) AS last_status,
                last_value(conclusion ORDER BY begun_at NULLS FIRST, run_id, attempt) AS last_conclusion
            FROM begun GROUP BY project, service ORDER BY runs DESC, project, service",
            runs_in_time()
        );
        self.rows(&sql, bound(request, since)).await?.map(|row| {
            let judged = row.count("judged")?;
            let successes = row.count("successes")?;
            Ok(ServiceLine {
                project: row.text("project")?,
                service: row.optional_text("service")?,
                runs: row.count("runs")?,
                judged,
                success_rate: (judged > 0).then(|| successes as f64 / judged as f64),
                p50_seconds: row.optional_float("p50")?,
                p95_seconds: row.optional_float("p95")?,
                last_run_at: row.optional_time("last_run_at")?,
                last_status: row.optional_text("last_status")?,
                last_conclusion: row.optional_text("last_conclusion")?,
                ..ServiceLine::default()
            })
        })
    }

    async fn daily(&self, request: &ServicesRequest, since: Timestamp) -> Result<Vec<OfDay>, QueryError> {
        let sql = format!(
            "{} SELECT project, service, date_trunc('day', begun_at) AS day, count(*) AS runs,
                count(*) FILTER (WHERE judged AND conclusion <> 'success') AS failed
            FROM begun WHERE begun_at IS NOT NULL GROUP BY 1, 2, 3",
            runs_in_time()
        );
        self.rows(&sql, bound(request, since)).await?.map(|row| {
            Ok(OfDay {
                key: key(row)?,
                day: row.optional_time("day")?.unwrap_or_default(),
                runs: row.count("runs")?,
                failed: row.count("failed")?,
            })
        })
    }

    /// The change of the median of the last 7 days against the 7 before.
    async fn trends(&self, request: &ServicesRequest) -> Result<Vec<(Key, Option<f64>)>, QueryError> {
        let sql = format!(
            "{}
            SELECT project, service,
                percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) FILTER (WHERE begun_at > $4) AS after,
                percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) FILTER (WHERE begun_at <= $4) AS before
            FROM begun WHERE judged GROUP BY 1, 2",
            runs_in_time()
        );
        let mut parameters = bound(request, request.now.plus_seconds(-2.0 * WEEK_SECONDS));
        parameters.push(request.now.plus_seconds(-WEEK_SECONDS).into());
        self.rows(&sql, parameters).await?.map(|row| {
            let change = match (row.optional_float("before")?, row.optional_float("after")?) {
                (Some(before), Some(after)) if before > 0.0 => Some(after / before - 1.0),
                _ => None,
            };
            Ok((key(row)?, change))
        })
    }

    /// Which runs report tests, and how many. Reports may carry times of their own clock: a day of grace
    /// before the first run.
    async fn reports(&self, request: &ServicesRequest, since: Timestamp) -> Result<Vec<Reports>, QueryError> {
        let sql = format!(
            "{}
            SELECT project, service,
                sum(judged) FILTER (WHERE judged > 0 AND reported * 2 >= judged) AS judged,
                sum(reported) FILTER (WHERE judged > 0 AND reported * 2 >= judged) AS reported,
                CAST(sum(final_tests) AS DOUBLE) / nullif(sum(reporting), 0) AS tests_per_run
            FROM (
                SELECT begun.project AS project, begun.service AS service, begun.pipeline AS pipeline,
                    count(*) FILTER (WHERE judged) AS judged,
                    count(report.run_id) FILTER (WHERE judged) AS reported,
                    count(report.run_id) AS reporting,
                    sum(report.final_tests) AS final_tests
                FROM begun LEFT JOIN (
                    SELECT provider, project, run_id, run_attempt, count(*) FILTER (WHERE is_final) AS final_tests
                    FROM tests WHERE ($1 IS NULL OR project = $1) AND at >= $4
                    GROUP BY provider, project, run_id, run_attempt
                ) AS report
                ON report.provider = begun.provider AND report.project = begun.project
                    AND report.run_id = begun.run_id AND report.run_attempt = begun.attempt
                GROUP BY 1, 2, 3
            ) GROUP BY 1, 2",
            runs_in_time()
        );
        let mut parameters = bound(request, since);
        parameters.push(since.plus_seconds(-DAY_SECONDS).into());
        self.rows(&sql, parameters).await?.map(|row| {
            Ok(Reports {
                key: key(row)?,
                judged: row.count("judged")?,
                reported: row.count("reported")?,
                tests_per_run: row.optional_float("tests_per_run")?,
            })
        })
    }
}

/// The runs of one service on one day.
struct OfDay {
    key: Key,
    day: Timestamp,
    runs: u64,
    failed: u64,
}

/// The judged runs of one service's pipelines that usually report, and those of them with at least one test row.
struct Reports {
    key: Key,
    judged: u64,
    reported: u64,
    tests_per_run: Option<f64>,
}

impl Reports {
    fn missing_share(&self) -> Option<f64> {
        (self.judged > 0).then(|| self.judged.saturating_sub(self.reported) as f64 / self.judged as f64)
    }
}

/// A service by project and name.
type Key = (String, Option<String>);

fn key(row: Row<'_>) -> Result<Key, QueryError> {
    Ok((row.text("project")?, row.optional_text("service")?))
}

fn key_of(line: &ServiceLine) -> Key {
    (line.project.clone(), line.service.clone())
}

fn bound(request: &ServicesRequest, since: Timestamp) -> Vec<Parameter> {
    vec![request.project.clone().into(), since.into(), request.now.into()]
}

const DAY_SECONDS: f64 = 86_400.0;
const WEEK_SECONDS: f64 = 7.0 * DAY_SECONDS;

fn midnight(day: i64) -> Timestamp {
    Timestamp::from_seconds(day * 86_400)
}

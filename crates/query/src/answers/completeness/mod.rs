//! What is complete and what is missing: per service and day, with the runs that lack something and the days of which
//! a provider told nothing.

mod asking;

use std::collections::BTreeMap;

use manometer_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::cells::Row;
use super::{Answers, BEGUN};
use crate::views::completeness::RUNS;
use crate::{Parameter, QueryError};

/// Which services, over which days.
#[derive(Debug, Clone, PartialEq)]
pub struct CompletenessRequest {
    /// The moment the answer is for; its day (UTC) is the last of the days.
    pub now: Timestamp,
    /// How many days, today included; 1 to 366. What is usual is judged by these days alone.
    pub days: u32,
    /// Only this project.
    pub project: Option<String>,
    /// Only this service.
    pub service: Option<String>,
    /// Most runs listed that lack something.
    pub most_missing: u32,
}

/// What is complete and what is missing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct CompletenessAnswer {
    /// Midnight (UTC) of each day, oldest first.
    #[schema(value_type = Vec<String>)]
    pub days: Vec<Timestamp>,
    /// Every service with runs that ended in these days, by project and name.
    pub services: Vec<ServiceCompleteness>,
    /// The newest runs that lack something, newest first.
    pub missing: Vec<MissingRun>,
    /// How many lack something in all.
    pub missing_total: u64,
    /// Days of which a provider told nothing although it tells of eight runs or more on a usual day of that weekday.
    pub silent_days: Vec<SilentDay>,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct ServiceCompleteness {
    /// Repository.
    pub project: String,
    /// Part of a monorepo.
    pub service: Option<String>,
    /// As many as there are days; `None` where no run of the day is known, which is not zero.
    pub per_day: Vec<Option<DayCompleteness>>,
    /// All days together.
    pub total: DayCompleteness,
}

/// Counts of runs that ended with success, failure, timed_out or error. Each share is runs with / runs expecting;
/// `None` where nothing is expected.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct DayCompleteness {
    /// Runs.
    pub runs: u64,
    /// Runs of pipelines that usually tell their jobs.
    pub expecting_jobs: u64,
    /// Of those, the ones with jobs, all of them ended.
    pub with_all_jobs: u64,
    /// The share of them.
    pub jobs_share: Option<f64>,
    /// Runs with work that usually reports tests.
    pub expecting_tests: u64,
    /// Of those, the ones with every report.
    pub with_tests: u64,
    /// The share of them.
    pub tests_share: Option<f64>,
    /// Runs with work that usually reports coverage.
    pub expecting_coverage: u64,
    /// Of those, the ones with every report.
    pub with_coverage: u64,
    /// The share of them.
    pub coverage_share: Option<f64>,
}

/// A run that lacks something.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct MissingRun {
    /// CI system.
    pub provider: String,
    /// Repository.
    pub project: String,
    /// Part of a monorepo.
    pub service: Option<String>,
    /// Name of the pipeline.
    pub pipeline: Option<String>,
    /// Identity within provider and project.
    pub run_id: String,
    /// 1 for the first execution.
    pub attempt: i64,
    /// When it began.
    #[schema(value_type = Option<String>)]
    pub begun_at: Option<Timestamp>,
    /// How it ended.
    pub conclusion: Option<String>,
    /// Its page at the provider.
    pub url: Option<String>,
    /// No job of it is known, or one that has not ended.
    pub lacks_jobs: bool,
    /// A report of tests is missing.
    pub lacks_tests: bool,
    /// A report of coverage is missing.
    pub lacks_coverage: bool,
    /// The jobs whose reports of tests are missing, where jobs are known by name: `integration, unit`.
    pub jobs_without_tests: Option<String>,
}

/// A day of which a provider told nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct SilentDay {
    /// CI system.
    pub provider: String,
    /// Midnight (UTC) of the day.
    #[schema(value_type = String)]
    pub day: Timestamp,
}

const DAY_SECONDS: f64 = 86_400.0;

/// The view's SQL over the days and the project that are asked for. Facts may carry times of their own clock: a day of
/// grace.
fn runs_asked_for() -> String {
    let runs = format!(
        "AND ($1 IS NULL OR project = $1) AND ($2 IS NULL OR service = $2) AND {BEGUN} >= $3 AND {BEGUN} <= $4"
    );
    RUNS.replace("/* which runs */", &runs)
        .replace("/* which facts */", "WHERE ($1 IS NULL OR project = $1) AND at >= $5")
}

impl Answers {
    /// What is complete and what is missing.
    ///
    /// # Errors
    /// When the query meets a limit or the store cannot be read.
    pub async fn completeness(
        &self,
        request: &CompletenessRequest,
    ) -> Result<CompletenessAnswer, QueryError> {
        let count = request.days.clamp(1, 366);
        let today = i64::from(request.now.day());
        let first = today - i64::from(count) + 1;
        let days: Vec<Timestamp> = (first..=today).map(midnight).collect();
        let (missing, missing_total) = self.missing_runs(request, midnight(first)).await?;
        Ok(CompletenessAnswer {
            services: self.services_by_day(request, first, days.len()).await?,
            silent_days: self.silent_days(request, first, today).await?,
            missing,
            missing_total,
            days,
        })
    }

    async fn services_by_day(
        &self,
        request: &CompletenessRequest,
        first: i64,
        days: usize,
    ) -> Result<Vec<ServiceCompleteness>, QueryError> {
        let sql = format!(
            "SELECT day, project, service, count(*) AS runs,
                count(has_all_jobs) AS expecting_jobs, count(*) FILTER (WHERE has_all_jobs) AS with_all_jobs,
                count(has_test_reports) AS expecting_tests, count(*) FILTER (WHERE has_test_reports) AS with_tests,
                count(has_coverage) AS expecting_coverage, count(*) FILTER (WHERE has_coverage) AS with_coverage
            FROM ({}) AS completeness_run GROUP BY day, project, service ORDER BY project, service, day",
            runs_asked_for()
        );
        let rows = self.rows(&sql, bound(request, midnight(first))).await?.map(|row| {
            let day = row.optional_time("day")?.unwrap_or_default();
            Ok((row.text("project")?, row.optional_text("service")?, day, counts(row)?))
        })?;
        let mut services: BTreeMap<(String, Option<String>), ServiceCompleteness> = BTreeMap::new();
        for (project, service, day, told) in rows {
            let line = services.entry((project, service)).or_insert_with_key(|(project, service)| {
                ServiceCompleteness {
                    project: project.clone(),
                    service: service.clone(),
                    per_day: vec![None; days],
                    total: DayCompleteness::default(),
                }
            });
            line.total = line.total.and(told);
            let position = usize::try_from(i64::from(day.day()) - first).ok();
            if let Some(place) = position.and_then(|position| line.per_day.get_mut(position)) {
                *place = Some(told);
            }
        }
        Ok(services.into_values().collect())
    }

    async fn missing_runs(
        &self,
        request: &CompletenessRequest,
        since: Timestamp,
    ) -> Result<(Vec<MissingRun>, u64), QueryError> {
        let sql = format!(
            "SELECT *, count(*) OVER () AS missing_total FROM ({}) AS completeness_run
            WHERE NOT has_all_jobs OR NOT has_test_reports OR NOT has_coverage
            ORDER BY begun_at DESC, provider, project, run_id, attempt LIMIT {}",
            runs_asked_for(),
            request.most_missing
        );
        let mut total = 0;
        let missing = self.rows(&sql, bound(request, since)).await?.map(|row| {
            total = row.count("missing_total")?;
            Ok(MissingRun {
                provider: row.text("provider")?,
                project: row.text("project")?,
                service: row.optional_text("service")?,
                pipeline: row.optional_text("pipeline")?,
                run_id: row.text("run_id")?,
                attempt: row.int("attempt")?,
                begun_at: row.optional_time("begun_at")?,
                conclusion: row.optional_text("conclusion")?,
                url: row.optional_text("url")?,
                lacks_jobs: row.optional_bool("has_all_jobs")? == Some(false),
                lacks_tests: row.optional_bool("has_test_reports")? == Some(false),
                lacks_coverage: row.optional_bool("has_coverage")? == Some(false),
                jobs_without_tests: row.optional_text("jobs_without_tests")?,
            })
        })?;
        Ok((missing, total))
    }

    async fn silent_days(
        &self,
        request: &CompletenessRequest,
        first: i64,
        today: i64,
    ) -> Result<Vec<SilentDay>, QueryError> {
        let sql = format!(
            "SELECT provider, date_trunc('day', {BEGUN}) AS day, count(*) AS runs FROM runs
            WHERE ($1 IS NULL OR project = $1) AND ($2 IS NULL OR service = $2)
                AND {BEGUN} >= $3 AND {BEGUN} <= $4 AND $5 IS NOT NULL
            GROUP BY 1, 2"
        );
        let told = self.rows(&sql, bound(request, midnight(first))).await?.map(|row| {
            let day = i64::from(row.optional_time("day")?.unwrap_or_default().day());
            Ok((row.text("provider")?, day, row.count("runs")?))
        })?;
        let mut by_provider: BTreeMap<String, BTreeMap<i64, u64>> = BTreeMap::new();
        for (provider, day, runs) in told {
            by_provider.entry(provider).or_default().insert(day, runs);
        }
        Ok(by_provider
            .into_iter()
            .flat_map(|(provider, told)| {
                silent_among(&told, today)
                    .into_iter()
                    .map(move |day| SilentDay { provider: provider.clone(), day: midnight(day) })
            })
            .collect())
    }
}

/// Fewer runs than this on a usual day, and a day without any may be chance: of 8 expected it is so once in 3,000 days
/// (e⁻⁸, if runs come independently of each other).
const TELLING_RUNS: u64 = 8;

/// The days without a run between the first with one and today (which is not over) on which runs were to be expected: the
/// other days of the same weekday, two at least, have a median of [`TELLING_RUNS`] or more.
fn silent_among(told: &BTreeMap<i64, u64>, today: i64) -> Vec<i64> {
    let Some(first) = told.keys().next().copied() else { return Vec::new() };
    let is_odd = |day: i64| {
        let same_weekday = (first..today).filter(|other| *other != day && (other - day) % 7 == 0);
        let mut runs: Vec<u64> =
            same_weekday.map(|other| told.get(&other).copied().unwrap_or_default()).collect();
        runs.sort_unstable();
        // The lower of two middle ones.
        let median = runs.get(runs.len().saturating_sub(1) / 2).copied().unwrap_or_default();
        runs.len() >= 2 && median >= TELLING_RUNS
    };
    (first..today).filter(|day| !told.contains_key(day)).filter(|day| is_odd(*day)).collect()
}

impl DayCompleteness {
    fn and(self, other: Self) -> Self {
        Self {
            runs: self.runs + other.runs,
            expecting_jobs: self.expecting_jobs + other.expecting_jobs,
            with_all_jobs: self.with_all_jobs + other.with_all_jobs,
            expecting_tests: self.expecting_tests + other.expecting_tests,
            with_tests: self.with_tests + other.with_tests,
            expecting_coverage: self.expecting_coverage + other.expecting_coverage,
            with_coverage: self.with_coverage + other.with_coverage,
            ..Self::default()
        }
        .with_shares()
    }

    fn with_shares(self) -> Self {
        let share = |with: u64, of: u64| (of > 0).then(|| with as f64 / of as f64);
        Self {
            jobs_share: share(self.with_all_jobs, self.expecting_jobs),
            tests_share: share(self.with_tests, self.expecting_tests),
            coverage_share: share(self.with_coverage, self.expecting_coverage),
            ..self
        }
    }
}

fn counts(row: Row<'_>) -> Result<DayCompleteness, QueryError> {
    Ok(DayCompleteness {
        runs: row.count("runs")?,
        expecting_jobs: row.count("expecting_jobs")?,
        with_all_jobs: row.count("with_all_jobs")?,
        expecting_tests: row.count("expecting_tests")?,
        with_tests: row.count("with_tests")?,
        expecting_coverage: row.count("expecting_coverage")?,
        with_coverage: row.count("with_coverage")?,
        ..DayCompleteness::default()
    }
    .with_shares())
}

fn bound(request: &CompletenessRequest, since: Timestamp) -> Vec<Parameter> {
    vec![
        request.project.clone().into(),
        request.service.clone().into(),
        since.into(),
        request.now.into(),
        since.plus_seconds(-DAY_SECONDS).into(),
    ]
}

fn midnight(day: i64) -> Timestamp {
    Timestamp::from_seconds(day * 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_day_is_one_on_which_others_of_its_weekday_were_not() {
        let workdays = |day: &i64| day.rem_euclid(7) < 5;
        let all: BTreeMap<i64, u64> = (100..140).filter(workdays).map(|day| (day, 9)).collect();
        assert_eq!(silent_among(&all, 140), Vec::<i64>::new(), "weekends are a usual rest");
        let mut without = all.clone();
        without.remove(&120);
        assert_eq!(silent_among(&without, 140), [120]);
        let few: BTreeMap<i64, u64> = without.keys().map(|day| (*day, 2)).collect();
        assert_eq!(silent_among(&few, 140), Vec::<i64>::new(), "where little is told, none may be chance");
        // A service that began yesterday, and nothing at all.
        assert_eq!(silent_among(&[(138, 50)].into(), 140), Vec::<i64>::new());
        assert_eq!(silent_among(&BTreeMap::new(), 140), Vec::<i64>::new());
    }

    #[test]
    fn a_provider_that_fell_silent_is_noticed_up_to_yesterday() {
        let told: BTreeMap<i64, u64> = (100..130).map(|day| (day, 8)).collect();
        assert_eq!(silent_among(&told, 133), [130, 131, 132]);
    }
}

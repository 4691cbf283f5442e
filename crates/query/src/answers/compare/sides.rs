//! The two sides of a comparison: their values, and how these spread over runs.

use std::collections::BTreeSet;

use manometer_model::Timestamp;
use manometer_stats::Distribution;
use manometer_stats::difference::Groups;

use super::super::asking::{AnswerError, Conditions, Measure, Scope};
use super::super::{Answers, BEGUN};
use super::anchor::Anchor;

/// The percentiles compared.
pub(super) const PERCENTILES: [(&str, f64); 3] = [("p50", 0.50), ("p95", 0.95), ("p99", 0.99)];

/// Different values of both sides together; with more of them, values are counted in classes.
const MOST_VALUES: usize = 200_000;
/// Rows may carry times of their senders' clocks, and come after their run began.
const GRACE_SECONDS: f64 = 2.0 * 86_400.0;

/// One side.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    /// How values are distributed; `None` where there are none.
    pub(super) distribution: Option<Distribution>,
    /// Values.
    pub(super) rows: u64,
    /// Runs they come from.
    pub(super) runs: u64,
    /// Different commits of them.
    pub(super) commits: u64,
    /// When the first and the last of the runs began.
    pub(super) first_at: Option<Timestamp>,
    pub(super) last_at: Option<Timestamp>,
    /// Of each percentile, how the values at or below it spread over runs; of a share only one, of the values that
    /// are true.
    pub(super) groups: Vec<Groups>,
}

/// Both sides.
#[derive(Debug, Clone, Default)]
pub(super) struct Sides {
    pub(super) values: [Values; 2],
    /// Were values counted in classes 0.4 % wide, so that percentiles are off by up to 0.2 %?
    pub(super) is_coarse: bool,
    /// The unit the rows name.
    pub(super) unit: Option<String>,
}

/// The rows of both sides, as SQL: columns `side` (0 or 1), `value`, `placed_at` and those of the run.
struct Placed {
    sql: String,
    conditions: Conditions,
}

impl Answers {
    /// Collects both sides.
    pub(super) async fn sides(
        &self,
        measure: &Measure,
        scope: &Scope,
        anchor: &Anchor,
    ) -> Result<Sides, AnswerError> {
        let placed = placed(measure, scope, anchor)?;
        let (mut sides, is_coarse) = self.distributions(&placed, measure).await?;
        self.spread(&placed, measure, is_coarse, &mut sides).await?;
        let unit = if measure.word == "sample" { self.unit_of(measure, scope).await? } else { None };
        Ok(Sides { values: sides, is_coarse, unit })
    }

    /// The distribution of each side: every value with its count, or in classes where there are too many.
    async fn distributions(
        &self,
        placed: &Placed,
        measure: &Measure,
    ) -> Result<([Values; 2], bool), AnswerError> {
        let mut sides = [Values::default(), Values::default()];
        if measure.is_share {
            return Ok((sides, false));
        }
        for is_coarse in [false, true] {
            let value = value_sql(is_coarse);
            let sql = format!(
                "SELECT side, {value} AS value, count(*) AS times FROM ({}) WHERE value IS NOT NULL
                GROUP BY side, {value} LIMIT {}",
                placed.sql,
                MOST_VALUES + 1
            );
            let counted = self.rows(&sql, placed.conditions.parameters()).await?.map(|row| {
                Ok((row.int("side")?, row.optional_float("value")?.unwrap_or(f64::NAN), row.count("times")?))
            })?;
            if counted.len() > MOST_VALUES && !is_coarse {
                continue;
            }
            for (number, side) in sides.iter_mut().enumerate() {
                let own = counted.iter().filter(|(side, _, _)| *side == number as i64);
                side.distribution = Distribution::new(own.map(|(_, value, times)| (*value, *times)));
            }
            return Ok((sides, is_coarse));
        }
        Ok((sides, true))
    }

    /// How the values of each side spread over runs.
    async fn spread(
        &self,
        placed: &Placed,
        measure: &Measure,
        is_coarse: bool,
        sides: &mut [Values; 2],
    ) -> Result<(), AnswerError> {
        let mut conditions = placed.conditions.clone();
        let value = if measure.is_share { "value".to_owned() } else { value_sql(is_coarse) };
        let hits: Vec<String> = if measure.is_share {
            vec!["value > 0.5".to_owned()]
        } else {
            let of = |side: &Values, probability: f64| {
                side.distribution.as_ref().map_or(0.0, |distribution| distribution.quantile(probability))
            };
            PERCENTILES
                .iter()
                .map(|(_, probability)| {
                    let (first, second) = (of(&sides[0], *probability), of(&sides[1], *probability));
                    let (first, second) = (conditions.bind(first), conditions.bind(second));
                    format!("{value} <= CASE WHEN side = 0 THEN {first} ELSE {second} END")
                })
                .collect()
        };
        let numbers = 0..hits.len();
        let counted: Vec<String> = hits
            .iter()
            .enumerate()
            .map(|(number, hit)| format!("CAST(count(*) FILTER (WHERE {hit}) AS DOUBLE) AS hits_{number}"))
            .collect();
        let summed: Vec<String> = numbers
            .clone()
            .map(|number| {
                format!(
                    "sum(hits_{number}) AS hits_{number}, sum(hits_{number} * hits_{number}) AS squared_{number}, \
                     sum(hits_{number} * n) AS times_{number}"
                )
            })
            .collect();
        let sql = format!(
            "SELECT side, CAST(count(*) AS DOUBLE) AS groups, sum(n) AS n, sum(n * n) AS n_squared,
                count(DISTINCT commit_sha) AS commits, min(placed_at) AS first_at, max(placed_at) AS last_at,
                count(run_id) AS runs, {}
            FROM (
                SELECT side, provider, project, run_id, attempt, alone_at, min(commit_sha) AS commit_sha,
                    min(placed_at) AS placed_at, CAST(count(*) AS DOUBLE) AS n, {}
                FROM ({}) WHERE value IS NOT NULL GROUP BY side, provider, project, run_id, attempt, alone_at
            ) GROUP BY side",
            summed.join(", "),
            counted.join(", "),
            placed.sql
        );
        let found = self.rows(&sql, conditions.parameters()).await?.map(|row| {
            let float =
                |name: &str| Ok::<_, crate::QueryError>(row.optional_float(name)?.unwrap_or_default());
            let mut groups = Vec::with_capacity(hits.len());
            for number in numbers.clone() {
                groups.push(Groups {
                    groups: float("groups")?,
                    values: float("n")?,
                    values_squared: float("n_squared")?,
                    hits: float(&format!("hits_{number}"))?,
                    hits_squared: float(&format!("squared_{number}"))?,
                    hits_times_values: float(&format!("times_{number}"))?,
                });
            }
            let side = Values {
                distribution: None,
                rows: float("n")? as u64,
                runs: row.count("runs")?,
                commits: row.count("commits")?,
                first_at: row.optional_time("first_at")?,
                last_at: row.optional_time("last_at")?,
                groups,
            };
            Ok((row.int("side")?, side))
        })?;
        for (number, found) in found {
            if let Some(side) = usize::try_from(number).ok().and_then(|number| sides.get_mut(number)) {
                let distribution = side.distribution.take();
                *side = Values { distribution, ..found };
            }
        }
        Ok(())
    }

    async fn unit_of(&self, measure: &Measure, scope: &Scope) -> Result<Option<String>, AnswerError> {
        let conditions = scope.conditions(measure)?;
        let sql =
            format!("SELECT min(unit) AS unit FROM {} WHERE {}", measure.origin.table, conditions.all());
        let rows = self.rows(&sql, conditions.parameters()).await?;
        Ok(rows.first(|row| row.optional_text("unit"))?.flatten())
    }

    /// Says that one of two branches is not known at all, where it is not.
    pub(super) async fn branches_known(&self, scope: &Scope, against: &str) -> Result<(), AnswerError> {
        let names: BTreeSet<&str> = scope.branch.as_deref().into_iter().chain([against]).collect();
        for name in names {
            let only = Scope { branch: Some(name.to_owned()), ..scope.clone() };
            self.check_names(&only).await?;
        }
        Ok(())
    }
}

/// A value, or the middle of its class: classes grow by 1/256 from one to the next.
fn value_sql(is_coarse: bool) -> String {
    if !is_coarse {
        return "value".to_owned();
    }
    "CASE WHEN value > 0 THEN exp(round(ln(value) * 256.0) / 256.0)
          WHEN value < 0 THEN -exp(round(ln(-value) * 256.0) / 256.0) ELSE 0.0 END"
        .to_owned()
}

/// The rows of both sides.
fn placed(measure: &Measure, scope: &Scope, anchor: &Anchor) -> Result<Placed, AnswerError> {
    let origin = measure.origin;
    let range = scope.range;
    // Both branches stand in one condition of their own.
    let narrowed = if anchor.against.is_some() {
        Scope { branch: None, ..scope.clone() }
    } else {
        Scope {
            branch: anchor.branch.clone().or_else(|| scope.branch.clone()),
            project: anchor.project.clone().or_else(|| scope.project.clone()),
            ..scope.clone()
        }
    };
    let mut conditions = narrowed.conditions(measure)?;
    conditions.between(
        origin.at,
        range.since.plus_seconds(-GRACE_SECONDS),
        range.until.plus_seconds(GRACE_SECONDS),
    );
    let mut of_runs = Vec::new();
    if let Some(project) = &narrowed.project {
        of_runs.push(format!("project = {}", conditions.bind(project.clone())));
    }
    let side = match &anchor.against {
        Some(against) => {
            let base = conditions.bind(anchor.branch.clone().unwrap_or_default());
            let other = conditions.bind(against.clone());
            conditions.push(format!("branch IN ({base}, {other})"));
            format!("CASE WHEN branch = {base} THEN 0 ELSE 1 END")
        }
        None => {
            let line = conditions.bind(anchor.at.unwrap_or(range.until));
            format!("CASE WHEN placed_at < {line} THEN 0 ELSE 1 END")
        }
    };
    let value = if measure.is_share {
        format!("CASE WHEN {} THEN 1.0 ELSE 0.0 END", measure.value)
    } else {
        measure.value.to_owned()
    };
    let filter = conditions.all();
    let (since, until) = (conditions.bind(range.since), conditions.bind(range.until));
    let runs_filter = if of_runs.is_empty() { "true".to_owned() } else { of_runs.join(" AND ") };
    // Rows that belong to no run are a group each.
    let sql = format!(
        "SELECT {side} AS side, value, placed_at, provider, project, run_id, attempt, alone_at, commit_sha FROM (
            SELECT {value} AS value, coalesce(position, {at}) AS placed_at, provider, project, run_id,
                {attempt} AS attempt, CASE WHEN run_id IS NULL THEN {at} END AS alone_at, commit_sha, branch
            FROM {table} LEFT JOIN (
                SELECT provider AS of_provider, project AS of_project, run_id AS of_run_id, min({BEGUN}) AS position
                FROM runs WHERE {runs_filter} GROUP BY provider, project, run_id
            ) AS positions ON provider = of_provider AND project = of_project AND run_id = of_run_id
            WHERE {filter}
        ) WHERE placed_at >= {since} AND placed_at < {until}",
        at = origin.at,
        attempt = origin.attempt,
        table = origin.table,
    );
    Ok(Placed { sql, conditions })
}

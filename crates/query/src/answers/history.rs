//! The history of one test: its executions, how they ended and how long they took, by branch and by commit.
//!
//! Every execution counts, re-runs inside a run included; skipped ones are counted apart and have no part in rates and
//! times. A commit stands where the first execution of the test on it was.

use manometer_model::{TestId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Answers;
use super::asking::{
    AnswerError, Asked, Conditions, EVERY_EXECUTION, Flat, FlatCell, ParameterDoc, Question, RangeShown,
    Scope, count,
};
use super::cells::Row;
use crate::QueryError;

/// Which test, over which time.
#[derive(Debug, Clone)]
pub struct HistoryRequest {
    scope: Scope,
    limit: u32,
}

/// The history of one test.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct HistoryAnswer {
    /// Repository.
    pub project: String,
    /// Part of a monorepo.
    pub service: Option<String>,
    /// Its identity.
    pub test_id: String,
    /// Class or file.
    pub classname: Option<String>,
    /// Name.
    pub name: String,
    /// Parameters.
    pub parameters: Option<String>,
    /// The time looked at.
    pub range: RangeShown,
    /// All its executions.
    pub total: Outcomes,
    /// By branch, the one with most executions first, at most 50.
    pub branches: Vec<OfBranch>,
    /// By commit, newest first.
    pub commits: Vec<OfCommit>,
    /// Single executions, newest first.
    pub executions: Vec<OneExecution>,
}

/// Executions, counted.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Outcomes {
    /// Passed.
    pub passed: u64,
    /// Failed or broke.
    pub failed: u64,
    /// Skipped.
    pub skipped: u64,
    /// failed / (passed + failed); null where none was executed.
    pub failure_rate: Option<f64>,
    /// Median time.
    pub p50_seconds: Option<f64>,
    /// 95th percentile.
    pub p95_seconds: Option<f64>,
}

/// Executions on one branch.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct OfBranch {
    /// The branch; null where it was not told.
    pub branch: Option<String>,
    /// Its executions.
    #[serde(flatten)]
    pub outcomes: Outcomes,
}

/// Executions of one commit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct OfCommit {
    /// The commit; null where it was not told.
    pub commit_sha: Option<String>,
    /// The branch of its first execution.
    pub branch: Option<String>,
    /// Its first execution.
    #[schema(value_type = Option<String>)]
    pub first_at: Option<Timestamp>,
    /// Its executions.
    #[serde(flatten)]
    pub outcomes: Outcomes,
}

/// One execution.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct OneExecution {
    /// When.
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// passed, failed, error or skipped.
    pub status: String,
    /// How long it took.
    pub duration_seconds: Option<f64>,
    /// 1 for the first inside its run.
    pub attempt: i64,
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
    /// What its failure said.
    pub failure_message: Option<String>,
}

const USUAL_DAYS: f64 = 90.0;
const BRANCHES: usize = 50;
const NEAR: usize = 10;

const OUTCOMES: &str = "count(*) FILTER (WHERE status = 'passed') AS passed,
    count(*) FILTER (WHERE status IN ('failed', 'error')) AS failed,
    count(*) FILTER (WHERE status = 'skipped') AS skipped,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY duration_seconds) FILTER (WHERE status <> 'skipped') AS p50,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_seconds) FILTER (WHERE status <> 'skipped') AS p95";

impl Outcomes {
    fn of(row: Row<'_>) -> Result<Self, QueryError> {
        let (passed, failed) = (row.count("passed")?, row.count("failed")?);
        let executed = passed + failed;
        Ok(Self {
            passed,
            failed,
            skipped: row.count("skipped")?,
            failure_rate: (executed > 0).then(|| failed as f64 / executed as f64),
            p50_seconds: row.optional_float("p50")?,
            p95_seconds: row.optional_float("p95")?,
        })
    }
}

impl Question for HistoryRequest {
    const WORD: &'static str = "history";
    const DOC: &'static str = "One test: its executions, outcomes and times, by branch and commit";
    const EXAMPLES: &'static str = "\
Examples:
  manometer ask history --service inventory --test test_stock_levels_match_the_supplier_feed
  manometer ask history --test 3f1c0a… --branch main --since 30d
A name that several tests have is answered with their ids.";
    type Answer = HistoryAnswer;

    fn parameters() -> Vec<ParameterDoc> {
        let own = ParameterDoc {
            name: "limit",
            value: "COUNT",
            doc: "At most so many commits and executions, 1 to 2000 [default: 20]",
        };
        let narrowing = Scope::parameters().filter(|parameter| !matches!(parameter.name, "name" | "outcome"));
        narrowing.chain([own]).collect()
    }

    fn asked(asked: &Asked, now: Timestamp) -> Result<Self, AnswerError> {
        if asked.text("test").is_none() {
            return Err(AnswerError::asked("test: which one? give its name or its id"));
        }
        Ok(Self { scope: Scope::asked(asked, now, USUAL_DAYS)?, limit: asked.whole("limit", 20, 1..=2_000)? })
    }

    async fn answer(&self, answers: &Answers) -> Result<HistoryAnswer, AnswerError> {
        let mut scope = self.scope.clone();
        let (from, mut conditions) = answers.narrowed(&EVERY_EXECUTION, &mut scope).await?;
        let mut answer = self.only_test(answers, &from, &conditions).await?;
        answer.range = scope.range.shown();
        conditions.equal("project", answer.project.clone());
        conditions.equal("test_id", answer.test_id.clone());
        match answer.service.clone() {
            Some(service) => conditions.equal("service", service),
            None => conditions.push("service IS NULL"),
        }
        let filter = conditions.all();
        let total = format!("SELECT {OUTCOMES} FROM {from} WHERE {filter}");
        let rows = answers.rows(&total, conditions.parameters()).await?;
        answer.total = rows.first(Outcomes::of)?.unwrap_or_default();
        let branches = format!(
            "SELECT branch, count(*) AS executions, {OUTCOMES} FROM {from} WHERE {filter}
            GROUP BY branch ORDER BY executions DESC, branch LIMIT {BRANCHES}"
        );
        answer.branches = answers
            .rows(&branches, conditions.parameters())
            .await?
            .map(|row| Ok(OfBranch { branch: row.optional_text("branch")?, outcomes: Outcomes::of(row)? }))?;
        let commits = format!(
            "SELECT commit_sha, first_value(branch ORDER BY at, run_id) AS branch, min(at) AS first_at, {OUTCOMES}
            FROM {from} WHERE {filter} GROUP BY commit_sha ORDER BY first_at DESC, commit_sha LIMIT {}",
            self.limit
        );
        answer.commits = answers.rows(&commits, conditions.parameters()).await?.map(|row| {
            Ok(OfCommit {
                commit_sha: row.optional_text("commit_sha")?,
                branch: row.optional_text("branch")?,
                first_at: row.optional_time("first_at")?,
                outcomes: Outcomes::of(row)?,
            })
        })?;
        let executions = format!(
            "SELECT at, status, duration_seconds, attempt, provider, run_id, run_attempt, branch, commit_sha, failure_message
            FROM {from} WHERE {filter} ORDER BY at DESC, run_id DESC, run_attempt DESC, attempt DESC LIMIT {}",
            self.limit
        );
        answer.executions = answers.rows(&executions, conditions.parameters()).await?.map(one_execution)?;
        Ok(answer)
    }
}

impl HistoryRequest {
    /// The one test that is meant.
    async fn only_test(
        &self,
        answers: &Answers,
        from: &str,
        conditions: &Conditions,
    ) -> Result<HistoryAnswer, AnswerError> {
        let sql = format!(
            "SELECT project, service, test_id, min(classname) AS classname, min(name) AS name,
                min(parameters) AS parameters, count(*) AS executions
            FROM {from} WHERE {} GROUP BY project, service, test_id ORDER BY executions DESC, test_id LIMIT {}",
            conditions.all(),
            NEAR + 1
        );
        let rows = answers.rows(&sql, conditions.parameters()).await?;
        let mut found = rows.map(|row| {
            let answer = HistoryAnswer {
                project: row.text("project")?,
                service: row.optional_text("service")?,
                test_id: row.text("test_id")?,
                classname: row.optional_text("classname")?,
                name: row.text("name")?,
                parameters: row.optional_text("parameters")?,
                ..HistoryAnswer::default()
            };
            Ok((answer, row.count("executions")?))
        })?;
        let wanted = self.scope.test.clone().unwrap_or_default();
        if found.len() > 1 {
            let each: Vec<String> =
                found.iter().take(NEAR).map(|(test, times)| described(test, *times)).collect();
            let more = if found.len() > NEAR { " and more" } else { "" };
            return Err(AnswerError::asked(format!(
                "test: several are called `{}`; give the id of one, or a service: {}{more}",
                clipped(&wanted),
                each.join("; ")
            )));
        }
        match found.pop() {
            Some((test, _)) => Ok(test),
            None => Err(self.unknown_test(answers, &wanted).await?),
        }
    }

    /// The refusal of a test nobody knows, with those whose names hold what was asked for.
    async fn unknown_test(&self, answers: &Answers, wanted: &str) -> Result<AnswerError, AnswerError> {
        answers.check_names(&self.scope).await?;
        let without = Scope { test: None, ..self.scope.clone() };
        let mut scope = without.clone();
        let (from, mut conditions) = answers.narrowed(&EVERY_EXECUTION, &mut scope).await?;
        let is_id = wanted.parse::<TestId>().is_ok();
        let last = wanted.rsplit(['.', ':', '/', ' ']).next().unwrap_or(wanted).to_lowercase();
        let part = conditions.bind(last);
        conditions.push(format!("strpos(lower(name), {part}) > 0"));
        let sql =
            format!("SELECT DISTINCT name FROM {from} WHERE {} ORDER BY name LIMIT {NEAR}", conditions.all());
        let near = if is_id {
            Vec::new()
        } else {
            answers.rows(&sql, conditions.parameters()).await?.map(|row| row.text("name"))?
        };
        let shown = clipped(wanted);
        Ok(AnswerError::not_found(if near.is_empty() {
            format!(
                "no execution of a test `{shown}` is known in this time and place; the page /tests searches by name"
            )
        } else {
            format!(
                "no execution of a test `{shown}` is known in this time and place; there are {}",
                near.join(", ")
            )
        }))
    }
}

fn described(test: &HistoryAnswer, times: u64) -> String {
    let class = test.classname.as_deref().map(|class| format!("{class}.")).unwrap_or_default();
    let service = test.service.as_deref().unwrap_or(&test.project);
    format!("{} is {class}{} of {service}, {} executions", test.test_id, test.name, count(times))
}

fn clipped(text: &str) -> String {
    text.chars().take(96).collect()
}

fn one_execution(row: Row<'_>) -> Result<OneExecution, QueryError> {
    Ok(OneExecution {
        at: row.optional_time("at")?.unwrap_or_default(),
        status: row.text("status")?,
        duration_seconds: row.optional_float("duration_seconds")?,
        attempt: row.int("attempt")?,
        provider: row.text("provider")?,
        run_id: row.text("run_id")?,
        run_attempt: row.int("run_attempt")?,
        branch: row.optional_text("branch")?,
        commit_sha: row.optional_text("commit_sha")?,
        failure_message: row.optional_text("failure_message")?,
    })
}

impl Flat for HistoryAnswer {
    const COLUMNS: &'static [&'static str] = &[
        "at",
        "status",
        "duration_seconds",
        "attempt",
        "provider",
        "run_id",
        "run_attempt",
        "branch",
        "commit_sha",
        "failure_message",
    ];

    fn rows(&self) -> Vec<Vec<FlatCell>> {
        let whole = |number: i64| FlatCell::Count(u64::try_from(number).unwrap_or_default());
        self.executions
            .iter()
            .map(|one| {
                vec![
                    one.at.into(),
                    (&one.status).into(),
                    one.duration_seconds.into(),
                    whole(one.attempt),
                    (&one.provider).into(),
                    (&one.run_id).into(),
                    whole(one.run_attempt),
                    one.branch.as_ref().into(),
                    one.commit_sha.as_ref().into(),
                    one.failure_message.as_ref().into(),
                ]
            })
            .collect()
    }
}

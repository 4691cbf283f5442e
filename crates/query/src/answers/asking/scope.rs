//! Which rows a question is about, as conditions of SQL with the values bound.

use manometer_model::{TestId, Timestamp};

use super::measure::Origin;
use super::{AnswerError, Asked, Measure, ParameterDoc, Range, range};
use crate::answers::{Answers, BEGUN};
use crate::{Parameter, QueryError};
use manometer_model::near_names::near_names;

/// Which rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Only this repository.
    pub project: Option<String>,
    /// Only this part of a monorepo.
    pub service: Option<String>,
    /// Only this branch.
    pub branch: Option<String>,
    /// Only this pipeline.
    pub pipeline: Option<String>,
    /// Only jobs of this name, and what happened in them.
    pub job: Option<String>,
    /// Only the step, test, build, artifact, package, file or sample of this name.
    pub name: Option<String>,
    /// Only this test: its id or its name.
    pub test: Option<String>,
    /// Only what ended this way.
    pub outcome: Option<Outcome>,
    /// When.
    pub range: Range,
}

/// How something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// As it should.
    Success,
    /// With failure, timed_out or error.
    Failure,
}

const OWN: [ParameterDoc; 8] = [
    ParameterDoc { name: "project", value: "PROJECT", doc: "Only this repository: github.com/acme/shop" },
    ParameterDoc { name: "service", value: "SERVICE", doc: "Only this part of a monorepo: payments" },
    ParameterDoc { name: "branch", value: "BRANCH", doc: "Only this branch: main" },
    ParameterDoc { name: "pipeline", value: "PIPELINE", doc: "Only this pipeline or workflow: ci" },
    ParameterDoc { name: "job", value: "JOB", doc: "Only jobs of this name, and what happened in them" },
    ParameterDoc {
        name: "name",
        value: "NAME",
        doc: "Only the step, test, build, artifact, package, file or sample of this name",
    },
    ParameterDoc { name: "test", value: "TEST", doc: "Only this test: its id or its name" },
    ParameterDoc {
        name: "outcome",
        value: "OUTCOME",
        doc: "Only what ended with `success`, or with `failure` (timed_out and error are failures)",
    },
];

impl Scope {
    /// The parameters.
    pub(in crate::answers) fn parameters() -> impl Iterator<Item = ParameterDoc> {
        OWN.into_iter().chain(range::PARAMETERS)
    }

    /// From what was asked.
    ///
    /// # Errors
    /// When the time or the outcome is none.
    pub(in crate::answers) fn asked(
        asked: &Asked,
        now: Timestamp,
        usual_days: f64,
    ) -> Result<Self, AnswerError> {
        let outcomes = [("success", Some(Outcome::Success)), ("failure", Some(Outcome::Failure))];
        Ok(Self {
            project: asked.owned("project"),
            service: asked.owned("service"),
            branch: asked.owned("branch"),
            pipeline: asked.owned("pipeline"),
            job: asked.owned("job"),
            name: asked.owned("name"),
            test: asked.owned("test"),
            outcome: asked.choice("outcome", None, &outcomes)?,
            range: Range::asked(asked, now, usual_days)?,
        })
    }

    /// All conditions but those of time.
    ///
    /// # Errors
    /// When the table of the measure knows no such narrowing.
    pub(in crate::answers) fn conditions(&self, measure: &Measure) -> Result<Conditions, AnswerError> {
        let origin = measure.origin;
        let mut conditions = Conditions::default();
        conditions.push(measure.counted);
        conditions.of_run(self);
        if let Some(job) = &self.job {
            let column = origin.job.ok_or_else(|| cannot_narrow("job", measure))?;
            conditions.equal(column, job.clone());
        }
        if let Some(test) = &self.test {
            if origin.table != "tests" {
                return Err(cannot_narrow("test", measure));
            }
            match test.parse::<TestId>() {
                Ok(id) => conditions.equal("test_id", id.to_string()),
                Err(_) => conditions.equal("name", test.clone()),
            }
        }
        match (&self.name, measure.unnamed) {
            (Some(name), _) => {
                conditions.equal(origin.name.ok_or_else(|| cannot_narrow("name", measure))?, name.clone());
            }
            (None, Some(condition)) => conditions.push(condition),
            (None, None) => {}
        }
        if let Some(outcome) = self.outcome {
            let (success, failure) = origin.outcome.ok_or_else(|| cannot_narrow("outcome", measure))?;
            conditions.push(if outcome == Outcome::Success { success } else { failure });
        }
        Ok(conditions)
    }
}

fn cannot_narrow(parameter: &str, measure: &Measure) -> AnswerError {
    AnswerError::asked(format!("{parameter}: does not narrow {}, which has none", measure.word))
}

/// Conditions, and the values bound in them.
#[derive(Debug, Clone, Default)]
pub(in crate::answers) struct Conditions {
    texts: Vec<String>,
    parameters: Vec<Parameter>,
}

impl Conditions {
    /// Binds a value, and says how it is named in the text.
    pub(in crate::answers) fn bind(&mut self, value: impl Into<Parameter>) -> String {
        self.parameters.push(value.into());
        format!("${}", self.parameters.len())
    }

    /// Adds a condition, a text of ours.
    pub(in crate::answers) fn push(&mut self, condition: impl Into<String>) {
        self.texts.push(condition.into());
    }

    /// A column has this value.
    pub(in crate::answers) fn equal(&mut self, column: &str, value: String) {
        let bound = self.bind(value);
        self.push(format!("{column} = {bound}"));
    }

    /// What narrows runs, and everything that happened in them.
    pub(in crate::answers) fn of_run(&mut self, scope: &Scope) {
        for (column, value) in [
            ("project", &scope.project),
            ("service", &scope.service),
            ("branch", &scope.branch),
            ("pipeline", &scope.pipeline),
        ] {
            if let Some(value) = value {
                self.equal(column, value.clone());
            }
        }
    }

    /// A time lies in a range.
    pub(in crate::answers) fn between(&mut self, at: &str, since: Timestamp, until: Timestamp) {
        let (from, to) = (self.bind(since), self.bind(until));
        self.push(format!("{at} >= {from} AND {at} < {to}"));
    }

    /// Only rows of the newest so many runs of the scope.
    pub(in crate::answers) fn of_last_runs(&mut self, scope: &Scope, count: u32, origin: &Origin) -> String {
        let mut of_runs = Self { texts: Vec::new(), parameters: std::mem::take(&mut self.parameters) };
        of_runs.of_run(scope);
        of_runs.between(BEGUN, scope.range.since, scope.range.until);
        self.parameters = std::mem::take(&mut of_runs.parameters);
        format!(
            "LEFT SEMI JOIN (
                SELECT provider AS last_provider, project AS last_project, run_id AS last_run_id, attempt AS last_attempt
                FROM runs WHERE {} ORDER BY {BEGUN} DESC, run_id DESC, attempt DESC LIMIT {count}
            ) AS last_runs ON provider = last_provider AND project = last_project AND run_id = last_run_id
                AND {} = last_attempt",
            of_runs.all(),
            origin.attempt
        )
    }

    /// All of them, for `WHERE`.
    pub(in crate::answers) fn all(&self) -> String {
        if self.texts.is_empty() {
            return "true".to_owned();
        }
        // In brackets: `a IS DISTINCT FROM 'b' AND …` is read as if AND bound more tightly.
        let each: Vec<String> = self.texts.iter().map(|text| format!("({text})")).collect();
        each.join(" AND ")
    }

    /// The values, in the order of their names.
    pub(in crate::answers) fn parameters(&self) -> Vec<Parameter> {
        self.parameters.clone()
    }
}

/// Rows of the last runs may carry times of their senders' clocks.
const GRACE_SECONDS: f64 = 86_400.0;

impl Answers {
    /// The rows of a measure in a scope, as `FROM … WHERE …`, with what is bound in it; the range becomes that of
    /// the last runs where only those count.
    pub(in crate::answers) async fn narrowed(
        &self,
        measure: &Measure,
        scope: &mut Scope,
    ) -> Result<(String, Conditions), AnswerError> {
        let origin = measure.origin;
        let mut conditions = scope.conditions(measure)?;
        let Some(count) = scope.range.last_runs else {
            conditions.between(origin.at, scope.range.since, scope.range.until);
            return Ok((origin.table.to_owned(), conditions));
        };
        let join = conditions.of_last_runs(scope, count, origin);
        if let Some(first) = self.begin_of_last_runs(scope, count).await? {
            scope.range.since = first;
        }
        let since = scope.range.since.plus_seconds(-GRACE_SECONDS);
        conditions.between(origin.at, since, scope.range.until.plus_seconds(GRACE_SECONDS));
        Ok((format!("{} {join}", origin.table), conditions))
    }

    /// When the oldest of the newest so many runs began.
    async fn begin_of_last_runs(&self, scope: &Scope, count: u32) -> Result<Option<Timestamp>, QueryError> {
        let mut conditions = Conditions::default();
        conditions.of_run(scope);
        conditions.between(BEGUN, scope.range.since, scope.range.until);
        let sql = format!(
            "SELECT min(begun_at) AS first_at FROM (
                SELECT {BEGUN} AS begun_at FROM runs WHERE {} ORDER BY begun_at DESC LIMIT {count}
            )",
            conditions.all()
        );
        let first =
            self.rows(&sql, conditions.parameters()).await?.first(|row| row.optional_time("first_at"))?;
        Ok(first.flatten())
    }

    /// Says that a project, service, branch or pipeline is not known at all, where that is why there are no rows.
    pub(in crate::answers) async fn check_names(&self, scope: &Scope) -> Result<(), AnswerError> {
        for (column, value) in [
            ("project", &scope.project),
            ("service", &scope.service),
            ("pipeline", &scope.pipeline),
            ("branch", &scope.branch),
        ] {
            let Some(value) = value else { continue };
            let sql =
                format!("SELECT DISTINCT {column} AS name FROM runs WHERE {column} IS NOT NULL LIMIT 20000");
            let known = self.rows(&sql, Vec::new()).await?.map(|row| row.text("name"))?;
            if known.contains(value) || known.is_empty() {
                continue;
            }
            let mut near = near_names(value, &known);
            near.truncate(10);
            let shown: String = value.chars().take(64).collect();
            return Err(AnswerError::not_found(format!(
                "no run of a {column} `{shown}` is known; there are {}",
                near.join(", ")
            )));
        }
        Ok(())
    }
}

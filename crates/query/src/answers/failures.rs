//! Failures of tests by cause: those with one fingerprint together (what they said, without numbers, addresses and
//! paths), how often, since when, where, and since which commit.
//!
//! New is a cause of which nothing is known in the 90 days before the time looked at. Executions that failed or broke
//! count, re-runs inside a run included; failures that said nothing have no fingerprint and are one group.

use std::collections::BTreeMap;

use manometer_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Answers;
use super::asking::{
    AnswerError, Asked, Conditions, Flat, FlatCell, Measure, ParameterDoc, Question, RangeShown, Scope,
};

/// Which failures.
#[derive(Debug, Clone)]
pub struct FailuresRequest {
    scope: Scope,
    only_new: bool,
    limit: u32,
}

/// Failures by cause.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct FailuresAnswer {
    /// The time looked at.
    pub range: RangeShown,
    /// Causes in this time, listed or not.
    pub causes_total: u64,
    /// Failures in this time, of all causes.
    pub failures_total: u64,
    /// The causes, the one with most failures first.
    pub causes: Vec<Cause>,
}

/// One cause.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Cause {
    /// What its failures share; null for those that said nothing.
    pub fingerprint: Option<String>,
    /// Was nothing known of it in the 90 days before?
    pub is_new: bool,
    /// How many failures.
    pub failures: u64,
    /// Different tests.
    pub tests: u64,
    /// Different runs.
    pub runs: u64,
    /// Its first failure in this time.
    #[schema(value_type = Option<String>)]
    pub first_at: Option<Timestamp>,
    /// Its last failure.
    #[schema(value_type = Option<String>)]
    pub last_at: Option<Timestamp>,
    /// Exception or assertion type, of the newest.
    pub kind: Option<String>,
    /// What the newest said.
    pub message: Option<String>,
    /// The commit of its first failure in this time.
    pub first_commit: Option<String>,
    /// The branch of that.
    pub first_branch: Option<String>,
    /// The run of its newest failure: CI system.
    pub provider: String,
    /// Repository.
    pub project: String,
    /// Its identity.
    pub run_id: String,
    /// Its attempt.
    pub run_attempt: i64,
    /// Services it occurs in, with how often, most first, at most 20.
    pub services: Vec<Place>,
    /// Branches it occurs on, likewise.
    pub branches: Vec<Place>,
    /// Tests it makes fail, likewise, at most 10.
    pub failing_tests: Vec<FailingTest>,
}

/// Where a cause occurs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct Place {
    /// Name of the service or branch; null where it was not told.
    pub name: Option<String>,
    /// Failures there.
    pub failures: u64,
}

/// A test that a cause makes fail.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct FailingTest {
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
    /// Failures of it by this cause.
    pub failures: u64,
}

const USUAL_DAYS: f64 = 7.0;
const LOOK_BACK_SECONDS: f64 = 90.0 * 86_400.0;
const PLACES: usize = 20;
const TESTS: usize = 10;
/// Causes that are told apart where only the new ones are wanted.
const MOST_CAUSES: usize = 10_000;

impl Question for FailuresRequest {
    const WORD: &'static str = "failures";
    const DOC: &'static str = "Failures of tests by cause: how often, since when, where, since which commit";
    const EXAMPLES: &'static str = "\
Examples:
  manometer ask failures --service payments                          by cause, last 7 days
  manometer ask failures --branch main --new true --since yesterday  what fails since yesterday and never before";
    type Answer = FailuresAnswer;

    fn parameters() -> Vec<ParameterDoc> {
        let own = [
            ParameterDoc {
                name: "new",
                value: "TRUTH",
                doc: "true: only causes of which nothing is known in the 90 days before",
            },
            ParameterDoc {
                name: "limit",
                value: "COUNT",
                doc: "At most so many causes, 1 to 500 [default: 20]",
            },
        ];
        own.into_iter().chain(Scope::parameters().filter(|parameter| parameter.name != "outcome")).collect()
    }

    fn asked(asked: &Asked, now: Timestamp) -> Result<Self, AnswerError> {
        Ok(Self {
            scope: Scope::asked(asked, now, USUAL_DAYS)?,
            only_new: asked.truth("new")?,
            limit: asked.whole("limit", 20, 1..=500)?,
        })
    }

    async fn answer(&self, answers: &Answers) -> Result<FailuresAnswer, AnswerError> {
        let measure = Measure::named("test-failure-rate")?;
        let mut scope = self.scope.clone();
        let (from, mut conditions) = answers.narrowed(measure, &mut scope).await?;
        conditions.push(measure.value);
        let mut answer = FailuresAnswer { range: scope.range.shown(), ..FailuresAnswer::default() };
        let totals = format!(
            "SELECT count(*) AS failures, count(DISTINCT coalesce(failure_fingerprint, '')) AS causes
            FROM {from} WHERE {}",
            conditions.all()
        );
        let counted = answers.rows(&totals, conditions.parameters()).await?;
        if let Some((failures, causes)) =
            counted.first(|row| Ok((row.count("failures")?, row.count("causes")?)))?
        {
            (answer.failures_total, answer.causes_total) = (failures, causes);
        }
        if answer.failures_total == 0 {
            answers.check_names(&self.scope).await?;
            return Ok(answer);
        }
        let listed = if self.only_new { MOST_CAUSES } else { self.limit as usize };
        let mut causes = causes(answers, &from, &conditions, listed).await?;
        mark_new(answers, &self.scope, scope.range.since, &mut causes).await?;
        if self.only_new {
            causes.retain(|cause| cause.is_new);
            causes.truncate(self.limit as usize);
        }
        place(answers, &from, &conditions, &mut causes).await?;
        answer.causes = causes;
        Ok(answer)
    }
}

async fn causes(
    answers: &Answers,
    from: &str,
    conditions: &Conditions,
    limit: usize,
) -> Result<Vec<Cause>, AnswerError> {
    let sql = format!(
        "SELECT failure_fingerprint, count(*) AS failures, count(DISTINCT test_id) AS tests,
            count(DISTINCT run_id) AS runs, min(at) AS first_at, max(at) AS last_at,
            last_value(failure_kind ORDER BY at, run_id) AS kind, last_value(failure_message ORDER BY at, run_id) AS message,
            first_value(commit_sha ORDER BY at, run_id) AS first_commit, first_value(branch ORDER BY at, run_id) AS first_branch,
            last_value(provider ORDER BY at, run_id) AS provider, last_value(project ORDER BY at, run_id) AS project,
            last_value(run_id ORDER BY at, run_id) AS run_id, last_value(run_attempt ORDER BY at, run_id) AS run_attempt
        FROM {from} WHERE {}
        GROUP BY failure_fingerprint ORDER BY failures DESC, last_at DESC, failure_fingerprint LIMIT {limit}",
        conditions.all()
    );
    let found = answers.rows(&sql, conditions.parameters()).await?.map(|row| {
        Ok(Cause {
            fingerprint: row.optional_text("failure_fingerprint")?,
            failures: row.count("failures")?,
            tests: row.count("tests")?,
            runs: row.count("runs")?,
            first_at: row.optional_time("first_at")?,
            last_at: row.optional_time("last_at")?,
            kind: row.optional_text("kind")?,
            message: row.optional_text("message")?,
            first_commit: row.optional_text("first_commit")?,
            first_branch: row.optional_text("first_branch")?,
            provider: row.text("provider")?,
            project: row.text("project")?,
            run_id: row.text("run_id")?,
            run_attempt: row.int("run_attempt")?,
            ..Cause::default()
        })
    })?;
    Ok(found)
}

/// New is what is not among the causes known before, in the same project, whatever the service and branch: there a
/// cause may only have spread.
async fn mark_new(
    answers: &Answers,
    scope: &Scope,
    since: Timestamp,
    causes: &mut [Cause],
) -> Result<(), AnswerError> {
    let mut conditions = Conditions::default();
    if let Some(project) = &scope.project {
        conditions.equal("project", project.clone());
    }
    conditions.between("at", since.plus_seconds(-LOOK_BACK_SECONDS), since);
    conditions.push("status IN ('failed', 'error')");
    let wanted: Vec<&String> = causes.iter().filter_map(|cause| cause.fingerprint.as_ref()).collect();
    let mut known = std::collections::BTreeSet::new();
    for some in wanted.chunks(1_000) {
        let mut of_some = conditions.clone();
        of_these(&mut of_some, some.iter().map(|fingerprint| Some((*fingerprint).clone())));
        let sql = format!("SELECT DISTINCT failure_fingerprint AS name FROM tests WHERE {}", of_some.all());
        known.extend(answers.rows(&sql, of_some.parameters()).await?.map(|row| row.text("name"))?);
    }
    for cause in causes {
        cause.is_new = cause.fingerprint.as_ref().is_some_and(|fingerprint| !known.contains(fingerprint));
    }
    Ok(())
}

/// Only failures of these fingerprints.
fn of_these(conditions: &mut Conditions, fingerprints: impl Iterator<Item = Option<String>>) {
    let mut bound = Vec::new();
    let mut has_none = false;
    for fingerprint in fingerprints {
        match fingerprint {
            Some(known) => bound.push(conditions.bind(known)),
            None => has_none = true,
        }
    }
    let mut choices = Vec::new();
    if !bound.is_empty() {
        choices.push(format!("failure_fingerprint IN ({})", bound.join(", ")));
    }
    if has_none {
        choices.push("failure_fingerprint IS NULL".to_owned());
    }
    if !choices.is_empty() {
        conditions.push(format!("({})", choices.join(" OR ")));
    }
}

/// Where each cause occurs.
async fn place(
    answers: &Answers,
    from: &str,
    conditions: &Conditions,
    causes: &mut [Cause],
) -> Result<(), AnswerError> {
    if causes.is_empty() {
        return Ok(());
    }
    let mut narrowed = conditions.clone();
    of_these(&mut narrowed, causes.iter().map(|cause| cause.fingerprint.clone()));
    let positions: BTreeMap<Option<String>, usize> =
        causes.iter().enumerate().map(|(position, cause)| (cause.fingerprint.clone(), position)).collect();
    for column in ["service", "branch"] {
        let sql = format!(
            "SELECT failure_fingerprint, {column} AS name, count(*) AS failures FROM {from} WHERE {}
            GROUP BY failure_fingerprint, {column} ORDER BY failures DESC, name",
            narrowed.all()
        );
        let found = answers.rows(&sql, narrowed.parameters()).await?.map(|row| {
            let place = Place { name: row.optional_text("name")?, failures: row.count("failures")? };
            Ok((row.optional_text("failure_fingerprint")?, place))
        })?;
        for (fingerprint, place) in found {
            let Some(cause) = positions.get(&fingerprint).and_then(|position| causes.get_mut(*position))
            else {
                continue;
            };
            let places = if column == "service" { &mut cause.services } else { &mut cause.branches };
            if places.len() < PLACES {
                places.push(place);
            }
        }
    }
    let sql = format!(
        "SELECT failure_fingerprint, project, service, test_id, min(classname) AS classname, min(name) AS name,
            count(*) AS failures
        FROM {from} WHERE {} GROUP BY failure_fingerprint, project, service, test_id ORDER BY failures DESC, name",
        narrowed.all()
    );
    let found = answers.rows(&sql, narrowed.parameters()).await?.map(|row| {
        let test = FailingTest {
            project: row.text("project")?,
            service: row.optional_text("service")?,
            test_id: row.text("test_id")?,
            classname: row.optional_text("classname")?,
            name: row.text("name")?,
            failures: row.count("failures")?,
        };
        Ok((row.optional_text("failure_fingerprint")?, test))
    })?;
    for (fingerprint, test) in found {
        let found = positions.get(&fingerprint).and_then(|position| causes.get_mut(*position));
        if let Some(cause) = found.filter(|cause| cause.failing_tests.len() < TESTS) {
            cause.failing_tests.push(test);
        }
    }
    Ok(())
}

impl Flat for FailuresAnswer {
    const COLUMNS: &'static [&'static str] = &[
        "fingerprint",
        "is_new",
        "failures",
        "tests",
        "runs",
        "first_at",
        "last_at",
        "kind",
        "message",
        "first_commit",
        "first_branch",
        "services",
        "branches",
    ];

    fn rows(&self) -> Vec<Vec<FlatCell>> {
        let names = |places: &[Place]| {
            let names: Vec<&str> = places.iter().filter_map(|place| place.name.as_deref()).collect();
            FlatCell::from(names.join(" ").as_str())
        };
        self.causes
            .iter()
            .map(|cause| {
                vec![
                    cause.fingerprint.as_ref().into(),
                    cause.is_new.into(),
                    cause.failures.into(),
                    cause.tests.into(),
                    cause.runs.into(),
                    cause.first_at.into(),
                    cause.last_at.into(),
                    cause.kind.as_ref().into(),
                    cause.message.as_ref().into(),
                    cause.first_commit.as_ref().into(),
                    cause.first_branch.as_ref().into(),
                    names(&cause.services),
                    names(&cause.branches),
                ]
            })
            .collect()
    }
}

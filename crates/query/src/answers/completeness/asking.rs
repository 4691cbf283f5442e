//! Completeness asked by parameters, and told as a table: a line for each service and day of which runs are known.

use manometer_model::Timestamp;

use super::{CompletenessAnswer, CompletenessRequest};
use crate::answers::Answers;
use crate::answers::asking::{AnswerError, Asked, Flat, FlatCell, ParameterDoc, Question};

const USUAL_DAYS: u32 = 30;
const MOST_DAYS: u32 = 366;
const USUAL_LISTED: u32 = 100;
const MOST_LISTED: u32 = 10_000;

impl Question for CompletenessRequest {
    const WORD: &'static str = "completeness";
    const DOC: &'static str =
        "What is complete and what is missing: jobs, test reports and coverage, by service and day";
    const EXAMPLES: &'static str = "\
Examples:
  manometer ask completeness --days 14
  manometer ask completeness --service shipping --limit 1000 --format json
Runs that ended with success, failure, timed_out or error count. What a run should bring is known from its like.";
    type Answer = CompletenessAnswer;

    fn parameters() -> Vec<ParameterDoc> {
        vec![
            ParameterDoc {
                name: "days",
                value: "COUNT",
                doc: "How many days, today (UTC) included, 1 to 366 [default: 30]",
            },
            ParameterDoc {
                name: "project",
                value: "NAME",
                doc: "Only this repository: github.com/acme/shop",
            },
            ParameterDoc { name: "service", value: "NAME", doc: "Only this service" },
            ParameterDoc {
                name: "limit",
                value: "COUNT",
                doc: "At most so many runs that lack something, 1 to 10000 [default: 100]",
            },
        ]
    }

    fn asked(asked: &Asked, now: Timestamp) -> Result<Self, AnswerError> {
        Ok(Self {
            now,
            days: asked.whole("days", USUAL_DAYS, 1..=MOST_DAYS)?,
            project: asked.owned("project"),
            service: asked.owned("service"),
            most_missing: asked.whole("limit", USUAL_LISTED, 1..=MOST_LISTED)?,
        })
    }

    async fn answer(&self, answers: &Answers) -> Result<CompletenessAnswer, AnswerError> {
        Ok(answers.completeness(self).await?)
    }
}

impl Flat for CompletenessAnswer {
    const COLUMNS: &'static [&'static str] = &[
        "day",
        "project",
        "service",
        "runs",
        "expecting_jobs",
        "with_all_jobs",
        "expecting_tests",
        "with_tests",
        "expecting_coverage",
        "with_coverage",
    ];

    fn rows(&self) -> Vec<Vec<FlatCell>> {
        let lines = self.services.iter().flat_map(|service| {
            let told = self.days.iter().zip(&service.per_day);
            told.filter_map(move |(day, told)| {
                let told = (*told)?;
                Some(vec![
                    (*day).into(),
                    (&service.project).into(),
                    service.service.as_deref().into(),
                    told.runs.into(),
                    told.expecting_jobs.into(),
                    told.with_all_jobs.into(),
                    told.expecting_tests.into(),
                    told.with_tests.into(),
                    told.expecting_coverage.into(),
                    told.with_coverage.into(),
                ])
            })
        });
        lines.collect()
    }
}

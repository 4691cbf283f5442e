//! Runs in lists, and the counts of their tests.

use std::collections::BTreeMap;

use super::cells::Row;
use super::{Answers, RunLine, TestCounts};
use crate::{Parameter, QueryError};

/// The columns that [`counts`] reads, over final executions.
pub(super) const COUNTS: &str = "count(*) FILTER (WHERE status = 'passed') AS passed,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE status = 'error') AS error,
    count(*) FILTER (WHERE status = 'skipped') AS skipped";

pub(super) fn counts(row: Row<'_>) -> Result<TestCounts, QueryError> {
    Ok(TestCounts {
        passed: row.count("passed")?,
        failed: row.count("failed")?,
        error: row.count("error")?,
        skipped: row.count("skipped")?,
    })
}

/// A run from a row of the table `runs`.
pub(super) fn run_line(row: Row<'_>) -> Result<RunLine, QueryError> {
    Ok(RunLine {
        provider: row.text("provider")?,
        project: row.text("project")?,
        service: row.optional_text("service")?,
        pipeline: row.optional_text("pipeline")?,
        run_id: row.text("run_id")?,
        attempt: row.int("attempt")?,
        number: row.optional_int("number")?,
        branch: row.optional_text("branch")?,
        commit_sha: row.optional_text("commit_sha")?,
        trigger: row.optional_text("trigger")?,
        actor: row.optional_text("actor")?,
        status: row.optional_text("status")?,
        conclusion: row.optional_text("conclusion")?,
        queued_at: row.optional_time("queued_at")?,
        started_at: row.optional_time("started_at")?,
        finished_at: row.optional_time("finished_at")?,
        queue_seconds: row.optional_float("queue_seconds")?,
        duration_seconds: row.optional_float("duration_seconds")?,
        change_id: row.optional_text("change_id")?,
        url: row.optional_text("url")?,
        tests: None,
    })
}

impl Answers {
    /// Fills in the tests of runs of one project.
    pub(super) async fn count_tests(&self, project: &str, runs: &mut [RunLine]) -> Result<(), QueryError> {
        if runs.is_empty() {
            return Ok(());
        }
        let mut parameters: Vec<Parameter> = vec![project.into()];
        let mut places = Vec::with_capacity(runs.len());
        for run in runs.iter() {
            parameters.push(run.run_id.as_str().into());
            places.push(format!("${}", parameters.len()));
        }
        let sql = format!(
            "SELECT provider, run_id, run_attempt, {COUNTS} FROM tests
            WHERE project = $1 AND is_final AND run_id IN ({}) GROUP BY provider, run_id, run_attempt",
            places.join(", ")
        );
        let counted = self.rows(&sql, parameters).await?.map(|row| {
            Ok(((row.text("provider")?, row.text("run_id")?, row.int("run_attempt")?), counts(row)?))
        })?;
        let by_run: BTreeMap<(String, String, i64), TestCounts> = counted.into_iter().collect();
        for run in runs {
            run.tests = by_run.get(&(run.provider.clone(), run.run_id.clone(), run.attempt)).copied();
        }
        Ok(())
    }
}

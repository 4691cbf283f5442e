//! What can be measured: every duration, rate and size by its word, and where in the tables it stands.

use super::{AnswerError, Asked, ParameterDoc, Unit};
use crate::answers::BEGUN;
use manometer_model::near_names::near_names;

/// Something that is measured.
#[derive(Debug, PartialEq, Eq)]
pub struct Measure {
    /// Its word: `test-duration`.
    pub word: &'static str,
    /// What it is, and over which rows.
    pub doc: &'static str,
    /// Is each value only true or false, so that its mean is a share and it has no quantiles?
    pub is_share: bool,
    /// How more and less of it are called.
    pub ways: Ways,
    /// Its table.
    pub(in crate::answers) origin: &'static Origin,
    /// The value of a row, in SQL; of a share, a condition.
    pub(in crate::answers) value: &'static str,
    /// Which rows count, in SQL.
    pub(in crate::answers) counted: &'static str,
    /// Which rows count where no `name` was asked for, in SQL.
    pub(in crate::answers) unnamed: Option<&'static str>,
    unit: FixedUnit,
}

/// How a change is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ways {
    /// More of it.
    pub more: &'static str,
    /// Less of it.
    pub less: &'static str,
    /// Is more of it worse? `None` where neither is.
    pub more_is_worse: Option<bool>,
}

#[derive(Debug, PartialEq, Eq)]
enum FixedUnit {
    Seconds,
    Share,
    Bytes,
    /// Stands in the column `unit` of each row.
    OfRow,
}

/// A table that values come from, and what its columns are called.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::answers) struct Origin {
    /// The table.
    pub(in crate::answers) table: &'static str,
    /// When a row happened, in SQL.
    pub(in crate::answers) at: &'static str,
    /// The column with the attempt of the run.
    pub(in crate::answers) attempt: &'static str,
    /// The column with the name of the job.
    pub(in crate::answers) job: Option<&'static str>,
    /// The column `name` narrows.
    pub(in crate::answers) name: Option<&'static str>,
    /// Which rows ended well and which badly, in SQL.
    pub(in crate::answers) outcome: Option<(&'static str, &'static str)>,
    /// Further columns by which values can be grouped.
    pub(in crate::answers) further: &'static [&'static str],
    /// What one row is called, and several.
    pub(in crate::answers) rows: (&'static str, &'static str),
}

const ENDED: (&str, &str) = ("conclusion = 'success'", "conclusion IN ('failure', 'timed_out', 'error')");
/// Ended, and says something: a cancelled or skipped one does not.
const JUDGED: &str = "status = 'completed' AND conclusion IN ('success', 'failure', 'timed_out', 'error')";

const RUNS: Origin = Origin {
    table: "runs",
    at: BEGUN,
    attempt: "attempt",
    job: None,
    name: None,
    outcome: Some(ENDED),
    further: &["trigger"],
    rows: ("run", "runs"),
};
const JOBS: Origin = Origin {
    table: "jobs",
    at: "coalesce(started_at, queued_at, finished_at, updated_at)",
    attempt: "run_attempt",
    job: Some("name"),
    name: None,
    outcome: Some(ENDED),
    further: &["runner_pool", "runner_name"],
    rows: ("job", "jobs"),
};
const STEPS: Origin = Origin {
    table: "steps",
    at: "at",
    attempt: "run_attempt",
    job: Some("job_name"),
    name: Some("name"),
    outcome: Some(ENDED),
    further: &[],
    rows: ("step", "steps"),
};
const TESTS: Origin = Origin {
    table: "tests",
    at: "at",
    attempt: "run_attempt",
    job: Some("job_name"),
    name: Some("name"),
    outcome: Some(("status = 'passed'", "status IN ('failed', 'error')")),
    further: &[],
    rows: ("test", "tests"),
};
const BUILDS: Origin = Origin {
    table: "builds",
    at: "at",
    attempt: "run_attempt",
    job: None,
    name: Some("name"),
    outcome: Some(("success", "NOT success")),
    further: &[],
    rows: ("build", "builds"),
};
const COVERAGE: Origin = Origin {
    table: "coverage",
    at: "at",
    attempt: "run_attempt",
    job: None,
    name: Some("name"),
    outcome: None,
    further: &[],
    rows: ("report", "reports"),
};
const ARTIFACTS: Origin = Origin {
    table: "artifacts",
    at: "at",
    attempt: "run_attempt",
    job: None,
    name: Some("name"),
    outcome: None,
    further: &["kind"],
    rows: ("artifact", "artifacts"),
};
const SAMPLES: Origin = Origin {
    table: "samples",
    at: "at",
    attempt: "run_attempt",
    job: None,
    name: Some("name"),
    outcome: None,
    further: &[],
    rows: ("sample", "samples"),
};

const SLOWER: Ways = Ways { more: "slower", less: "faster", more_is_worse: Some(true) };
const LONGER: Ways = Ways { more: "longer", less: "shorter", more_is_worse: Some(true) };
const LARGER: Ways = Ways { more: "larger", less: "smaller", more_is_worse: Some(true) };
const HIGHER_IS_WORSE: Ways = Ways { more: "higher", less: "lower", more_is_worse: Some(true) };
const HIGHER_IS_BETTER: Ways = Ways { more: "higher", less: "lower", more_is_worse: Some(false) };
const HIGHER: Ways = Ways { more: "higher", less: "lower", more_is_worse: None };

const DURATION: Measure = Measure {
    word: "run-duration",
    doc: "working time of runs that ended with success, failure, timed_out or error",
    is_share: false,
    ways: SLOWER,
    origin: &RUNS,
    value: "duration_seconds",
    counted: JUDGED,
    unnamed: None,
    unit: FixedUnit::Seconds,
};

/// Every measure.
pub const MEASURES: &[Measure] = &[
    DURATION,
    Measure {
        word: "job-duration",
        doc: "working time of jobs that ended with success, failure, timed_out or error",
        origin: &JOBS,
        ..DURATION
    },
    Measure {
        word: "step-duration",
        doc: "time of steps that were not skipped",
        origin: &STEPS,
        counted: "conclusion IS DISTINCT FROM 'skipped'",
        ..DURATION
    },
    Measure {
        word: "test-duration",
        doc: "time of executions of tests, re-runs inside a run included, skipped ones not",
        origin: &TESTS,
        counted: "status <> 'skipped'",
        ..DURATION
    },
    Measure {
        word: "build-duration",
        doc: "time of named builds inside runs",
        origin: &BUILDS,
        counted: "true",
        ..DURATION
    },
    Measure {
        word: "queue-time",
        doc: "time that jobs waited for a runner",
        ways: LONGER,
        origin: &JOBS,
        value: "queue_seconds",
        counted: "true",
        ..DURATION
    },
    Measure {
        word: "run-queue-time",
        doc: "time that runs waited before they began",
        ways: LONGER,
        value: "queue_seconds",
        counted: "true",
        ..DURATION
    },
    Measure {
        word: "success-rate",
        doc: "share of success among runs that ended with success, failure, timed_out or error",
        is_share: true,
        ways: HIGHER_IS_BETTER,
        value: ENDED.0,
        unit: FixedUnit::Share,
        ..DURATION
    },
    Measure {
        word: "failure-rate",
        doc: "share of failure, timed_out and error among runs that ended with one of them or success",
        is_share: true,
        ways: HIGHER_IS_WORSE,
        value: ENDED.1,
        unit: FixedUnit::Share,
        ..DURATION
    },
    Measure {
        word: "job-failure-rate",
        doc: "share of failure, timed_out and error among jobs that ended with one of them or success",
        is_share: true,
        ways: HIGHER_IS_WORSE,
        origin: &JOBS,
        value: ENDED.1,
        unit: FixedUnit::Share,
        ..DURATION
    },
    Measure {
        word: "test-failure-rate",
        doc: "share of failed and error among executions of tests, re-runs inside a run included, skipped ones not",
        is_share: true,
        ways: HIGHER_IS_WORSE,
        origin: &TESTS,
        value: "status IN ('failed', 'error')",
        counted: "status <> 'skipped'",
        unit: FixedUnit::Share,
        ..DURATION
    },
    Measure {
        word: "coverage",
        doc: "lines covered / lines valid, of each report's total, or of the package or file asked for by name",
        ways: HIGHER_IS_BETTER,
        origin: &COVERAGE,
        value: "(CAST(lines_covered AS DOUBLE) / CAST(nullif(lines_valid, 0) AS DOUBLE))",
        counted: "true",
        unnamed: Some("scope = 'total'"),
        unit: FixedUnit::Share,
        ..DURATION
    },
    Measure {
        word: "artifact-size",
        doc: "size of what runs produced",
        ways: LARGER,
        origin: &ARTIFACTS,
        value: "CAST(size_bytes AS DOUBLE)",
        counted: "true",
        unit: FixedUnit::Bytes,
        ..DURATION
    },
    Measure {
        word: "sample",
        doc: "values of a free metric, asked for by name",
        ways: HIGHER,
        origin: &SAMPLES,
        value: "value",
        counted: "true",
        unit: FixedUnit::OfRow,
        ..DURATION
    },
];

/// Every execution of tests, skipped ones too: the rows of a history. Nobody asks for it by its word.
pub(in crate::answers) static EVERY_EXECUTION: Measure = Measure {
    word: "test-executions",
    doc: "executions of tests",
    origin: &TESTS,
    counted: "true",
    ..DURATION
};

/// The parameter.
pub(in crate::answers) const PARAMETER: ParameterDoc = ParameterDoc {
    name: "measure",
    value: "MEASURE",
    doc: "What is measured: run-duration, job-duration, step-duration, test-duration, build-duration, queue-time, \
          run-queue-time, success-rate, failure-rate, job-failure-rate, test-failure-rate, coverage, artifact-size, \
          sample (with its name) [default: run-duration]",
};

impl Measure {
    /// The one of that word, which may be written with `_` or a space for `-`.
    ///
    /// # Errors
    /// When there is none; the message names the near ones.
    pub fn named(word: &str) -> Result<&'static Self, AnswerError> {
        let plain = word.trim().to_lowercase().replace([' ', '_'], "-");
        MEASURES.iter().find(|measure| measure.word == plain).ok_or_else(|| {
            let words: Vec<String> = MEASURES.iter().map(|measure| measure.word.to_owned()).collect();
            let near = near_names(&plain, &words).join(", ");
            Asked::refused("measure", word, &format!("a measure; there are {near}"))
        })
    }

    /// The one that was asked for.
    ///
    /// # Errors
    /// When it is none, or one that needs a name and has none.
    pub(in crate::answers) fn asked(asked: &Asked) -> Result<&'static Self, AnswerError> {
        let measure = asked.text(PARAMETER.name).map_or(Ok(&DURATION), Self::named)?;
        if measure.unit == FixedUnit::OfRow && asked.text("name").is_none() {
            return Err(AnswerError::asked(
                "name: a sample is asked for by its name; `select distinct name from samples` lists them",
            ));
        }
        Ok(measure)
    }

    /// Its unit; of a free metric the one its rows name.
    pub(in crate::answers) fn unit(&self, of_rows: Option<&str>) -> Unit {
        match self.unit {
            FixedUnit::Seconds => Unit::Seconds,
            FixedUnit::Share => Unit::Share,
            FixedUnit::Bytes => Unit::Bytes,
            FixedUnit::OfRow => Unit::from(of_rows.unwrap_or_default().to_owned()),
        }
    }

    /// Columns of an aggregate query over its rows: `count`, `mean`, `p50`, `p95`, `p99`, `unit`.
    pub(in crate::answers) fn figures(&self) -> String {
        let value = self.value;
        let unit = if self.unit == FixedUnit::OfRow { "min(unit)" } else { "NULL" };
        if self.is_share {
            return format!(
                "count({value}) AS count, avg(CASE WHEN {value} THEN 1.0 ELSE 0.0 END) AS mean, {unit} AS unit"
            );
        }
        format!(
            "count({value}) AS count, avg({value}) AS mean, p50({value}) AS p50, p95({value}) AS p95,
                p99({value}) AS p99, {unit} AS unit"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_is_listed_where_people_look_for_it() {
        for measure in MEASURES {
            assert!(PARAMETER.doc.contains(measure.word), "{}", measure.word);
            assert_eq!(
                Measure::named(&measure.word.replace('-', "_")).map(|found| found.word),
                Ok(measure.word)
            );
        }
    }

    #[test]
    fn a_slip_finds_its_measure() {
        let message = Measure::named("test-durations").unwrap_err().to_string();
        assert!(
            message.starts_with("measure: `test-durations`") && message.contains("test-duration"),
            "{message}"
        );
    }
}

//! Answers: questions the pages ask, each a typed request and a typed result.
//!
//! An answer is one SQL text, or a few over the same snapshot, with the request's values bound as
//! parameters: nothing a person typed is ever part of the text. Formulas stand at the fields they make.

mod asking;
mod cells;
mod compare;
mod completeness;
mod failures;
mod history;
mod run;
mod runs;
mod search;
mod service;
mod services;
mod slowest;
mod test;
mod trend;

use std::sync::Arc;

pub use self::asking::{
    AnswerError, Asked, Flat, FlatCell, MEASURES, Measure, ParameterDoc, Question, Range, RangeShown, Scope,
    Unit, Ways, count,
};
pub use self::compare::{Anchor, CompareAnswer, CompareRequest, Compared, Side};
pub use self::completeness::{
    CompletenessAnswer, CompletenessRequest, DayCompleteness, MissingRun, ServiceCompleteness, SilentDay,
};
pub use self::failures::{Cause, FailingTest, FailuresAnswer, FailuresRequest, Place};
pub use self::history::{HistoryAnswer, HistoryRequest, OfBranch, OfCommit, OneExecution, Outcomes};
pub use self::run::{
    ArtifactLine, BuildLine, CoverageLine, FailureLine, JobLine, RunAnswer, RunRequest, SampleLine,
    SlowTestLine, StepLine,
};
pub use self::search::{FoundTest, SearchRequest};
pub use self::service::{DurationPoint, ServiceAnswer, ServiceRequest, TestLine};
pub use self::services::{ServiceLine, ServicesAnswer, ServicesRequest};
pub use self::slowest::{SlowLine, SlowestAnswer, SlowestRequest};
pub use self::test::{Execution, FailureGroup, TestAnswer, TestRequest, WeekdayLine};
pub use self::trend::{Bucket, Figures, Series, TrendAnswer, TrendPoint, TrendRequest};
use crate::{Access, Engine, Source};

use manometer_model::Timestamp;
use serde::Serialize;

/// Answers questions over one moment of the store, for one access.
#[derive(Debug, Clone)]
pub struct Answers {
    engine: Engine,
    source: Arc<dyn Source>,
    access: Access,
}

impl Answers {
    /// Over this snapshot, for this access.
    pub fn new(engine: Engine, source: Arc<dyn Source>, access: Access) -> Self {
        Self { engine, source, access }
    }
}

/// When a run began, as far as anything tells: for columns of the table `runs`.
const BEGUN: &str = "coalesce(started_at, queued_at, finished_at, updated_at)";

/// A run in a list.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct RunLine {
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
    /// Number shown to people.
    pub number: Option<i64>,
    /// Source branch.
    pub branch: Option<String>,
    /// Commit built.
    pub commit_sha: Option<String>,
    /// What started it.
    pub trigger: Option<String>,
    /// Who started it.
    pub actor: Option<String>,
    /// How far it is; `None` when only reports of the run are known.
    pub status: Option<String>,
    /// How it ended.
    pub conclusion: Option<String>,
    /// When it was asked for.
    pub queued_at: Option<Timestamp>,
    /// When work began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Waiting time.
    pub queue_seconds: Option<f64>,
    /// Working time.
    pub duration_seconds: Option<f64>,
    /// Pull or merge request number.
    pub change_id: Option<String>,
    /// Page of the run at its provider.
    pub url: Option<String>,
    /// Its tests by status; `None` when no report of it is known, which is not the same as no tests.
    pub tests: Option<TestCounts>,
}

/// Final executions of tests by status: a test run again inside one run counts once, with its last status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct TestCounts {
    /// Ended as they should.
    pub passed: u64,
    /// An expectation did not hold.
    pub failed: u64,
    /// Something else broke.
    pub error: u64,
    /// Did not run, on purpose.
    pub skipped: u64,
}

impl TestCounts {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.passed + self.failed + self.error + self.skipped
    }
}

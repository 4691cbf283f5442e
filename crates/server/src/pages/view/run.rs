//! `/run`: one run with its jobs, steps, tests and what else it left behind.

use askama::Template;

use super::Choice;
use crate::pages::drawing::{Span, Tick};
use crate::pages::layout::{Layout, Section};
use crate::pages::shown::{Bytes, Clipped, Count, Moment, Outcome, Seconds, Share};

/// The page.
#[derive(Debug, Template)]
#[template(path = "run.html")]
pub(crate) struct RunPage {
    pub(crate) layout: Layout,
    pub(crate) heading: String,
    pub(crate) project: String,
    pub(crate) provider: String,
    pub(crate) service: String,
    pub(crate) service_url: String,
    /// Page of the run at its provider.
    pub(crate) outside_url: Option<String>,
    pub(crate) outcome: Outcome,
    pub(crate) facts: Vec<Fact>,
    pub(crate) queued: Moment,
    pub(crate) started: Moment,
    pub(crate) finished: Moment,
    pub(crate) queue: Seconds,
    pub(crate) duration: Seconds,
    pub(crate) attempts: Vec<Choice>,
    /// What is missing, said plainly.
    pub(crate) missing: Vec<String>,
    pub(crate) ticks: Vec<Tick>,
    pub(crate) jobs: Vec<JobRow>,
    pub(crate) jobs_total: Count,
    /// `None` where no report came.
    pub(crate) tests: Option<TestsSummary>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) failures_total: Count,
    pub(crate) slowest: Vec<SlowTest>,
    pub(crate) coverage: Vec<CoverageRow>,
    pub(crate) artifacts: Vec<ArtifactRow>,
    pub(crate) builds: Vec<BuildRow>,
    pub(crate) samples: Vec<SampleRow>,
    /// Which of the lists above were cut.
    pub(crate) cuts: Vec<String>,
    pub(crate) sql_url: String,
}

/// One fact of the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    /// All of it, where the value is shortened.
    pub(crate) full: Option<String>,
    /// Set in the type of code.
    pub(crate) is_code: bool,
}

/// One job as a lane of the timeline.
#[derive(Debug)]
pub(crate) struct JobRow {
    pub(crate) name: String,
    pub(crate) stage: String,
    pub(crate) outcome: Outcome,
    pub(crate) queue: Seconds,
    pub(crate) duration: Seconds,
    pub(crate) queue_span: Option<Span>,
    pub(crate) run_span: Option<Span>,
    pub(crate) runner: String,
    pub(crate) failure_reason: Clipped,
    pub(crate) outside_url: Option<String>,
    pub(crate) steps: Vec<StepRow>,
    pub(crate) steps_cut: bool,
    pub(crate) open: bool,
}

/// One step of a job.
#[derive(Debug)]
pub(crate) struct StepRow {
    pub(crate) number: i64,
    pub(crate) name: String,
    pub(crate) outcome: Outcome,
    pub(crate) duration: Seconds,
    pub(crate) span: Option<Span>,
    pub(crate) exit_code: Option<i64>,
}

/// Test results, counted.
#[derive(Debug)]
pub(crate) struct TestsSummary {
    pub(crate) total: Count,
    pub(crate) passed: Count,
    pub(crate) failed: Count,
    pub(crate) errors: Count,
    pub(crate) skipped: Count,
    /// Passed, of those that were executed.
    pub(crate) passed_share: Share,
}

/// One test that did not pass.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) classname: String,
    pub(crate) outcome: Outcome,
    pub(crate) duration: Seconds,
    pub(crate) job: String,
    pub(crate) place: String,
    pub(crate) kind: String,
    pub(crate) message: Clipped,
    pub(crate) details: Clipped,
    pub(crate) attempts: String,
}

/// One of the tests that took longest.
#[derive(Debug)]
pub(crate) struct SlowTest {
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) place: String,
    pub(crate) outcome: Outcome,
    pub(crate) duration: Seconds,
}

/// Coverage of one scope.
#[derive(Debug)]
pub(crate) struct CoverageRow {
    pub(crate) scope: String,
    pub(crate) name: String,
    pub(crate) lines: Share,
    pub(crate) lines_of: Count,
    pub(crate) branches: Share,
}

/// One artifact.
#[derive(Debug)]
pub(crate) struct ArtifactRow {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) size: Bytes,
}

/// One named build.
#[derive(Debug)]
pub(crate) struct BuildRow {
    pub(crate) name: String,
    pub(crate) duration: Seconds,
    pub(crate) outcome: Outcome,
}

/// One value of a free metric.
#[derive(Debug)]
pub(crate) struct SampleRow {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) unit: String,
}

//! What reports themselves tell of the run they belong to.

use manometer_formats::test_report::Summary;
use manometer_model::records::Run;
use manometer_model::{Conclusion, Row as _, Status, Timestamp};

use crate::context::Context;
use crate::error::IngestError;
use crate::name::Name;
use crate::rows::RowSink;

/// What the reports of an upload say together.
#[derive(Debug, Default)]
pub(super) struct RunClaims {
    reports: u64,
    tests: u64,
    failures: u64,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    duration_seconds: Option<f64>,
}

impl RunClaims {
    /// Adds one file, with its tests that count as failed.
    pub(super) fn add(&mut self, summary: &Summary, failures: u64) {
        self.reports += 1;
        self.tests += summary.tests;
        self.failures += failures;
        if let Some(seconds) = summary.duration_seconds {
            self.duration_seconds = Some(self.duration_seconds.unwrap_or(0.0) + seconds);
        }
        let Some(started_at) = summary.started_at else { return };
        let finished_at = started_at.plus_seconds(summary.duration_seconds.unwrap_or(0.0));
        self.started_at = Some(self.started_at.map_or(started_at, |known| known.min(started_at)));
        self.finished_at = Some(self.finished_at.map_or(finished_at, |known| known.max(finished_at)));
    }

    /// Adds a file that says that the run was, and nothing of how it ended.
    pub(super) fn add_measured(&mut self) {
        self.reports += 1;
    }

    /// Did any report say anything?
    pub(super) fn has_reports(&self) -> bool {
        self.reports > 0
    }

    /// Writes the observation of the run.
    pub(super) fn append(
        &self,
        context: &Context,
        received_at: Timestamp,
        writer: &mut dyn RowSink,
    ) -> Result<(), IngestError> {
        writer.append(Run::table(), &self.run(context, received_at).values())?;
        if context.is_local() {
            return Ok(());
        }
        writer.append(Run::table(), &service_of_run(context, received_at).values())
    }

    /// The run as the reports show it.
    ///
    /// Of a local run nobody else will tell, so the reports say that it ended, and how. Where a CI system tells of
    /// the run too, its word counts: reports arrive while other jobs still run, and a test may fail without failing
    /// the run. So they claim neither status nor conclusion nor end then, and whatever the CI system says of the
    /// rest outranks them, as their observation has no status.
    ///
    /// A failure carries the time of receipt and a success none: of two uploads of one run (shards), the failed one
    /// then decides, in whichever order they arrive.
    fn run(&self, context: &Context, received_at: Timestamp) -> Run {
        let text = |name: &Option<Name>| name.as_ref().map(|name| name.as_str().to_owned());
        let is_local = context.is_local();
        let failed = self.failures > 0;
        let conclusion = if failed { Conclusion::Failure } else { Conclusion::Success };
        Run {
            provider: context.provider.as_str().to_owned(),
            project: context.project.as_str().to_owned(),
            service: is_local.then(|| context.service.as_str().to_owned()),
            pipeline: text(&context.pipeline),
            run_id: text(&context.run_id).unwrap_or_default(),
            attempt: context.attempt,
            number: context.number,
            branch: text(&context.branch),
            is_default_branch: context.is_default_branch,
            commit_sha: text(&context.commit_sha),
            trigger: text(&context.trigger),
            actor: text(&context.actor),
            status: is_local.then_some(Status::Completed),
            conclusion: (is_local && self.tests > 0).then_some(conclusion),
            started_at: context.started_at.or(self.started_at).or(is_local.then_some(received_at)),
            finished_at: self.finished_at.filter(|_| is_local),
            duration_seconds: self.wall_seconds().filter(|_| is_local),
            change_id: text(&context.change_id),
            url: text(&context.url),
            labels: context.labels.clone(),
            updated_at: (is_local && failed).then_some(received_at),
            ..Run::default()
        }
    }

    /// From the first start to the last end where files state times, else their durations one after the other.
    fn wall_seconds(&self) -> Option<f64> {
        match (self.started_at, self.finished_at) {
            (Some(start), Some(end)) if end > start => Some(end.seconds_since(start)),
            _ => self.duration_seconds,
        }
    }
}

/// What an upload says of the service of a run that others tell of too. A service that was told carries the time of
/// receipt, so that it wins over one that is no more than the project's name, whoever assumed that and whichever comes
/// first; one that was assumed is the weakest observation there is.
fn service_of_run(context: &Context, received_at: Timestamp) -> Run {
    Run {
        provider: context.provider.as_str().to_owned(),
        project: context.project.as_str().to_owned(),
        run_id: context.run_id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default(),
        attempt: context.attempt,
        service: Some(context.service.as_str().to_owned()),
        updated_at: context.service_is_told.then_some(received_at),
        ..Run::default()
    }
}

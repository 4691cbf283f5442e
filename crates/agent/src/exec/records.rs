//! A run as records of the model, for servers and exporters.

use manometer_exporters::trace::TRACEPARENT_LABEL;
use manometer_model::records::{Artifact, Build, Job, Run, Sample, Span, Step};
use manometer_model::{Conclusion, Labels, Record, Status, Timestamp};

use super::record::run_record;
use super::{Measured, metrics};
use crate::measure::megabytes;
use crate::metric::Unit;
use crate::run::Ending;
use crate::steps::ToldStep;

/// The one job of a run that no CI system runs.
pub(super) const LOCAL_JOB: &str = "exec";

/// Fills the columns that say which run a fact belongs to.
macro_rules! of_run {
    ($type:ident, $owner:expr, $($field:ident: $value:expr),* $(,)?) => {
        $type {
            provider: $owner.surroundings.provider.clone(),
            project: $owner.surroundings.project.clone(),
            service: $owner.surroundings.service.clone(),
            run_attempt: $owner.surroundings.attempt,
            $($field: $value,)*
        }
    };
}

/// Everything a run brings forth, except its reports.
pub fn records(measured: &Measured) -> Vec<Record> {
    let making = Making {
        surroundings: &measured.surroundings,
        run: measured.surroundings.run_id.clone().unwrap_or_else(|| measured.run_id.clone()),
        job: measured.surroundings.job_id.clone().unwrap_or_else(|| LOCAL_JOB.to_owned()),
        at: measured.finished_at(),
        measured,
    };
    let mut records = Vec::new();
    if measured.surroundings.is_local() {
        records.push(making.own_run());
        records.push(making.own_job());
    } else {
        records.push(making.own_step());
        records.push(making.own_span());
    }
    if !metrics::is_of_tests(&measured.plan.kind) {
        records.push(making.build());
    }
    records.extend(measured.artifacts.iter().map(|artifact| making.artifact(artifact)));
    // What the local store holds of this run, so that the same commands read it here and on a server.
    records.extend(run_record(measured).to_samples(&making.place()).into_iter().map(Record::from));
    for sample in measured.series.samples() {
        let at = measured.started_at.plus_seconds(sample.at_seconds);
        records.push(making.sample("cpu.load", sample.cpu_percent, at));
        records.push(making.sample("ram.used_mb", megabytes(sample.memory_bytes), at));
    }
    for (position, step) in measured.steps.iter().enumerate() {
        records.push(making.step(step, position));
        records.push(making.span(step));
    }
    records
}

struct Making<'a> {
    measured: &'a Measured,
    surroundings: &'a crate::surroundings::Surroundings,
    run: String,
    job: String,
    at: Timestamp,
}

fn conclusion(ending: Ending) -> Conclusion {
    match ending {
        Ending::Code(0) => Conclusion::Success,
        // Ctrl-C, a hang-up or a polite request to end: somebody wanted that.
        Ending::Signal(1 | 2 | 15) => Conclusion::Cancelled,
        Ending::Code(_) | Ending::Signal(_) => Conclusion::Failure,
    }
}

impl Making<'_> {
    fn labels(&self) -> Labels {
        let mut labels = self.measured.plan.tags.clone();
        labels.insert("type".to_owned(), self.measured.plan.kind.clone());
        if let Some(parent) = self.measured.plan.trace {
            labels.insert(TRACEPARENT_LABEL.to_owned(), parent.to_string());
        }
        labels
    }

    fn own_run(&self) -> Record {
        let (measured, surroundings) = (self.measured, self.surroundings);
        Run {
            provider: surroundings.provider.clone(),
            project: surroundings.project.clone(),
            service: surroundings.service.clone(),
            pipeline: Some(measured.plan.name.clone()),
            run_id: self.run.clone(),
            attempt: surroundings.attempt,
            branch: surroundings.branch.clone(),
            commit_sha: surroundings.commit_sha.clone(),
            trigger: Some("manual".to_owned()),
            actor: surroundings.actor.clone(),
            status: Some(Status::Completed),
            conclusion: Some(conclusion(measured.ending)),
            started_at: Some(measured.started_at),
            finished_at: Some(self.at),
            duration_seconds: Some(measured.wall_seconds),
            trace_id: Some(measured.span.trace_id.to_string()),
            labels: self.labels(),
            updated_at: Some(self.at),
            ..Run::default()
        }
        .into()
    }

    fn own_job(&self) -> Record {
        let (measured, surroundings) = (self.measured, self.surroundings);
        Job {
            provider: surroundings.provider.clone(),
            project: surroundings.project.clone(),
            service: surroundings.service.clone(),
            pipeline: Some(measured.plan.name.clone()),
            run_id: self.run.clone(),
            run_attempt: surroundings.attempt,
            job_id: self.job.clone(),
            name: Some(measured.plan.name.clone()),
            branch: surroundings.branch.clone(),
            commit_sha: surroundings.commit_sha.clone(),
            status: Some(Status::Completed),
            conclusion: Some(conclusion(measured.ending)),
            started_at: Some(measured.started_at),
            finished_at: Some(self.at),
            duration_seconds: Some(measured.wall_seconds),
            runner_os: Some(std::env::consts::OS.to_owned()),
            runner_arch: Some(std::env::consts::ARCH.to_owned()),
            updated_at: Some(self.at),
            ..Job::default()
        }
        .into()
    }

    /// In CI the run and its job are the CI system's; this execution is a step of the job.
    fn own_step(&self) -> Record {
        let measured = self.measured;
        of_run!(Step, self,
            pipeline: self.surroundings.pipeline.clone(),
            run_id: self.run.clone(),
            job_id: self.job.clone(),
            job_name: self.surroundings.job_name.clone(),
            branch: self.surroundings.branch.clone(),
            commit_sha: self.surroundings.commit_sha.clone(),
            number: 1,
            name: Some(measured.plan.name.clone()),
            conclusion: Some(conclusion(measured.ending)),
            started_at: Some(measured.started_at),
            finished_at: Some(self.at),
            duration_seconds: Some(measured.wall_seconds),
            exit_code: Some(i64::from(measured.ending.exit_code())),
            at: self.at,
        )
        .into()
    }

    fn own_span(&self) -> Record {
        let measured = self.measured;
        let status = if measured.ending.is_success() { "ok" } else { "error" };
        let mut attributes = self.measured.plan.tags.clone();
        attributes.insert("process.exit.code".to_owned(), measured.ending.exit_code().to_string());
        of_run!(Span, self,
            run_id: Some(self.run.clone()),
            job_id: Some(self.job.clone()),
            trace_id: measured.span.trace_id.to_string(),
            span_id: measured.span.span_id.to_string(),
            parent_span_id: measured.plan.trace.map(|parent| parent.span_id.to_string()),
            name: measured.plan.name.clone(),
            kind: Some("internal".to_owned()),
            status: Some(status.to_owned()),
            duration_seconds: Some(measured.wall_seconds),
            attributes: attributes,
            at: measured.started_at,
        )
        .into()
    }

    fn build(&self) -> Record {
        let measured = self.measured;
        of_run!(Build, self,
            pipeline: self.pipeline(),
            run_id: self.run.clone(),
            job_id: Some(self.job.clone()),
            branch: self.surroundings.branch.clone(),
            commit_sha: self.surroundings.commit_sha.clone(),
            name: measured.plan.name.clone(),
            duration_seconds: Some(measured.wall_seconds),
            success: Some(measured.ending.is_success()),
            at: self.at,
        )
        .into()
    }

    fn artifact(&self, artifact: &crate::artifacts::Artifact) -> Record {
        of_run!(Artifact, self,
            pipeline: self.pipeline(),
            run_id: self.run.clone(),
            job_id: Some(self.job.clone()),
            branch: self.surroundings.branch.clone(),
            commit_sha: self.surroundings.commit_sha.clone(),
            name: artifact.name.clone(),
            kind: Some(artifact.kind.as_str().to_owned()),
            size_bytes: i64::try_from(artifact.size_bytes).unwrap_or(i64::MAX),
            at: self.at,
        )
        .into()
    }

    fn sample(&self, name: &str, value: f64, at: Timestamp) -> Record {
        let unit = Some(Unit::of(name).word().to_owned());
        let mut sample = Sample { name: name.to_owned(), value, unit, at, ..self.place() };
        sample.tags.insert("type".to_owned(), self.measured.plan.kind.clone());
        sample.into()
    }

    /// A sample with what all samples of this run have in common.
    fn place(&self) -> Sample {
        of_run!(Sample, self,
            pipeline: self.pipeline(),
            run_id: Some(self.run.clone()),
            job_id: Some(self.job.clone()),
            branch: self.surroundings.branch.clone(),
            commit_sha: self.surroundings.commit_sha.clone(),
            name: String::new(),
            value: 0.0,
            unit: None,
            tags: self.measured.plan.tags.clone(),
            at: self.at,
        )
    }

    fn step(&self, step: &ToldStep, position: usize) -> Record {
        // In CI the first number is that of this execution itself.
        let first = if self.surroundings.is_local() { 1 } else { 2 };
        of_run!(Step, self,
            pipeline: self.pipeline(),
            run_id: self.run.clone(),
            job_id: self.job.clone(),
            job_name: self.surroundings.job_name.clone(),
            branch: self.surroundings.branch.clone(),
            commit_sha: self.surroundings.commit_sha.clone(),
            number: i64::try_from(position).unwrap_or(i64::MAX).saturating_add(first),
            name: Some(step.name.clone()),
            conclusion: Some(step_conclusion(step)),
            started_at: Some(step.started_at),
            finished_at: step.finished_at(),
            duration_seconds: step.end.map(|end| end.duration_seconds),
            exit_code: step.end.map(|end| i64::from(end.exit_code)),
            at: step.finished_at().unwrap_or(self.at),
        )
        .into()
    }

    fn span(&self, step: &ToldStep) -> Record {
        let status = match step_conclusion(step) {
            Conclusion::Success => "ok",
            _ => "error",
        };
        let mut attributes = Labels::from([("process.command_line".to_owned(), step.command.clone())]);
        if let Some(end) = step.end {
            attributes.insert("process.exit.code".to_owned(), end.exit_code.to_string());
        }
        let parent = step.parent_span_id.clone().unwrap_or_else(|| self.measured.span.span_id.to_string());
        of_run!(Span, self,
            run_id: Some(self.run.clone()),
            job_id: Some(self.job.clone()),
            trace_id: self.measured.span.trace_id.to_string(),
            span_id: step.span_id.clone(),
            parent_span_id: Some(parent),
            name: step.name.clone(),
            kind: Some("internal".to_owned()),
            status: Some(status.to_owned()),
            duration_seconds: step.end.map(|end| end.duration_seconds),
            attributes: attributes,
            at: step.started_at,
        )
        .into()
    }

    fn pipeline(&self) -> Option<String> {
        self.surroundings.pipeline.clone().or_else(|| Some(self.measured.plan.name.clone()))
    }
}

/// A step that never told its end was killed, or outlives the command.
fn step_conclusion(step: &ToldStep) -> Conclusion {
    match step.end.map(|end| end.exit_code) {
        Some(0) => Conclusion::Success,
        Some(_) => Conclusion::Failure,
        None => Conclusion::Cancelled,
    }
}

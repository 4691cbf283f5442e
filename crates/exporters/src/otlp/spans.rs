//! Runs, jobs, steps and tests as spans.
//!
//! ```text
//! (TRACEPARENT the run was started with)
//!  └─ run   SERVER    "RUN {pipeline}"
//!      ├─ job   INTERNAL  "{job}"
//!      │   ├─ step  INTERNAL  "{step}"
//!      │   └─ test  INTERNAL  "{test}"
//!      └─ step of no job
//! ```
//!
//! Only what has ended and has a beginning makes a span. `span` records go out as they are; a step that has the
//! name and beginning of one of them is not told twice.

use std::collections::{HashMap, HashSet};

use manometer_model::records::{Job, Run, Span as SpanRecord, Step, Test};
use manometer_model::{Conclusion, Record, TestStatus, Timestamp};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

use super::attributes::{Attributes, Owner, error_type, owner_of, result};
use super::trace::{SpanId, TraceId, TraceParent, span_of_text};
use crate::records::{Batch, RunKey, run_key};

/// Traces of runs that were told of before: a job may come in a later batch than its run.
#[derive(Debug, Default)]
pub(super) struct Traces(HashMap<(String, String, String, i64), TraceId>);

/// Most runs that are remembered; then remembering begins anew.
const MOST_REMEMBERED: usize = 10_000;

impl Traces {
    fn remember(&mut self, run: &Run) {
        if self.0.len() >= MOST_REMEMBERED {
            self.0.clear();
        }
        let key = (run.provider.clone(), run.project.clone(), run.run_id.clone(), run.attempt.max(1));
        self.0.insert(key, TraceId::of_run(run));
    }

    fn of(&self, key: RunKey<'_>) -> TraceId {
        let owned = (key.provider.to_owned(), key.project.to_owned(), key.run_id.to_owned(), key.attempt);
        let known = self.0.get(&owned).copied();
        known.unwrap_or_else(|| TraceId::of_run_key(key.provider, key.project, key.run_id, key.attempt))
    }
}

/// The spans of some records, each with the one it belongs to.
pub(super) fn spans(batch: &Batch<'_>, traces: &mut Traces, with_tests: bool) -> Vec<(Owner, Span)> {
    batch.runs().for_each(|run| traces.remember(run));
    let told: HashSet<(&str, Timestamp)> = batch
        .records
        .iter()
        .filter_map(|record| match record {
            Record::Span(span) => Some((span.name.as_str(), span.at)),
            _ => None,
        })
        .collect();
    let made = batch.records.iter().filter_map(|record| match record {
        Record::Run(run) => Some((owner_of!(run), of_run(run)?)),
        Record::Job(job) => Some((owner_of!(job), of_job(job, traces)?)),
        Record::Step(step) => {
            let name = step.name.as_deref().unwrap_or_default();
            let is_told = step.started_at.is_some_and(|at| told.contains(&(name, at)));
            if is_told { None } else { Some((owner_of!(step), of_step(step, traces)?)) }
        }
        Record::Test(test) if with_tests => Some((owner_of!(test), of_test(test, traces)?)),
        Record::Span(span) => Some((owner_of!(span), of_span(span)?)),
        _ => None,
    });
    made.collect()
}

fn span_of(key: RunKey<'_>) -> SpanId {
    SpanId::of_run(key.provider, key.project, key.run_id, key.attempt)
}

/// The span a part of a job hangs from: the job's, or the run's where no job is named.
fn parent_of(key: RunKey<'_>, job_id: Option<&str>) -> SpanId {
    match job_id.filter(|id| !id.is_empty()) {
        Some(id) => span_of(key).of_part(id),
        None => span_of(key),
    }
}

fn of_run(run: &Run) -> Option<Span> {
    let conclusion = run.conclusion?;
    let (start, end) = times(run.started_at, run.finished_at, run.duration_seconds)?;
    let key = RunKey::of(run);
    let mut attributes = Attributes::default();
    attributes.text("cicd.pipeline.name", run.pipeline.as_deref());
    attributes.text("cicd.pipeline.run.id", Some(&run.run_id));
    attributes.text("cicd.pipeline.run.url.full", run.url.as_deref());
    attributes.text("cicd.pipeline.action.name", Some("RUN"));
    attributes.text("cicd.pipeline.result", Some(result(conclusion)));
    attributes.text("error.type", error_type(conclusion));
    attributes.text("vcs.ref.head.name", run.branch.as_deref());
    attributes.text("vcs.ref.head.revision", run.commit_sha.as_deref());
    attributes.text("vcs.change.id", run.change_id.as_deref());
    attributes.number("manometer.run.attempt", Some(run.attempt));
    attributes.text("manometer.run.trigger", run.trigger.as_deref());
    let name = run.pipeline.as_deref().map_or_else(|| "RUN".to_owned(), |pipeline| format!("RUN {pipeline}"));
    Some(Span {
        trace_id: TraceId::of_run(run).to_bytes().to_vec(),
        span_id: span_of(key).to_bytes().to_vec(),
        parent_span_id: parent_bytes(TraceParent::of_run(run).map(|parent| parent.span_id)),
        name,
        kind: SpanKind::Server.into(),
        start_time_unix_nano: start,
        end_time_unix_nano: end,
        attributes: attributes.finish(),
        status: Some(status(conclusion, None)),
        ..Span::default()
    })
}

fn of_job(job: &Job, traces: &Traces) -> Option<Span> {
    let conclusion = job.conclusion?;
    let (start, end) = times(job.started_at, job.finished_at, job.duration_seconds)?;
    let key = run_key!(job);
    let mut attributes = Attributes::default();
    let name = job.name.as_deref().unwrap_or(&job.job_id);
    attributes.text("cicd.pipeline.name", job.pipeline.as_deref());
    attributes.text("cicd.pipeline.run.id", Some(&job.run_id));
    attributes.text("cicd.pipeline.task.name", Some(name));
    attributes.text("cicd.pipeline.task.run.id", Some(&job.job_id));
    attributes.text("cicd.pipeline.task.run.url.full", job.url.as_deref());
    attributes.text("cicd.pipeline.task.run.result", Some(result(conclusion)));
    attributes.text("error.type", error_type(conclusion));
    attributes.text("cicd.worker.id", job.runner_id.as_deref());
    attributes.text("cicd.worker.name", job.runner_name.as_deref());
    Some(Span {
        trace_id: traces.of(key).to_bytes().to_vec(),
        span_id: parent_of(key, Some(&job.job_id)).to_bytes().to_vec(),
        parent_span_id: span_of(key).to_bytes().to_vec(),
        name: name.to_owned(),
        kind: SpanKind::Internal.into(),
        start_time_unix_nano: start,
        end_time_unix_nano: end,
        attributes: attributes.finish(),
        status: Some(status(conclusion, job.failure_reason.as_deref())),
        ..Span::default()
    })
}

fn of_step(step: &Step, traces: &Traces) -> Option<Span> {
    let (start, end) = times(step.started_at, step.finished_at, step.duration_seconds)?;
    let key = run_key!(step);
    let parent = parent_of(key, Some(&step.job_id));
    let number = step.number.to_string();
    let name = step.name.as_deref().unwrap_or(&number);
    let mut attributes = Attributes::default();
    attributes.text("cicd.pipeline.run.id", Some(&step.run_id));
    attributes.text("cicd.pipeline.task.name", Some(name));
    attributes.text("cicd.pipeline.task.run.id", Some(&format!("{}/{number}", step.job_id)));
    attributes.text("cicd.pipeline.task.run.result", step.conclusion.map(result));
    attributes.text("error.type", step.conclusion.and_then(error_type));
    attributes.number("process.exit.code", step.exit_code);
    Some(Span {
        trace_id: traces.of(key).to_bytes().to_vec(),
        span_id: parent.of_part(&number).to_bytes().to_vec(),
        parent_span_id: parent.to_bytes().to_vec(),
        name: name.to_owned(),
        kind: SpanKind::Internal.into(),
        start_time_unix_nano: start,
        end_time_unix_nano: end,
        attributes: attributes.finish(),
        status: step.conclusion.map(|conclusion| status(conclusion, None)),
        ..Span::default()
    })
}

fn of_test(test: &Test, traces: &Traces) -> Option<Span> {
    if test.at == Timestamp::default() {
        return None;
    }
    let (start, end) = times(Some(test.at), None, Some(test.duration_seconds.unwrap_or(0.0)))?;
    let key = run_key!(test);
    let parent = parent_of(key, test.job_id.as_deref());
    let mut attributes = Attributes::default();
    attributes.text("test.suite.name", test.suite.as_deref().or(test.classname.as_deref()));
    attributes.text("test.case.name", Some(&test.name));
    // The convention knows two outcomes; the others go under our own name.
    attributes.text(
        "test.case.result.status",
        match test.status {
            TestStatus::Passed => Some("pass"),
            TestStatus::Failed | TestStatus::Error => Some("fail"),
            TestStatus::Skipped => None,
        },
    );
    attributes.text("manometer.test.status", Some(test.status.as_str()));
    attributes.text("error.type", test.failure_kind.as_deref().filter(|_| test.status.is_failure()));
    attributes.text("code.file.path", test.file.as_deref());
    attributes.number("code.line.number", test.line);
    let ended = if test.status.is_failure() { Conclusion::Failure } else { Conclusion::Success };
    let (id, attempt, at) =
        (test.test_id.to_string(), test.attempt.to_string(), test.at.as_micros().to_string());
    Some(Span {
        trace_id: traces.of(key).to_bytes().to_vec(),
        span_id: span_of_text(parent, &[&id, &test.name, &attempt, &at]).to_bytes().to_vec(),
        parent_span_id: parent.to_bytes().to_vec(),
        name: test.name.clone(),
        kind: SpanKind::Internal.into(),
        start_time_unix_nano: start,
        end_time_unix_nano: end,
        attributes: attributes.finish(),
        status: Some(status(ended, test.failure_message.as_deref())),
        ..Span::default()
    })
}

/// A span as its sender told it; one whose ids are not ids is left out.
fn of_span(span: &SpanRecord) -> Option<Span> {
    let (start, end) = times(Some(span.at), None, Some(span.duration_seconds.unwrap_or(0.0)))?;
    let mut attributes = Attributes::default();
    for (key, value) in &span.attributes {
        attributes.text(key, Some(value));
    }
    attributes.text("cicd.pipeline.run.id", span.run_id.as_deref());
    let kind = match span.kind.as_deref() {
        Some("server") => SpanKind::Server,
        Some("client") => SpanKind::Client,
        Some("producer") => SpanKind::Producer,
        Some("consumer") => SpanKind::Consumer,
        _ => SpanKind::Internal,
    };
    let code = match span.status.as_deref() {
        Some("error") => StatusCode::Error,
        Some("ok") => StatusCode::Ok,
        _ => StatusCode::Unset,
    };
    Some(Span {
        trace_id: TraceId::parse(&span.trace_id)?.to_bytes().to_vec(),
        span_id: SpanId::parse(&span.span_id)?.to_bytes().to_vec(),
        parent_span_id: parent_bytes(span.parent_span_id.as_deref().and_then(SpanId::parse)),
        name: span.name.clone(),
        kind: kind.into(),
        start_time_unix_nano: start,
        end_time_unix_nano: end,
        attributes: attributes.finish(),
        status: Some(Status { message: String::new(), code: code.into() }),
        ..Span::default()
    })
}

fn parent_bytes(parent: Option<SpanId>) -> Vec<u8> {
    parent.map(|id| id.to_bytes().to_vec()).unwrap_or_default()
}

fn status(conclusion: Conclusion, message: Option<&str>) -> Status {
    const SHOWN_CHARACTERS: usize = 1_000;
    match error_type(conclusion) {
        Some(_) => Status {
            message: message.unwrap_or_default().chars().take(SHOWN_CHARACTERS).collect(),
            code: StatusCode::Error.into(),
        },
        None => Status::default(),
    }
}

/// Beginning and end in nanoseconds; the one that is missing from the other and the duration.
fn times(
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    duration_seconds: Option<f64>,
) -> Option<(u64, u64)> {
    let lasted = duration_seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
    let started = started_at.or_else(|| Some(finished_at?.plus_seconds(-lasted?)))?;
    let finished = finished_at.or_else(|| Some(started.plus_seconds(lasted?)))?;
    let nanos = |at: Timestamp| u64::try_from(at.as_micros()).ok()?.checked_mul(1_000);
    Some((nanos(started)?, nanos(finished.max(started))?))
}

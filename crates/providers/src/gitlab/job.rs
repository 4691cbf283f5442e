//! `build`: a job, as the event of its own tells it and as pipelines list it.
//!
//! `queued_duration` is the time a job was pending, that is waiting for a runner. What lies between its creation and
//! that was waiting for jobs before it, or for somebody to start it where it is manual; only pipelines tell which.

use manometer_model::records::{Job, Run, Runner};
use manometer_model::{Labels, Status, Timestamp};

use super::lab::{Lab, state};
use crate::reading::{lacks, sha};
use crate::repository::change_of;
use crate::rows::job_of;
use crate::tree::View;
use crate::{Decoded, platform, waits};

/// What both events tell of a job, under different names.
#[derive(Debug)]
pub(super) struct JobFields {
    pub(super) status: Option<String>,
    pub(super) name: Option<String>,
    pub(super) stage: Option<String>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
    pub(super) duration: Option<f64>,
    pub(super) queued_duration: Option<f64>,
    pub(super) failure_reason: Option<String>,
    pub(super) allow_failure: Option<bool>,
    pub(super) is_manual: Option<bool>,
}

/// A job's own event. Its `commit.id` is the pipeline's id, not a commit's.
pub(super) fn job_event(lab: &Lab<'_>, root: View<'_>, decoded: &mut Decoded) {
    let (Some(job_id), Some(run_id)) = (root.text("build_id"), root.text("pipeline_id")) else {
        return lacks(decoded, "build_id or pipeline_id");
    };
    let reference = root.text("ref");
    let change_id = reference.as_deref().and_then(change_of);
    let run = Run {
        provider: lab.provider(),
        project: lab.project.clone(),
        service: lab.service(None),
        run_id,
        attempt: 1,
        branch: reference.filter(|name| !name.starts_with("refs/")),
        commit_sha: sha(root, "sha"),
        change_id,
        ..Run::default()
    };
    let time = |with_zone, without| root.time(with_zone).or_else(|| root.time(without));
    let fields = JobFields {
        status: root.text("build_status"),
        name: root.text("build_name"),
        stage: root.text("build_stage"),
        created_at: time("build_created_at_iso", "build_created_at"),
        started_at: time("build_started_at_iso", "build_started_at"),
        finished_at: time("build_finished_at_iso", "build_finished_at"),
        duration: root.float("build_duration"),
        queued_duration: root.float("build_queued_duration"),
        failure_reason: root.text("build_failure_reason"),
        allow_failure: root.flag("build_allow_failure"),
        is_manual: None,
    };
    let job = row(Job { job_id, ..job_of(&run) }, fields, root, lab.received_at);
    decoded.entities.push(run.into());
    add(job, root, decoded);
}

/// Lays what was told of a job beside its key. `told` has the runner, under the same names in both events.
pub(super) fn row(key: Job, fields: JobFields, told: View<'_>, received_at: Timestamp) -> Job {
    let reason = fields.failure_reason.filter(|reason| reason != "unknown_failure");
    let (status, conclusion) = state(fields.status.as_deref(), reason.as_deref());
    let has_ended = status == Some(Status::Completed);
    let has_begun = has_ended || status == Some(Status::Running);
    let started_at = fields.started_at.filter(|_| has_begun);
    let finished_at = fields.finished_at.filter(|_| has_ended);
    let waited = fields.queued_duration.filter(|seconds| *seconds >= 0.0 && started_at.is_some());
    let runner = told.object("runner");
    let tags = runner.texts("tags");
    let (runner_os, runner_arch) = platform::of_labels(&tags);
    let environment = told.object("environment").text("name");
    let mut labels = Labels::new();
    labels.extend(environment.map(|name| ("environment".to_owned(), name)));
    let became_pending = started_at.zip(waited).map(|(started, seconds)| started.plus_seconds(-seconds));
    let before = waits::between(fields.created_at, became_pending);
    match fields.is_manual {
        Some(true) => waits::put(&mut labels, waits::APPROVAL, before),
        Some(false) => waits::put(&mut labels, waits::DEPENDENCY, before),
        None => {}
    }
    waits::put(&mut labels, waits::RUNNER, waited);
    Job {
        name: fields.name,
        stage: fields.stage,
        status,
        conclusion,
        queued_at: fields.created_at,
        started_at,
        finished_at,
        queue_seconds: waited,
        duration_seconds: fields.duration.filter(|seconds| has_ended && *seconds >= 0.0),
        runner_id: runner.text("id"),
        runner_name: runner.text("description"),
        runner_pool: runner.text("runner_type"),
        runner_os,
        runner_arch,
        runner_labels: (!tags.is_empty()).then(|| tags.join(",")),
        allowed_to_fail: fields.allow_failure,
        failure_reason: reason.filter(|_| has_ended && conclusion.is_some_and(is_bad)),
        labels,
        updated_at: finished_at.or(started_at).or(fields.created_at).or(Some(received_at)),
        ..key
    }
}

fn is_bad(conclusion: manometer_model::Conclusion) -> bool {
    conclusion > manometer_model::Conclusion::Cancelled
}

/// Adds a job and the runner it ran on.
pub(super) fn add(job: Job, told: View<'_>, decoded: &mut Decoded) {
    let runner = told.object("runner");
    if let (Some(runner_id), true) = (job.runner_id.clone(), job.started_at.is_some()) {
        let is_over = job.status == Some(Status::Completed);
        decoded.entities.push(
            Runner {
                provider: job.provider.clone(),
                runner_id,
                name: job.runner_name.clone(),
                pool: job.runner_pool.clone(),
                os: job.runner_os.clone(),
                arch: job.runner_arch.clone(),
                runner_labels: job.runner_labels.clone(),
                // One runner of GitLab may work on many jobs at the same time: an end does not make it free.
                state: match (runner.flag("active"), is_over) {
                    (Some(false), _) => Some("offline".to_owned()),
                    (_, false) => Some("busy".to_owned()),
                    (_, true) => None,
                },
                seen_at: job.updated_at,
                updated_at: job.updated_at,
                ..Runner::default()
            }
            .into(),
        );
    }
    decoded.entities.push(job.into());
}

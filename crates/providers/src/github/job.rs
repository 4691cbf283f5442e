//! `workflow_job`: a job, its steps once it has ended, and the machine it ran on.
//!
//! Waiting for a runner is from `created_at` to `started_at`. The latter is believed only where it is later: GitHub
//! writes the time of creation into it until it knows better, and in some jobs for ever. Then the start of the first
//! step tells when the runner began, and where not even that is later, the receipt of the event that said so.
//!
//! A job that waits for an approval is `waiting`. GitHub does not tell how long it waited for the approval: its queue
//! time includes that wait, and the label `waited_for` says so.

use manometer_model::records::{Job, Run, Runner, Step};
use manometer_model::{Labels, Status, Timestamp};

use super::hub::{Hub, conclusion, id, moment, state};
use super::run::nameplate;
use crate::reading::{lacks, sha};
use crate::rows::{step_of, steps_of};
use crate::tree::View;
use crate::{Decoded, platform};

/// The pool of GitHub's own machines, each used for one job and thrown away: they are no rows of `runners`.
const HOSTED_POOL: &str = "GitHub Actions";

/// A job: queued, waiting, in progress, completed.
pub(crate) fn workflow_job(hub: &Hub<'_>, root: View<'_>, decoded: &mut Decoded) {
    let job = root.object("workflow_job");
    let (Some(job_id), Some(run_id)) = (id(job, "id"), id(job, "run_id")) else {
        return lacks(decoded, "workflow_job.id or workflow_job.run_id");
    };
    let (status, conclusion) = state(job, root.text("action").as_deref());
    let queued_at = moment(job, "created_at")
        .or_else(|| Some(hub.received_at).filter(|_| status == Some(Status::Queued)));
    let started_at = started_at(hub, job, status, queued_at);
    let finished_at = moment(job, "completed_at").filter(|_| status == Some(Status::Completed));
    let wanted = job.texts("labels");
    let (runner_os, runner_arch) = platform::of_labels(&wanted);
    // Before a job runs, a runner that is named is one that had it before.
    let has_runner = matches!(status, Some(Status::Running | Status::Completed));
    let runner = |key| id(job, key).filter(|_| has_runner);
    let row = Job {
        provider: hub.provider.to_owned(),
        project: hub.project.clone(),
        service: hub.service(),
        pipeline: job.text("workflow_name"),
        run_id,
        run_attempt: job.int("run_attempt").unwrap_or(1).max(1),
        job_id,
        name: job.text("name"),
        branch: job.text("head_branch"),
        commit_sha: sha(job, "head_sha"),
        status,
        conclusion,
        queued_at,
        started_at,
        finished_at,
        runner_id: runner("runner_id"),
        runner_name: runner("runner_name"),
        runner_pool: runner("runner_group_name"),
        runner_os,
        runner_arch,
        runner_labels: joined(&wanted),
        url: job.text("html_url"),
        labels: waited_for(root, status),
        updated_at: finished_at.or(started_at).or(queued_at).or(Some(hub.received_at)),
        ..Job::default()
    };
    let steps = job.items("steps").filter_map(|step| step_row(step, &row));
    decoded.facts.extend(steps_of(&row, steps));
    decoded.entities.extend(runner_row(&row, &wanted).map(Into::into));
    decoded.entities.push(run_of(&row).into());
    decoded.entities.push(row.into());
}

/// When a runner began, as far as this event can know it.
fn started_at(
    hub: &Hub<'_>,
    job: View<'_>,
    status: Option<Status>,
    queued_at: Option<Timestamp>,
) -> Option<Timestamp> {
    if !matches!(status, Some(Status::Running | Status::Completed)) {
        return None;
    }
    let later = |time: &Timestamp| queued_at.is_none_or(|queued| *time > queued);
    let ended_at = moment(job, "completed_at");
    let before_end = |time: &Timestamp| ended_at.is_none_or(|end| *time <= end);
    let first_step = || job.items("steps").filter_map(|step| moment(step, "started_at")).min();
    moment(job, "started_at")
        .filter(later)
        .or_else(|| first_step().filter(later))
        .filter(before_end)
        .or_else(|| (status == Some(Status::Running)).then_some(hub.received_at).filter(later))
}

fn step_row(step: View<'_>, job: &Job) -> Option<Step> {
    let conclusion = conclusion(&step.text("conclusion")?)?;
    Some(Step {
        number: step.int("number")?,
        name: step.text("name"),
        conclusion: Some(conclusion),
        started_at: moment(step, "started_at"),
        finished_at: moment(step, "completed_at"),
        ..step_of(job)
    })
}

/// What a job tells of its run: nothing that the run's own event would not know better.
fn run_of(job: &Job) -> Run {
    let key = Run {
        provider: job.provider.clone(),
        project: job.project.clone(),
        run_id: job.run_id.clone(),
        attempt: job.run_attempt,
        ..Run::default()
    };
    Run {
        service: job.service.clone(),
        pipeline: job.pipeline.clone(),
        branch: job.branch.clone(),
        commit_sha: job.commit_sha.clone(),
        ..nameplate(&key)
    }
}

/// The machine, where it is one that stays.
fn runner_row(job: &Job, labels: &[String]) -> Option<Runner> {
    let is_hosted = job.runner_pool.as_deref() == Some(HOSTED_POOL)
        || job.provider == "github" && !labels.iter().any(|label| label == "self-hosted");
    if is_hosted {
        return None;
    }
    let state = if job.status == Some(Status::Completed) { "available" } else { "busy" };
    Some(Runner {
        provider: job.provider.clone(),
        runner_id: job.runner_id.clone()?,
        name: job.runner_name.clone(),
        pool: job.runner_pool.clone(),
        os: job.runner_os.clone(),
        arch: job.runner_arch.clone(),
        runner_labels: job.runner_labels.clone(),
        state: Some(state.to_owned()),
        seen_at: job.updated_at,
        updated_at: job.updated_at,
        ..Runner::default()
    })
}

fn waited_for(root: View<'_>, status: Option<Status>) -> Labels {
    let environment = root.object("deployment").text("environment");
    let mut labels = Labels::new();
    if status == Some(Status::Waiting) {
        let place = environment.map(|name| format!(" of {name}")).unwrap_or_default();
        labels.insert("waited_for".to_owned(), format!("approval{place}"));
    }
    labels
}

fn joined(labels: &[String]) -> Option<String> {
    (!labels.is_empty()).then(|| labels.join(","))
}
